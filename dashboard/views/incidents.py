"""Incidents: the list worst first, one of them with its timeline, and what people do about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from dashboard import incidents as told
from dashboard.as_of import as_of, then_of
from dashboard.charts import words
from dashboard.pages import page, render
from dashboard.reader import PageRequest, Reader
from dashboard.reviews.charts import about
from monitoring.incidents import actions, listing
from monitoring.incidents.actions import ActionRefused
from monitoring.incidents.listing import Narrowed, Show
from monitoring.incidents.past import as_known
from monitoring.mail.words import value_and_limit
from monitoring.models import Area, AreaHealth, EventKind, Incident, IncidentEvent, Message, Role

SIZE, MEMBERS, MAILS = 50, 100, 20
WORDS = {
    Show.OPEN: "Open",
    Show.UNANSWERED: "Nobody yet",
    Show.MINE: "Mine",
    Show.ACKNOWLEDGED: "Acknowledged",
    Show.SNOOZED: "Snoozed",
    Show.RESOLVED: "Resolved",
}
SNOOZES = {"4h": timedelta(hours=4), "24h": timedelta(hours=24), "7d": timedelta(days=7)}
RELATED = ("watched__source", "source", "assignee", "acknowledged_by", "snoozed_by", "resolved_by", "team", "parent")


@page
def show_all(request: PageRequest) -> HttpResponse:
    """One list of the six; members of a fleet incident stand below it."""
    now, reader = timezone.now(), request.reader
    by = asked(request.GET)
    everything = listing.of_teams(reader.team_ids)
    then = then_of(request.GET, now, reader)
    counts = listing.counts(everything, reader.user.pk, now) if then is None else listing.counts_then(everything, then)
    number = request.GET.get("page", "1")
    at = max(1, int(number)) if number.isdecimal() and len(number) < 6 else 1
    found = listing.narrowed(everything, by, reader.user.pk, now, then)
    rows = _wide(list(found.values_list("pk", flat=True)[(at - 1) * SIZE : at * SIZE + 1]))
    rows = as_known(rows, then) if then is not None else rows
    members = _members([row.pk for row in rows])
    context = {
        "nav": "incidents",
        "now": now,
        "lines": told.lines(rows[:SIZE], reader.zone, then or now, members),
        "as_of": as_of(request.GET, then, now, reader),
        "stamp": then.isoformat() if then is not None else "",
        "chips": [(show.value, WORDS[show], counts[show]) for show in counts],
        "counts": counts,
        "by": by,
        "areas": Area.choices,
        "headline": headline(counts, then is not None),
        "older": at + 1 if len(rows) > SIZE else None,
        "newer": at - 1 if at > 1 else None,
        "query": "&".join(f"{name}={value}" for name, value in _pairs(request.GET)),
    }
    return render(request, "dashboard/incidents.html", context)


def _wide(keys: list[int]) -> list[Incident]:
    """The rows of a page, in its order: what a list passes over is not joined to all that a row tells of."""
    found = Incident.objects.select_related(*RELATED).in_bulk(keys)
    return [found[pk] for pk in keys if pk in found]


def asked(query: QueryDict) -> Narrowed:
    """The list that an address asks for; what does not exist is left out."""
    show = query.get("show", "")
    area = query.get("area", "")
    watched = query.get("deployment", "")
    return Narrowed(
        Show(show) if show in set(Show) else Show.OPEN,
        query.get("q", "").strip()[:200],
        area if area in Area.values else "",
        int(watched) if watched.isdecimal() and len(watched) < 19 else None,
    )


def _pairs(query: QueryDict) -> list[tuple[str, str]]:
    by = asked(query)
    pairs = [("show", by.show.value), ("area", by.area), ("as_of", query.get("as_of", ""))]
    return [(name, value) for name, value in pairs if value and value != Show.OPEN.value]


def headline(counts: dict[Show, int], past: bool = False) -> str:
    """`3 incidents are open, 2 of them unanswered`."""
    n = counts[Show.OPEN]
    if past:
        return f"{words.count(n, 'incident')} {'was' if n == 1 else 'were'} open" if n else "No incident was open"
    waiting = counts[Show.UNANSWERED]
    if not n:
        return "No incident is open"
    is_open = f"{words.count(n, 'incident')} {'is' if n == 1 else 'are'} open"
    if not waiting:
        return f"{is_open}, answered" if n == 1 else f"{is_open}, all answered"
    return f"{is_open}, {'unanswered' if waiting == n else f'{waiting:,} of them unanswered'}"


@page
def show(request: PageRequest, pk: int) -> HttpResponse:
    """One incident: what, since when, how it was told, what people did; its chart, its members."""
    now, reader = timezone.now(), request.reader
    row, then = incident_or_404(request, pk), then_of(request.GET, now, reader)
    if then is not None and then < row.opened_at:
        raise Http404("It had not been opened by then.")
    if then is not None:
        as_known([row], then)
    role = reader.role_in(row.team_id)
    watched = row.watched
    shown = told.line(row, reader.zone, then or now)
    members = list(row.members.select_related(*RELATED).order_by("resolved_at", "-severity", "pk")[:MEMBERS])
    drawn = about(reader, watched, row.area, row.began_at, now) if watched is not None else None
    present = (
        AreaHealth.objects.filter(watched=watched, area=row.area) if watched is not None and then is None else None
    )
    health = present.first() if present is not None else None
    events = list(row.events.filter(at__lte=then or now).select_related("by").order_by("-at", "-pk"))
    context: dict[str, Any] = {
        "nav": "incidents",
        "now": now,
        "incident": row,
        "line": shown,
        "may_act": role is not None and role.may_act and then is None,
        "may_reopen": actions.may_reopen(row, now),
        "may_share": role is not None and role.may_change,
        "past": then,
        "as_of": as_of(request.GET, then, now, reader),
        "people": people(row.team_id),
        "steps": [told.step(event, row) for event in events],
        "chart": drawn,
        "detected": _detected(row, events),
        "health": health,
        "limit_then": value_and_limit(row.area, row.evidence),
        "limit_now": value_and_limit(row.area, health.evidence) if health is not None else "",
        "others": _others(row, reader, now),
        "member_lines": told.lines(members, reader.zone, now),
        "mails": _mails(row),
        "snoozes": [(name, f"{name[:-1]}\u202f{name[-1]}") for name in SNOOZES],
        "latest": (now + actions.LONGEST_SNOOZE).astimezone(reader.zone).strftime("%Y-%m-%dT%H:%M"),
    }
    return render(request, "dashboard/incident.html", context, around=row.watched_id)


def _detected(row: Incident, events: Sequence[IncidentEvent]) -> told.Step | None:
    """What was seen when it was last opened, where that is no longer what is seen. `events`: newest first."""
    opening = next((one for one in events if one.kind in (EventKind.OPENED, EventKind.REOPENED)), None)
    if opening is None or opening.by_id is not None or not opening.text or opening.text == row.reason:
        return None
    return told.step(opening, row)


def people(team_id: int) -> QuerySet[User]:
    """Whom an incident can be given to."""
    return User.objects.filter(memberships__team=team_id, is_active=True).order_by("first_name", "username")


def _others(row: Incident, reader: Reader, now: datetime) -> list[told.Line]:
    """What else is open at the same deployment."""
    if row.watched_id is None:
        return []
    found = told.open_by_deployment([row.watched_id], reader.zone, now).get(row.watched_id, [])
    return [one for one in found if one.number != row.pk]


def _mails(row: Incident) -> list[Message]:
    """Messages about the incident and, for one of many deployments, about its members."""
    found = Message.objects.filter(Q(incident=row.pk) | Q(incident__parent=row.pk), team=row.team_id)
    return list(found.only("pk", "subject", "recipient", "created_at", "state").order_by("-created_at")[:MAILS])


def _members(ids: list[int]) -> dict[int, int]:
    rows = Incident.objects.filter(parent__in=ids).values_list("parent").annotate(n=Count("pk")).order_by()
    return {pk: n for pk, n in rows if pk is not None}


def incident_or_404(request: PageRequest, pk: int) -> Incident:
    mine = Incident.objects.filter(team__in=request.reader.team_ids, pk=pk)
    found = mine.select_related(*RELATED).first()
    if found is None:
        raise Http404("There is no such incident, or none of your teams.")
    return found


# --- What people do -----------------------------------------------------------------------------------------------


@page
@require_POST
def act(request: PageRequest, pk: int, action: str) -> HttpResponse:
    """One action by a form; a read-only member is refused, bad input is said."""
    row = incident_or_404(request, pk)
    role: Role | None = request.reader.role_in(row.team_id)
    if role is None or not role.may_act:
        raise PermissionDenied("Your role is read only: you may look at incidents, not act on them.")
    step = STEPS.get(action)
    if step is None:
        raise Http404("There is no such action.")
    try:
        done = step(row, request, timezone.now())
    except ActionRefused as refused:
        messages.error(request, str(refused), extra_tags="failing")
    else:
        if done:
            messages.success(request, done, extra_tags="passing")
    back = request.POST.get("back", "")
    safe = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return redirect(back) if back and safe else redirect("incident", pk)


def _acknowledge(row: Incident, request: PageRequest, now: datetime) -> str:
    actions.acknowledge(row, request.reader.user, now, request=request)
    return "Acknowledged: nobody is alarmed further, and reminders come weekly."


def _assign(row: Incident, request: PageRequest, now: datetime) -> str:
    chosen = request.POST.get("assignee", "")
    to = people(row.team_id).filter(pk=int(chosen)).first() if chosen.isdecimal() and len(chosen) < 10 else None
    if chosen and to is None:
        raise ActionRefused("assignee", "An incident can be given to members of its team.")
    actions.assign(row, request.reader.user, now, to=to, request=request)
    return f"Assigned to {told.person(to)}." if to is not None else "Assigned to nobody."


def _note(row: Incident, request: PageRequest, now: datetime) -> str:
    actions.note(row, request.reader.user, now, text=request.POST.get("text", ""), request=request)
    return "Noted."


def _snooze(row: Incident, request: PageRequest, now: datetime) -> str:
    length = request.POST.get("for", "")
    why = request.POST.get("why", "").strip()
    if not why:
        raise ActionRefused("why", "Say why it is snoozed: the team reads it.")
    if length in SNOOZES:
        until: datetime | None = now + SNOOZES[length]
    else:
        until = moment(request.POST.get("until", ""), request.reader)
    if until is None:
        raise ActionRefused("until", "A snooze needs an end: choose a length, or a day and a time.")
    actions.snooze(row, request.reader.user, now, until=until, why=why, request=request)
    return f"Snoozed until {words.stamp(until, request.reader.zone, now)} for the whole team. Polling goes on."


def _unsnooze(row: Incident, request: PageRequest, now: datetime) -> str:
    actions.unsnooze(row, request.reader.user, now, request=request)
    return "The snooze has ended."


def _resolve(row: Incident, request: PageRequest, now: datetime) -> str:
    actions.resolve(row, request.reader.user, now, why=request.POST.get("why", ""), request=request)
    return "Resolved. The same trouble opens it again only if it gets worse, or was gone in between."


def _reopen(row: Incident, request: PageRequest, now: datetime) -> str:
    if not actions.reopen(row, request.reader.user, now, why=request.POST.get("why", ""), request=request):
        return "It was open."
    well = row.recovering_since is not None
    return "Opened again. All is well now: it closes by itself once that has lasted." if well else "Opened again."


def moment(text: str, reader: Reader) -> datetime | None:
    """A time as a form gives it, in the reader's zone; None for none."""
    try:
        found = parse_datetime(text.strip())
    except ValueError:
        return None
    if found is None:
        return None
    return found if found.tzinfo else found.replace(tzinfo=reader.zone)


STEPS: dict[str, Callable[[Incident, PageRequest, datetime], str]] = {
    "acknowledge": _acknowledge,
    "assign": _assign,
    "note": _note,
    "snooze": _snooze,
    "unsnooze": _unsnooze,
    "resolve": _resolve,
    "reopen": _reopen,
}
