"""Rows for the watcher's tests: each builder fills in what a test does not care about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model

from monitoring.models import (
    Area,
    Incident,
    IncidentKind,
    Membership,
    Role,
    Severity,
    Source,
    Status,
    Team,
    UserPreference,
    Watched,
)
from tests.monitoring.far_side import BASE

NOW = datetime(2026, 5, 1, 10, 20, tzinfo=UTC)


def make_team(name: str = "Risk") -> Team:
    return Team.objects.get_or_create(name=name)[0]


def make_source(**fields: Any) -> Source:
    source = Source(**{"team": make_team(), "name": "ops-east", "base_url": BASE, **fields})
    source.token = "secret-token"
    source.save()
    return source


def make_watched(source: Source | None = None, **fields: Any) -> Watched:
    defaults = {"remote_id": "d1", "label": "Loan default", "first_seen_at": NOW, "seen_at": NOW}
    return Watched.objects.create(source=source or make_source(), **{**defaults, **fields})


def make_member(
    name: str = "ines", *, team: Team | None = None, role: Role = Role.OWNER, zone: str = "UTC", wants_mail: bool = True
) -> Membership:
    user = get_user_model().objects.create_user(username=name, email=f"{name}@example.com", password="x")
    UserPreference.objects.create(user=user, time_zone=zone)
    return Membership.objects.create(team=team or make_team(), user=user, role=role, wants_mail=wants_mail)


def make_incident(of: Watched, **fields: Any) -> Incident:
    """An open incident of one area that began an hour ago."""
    defaults = {
        "kind": IncidentKind.DEPLOYMENT,
        "team": of.source.team,
        "source": of.source,
        "watched": of,
        "area": Area.DRIFT,
        "status": Status.FAILING,
        "worst": Status.FAILING,
        "severity": Severity.HIGH,
        "reason": "1 feature above PSI 0.15.",
        "began_at": NOW - timedelta(hours=1),
        "opened_at": NOW - timedelta(minutes=50),
        "told_size": 1,
    }
    return Incident.objects.create(**{**defaults, **fields})
