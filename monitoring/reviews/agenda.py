"""What a review should talk about: rows about each deployment in, an agenda worst first out. Pure.

A deployment is on the agenda for *reasons*; one without any is calm and only counted. What a meeting has accepted as it
is does not come back until it changes: such a reason carries the key under which it was accepted.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from metrics.wording import duration, percent
from monitoring.models import AgendaSection, Area, Importance, Status
from monitoring.reviews.facts import AreaNow, DayValue, Facts

#: A silence that ends within this time is talked about before it does.
SOON = timedelta(days=8)
#: Incidents of one area within `LOOK_BACK` from which on they count as repeated.
REPEATED, LOOK_BACK = 3, timedelta(days=30)
#: How many of the worst trends are talked about, and from which change on: a share of the value before.
TRENDS, TREND_SHARE, TREND_DAYS = 5, 0.05, 3
_TROUBLE = frozenset({Status.WARNING, Status.FAILING})
_WEIGHTS = {Importance.CRITICAL: 4.0, Importance.HIGH: 3.0, Importance.MODERATE: 2.0, Importance.LOW: 1.0}


class Why(StrEnum):
    """Kinds of reasons, in the order in which a deployment's own are listed."""

    INCIDENT = "incident"
    WORSE = "worse"
    STILL = "still"
    STALE = "stale"
    CARRIED = "carried"
    REPEATED = "repeated"
    TREND = "trend"
    REPLACED = "replaced"
    SETTINGS = "settings"
    SILENCE = "silence"
    BETTER = "better"
    BLIND = "blind"
    NEVER_OPENED = "never_opened"


#: What a reason weighs where the verdict itself is calm, on the scale of `Status.severity`.
_WEIGHT = {
    Why.INCIDENT: 4.0,
    Why.WORSE: 4.0,
    Why.STILL: 3.5,
    Why.STALE: 3.0,
    Why.CARRIED: 2.5,
    Why.REPEATED: 2.5,
    Why.TREND: 2.0,
    Why.REPLACED: 1.5,
    Why.SETTINGS: 1.2,
    Why.SILENCE: 1.2,
    Why.BETTER: 1.0,
    Why.BLIND: 0.5,
    Why.NEVER_OPENED: 0.3,
}
_BLIND = frozenset({Why.BLIND, Why.NEVER_OPENED})
#: Reasons that stand until something changes: once accepted they are not brought up again.
_STANDING = frozenset({Why.INCIDENT, Why.STILL, Why.BLIND, Why.NEVER_OPENED, Why.SILENCE})


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a deployment is on the agenda. `key` names the same reason in the next review."""

    why: Why
    text: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One deployment on the agenda; the first reason is the one that a list shows."""

    facts: Facts
    reasons: tuple[Reason, ...]
    consequence: float
    section: AgendaSection


@dataclass(frozen=True, slots=True)
class Agenda:
    """To discuss and not watched, worst first each; `calm` by name."""

    entries: tuple[Entry, ...]
    calm: tuple[Facts, ...]


def agenda(facts: Iterable[Facts], since: datetime, now: datetime) -> Agenda:
    """The agenda of a meeting at `now` that looks back to `since`."""
    everything = list(facts)
    trends = worst_trends(everything, since)
    entries, calm = [], []
    for one in everything:
        reasons = _reasons(one, since, now, trends.get(one.watched_id))
        if reasons:
            entries.append(_entry(one, reasons, now))
        else:
            calm.append(one)
    order = list(AgendaSection)
    entries.sort(
        key=lambda entry: (order.index(entry.section), -entry.consequence, entry.facts.label, entry.facts.watched_id)
    )
    return Agenda(tuple(entries), tuple(sorted(calm, key=lambda one: (-one.worst.severity, one.label))))


def consequence(severity: float, importance: str, predictions_per_day: float | None, unanswered: timedelta) -> float:
    """Severity × importance × predictions affected × time unanswered.

    Predictions count by their order of magnitude and time by the week up to four, so that neither drowns the others.
    """
    weight = _WEIGHTS.get(Importance(importance), 2.0) if importance in Importance.values else 2.0
    reach = 1.0 + math.log10(1.0 + max(0.0, predictions_per_day or 0.0))
    waiting = 1.0 + min(4.0, max(0.0, unanswered / timedelta(days=7)))
    return severity * weight * reach * waiting


def _entry(facts: Facts, reasons: Sequence[Reason], now: datetime) -> Entry:
    listed = tuple(sorted(reasons, key=lambda reason: list(Why).index(reason.why)))
    in_trouble = facts.worst in _TROUBLE
    severity = max(_WEIGHT[reason.why] for reason in listed)
    severity = max(severity, float(facts.worst.severity)) if in_trouble else severity
    waiting = [now - one.opened_at for one in facts.incidents if one.closed_at is None and not one.answered]
    blind = not in_trouble and all(reason.why in _BLIND for reason in listed)
    weight = consequence(severity, facts.importance, facts.predictions_per_day, max(waiting, default=timedelta(0)))
    return Entry(facts, listed, weight, AgendaSection.BLIND if blind else AgendaSection.DISCUSS)


def _reasons(facts: Facts, since: datetime, now: datetime, trend: Reason | None) -> list[Reason]:
    found = [
        *_incidents(facts, now),
        *_verdicts(facts, since, now),
        *_changes(facts, since),
        *_promises(facts, now),
        *_silences(facts, now),
        *_blind_spots(facts),
    ]
    told = {reason.why for reason in found}
    if trend is not None and not told & {Why.WORSE, Why.STILL, Why.INCIDENT}:
        found.append(trend)
    return [one for one in found if not (one.why in _STANDING and one.key in facts.accepted)]


def _incidents(facts: Facts, now: datetime) -> list[Reason]:
    found = []
    for one in facts.incidents:
        if one.closed_at is None:
            by = f", {one.assignee}" if one.assignee else "" if one.answered else ", nobody acknowledged"
            text = f"Incident {one.number} ({_name(one.area)}) open for {_lasting(now - one.opened_at)}{by}"
            found.append(Reason(Why.INCIDENT, text, f"incident:{one.number}"))
    for area in dict.fromkeys(one.area for one in facts.incidents):
        recent = [one for one in facts.incidents if one.area == area and one.opened_at > now - LOOK_BACK]
        if len(recent) >= REPEATED:
            text = f"{len(recent)} incidents of {_name(area)} in {duration(LOOK_BACK)}"
            found.append(Reason(Why.REPEATED, text, f"repeated:{area}:{len(recent)}"))
    return found


def _verdicts(facts: Facts, since: datetime, now: datetime) -> list[Reason]:
    """What got worse or better since the last time, and what simply goes on."""
    found = []
    open_areas = {one.area for one in facts.incidents if one.closed_at is None}
    for area, health in facts.areas.items():
        before = _status_at(health.days, since.date())
        if before is not None and before != health.status and Status.UNAVAILABLE not in (before, health.status):
            worse = health.status.severity > before.severity and health.status in _TROUBLE
            if worse or before in _TROUBLE:
                text = f"{area.label} went from {before.label.lower()} to {health.status.label.lower()}"
                found.append(Reason(Why.WORSE if worse else Why.BETTER, text, f"went:{area}:{before}:{health.status}"))
            continue
        between = [one for one in health.days if one.day > since.date() and one.status in _TROUBLE]
        if health.status in _TROUBLE:
            if area.value not in open_areas:
                found.append(_still(area, health, now))
        elif between:
            worst = max((one.status for one in between), key=lambda status: status.severity)
            text = f"{area.label} was {worst.label.lower()} on {_days(len(between))} in between"
            found.append(Reason(Why.BETTER, text, f"between:{area}"))
    return found


def _still(area: Area, health: AreaNow, now: datetime) -> Reason:
    first = _spell_start(health.days, health.status)
    since = min(filter(None, (health.since, first)), default=None)
    lasting = f" for {_lasting(now - since)}" if since is not None else ""
    return Reason(Why.STILL, f"{area.label} {health.status.label.lower()}{lasting}", f"still:{area}:{health.status}")


def _changes(facts: Facts, since: datetime) -> list[Reason]:
    found = [
        Reason(Why.REPLACED, f"{name or 'A new model'} took over", f"model:{name}:{at.isoformat()}")
        for name, at in facts.models
        if at > since
    ]
    found += [Reason(Why.SETTINGS, text, f"settings:{at.isoformat()}") for text, at in facts.settings if at > since]
    return found


def _promises(facts: Facts, now: datetime) -> list[Reason]:
    found = []
    for one in facts.promises:
        late = (now.date() - one.due_on).days
        when = f"overdue by {_days(late)}" if late > 0 else f"due in {_days(-late)}" if late < 0 else "due today"
        text = f"Promised{f' by {one.owner}' if one.owner else ''}: {one.text} ({when})"
        found.append(Reason(Why.CARRIED, text, f"action:{one.number}"))
    return found


def _silences(facts: Facts, now: datetime) -> list[Reason]:
    return [
        Reason(
            Why.SILENCE,
            f"Silence ends in {_lasting(one.ends_at - now)}{f' ({one.reason})' if one.reason else ''}",
            f"silence:{one.number}",
        )
        for one in facts.silences
        if now < one.ends_at <= now + SOON
    ]


def _blind_spots(facts: Facts) -> list[Reason]:
    found = [Reason(Why.BLIND, spot, f"blind:{spot}") for spot in facts.blind_spots]
    if facts.silent_since is not None:
        found.append(Reason(Why.STALE, "Its source does not answer: what is shown is old", "stale"))
    if facts.visited_at is None:
        found.append(Reason(Why.NEVER_OPENED, "Nobody of the team has opened it", "never_opened"))
    return found


# --- Trends -------------------------------------------------------------------------------------------------------


def worst_trends(facts: Iterable[Facts], since: datetime, most: int = TRENDS) -> dict[int, Reason]:
    """The deployments whose number moved most for the worse, at most `most`, one reason each."""
    ranked = []
    for one in facts:
        moves = [(worsening(area.days, area.better, since), name, area) for name, area in one.areas.items()]
        share, name, area = max(moves, key=lambda move: move[0], default=(0.0, Area.SERVICE, None))
        if area is not None and share > TREND_SHARE:
            way = "up" if area.better < 0 else "down"
            text = f"{name.label}: {area.metric or 'its number'} went {way} by {percent(100 * share)} on average"
            ranked.append((share, one.watched_id, Reason(Why.TREND, text, f"trend:{name}")))
    ranked.sort(key=lambda row: (-row[0], row[1]))
    return {pk: reason for _, pk, reason in ranked[:most]}


def worsening(days: Sequence[DayValue], better: int, since: datetime) -> float:
    """By what share the mean of the days since then is worse than that of as many days before; 0 if it is not.

    Needs `TREND_DAYS` days with a number on either side, and a mean before that is not 0.
    """
    after = [one.value for one in days if one.day >= since.date() and one.value is not None]
    length = max(len(after), TREND_DAYS)
    before = [one.value for one in days if one.day < since.date() and one.value is not None][-length:]
    if min(len(after), len(before)) < TREND_DAYS:
        return 0.0
    then, now = math.fsum(before) / len(before), math.fsum(after) / len(after)
    return max(0.0, -better * (now - then) / abs(then)) if then else 0.0


# --- Days ---------------------------------------------------------------------------------------------------------


def _status_at(days: Sequence[DayValue], day: date) -> Status | None:
    """The verdict of the newest day at or before that one; None where nothing is known that far back."""
    known = [one.status for one in days if one.day <= day]
    return known[-1] if known else None


def _spell_start(days: Sequence[DayValue], status: Status) -> datetime | None:
    """The first day of the newest unbroken run of a verdict."""
    start = None
    for one in reversed(days):
        if one.status != status:
            break
        start = one.day
    return datetime(start.year, start.month, start.day, tzinfo=UTC) if start is not None else None


def _lasting(span: timedelta) -> str:
    """Whole days from two days on, whole hours from two hours on."""
    for unit in (timedelta(days=1), timedelta(hours=1)):
        if span >= 2 * unit:
            return duration(span // unit * unit)
    return duration(span)


def _name(area: str) -> str:
    return Area(area).label.lower() if area in Area.values else area.replace("_", " ")


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"
