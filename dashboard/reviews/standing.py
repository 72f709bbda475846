"""Then and now of one deployment: the table in the middle of a meeting, and the same lines in its record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from dashboard.charts import words
from monitoring.clock import parse_time
from monitoring.models import Area, Review, Status
from monitoring.reviews import figures as kept
from monitoring.reviews.compare import Moved, moves

TROUBLE = frozenset({Status.WARNING, Status.FAILING})
Figures = Mapping[str, Any]


@dataclass(frozen=True)
class AreaLine:
    """One area: its verdict in the last review, its verdict now, and what lies between."""

    name: str
    then: str
    now: str
    change: str
    tone: str
    strip: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class NumberLine:
    """One number: as known then, restated by later labels, now."""

    key: str
    name: str
    detail: str
    then: str
    restated: str
    now: str
    change: str
    tone: str
    spark: tuple[float | None, ...] = ()


def figures_of(review: Review | None, watched_id: int | None) -> Figures | None:
    """What a signed review kept about a deployment; of a calm one only its verdicts. None where it knew nothing."""
    if review is None or watched_id is None:
        return None
    for one in review.record.get("items", ()):
        if one["watched"] == watched_id:
            found: Figures = one["figures"]
            return found
    for one in review.record.get("calm", ()):
        if one["id"] == watched_id:
            return {
                "worst": one["worst"],
                "areas": {name: {"status": status} for name, status in one["areas"].items()},
            }
    return None


def verdict_of(review: Review | None, watched_id: int | None) -> Mapping[str, Any] | None:
    """The item of a signed review about a deployment: its verdict, note and promises."""
    if review is None or watched_id is None:
        return None
    return next((one for one in review.record.get("items", ()) if one["watched"] == watched_id), None)


def area_lines(now: Figures, then: Figures | None, days_between: int) -> list[AreaLine]:
    """A line an area, in the usual order."""
    found = []
    for area in Area:
        health = now.get("areas", {}).get(area.value)
        if health is None:
            continue
        status = Status(health["status"])
        before = (then or {}).get("areas", {}).get(area.value)
        was = Status(before["status"]) if before else None
        statuses = tuple(kept.strip_statuses(now.get("strips", {}).get(area.value, "")))
        change, tone = area_change(was, status, statuses, days_between)
        name = area.label
        found.append(AreaLine(name, was.value if was else "", status.value, change, tone, statuses, health["reason"]))
    return found


def area_change(was: Status | None, now: Status, strip: Sequence[str], days_between: int) -> tuple[str, str]:
    """`worse`, `for 23 d`, `failed on 2 d between` or `none`, and its tone."""
    if was is not None and was is not now:
        worse = now.severity > was.severity
        return ("worse" if worse else "better"), ("failing" if worse and now in TROUBLE else "" if worse else "passing")
    if now in TROUBLE:
        run = spell(strip, now)
        more = " or more" if run == len(strip) and run else ""
        return (f"for {run}{words.THIN}d{more}" if run else "new"), ""
    between = [status for status in strip[len(strip) - max(1, days_between) :] if Status(status) in TROUBLE]
    if between:
        worst = max(map(Status, between), key=lambda status: status.severity)
        verb = "failed" if worst is Status.FAILING else "at risk"
        return f"{verb} on {len(between)}{words.THIN}d between", ""
    return ("none" if was is not None else ""), ""


def spell(strip: Sequence[str], status: Status) -> int:
    """How many of the newest days in a row had this verdict."""
    run = 0
    for one in reversed(strip):
        if one != status.value:
            break
        run += 1
    return run


def number_lines(
    now: Figures, then: Figures | None, restated: float | None, sparks: Mapping[str, tuple[float | None, ...]]
) -> list[NumberLine]:
    """A line a measure."""
    return [number_line(one, restated if one.key == "accuracy" else None, sparks) for one in moves(then, now)]


def number_line(
    one: Moved, restated: float | None, sparks: Mapping[str, tuple[float | None, ...]] | None = None
) -> NumberLine:
    again = ""
    if restated is not None and one.then is not None and value(one, restated) != value(one, one.then):
        again = f"restated {value(one, restated)}"
    return NumberLine(
        one.key,
        f"{one.name}, {one.metric}" if one.metric and one.metric != one.name else one.name,
        one.detail,
        value(one, one.then),
        again,
        value(one, one.now),
        change_words(one),
        one.tone,
        (sparks or {}).get(one.key, ()),
    )


def value(one: Moved, number: float | None) -> str:
    """A measure as it is written everywhere."""
    if number is None:
        return words.NONE
    if one.key == "served":
        return f"≈ {words.compact(number)}" if number else "0"
    if one.key == "mails":
        return f"{number:,.0f}"
    return words.metric_value(number, one.metric)


def change_words(one: Moved) -> str:
    """`+0.8 %` for a metric, `+0.64` for drift, `+6,700` for counts; empty where one side is not known."""
    if one.change is None:
        return ""
    if one.key == "accuracy" and one.share is not None:
        return words.percent(one.share, 1, sign=True)
    if one.key == "drift":
        return words.number(one.change, 2, sign=True)
    return words.number(float(f"{one.change:.3g}"), 0, sign=True)


def days_between(review: Review) -> int:
    """Whole days since the last review."""
    return max(1, (review.known_at - review.since).days)


def when(text: str | None, zone: tzinfo, now: datetime) -> str:
    """A moment of a record in the reader's time."""
    return words.stamp(parse_time(text), zone, now)
