"""The blind-spot map: one page of deployments with what is not watched of them, and figures over all of them.

Bounded statements whatever the size of the fleet: codes are counted by their pattern, of which a fleet has few.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import CharField, Count, F, Func, Q, QuerySet, Value

from monitoring.fleet import listed
from monitoring.health.coverage import CODES, COLUMNS, Watch, read
from monitoring.models import Source, Watched

SIZE = 50
ORDER = ("importance_rank", F("uncovered").desc(), "label", "pk")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the map is narrowed by; empty = not. `state` needs a `column`; alone, a column means its blind spots."""

    search: str = ""
    column: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True)
class MapRow:
    watched: Watched
    codes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class BlindSpots:
    """One page, and over everything that is listed: deployments by column and code, and how many lack nothing."""

    rows: tuple[MapRow, ...]
    found: int
    page: int
    pages: int
    total: int
    whole: int
    unasked: int
    counts: Mapping[str, Mapping[str, int]]


def blind_spots(sources: Iterable[Source], wanted: Wanted, page: int = 1) -> BlindSpots:
    """The most important deployments with the most blind spots first: four statements."""
    everything = listed(sources)
    patterns = dict(everything.order_by().values_list("coverage").annotate(n=Count("pk")))
    chosen = _narrow(everything, wanted)
    found = chosen.count() if wanted != Wanted() else sum(patterns.values())
    pages = max(1, -(-found // SIZE))
    number = max(1, min(page, pages))
    keys = list(chosen.order_by(*ORDER).values_list("pk", flat=True)[(number - 1) * SIZE : number * SIZE])
    wide = Watched.objects.select_related("source").defer("listing", "source_health", "health").in_bulk(keys)
    return BlindSpots(
        rows=tuple(MapRow(wide[pk], read(wide[pk].coverage)) for pk in keys if pk in wide),
        found=found,
        page=number,
        pages=pages,
        total=sum(patterns.values()),
        whole=sum(n for text, n in patterns.items() if text and _is_whole(text)),
        unasked=sum(n for text, n in patterns.items() if _is_unasked(text)),
        counts=_counts(patterns),
    )


def _narrow(rows: QuerySet[Watched], wanted: Wanted) -> QuerySet[Watched]:
    if wanted.search:
        rows = rows.filter(Q(label__icontains=wanted.search) | Q(description__icontains=wanted.search))
    if wanted.column in COLUMNS:
        place = Value(COLUMNS.index(wanted.column) + 1)
        word = Func(F("coverage"), Value(" "), place, function="split_part", output_field=CharField())
        rows = rows.annotate(code=word).filter(code__in=_codes(wanted.state))
    return rows


def _codes(state: str) -> list[str]:
    if state in set(Watch):
        return [code for code, why in CODES.items() if why.state == state]
    return [code for code, why in CODES.items() if why.blind]


def _is_unasked(text: str) -> bool:
    return set(list(read(text).values())[:-1]) == {"unasked"}


def _is_whole(text: str) -> bool:
    return not _is_unasked(text) and not any(CODES[code].blind for code in read(text).values())


def _counts(patterns: Mapping[str, int]) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {name: {} for name in COLUMNS}
    for text, n in patterns.items():
        for name, code in read(text).items():
            counts[name][code] = counts[name].get(code, 0) + n
    return counts
