"""How a team stands over a period: what a digest and a hand-over note are made of, worst first. A few statements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import F, Window
from django.db.models.functions import RowNumber

from metrics.wording import duration, plural
from monitoring.incidents.actions import name_of
from monitoring.mail.look import TONES
from monitoring.mail.words import area_words, incident_url, when
from monitoring.models import (
    EventKind,
    HealthDay,
    Incident,
    IncidentEvent,
    IncidentKind,
    SettingsChange,
    Silence,
    Status,
    Watched,
)

LISTED = 25
STRIP = 14
NOTES = 2
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Line:
    """One incident: its place in the list, and its days as a strip, oldest first, "" where nothing is known."""

    incident: Incident
    notes: Sequence[str]
    strip: Sequence[str]


@dataclass(frozen=True, slots=True)
class Bulletin:
    """Open ones worst first, at most LISTED, and how many they are; what ended in the period, and what was loosened;
    silences that end in the next day.
    """

    start: datetime
    end: datetime
    open: Sequence[Line]
    open_count: int
    resolved: Sequence[Incident]
    silences: Sequence[Silence]
    loosened: Sequence[SettingsChange]
    opened: int
    deployments: int
    failing: int
    at_risk: int

    @property
    def is_empty(self) -> bool:
        """Nothing is open, and nothing happened."""
        return not self.open and not self.resolved and not self.loosened

    @property
    def more(self) -> int:
        """How many are open and not listed."""
        return self.open_count - len(self.open)

    @property
    def worst(self) -> Status:
        """The bar of the mail: the worst that is open."""
        statuses = {line.incident.status for line in self.open}
        return next((one for one in (Status.FAILING, Status.WARNING) if one in statuses), Status.PASSING)

    @property
    def summary(self) -> str:
        """`2 of 16 deployments failing, 1 at risk; 3 incidents opened, 1 resolved.`"""
        news = f"{plural(self.opened, 'incident')} opened, {len(self.resolved)} resolved"
        return f"{self.failing} of {plural(self.deployments, 'deployment')} failing, {self.at_risk} at risk; {news}."


def gather(team_id: int, start: datetime, end: datetime, *, without: frozenset[int] = frozenset()) -> Bulletin:
    """The team's state at `end` and what happened since `start`; deployments in `without` are left out."""
    incidents = Incident.objects.filter(team=team_id, reconstructed=False).exclude(watched__in=without)
    with_all = incidents.select_related("watched", "source", "assignee", "acknowledged_by", "snoozed_by")
    rows = list(with_all.open().roots().worst_first()[:LISTED])
    listed = Watched.objects.filter(source__team=team_id, gone_at__isnull=True).exclude(pk__in=without)
    worst = list(listed.values_list("worst", flat=True))
    silences = Silence.objects.filter(team=team_id, cancelled_at=None, ends_at__gt=end, ends_at__lte=end + _DAY)
    return Bulletin(
        start=start,
        end=end,
        open=_lines(rows, end),
        open_count=incidents.open().roots().count(),
        resolved=list(with_all.roots().filter(resolved_at__gt=start, resolved_at__lte=end).order_by("-severity", "pk")),
        silences=list(silences.select_related("owner", "watched", "source")),
        loosened=_loosened(team_id, start, end, without),
        opened=incidents.roots().filter(opened_at__gt=start, opened_at__lte=end).count(),
        deployments=len(worst),
        failing=worst.count(Status.FAILING),
        at_risk=worst.count(Status.WARNING),
    )


def _loosened(team_id: int, start: datetime, end: datetime, without: frozenset[int]) -> list[SettingsChange]:
    """Changes of settings that let more pass, newest first."""
    rows = SettingsChange.objects.filter(watched__source__team=team_id, seen_at__gt=start, seen_at__lte=end)
    rows = rows.exclude(loosens="").exclude(watched__in=without).select_related("watched", "by")
    return list(rows.order_by("-seen_at", "-pk")[:LISTED])


def _lines(rows: Sequence[Incident], end: datetime) -> list[Line]:
    notes: dict[int, list[str]] = {row.pk: [] for row in rows}
    newest = Window(RowNumber(), partition_by=F("incident"), order_by=F("at").desc())
    told = IncidentEvent.objects.filter(incident__in=rows, kind=EventKind.NOTE).annotate(number=newest)
    for event in told.filter(number__lte=NOTES).select_related("by").order_by("number"):
        notes[event.incident_id].append(f"{name_of(event.by)}: {event.text}")
    first = end.date() - (STRIP - 1) * _DAY
    days = HealthDay.objects.filter(watched__in=[row.watched_id for row in rows], day__gte=first, day__lte=end.date())
    known = {(one.watched_id, one.area, one.day): one.status for one in days}
    dates = [first + number * _DAY for number in range(STRIP)]
    return [
        Line(row, notes[row.pk], [known.get((row.watched_id or 0, row.area, day), "") for day in dates]) for row in rows
    ]


def open_rows(bulletin: Bulletin, zone: ZoneInfo) -> list[dict[str, Any]]:
    """The open incidents as templates show them."""
    return [
        {
            "label": label_of(line.incident),
            "status": Status(line.incident.status),
            "tone": TONES[Status(line.incident.status)],
            "reason": line.incident.reason,
            "since": f"Since {when(line.incident.began_at, zone)} ({duration(bulletin.end - line.incident.began_at)})."
            + _in_hand(line.incident, bulletin.end, zone),
            "url": incident_url(line.incident),
            "notes": line.notes,
            "strip": [(TONES[Status(one)].mark if one else "#E8E7E3", one) for one in line.strip],
            "strip_words": _strip_words(line.strip),
        }
        for line in bulletin.open
    ]


def resolved_rows(bulletin: Bulletin, zone: ZoneInfo) -> list[dict[str, Any]]:
    """What ended, as templates show it."""
    rows = []
    for incident in bulletin.resolved[:LISTED]:
        assert incident.resolved_at is not None
        rows.append(
            {
                "label": label_of(incident),
                "status": Status.PASSING,
                "tone": TONES[Status.PASSING],
                "reason": f"well again {when(incident.resolved_at, zone)}, "
                f"after {duration(incident.resolved_at - incident.began_at)}.",
                "since": "",
                "url": incident_url(incident),
            }
        )
    return rows


def label_of(incident: Incident) -> str:
    """`Loan default, accuracy`; for a fleet incident or a source what it is about."""
    if incident.kind == IncidentKind.SOURCE:
        return f"Source {incident.source.name if incident.source is not None else '–'}"
    if incident.watched is None:
        return "Several deployments, one cause"
    return f"{incident.watched.label}, {area_words(incident.area)}"


def silence_words(silence: Silence, zone: ZoneInfo) -> str:
    """`Loan default: release, by Ines, ends Tue 2 Jul 10:00`."""
    covers = "the whole team"
    if silence.watched is not None:
        covers = silence.watched.label
    elif silence.source is not None:
        covers = f"source {silence.source.name}"
    elif silence.tag:
        covers = f"deployments with the tag {silence.tag}"
    if silence.area:
        covers += f", {area_words(silence.area)}"
    return f"{covers}: {silence.reason}, by {name_of(silence.owner)}, ends {when(silence.ends_at, zone)}"


def loosened_words(change: SettingsChange, zone: ZoneInfo) -> str:
    """`Loan default: A feature has drifted above: 0.3 instead of 0.15. By Ines, Tue 2 Jul 10:00.`"""
    who = f"By {name_of(change.by)}" if change.by is not None else "Changed at the source, seen"
    held = f" {change.outcome}, until {when(change.held_until, zone)}." if change.held_until is not None else ""
    return f"{change.watched.label}: {change.words} {who}, {when(change.seen_at, zone)}.{held}"


def _in_hand(incident: Incident, now: datetime, zone: ZoneInfo) -> str:
    if incident.snoozed_until is not None and incident.is_snoozed(now):
        return f" Snoozed until {when(incident.snoozed_until, zone)}."
    if incident.assignee is not None:
        return f" With {name_of(incident.assignee)}."
    if incident.acknowledged_at is not None:
        return f" Acknowledged by {name_of(incident.acknowledged_by)}."
    return " Nobody has answered."


def _strip_words(strip: Sequence[str]) -> str:
    failing, at_risk = strip.count(Status.FAILING), strip.count(Status.WARNING)
    return f"{len(strip)} d: {failing} failing, {at_risk} at risk"
