"""The fleet page in one bounded read: rows with verdicts, reasons, 30-day strips and sparklines, counts and sources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import reduce
from operator import or_
from typing import NamedTuple

from django.db.models import Count, Exists, F, OrderBy, OuterRef, Q, QuerySet, Subquery, Sum

from monitoring import conf
from monitoring.clock import parse_time
from monitoring.models import CORE_AREAS, Area, Source, Star, Status, Subscription, Watched
from monitoring.strips import Strip, strips

PAGE = 50
MAX_PAGE = 200

#: What is not known stands last, wherever it would otherwise sort: an unknown traffic is no heavy one.
_BUSIEST = F("predictions_per_day").desc(nulls_last=True)
ORDERS: dict[str, tuple[str | OrderBy, ...]] = {
    "worst": ("-severity", "importance_rank", _BUSIEST, "label", "pk"),
    "label": ("label", "pk"),
    "-label": ("-label", "pk"),
    "activity": (_BUSIEST, "label", "pk"),
    "last": (F("last_prediction_at").desc(nulls_last=True), "label", "pk"),
    "age": (F("model_deployed_at").asc(nulls_last=True), "label", "pk"),
}
#: What a row of the fleet shows: half of the fields of a deployment.
SHOWN = (
    *("source", "label", "importance", "target_type", "batch_monitoring", "predictions_per_day", "daily_rates"),
    *("last_prediction_at", "model_deployed_at", "first_seen_at", "seen_at", "polled_at", "left_out_at"),
    *("worst", "health", "blind_spots"),
)
#: Facts that a deployment may lack, and the field that is empty then.
LACKING = {"tag": "tags", "owner": "owners", "importance": "importance", "type": "target_type"}


@dataclass(frozen=True, slots=True)
class Filters:
    """What the fleet page narrows by; empty = no narrowing. AND across, OR inside."""

    search: str = ""
    statuses: tuple[str, ...] = ()
    areas: tuple[tuple[str, str], ...] = ()  # (area, status): that area has that status
    importances: tuple[str, ...] = ()
    sources: tuple[int, ...] = ()
    target_types: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()  # `name`, `name=value` or `name=` (no value)
    teams: tuple[int, ...] = ()
    owners: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()  # of `LACKING`: deployments that have none
    starred_by: int = 0  # only what this person starred
    left_out: bool = False  # what the teams leave unwatched, instead of what is watched


class Standing(NamedTuple):
    """`counts` by verdict; predictions of those that are failing now, summed over the days they have been."""

    counts: Mapping[str, int]
    served_while_failing: float


@dataclass(frozen=True, slots=True)
class AreaCell:
    """One area of one row: verdict, sentence, one number (`value`, named `metric`) and its strip, oldest first."""

    area: Area
    status: Status
    reason: str
    since: datetime | None
    metric: str
    value: float | None
    source_status: str
    disagrees: bool
    strip: Strip


@dataclass(frozen=True, slots=True)
class FleetRow:
    """One deployment. `lead` is the worst area's cell, of any area that is on: its reason is the row's sentence.

    `cells` are those of the areas that every deployment shows, so that rows stand under one another.
    """

    watched: Watched
    status: Status
    lead: AreaCell
    cells: tuple[AreaCell, ...]
    stale: bool

    def cell(self, area: str) -> AreaCell:
        """The cell of one area."""
        return next(cell for cell in self.cells if cell.area == area)

    @property
    def is_star(self) -> bool:
        """Whether the person for whom the page was read starred it."""
        return bool(getattr(self.watched, "is_star", False))

    @property
    def wish(self) -> str:
        """What the person for whom the page was read said of hearing of it; empty for nothing."""
        return getattr(self.watched, "wish", None) or ""

    @property
    def sparkline(self) -> list[float | None]:
        """Predictions on each whole day, oldest first; the running day would look like a fall."""
        rates = self.watched.daily_rates
        known = [rate if isinstance(rate, int | float) else None for rate in rates] if isinstance(rates, list) else []
        return known[:-1] if any(known[:-1]) else known


@dataclass(frozen=True, slots=True)
class FleetPage:
    """One page of the fleet, and figures over the whole fleet: `counts` before the status filter."""

    rows: tuple[FleetRow, ...]
    total: int
    page: int
    pages: int
    counts: Mapping[str, int]
    all_count: int
    served_while_failing: float
    sources: tuple[Source, ...]
    silent_sources: tuple[Source, ...]
    data_age: datetime | None
    tags: tuple[str, ...] = field(default=())


def fleet(
    team_ids: Iterable[int],
    filters: Filters | None = None,
    order: str = "worst",
    page: int = 1,
    *,
    now: datetime,
    size: int = PAGE,
    viewer: int = 0,
    sources: Sequence[Source] | None = None,
    whole: Standing | None = None,
) -> FleetPage:
    """One page of the deployments of the teams, in at most five statements however many there are.

    With `size` 0 only what is said of the whole fleet. `viewer`: for whom the rows tell `is_star` and `wish`. `sources`
    and `whole`: what the teams have with their teams, and how all that they watch stands, where that is known already.
    """
    chosen = filters or Filters()
    sources = tuple(sources_of(team_ids) if sources is None else sources)
    everything = wanted(sources, chosen)
    if whole is None or chosen.left_out:
        whole = standing(everything)
    narrowed = narrow(everything, chosen)
    counts = whole.counts if narrowed is everything else standing(narrowed).counts
    shown = narrowed.filter(worst__in=chosen.statuses) if chosen.statuses else narrowed
    total = sum(counts.get(status, 0) for status in chosen.statuses) if chosen.statuses else sum(counts.values())
    size = max(0, min(size, MAX_PAGE))
    pages = max(1, -(-total // max(1, size)))
    number = max(1, min(page, pages))
    found = _page(shown, ORDERS.get(order, ORDERS["worst"]), (number - 1) * size, size, viewer) if size else []
    return FleetPage(
        rows=rows_of(found, {source.pk: source for source in sources}, now),
        total=total,
        page=number,
        pages=pages,
        counts={status.value: counts.get(status.value, 0) for status in Status},
        all_count=sum(counts.values()),
        served_while_failing=whole.served_while_failing,
        sources=sources,
        silent_sources=tuple(source for source in sources if source.enabled and source.silent_since is not None),
        data_age=min((source.last_ok_at for source in sources if source.last_ok_at is not None), default=None),
    )


def standing(rows: QuerySet[Watched]) -> Standing:
    """How many stand how badly: one statement, out of one narrow index."""
    found = list(rows.order_by().values_list("worst").annotate(n=Count("pk"), served=Sum("served_failing")))
    return Standing({status: n for status, n, _ in found}, float(sum(served or 0 for _, _, served in found)))


def sources_of(team_ids: Iterable[int]) -> QuerySet[Source]:
    """The sources of the teams, each with its team."""
    return Source.objects.filter(team__in=list(team_ids)).select_related("team").order_by("name")


def listed(sources: Iterable[Source]) -> QuerySet[Watched]:
    """What the sources list now."""
    return Watched.objects.filter(source__in=[source.pk for source in sources], gone_at__isnull=True)


def left_out(sources: Iterable[Source]) -> QuerySet[Watched]:
    """What the teams leave unwatched."""
    return Watched.objects.filter(source__in=[source.pk for source in sources], left_out_at__isnull=False)


def wanted(sources: Iterable[Source], filters: Filters) -> QuerySet[Watched]:
    """What is to be looked at before it is narrowed: what is watched, or what is left unwatched instead."""
    return left_out(sources) if filters.left_out else listed(sources)


def with_star(rows: QuerySet[Watched], viewer: int) -> QuerySet[Watched]:
    """Rows with `is_star`: whether the person starred them."""
    return rows.annotate(is_star=Exists(Star.objects.filter(watched=OuterRef("pk"), user=viewer)))


def with_wish(rows: QuerySet[Watched], viewer: int) -> QuerySet[Watched]:
    """Rows with `wish`: what the person said of hearing of it; None for nothing."""
    own = Subscription.objects.filter(watched=OuterRef("pk"), user=viewer)
    return rows.annotate(wish=Subquery(own.values("wish")[:1]))


def _page(rows: QuerySet[Watched], order: Sequence[str | OrderBy], first: int, size: int, viewer: int) -> list[Watched]:
    """The keys of the page by a narrow index, then only its rows: thousands of wide ones are not sorted for thirty."""
    keys = rows.order_by(*order).values("pk")[first : first + size]
    found = Watched.objects.only(*SHOWN).filter(pk__in=keys).order_by(*order)
    return list(with_wish(with_star(found, viewer), viewer))


def narrow(rows: QuerySet[Watched], filters: Filters) -> QuerySet[Watched]:
    """All filters but that of the status, which the counts on top leave open."""
    if filters.search:
        rows = rows.filter(Q(label__icontains=filters.search) | Q(description__icontains=filters.search))
    if filters.importances:
        rows = rows.filter(importance__in=filters.importances)
    if filters.sources:
        rows = rows.filter(source__in=filters.sources)
    if filters.target_types:
        rows = rows.filter(target_type__in=filters.target_types)
    if filters.teams:
        rows = rows.filter(source__team__in=filters.teams)
    if filters.owners:
        rows = rows.filter(_any(Q(owners__contains=[owner]) for owner in filters.owners))
    if filters.tags:
        rows = rows.filter(_any(_tagged(text) for text in filters.tags))
    if filters.starred_by:
        rows = rows.filter(stars__user=filters.starred_by)
    for name in filters.lacking:
        field = LACKING[name]
        rows = rows.filter(**{field: [] if field in ("tags", "owners") else ""})
    for area, status in filters.areas:
        rows = rows.filter(**{f"health__{Area(area).value}__status": status})
    return rows


def _any(conditions: Iterable[Q]) -> Q:
    return reduce(or_, conditions)


def _tagged(text: str) -> Q:
    """`name`: whatever its value; `name=value`; `name=`: those that have it without a value."""
    name, equals, value = text.partition("=")
    if not equals:
        return Q(tags__contains=[{"name": name}])
    values = (value,) if value else (None, "")
    return _any(Q(tags__contains=[{"name": name, "value": one}]) for one in values)


def rows_of(
    found: Sequence[Watched], sources: Mapping[int, Source], now: datetime, until: date | None = None
) -> tuple[FleetRow, ...]:
    """Rows with their strips, which end with the day `until`: one statement."""
    bars = strips([row.pk for row in found], until=until or now.date()) if found else {}
    result = []
    for row in found:
        row.source = sources[row.source_id]
        every = cells(row, bars)
        lead = max(every, key=lambda cell: (cell.status == row.worst, cell.status.severity))
        core = every[: len(CORE_AREAS)]
        result.append(FleetRow(row, Status(row.worst), lead, core, row.is_stale(now, conf.STALE_AFTER)))
    return tuple(result)


def cells(watched: Watched, bars: Mapping[tuple[int, str], Strip]) -> tuple[AreaCell, ...]:
    """The cells of all areas that are on at one deployment, with its `strips`."""
    return tuple(_cell(watched, area, bars.get((watched.pk, area.value), ())) for area in watched.shown_areas)


def _cell(watched: Watched, area: Area, strip: Strip) -> AreaCell:
    health = watched.area_health(area)
    return AreaCell(
        area=area,
        status=Status(health.get("status", Status.UNKNOWN)),
        reason=health.get("reason", ""),
        since=parse_time(health.get("since")),
        metric=health.get("metric", ""),
        value=health.get("value"),
        source_status=health.get("source_status", ""),
        disagrees=bool(health.get("disagrees")),
        strip=strip,
    )
