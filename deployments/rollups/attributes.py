"""Segment attributes of a pass: which are followed, and the numbers of their values; new values get one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import polars as pl
from django.conf import settings

from deployments.ingest.prepared import microseconds
from deployments.models import SegmentAttribute, SegmentValue
from deployments.rollups.cuts import Attribute, words_of
from deployments.rollups.declarations import By, Rollup

OTHER = "Other values"
LONGEST = 500
PLACE = {"": 0}
"""The values of a geospatial feature are not numbered: its states hold all cells."""


def known(deployment_id: int) -> list[SegmentAttribute]:
    """Every attribute that is, or was, followed."""
    return list(SegmentAttribute.objects.filter(deployment_id=deployment_id).order_by("pk"))


def followed(attributes: Sequence[SegmentAttribute], rollup: Rollup, rows: pl.DataFrame) -> list[Attribute]:
    """The attributes that part these rows, every value of theirs numbered."""
    if rollup.by is By.PROTECTED:
        return [_numbered(row, row.protected_since, rows) for row in attributes if row.protected_since is not None]
    active = [row for row in attributes if row.active]
    if rollup.by is By.PLACES:
        return [Attribute(row.pk, row.name, microseconds(row.since), PLACE, None) for row in active if row.is_place]
    chosen = [row for row in active if row.name in rollup.fixed or (rollup.by is By.SEGMENTS and _is_segment(row))]
    return [_numbered(row, row.since, rows) for row in chosen]


def _is_segment(row: SegmentAttribute) -> bool:
    return not row.is_place and not row.name.startswith("DataRobot-")


def _numbered(row: SegmentAttribute, began: datetime, rows: pl.DataFrame) -> Attribute:
    since, seen = microseconds(began), []
    if rows.height and (late := rows.filter(pl.col("received") >= since)).height:
        seen = words_of(late, row.name).unique().to_list()
    return Attribute(row.pk, row.name, since, *numbered(row, seen))


def numbered(row: SegmentAttribute, seen: Sequence[str]) -> tuple[dict[str, int], int | None]:
    """The number of every known value of an attribute after those that were seen, and that of all the rest together."""
    values, other = _known(row)
    fresh = sorted(value for value in seen if value not in values and len(value) <= LONGEST)
    room = max(0, settings.MAX_SEGMENT_VALUES - len(values))
    if fresh[:room]:
        _add(row, fresh[:room])
    if len(values) + len(fresh) > settings.MAX_SEGMENT_VALUES and other is None:
        SegmentValue.objects.get_or_create(deployment_id=row.deployment_id, attribute=row, text=OTHER, is_other=True)
    return _known(row) if fresh else (values, other)


def _known(row: SegmentAttribute) -> tuple[dict[str, int], int | None]:
    found = list(row.values.values_list("text", "pk", "is_other"))
    other = next((pk for _, pk, is_other in found if is_other), None)
    return {text: pk for text, pk, is_other in found if not is_other}, other


def _add(row: SegmentAttribute, texts: Sequence[str]) -> None:
    SegmentValue.objects.bulk_create(
        [SegmentValue(deployment_id=row.deployment_id, attribute=row, text=text) for text in texts],
        ignore_conflicts=True,
    )
