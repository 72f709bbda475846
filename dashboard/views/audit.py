"""The audit page: who did what and when, to be narrowed and taken along as CSV."""

from __future__ import annotations

import csv
import io
from datetime import datetime, time, timedelta
from urllib.parse import urlencode

from django.http import HttpResponse, QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from dashboard.deeds import EPOCH, KINDS, Asked, Deed, deeds, managed
from dashboard.pages import page, render
from dashboard.reader import PageRequest
from dashboard.service_half import desk

SIZE = 50
MOST_ROWS = 10_000
HEADS = ("at", "actor", "what", "about", "team", "address", "written by", "details")
FORMULAS = ("=", "+", "-", "@", "\t", "\r")


@page
def show(request: PageRequest) -> HttpResponse:
    """The newest first; older ones by a link that holds the moment."""
    by = asked(request)
    found = deeds(request.reader, by, desk(), SIZE + 1)
    older = _link(request.GET, before=found[SIZE - 1].at.isoformat()) if len(found) > SIZE else ""
    context = {
        "nav": "settings",
        "sub": "audit",
        "rows": found[:SIZE],
        "older": older,
        "kinds": [(name, words) for name, (words, _) in KINDS.items()],
        "by": by,
        "given": request.GET,
        "csv": _link(request.GET, before=""),
        "manages": bool(managed(request.reader)) or request.reader.user.is_superuser,
        "service": desk() is not None,
    }
    return render(request, "dashboard/audit.html", context)


@page
def csv_file(request: PageRequest) -> HttpResponse:
    """What the page shows without paging, as CSV in UTC; the newest ten thousand lines."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(HEADS)
    for one in deeds(request.reader, asked(request), desk(), MOST_ROWS):
        writer.writerow(_cells(one))
    response = HttpResponse(out.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="audit.csv"'
    return response


def asked(request: PageRequest) -> Asked:
    """What the address asks for; what cannot be read is left out. Days are those of the reader."""
    query = request.GET
    team = query.get("team", "")
    return Asked(
        before=min(_moment(query.get("before", "")), _day(request, query.get("until", ""), after=True)),
        since=_day(request, query.get("since", ""), after=False),
        kind=query.get("kind", "") if query.get("kind", "") in KINDS else "",
        actor=query.get("who", "").strip()[:100],
        team=int(team) if team.isdecimal() and len(team) < 19 else None,
    )


def _day(request: PageRequest, text: str, *, after: bool) -> datetime:
    """The begin of a day, or the end of it; the widest where none is named."""
    far = timezone.now() + timedelta(minutes=1) if after else EPOCH
    try:
        day = parse_date(text)
        if day is None:
            return far
        return datetime.combine(day + timedelta(days=after), time(), tzinfo=request.reader.zone)
    except (ValueError, OverflowError):
        return far


def _moment(text: str) -> datetime:
    far = timezone.now() + timedelta(minutes=1)
    try:
        found = parse_datetime(text.replace(" ", "+"))
    except (ValueError, OverflowError):
        return far
    return found if found is not None and timezone.is_aware(found) else far


def _link(query: QueryDict, **changes: str) -> str:
    pairs = {name: query.get(name, "") for name in ("who", "kind", "team", "since", "until")} | changes
    return urlencode({name: value for name, value in pairs.items() if value})


def _cells(one: Deed) -> list[str]:
    cells = [one.at.isoformat(), one.actor, one.what, one.about, one.team, one.address, one.where, one.more]
    # A spreadsheet takes a cell that begins so for a formula.
    return [f"'{cell}" if cell.startswith(FORMULAS) else cell for cell in cells]
