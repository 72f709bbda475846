"""The past of fairness and custom metrics: every stored answer that verdicts were made from, and days' own buckets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from metrics.fairness import FAIRNESS_THRESHOLD
from metrics.health import ClassFairness, FairnessRule, Verdict, judge_custom_metrics, judge_fairness
from monitoring import client
from monitoring import questions as q
from monitoring.health.areas import conditions_of, names_of, worst_classes
from monitoring.kept_buckets import Point
from monitoring.poll.areas import judged_custom, judged_fairness
from monitoring.poll.facts import shaped
from monitoring.poll.standing import Facts
from monitoring.questions import Between, Question
from monitoring.snapshots import Snapshot


@dataclass(frozen=True, slots=True)
class FairnessPoint:
    """The classes of all protected features over one window, each by its worst metric."""

    at: datetime
    classes: tuple[ClassFairness, ...]
    exact: bool = True


@dataclass(frozen=True, slots=True)
class CustomPoint:
    """The values of custom metrics over one window, by id, and their names."""

    at: datetime
    values: Mapping[str, float | None]
    names: Mapping[str, str]
    window: str
    exact: bool = True


@dataclass(frozen=True, slots=True)
class AreaPast:
    """`fairness_threshold`: of the settings as they are now; it is no health setting."""

    fairness: tuple[FairnessPoint, ...] = ()
    custom: tuple[CustomPoint, ...] = ()
    fairness_threshold: float = field(default=FAIRNESS_THRESHOLD)


Stored = Mapping[str, Sequence[tuple[datetime, Any, bool]]]


def live_questions(facts: Facts) -> list[Question]:
    """Whose stored answers are read."""
    summary = judged_custom(facts.interval, facts.drift_batches, batch=facts.batch)
    custom = [summary] if summary is not None and not facts.batch else []
    return [*(question for _, question in judged_fairness(facts.areas, facts.interval)), *custom]


def series_questions(facts: Facts, span: Between) -> list[Question]:
    """What is read by day."""
    metric = facts.areas.fairness_metrics[0] or None
    asked = [q.fairness_over_time(name, span, metric=metric) for name in facts.areas.protected]
    return asked + [q.custom_over_time(one, span) for one in facts.areas.custom]


# --- Points -------------------------------------------------------------------------------------------------------


def fairness_points(stored: Stored, facts: Facts) -> list[FairnessPoint]:
    """A point whenever one of the answers changed, made of the newest of each."""
    asked = judged_fairness(facts.areas, facts.interval)
    feature_of = {question.key: feature for feature, question in asked}
    events = sorted(
        ((at, key, payload) for key in feature_of for at, payload, _ in stored[key]),
        key=lambda one: one[0],
    )
    newest: dict[str, client.Fairness] = {}
    points: dict[datetime, FairnessPoint] = {}
    for at, key, payload in events:
        newest[key] = shaped(client.Fairness, payload if isinstance(payload, dict) else {})
        answers = [(feature_of[one], found) for one, found in newest.items()]
        points[at] = FairnessPoint(at, tuple(worst_classes(answers)))
    return list(points.values())


def fairness_days(known: Snapshot, facts: Facts, span: Between) -> dict[date, list[ClassFairness]]:
    """The classes of each day by its own bucket."""
    found: dict[date, list[ClassFairness]] = {}
    metric = facts.areas.fairness_metrics[0] or None
    for feature in facts.areas.protected:
        view = known.series(q.fairness_over_time(feature, span, metric=metric))
        for point in view.points if view is not None else ():
            summary = shaped(client.Fairness, {"summary": {"scores": point.values.get("scores")}})
            found.setdefault(point.start.date(), []).extend(worst_classes([(feature, summary)]))
    return found


def custom_points(stored: Stored, facts: Facts, window: str) -> list[CustomPoint]:
    """A point for each answer of the summary."""
    question = judged_custom(facts.interval, facts.drift_batches, batch=facts.batch)
    if question is None or question.key not in stored:
        return []
    points = []
    for at, payload, _ in stored[question.key]:
        metrics = shaped(client.CustomSummary, payload if isinstance(payload, dict) else {}).metrics or []
        points.append(CustomPoint(at, {one.id: one.value for one in metrics if one.id}, names_of(metrics), window))
    return points


def custom_days(
    known: Snapshot, facts: Facts, span: Between
) -> tuple[dict[date, dict[str, float | None]], dict[str, str]]:
    """The values of each day by its own bucket, and the names of the metrics."""
    listed = shaped(client.CustomMetrics, known.payload(q.custom_metrics())).data or []
    names = names_of([client.CustomValue(id=one.id, name=one.name) for one in listed])
    found: dict[date, dict[str, float | None]] = {}
    for key in facts.areas.custom:
        view = known.series(q.custom_over_time(key, span))
        for point in view.points if view is not None else ():
            if (value := _value(point)) is not None:
                found.setdefault(point.start.date(), {})[key] = value
    return found, {key: names.get(key, key) for key in facts.areas.custom}


def _value(point: Point) -> float | None:
    return point.number()


# --- Judging ------------------------------------------------------------------------------------------------------


def judge_fairness_point(point: FairnessPoint, past: AreaPast, settings: client.HealthSettings) -> Verdict:
    """By the counts of these settings and the threshold of now."""
    counts = settings.fairness
    rule = FairnessRule(past.fairness_threshold)
    if counts is not None:
        rule = FairnessRule(
            past.fairness_threshold, counts.protected_class_failing_count, counts.protected_class_warning_count
        )
    return judge_fairness(point.classes, rule)


def judge_custom_point(point: CustomPoint, settings: client.HealthSettings) -> Verdict:
    """By the conditions of these settings."""
    rule = settings.custom_metrics or client.CustomRule()
    names = dict(point.names)
    failing, warning = conditions_of(rule.failing_conditions, names), conditions_of(rule.warning_conditions, names)
    asked = {one.metric for one in (*failing, *warning)}
    values = {names[key]: value for key, value in point.values.items() if key in names and names[key] in asked}
    return judge_custom_metrics(values, warning=warning, failing=failing, window=point.window)
