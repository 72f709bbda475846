"""The blind-spot map: what is not watched, most important first, with what mends it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import Http404, HttpResponse, QueryDict

from dashboard.addresses import address
from dashboard.charts import words
from dashboard.fixes import WORDS, Fix, fix_of
from dashboard.pages import page, part, render
from dashboard.reader import PageRequest
from monitoring.blind_spots import BlindSpots, MapRow, Wanted, blind_spots
from monitoring.health.coverage import CODES, COLUMNS, Watch, Why, read

STATE_WORDS = {
    Watch.WATCHED: "watched",
    Watch.UNLIMITED: "no limit",
    Watch.OFF: "off",
    Watch.CANNOT: "cannot be",
    Watch.UNASKED: "not looked at yet",
}


@dataclass(frozen=True)
class Cell:
    """One area of one deployment. `href` leads to what mends it; "" where nothing is to be mended."""

    why: Why
    word: str
    href: str = ""
    action: str = ""


@page
def show(request: PageRequest) -> HttpResponse:
    """One page of the map; with htmx only its table."""
    wanted, number = asked(request.GET)
    found = blind_spots(request.reader.sources(), wanted, number)
    context = {
        "nav": "blind-spots",
        "found": found,
        "wanted": wanted,
        "columns": [(name, WORDS[name], blind_of(found, name), link(wanted, column=name)) for name in COLUMNS],
        "rows": [(row.watched, list(zip(WORDS.values(), cells(row), strict=True))) for row in found.rows],
        "chosen": WORDS.get(wanted.column, ""),
        "state_word": STATE_WORDS[Watch(wanted.state)] if wanted.state else "blind spot",
        "headline": headline(found),
        "note": note(found),
        "older": link(wanted, page=str(found.page + 1)) if found.page < found.pages else "",
        "newer": link(wanted, page=str(found.page - 1)) if found.page > 1 else "",
    }
    if request.htmx:
        return part(request, "dashboard/_blind_spots.html", context)
    return render(request, "dashboard/blind_spots.html", context)


@page
def mend(request: PageRequest, pk: int, column: str) -> HttpResponse:
    """One blind spot: why it is one, the form and the request that mend it."""
    watched = request.reader.watched_or_404(pk)
    if column not in COLUMNS:
        raise Http404("There is no such column of the map.")
    code = read(watched.coverage)[column]
    context = {
        "nav": "blind-spots",
        "watched": watched,
        "column": WORDS[column],
        "why": CODES[code],
        "fix": fix_of(watched, column, code),
    }
    return render(request, "dashboard/blind_spot.html", context, around=pk)


def asked(query: QueryDict) -> tuple[Wanted, int]:
    """The map that an address asks for; what does not exist is left out."""
    column, state, number = query.get("area", ""), query.get("state", ""), query.get("page", "1")
    column = column if column in COLUMNS else ""
    return (
        Wanted(
            query.get("q", "").replace("\x00", "").strip()[:200],
            column,
            state if column and state in set(Watch) else "",
        ),
        int(number) if number.isdecimal() and len(number) < 7 else 1,
    )


def link(wanted: Wanted, **changes: str) -> str:
    pairs = {"q": wanted.search, "area": wanted.column, "state": wanted.state}
    if "column" in changes:
        changes = {"area": "" if changes["column"] == wanted.column else changes["column"], "state": ""}
    kept = {name: value for name, value in (pairs | changes).items() if value}
    return f"?{urlencode(kept)}" if kept else "?"


def cells(row: MapRow) -> list[Cell]:
    """The cells of a row, in the order of the columns."""
    return [_cell(row, name, row.codes[name]) for name in COLUMNS]


def _cell(row: MapRow, column: str, code: str) -> Cell:
    why = CODES[code]
    fix: Fix | None = fix_of(row.watched, column, code)
    if fix is None:
        return Cell(why, STATE_WORDS[why.state])
    href = fix.href or address("blind-spot", row.watched.pk, column)
    return Cell(why, STATE_WORDS[why.state], href, fix.word)


def blind_of(found: BlindSpots, column: str) -> int:
    """How many deployments have a blind spot in this column."""
    return sum(n for code, n in found.counts[column].items() if CODES[code].blind)


def headline(found: BlindSpots) -> str:
    """`12 of 14 deployments have a blind spot`."""
    looked = found.total - found.unasked
    if not looked:
        return "Nothing has been looked at yet" if found.total else "No deployment is watched yet"
    blind = looked - found.whole
    if not blind:
        return f"All {words.count(looked, 'deployment')} are watched in every area" if looked > 1 else "No blind spot"
    if blind == looked > 1:
        return f"All {looked:,} deployments have a blind spot"
    return f"{blind:,} of {words.count(looked, 'deployment')} {'has' if blind == 1 else 'have'} a blind spot"


def note(found: BlindSpots) -> str:
    """The largest gap with its reason, and who was not looked at."""
    parts = []
    worst = max(COLUMNS, key=lambda name: blind_of(found, name))
    if n := blind_of(found, worst):
        code = max(_blind_codes(found.counts[worst]), key=lambda one: found.counts[worst][one])
        reason = CODES[code].words
        parts.append(
            f"The widest gap is {WORDS[worst].lower()}: {words.count(n, 'deployment')}, most often because:"
            f" {reason[:1].lower()}{reason[1:]}."
        )
    if found.unasked:
        parts.append(f"{words.count(found.unasked, 'deployment')} will be looked at by the next poll.")
    return " ".join(parts)


def _blind_codes(counts: Mapping[str, int]) -> list[str]:
    return [code for code in counts if CODES[code].blind]
