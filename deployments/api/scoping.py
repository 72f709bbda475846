"""Of what a monitoring question asks: period, buckets, models, segment, batches, classes.

The pieces of queries that many operations share, and how they become a `Scope`. Whatever does not exist in the
deployment (a model, a segment attribute, a class) is a 422 that names the parameter; batches that do not exist are
left out of answers, as the reference says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from deployments.api import params
from deployments.api.errors import ValidationFailed
from deployments.models import DeployedModel, Deployment, ModelPackage, ModelRole, MonitoringBatch
from deployments.reports import segments
from deployments.rollups.read import Scope, Segment
from metrics import BucketSize, TargetType, default_bucket, fits, split
from metrics.buckets import Bucket, top_of_next_hour

DEFAULT_PERIOD = timedelta(days=7)
LONGEST = timedelta(days=366 * 10)
SIZES = ("PT1H", "P1D", "P7D", "P1M")
SERVICE_SEGMENTS = segments.SERVICE_ORDER


@dataclass(frozen=True, kw_only=True)
class PeriodQuery(params.Query):
    """`start` and `end`, whole hours; by default the seven days up to the next whole hour."""

    start: datetime | None = params.moment("start", whole_hour=True, help="First hour; default 7 days before the end.")
    end: datetime | None = params.moment("end", whole_hour=True, help="End, exclusive; default the next whole hour.")

    @property
    def period(self) -> Bucket:
        """The period asked, `[start, end)`."""
        end = self.end or top_of_next_hour(self.now)
        return self.start or end - DEFAULT_PERIOD, end

    def problems(self) -> dict[str, str]:
        start, end = self.period
        if start >= end:
            return {"start": "Must lie before the end of the period."}
        return {"start": "The period is longer than ten years."} if end - start > LONGEST else {}


@dataclass(frozen=True, kw_only=True)
class BucketQuery(PeriodQuery):
    """A period in buckets; without a size one that suits the length of the period."""

    bucket_size: BucketSize | None = params.duration("bucketSize", help="A multiple of one hour, ISO 8601.")

    @property
    def buckets(self) -> list[Bucket]:
        """The buckets in order; the last one may be cut."""
        start, end = self.period
        return split(start, end, self.bucket_size or default_bucket(start, end))

    def problems(self) -> dict[str, str]:
        found = super().problems()
        if found or self.bucket_size is None:
            return found
        start, end = self.period
        if not fits(self.bucket_size, start, end):
            return {"bucketSize": "Must not be longer than the period."}
        length = timedelta(hours=self.bucket_size.hours) or timedelta(days=28 * self.bucket_size.months)
        if (end - start) / length > settings.MAX_BUCKETS:
            return {"bucketSize": f"Would make more than {settings.MAX_BUCKETS} buckets."}
        return {}


@dataclass(frozen=True, kw_only=True)
class NamedBucketQuery(BucketQuery):
    """As BucketQuery, with one of four sizes."""

    bucket_size: BucketSize | None = params.duration("bucketSize", allowed=SIZES)


@dataclass(frozen=True, kw_only=True)
class SegmentQuery(params.Query):
    """One segment; without a value there is none, and the empty value means rows without one."""

    segment_attribute: str | None = params.text("segmentAttribute", help="The attribute to segment by.")
    segment_value: str | None = params.text("segmentValue", help="The value; empty for rows without a value.")

    def problems(self) -> dict[str, str]:
        found = super().problems()
        if self.segment_value and self.segment_attribute is None:
            found["segmentAttribute"] = "Needed when segmentValue is given."
        return found


@dataclass(frozen=True, kw_only=True)
class ServiceSegmentQuery(SegmentQuery):
    """One segment of service events."""

    segment_attribute: str | None = params.choice("segmentAttribute", SERVICE_SEGMENTS)


@dataclass(frozen=True, kw_only=True)
class ModelQuery(params.Query):
    """One model; the champion by default."""

    model_id: str | None = params.text("modelId", help="The model; the champion when absent.")


@dataclass(frozen=True, kw_only=True)
class ModelsQuery(params.Query):
    """One model or several; the champion by default."""

    model_ids: tuple[str, ...] = params.many("modelId", at_most=10, help="The models; the champion when absent.")


@dataclass(frozen=True, kw_only=True)
class BatchQuery(params.Query):
    """Some batches."""

    batch_ids: tuple[str, ...] = params.many("batchId", at_most=1000, help="The batches.")


@dataclass(frozen=True, kw_only=True)
class ClassQuery(params.Query):
    """Some classes of the target."""

    target_class: tuple[str, ...] = params.many("targetClass", at_most=100, split=False, help="Classes to show.")


@dataclass(frozen=True, kw_only=True)
class ClassesQuery(ClassQuery):
    """Some classes of the target, also as one comma-separated value."""

    target_classes: tuple[str, ...] = params.many("targetClasses", at_most=100, help="Classes, comma separated.")


def scope(deployment: Deployment, model_id: str | None, query: SegmentQuery | None = None) -> Scope:
    """What is asked about: the deployment, a model of it, perhaps a segment."""
    segment = None if query is None else segment_of(deployment, query)
    return Scope(deployment=deployment, model=model_of(deployment, model_id), segment=segment)


def scopes(deployment: Deployment, model_ids: Sequence[str], query: SegmentQuery) -> list[Scope]:
    """One scope for each model that was asked for."""
    first = scope(deployment, model_ids[0] if model_ids else None, query)
    return [first, *(replace(first, model=model_of(deployment, other)) for other in model_ids[1:])]


def model_of(deployment: Deployment, model_id: str | None) -> DeployedModel:
    """A model of the deployment, or its champion; 422 if there is none."""
    champion = deployment.champion
    if champion is not None and model_id in (None, champion.public_id):
        return champion
    known = deployment.models.exclude(role=ModelRole.REMOVED).select_related("package")
    found = known.filter(package__model_id=model_id).first()
    if found is None:
        raise ValidationFailed({"modelId": "There is no such model in this deployment."})
    return found


def model_or_package(deployment: Deployment, model_id: str | None, package_id: str | None) -> DeployedModel:
    """A model by its own id or by that of its package, by default the champion; 422 if there is none or they differ."""
    if package_id is None:
        return model_of(deployment, model_id)
    found = deployment.models.select_related("package", "deployment").filter(package__public_id=package_id).first()
    if found is None:
        raise ValidationFailed({"modelPackageId": "There is no such model package in this deployment."})
    if model_id not in (None, found.public_id):
        raise ValidationFailed({"modelId": "This is not the model of modelPackageId."})
    return found


def segment_of(deployment: Deployment, query: SegmentQuery) -> Segment | None:
    """The segment that was asked for; 422 for an attribute that was never followed."""
    if query.segment_attribute is None or query.segment_value is None:
        return None
    of_service_only = query.segment_attribute in SERVICE_SEGMENTS[1:] and not isinstance(query, ServiceSegmentQuery)
    if of_service_only or not segments.is_known(deployment, query.segment_attribute):
        raise ValidationFailed({"segmentAttribute": f"{query.segment_attribute} is not a segment attribute here."})
    return Segment(query.segment_attribute, query.segment_value)


def segment_json(query: SegmentQuery) -> dict[str, Any]:
    """The segment as answers repeat it; null without one."""
    segmented = query.segment_attribute is not None and query.segment_value is not None
    return {
        "segmentAttribute": query.segment_attribute if segmented else None,
        "segmentValue": query.segment_value if segmented else None,
    }


def batches_of(deployment: Deployment, ids: Sequence[str]) -> list[MonitoringBatch]:
    """The batches with these ids in the order of their making; without ids the newest ones, oldest first."""
    rows = MonitoringBatch.objects.filter(deployment=deployment)
    if ids:
        return list(rows.filter(public_id__in=ids).order_by("created_at", "pk"))
    return list(reversed(rows.order_by("-created_at", "-pk")[: settings.PAGE_SIZE]))


def classes_of(package: ModelPackage, query: ClassQuery) -> tuple[str, ...]:
    """The classes that were asked for, () when none was; 422 for one that the model does not have."""
    wanted = query.target_class + (query.target_classes if isinstance(query, ClassesQuery) else ())
    strange = [name for name in wanted if name not in package.class_names]
    if strange:
        known = ", ".join(map(str, package.class_names)) or "a target without classes"
        raise ValidationFailed({"targetClass": f"No class called {strange[0]}; known: {known}."})
    return tuple(dict.fromkeys(wanted))


def metric_of(package: ModelPackage, metric: str | None, of_target: Sequence[str], default: str) -> str:
    """An accuracy metric; 422 for one that does not fit the model's kind of target."""
    chosen = metric or default
    if chosen not in of_target:
        kind = TargetType(package.target_type).value
        raise ValidationFailed({"metric": f"{chosen} does not fit a {kind} target; known: {', '.join(of_target)}."})
    return chosen
