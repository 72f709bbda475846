"""A team with three deployments and thirty days behind them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import pytest

from monitoring.models import Area, HealthDay, Membership, PageVisit, ReviewPlan, Role, Source, Status, Watched
from tests.monitoring.factories import NOW, make_member, make_source, make_watched

P, W, F = Status.PASSING, Status.WARNING, Status.FAILING


@dataclass
class Team:
    """What a test of reviews works with; `drifting` failed six days ago, `calm` never, `blind` nobody has opened."""

    plan: ReviewPlan
    source: Source
    owner: Membership
    reader: Membership
    drifting: Watched
    calm: Watched
    blind: Watched


def judged(source: Source, label: str, days: list[Status], **fields: object) -> Watched:
    """A deployment with one verdict a day on drift up to today, and those of its row."""
    health = {
        "drift": {
            "status": days[-1].value,
            "reason": f"Drift of {label}.",
            "since": None,
            "metric": "PSI",
            "value": 0.3 if days[-1] is F else 0.05,
            "short": "income 0.30" if days[-1] is F else "",
        },
        "accuracy": {"status": "passing", "reason": "AUC 0.810", "metric": "AUC", "value": 0.81},
        "interval": "P7D",
    }
    values = {"remote_id": label, "worst": days[-1], "severity": days[-1].severity, "health": health}
    values |= {
        "predictions_per_day": 1000.0,
        "last_prediction_at": NOW,
        "label_lag_hours": 48.0,
        "polled_at": NOW,
        "history_at": NOW,
    }
    made = make_watched(source, label=label, **{**values, **fields})
    first = NOW.date() - timedelta(days=len(days) - 1)
    HealthDay.objects.bulk_create(
        HealthDay(watched=made, area=area, day=first + timedelta(days=i), status=status, value=value)
        for i, day in enumerate(days)
        for area, status, value in (
            (Area.DRIFT, day, 0.3 if day is F else 0.05),
            (Area.ACCURACY, Status.PASSING, 0.81),
        )
    )
    return made


@pytest.fixture
def team(db: None) -> Team:
    source = make_source(last_ok_at=NOW)
    owner = make_member("ines", zone="America/New_York")
    reader = make_member("tom", role=Role.READONLY)
    drifting = judged(source, "Loan default", [P] * 24 + [F] * 6, importance="CRITICAL")
    calm = judged(source, "Churn", [P] * 30)
    blind = judged(source, "Fraud", [P] * 30, blind_spots=["Nobody gets mail", "Thresholds still default"])
    for row in (drifting, calm):
        PageVisit.objects.create(user=owner.user, watched=row, at=NOW)
    plan = ReviewPlan.objects.create(
        team=owner.team,
        name="Weekly review",
        weekday=4,
        starts_on=date(2026, 3, 1),
        created_at=NOW,
        time_zone="Europe/Berlin",
    )
    plan.attendees.set([owner.user, reader.user])
    return Team(plan, source, owner, reader, drifting, calm, blind)
