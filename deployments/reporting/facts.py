"""What a report says of a deployment: its verdicts, and the days of the period as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from deployments import settings_rules
from deployments.models import DeployedModel, Deployment
from deployments.reports import accuracy, drift
from deployments.rollups import read
from deployments.rollups.read import Scope
from deployments.rollups.states import AccuracyState, PredictionState, ServiceState
from metrics import JUDGED_METRIC
from metrics.buckets import Bucket, hour_ordinal, hour_start
from metrics.service import column

MOST_FEATURES = 5
AREAS = {"service": "Service", "model": "Drift", "accuracy": "Accuracy"}


@dataclass(frozen=True)
class Judged:
    """An area with its verdict."""

    area: str
    status: str
    message: str


@dataclass(frozen=True)
class Series:
    """One number by day: `values[i]` is that of `starts[i]`, None for a gap. `is_rate`: shares of 1."""

    title: str
    starts: Sequence[datetime]
    values: Sequence[float | None]
    baseline: float | None = None
    limit: float | None = None
    is_rate: bool = False
    bars: bool = False

    def __post_init__(self) -> None:
        # what differs only by the order of adding is one value
        object.__setattr__(self, "values", tuple(None if v is None else float(f"{v:.9g}") for v in self.values))

    @property
    def is_empty(self) -> bool:
        return all(value is None for value in self.values)

    @property
    def metric(self) -> str:
        """The name of the number without what it is of."""
        return self.title.split(" of ")[0]


@dataclass(frozen=True)
class Facts:
    """Everything about one deployment."""

    label: str
    public_id: str
    model: str
    importance: str
    predictions: int
    judged: Sequence[Judged]
    series: Sequence[Series] = field(default_factory=tuple)


def days_of(now: datetime, days: int) -> list[Bucket]:
    """Whole UTC days up to yesterday, and today as far as its last whole hour."""
    end = hour_start(hour_ordinal(now))
    midnight = end.replace(hour=0)
    found = [(midnight - timedelta(days=back), midnight - timedelta(days=back - 1)) for back in range(days, 0, -1)]
    return [*found, (midnight, end)] if end > midnight else found


def gather(deployment: Deployment, now: datetime, days: int) -> Facts:
    """The facts of a deployment over so many days before today, and today."""
    champion = deployment.champion
    judged = [_judged(deployment, area) for area in AREAS]
    if champion is None:
        return Facts(deployment.label, deployment.public_id, "No model", deployment.importance, 0, judged)
    buckets, scope = days_of(now, days), Scope(deployment, champion)
    served, made = read.service_over(scope, buckets), read.predictions_over(scope, buckets)
    scored = read.accuracy_over(scope, buckets)
    starts = [start for start, _ in buckets]
    rows = [int(state.n_rows) for state in made]
    series = [
        Series("Predictions", starts, [float(n) if n else None for n in rows], bars=True),
        Series("Server errors of all requests", starts, [_error_rate(state) for state in served], is_rate=True),
        *_drift(deployment, champion, starts, made),
        _accuracy(deployment, champion, starts, scored),
    ]
    return Facts(
        label=deployment.label,
        public_id=deployment.public_id,
        model=champion.package.name,
        importance=deployment.importance,
        predictions=sum(rows),
        judged=judged,
        series=[one for one in series if not one.is_empty],
    )


def _judged(deployment: Deployment, area: str) -> Judged:
    known = deployment.health.get(area, {})
    return Judged(AREAS[area], known.get("status", "not_started"), known.get("message") or "")


def _error_rate(state: ServiceState) -> float | None:
    requests = float(column(state.sums, "requests"))
    return float(column(state.sums, "server_errors")) / requests if requests else None


def _drift(
    deployment: Deployment, champion: DeployedModel, starts: Sequence[datetime], made: Sequence[PredictionState]
) -> list[Series]:
    """The target, and the features that drifted most on their worst day."""
    limit = settings_rules.health_settings(deployment).data_drift.drift_threshold
    tracked = [drift.tracked_target(champion.package, None), *drift.tracked_features(champion.package, None)]
    usable = [one for one in tracked if one.bins is not None and one.counts is not None]
    found = [(one, drift.scores(one, made, "psi")) for one in usable]
    target = [pair for pair in found if pair[0].is_target]
    features = sorted(
        (pair for pair in found if not pair[0].is_target), key=lambda pair: -max(v or 0.0 for v in pair[1])
    )
    return [
        Series(f"PSI of {'the prediction' if one.is_target else one.name}", starts, values, limit=limit)
        for one, values in [*target, *features[:MOST_FEATURES]]
    ]


def _accuracy(
    deployment: Deployment, champion: DeployedModel, starts: Sequence[datetime], scored: Sequence[AccuracyState]
) -> Series:
    package = champion.package
    metric = settings_rules.health_settings(deployment).accuracy.metric or JUDGED_METRIC[package.kind]
    values = accuracy.measure(package, scored, metric, ()).values
    return Series(metric, starts, values, baseline=accuracy.baseline_of(package, metric))
