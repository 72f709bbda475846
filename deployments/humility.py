"""Humility rules of a deployment: list, create, change, order and delete them; and the bounds that they go by.

A deployment has at most MOST_RULES rules in an order. A rule that is changed keeps its id and its counts; a deleted
one keeps both too, and is no longer evaluated.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils import timezone

from deployments.audit import record
from deployments.ingest.shape import labels_of, target_of
from deployments.ingest.values import spelled
from deployments.models import Deployment, FeatureType, HumilityAction, HumilityRule, ModelPackage, Trigger
from deployments.registry import baseline_of
from metrics import TargetType

MOST_RULES = 10
MOST_VALUES = 1000
Bounds = tuple[float, float]


class BadRule(ValueError):
    """A rule that does not fit; `errors` by field of the body."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {text}" for name, text in errors.items()))
        self.errors = dict(errors)


def rules_of(deployment: Deployment) -> QuerySet[HumilityRule]:
    """The live rules in their order."""
    return HumilityRule.objects.filter(deployment=deployment, deleted_at=None).order_by("position", "pk")


def create(deployment: Deployment, user: User, fields: Mapping[str, Any]) -> HumilityRule:
    """A new rule, last in the order. Raises BadRule."""
    with transaction.atomic():
        _lock(deployment)
        rules = rules_of(deployment)
        if rules.count() >= MOST_RULES:
            raise BadRule({"name": f"At most {MOST_RULES} rules a deployment."})
        last = rules.aggregate(last=Max("position"))["last"]
        rule = HumilityRule(deployment=deployment, position=0 if last is None else last + 1, **fields)
        check(rule, deployment)
        rule.save()
        record(deployment, user, "humilityRule.created", {}, {"id": rule.public_id, **as_stored(rule)})
    return rule


def change(rule: HumilityRule, deployment: Deployment, user: User, fields: Mapping[str, Any]) -> None:
    """Change a rule from now on; what it has counted stays. Raises BadRule."""
    with transaction.atomic():
        _lock(deployment)
        before = as_stored(rule)
        for name, value in fields.items():
            setattr(rule, name, value)
        check(rule, deployment)
        rule.changed_at = timezone.now()
        rule.save()
        record(deployment, user, "humilityRule.updated", before, as_stored(rule))


def delete(rule: HumilityRule, deployment: Deployment, user: User) -> None:
    """Evaluate the rule no longer."""
    with transaction.atomic():
        _lock(deployment)
        HumilityRule.objects.filter(pk=rule.pk, deleted_at=None).update(deleted_at=timezone.now())
        record(deployment, user, "humilityRule.deleted", {"id": rule.public_id, "name": rule.name}, {})


def order(deployment: Deployment, user: User, ids: Sequence[str]) -> None:
    """Put the rules into this order; raises BadRule unless each is named once."""
    with transaction.atomic():
        _lock(deployment)
        rules = {rule.public_id: rule for rule in rules_of(deployment)}
        if sorted(ids) != sorted(rules):
            raise BadRule({"ruleIds": "Must name each rule of the deployment once."})
        before = {"ruleIds": list(rules)}
        for position, public_id in enumerate(ids):
            HumilityRule.objects.filter(pk=rules[public_id].pk).update(position=position)
        record(deployment, user, "humilityRules.ordered", before, {"ruleIds": list(ids)})


def as_stored(rule: HumilityRule) -> dict[str, Any]:
    """What a rule says, as it is kept in the audit trail."""
    names = ("name", "trigger", "feature", "lower", "upper", "values", "action", "override")
    return {name: getattr(rule, name) for name in names}


def bounds_of(rule: HumilityRule, package: ModelPackage) -> Bounds | None:
    """The bounds by which the rule goes for this model: its own, else calculated ones; None where there are none."""
    if rule.trigger == Trigger.LOW_OBSERVATION_REGION:
        return None
    if rule.lower is not None and rule.upper is not None:
        return rule.lower, rule.upper
    baseline = baseline_of(package)
    if rule.trigger == Trigger.OUTLYING_INPUT:
        return baseline.bounds.get(rule.feature)
    return pair(baseline.predictions.get("bounds", {}).get("uncertain"))


def pair(found: Sequence[float] | None) -> Bounds | None:
    """Lower and upper as a pair; None without them."""
    return (found[0], found[1]) if found else None


def check(rule: HumilityRule, deployment: Deployment) -> None:
    """Raise BadRule if the rule contradicts itself or the champion."""
    if deployment.champion is None:
        raise BadRule({"trigger": "The deployment has no model."})
    errors = problems(rule, deployment.champion.package)
    if errors:
        raise BadRule(errors)


def misfits(deployment: Deployment, package: ModelPackage) -> list[str]:
    """The names of the rules that would not fit another model."""
    return [rule.name for rule in rules_of(deployment) if problems(rule, package)]


def problems(rule: HumilityRule, package: ModelPackage) -> dict[str, str]:
    """What is wrong with a rule for a model, by field of the body."""
    return {**_trigger(rule, package), **_action(rule, package)}


def _trigger(rule: HumilityRule, package: ModelPackage) -> dict[str, str]:
    kinds = dict(package.features.values_list("name", "kind"))
    if rule.trigger == Trigger.LOW_OBSERVATION_REGION:
        if kinds.get(rule.feature) != FeatureType.CATEGORICAL:
            return {"trigger.featureName": "Not a categorical feature of the model."}
        return {} if rule.values else {"trigger.values": "List the values that are well observed."}
    if rule.trigger == Trigger.OUTLYING_INPUT and kinds.get(rule.feature) != FeatureType.NUMERIC:
        return {"trigger.featureName": "Not a numeric feature of the model."}
    if rule.trigger == Trigger.UNCERTAIN_PREDICTION and package.target_type not in (
        TargetType.REGRESSION,
        TargetType.BINARY,
    ):
        return {"trigger.type": "Uncertain predictions are for regression and binary models only."}
    return _bounds(rule, package)


def _bounds(rule: HumilityRule, package: ModelPackage) -> dict[str, str]:
    if (rule.lower is None) != (rule.upper is None):
        return {"trigger.lower" if rule.lower is None else "trigger.upper": "Give both bounds, or neither."}
    if rule.lower is not None and rule.upper is not None:
        if not (math.isfinite(rule.lower) and math.isfinite(rule.upper)) or rule.lower >= rule.upper:
            return {"trigger.lower": "The lower bound must lie below the upper one."}
        return {}
    if bounds_of(rule, package) is None:
        return {"trigger.lower": "The model has no training data or holdout to calculate bounds from; give both."}
    return {}


def _action(rule: HumilityRule, package: ModelPackage) -> dict[str, str]:
    if rule.action != HumilityAction.OVERRIDE:
        return {}
    value = rule.override
    if package.target_type == TargetType.REGRESSION:
        if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
            return {"action.value": "Must be a number."}
        rule.override = float(value)
        return {}
    label = labels_of(target_of(package)).get(spelled(value) or "")
    if label is None:
        return {"action.value": f"Must be one of the classes {', '.join(package.class_names[:10])}."}
    rule.override = label
    return {}


def _lock(deployment: Deployment) -> None:
    Deployment.objects.select_for_update(of=("self",)).get(pk=deployment.pk)
