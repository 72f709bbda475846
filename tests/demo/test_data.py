"""The flights are those of the source, and no prediction knows what came after it."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from demo import data
from demo.story import OBSERVED


def test_every_flight_of_the_year_is_there_once(flights: pl.DataFrame) -> None:
    assert flights.height == 336_776
    assert flights.select("flight_id", "scheduled").is_unique().all()
    assert flights["arr_delay"].drop_nulls().len() == 327_346


def test_the_first_flight_is_the_one_of_the_file(flights: pl.DataFrame) -> None:
    first = flights.filter(pl.col("flight_id") == "UA1545-EWR-IAH").row(0, named=True)
    assert first["scheduled"] == datetime(2013, 1, 1, 10, 15, tzinfo=UTC)
    assert first["departed"] == datetime(2013, 1, 1, 10, 17, tzinfo=UTC)
    assert first["known_at"] == datetime(2013, 1, 1, 14, 30, tzinfo=UTC)
    assert (first["dep_delay"], first["arr_delay"], first["distance"]) == (2, 11, 1400.0)


def test_a_summer_departure_is_converted_with_daylight_saving(flights: pl.DataFrame) -> None:
    hours = flights.filter(pl.col("scheduled").dt.month() == 7)
    local = hours["scheduled"].dt.convert_time_zone("America/New_York")
    drift = (local.dt.hour() + local.dt.minute() / 60 - hours["departure_hour"]).abs()
    assert drift.max() == pytest.approx(0)


def test_each_desk_asks_one_to_two_hours_before_the_departure(flights: pl.DataFrame) -> None:
    lead = (flights["scheduled"] - flights["predicted_at"]).dt.total_minutes()
    assert lead.is_between(60, 119).all()
    assert lead.n_unique() == 60
    minutes = flights.group_by("origin").agg(pl.col("predicted_at").dt.minute().unique())
    assert {origin: found for origin, (found,) in minutes.rows()} == data.DESK


def test_an_outcome_is_known_after_its_prediction_and_within_two_days(flights: pl.DataFrame) -> None:
    wait = (flights["known_at"] - flights["predicted_at"]).dt.total_hours(fractional=True)
    assert wait.is_between(1, 35).all()


def test_taxi_time_between_the_clock_times_and_the_air_time_is_plausible(flights: pl.DataFrame) -> None:
    flown = flights.drop_nulls("arr_delay")
    taxi = (flown["known_at"] - flown["departed"]).dt.total_minutes() - flown["air_time"]
    assert taxi.is_between(1, 235).all()
    assert taxi.median() == pytest.approx(28)


@pytest.mark.parametrize(
    "moment", [datetime(2013, 7, 10, 18, 0, tzinfo=UTC), datetime(2013, 12, 30, 20, 0, tzinfo=UTC)]
)
def test_no_feature_changes_when_the_future_is_taken_away(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    """Outcomes and weather after `moment` are wiped from the files; predictions until then stay the same."""
    before = data.load().filter(pl.col("predicted_at") <= moment)
    monkeypatch.setattr(data, "_csv", _without_future(data._csv, moment))
    after = data.load().filter(pl.col("predicted_at") <= moment)
    assert before.select("flight_id", *OBSERVED).equals(after.select("flight_id", *OBSERVED))
    outcome = pl.col("dep_delay").is_null().sum()
    assert after.select(outcome).item() > before.select(outcome).item()


def _without_future(read, moment: datetime):  # type: ignore[no-untyped-def]
    def reader(path):  # type: ignore[no-untyped-def]
        table = read(path)
        if path.name == "weather.csv":
            observed = pl.col("time_hour").str.to_datetime(time_zone="UTC")
            return table.filter(observed <= moment)
        if path.name == "flights.csv.zip":
            hour = pl.col("time_hour").str.to_datetime(time_zone="UTC")
            left = hour + pl.duration(minutes=pl.col("minute") + pl.col("dep_delay"))
            gone = left > moment
            names = ("dep_time", "dep_delay", "arr_time", "arr_delay", "air_time")
            return table.with_columns(pl.when(gone).then(None).otherwise(pl.col(name)).alias(name) for name in names)
        return table

    return reader


def test_recent_delay_is_the_mean_of_the_flights_that_have_just_left(flights: pl.DataFrame) -> None:
    asked = flights.filter(pl.col("flight_id") == "B6415-JFK-SFO", pl.col("predicted_at").dt.ordinal_day() == 190)
    row = asked.row(0, named=True)
    just_left = flights.filter(
        pl.col("origin") == row["origin"],
        pl.col("departed") <= row["predicted_at"],
        pl.col("departed") > row["predicted_at"] - timedelta(seconds=data.RECENT),
    )
    assert just_left.height > 20
    assert row["origin_recent_delay"] == pytest.approx(just_left["dep_delay"].mean())
    own = just_left.filter(pl.col("carrier") == row["carrier"])
    assert row["carrier_recent_delay"] == pytest.approx(own["dep_delay"].mean())


def test_the_last_weather_report_is_two_hours_old_at_most(flights: pl.DataFrame) -> None:
    """The source ends on the evening of 30 December; after that the weather is missing, not old."""
    last = datetime(2013, 12, 30, 23, tzinfo=UTC)
    late = flights.filter(pl.col("predicted_at") > last + timedelta(hours=2))
    assert late.height > 700
    assert late["temp"].null_count() == late.height


def test_without_the_package_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(data.DataMissing, match="make env"):
        data.data_folder()
