"""A quieter limit for a noisy rule, found by trying limits on the past."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
import numpy as np

from metrics.accuracy import ACCURACY_METRICS, Direction, percent_change
from metrics.health import Measurement
from monitoring import client
from monitoring.backtest.past import Past
from monitoring.backtest.run import Backtest, run
from monitoring.client import schemas
from monitoring.health import accuracy_rule, drift_rule
from monitoring.incidents.policy import Policy
from monitoring.models import Area
from monitoring.poll.facts import judged_metric

#: Limits that are tried.
TRIES = 24


@dataclass(frozen=True, slots=True)
class Proposal:
    """`limit` is the drift threshold, or the factor by which both accuracy limits are widened."""

    area: Area
    settings: client.HealthSettings
    limit: float
    words: str
    before: Backtest
    after: Backtest


def propose(
    past: Past,
    area: Area,
    *,
    policy: Policy | None = None,
    share: float = 0.5,
    keep: Collection[datetime] = (),
) -> Proposal | None:
    """The least change of the limit of an area that leaves at most `share` of its messages.

    `keep` are times at which there was real trouble (incidents that somebody called useful): a limit that has no
    incident at one of them is not proposed. None where there is nothing to quieten, or no limit does.
    """
    if area not in _CANDIDATES:
        return None
    before = run(past, policy=policy)
    result = before.areas.get(area)
    if result is None or not result.told:
        return None
    most = int(len(result.told) * share)
    for limit, settings, words in _CANDIDATES[area](past):
        tried = run(past, settings, policy, areas=(area,))
        found = tried.areas.get(area)
        if found is not None and len(found.told) <= most and _keeps(tried, area, keep):
            return Proposal(area, settings, limit, words, before, run(past, settings, policy))
    return None


def _keeps(after: Backtest, area: Area, keep: Collection[datetime]) -> bool:
    spans = [(one.course.began_at, one.course.resolved_at) for one in after.areas[area].incidents]
    return all(any(start <= at and (end is None or at <= end) for start, end in spans) for at in keep)


Candidates = Sequence[tuple[float, client.HealthSettings, str]]


def _drift_limits(past: Past) -> Candidates:
    """Drift thresholds just above scores that were seen, from the present one up."""
    usual = drift_rule(past.settings)
    present = usual.drift_threshold
    scores = {one.score for point in past.drift for one in point.features if one.score is not None}
    rule = past.settings.data_drift or schemas.DriftRule(
        high_importance_failing_count=usual.high_importance_failing_count,
        low_importance_warning_count=usual.low_importance_warning_count,
    )
    found = []
    for limit in _spread([score for score in scores if score > present]):
        settings = msgspec.structs.replace(
            past.settings, data_drift=msgspec.structs.replace(rule, drift_threshold=limit)
        )
        found.append((limit, settings, f"drift threshold {limit:g} instead of {present:g}"))
    return found


def _accuracy_limits(past: Past) -> Candidates:
    """Both limits wider by one factor, so that at risk stays before failing."""
    metric = judged_metric(past.target_type, past.settings)
    if not metric:
        return []
    rule = accuracy_rule(past.settings, metric)
    if rule.measurement is Measurement.VALUE or not rule.warning_threshold:
        return []
    direction = ACCURACY_METRICS[metric].direction
    worse = _worsenings(past, metric, direction)
    stored = past.settings.accuracy or schemas.AccuracyRule()
    found = []
    for limit in _spread([change for change in worse if change > rule.warning_threshold]):
        factor = limit / rule.warning_threshold
        failing = round(rule.failing_threshold * factor, 2) if rule.failing_threshold is not None else None
        changed = msgspec.structs.replace(
            stored, measurement=rule.measurement.value, warning_threshold=limit, failing_threshold=failing
        )
        settings = msgspec.structs.replace(past.settings, accuracy=changed)
        found.append((limit, settings, f"at risk from {limit:g} % instead of {rule.warning_threshold:g} %"))
    return found


def _worsenings(past: Past, metric: str, direction: Direction) -> list[float]:
    found = []
    for point in past.accuracy:
        value, baseline = point.metrics.get(metric, (None, None))
        change = percent_change(value, baseline, direction, digits=None)
        if change is not None and change < 0:
            found.append(-change)
    return found


def _spread(values: Sequence[float]) -> list[float]:
    """At most TRIES limits, rounded up to two digits behind the point, least first; the last is above everything."""
    if not values:
        return []
    found = np.quantile(np.asarray(values), np.linspace(0, 1, TRIES))
    return sorted({round(float(np.ceil(value * 100) / 100), 2) for value in found})


_CANDIDATES = {Area.DRIFT: _drift_limits, Area.ACCURACY: _accuracy_limits}
