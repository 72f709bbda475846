"""Words about snapshots: the one number under a strip, spans, ranges."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, tzinfo

from dashboard.charts import words
from monitoring.fleet import AreaCell
from monitoring.models import Area, Status, Watched

TONES = {Status.FAILING: "failing", Status.WARNING: "warning", Status.PASSING: "passing"}


def area_number(cell: AreaCell, watched: Watched) -> tuple[str, float | None, str]:
    """What stands under a strip: words, a change against the baseline as a share, and its tone."""
    health = watched.area_health(cell.area)
    short = health.get("short") or ""
    change = health.get("percent_change")
    share = change / 100 if isinstance(change, int | float) else None
    if cell.area == Area.ACCURACY and cell.value is not None:
        text = f"{cell.metric} {words.metric_value(cell.value, cell.metric)}"
        return text, share, tone(cell.status, share)
    return str(short), None, ""


def trouble_since(cell: AreaCell, first_seen: datetime) -> tuple[datetime | None, bool]:
    """Since when an area has its verdict, and whether it may be longer still.

    The watcher itself only knows from its first look on; before that the strip, rebuilt from the source's history,
    tells how many whole days in a row had the same verdict.
    """
    if cell.since is None or cell.since - first_seen > timedelta(hours=2):
        return cell.since, False
    first = cell.since.date()
    open_ended = bool(cell.strip)
    for bar in reversed(cell.strip):
        if bar.day >= cell.since.date():
            continue
        if bar.status != cell.status:
            open_ended = False
            break
        first = bar.day
    if first == cell.since.date():
        return cell.since, False
    return datetime.combine(first, time.min, UTC), open_ended


def since_text(cell: AreaCell, first_seen: datetime, zone: tzinfo, now: datetime) -> str:
    """`since Tue 2 Jul 11:00 (23 d)`, `since Sun 25 Oct or before`."""
    moment, longer = trouble_since(cell, first_seen)
    if moment is None:
        return ""
    if moment == cell.since:
        return words.since(moment, zone, now)
    day = words.day(moment, year=now.year)
    return f"since {day} or before" if longer else f"since {day} ({words.duration(now - moment)})"


def tone(status: str, share: float | None) -> str:
    """Colour of a change: the verdict where it is bad, green where it is better, else none."""
    if status in (Status.FAILING, Status.WARNING):
        return TONES[Status(status)]
    return "passing" if share is not None and share > 0.005 else ""


def range_words(start: datetime, end: datetime) -> str:
    """`25 Jun – 24 Jul`, with hours when the range has some."""
    text = words.span_of_days(start, end)
    if (end - start).days < 2:
        return f"{words.day(start)} {words.clock(start)} – {words.day(end)} {words.clock(end)}"
    return text
