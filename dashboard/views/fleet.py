"""The fleet: every deployment of the reader's teams, worst first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from urllib.parse import urlencode

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe

from dashboard.charts import strips
from dashboard.charts.theme import SEVERITY, STATUS_WORDS
from dashboard.first_run import Step, step_of
from dashboard.incidents import Line, open_by_deployment
from dashboard.pages import page, part, render
from dashboard.phrases import area_number, since_text
from dashboard.reader import PageRequest, Reader
from dashboard.sentences import fleet_headline, fleet_note, news
from dashboard.views.bell import hears_of
from monitoring.fleet import ORDERS, AreaCell, Filters, FleetPage, FleetRow, fleet
from monitoring.models import CORE_AREAS, Area, Importance, Status, Subscription, Transition

ORDER_WORDS = {
    "worst": "worst first",
    "label": "name",
    "-label": "name, Z to A",
    "activity": "most predictions",
    "last": "last seen",
    "age": "oldest model",
}
ROWS = 30
HEADS = {Area.SERVICE: "Service, 30\u202fd", Area.DRIFT: "Drift, 30\u202fd", Area.ACCURACY: "Accuracy, 30\u202fd"}


@dataclass(frozen=True)
class Cell:
    """One area of a row, ready to show."""

    status: str
    strip: SafeString
    number: str
    delta: float | None
    tone: str
    title: str


@dataclass(frozen=True)
class Row:
    """One deployment, ready to show."""

    row: FleetRow
    cells: tuple[Cell, ...]
    tall: bool
    group_end: bool
    since: str
    incidents: tuple[Line, ...] = ()

    @property
    def incident(self) -> Line | None:
        """The worst open incident of the deployment."""
        return self.incidents[0] if self.incidents else None

    @property
    def snoozed(self) -> bool:
        """Whether all that is open is snoozed: striped, and still there."""
        return bool(self.incidents) and all(one.snoozed for one in self.incidents)


@dataclass(frozen=True)
class Chip:
    """A filter that can be switched on or off by its link."""

    status: str
    word: str
    n: int
    href: str
    chosen: bool


@page
def show(request: PageRequest) -> HttpResponse:
    """The whole page, or with htmx and for live updates only its list."""
    if not request.reader.memberships and step_of(request.reader) is not Step.DONE:
        return redirect("setup")
    now = timezone.now()
    filters, order, number = asked(request.GET)
    found = fleet(request.reader.team_ids, filters, order, number, now=now, size=ROWS)
    context = {
        "nav": "fleet",
        "now": now,
        "page": found,
        "filters": filters,
        "rows": rows(found, request.reader.zone, now),
        "heard": heard(found, request.reader),
        "heads": [(HEADS[area], f"{area.label} status") for area in CORE_AREAS],
        "chips": chips(found, request.GET),
        "order": order,
        "order_words": ORDER_WORDS[order],
        "orders": [(name, ORDER_WORDS[name], link(request.GET, order=name)) for name in ORDERS],
        "importances": _importances(request.GET, filters),
        "headline": fleet_headline(
            found.counts, found.all_count, narrowed=filters != Filters(statuses=filters.statuses)
        ),
        "note": fleet_note(found.served_while_failing, news(_recent(request.reader, now))),
        "narrowed": filters != Filters(),
        "pager": pager(found, request.GET),
        "query": request.GET.urlencode(),
    }
    if request.htmx:
        return part(request, "dashboard/_fleet.html", context)
    return render(request, "dashboard/fleet.html", context, neighbours=False)


def asked(query: QueryDict) -> tuple[Filters, str, int]:
    """Filters, order and page from the address; what does not exist is left out."""
    areas = tuple(
        (area.value, status) for area in Area for status in _words(query, area.value) if status in Status.values
    )
    filters = Filters(
        search=query.get("q", "").strip()[:200],
        statuses=tuple(s for s in _words(query, "status") if s in Status.values),
        areas=areas,
        importances=tuple(i for i in _words(query, "importance") if i in Importance.values),
        sources=tuple(int(s) for s in _words(query, "source") if s.isdecimal() and len(s) < 10),
        target_types=_words(query, "type"),
        tags=_words(query, "tag"),
    )
    order = query.get("order", "worst")
    number = query.get("page", "1")
    return filters, order if order in ORDERS else "worst", int(number) if number.isdecimal() and len(number) < 7 else 1


def heard(found: FleetPage, reader: Reader) -> set[int]:
    """The listed deployments that the person hears of: one statement."""
    listed = {row.watched.pk: row.watched.source.team_id for row in found.rows}
    wishes = dict(Subscription.objects.filter(user=reader.user, watched__in=listed).values_list("watched", "wish"))
    wants = {membership.team_id: membership.wants_mail for membership in reader.memberships}
    return {pk for pk, team in listed.items() if hears_of(wishes.get(pk, ""), wants=wants.get(team, False))}


def rows(found: FleetPage, zone: tzinfo, now: datetime) -> list[Row]:
    """Rows with their cells; the last of equal severity closes its group."""
    shown = []
    open_ones = open_by_deployment([row.watched.pk for row in found.rows], zone, now) if found.rows else {}
    for i, row in enumerate(found.rows):
        following = found.rows[i + 1].status if i + 1 < len(found.rows) else None
        cells = tuple(_cell(row, cell) for cell in row.cells)
        tall = row.status in (Status.FAILING, Status.WARNING)
        since = since_text(row.lead, row.watched.first_seen_at, zone, now) if row.status is not Status.PASSING else ""
        shown.append(
            Row(
                row,
                cells,
                tall,
                following is not None and following != row.status,
                since,
                tuple(open_ones.get(row.watched.pk, ())),
            )
        )
    return shown


@lru_cache(maxsize=8192)
def strip(statuses: tuple[str, ...]) -> SafeString:
    """The drawn strip. Most deployments of a fleet share a few patterns, so each is drawn once a process."""
    return mark_safe(strips.strip_svg(statuses, "fleet", period="30\u202fd"))  # noqa: S308 - statuses only


def _drawn(cell: AreaCell) -> SafeString:
    """A day of which nothing is known is drawn as not started."""
    return strip(tuple(day.status.value if day.status else Status.NOT_STARTED.value for day in cell.strip))


def chips(found: FleetPage, query: QueryDict) -> list[Chip]:
    """The six counts on top, worst first; a click on a chosen one gives it up."""
    chosen = _words(query, "status")
    result = []
    for status in SEVERITY:
        n = found.counts.get(status, 0)
        on = status in chosen
        rest = [s for s in chosen if s != status] if on else [*chosen, status]
        result.append(Chip(status, STATUS_WORDS[status].lower(), n, link(query, status=",".join(rest)), on))
    return result


def link(query: QueryDict, **changes: str) -> str:
    """The address of the list with some parameters changed; a changed filter starts at page one."""
    pairs = {key: query.get(key, "") for key in query if key != "page" or "page" in changes}
    pairs |= changes
    kept = [(key, value) for key, value in pairs.items() if value]
    return f"?{urlencode(kept, safe=',')}" if kept else "?"


def pager(found: FleetPage, query: QueryDict) -> dict[str, str] | None:
    """Links to the neighbouring pages; None if all fits on one."""
    if found.pages < 2:
        return None
    return {
        "words": f"Page {found.page:,} of {found.pages:,}",
        "previous": link(query, page=str(found.page - 1)) if found.page > 1 else "",
        "next": link(query, page=str(found.page + 1)) if found.page < found.pages else "",
    }


def _cell(row: FleetRow, cell: AreaCell) -> Cell:
    number, delta, tone = area_number(cell, row.watched)
    return Cell(cell.status, _drawn(cell), number, delta, tone, cell.reason)


def _words(query: QueryDict, name: str) -> tuple[str, ...]:
    return tuple(word for text in query.getlist(name) for word in text.split(",") if word)


def _recent(reader: Reader, now: datetime) -> Sequence[Transition]:
    """What became worse in the last day."""
    found = Transition.objects.filter(
        watched__source__team__in=reader.team_ids,
        at__gte=now - timedelta(hours=24),
        reconstructed=False,
        new__in=[Status.FAILING, Status.UNAVAILABLE],
    )
    return list(found.select_related("watched").order_by("-at")[:20])


def _importances(query: QueryDict, filters: Filters) -> list[tuple[str, str, bool]]:
    options = [("", "any"), ("CRITICAL,HIGH", "critical and high"), *Importance.choices]
    now = ",".join(filters.importances)
    return [(str(label).lower(), link(query, importance=value), value == now) for value, label in options]
