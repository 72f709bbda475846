"""Rows of the fleet, ready to show: cells with strips and numbers, open incidents, counts that filter, pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import lru_cache

from django.http import QueryDict
from django.utils.safestring import SafeString, mark_safe

from dashboard.charts import strips
from dashboard.charts.theme import SEVERITY, STATUS_WORDS
from dashboard.incidents import Line, open_by_deployment
from dashboard.narrowing import link
from dashboard.phrases import area_number, since_text
from dashboard.tabs.registry import leads_to
from monitoring.fleet import AreaCell, Filters, FleetPage, FleetRow
from monitoring.models import Area, Status

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
    def leads_to(self) -> str:
        """The tab that shows the numbers of the row's sentence."""
        return leads_to(self.row.lead.area, batch=self.row.watched.batch_monitoring)

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


def rows(found: FleetPage, zone: tzinfo, now: datetime, as_of: datetime | None = None) -> list[Row]:
    """Rows with their cells; the last of equal severity closes its group."""
    shown = []
    open_ones = open_by_deployment([row.watched.pk for row in found.rows], zone, now, as_of) if found.rows else {}
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


def chips(found: FleetPage, query: QueryDict, filters: Filters) -> list[Chip]:
    """The six counts on top, worst first; a click on a chosen one gives it up."""
    chosen = filters.statuses
    result = []
    for status in SEVERITY:
        n = found.counts.get(status, 0)
        on = status in chosen
        rest = [s for s in chosen if s != status] if on else [*chosen, str(status)]
        result.append(Chip(status, STATUS_WORDS[status].lower(), n, link(query, status=",".join(rest)), on))
    return result


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
