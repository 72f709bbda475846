"""Pages as they were known at a moment: what their banner and their form say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.http import QueryDict

from dashboard.charts import words
from dashboard.filters import moment
from dashboard.reader import Reader


@dataclass(frozen=True)
class AsOf:
    """`words` is empty on pages of the present. `kept` are the other parts of the address, for the form."""

    words: str
    value: str
    back: str
    kept: tuple[tuple[str, str], ...]
    zone: str


def then_of(query: Mapping[str, str] | QueryDict, now: datetime, reader: Reader) -> datetime | None:
    """The moment that an address names; None for the present, for the future and for what is no time."""
    found = moment(query.get("as_of") or "", reader.zone)
    return found if found is not None and found < now else None


def as_of(query: QueryDict, then: datetime | None, now: datetime, reader: Reader) -> AsOf:
    """For a page that reads `as_of` from its address."""
    kept = tuple(
        (name, value) for name, value in query.items() if name not in ("as_of", "page") and isinstance(value, str)
    )
    return AsOf(
        words.stamp(then, reader.zone, now) if then is not None else "",
        (then or now).astimezone(reader.zone).strftime("%Y-%m-%dT%H:%M"),
        f"?{urlencode(kept)}" if kept else "?view=all",
        kept,
        reader.zone_words,
    )
