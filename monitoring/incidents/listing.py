"""Incidents as lists need them: narrowed, counted, and worst first by consequence, in the database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import Case, Count, F, FloatField, Q, QuerySet, Value, When
from django.db.models.expressions import RawSQL
from django.db.models.functions import Log

from monitoring.incidents.past import was_open, was_resolved
from monitoring.models import Area, Incident, IncidentKind, Source, Watched
from monitoring.models.incidents import IncidentQuerySet


class Show(StrEnum):
    """Which incidents a list shows."""

    OPEN = "open"
    MINE = "mine"
    UNANSWERED = "unanswered"
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What a list is narrowed by; empty = not."""

    show: Show = Show.OPEN
    search: str = ""
    area: str = ""
    watched_id: int | None = None


#: So many deployments are looked for by their keys.
FEW = 200
#: Weeks since an incident was opened, four at most: the time that it may have gone unanswered.
_WEEKS = "least(4, greatest(0, extract(epoch FROM %s::timestamptz - monitoring_incident.opened_at)) / 604800)"


def of_teams(team_ids: Iterable[int]) -> IncidentQuerySet:
    """Everything of the teams that a list shows at its top level: members of a fleet incident stand below it."""
    return Incident.objects.filter(team__in=list(team_ids)).roots()


def narrowed(
    rows: IncidentQuerySet, by: Narrowed, user_id: int, now: datetime, as_of: datetime | None = None
) -> IncidentQuerySet:
    """The rows that a list asks for, in its order: open ones by consequence, resolved ones newest first.

    Of the past there are two lists, what was open then and what had been resolved by then.
    """
    found = rows.filter(_state(by.show, user_id, now) if as_of is None else _state_then(by.show, as_of))
    if by.search:
        found = found.filter(_named(by.search))
    if by.area in Area.values:
        found = found.filter(area=by.area)
    if by.watched_id is not None:
        found = found.filter(_about([by.watched_id]))
    return found.order_by("-resolved_at", "-pk") if by.show is Show.RESOLVED else worst_first(found, now)


def _named(search: str) -> Q:
    """About a deployment, or a silent source, whose name holds the text: two statements here, three where few names do.

    The few names are looked through once, and the many incidents by keys. Where few were found these are listed, so
    that the index by deployment gives the rows; where many were, the list is read in its order until a page is full.
    """
    named = Watched.objects.filter(label__icontains=search)
    found = list(named.values_list("pk", flat=True)[: FEW + 1])
    about = _about(found if len(found) <= FEW else named)
    sources = list(Source.objects.filter(name__icontains=search).values_list("pk", flat=True)[:FEW])
    return about | Q(source__in=sources, kind=IncidentKind.SOURCE) if sources else about


def _about(of: list[int] | QuerySet[Watched]) -> Q:
    """Of these deployments, or with one of them among its members."""
    members = Incident.objects.filter(parent__isnull=False, watched__in=of).order_by().values("parent")
    few = isinstance(of, list)
    return Q(watched__in=of) | Q(pk__in={row["parent"] for row in members} if few else members)


def worst_first(rows: IncidentQuerySet, now: datetime) -> IncidentQuerySet:
    """Severity (of status and importance) × predictions affected × time unanswered, as in a review's agenda.

    Predictions count by their order of magnitude; what somebody has answered, or has been snoozed, waits no more.
    """
    waiting = RawSQL(_WEEKS, (now,), output_field=FloatField())  # noqa: S611 - a constant
    answered = Q(acknowledged_at__isnull=False) | Q(assignee__isnull=False) | Q(snoozed_until__gt=now)
    unanswered = Case(When(answered, then=Value(0.0)), default=waiting, output_field=FloatField())
    reach = Value(1.0) + Log(Value(10.0), Value(1.0) + F("predictions_affected"))
    weight = F("severity") * reach * (Value(1.0) + unanswered)
    return rows.annotate(consequence=weight).order_by("-consequence", "opened_at", "pk")


def counts(rows: IncidentQuerySet, user_id: int, now: datetime) -> dict[Show, int]:
    """How many each list would show: two statements, as the few open ones and the many others have an index each."""
    asked = {show.value: Count("pk", filter=_state(show, user_id, now)) for show in Show if show is not Show.RESOLVED}
    found = rows.filter(_state(Show.OPEN, user_id, now)).order_by().aggregate(**asked)
    found[Show.RESOLVED.value] = rows.filter(_state(Show.RESOLVED, user_id, now)).count()
    return {show: found[show.value] for show in Show}


def counts_then(rows: IncidentQuerySet, as_of: datetime) -> dict[Show, int]:
    """How many were open, and how many had been resolved: one statement."""
    asked = {show.value: Count("pk", filter=_state_then(show, as_of)) for show in (Show.OPEN, Show.RESOLVED)}
    found = rows.order_by().aggregate(**asked)
    return {Show(name): n for name, n in found.items()}


def _state_then(show: Show, as_of: datetime) -> Q:
    return was_resolved(as_of) if show is Show.RESOLVED else was_open(as_of)


def _state(show: Show, user_id: int, now: datetime) -> Q:
    is_open, snoozed = Q(resolved_at__isnull=True), Q(snoozed_until__gt=now)
    return {
        Show.OPEN: is_open,
        Show.MINE: is_open & Q(assignee=user_id),
        Show.UNANSWERED: is_open & ~snoozed & Q(acknowledged_at__isnull=True, assignee__isnull=True),
        Show.ACKNOWLEDGED: is_open & ~snoozed & (Q(acknowledged_at__isnull=False) | Q(assignee__isnull=False)),
        Show.SNOOZED: is_open & snoozed,
        Show.RESOLVED: ~is_open,
    }[show]
