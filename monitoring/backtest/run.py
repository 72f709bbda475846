"""Judges a past by health settings and plays its incidents. Pure, and the same rules as production."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from metrics.health import AccuracyRule, DriftRule, Verdict, judge_accuracy
from monitoring import client
from monitoring.backtest.areas import judge_custom_point, judge_fairness_point
from monitoring.backtest.past import AccuracyPoint, DriftPoint, Past, day_of
from monitoring.health import accuracy_rule, drift_rule, judge_drift_features
from monitoring.incidents.play import Played, Seen, Told, play
from monitoring.incidents.policy import Policy
from monitoring.models import Area, Status
from monitoring.poll.facts import judged_metric

_TROUBLE = frozenset({Status.WARNING, Status.FAILING})


@dataclass(frozen=True, slots=True)
class AreaResult:
    """`days`: the worst verdict of each day that has one, by the rule of the strips (trouble that was seen stays)."""

    area: Area
    days: Mapping[date, Status]
    incidents: tuple[Played, ...]
    exact: bool = True

    @property
    def warning_days(self) -> tuple[date, ...]:
        return tuple(sorted(day for day, status in self.days.items() if status == Status.WARNING))

    @property
    def failing_days(self) -> tuple[date, ...]:
        return tuple(sorted(day for day, status in self.days.items() if status == Status.FAILING))

    @property
    def told(self) -> tuple[Told, ...]:
        """What would have been told, in order of time."""
        return tuple(sorted((told for one in self.incidents for told in one.told), key=lambda told: told.at))


@dataclass(frozen=True, slots=True)
class Backtest:
    """The result for every area that has a past. Days count once, at their worst area."""

    areas: Mapping[Area, AreaResult]

    def _worst(self) -> dict[date, Status]:
        worst: dict[date, Status] = {}
        for result in self.areas.values():
            for day, status in result.days.items():
                if status in _TROUBLE and worst.get(day) != Status.FAILING:
                    worst[day] = status
        return worst

    @property
    def warning_days(self) -> int:
        return sum(status == Status.WARNING for status in self._worst().values())

    @property
    def failing_days(self) -> int:
        return sum(status == Status.FAILING for status in self._worst().values())

    @property
    def incidents(self) -> int:
        return sum(len(result.incidents) for result in self.areas.values())

    @property
    def notices(self) -> int:
        """Messages a reader who hears everything would have got."""
        return sum(len(result.told) for result in self.areas.values())


@dataclass(frozen=True, slots=True)
class Comparison:
    """The present settings and others over the same past."""

    current: Backtest
    proposed: Backtest

    def sentence(self, days: int) -> str:
        """`With these settings: 9 days at risk and 2 failing of the last 90, 4 messages instead of 31.`"""
        new, old = self.proposed, self.current
        return (
            f"With these settings: {new.warning_days} days at risk and {new.failing_days} failing of the last {days}, "
            f"{new.notices} messages instead of {old.notices}."
        )


def run(
    past: Past,
    settings: client.HealthSettings | None = None,
    policy: Policy | None = None,
    areas: Collection[Area] = tuple(Area),
) -> Backtest:
    """What these settings and this patience would have made of the past; None: the present settings, the defaults."""
    chosen, patience = settings if settings is not None else past.settings, policy or Policy()
    seen = {**past.recorded, **judged(past, chosen, areas)}
    return Backtest(
        {
            area: AreaResult(
                area=area,
                days=_days(points),
                incidents=tuple(play(points, patience.for_area(area), importance=past.importance, until=past.until)),
                exact=past.is_exact(area),
            )
            for area, points in seen.items()
            if points and area in areas
        }
    )


def compare(
    past: Past,
    proposed: client.HealthSettings,
    *,
    policy: Policy | None = None,
    proposed_policy: Policy | None = None,
) -> Comparison:
    """The present settings beside proposed ones."""
    return Comparison(run(past, policy=policy), run(past, proposed, proposed_policy or policy))


def judged(
    past: Past, settings: client.HealthSettings, areas: Collection[Area] = tuple(Area)
) -> dict[Area, Sequence[Seen]]:
    """The verdicts that these settings give, in order of time."""
    found: dict[Area, Sequence[Seen]] = {}
    if past.drift and Area.DRIFT in areas:
        rule, first = drift_rule(settings), _first_drift(past.drift)
        found[Area.DRIFT] = [_drift(point, rule, first) for point in past.drift]
    metric = judged_metric(past.target_type, settings)
    if past.accuracy and metric and Area.ACCURACY in areas:
        limits = accuracy_rule(settings, metric)
        found[Area.ACCURACY] = [_accuracy(point, limits) for point in past.accuracy]
    if past.areas.fairness and Area.FAIRNESS in areas:
        found[Area.FAIRNESS] = [
            _seen(point.at, judge_fairness_point(point, past.areas, settings)) for point in past.areas.fairness
        ]
    if past.areas.custom and Area.CUSTOM_METRICS in areas:
        found[Area.CUSTOM_METRICS] = [
            _seen(point.at, judge_custom_point(point, settings)) for point in past.areas.custom
        ]
    return found


def _first_drift(points: Sequence[DriftPoint]) -> datetime | None:
    return next((point.at for point in points if any(one.rows for one in point.features)), None)


def _drift(point: DriftPoint, rule: DriftRule, first: datetime | None) -> Seen:
    ever = first is not None and first <= point.at
    return _seen(point.at, judge_drift_features(list(point.features), rule, window=point.window, ever=ever).verdict)


def _accuracy(point: AccuracyPoint, rule: AccuracyRule) -> Seen:
    value, baseline = point.metrics.get(rule.metric, (None, None))
    verdict = judge_accuracy(value, baseline, rule, rows=point.rows, window=point.window, ever=point.ever)
    return _seen(point.at, verdict)


def _seen(at: datetime, verdict: Verdict) -> Seen:
    return Seen(at, Status(verdict.status.value), verdict.reason)


def _days(points: Sequence[Seen]) -> dict[date, Status]:
    found: dict[date, Status] = {}
    for seen in points:
        day = day_of(seen.at)
        before = found.get(day, seen.status)
        found[day] = before if before in _TROUBLE and before.severity > seen.status.severity else seen.status
    return found
