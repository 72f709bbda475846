"""The address of the fleet: which deployments, in which order, in which groups. Read tolerantly, written in one way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from urllib.parse import urlencode

from django.http import QueryDict

from dashboard.filters import moment
from monitoring.fleet import LACKING, ORDERS, Filters
from monitoring.groups import Grouping
from monitoring.models import Area, Importance, Status

#: The names of an address, in the order in which they are written.
NAMES = (
    *("q", "status", "importance", "source", "type", "tag", "team", "owner", "lacking", "starred", "unwatched"),
    *(area.value for area in Area),
    *("group", "order", "as_of", "page"),
)
#: What a saved view keeps: not where somebody was in it, nor when.
KEPT = tuple(name for name in NAMES if name not in ("as_of", "page"))
#: An address without any name opens the person's own view; this one opens everything.
EVERYTHING = "?view=all"
_MANY = 50


@dataclass(frozen=True)
class Asked:
    """What the reader asked to see of the fleet."""

    filters: Filters
    order: str = "worst"
    page: int = 1
    group: Grouping | None = None
    as_of: datetime | None = None

    @property
    def narrowed(self) -> bool:
        return self.filters != Filters()


def asked(query: Mapping[str, str] | QueryDict, now: datetime, zone: tzinfo, user: int = 0) -> Asked:
    """Filters, order and page from the address; what does not exist is left out. `user`: whose stars count."""
    areas = tuple(
        (area.value, status) for area in Area for status in _words(query, area.value) if status in Status.values
    )
    filters = Filters(
        search=(query.get("q") or "").replace("\x00", "").strip()[:200],
        statuses=tuple(s for s in _words(query, "status") if s in Status.values),
        areas=areas,
        importances=tuple(i for i in _words(query, "importance") if i in Importance.values),
        sources=_numbers(query, "source"),
        target_types=_words(query, "type"),
        tags=_texts(query, "tag"),
        teams=_numbers(query, "team"),
        owners=_texts(query, "owner"),
        lacking=tuple(name for name in _words(query, "lacking") if name in LACKING),
        starred_by=user if query.get("starred") == "1" else 0,
        left_out=query.get("unwatched") == "1",
    )
    order, number, group = query.get("order") or "worst", query.get("page") or "1", query.get("group") or ""
    then = moment(query.get("as_of") or "", zone)
    return Asked(
        filters,
        order if order in ORDERS else "worst",
        int(number) if number.isdecimal() and len(number) < 7 else 1,
        Grouping(group) if group in set(Grouping) else None,
        then if then is not None and then < now else None,
    )


def link(query: Mapping[str, str] | QueryDict, **changes: str) -> str:
    """The address of the list with some parameters changed; a changed filter starts at page one."""
    pairs = {name: query.get(name) or "" for name in NAMES if name != "page"} | changes
    kept = [(name, pairs[name]) for name in NAMES if pairs.get(name)]
    return f"?{urlencode(kept, safe=',')}" if kept else EVERYTHING


def canonical(query: Mapping[str, str] | QueryDict) -> str:
    """What a saved view keeps of an address: one spelling for one view, without the question mark."""
    kept = [(name, value) for name in KEPT if (value := (query.get(name) or "").replace("\x00", "").strip())]
    return urlencode(kept, safe=",")


def _texts(query: Mapping[str, str] | QueryDict, name: str) -> tuple[str, ...]:
    """As they stand: names of people and tags may hold commas."""
    texts = query.getlist(name) if isinstance(query, QueryDict) else [query.get(name) or ""]
    return tuple(text.replace("\x00", "") for text in texts if text)[:_MANY]


def _words(query: Mapping[str, str] | QueryDict, name: str) -> tuple[str, ...]:
    return tuple(word for text in _texts(query, name) for word in text.split(",") if word)[:_MANY]


def _numbers(query: Mapping[str, str] | QueryDict, name: str) -> tuple[int, ...]:
    return tuple(int(word) for word in _words(query, name) if word.isdecimal() and len(word) < 10)
