"""The wall screen: the worst deployments in letters that are read from four metres, and its own age."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render as bare
from django.utils.safestring import SafeString, mark_safe

from dashboard.charts import strips, words
from dashboard.charts.theme import SEVERITY, STATUS_WORDS
from dashboard.fleet import Row, rows
from dashboard.frame import heard
from dashboard.narrowing import asked
from dashboard.reader import zone
from dashboard.sentences import fleet_headline
from monitoring.fleet import FleetPage, fleet
from monitoring.models import Status

LARGE, SMALL = 6, 20


@dataclass(frozen=True)
class Line:
    """One deployment in large letters."""

    row: Row
    strip: SafeString
    who: str
    since: str


def wall(
    request: HttpRequest,
    team_ids: Iterable[int],
    query: str,
    name: str,
    time_zone: str,
    now: datetime,
    *,
    people: bool = True,
) -> HttpResponse:
    """The page, which renews itself; always dark, whatever the reader prefers. `people`: whether names are told."""
    here = zone(time_zone)
    by = asked(QueryDict(query), now, here)
    found = fleet(list(team_ids), by.filters, "worst", now=now, size=LARGE + SMALL)
    made = rows(found, here, now)
    large = [one for one in made if one.tall][:LARGE]
    context = {
        "theme": "dark",
        "name": name,
        "now": now,
        "clock": now.astimezone(here),
        "zone": here.key.rpartition("/")[2].replace("_", " "),
        "counts": [(status, found.counts.get(status, 0), STATUS_WORDS[status].lower()) for status in SEVERITY],
        "failing": found.counts.get(Status.FAILING, 0),
        "headline": fleet_headline(found.counts, found.all_count, narrowed=False),
        "large": [_line(one, people=people) for one in large],
        "small": [(one, _strip(one, 14)) for one in made if one not in large][:SMALL],
        "more": found.total - len(made),
        "trouble": trouble(found, now),
        "polled": words.duration(now - found.data_age) if found.data_age else "",
        "worst": next((s for s in (Status.FAILING, Status.WARNING) if found.counts.get(s)), Status.PASSING),
    }
    return bare(request, "shared/wall.html", context)


def trouble(found: FleetPage, now: datetime) -> str:
    """What makes the whole screen untrustworthy, in words to be read from afar; "" while all is answered."""
    if not found.sources:
        return "Nothing is watched"
    enabled = [source for source in found.sources if source.enabled]
    newest, stale = heard(enabled, now)
    if newest is None:
        return "No source has answered yet"
    if stale:
        return f"Old data: no source has answered for {words.duration(now - newest)}"
    if found.silent_sources:
        n = len(found.silent_sources)
        return f"{n} of {words.count(len(enabled), 'source')} {'does' if n == 1 else 'do'} not answer"
    return ""


def _line(one: Row, *, people: bool) -> Line:
    incident = one.incident
    told = (incident.words if people or incident.waiting else incident.state.label) if incident is not None else ""
    who = f"#{incident.number} {told}" if incident is not None else ""
    since = f"since {incident.since} ({incident.lasting})" if incident is not None else one.since
    return Line(one, _strip(one, 30, "wall"), who, since)


def _strip(one: Row, days: int, size: str = "fleet") -> SafeString:
    bars = [day.status.value if day.status else Status.NOT_STARTED.value for day in one.row.lead.strip][-days:]
    return mark_safe(strips.strip_svg(bars, size, period=f"{days}\u202fd"))  # noqa: S308 - statuses only
