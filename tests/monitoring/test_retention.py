"""What is forgotten when, in steps, and that no table of the watcher grows for ever unnoticed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.utils import timezone

from monitoring import retention
from monitoring.models import (
    AuditAction,
    AuditEntry,
    Bulk,
    Invitation,
    Review,
    ReviewPlan,
    ReviewState,
    SettingsChange,
    Silence,
    Status,
    Topic,
    Transition,
)
from tests.monitoring.factories import NOW, make_member, make_source, make_team, make_watched

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
YEARS = 800 * DAY

#: Tables that nothing prunes, each with the reason why it does not grow by itself.
BOUNDED = {
    "setupcode": "one row",
    "channel": "made by people",
    "areahealth": "one a deployment and area",
    "notificationrule": "made by people",
    "subscription": "one a person and deployment",
    "vote": "goes with its incident",
    "incidentevent": "goes with its incident",
    "incidentnotice": "goes with its incident",
    "incidenttrack": "one a deployment and area",
    "note": "written by people, and theirs to remove",
    "handoverplan": "made by people",
    "ping": "one row",
    "reviewplan": "made by people",
    "review": "a signed record stays",
    "reviewitem": "belongs to a review",
    "reviewpresence": "belongs to a review",
    "actionitem": "promised in a review",
    "pagevisit": "one a person and deployment",
    "savedview": "made by people",
    "defaultview": "one a person",
    "alertpolicy": "one a team",
    "source": "made by people",
    "star": "one a person and deployment",
    "team": "made by people",
    "membership": "made by people",
    "userpreference": "one a person",
    "watched": "one a deployment of a source",
    "modelseen": "one a model of a deployment",
}


def entry(days: float, team: Any = None) -> AuditEntry:
    """Something done that many days before NOW."""
    return AuditEntry.objects.create(at=NOW - days * DAY, actor="Ines", team=team, action=AuditAction.LOGGED_IN)


def test_every_table_is_pruned_or_does_not_grow_by_itself() -> None:
    pruned = {rows.model._meta.model_name for rows in retention._old(NOW).values()} | {"registration"}
    tables = {model._meta.model_name for model in apps.get_app_config("monitoring").get_models()}
    assert pruned.isdisjoint(BOUNDED)
    assert tables == pruned | set(BOUNDED)


def test_who_did_what_is_kept_for_two_years_by_default(settings: Any) -> None:
    old, young = entry(settings.RETENTION_AUDIT_DAYS + 1), entry(settings.RETENTION_AUDIT_DAYS - 1)
    assert settings.RETENTION_AUDIT_DAYS == 730
    assert retention.prune(NOW)["audit"] == 1
    assert list(AuditEntry.objects.all()) == [young]
    assert old.pk != young.pk


def test_a_large_backlog_goes_in_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "CHUNK", 3)
    for _ in range(8):
        entry(900)
    assert retention.prune(NOW)["audit"] == 8
    assert not AuditEntry.objects.exists()


def test_what_a_review_looks_back_on_stays_beside_it() -> None:
    team, other = make_team(), make_team("Others")
    plan = ReviewPlan.objects.create(team=team, name="Weekly", starts_on=NOW.date(), created_at=NOW)
    for number, (since, signed) in enumerate([(1000, 990), (960, 950), (940, None)], start=1):
        Review.objects.create(
            plan=plan,
            number=number,
            due_at=NOW,
            opened_at=NOW - since * DAY,
            since=NOW - since * DAY,
            known_at=NOW - (since - 5) * DAY,
            state=ReviewState.OPEN if signed is None else ReviewState.SIGNED,
            signed_at=None if signed is None else NOW - signed * DAY,
        )
    first, newest, open_ = entry(995, team), entry(955, team), entry(938, team)
    between, elsewhere, nobodys = entry(945, team), entry(955, other), entry(955)
    retention.prune(NOW)
    assert set(AuditEntry.objects.all()) == {newest, open_}
    assert {first.pk, between.pk, elsewhere.pk, nobodys.pk}.isdisjoint(AuditEntry.objects.values_list("pk", flat=True))


def test_history_of_settings_verdicts_and_silences_goes_with_the_snapshots() -> None:
    watched = make_watched()
    change: dict[str, Any] = {"watched": watched, "kind": "settings", "path": "a.b"}
    kept = SettingsChange.objects.create(**change, seen_at=NOW - DAY, handled_at=NOW)
    waits = SettingsChange.objects.create(**change, seen_at=NOW - YEARS)  # nobody was told of it yet
    SettingsChange.objects.create(**change, seen_at=NOW - YEARS, handled_at=NOW - YEARS)
    turn: dict[str, Any] = {"watched": watched, "area": "drift", "old": Status.PASSING, "new": Status.FAILING}
    young = Transition.objects.create(**turn, reason="", at=NOW - DAY)
    Transition.objects.create(**turn, reason="", at=NOW - YEARS)
    silence: dict[str, Any] = {"team": watched.source.team, "reason": "r", "created_at": NOW - YEARS}
    holds = Silence.objects.create(**silence, starts_at=NOW - DAY, ends_at=NOW + DAY)
    Silence.objects.create(**silence, starts_at=NOW - YEARS, ends_at=NOW - YEARS + DAY)
    Bulk.objects.create(act="star", words="", at=NOW - YEARS, nonce="n")
    retention.prune(NOW)
    assert set(SettingsChange.objects.all()) == {kept, waits}
    assert list(Transition.objects.all()) == [young]
    assert list(Silence.objects.all()) == [holds]
    assert not Bulk.objects.exists()


def test_an_invitation_that_ended_goes_and_an_open_one_stays() -> None:
    team = make_team()
    for name, ends in (("gone", -200), ("open", 3)):
        Invitation.objects.create(
            team=team, email=f"{name}@example.org", nonce=name, created_at=NOW - 210 * DAY, expires_at=NOW + ends * DAY
        )
    retention.prune(NOW)
    assert [row.nonce for row in Invitation.objects.all()] == ["open"]


def test_a_question_that_nobody_asks_any_more_goes_while_its_source_answers() -> None:
    source = make_source(last_ok_at=NOW)
    watched = make_watched(source)
    for key, days in (("odd range", 900), ("polled", 1)):
        Topic.objects.create(watched=watched, key=key, path="drift/", checked_at=NOW - days * DAY)
    silent = make_watched(make_source(name="Paused", last_ok_at=NOW - 900 * DAY), remote_id="d2")
    Topic.objects.create(watched=silent, key="last known", path="drift/", checked_at=NOW - 900 * DAY)
    retention.prune(NOW)
    assert {row.key for row in Topic.objects.all()} == {"polled", "last known"}


def test_log_ins_that_ended_are_cleared() -> None:
    now = timezone.now()
    user = make_member("ines").user
    noted = apps.get_model("usersessions", "UserSession")._default_manager
    for key, days in (("old", -1), ("live", 1)):
        Session.objects.create(session_key=key, session_data="", expire_date=now + days * DAY)
        noted.create(user=user, ip="127.0.0.1", session_key=key, user_agent="", last_seen_at=now - 400 * DAY)
    assert retention.prune(now)["sessions"] == 1
    assert [row.session_key for row in Session.objects.all()] == ["live"]
    assert [row.session_key for row in noted.all()] == ["live"]
