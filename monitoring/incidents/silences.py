"""When a silence holds and what it covers. The first half is pure; times of recurring ones are wall-clock times."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dateutil.rrule import rrulestr
from django.db import transaction

from monitoring.models import Incident, SettingsChange, Silence, SilenceKind, Watched

#: No silence is for ever: a plain one lasts at most a month, a series of maintenance windows at most about a year.
LONGEST = {SilenceKind.SILENCE: timedelta(days=30), SilenceKind.MAINTENANCE: timedelta(days=366)}
#: One window of a series.
LONGEST_WINDOW = timedelta(days=7)
_FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_KNOWN = frozenset({"FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "WKST"})


#: What the audit list tells of a silence.
TOLD = ("kind", "source", "watched", "tag", "area", "reason", "starts_at", "ends_at", "rule", "minutes", "time_zone")


class BadSilence(ValueError):
    """Something that a silence cannot be; `field` names the form field at fault."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Span:
    """A period, half-open."""

    start: datetime
    end: datetime


def check(silence: Silence) -> None:
    """Raises BadSilence for what may not be saved: no end, too long an end, an unknown zone, an odd rule, no reason."""
    if not silence.reason.strip():
        raise BadSilence("reason", "Say why.")
    length = silence.ends_at - silence.starts_at
    if length <= timedelta(0):
        raise BadSilence("ends_at", "The end lies after the start.")
    longest = LONGEST[SilenceKind(silence.kind)]
    if length > longest:
        raise BadSilence("ends_at", f"At most {longest.days} days from start to end.")
    try:
        ZoneInfo(silence.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise BadSilence("time_zone", f"{silence.time_zone!r} is no time zone.") from None
    if silence.rule:
        check_rule(silence.rule)
        if not timedelta(0) < timedelta(minutes=silence.minutes) <= LONGEST_WINDOW:
            raise BadSilence("minutes", f"Each window lasts between a minute and {LONGEST_WINDOW.days} days.")


def check_rule(rule: str) -> None:
    """Raises BadSilence unless it is a recurrence by day, week, month or year, which is all that windows need."""
    parts = dict(part.partition("=")[::2] for part in rule.upper().split(";"))
    if parts.get("FREQ") not in _FREQUENCIES:
        raise BadSilence("rule", f"FREQ is one of {', '.join(_FREQUENCIES)}.")
    if unknown := sorted(set(parts) - _KNOWN):
        raise BadSilence("rule", f"{unknown[0]} cannot be used here; the end is the silence's own.")
    try:
        rrulestr(rule, dtstart=datetime(2024, 1, 1))  # noqa: DTZ001 - wall-clock time
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise BadSilence("rule", f"Not a recurrence rule: {error}.") from None


def spans(silence: Silence, start: datetime, end: datetime) -> list[Span]:
    """The periods in which it holds, as far as they touch [start, end), oldest first; cut off at its end."""
    ends = min(silence.ends_at, silence.cancelled_at) if silence.cancelled_at is not None else silence.ends_at
    if not silence.rule:
        whole = [Span(silence.starts_at, ends)]
    else:
        zone, length = ZoneInfo(silence.time_zone), timedelta(minutes=silence.minutes)
        first = silence.starts_at.astimezone(zone).replace(tzinfo=None)
        rule = rrulestr(silence.rule, dtstart=first)
        after = (start - length).astimezone(zone).replace(tzinfo=None) - timedelta(hours=3)
        before = min(end, ends).astimezone(zone).replace(tzinfo=None) + timedelta(hours=3)
        begins = [moment.replace(tzinfo=zone) for moment in rule.between(after, before, inc=True)]
        whole = [
            Span(at, min(at + length, ends)) for begin in begins if (at := begin.astimezone(UTC)) >= silence.starts_at
        ]
    return [span for span in whole if span.start < span.end and span.start < end and span.end > start]


def holds_until(silence: Silence, now: datetime) -> datetime | None:
    """The end of the period that holds now; None if none does."""
    found = spans(silence, now, now + timedelta(microseconds=1))
    return max((span.end for span in found), default=None)


def covers(silence: Silence, watched: Watched | None, source_id: int | None, area: str) -> bool:
    """Whether the incident of this deployment (None: of the source) and area lies in its scope."""
    if silence.source_id is not None and silence.source_id != source_id:
        return False
    if silence.area and silence.area != area:
        return False
    if silence.watched_id is None and not silence.tag:
        return True
    if watched is None or (silence.watched_id is not None and silence.watched_id != watched.pk):
        return False
    return not silence.tag or _has_tag(watched, silence.tag)


def _has_tag(watched: Watched, wanted: str) -> bool:
    """`name` is met by any value, `name=value` by that one."""
    name, _, value = wanted.partition("=")
    tags = watched.tags if isinstance(watched.tags, list) else []
    return any(
        isinstance(tag, dict) and tag.get("name") == name and (not value or str(tag.get("value")) == value)
        for tag in tags
    )


@dataclass(frozen=True, slots=True)
class Holding:
    """A silence that holds now, and until when."""

    silence: Silence
    until: datetime


def holding(silences: Iterable[Silence], now: datetime) -> list[Holding]:
    """Those that hold now."""
    return [Holding(one, until) for one in silences if (until := holds_until(one, now)) is not None]


def over(found: Sequence[Holding], watched: Watched | None, source_id: int | None, area: str) -> Holding | None:
    """The one that holds longest over a deployment's area; None if none covers it."""
    fitting = [one for one in found if covers(one.silence, watched, source_id, area)]
    return max(fitting, key=lambda one: one.until, default=None)


# --- Rows ---------------------------------------------------------------------------------------------------------


def of_team(team_id: int, now: datetime) -> list[Silence]:
    """Those of a team that may hold now: one statement."""
    return list(Silence.objects.filter(team=team_id, starts_at__lte=now, ends_at__gt=now, cancelled_at__isnull=True))


def cancel(silence: Silence, person: Any, now: datetime) -> bool:
    """Ends it now; what it held back is told at the next look, if it still holds."""
    with transaction.atomic():
        done = Silence.objects.filter(pk=silence.pk, cancelled_at__isnull=True, ends_at__gt=now)
        changed = bool(done.update(cancelled_at=now, cancelled_by=person))
        if changed:
            Incident.objects.open().filter(team=silence.team_id).update(check_at=now)
            held = SettingsChange.objects.filter(watched__source__team=silence.team_id, handled_at=None)
            held.filter(held_until__gt=now).update(held_until=now)
    silence.refresh_from_db()
    return changed
