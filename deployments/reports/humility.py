"""Humility: how often each rule applied. Rules that were deleted are listed as long as they have counts to show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import F, Q

from deployments.models import Deployment, HumilityRule
from deployments.rollups.humility import Counts


def shown(deployment: Deployment, counts: Counts) -> list[HumilityRule]:
    """The live rules in their order, then the deleted ones that applied."""
    wanted = Q(deleted_at=None) | Q(pk__in=list(counts))
    rules = HumilityRule.objects.filter(wanted, deployment=deployment)
    return list(rules.order_by(F("deleted_at").asc(nulls_first=True), "position", "pk"))


def values(rules: Sequence[HumilityRule], counts: Counts) -> list[dict[str, Any]]:
    """One entry a rule."""
    return [{"ruleId": rule.public_id, "ruleName": rule.name, "value": counts.get(rule.pk, 0)} for rule in rules]
