"""Custom metrics of the flights, by hour for one story and by month for another; and timeliness for two.

Every value is counted from the flights themselves: planes that no register knows, minutes late, the weather that the
tower saw. Whatever lies behind the demo's horizon has not happened yet and is left out.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from demo.clock import END, Span
from demo.extras.answers import once
from demo.models import Replay
from demo.replay import asked
from demo.sending import MONTH, Sender
from demo.story import MIDNIGHT, STORIES, Story

BY_TIME, BY_BATCH = "late-departures", "air-time"
TIMELY = ("late-departures", "arrival-delay")
HOUR = "1h"
FLIGHTS = pl.len()


@dataclass(frozen=True)
class Measure:
    """One metric: how it is defined, its value of a group of flights, and of how many flights it is."""

    fields: dict[str, object]
    value: pl.Expr
    samples: pl.Expr = FLIGHTS


UNKNOWN_PLANES = Measure(
    {
        "name": "Planes that no register knows",
        "description": "Share of flights whose tail number the register of planes does not have",
        "type": "average",
        "units": "share of flights",
        "directionality": "lowerIsBetter",
        "isModelSpecific": False,
        "baselineValues": [{"value": 0.15}],
    },
    pl.col("seats").is_null().mean(),
)
MINUTES_LATE = Measure(
    {
        "name": "Minutes late at departure",
        "description": "Minutes that all flights of the hour together left late",
        "type": "sum",
        "units": "minutes",
        "directionality": "lowerIsBetter",
        "isModelSpecific": False,
    },
    pl.col("dep_delay").clip(lower_bound=0).sum().cast(pl.Float64),
)
LONGEST_DELAY = Measure(
    {
        "name": "Longest delay of the hour",
        "description": "Minutes late of the latest flight of the latest hour",
        "type": "gauge",
        "units": "minutes",
        "directionality": "lowerIsBetter",
        "isModelSpecific": False,
    },
    pl.col("dep_delay").max().cast(pl.Float64),
)
WEATHER = Measure(
    {
        "name": "Weather at departure",
        "description": "What the airport's own station had observed when the flight was asked about",
        "type": "categorical",
        "categories": ["clear", "rain", "poor sight", "wind", "not observed"],
        "directionality": "higherIsBetter",
        "isModelSpecific": False,
    },
    pl.lit(None),
)
OVER_SCHEDULE = Measure(
    {
        "name": "Minutes saved on the schedule",
        "description": "Minutes from gate to gate that the schedule allows for, less those in the air",
        "type": "average",
        "units": "minutes",
        "directionality": "higherIsBetter",
    },
    (pl.col("scheduled_minutes") - pl.col("air_time")).mean(),
    pl.col("air_time").count(),
)
NOT_FLOWN = Measure(
    {
        "name": "Flights cancelled",
        "description": "Flights of the month that never left",
        "type": "sum",
        "units": "flights",
        "directionality": "lowerIsBetter",
    },
    pl.col("cancelled").sum().cast(pl.Float64),
)
SKY = (
    pl.when(pl.col("visib").is_null())
    .then(pl.lit("not observed"))
    .when(pl.col("precip") > 0)
    .then(pl.lit("rain"))
    .when(pl.col("visib") < 5)
    .then(pl.lit("poor sight"))
    .when(pl.col("wind_speed") > 20)
    .then(pl.lit("wind"))
    .otherwise(pl.lit("clear"))
)


def add(sender: Sender) -> None:
    """Define what is missing, report its values, and switch timeliness on."""
    replay = Replay.objects.get()
    stories = {story.slug: story for story in STORIES}
    by_time, by_batch = stories[BY_TIME], stories[BY_BATCH]
    flown = happened(sender, by_time, replay)
    for measure in (UNKNOWN_PLANES, MINUTES_LATE, LONGEST_DELAY):
        report(sender, by_time, measure, hourly(flown, measure))
    report(sender, by_time, WEATHER, sky_by_hour(flown))
    judge(sender, by_time)
    planned = happened(sender, by_batch, replay)
    batches = sender.batches(by_batch, by_batch.since + replay.shift, replay.horizon)
    for measure in (OVER_SCHEDULE, NOT_FLOWN):
        report(sender, by_batch, measure, monthly(planned, measure, batches))
    for slug in TIMELY:
        expect(sender, stories[slug])


def happened(sender: Sender, story: Story, replay: Replay) -> pl.DataFrame:
    """The flights that the story was asked about and whose outcome was known at the horizon, with `asked_at`."""
    span = Span(story.since, END, replay.shift)
    return asked(story, sender.flights, span).filter(pl.col("known_at") + replay.shift < replay.horizon)


def hourly(flights: pl.DataFrame, measure: Measure) -> pl.DataFrame:
    """One value an hour."""
    hour = pl.col("asked_at").dt.truncate(HOUR).alias("timestamp")
    return _values(flights.group_by(hour), measure)


def sky_by_hour(flights: pl.DataFrame) -> pl.DataFrame:
    """One row for each kind of weather in an hour, with its flights."""
    hour = pl.col("asked_at").dt.truncate(HOUR).alias("timestamp")
    counted = flights.group_by(hour, SKY.alias("value")).agg(pl.len().alias("flights"))
    return counted.sort("timestamp", "value")


def monthly(flights: pl.DataFrame, measure: Measure, batches: dict[str, str]) -> pl.DataFrame:
    """One value a month, for its batch, at the month's last request."""
    month = (pl.col("asked_at") - MIDNIGHT).dt.strftime(MONTH).alias("month")
    at = pl.col("asked_at").max().alias("timestamp")
    found = flights.group_by(month).agg(
        measure.value.alias("value"), measure.samples.cast(pl.Int64).alias("flights"), at
    )
    return found.with_columns(batch=pl.col("month").replace_strict(batches)).drop_nulls("value").sort("timestamp")


def report(sender: Sender, story: Story, measure: Measure, values: pl.DataFrame) -> None:
    """Define the metric unless it is there, and report its values unless it has some."""
    client, base = sender.client, f"{sender.deployed[story.slug].path}/"
    name = str(measure.fields["name"])
    known = {row["name"]: row["id"] for row in client.all(f"{base}customMetrics/")}
    if name in known and _has_values(sender, base, str(known[name]), story):
        return
    metric = known.get(name) or client.send("POST", f"{base}customMetrics/", measure.fields)["id"]
    dataset = client.upload("datasets/fromFile/", values, name=f"{name}.parquet")["id"]
    body = {
        "datasetId": dataset,
        "sampleCount": {"columnName": "flights"},
        "requestId": f"demo-measure-{name}",
    }
    once(lambda: client.send("POST", f"{base}customMetrics/{metric}/fromDataset/", body))


def judge(sender: Sender, story: Story) -> None:
    """A warning where more planes are unknown than usual; nothing if a person has set conditions."""
    base = f"{sender.deployed[story.slug].path}/"
    if any(sender.client.get(f"{base}healthSettings/")["customMetrics"].values()):
        return
    name = UNKNOWN_PLANES.fields["name"]
    metric = next(row["id"] for row in sender.client.all(f"{base}customMetrics/") if row["name"] == name)
    condition = {"metricId": metric, "compareOperator": "gt", "threshold": 0.2}
    sender.client.send("PATCH", f"{base}healthSettings/", {"customMetrics": {"warningConditions": [condition]}})


def expect(sender: Sender, story: Story) -> None:
    """Predictions every few hours (no desk asks at night), actuals every day."""
    base = f"{sender.deployed[story.slug].path}/"
    known = sender.client.get(f"{base}healthSettings/")
    if known["predictionsTimeliness"]["enabled"] or known["actualsTimeliness"]["enabled"]:
        return
    rules = {
        "predictionsTimeliness": {"enabled": True, "expectedFrequency": "PT8H"},
        "actualsTimeliness": {"enabled": True, "expectedFrequency": "P1D"},
    }
    sender.client.send("PATCH", f"{base}healthSettings/", rules)


def _values(grouped: pl.dataframe.group_by.GroupBy, measure: Measure) -> pl.DataFrame:
    found = grouped.agg(measure.value.alias("value"), measure.samples.cast(pl.Int64).alias("flights"))
    return found.drop_nulls("value").sort("timestamp")


def _has_values(sender: Sender, base: str, metric: str, story: Story) -> bool:
    if story.by_batch:
        found = sender.client.get(f"{base}customMetrics/{metric}/valuesOverBatch/")["buckets"]
        return any(bucket["sampleSize"] for bucket in found)
    start = _hour(Replay.objects.get().horizon - timedelta(days=366))
    return bool(sender.client.get(f"{base}customMetrics/{metric}/summary/", start=start)["metric"]["sampleCount"])


def _hour(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:00:00Z")
