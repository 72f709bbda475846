"""Fairness by class of each protected feature: rows to sums, and sums of any period.

A state holds the sums of one class in one bucket, counted with the *positive* outcome as the favourable one; reading
turns them where the settings prefer the other, so that a change of that preference needs no recounting.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from deployments.models import Area, SegmentAttribute, SegmentValue
from deployments.rollups.columns import floats
from deployments.rollups.cuts import Attribute, by_segment
from deployments.rollups.piece import Piece
from deployments.rollups.read import Bucket, Scope, spots_of
from deployments.rollups.write import Row
from metrics import FAIRNESS_COLUMNS, fairness_sums

Floats = NDArray[np.float64]
WIDTH = len(FAIRNESS_COLUMNS)


@dataclass(frozen=True, eq=False)
class Classes:
    """The classes of a protected feature, "" being the missing value, and their sums: shape `[buckets, classes, sums]`.

    `others`: rows whose class is beyond the number of values that are told apart; they belong to no class.
    """

    names: Sequence[str]
    sums: Floats
    others: int = 0


def states(piece: Piece, followed: Sequence[Attribute]) -> Iterable[Row]:
    """The sums of each class and bucket; an actual counts for the prediction that accuracy scores it with."""
    target = piece.counted.target
    if not target.is_binary:
        return
    scored, score = piece.scored, floats(piece.table, target.columns[0])
    actual = np.full(len(score), -1, np.int64)
    known = np.isfinite(scored.actual)
    actual[scored.rows[known]] = scored.actual[known].astype(np.int64)
    for attribute in followed:
        cut = by_segment(piece.table, piece.place, piece.buckets, attribute)
        if cut is None:
            continue
        sums = fairness_sums(score, actual, cut.group, cut.n_groups, target.threshold)
        for value, bucket, own in zip(cut.values, cut.buckets, sums, strict=True):
            yield attribute.id, value, bucket, own.tobytes()


def added(payloads: Sequence[bytes]) -> bytes:
    """The sum of encoded states."""
    return bytes(np.frombuffer(b"".join(payloads)).reshape(-1, WIDTH).sum(axis=0).tobytes())


def protected(scope: Scope) -> list[str]:
    """The features whose fairness is counted, in the order in which they were first followed."""
    rows = SegmentAttribute.objects.filter(deployment=scope.deployment, protected_since__isnull=False)
    return list(rows.order_by("pk").values_list("name", flat=True))


def over(scope: Scope, features: Sequence[str], buckets: Sequence[Bucket]) -> Mapping[str, Classes]:
    """The classes of each feature in each bucket; the buckets begin and end on whole hours."""
    spots = [spots_of(bucket) for bucket in buckets]
    rows = SegmentValue.objects.filter(deployment=scope.deployment, attribute__name__in=features)
    values = list(rows.order_by("text").values_list("pk", "attribute__name", "text", "is_other"))
    at = {pk: index for index, (pk, *_) in enumerate(values)}
    homes: dict[tuple[int, int], list[int]] = {}
    for index, wanted in enumerate(spots):
        for spot in wanted:
            homes.setdefault(spot, []).append(index)
    sums = np.zeros((len(buckets), len(values), WIDTH))
    for grain, bucket, value, payload in _load(scope, homes, list(at)):
        for home in homes[grain, bucket]:
            sums[home, at[value]] += np.frombuffer(payload)
    return {feature: _classes(feature, values, sums) for feature in features}


def _classes(feature: str, values: Sequence[tuple[int, str, str, bool]], sums: Floats) -> Classes:
    own = [index for index, (_, name, _, is_other) in enumerate(values) if name == feature and not is_other]
    rest = [index for index, (_, name, _, is_other) in enumerate(values) if name == feature and is_other]
    return Classes([values[index][2] for index in own], sums[:, own], int(sums[:, rest, 0].sum()))


def _load(scope: Scope, homes: Iterable[tuple[int, int]], values: Sequence[int]) -> list[tuple[int, int, int, bytes]]:
    by_grain: dict[int, list[int]] = {}
    for grain, bucket in homes:
        by_grain.setdefault(grain, []).append(bucket)
    if not by_grain or not values:
        return []
    one = (
        "SELECT s.grain, s.bucket, s.value_id, s.payload FROM deployments_segmentvalue v JOIN deployments_state s "
        "ON s.attribute_id = v.attribute_id AND s.value_id = v.id WHERE v.id = ANY(%s) AND s.deployment_id = %s "
        "AND s.area = %s AND s.grain = %s AND s.model_id = %s AND s.bucket BETWEEN %s AND %s AND s.bucket = ANY(%s)"
    )
    params: list[int | list[int]] = []
    for grain, numbers in by_grain.items():
        key = [scope.deployment.pk, int(Area.FAIRNESS), grain, scope.model.pk]
        params += [list(values), *key, min(numbers), max(numbers), numbers]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join([one] * len(by_grain)), params)
        return list(cursor.fetchall())
