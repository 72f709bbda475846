"""How timely predictions and actuals come in: the last event against the expected frequency.

Predictions count by their own timestamp, actuals by the time of their upload. Nothing is read but the deployment's row
and, for actuals, whether any prediction can be matched at all.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection

from deployments.models import Deployment
from deployments.settings_schema import Settings, TimelinessRule
from metrics import Status, Verdict, judge_timeliness, parse_duration

Period = tuple[datetime | None, datetime | None]
ACTUALS = "actuals"


def of_predictions(deployment: Deployment, rule: TimelinessRule, now: datetime) -> tuple[Verdict, Period]:
    """The verdict on predictions, and the period in which one was expected."""
    last = deployment.last_prediction_at
    return _judged(rule, last, now, "predictions")


def of_actuals(
    deployment: Deployment, settings: Settings, rule: TimelinessRule, now: datetime
) -> tuple[Verdict, Period]:
    """The verdict on actuals; unavailable where none could ever be matched with a prediction."""
    found, period = _judged(rule, deployment.last_actual_at, now, ACTUALS)
    if rule.enabled and not settings.target_drift.enabled:
        reason = "Target monitoring is switched off, so actuals are of no use."
        return Verdict(Status.UNAVAILABLE, reason, found.evidence), period
    if rule.enabled and deployment.first_prediction_at is not None and not _matchable(deployment, settings):
        reason = "No prediction has an association id, so no actual can be matched."
        return Verdict(Status.UNAVAILABLE, reason, found.evidence), period
    return found, period


def expected_within(rule: TimelinessRule, last: datetime | None, now: datetime) -> timedelta:
    """How long an event may take to follow the last one; months are those of the calendar."""
    since = last or now
    return parse_duration(rule.expected_frequency).after(since) - since


def _judged(rule: TimelinessRule, last: datetime | None, now: datetime, what: str) -> tuple[Verdict, Period]:
    expected = expected_within(rule, last, now)
    verdict = judge_timeliness(enabled=rule.enabled, expected=expected, last_event=last, now=now, what=what)
    return verdict, (now - expected, now)


def _matchable(deployment: Deployment, settings: Settings) -> bool:
    """Whether association ids are announced, or some prediction that is kept has one."""
    if settings.association_id.column_names:
        return True
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM deployments_predictionkey WHERE deployment_id = %s)", [deployment.pk]
        )
        return bool(cursor.fetchone()[0])
