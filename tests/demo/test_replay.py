"""Flights become requests, rows and actuals: each once, at its moved time, none before it is known."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import polars as pl
import pytest

from demo import clock
from demo.clock import Span
from demo.replay import arrived, asked, outcomes, reigned, score
from demo.scoring import Scorer
from demo.story import STORIES, Story
from demo.training import fit

NOW = datetime(2026, 11, 23, 18, 50, tzinfo=UTC)
SHIFT = clock.shift_to(NOW)
HOUR = timedelta(hours=1)
BY_SLUG = {story.slug: story for story in STORIES}
US = BY_SLUG["us-airways-late-arrivals"]
LGA = BY_SLUG["laguardia-late-departures"]
AIR_TIME = BY_SLUG["air-time"]
REPLACED = BY_SLUG["late-departures"]


@pytest.fixture(scope="module")
def us_airways(flights: pl.DataFrame) -> Scorer:
    return fit(US.recipe, flights).scorer


def day(number: int) -> Span:
    start = datetime(2013, 12, number, 5, tzinfo=UTC)
    return Span(start, start + 24 * HOUR, SHIFT)


def test_each_request_is_one_event_and_each_flight_one_row(flights: pl.DataFrame, us_airways: Scorer) -> None:
    rows = asked(US, flights, day(20))
    replayed = score(US, us_airways, rows)
    departures = flights.filter(
        pl.col("carrier") == "US", pl.col("predicted_at").is_between(day(20).since, day(20).until, closed="left")
    )
    assert replayed.predictions.height == departures.height == replayed.events["num_predictions"].sum()
    assert replayed.events.height == departures.select("origin", "predicted_at").n_unique()
    assert replayed.predictions["association_id"].is_unique().all()
    assert (replayed.events["response_time"] > replayed.events["execution_time"]).all()


def test_times_are_moved_by_whole_weeks(flights: pl.DataFrame, us_airways: Scorer) -> None:
    moved = score(US, us_airways, asked(US, flights, day(20))).predictions["timestamp"]
    assert moved.is_between(day(20).since + SHIFT, day(20).until + SHIFT, closed="left").all()
    original = asked(US, flights, day(20))["predicted_at"]
    assert (moved.dt.weekday().sort() == original.dt.weekday().sort()).all()
    assert (moved.dt.time().sort() == original.dt.time().sort()).all()


def test_a_row_holds_features_segments_and_predictions(flights: pl.DataFrame, us_airways: Scorer) -> None:
    rows = score(US, us_airways, asked(US, flights, day(20))).predictions
    features = ["origin", "dest", "departure_hour", "scheduled_minutes"]
    assert rows.columns == ["timestamp", "association_id", *features, "prediction_no", "prediction_yes"]


def test_predictions_equal_the_models_own_on_all_rows_at_once(flights: pl.DataFrame, us_airways: Scorer) -> None:
    rows = asked(US, flights, day(20))
    whole = us_airways.table(us_airways.predict(us_airways.encode(rows.to_dict(as_series=False))))
    expected = rows.select("association_id").hstack(whole).sort("association_id")
    found = score(US, us_airways, rows).predictions.select(expected.columns).sort("association_id")
    assert found["prediction_yes"].to_list() == pytest.approx(expected["prediction_yes"].to_list())


def test_a_refused_request_is_an_error_event_without_predictions(flights: pl.DataFrame) -> None:
    scorer = fit(LGA.recipe, flights).scorer
    rows = asked(LGA, flights, day(23))
    replayed = score(LGA, scorer, rows)
    errors = replayed.events.filter(pl.col("status_code") != 200)
    unseen = rows.filter(~pl.col("dest").is_in(list(scorer.levels["dest"])))
    assert errors["status_code"].unique().to_list() == [422]
    assert errors.height == unseen["asked_at"].n_unique() > 0
    assert errors["num_predictions"].sum() == 0
    assert replayed.predictions.height < rows.height


def test_the_planners_ask_at_midnight_for_the_day(flights: pl.DataFrame) -> None:
    rows = asked(AIR_TIME, flights, day(20))
    assert rows["asked_at"].unique().to_list() == [day(20).since + SHIFT]
    assert rows["scheduled"].is_between(day(20).since, day(20).until, closed="left").all()


def test_each_champion_answers_in_its_own_days() -> None:
    june, july = clock.LAST_WEEK - 26 * clock.WEEK, clock.LAST_WEEK - 25 * clock.WEEK
    parts = list(reigned(REPLACED, Span(june, july, SHIFT)))
    before, after = REPLACED.reigns
    assert [part.recipe for part in parts] == [before.recipe, after.recipe]
    assert parts[0].span.until == parts[1].span.since == after.since
    assert (parts[0].span.since, parts[1].span.until) == (june, july)


def test_nothing_is_served_before_the_first_champion() -> None:
    since = US.since
    assert list(reigned(US, Span(since - clock.WEEK, since, SHIFT))) == []
    (part,) = reigned(US, Span(since - HOUR, since + HOUR, SHIFT))
    assert part.span == Span(since, since + HOUR, SHIFT)


def test_an_actual_is_not_sent_before_it_is_known(flights: pl.DataFrame) -> None:
    noon = day(20).since + SHIFT + 12 * HOUR
    sent = outcomes(US, flights, day(20), noon)
    everything = outcomes(US, flights, day(20), noon + clock.WEEK)
    assert 0 < sent.height < everything.height
    assert sent["timestamp"].is_between(noon - 12 * HOUR, noon, closed="left").all()
    assert set(sent["association_id"]) == set(everything.filter(pl.col("timestamp") < noon)["association_id"])


def test_flights_without_an_outcome_have_no_actual(flights: pl.DataFrame) -> None:
    rows = asked(US, flights, day(10))
    sent = outcomes(US, flights, day(10), NOW)
    assert rows.height - sent.height == rows["arr_delay"].null_count() > 0


def test_live_actuals_cut_anywhere_are_each_sent_once(flights: pl.DataFrame) -> None:
    turn = clock.END + SHIFT
    marks = [turn - 30 * HOUR, turn - 7 * HOUR, turn - HOUR / 2, turn + 3 * HOUR, turn + 20 * HOUR]
    parts = [arrived(US, flights, a, b, SHIFT) for a, b in pairwise(marks)]
    whole = arrived(US, flights, marks[0], marks[-1], SHIFT)
    together = pl.concat(parts)
    assert together["association_id"].is_unique().all()
    assert together.sort("association_id").equals(whole.sort("association_id"))


def test_the_same_flight_of_the_next_round_has_another_id(flights: pl.DataFrame) -> None:
    first = asked(US, flights, Span(clock.LAST_WEEK, clock.END, SHIFT))
    again = asked(US, flights, Span(clock.LAST_WEEK, clock.END, SHIFT + clock.WEEK))
    assert first.height == again.height > 200
    assert not set(first["association_id"]) & set(again["association_id"])


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.slug)
def test_what_is_answered_before_the_turn_of_the_year_is_known_within_two_days(
    story: Story, flights: pl.DataFrame
) -> None:
    """The live feed looks back as far as its longest wait for outcomes; none is missed."""
    whole = outcomes(story, flights, Span(clock.LAST_WEEK, clock.END, SHIFT), datetime.max.replace(tzinfo=UTC))
    start, end = clock.LAST_WEEK + SHIFT, clock.END + SHIFT + timedelta(days=2)
    live = pl.concat(
        arrived(story, flights, start + i * 12 * HOUR, min(start + (i + 1) * 12 * HOUR, end), SHIFT) for i in range(18)
    )
    assert set(whole["association_id"]) <= set(live["association_id"])
