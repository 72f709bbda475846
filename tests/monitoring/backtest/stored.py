"""The ninety days of flights of `flights.json`, as the watcher would have stored them."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from monitoring import packing
from monitoring import questions as q
from monitoring.models import SeriesChunk, Source, Topic, TopicState, Watched
from monitoring.poll import past
from monitoring.poll.standing import DAYS
from tests.monitoring.factories import make_source, make_watched

WINDOW, DAY = timedelta(days=7), timedelta(days=1)
Json = dict[str, Any]


@cache
def flights() -> dict[str, Json]:
    """The deployments of the file, by label."""
    found = json.loads(Path(__file__).with_name("flights.json").read_text())
    return {one["label"]: one for one in found}


#: The last midnight that was asked about.
UNTIL = datetime.fromisoformat(next(iter(flights().values()))["ends"][-1])
#: A time of day after it, as a watcher would look.
NOW = UNTIL + timedelta(minutes=20)


def store(label: str, source: Source | None = None) -> Watched:
    """A deployment with its ninety days stored."""
    found = flights()[label]
    watched = make_watched(
        source or make_source(),
        remote_id=label,
        label=label,
        importance=found["importance"],
        target_type=found["target"],
        first_seen_at=NOW - 90 * DAY,
        seen_at=NOW,
        last_prediction_at=NOW,
    )
    ends = [datetime.fromisoformat(end) for end in found["ends"]]
    past.keep(watched, past.DRIFT, dict(zip(ends, map(_drift, found["drift"]), strict=True)), NOW)
    answers = {end: _accuracy(end, one) for end, one in zip(ends, found["accuracy"], strict=True)}
    past.keep(watched, past.ACCURACY, answers, NOW)
    _keep_rows(watched, found["rows"])
    return watched


def _drift(rows: list[list[Any]]) -> Json:
    fields = ("name", "type", "driftScore", "featureImpact", "sampleSize", "baselineSampleSize")
    return {"data": [dict(zip(fields, row, strict=True)) for row in rows]}


def _accuracy(end: datetime, metrics: dict[str, list[float | None]]) -> Json:
    period = {"start": (end - WINDOW).isoformat(), "end": end.isoformat()}
    shown = {name: {"value": value, "baselineValue": baseline} for name, (value, baseline) in metrics.items()}
    return {"metrics": shown, "period": period}


def _keep_rows(watched: Watched, rows: list[list[Any]]) -> None:
    starts = [datetime.fromisoformat(start) for start, _, _ in rows]
    topic = Topic.objects.create(
        watched=watched,
        key=q.predictions_vs_actuals_over_time(DAYS).key,
        path="predictionsVsActualsOverTime/",
        state=TopicState.OK,
        open_from=starts[0],
        covered_until=UNTIL,
    )
    buckets = [
        (start, start + DAY, {"rowCountTotal": total, "rowCountWithActual": labelled}, NOW)
        for start, (_, total, labelled) in zip(starts, rows, strict=True)
    ]
    payload = packing.pack_known_buckets(buckets)
    SeriesChunk.objects.create(topic=topic, known_at=NOW, first=starts[0], last=starts[-1], payload=payload)
