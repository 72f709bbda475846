"""The fleet: every deployment of the reader's teams, worst first, one by one or in groups."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils import timezone

from dashboard.as_of import as_of
from dashboard.first_run import Step, step_of
from dashboard.fleet import HEADS, chips, pager, rows
from dashboard.narrowing import EVERYTHING, KEPT, Asked, asked, link
from dashboard.pages import page, part, render
from dashboard.reader import PageRequest, Reader
from dashboard.saved import opening, shelf
from dashboard.sentences import fleet_headline, fleet_note, news
from dashboard.views.bell import hears_of
from monitoring.bulk import BULKS, BulkAct
from monitoring.fleet import LACKING, ORDERS, Filters, FleetPage, fleet, left_out, listed, narrow, wanted
from monitoring.groups import Group, Grouping, Groups, groups, plain_groups
from monitoring.models import CORE_AREAS, Importance, Status, Transition
from monitoring.past import fleet_then, groups_then

ORDER_WORDS = {
    "worst": "worst first",
    "label": "name",
    "-label": "name, Z to A",
    "activity": "most predictions",
    "last": "last seen",
    "age": "oldest model",
}
GROUP_WORDS = {
    Grouping.TEAM: "team",
    Grouping.TAG: "tag",
    Grouping.OWNER: "owner",
    Grouping.IMPORTANCE: "importance",
    Grouping.SOURCE: "source",
    Grouping.TYPE: "kind of target",
}
ROWS = 30
CHOICES = 40


@page
def show(request: PageRequest) -> HttpResponse:
    """The whole page, or with htmx and for live updates only its list."""
    if not request.reader.memberships and step_of(request.reader) is not Step.DONE:
        return redirect("setup")
    if not request.GET and not request.htmx and (own := opening(request.reader)):
        return redirect(f"{request.path}?{own}")
    now, reader = timezone.now(), request.reader
    by = asked(request.GET, now, reader.zone, reader.user.pk)
    found = page_of(reader, by, now)
    context = {
        "nav": "fleet",
        "now": now,
        "page": found,
        "filters": by.filters,
        **(_groups(found, by, request.GET) if by.group else _rows(found, request, now, by.as_of)),
        "as_of": as_of(request.GET, by.as_of, now, reader),
        "stamp": by.as_of.isoformat() if by.as_of else "",
        "chips": chips(found, request.GET, by.filters),
        "order": by.order,
        "order_words": ORDER_WORDS[by.order],
        "orders": [(name, ORDER_WORDS[name], link(request.GET, order=name)) for name in ORDERS],
        "group_word": GROUP_WORDS[by.group] if by.group else "",
        "groupings": _groupings(request.GET, by),
        "headline": _headline(found, by),
        "note": fleet_note(found.served_while_failing, news(_recent(reader, by.as_of or now))),
        "narrowed": by.narrowed,
        "away": 0 if found.total or by.narrowed or by.as_of else left_out(found.sources).count(),
        "chosen": chosen(by.filters, found, request.GET),
        "everything": EVERYTHING,
        "query": request.GET.urlencode(),
        "kept": [(name, request.GET[name]) for name in KEPT if name != "q" and request.GET.get(name)],
    }
    if request.htmx:
        return part(request, "dashboard/_fleet.html", context)
    return render(request, "dashboard/fleet.html", context | shelf(reader, request.GET), neighbours=False)


@page
def group_rows(request: PageRequest) -> HttpResponse:
    """The worst deployments of one group, for when it is opened."""
    now = timezone.now()
    by = asked(request.GET, now, request.reader.zone, request.reader.user.pk)
    reader = request.reader
    found = page_of(reader, Asked(by.filters, by.order, as_of=by.as_of), now)
    shown = _rows(found, request, now, by.as_of)
    stamp = by.as_of.isoformat() if by.as_of else ""
    context = {"now": now, "page": found, "more": link(request.GET, group=""), "stamp": stamp, **shown}
    return part(request, "dashboard/_fleet_rows.html", context)


@page
def choices(request: PageRequest) -> HttpResponse:
    """What the fleet can be narrowed by: tags, owners, kinds, teams, importance, sources, with how many there are."""
    everything = listed(request.reader.every_source)
    plain = plain_groups(everything)
    lists = []
    for by in (Grouping.IMPORTANCE, Grouping.TAG, Grouping.OWNER, Grouping.TYPE, Grouping.TEAM, Grouping.SOURCE):
        found = plain[by] if by in plain else groups(everything, by)
        named = [one for one in found.shown if one.key or by.value in LACKING]
        if len(named) > 1 or by is Grouping.TAG:
            shown = sorted(named, key=lambda one: -one.size)[:CHOICES]
            lists.append((GROUP_WORDS[by], [(one, _only(request.GET, one)) for one in shown], found.total - len(shown)))
    return part(request, "dashboard/_fleet_choices.html", {"lists": lists, "everything": EVERYTHING})


def page_of(reader: Reader, by: Asked, now: datetime) -> FleetPage:
    """The fleet now, or as it was known."""
    if by.as_of is not None:
        return fleet_then(
            reader.team_ids, by.filters, by.order, by.page, then=by.as_of, size=ROWS, viewer=reader.user.pk
        )
    return _now(reader, by, now, 0 if by.group else ROWS)


def _now(reader: Reader, by: Asked, now: datetime, size: int) -> FleetPage:
    """The fleet now, with what the request knows already."""
    return fleet(
        reader.team_ids,
        by.filters,
        by.order,
        by.page,
        now=now,
        size=size,
        viewer=reader.user.pk,
        sources=reader.every_source,
        whole=reader.standing,
    )


def _rows(found: FleetPage, request: PageRequest, now: datetime, then: datetime | None = None) -> dict[str, Any]:
    return {
        "rows": rows(found, request.reader.zone, then or now, then),
        "heard": heard(found, request.reader),
        "heads": [(HEADS[area], f"{area.label} status") for area in CORE_AREAS],
        "pager": pager(found, request.GET),
        "bulks": [one for one in BULKS.values() if _offered(one, found)],
    }


def _offered(act: BulkAct, found: FleetPage) -> bool:
    """Watching again is offered where something is left unwatched, everything else where it is not."""
    away = any(row.watched.left_out_at is not None for row in found.rows)
    return away == (act.slug == "watch_again")


def _groups(found: FleetPage, by: Asked, query: QueryDict) -> dict[str, Any]:
    """The groups of what the filters leave, the chosen statuses among them."""
    assert by.group is not None
    if by.as_of is not None:
        made = groups_then(found.sources, by.filters, by.group, by.as_of)
        return _shown(made, query)
    narrowed = narrow(wanted(found.sources, by.filters), by.filters)
    if by.filters.statuses:
        narrowed = narrowed.filter(worst__in=by.filters.statuses)
    return _shown(groups(narrowed, by.group), query)


def _shown(made: Groups, query: QueryDict) -> dict[str, Any]:
    return {
        "groups": [(one, link(query, group="", **_filter(one))) for one in made.shown],
        "groups_left_out": made.total - len(made.shown),
    }


def _filter(one: Group) -> dict[str, str]:
    return {one.by.value: one.key, "lacking": ""} if one.key else {one.by.value: "", "lacking": one.by.value}


def _only(query: QueryDict, one: Group) -> str:
    return link(query, **_filter(one))


def _groupings(query: QueryDict, by: Asked) -> list[tuple[str, str, bool]]:
    each = [(GROUP_WORDS[one], link(query, group=one.value), by.group is one) for one in Grouping]
    return [("none", link(query, group=""), by.group is None), *each]


def chosen(filters: Filters, found: FleetPage, query: QueryDict) -> list[tuple[str, str]]:
    """(words, address without it) of every filter but status and search, which show themselves."""
    teams = {source.team_id: source.team.name for source in found.sources}
    sources = {source.pk: source.name for source in found.sources}
    named = [
        ("importance", [str(Importance(one).label) for one in filters.importances]),
        ("source", [sources[pk] for pk in filters.sources if pk in sources]),
        ("type", list(filters.target_types)),
        ("tag", list(filters.tags)),
        ("team", [teams[pk] for pk in filters.teams if pk in teams]),
        ("owner", list(filters.owners)),
        ("lacking", [f"no {name}" for name in filters.lacking]),
        ("starred", ["starred"] if filters.starred_by else []),
        ("unwatched", ["left unwatched"] if filters.left_out else []),
        *((area, [f"{area.replace('_', ' ')} {Status(status).label.lower()}"]) for area, status in filters.areas),
    ]
    return [(" or ".join(values), link(query, **{name: ""})) for name, values in named if values]


def _headline(found: FleetPage, by: Asked) -> str:
    narrowed = by.filters != Filters(statuses=by.filters.statuses)
    return fleet_headline(found.counts, found.all_count, narrowed=narrowed)


def heard(found: FleetPage, reader: Reader) -> set[int]:
    """The listed deployments that the person hears of."""
    wants = {membership.team_id: membership.wants_mail for membership in reader.memberships}
    return {
        row.watched.pk for row in found.rows if hears_of(row.wish, wants=wants.get(row.watched.source.team_id, False))
    }


def _recent(reader: Reader, now: datetime) -> Sequence[Transition]:
    """What became worse in the last day."""
    found = Transition.objects.filter(
        watched__source__team__in=reader.team_ids,
        at__gte=now - timedelta(hours=24),
        at__lte=now,
        reconstructed=False,
        new__in=[Status.FAILING, Status.UNAVAILABLE],
    )
    return list(found.select_related("watched").only("area", "new", "watched__label").order_by("-at")[:20])
