"""The verdict on custom metrics: the conditions of the health settings against what the values add up to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from deployments.custom_metrics import definitions, reading
from deployments.custom_metrics.reading import Question
from deployments.models import CustomMetric, DeployedModel, MonitoringBatch
from deployments.reports import custom
from deployments.settings_schema import Condition, CustomRule
from metrics import CustomCondition, CustomState, Verdict, judge_custom_metrics, merge_custom
from metrics.buckets import Bucket


def judge(model: DeployedModel, rule: CustomRule, span: Bucket | Sequence[MonitoringBatch], window: str) -> Verdict:
    """Over a period or over some batches, which `window` names."""
    asked = {one.metric_id for one in [*rule.warning_conditions, *rule.failing_conditions]}
    own = CustomMetric.objects.filter(deployment_id=model.deployment_id, public_id__in=asked)
    metrics = list(own) if asked else []
    states = _states(Question(metrics, model), span)
    values = {metric.name: custom.value_of(metric, merge_custom(states[metric.pk])) for metric in metrics}
    names = {metric.public_id: metric.name for metric in metrics}
    return judge_custom_metrics(
        values,
        warning=_conditions(rule.warning_conditions, names),
        failing=_conditions(rule.failing_conditions, names),
        window=window,
        ever=any(definitions.has_values(metric) for metric in metrics),
    )


def _states(question: Question, span: Bucket | Sequence[MonitoringBatch]) -> Mapping[int, Sequence[CustomState]]:
    if isinstance(span, tuple):
        return reading.over(question, [span])
    return reading.by_batch(question, span)


def _conditions(given: Sequence[Condition], names: Mapping[str, str]) -> list[CustomCondition]:
    return [
        CustomCondition(names[one.metric_id], one.compare_operator, one.threshold)
        for one in given
        if one.metric_id in names
    ]
