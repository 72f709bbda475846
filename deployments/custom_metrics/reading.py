"""What the values of custom metrics add up to, by time or by batch: whole days from days, edges from hours.

One SQL statement whatever the number of metrics; its rows are as many as the days and edge hours of the buckets asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import connection

from deployments.custom_metrics.keeping import COLUMNS, decode
from deployments.models import CustomMetric, DeployedModel, Grain, MonitoringBatch, SegmentValue
from deployments.rollups.read import NO_SUCH_SEGMENT, Segment
from metrics import CustomState, cover, merge_custom
from metrics.buckets import Bucket

POOLED = 0
Place = tuple[int, int]
"""A grain and a bucket number."""


@dataclass(frozen=True)
class Question:
    """Which metrics of a deployment, of which model, perhaps in which segment."""

    metrics: Sequence[CustomMetric]
    model: DeployedModel
    segment: Segment | None = None

    @property
    def models(self) -> list[int]:
        """The model under which each metric's values lie."""
        return [model_of(metric, self.model.pk) for metric in self.metrics]


def model_of(metric: CustomMetric, model_pk: int) -> int:
    """Values that are not specific to a model are pooled over all of them."""
    return model_pk if metric.is_model_specific else POOLED


def over(question: Question, buckets: Sequence[Bucket]) -> dict[int, list[CustomState]]:
    """One state a bucket, by the key of the metric; the buckets begin and end on whole hours."""
    places: list[list[Place]] = []
    for start, end in buckets:
        covered = cover(start, end)
        hours: list[Place] = [(int(Grain.HOUR), hour) for hour in covered.hours]
        places.append([*((int(Grain.DAY), day) for day in covered.days), *hours])
    return _merged(question, places)


def by_batch(question: Question, batches: Sequence[MonitoringBatch]) -> dict[int, list[CustomState]]:
    """One state a batch, by the key of the metric."""
    return _merged(question, [[(int(Grain.BATCH), batch.pk)] for batch in batches])


def hours_with_values(question: Question) -> tuple[int, int] | None:
    """The first and the last hour with a value of any of the metrics; None without any."""
    ends = "SELECT {}(bucket) FROM deployments_customvalue v WHERE v.deployment_id = %s AND v.metric_id = a.metric_id "
    ends += "AND v.grain = %s AND v.model_id = a.model_id AND v.attribute_id = 0 AND v.value_id = 0"
    deployment_id = question.model.deployment_id
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT min(low), max(high) FROM (SELECT ({ends.format('min')}) AS low, ({ends.format('max')}) AS high "  # noqa: S608
            "FROM unnest(%s::int[], %s::int[]) AS a(metric_id, model_id)) found",
            [
                *(deployment_id, int(Grain.HOUR), deployment_id, int(Grain.HOUR)),
                *([metric.pk for metric in question.metrics], question.models),
            ],
        )
        first, last = cursor.fetchone()
    return None if first is None else (first, last)


def _merged(question: Question, places: Sequence[Sequence[Place]]) -> dict[int, list[CustomState]]:
    stored = _load(question, {place for wanted in places for place in wanted})
    return {
        metric.pk: [
            merge_custom([stored[metric.pk, *place] for place in wanted if (metric.pk, *place) in stored])
            for wanted in places
        ]
        for metric in question.metrics
    }


def _load(question: Question, places: set[Place]) -> Mapping[tuple[int, int, int], CustomState]:
    segment = _segment(question)
    by_grain: dict[int, list[int]] = {}
    for grain, bucket in places:
        by_grain.setdefault(grain, []).append(bucket)
    if not by_grain or segment == NO_SUCH_SEGMENT or not question.metrics:
        return {}
    one = (
        f"SELECT v.metric_id, v.grain, v.bucket, {COLUMNS} FROM unnest(%s::int[], %s::int[]) AS a(metric_id, model_id) "  # noqa: S608
        "JOIN deployments_customvalue v ON v.deployment_id = %s AND v.metric_id = a.metric_id AND v.grain = %s "
        "AND v.model_id = a.model_id AND v.attribute_id = %s AND v.value_id = %s "
        "AND v.bucket BETWEEN %s AND %s AND v.bucket = ANY(%s)"
    )
    params: list[int | list[int]] = []
    for grain, numbers in by_grain.items():
        params += [[metric.pk for metric in question.metrics], question.models, question.model.deployment_id, grain]
        params += [*segment, min(numbers), max(numbers), numbers]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join([one] * len(by_grain)), params)
        return {tuple(row[:3]): decode(row[3:]) for row in cursor.fetchall()}


def _segment(question: Question) -> tuple[int, int]:
    if question.segment is None:
        return 0, 0
    found = SegmentValue.objects.filter(
        deployment_id=question.model.deployment_id,
        attribute__name=question.segment.attribute,
        text=question.segment.value,
        is_other=False,
    )
    return found.values_list("attribute_id", "pk").first() or NO_SUCH_SEGMENT
