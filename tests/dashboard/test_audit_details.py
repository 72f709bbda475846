"""What a line of the audit list says: before and after of what differs, and never a secret."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from django.urls import reverse

from dashboard.deeds import KINDS
from monitoring import audit
from monitoring.channels import aim
from monitoring.models import AuditAction, AuditEntry, Channel, NotificationRule, Silence
from tests.dashboard.test_audited_writes import CHANNEL, policy_form
from tests.dashboard.test_hearing import rule_form
from tests.dashboard.test_incidents import values as silence_form
from tests.dashboard.world import World
from tests.monitoring.factories import make_incident

A = AuditAction


def newest(action: AuditAction) -> AuditEntry:
    return AuditEntry.objects.filter(action=action).latest("pk")


def test_a_changed_rule_is_told_by_the_fields_that_differ(world: World, inside: Client) -> None:
    inside.post(reverse("rule-add", args=[world.team.pk]), rule_form())
    rule = NotificationRule.objects.get()
    assert newest(A.RULE_ADDED).detail["after"]["importances"] == ["CRITICAL", "HIGH"]
    inside.post(reverse("rule-change", args=[rule.pk]), rule_form(to_time="22:00", only_failing=""))
    assert newest(A.RULE_CHANGED).detail == {
        "before": {"only_failing": True, "to_time": "17:30:00"},
        "after": {"only_failing": False, "to_time": "22:00:00"},
    }
    inside.post(reverse("rule-remove", args=[rule.pk]))
    assert newest(A.RULE_REMOVED).detail["before"]["to_time"] == "22:00:00"


def test_a_changed_policy_is_told_by_the_fields_that_differ_and_a_same_one_not_at_all(
    world: World, inside: Client
) -> None:
    inside.post(reverse("policy", args=[world.team.pk]), policy_form())
    assert newest(A.POLICY_CHANGED).detail == {"before": {"escalate_minutes": 240}, "after": {"escalate_minutes": 45}}
    inside.post(reverse("policy", args=[world.team.pk]), policy_form())
    assert AuditEntry.objects.filter(action=A.POLICY_CHANGED).count() == 1
    inside.post(reverse("policy", args=[world.team.pk]), {"default": "1"})
    assert newest(A.POLICY_CHANGED).detail == {"before": {"escalate_minutes": 45}, "after": {"escalate_minutes": 240}}


def test_a_silence_and_its_early_end_are_told_on_the_audit_page(world: World, inside: Client) -> None:
    inside.post(reverse("silence-add"), silence_form(world, watched=world.watched().pk, area="drift"))
    inside.post(reverse("silence-cancel", args=[Silence.objects.get().pk]))
    page = inside.get(reverse("audit"), {"kind": "alerting"}).content.decode()
    assert "silenced <b>Flight delayed &gt; 15 min, data drift</b>" in page
    assert "ended the silence of <b>Flight delayed &gt; 15 min, data drift</b>" in page
    assert "storm season" in page


def test_no_secret_of_a_channel_stands_in_the_list(world: World, inside: Client) -> None:
    inside.post(reverse("channel-add"), {**CHANNEL, "team": world.team.pk})
    channel = Channel.objects.get()
    secret = channel.secret
    inside.post(reverse("channel-change", args=[channel.pk]), {**CHANNEL, "target": "https://hooks.example.org/n3w"})
    assert newest(A.CHANNEL_CHANGED).detail == {"before": {}, "after": {}, "new_target": True}
    inside.post(reverse("channel-secret", args=[channel.pk]))
    inside.post(reverse("channel-remove", args=[channel.pk]))
    stored = json.dumps(list(AuditEntry.objects.values_list("detail", "about")))
    assert "hooks.example.org/…" in json.loads(stored.replace("\\u2026", "…"))[1][0]["after"]["shown"]
    for one in ("s3cret", "n3w", secret, channel.secret):
        assert one not in stored


def test_an_encrypted_column_cannot_be_told(world: World) -> None:
    channel = Channel(team=world.team, name="x", carrier="webhook")
    aim(channel, "https://hooks.example.org/s3cret")
    for name in ("target", "secret", "target_encrypted"):
        with pytest.raises(ValueError, match="secret"):
            audit.facts(channel, name)


def test_what_people_do_about_an_incident_is_told_with_before_and_after(world: World, inside: Client) -> None:
    row = make_incident(world.watched(), area="service")
    url = reverse("incident-act", args=[row.pk, "assign"])
    inside.post(url, {"assignee": world.owner.pk}, REMOTE_ADDR="192.0.2.9")
    entry = newest(A.INCIDENT_ASSIGNED)
    assert entry.about == f"incident {row.pk} (Flight delayed > 15 min, service health)"
    assert (entry.detail["before"], entry.detail["after"]) == ({"assignee": None}, {"assignee": "ines"})
    assert (entry.team, entry.address) == (world.team, "192.0.2.9")
    inside.post(url, {"assignee": world.owner.pk})
    assert AuditEntry.objects.filter(action=A.INCIDENT_ASSIGNED).count() == 1
    inside.post(reverse("incident-act", args=[row.pk, "resolve"]), {"why": "A test of ours."})
    assert newest(A.INCIDENT_RESOLVED).detail["text"] == "A test of ours."


def test_every_word_of_the_list_can_be_looked_for() -> None:
    assert {word for _, words in KINDS.values() for word in words} == set(AuditAction)
