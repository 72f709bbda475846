"""Segment attributes of a pass: which are followed, and the numbers of their values; new values get one."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from django.conf import settings

from deployments.ingest.prepared import microseconds
from deployments.models import SegmentAttribute, SegmentValue
from deployments.rollups.cuts import Attribute, words_of
from deployments.rollups.declarations import Rollup

OTHER = "Other values"
LONGEST = 500


def followed(deployment_id: int, rollup: Rollup, rows: pl.DataFrame) -> list[Attribute]:
    """The attributes that part these rows, every value of theirs numbered."""
    active = SegmentAttribute.objects.filter(deployment_id=deployment_id, active=True).order_by("pk")
    chosen = [row for row in active if row.name in rollup.fixed or (not rollup.only_fixed and not _is_fixed(row.name))]
    return [_numbered(deployment_id, row, rows) for row in chosen]


def _is_fixed(name: str) -> bool:
    return name.startswith("DataRobot-")


def _numbered(deployment_id: int, row: SegmentAttribute, rows: pl.DataFrame) -> Attribute:
    since = microseconds(row.since)
    late = rows.filter(pl.col("received") >= since)
    seen = words_of(late, row.name).unique().to_list() if late.height else []
    return Attribute(row.pk, row.name, since, *numbered(deployment_id, row, seen))


def numbered(deployment_id: int, row: SegmentAttribute, seen: Sequence[str]) -> tuple[dict[str, int], int | None]:
    """The number of every known value of an attribute after those that were seen, and that of all the rest together."""
    values, other = _known(row)
    fresh = sorted(value for value in seen if value not in values and len(value) <= LONGEST)
    room = max(0, settings.MAX_SEGMENT_VALUES - len(values))
    if fresh[:room]:
        _add(deployment_id, row, fresh[:room])
    if len(values) + len(fresh) > settings.MAX_SEGMENT_VALUES and other is None:
        SegmentValue.objects.get_or_create(deployment_id=deployment_id, attribute=row, text=OTHER, is_other=True)
    return _known(row) if fresh else (values, other)


def _known(row: SegmentAttribute) -> tuple[dict[str, int], int | None]:
    found = list(row.values.values_list("text", "pk", "is_other"))
    other = next((pk for _, pk, is_other in found if is_other), None)
    return {text: pk for text, pk, is_other in found if not is_other}, other


def _add(deployment_id: int, row: SegmentAttribute, texts: Sequence[str]) -> None:
    SegmentValue.objects.bulk_create(
        [SegmentValue(deployment_id=deployment_id, attribute=row, text=text) for text in texts], ignore_conflicts=True
    )
