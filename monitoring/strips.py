"""The verdicts of the last days, one bar a day: what the strips of lists, heads and charts are drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from django.db import connection

from monitoring.models import CORE_AREAS, Status

STRIP_DAYS = 30

#: One row a deployment and area instead of one a day: thousands of small rows cost ten times what they say.
_DAYS = """
    SELECT watched_id, area,
        string_agg((day - %(first)s::date) || ' ' || status || ' ' || coalesce(value::text, ''), ',')
    FROM monitoring_healthday
    WHERE watched_id = ANY(%(ids)s) AND day >= %(first)s AND day <= %(until)s
    GROUP BY watched_id, area
"""


class DayBar(NamedTuple):
    """One day of a strip; status None = nothing known of that day."""

    day: date
    status: Status | None
    value: float | None = None


Strip = tuple[DayBar, ...]


def strips(watched_ids: Sequence[int], *, until: date, days: int = STRIP_DAYS) -> dict[tuple[int, str], Strip]:
    """The strips of the deployments, oldest first, exactly `days` bars each: one statement.

    The areas that every deployment shows are always there, others where they have days.
    """
    first = until - timedelta(days=days - 1)
    blank = tuple(DayBar(first + timedelta(days=offset), None) for offset in range(days))
    found = {(pk, area.value): blank for pk in watched_ids for area in CORE_AREAS}
    with connection.cursor() as cursor:
        cursor.execute(_DAYS, {"ids": list(watched_ids), "first": first, "until": until})
        for pk, area, told in cursor.fetchall():
            found[pk, area] = _strip(blank, told)
    return found


def _strip(blank: Strip, told: str) -> Strip:
    """The bars of `28 failing 0.31,29 unknown `, gaps filled."""
    bars = list(blank)
    for one in told.split(","):
        offset, status, value = one.split(" ")
        at = int(offset)
        bars[at] = DayBar(bars[at].day, _STATUS[status], float(value) if value else None)
    return tuple(bars)


_STATUS = {status.value: status for status in Status}
