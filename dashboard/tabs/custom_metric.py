"""One custom metric as its source defines it, with its limits and the number that stands for a bucket of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.charts import words
from dashboard.charts.timeline import Limit
from dashboard.shelf import number
from metrics.health import OPERATORS
from monitoring.client import CustomRule
from monitoring.models import Status

CATEGORICAL = "categorical"
KINDS = {"sum": "sum", "average": "average", "gauge": "latest value", CATEGORICAL: "categories"}


@dataclass(frozen=True)
class Metric:
    """A definition. `lead`: of categories the one that is drawn where there is room for one number."""

    id: str
    name: str
    description: str
    kind: str
    units: str
    better: int
    baseline: float | None
    specific: bool
    shown: bool
    columns: str
    made: str
    lead: str = ""

    @property
    def categorical(self) -> bool:
        return self.kind == CATEGORICAL

    @property
    def kind_words(self) -> str:
        return KINDS.get(self.kind, self.kind)

    def text(self, value: float | None) -> str:
        """A value without its unit; shares of the leading category as percents."""
        return words.percent(value) if self.categorical else words.number(value)

    def of(self, values: Mapping[str, Any]) -> float | None:
        """The number of a bucket: its value, or the share of the leading category."""
        return category_share(values, self.lead) if self.categorical else number(dict(values))


def metric_of(row: Mapping[str, Any], summary: Mapping[str, Any]) -> Metric:
    """A definition as answered; the leading category is the most frequent one of the judged window."""
    return Metric(
        id=str(row["id"]),
        name=str(row.get("name") or row["id"]),
        description=str(row.get("description") or ""),
        kind=str(row.get("type") or ""),
        units=str(row.get("units") or ""),
        better=-1 if row.get("directionality") == "lowerIsBetter" else 1,
        baseline=_baseline(row),
        specific=row.get("isModelSpecific") is True,
        shown=row.get("displayChart") is not False,
        columns=_columns(row),
        made=str(row.get("createdAt") or ""),
        lead=_lead(row, summary),
    )


def _baseline(row: Mapping[str, Any]) -> float | None:
    found = row.get("baselineValues")
    first = found[0] if isinstance(found, list) and found and isinstance(found[0], dict) else {}
    return number(first)


def _columns(row: Mapping[str, Any]) -> str:
    """`value from amount, time from at`: the columns of data sets; "" where none is named."""
    named = [
        (word, column.get("columnName"))
        for word, name in (("value", "value"), ("samples", "sampleCount"), ("time", "timestamp"), ("batch", "batch"))
        if isinstance(column := row.get(name), dict)
    ]
    return ", ".join(f"{word} from {column}" for word, column in named if column)


def categories(values: Mapping[str, Any]) -> dict[str, float]:
    """How often each category was reported."""
    found = values.get("categories")
    rows = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    return {str(one.get("categoryName")): number(one, "count") or 0.0 for one in rows}


def category_share(values: Mapping[str, Any], name: str) -> float | None:
    """The share (0 to 1) of a category among the known ones; None without any."""
    counts = categories(values)
    whole = sum(counts.values())
    return counts.get(name, 0.0) / whole if whole else None


def _lead(row: Mapping[str, Any], summary: Mapping[str, Any]) -> str:
    counts = categories(summary)
    if counts and any(counts.values()):
        return max(counts, key=lambda name: counts[name])
    listed = row.get("categories")
    return str(listed[0]) if isinstance(listed, list) and listed else ""


@dataclass(frozen=True)
class Met:
    """A condition on a metric: what it makes of it when it comes true."""

    status: Status
    operator: str
    threshold: float

    @property
    def limit(self) -> Limit:
        word = "failing" if self.status is Status.FAILING else "at risk"
        told = f"{word} {OPERATORS[self.operator][1]} {words.number(self.threshold)}"
        above, at = self.operator in ("gt", "gte"), self.operator in ("gte", "lte")
        return Limit(self.status, self.threshold, above=above, words=told, at=at)


def conditions_of(metric: Metric, rule: CustomRule | None) -> list[Met]:
    """The conditions on a metric that can be judged, failing ones first."""
    if rule is None:
        return []
    listed = ((Status.FAILING, rule.failing_conditions), (Status.WARNING, rule.warning_conditions))
    return [
        Met(status, one.compare_operator, one.threshold)
        for status, conditions in listed
        for one in conditions or []
        if one.metric_id == metric.id and one.threshold is not None
        if one.compare_operator is not None and one.compare_operator in OPERATORS
    ]


def limits_of(metric: Metric, rule: CustomRule | None) -> tuple[Limit, ...]:
    """The conditions on a metric as limits: beyond them they come true."""
    return tuple(one.limit for one in reversed(conditions_of(metric, rule)))


def status_of(metric: Metric, rule: CustomRule | None, value: float | None) -> str:
    """The verdict on a metric alone; "" where no condition speaks of it."""
    conditions = conditions_of(metric, rule)
    if not conditions:
        return ""
    if value is None or metric.categorical:
        return Status.UNKNOWN.value
    true = (one.status.value for one in conditions if OPERATORS[one.operator][0](value, one.threshold))
    return next(true, Status.PASSING.value)


def limit_words(limits: Sequence[Limit]) -> str:
    """`at risk > 5, failing > 9`; "" without limits."""
    return ", ".join(limit.words for limit in limits)
