"""`humilityRules/`: an extension, since the reference has statistics of humility rules but no way to define them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from django.http import Http404
from msgspec import UNSET, Meta, Struct, UnsetType
from rest_framework.request import Request
from rest_framework.response import Response

from deployments import humility
from deployments.api.deployments import caller
from deployments.api.errors import ValidationFailed
from deployments.api.examples_areas import HUMILITY_RULE
from deployments.api.openapi import describes
from deployments.api.views import DeploymentView
from deployments.models import Deployment, HumilityAction, HumilityRule, ModelPackage, Role, Trigger

Name = Annotated[str, Meta(min_length=1, max_length=200)]
Feature = Annotated[str, Meta(min_length=1, max_length=300)]
Values = Annotated[list[Annotated[str, Meta(max_length=500)]], Meta(max_length=humility.MOST_VALUES)]


class TriggerBody(Struct, rename="camel"):
    """When a rule applies; without bounds they are calculated from holdout or training."""

    type: Trigger
    feature_name: Feature | None = None
    lower: float | None = None
    upper: float | None = None
    values: Values = []

    def fields(self) -> dict[str, Any]:
        """The columns to write; what the kind of trigger has no use for is left out."""
        named, listed = self.type != Trigger.UNCERTAIN_PREDICTION, self.type == Trigger.LOW_OBSERVATION_REGION
        return {
            "trigger": self.type,
            "feature": (self.feature_name or "") if named else "",
            "lower": None if listed else self.lower,
            "upper": None if listed else self.upper,
            "values": self.values if listed else [],
        }


class ActionBody(Struct, rename="camel"):
    """What is done; `value` takes the place of an overridden prediction."""

    type: HumilityAction
    value: float | str | bool | None = None


class RuleBody(Struct, rename="camel"):
    """A new rule."""

    name: Name
    trigger: TriggerBody
    action: ActionBody


class RulePatch(Struct, rename="camel"):
    """What changes of a rule; a trigger or action is replaced as a whole."""

    name: Name | UnsetType = UNSET
    trigger: TriggerBody | UnsetType = UNSET
    action: ActionBody | UnsetType = UNSET


class OrderBody(Struct, rename="camel"):
    """The rules in their new order."""

    rule_ids: Annotated[list[str], Meta(max_length=humility.MOST_RULES)]


def fields(body: RuleBody | RulePatch) -> dict[str, Any]:
    """The columns to write."""
    found: dict[str, Any] = {} if body.name is UNSET else {"name": body.name}
    if not isinstance(body.trigger, UnsetType):
        found |= body.trigger.fields()
    if not isinstance(body.action, UnsetType):
        overrides = body.action.type == HumilityAction.OVERRIDE
        found |= {"action": body.action.type, "override": body.action.value if overrides else None}
    return found


def shown(rule: HumilityRule, package: ModelPackage | None) -> dict[str, Any]:
    """A rule as JSON, with the bounds by which it goes for the champion."""
    bounds = None if package is None else humility.bounds_of(rule, package)
    return {
        "id": rule.public_id,
        "name": rule.name,
        "trigger": {
            "type": rule.trigger,
            "featureName": rule.feature or None,
            "lower": None if bounds is None else bounds[0],
            "upper": None if bounds is None else bounds[1],
            "isCalculated": rule.trigger != Trigger.LOW_OBSERVATION_REGION and rule.lower is None,
            "values": rule.values,
        },
        "action": {"type": rule.action, "value": rule.override},
        "createdAt": rule.created_at,
        "changedAt": rule.changed_at,
    }


def listed(deployment: Deployment) -> dict[str, Any]:
    """All live rules in their order."""
    package = None if deployment.champion is None else deployment.champion.package
    rows = [shown(rule, package) for rule in humility.rules_of(deployment)]
    return {"count": len(rows), "next": None, "previous": None, "data": rows, "totalCount": len(rows)}


def tried(change: Callable[[], Any]) -> Any:
    """The result of a change; 422 with the places of what does not fit."""
    try:
        return change()
    except humility.BadRule as bad:
        raise ValidationFailed(bad.errors) from None


RULES = {"count": 1, "next": None, "previous": None, "data": [HUMILITY_RULE], "totalCount": 1}


class HumilityRulesView(DeploymentView):
    """The rules of a deployment."""

    roles = {"GET": Role.CONSUMER, "POST": Role.OWNER, "PATCH": Role.OWNER}

    @describes("List humility rules in their order.", answer=RULES, extension=True, errors=(401, 404))
    def get(self, request: Request, deployment_id: str) -> Response:
        return Response(listed(self.deployment))

    @describes("Create a humility rule.", body=RuleBody, answer=HUMILITY_RULE, status=201, extension=True)
    def post(self, request: Request, deployment_id: str) -> Response:
        wanted = fields(self.body(RuleBody))
        rule = tried(lambda: humility.create(self.deployment, caller(request), wanted))
        champion = self.deployment.champion
        return Response(shown(rule, None if champion is None else champion.package), status=201)

    @describes("Order humility rules.", body=OrderBody, answer=RULES, extension=True)
    def patch(self, request: Request, deployment_id: str) -> Response:
        ids = self.body(OrderBody).rule_ids
        tried(lambda: humility.order(self.deployment, caller(request), ids))
        return Response(listed(self.deployment))


class HumilityRuleView(DeploymentView):
    """One rule."""

    roles = {"GET": Role.CONSUMER, "PATCH": Role.OWNER, "DELETE": Role.OWNER}

    @describes("Retrieve a humility rule.", answer=HUMILITY_RULE, extension=True, errors=(401, 404))
    def get(self, request: Request, deployment_id: str, rule_id: str) -> Response:
        return Response(self.shown(self.rule(rule_id)))

    @describes("Change a humility rule.", body=RulePatch, answer=HUMILITY_RULE, extension=True)
    def patch(self, request: Request, deployment_id: str, rule_id: str) -> Response:
        rule, wanted = self.rule(rule_id), fields(self.body(RulePatch))
        tried(lambda: humility.change(rule, self.deployment, caller(request), wanted))
        return Response(self.shown(rule))

    @describes("Delete a humility rule; its counts stay.", status=204, extension=True, errors=(401, 403, 404))
    def delete(self, request: Request, deployment_id: str, rule_id: str) -> Response:
        humility.delete(self.rule(rule_id), self.deployment, caller(request))
        return Response(status=204)

    def rule(self, rule_id: str) -> HumilityRule:
        found = humility.rules_of(self.deployment).filter(public_id=rule_id).first()
        if found is None:
            raise Http404
        return found

    def shown(self, rule: HumilityRule) -> dict[str, Any]:
        champion = self.deployment.champion
        return shown(rule, None if champion is None else champion.package)
