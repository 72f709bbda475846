"""Making, changing and deleting custom metrics; each change is audited."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, transaction
from msgspec import UNSET

from deployments.audit import record
from deployments.custom_metrics.bodies import ColumnName, MetricCreate, MetricUpdate, TimestampColumn
from deployments.models import CustomKinds, CustomMetric, CustomRow, CustomValue, Deployment, Directionality

MOST_METRICS = 25
_SAMPLE = datetime(2026, 11, 25, 17, 42, 31, tzinfo=UTC)


class NotPossible(ValueError):
    """The change is against the rules; `errors` by field."""

    def __init__(self, **errors: str) -> None:
        self.errors = errors
        super().__init__("; ".join(errors.values()))


@transaction.atomic
def create(deployment: Deployment, user: User | None, body: MetricCreate) -> CustomMetric:
    """A new metric; raises NotPossible for a name in use, beyond MOST_METRICS, and for what does not fit its type."""
    Deployment.objects.select_for_update(no_key=True).get(pk=deployment.pk)
    own = CustomMetric.objects.filter(deployment=deployment)
    if own.count() >= MOST_METRICS:
        raise NotPossible(name=f"At most {MOST_METRICS} custom metrics a deployment.")
    _free(own.values_list("name", flat=True), body.name)
    if body.directionality is None and body.type != CustomKinds.CATEGORICAL.value:
        raise NotPossible(directionality="This field is required.")
    fields = {
        "name": body.name,
        "kind": body.type,
        "directionality": body.directionality or Directionality.HIGHER,
        "is_model_specific": body.is_model_specific,
        "description": body.description or "",
        "units": body.units or "",
        "display_chart": body.display_chart,
        "baseline_values": _baselines(body.baseline_values),
        **_categories(body.type, body.categories),
        **_columns(body),
    }
    metric = CustomMetric.objects.create(deployment=deployment, created_by=user, **fields)
    record(deployment, user, "customMetric.created", {}, {"id": metric.public_id, **fields})
    return metric


@transaction.atomic
def update(metric: CustomMetric, user: User | None, body: MetricUpdate) -> CustomMetric:
    """Change a metric; raises NotPossible for a name in use, and for a type that its values do not fit."""
    row = (
        CustomMetric.objects.select_for_update(of=("self",), no_key=True).select_related("deployment").get(pk=metric.pk)
    )
    wanted: dict[str, Any] = {
        "name": body.name,
        "kind": body.type,
        "directionality": body.directionality,
        "description": body.description or ("" if body.description is not UNSET else UNSET),
        "units": body.units or ("" if body.units is not UNSET else UNSET),
        "display_chart": body.display_chart,
    }
    fields = {name: value for name, value in wanted.items() if value is not UNSET}
    if body.baseline_values is not UNSET:
        fields["baseline_values"] = _baselines(body.baseline_values)
    if "name" in fields:
        others = CustomMetric.objects.filter(deployment=row.deployment).exclude(pk=row.pk)
        _free(others.values_list("name", flat=True), fields["name"])
    if "kind" in fields:
        _fits(row, fields["kind"])
    if body.categories is not UNSET:
        fields |= _categories(fields.get("kind", row.kind), body.categories)
    fields |= _columns(body)
    before = {name: getattr(row, name) for name in fields}
    for name, value in fields.items():
        setattr(row, name, value)
    if fields:
        row.save(update_fields=list(fields))
        record(row.deployment, user, "customMetric.updated", before, fields)
    return row


@transaction.atomic
def delete(metric: CustomMetric, user: User | None) -> None:
    """Remove a metric with its values, and the health conditions that speak of it."""
    deployment = Deployment.objects.select_for_update(no_key=True).get(pk=metric.deployment_id)
    CustomMetric.objects.select_for_update(no_key=True).get(pk=metric.pk)
    for table in (CustomValue, CustomRow):
        table.objects.filter(deployment_id=deployment.pk, metric_id=metric.pk).delete()
    _forget_conditions(deployment, user, metric.public_id)
    record(deployment, user, "customMetric.deleted", {"id": metric.public_id, "name": metric.name}, {})
    metric.delete()


def has_values(metric: CustomMetric) -> bool:
    """Whether any value was ever reported and is kept."""
    return CustomValue.objects.filter(deployment_id=metric.deployment_id, metric_id=metric.pk).exists()


def forget_batch(deployment_id: int, batch_pk: int, grain: int) -> None:
    """Remove what was reported for a batch, of all metrics."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM deployments_customvalue WHERE deployment_id = %s AND grain = %s AND bucket = %s",
            [deployment_id, grain, batch_pk],
        )


def _free(taken: Any, name: str) -> None:
    if name in set(taken):
        raise NotPossible(name=f"There is a custom metric called {name} already.")


def _fits(metric: CustomMetric, kind: str) -> None:
    """Numbers and categories cannot become one another."""
    crossed = (CustomKinds.CATEGORICAL in (kind, metric.kind)) and kind != metric.kind
    if crossed and has_values(metric):
        raise NotPossible(type=f"There are values already, and those of type {metric.kind} cannot be read as {kind}.")


def _baselines(given: Any) -> list[float]:
    values = [float(one.value) for one in given]
    if not all(map(math.isfinite, values)):
        raise NotPossible(baselineValues="Must be finite numbers.")
    return values


def _categories(kind: str, names: list[str]) -> dict[str, Any]:
    if names and kind != CustomKinds.CATEGORICAL:
        raise NotPossible(categories="Only a categorical metric has categories.")
    if len(set(names)) != len(names):
        raise NotPossible(categories="A category is there twice.")
    return {"categories": names, "categories_declared": bool(names)}


def _columns(body: MetricCreate | MetricUpdate) -> dict[str, str]:
    """The columns that the body names or clears; raises NotPossible for a format that is none."""
    found: dict[str, str] = {}
    for field, given in (
        ("value_column", body.value),
        ("sample_count_column", body.sample_count),
        ("timestamp_column", body.timestamp),
        ("batch_column", body.batch),
    ):
        if given is not UNSET:
            found[field] = given.column_name if isinstance(given, ColumnName) else ""
    given = body.timestamp
    if given is not UNSET:
        found["timestamp_format"] = checked_format(given)
    return found


def checked_format(given: TimestampColumn | None) -> str:
    """The format of times, "" for RFC 3339; raises NotPossible for one that cannot be read back."""
    text = (given.time_format or "") if given is not None else ""
    try:
        if text and "%" not in text:
            raise ValueError("no directive")
        datetime.strptime(_SAMPLE.strftime(text), text)  # noqa: DTZ007
    except ValueError:
        raise NotPossible(**{"timestamp.timeFormat": f"{text!r} is not a format of strptime."}) from None
    return text


def _forget_conditions(deployment: Deployment, user: User | None, metric_id: str) -> None:
    rules = dict(deployment.health_settings.get("customMetrics", {}))
    kept = {name: [one for one in found if one.get("metricId") != metric_id] for name, found in rules.items()}
    if kept == rules:
        return
    before, deployment.health_settings = (
        deployment.health_settings,
        {**deployment.health_settings, "customMetrics": kept},
    )
    deployment.save(update_fields=["health_settings"])
    record(deployment, user, "healthSettings.updated", before, deployment.health_settings)
