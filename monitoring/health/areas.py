"""The verdicts on fairness and custom metrics, where they are on.

An area that is off is unavailable: it counts for nothing and is not shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from metrics.fairness import FAIRNESS_THRESHOLD
from metrics.health import (
    OPERATORS,
    ClassFairness,
    CustomCondition,
    FairnessRule,
    Status,
    Verdict,
    judge_custom_metrics,
    judge_fairness,
)
from metrics.wording import duration
from monitoring import client
from monitoring import questions as q
from monitoring.clock import parse_duration
from monitoring.evidence import RELATIVE_FAIRNESS
from monitoring.health.parts import Judged, batches_text, no_batches, not_answered
from monitoring.models import Watched
from monitoring.poll.areas import judged_custom, judged_fairness
from monitoring.poll.facts import shaped
from monitoring.poll.standing import Facts
from monitoring.questions import Question
from monitoring.snapshots import Snapshot


def judged_area_questions(facts: Facts) -> list[Question]:
    """The questions whose answers these verdicts read."""
    asked = [question for _, question in judged_fairness(facts.areas, facts.interval)]
    summary = judged_custom(facts.interval, facts.drift_batches, batch=facts.batch)
    return [*asked, summary] if facts.areas.custom_judged and summary is not None else asked


# --- Fairness -----------------------------------------------------------------------------------------------------


def fairness(watched: Watched, known: Snapshot, facts: Facts) -> Judged:
    """From the classes of every protected feature, each by its worst watched metric."""
    asked = judged_fairness(facts.areas, facts.interval)
    if not asked:
        return Judged(Verdict(Status.UNAVAILABLE, "No protected features are chosen in the settings."))
    missing = [found for _, question in asked if (found := not_answered(known, question, "Fairness")) is not None]
    if len(missing) == len(asked):
        return Judged(missing[0])
    if watched.last_prediction_at is None:
        return Judged(Verdict(Status.NOT_STARTED, "No predictions yet."))
    classes = _classes(known, asked)
    verdict = judge_fairness(classes, fairness_rule(known))
    if missing and verdict.status is Status.PASSING:
        return Judged(missing[0])  # what is not known must not pass
    judged = [one.relative for one in classes if one.significant and one.relative is not None]
    return Judged(verdict, RELATIVE_FAIRNESS, min(judged, default=None))


def fairness_rule(known: Snapshot) -> FairnessRule:
    """The source's limits; the reference's defaults where it tells none. A null count switches its level off."""
    bias = shaped(client.Settings, known.payload(q.settings())).bias_and_fairness
    counts = shaped(client.HealthSettings, known.payload(q.health_settings())).fairness
    threshold = bias.fairness_threshold if bias is not None else None
    threshold = FAIRNESS_THRESHOLD if threshold is None else threshold
    if counts is None:
        return FairnessRule(threshold)
    return FairnessRule(threshold, counts.protected_class_failing_count, counts.protected_class_warning_count)


def _classes(known: Snapshot, asked: Sequence[tuple[str, Question]]) -> list[ClassFairness]:
    return worst_classes([(feature, shaped(client.Fairness, known.payload(one))) for feature, one in asked])


def worst_classes(answers: Sequence[tuple[str, client.Fairness]]) -> list[ClassFairness]:
    """Each class of each feature by the worst of its answers: (protected feature, answer)."""
    worst: dict[tuple[str, str], ClassFairness] = {}
    for feature, answer in answers:
        for one in (answer.summary.scores if answer.summary is not None else None) or []:
            significant = one.is_statistically_significant is not False
            found = ClassFairness(feature, one.label or "", one.value, significant)
            before = worst.get((feature, found.name))
            if before is None or _rank(found) < _rank(before):
                worst[feature, found.name] = found
    return list(worst.values())


def _rank(one: ClassFairness) -> float:
    return one.relative if one.significant and one.relative is not None else float("inf")


# --- Custom metrics -----------------------------------------------------------------------------------------------


def custom_metrics(watched: Watched, known: Snapshot, facts: Facts) -> Judged:
    """From the summary of all custom metrics, by the conditions of the health settings."""
    if not facts.areas.custom_judged:
        return Judged(Verdict(Status.UNAVAILABLE, "No condition is set on a custom metric."))
    question = judged_custom(facts.interval, facts.drift_batches, batch=facts.batch)
    if question is None:
        return Judged(no_batches(known))
    if (missing := not_answered(known, question, "Custom metrics")) is not None:
        return Judged(missing)
    summary = shaped(client.CustomSummary, known.payload(question))
    names = names_of(summary.metrics or [])
    rule = shaped(client.HealthSettings, known.payload(q.health_settings())).custom_metrics or client.CustomRule()
    failing, warning = conditions_of(rule.failing_conditions, names), conditions_of(rule.warning_conditions, names)
    if not failing and not warning:
        return Judged(Verdict(Status.UNKNOWN, "No condition speaks of a custom metric that the source tells of."))
    asked = {one.metric for one in (*failing, *warning)}
    values = {names[one.id]: one.value for one in summary.metrics or [] if one.id and names[one.id] in asked}
    window = batches_text(len(facts.drift_batches)) if facts.batch else duration(parse_duration(facts.interval))
    ever = summary.details is None or summary.details.latest_date is not None
    verdict = judge_custom_metrics(values, warning=warning, failing=failing, window=window, ever=ever)
    met = _met(failing, values) or _met(warning, values)
    evidence = {**verdict.evidence, **_named(met, names, values)} if met is not None else verdict.evidence
    return Judged(Verdict(verdict.status, verdict.reason, evidence))


def names_of(metrics: Sequence[client.CustomValue]) -> dict[str, str]:
    """A name for each id, as people know it; two of one name are told apart by the end of their ids."""
    named = [(one.id, one.name or one.id) for one in metrics if one.id]
    counts = Counter(name for _, name in named)
    return {key: name if counts[name] == 1 else f"{name} ({key[-6:]})" for key, name in named}


def conditions_of(given: Sequence[client.Condition] | None, names: dict[str, str]) -> list[CustomCondition]:
    """Those that can be judged: of a known metric, with a known operator and a threshold."""
    return [
        CustomCondition(names[one.metric_id], one.compare_operator, one.threshold)
        for one in given or []
        if one.metric_id and one.compare_operator and one.threshold is not None
        if one.metric_id in names and one.compare_operator in OPERATORS
    ]


def _met(conditions: Sequence[CustomCondition], values: dict[str, float | None]) -> CustomCondition | None:
    known = [(one, values.get(one.metric)) for one in conditions]
    return next(
        (one for one, value in known if value is not None and OPERATORS[one.operator][0](value, one.threshold)), None
    )


def _named(met: CustomCondition, names: dict[str, str], values: dict[str, float | None]) -> dict[str, object]:
    """The first condition that came true, for subjects of mails and their charts."""
    key = next(key for key, name in names.items() if name == met.metric)
    found = {"metricId": key, "name": met.metric, "operator": met.operator, "threshold": met.threshold}
    return {"condition": {**found, "value": values[met.metric]}}
