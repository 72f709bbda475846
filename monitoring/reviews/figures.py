"""The figures of one deployment as a review shows and keeps them: plain JSON, so that a record can hold them for good.

`measures` are the numbers that are compared from one review to the next. Each names its metric, its value, which way is
better, and where it can be asked again the window over which it was computed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from monitoring import questions as q
from monitoring.clock import HOUR, floor_day, format_time, parse_duration, parse_time
from monitoring.models import Area, Status, Watched
from monitoring.questions import Between, Mature, Question
from monitoring.reviews.facts import AreaNow, Facts

STRIP = 30
#: One letter a status, so that thirty days are thirty letters.
LETTERS = {
    Status.PASSING: "p",
    Status.WARNING: "w",
    Status.FAILING: "f",
    Status.UNKNOWN: "u",
    Status.NOT_STARTED: "n",
    Status.UNAVAILABLE: "x",
}
_STATUS = {letter: status for status, letter in LETTERS.items()}
SHOWN = {Area.DRIFT: "Largest drift"}


def figures(facts: Facts, row: Watched, since: datetime, as_of: datetime, mails: int = 0) -> dict[str, Any]:
    """Everything that the record of a review keeps about one deployment."""
    return {
        "known_at": format_time(as_of),
        "worst": facts.worst.value,
        "importance": facts.importance,
        "predictions_per_day": facts.predictions_per_day,
        "areas": {area.value: _area(health) for area, health in facts.areas.items()},
        "strips": {area.value: strip(health, as_of) for area, health in facts.areas.items()},
        "measures": [*_accuracy(facts, row, as_of), *_drift(facts, row), *_served(facts, since), *_mails(mails)],
        "model": {"id": row.model_id, "name": row.model_name},
        "incidents": [
            {"number": one.number, "area": one.area, "opened_at": format_time(one.opened_at), "assignee": one.assignee}
            for one in facts.incidents
            if one.closed_at is None
        ],
    }


def compact(facts: Facts) -> dict[str, Any]:
    """What is kept of a deployment that was calm."""
    areas = {area.value: health.status.value for area, health in facts.areas.items()}
    return {"id": facts.watched_id, "label": facts.label, "worst": facts.worst.value, "areas": areas}


def _area(health: AreaNow) -> dict[str, Any]:
    return {
        "status": health.status.value,
        "reason": health.reason,
        "since": format_time(health.since) if health.since else None,
        "metric": health.metric,
        "value": health.value,
    }


def strip(health: AreaNow, as_of: datetime) -> str:
    """The last thirty days, oldest first, a letter each; `n` for days of which nothing is known."""
    last = floor_day(as_of).date()
    known = {one.day: LETTERS[one.status] for one in health.days}
    return "".join(known.get(last - timedelta(days=back), "n") for back in range(STRIP - 1, -1, -1))


def strip_statuses(text: str) -> list[str]:
    """The statuses of a kept strip."""
    return [_STATUS.get(letter, Status.NOT_STARTED).value for letter in text]


def _accuracy(facts: Facts, row: Watched, as_of: datetime) -> list[dict[str, Any]]:
    health = facts.areas.get(Area.ACCURACY)
    if health is None or health.value is None or not health.metric:
        return []
    measure = {
        "key": "accuracy",
        "name": health.metric,
        "metric": health.metric,
        "value": health.value,
        "better": health.better,
    }
    window = accuracy_window(row, as_of, health.ends_at)
    return [measure | ({"start": format_time(window[0]), "end": format_time(window[1])} if window else {})]


def accuracy_window(row: Watched, as_of: datetime, ends_at: datetime | None = None) -> tuple[datetime, datetime] | None:
    """The judged window of accuracy: up to the end of a past day, else to where labels are complete.

    None for batches and odd intervals.
    """
    interval = row.health.get("interval") if isinstance(row.health, dict) else None
    if row.batch_monitoring or not isinstance(interval, str) or not interval:
        return None
    lag = -(-int((row.label_lag_hours or 0) * 3600) // 3600)
    try:
        if ends_at is not None:
            return ends_at - parse_duration(interval), ends_at
        return Question("", (), Mature(interval, lag)).period(as_of)
    except ValueError:
        return None


def _drift(facts: Facts, row: Watched) -> list[dict[str, Any]]:
    health = facts.areas.get(Area.DRIFT)
    if health is None or health.value is None:
        return []
    short = row.area_health(Area.DRIFT.value).get("short") if health.reason else ""
    return [
        {
            "key": "drift",
            "name": SHOWN[Area.DRIFT],
            "metric": health.metric or "PSI",
            "value": health.value,
            "better": -1,
            "detail": short or "",
        }
    ]


def _served(facts: Facts, since: datetime) -> list[dict[str, Any]]:
    """About how many predictions were served on days that were failing, since the last review."""
    failing = {
        one.day
        for health in facts.areas.values()
        for one in health.days
        if one.status is Status.FAILING and one.day >= since.date()
    }
    if not failing and facts.worst is not Status.FAILING:
        return []
    value = len(failing) * (facts.predictions_per_day or 0.0)
    return [{"key": "served", "name": "Predictions while failing", "metric": "", "value": value, "better": -1}]


def _mails(mails: int) -> list[dict[str, Any]]:
    return [{"key": "mails", "name": "Mails sent", "metric": "", "value": mails, "better": 0}] if mails else []


# --- Asked again --------------------------------------------------------------------------------------------------


def measure(kept: Mapping[str, Any], key: str) -> dict[str, Any] | None:
    """One measure of kept figures; None where it was not known."""
    found = (one for one in kept.get("measures", ()) if isinstance(one, dict) and one.get("key") == key)
    return next(found, None)


def restated_question(kept: Mapping[str, Any]) -> Question | None:
    """The same accuracy, over the same hours, as it is known now: late labels restate it."""
    found = measure(kept, "accuracy")
    start, end = (parse_time(found.get("start")), parse_time(found.get("end"))) if found else (None, None)
    if start is None or end is None or end - start < HOUR:
        return None
    return q.accuracy(Between(start, end))


def restated_value(kept: Mapping[str, Any], payload: Mapping[str, Any]) -> float | None:
    """The value of the kept accuracy in a newer answer to the same question; None while there is none."""
    found = measure(kept, "accuracy")
    metrics = payload.get("metrics")
    entry = metrics.get(found["metric"]) if found and isinstance(metrics, dict) else None
    value = entry.get("value") if isinstance(entry, dict) else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
