"""The watch of settings: seen once, laid to whom, told to whom."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from monitoring import commands, mail
from monitoring import questions as q
from monitoring.configuration.changes import settings_changes
from monitoring.mail import regular
from monitoring.mail.hears import Hearing
from monitoring.mail.loosened import who_hears
from monitoring.models import (
    AlertPolicy,
    CommandKind,
    Delivery,
    DigestPace,
    Membership,
    Message,
    NotificationRule,
    NotifyReason,
    Role,
    SettingsChange,
    TopicState,
    Watched,
)
from monitoring.poll.fetch import Outcome
from monitoring.poll.plan import ask_of
from monitoring.poll.store import save
from tests.monitoring.factories import NOW, make_member, make_source, make_watched
from tests.monitoring.far_side import FarSide, Remote

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
DRIFT = {"driftThreshold": 0.15, "importanceThreshold": 0.5, "excludedFeatures": []}


def seen(watched: Watched, now: datetime, **drift: Any) -> None:
    """The watcher reads health settings."""
    ask = ask_of((q.health_settings(),), None)
    outcome = Outcome(watched.pk, ask, TopicState.OK, {"dataDrift": DRIFT | drift, "service": {"batchCount": "1"}})
    save([outcome], now=now, lags={})


@pytest.fixture
def watched() -> Watched:
    found = make_watched(make_source())
    seen(found, NOW)
    return found


def test_the_first_answer_is_no_change(watched: Watched) -> None:
    assert not SettingsChange.objects.exists()


def test_a_change_is_noted_once_with_both_values_and_the_polls_around_it(watched: Watched) -> None:
    for hour in (1, 2, 3):
        seen(watched, NOW + hour * HOUR, driftThreshold=0.15 if hour < 2 else 0.3)
    change = SettingsChange.objects.get()
    assert (change.path, change.before, change.after) == ("dataDrift.driftThreshold", 0.15, 0.3)
    assert (change.since, change.seen_at) == (NOW + HOUR, NOW + 2 * HOUR)
    assert (change.command, change.by, change.loosens, change.area) == (None, None, "limit", "drift")
    assert "0.3 instead of 0.15" in change.words


def test_changes_within_an_hour_are_each_noted(watched: Watched) -> None:
    for minute, limit in ((1, 0.2), (2, 0.3), (3, 0.15)):
        seen(watched, NOW + timedelta(minutes=minute), driftThreshold=limit)
    pairs = SettingsChange.objects.order_by("seen_at").values_list("before", "after")
    assert list(pairs) == [(0.15, 0.2), (0.2, 0.3), (0.3, 0.15)]


def test_a_failed_poll_between_two_answers_changes_nothing(watched: Watched) -> None:
    ask = ask_of((q.health_settings(),), None)
    save([Outcome(watched.pk, ask, TopicState.FAILED, problem="down")], now=NOW + HOUR, lags={})
    seen(watched, NOW + 2 * HOUR)
    assert not SettingsChange.objects.exists()


def test_the_range_of_changes_is_half_open_and_oldest_first(watched: Watched) -> None:
    seen(watched, NOW + HOUR, driftThreshold=0.2)
    seen(watched, NOW + 2 * HOUR, driftThreshold=0.3, excludedFeatures=["age"])
    watched.refresh_from_db()
    found = settings_changes(watched, NOW + HOUR, NOW + 2 * HOUR)
    assert [one.after for one in found] == [0.2]
    assert len(settings_changes(watched, NOW, NOW + 3 * HOUR)) == 3


def test_a_change_by_a_command_of_ours_is_laid_to_who_asked(django_assert_max_num_queries: Callable[..., Any]) -> None:
    far = FarSide(Remote("d1"))
    member = make_member("tomas")
    source = make_source()
    found = make_watched(source)
    ask = ask_of((q.health_settings(),), None)
    save([Outcome(found.pk, ask, TopicState.OK, far.on_healthSettings(far.remotes["d1"], {}))], now=NOW, lags={})
    body = {"dataDrift": {**far.on_healthSettings(far.remotes["d1"], {})["dataDrift"], "driftThreshold": 0.4}}
    read = {"dataDrift": {"driftThreshold": 0.15, "importanceThreshold": 0.5}}
    command = commands.ask(
        member.user, CommandKind.HEALTH_SETTINGS, source, NOW + HOUR, watched=found, body=body, read=read
    )
    commands.run_due(NOW + HOUR, transport=far)
    change = SettingsChange.objects.get()
    assert (change.by, change.command, change.after) == (member.user, command, 0.4)
    # What the same command left alone is not its doing.
    far.remotes["d1"].health_settings["dataDrift"]["importanceThreshold"] = 0.9
    save(
        [Outcome(found.pk, ask, TopicState.OK, far.on_healthSettings(far.remotes["d1"], {}))],
        now=NOW + 2 * HOUR,
        lags={},
    )
    assert SettingsChange.objects.get(path="dataDrift.importanceThreshold").by is None


# --- Telling ------------------------------------------------------------------------------------------------------


def told() -> list[str]:
    return sorted(Message.objects.filter(why=NotifyReason.LOOSENED).values_list("recipient", flat=True))


def test_who_hears_about_the_deployment_is_told_once_and_can_compare(watched: Watched) -> None:
    make_member("ines")
    make_member("quiet", role=Role.MEMBER, wants_mail=False)
    seen(watched, NOW + HOUR, driftThreshold=0.3, excludedFeatures=["age"])
    assert mail.tell_loosened(NOW + HOUR) == 1
    assert mail.tell_loosened(NOW + HOUR) == 0
    message = Message.objects.get(why=NotifyReason.LOOSENED)
    assert message.recipient == "ines@example.com"
    assert message.subject == "[LOOSENED] Loan default: 2 settings let more pass now"
    for body in (message.text, message.html):
        assert "age is left out of the verdict" in body
        assert f"/deployments/{watched.pk}/settings/?section=changes" in body
    assert "0.3 instead of 0.15" in message.text
    assert message.payload["changes"][0] == {"path": "dataDrift.driftThreshold", "before": 0.15, "after": 0.3}


def test_a_tightened_limit_is_noted_and_not_told(watched: Watched) -> None:
    make_member("ines")
    seen(watched, NOW + HOUR, driftThreshold=0.1)
    assert mail.tell_loosened(NOW + HOUR) == 0
    assert SettingsChange.objects.get().handled_at is not None


@pytest.mark.parametrize(
    ("own", "recipients"), [(False, ["ines@example.com"]), (True, ["ines@example.com", "tomas@example.com"])]
)
def test_who_did_it_here_is_told_only_if_the_team_wants_it(watched: Watched, own: bool, recipients: list[str]) -> None:
    make_member("ines")
    doer = make_member("tomas")
    AlertPolicy.objects.create(team=watched.source.team, tell_own_changes=own)
    seen(watched, NOW + HOUR, driftThreshold=0.3)
    SettingsChange.objects.update(by=doer.user)
    mail.tell_loosened(NOW + HOUR)
    assert told() == recipients


def test_a_team_that_does_not_want_to_hear_of_it_does_not(watched: Watched) -> None:
    make_member("ines")
    AlertPolicy.objects.create(team=watched.source.team, tell_loosened=False)
    seen(watched, NOW + HOUR, driftThreshold=0.3)
    assert mail.tell_loosened(NOW + HOUR) == 0
    assert SettingsChange.objects.get().handled_at == NOW + HOUR


def test_by_a_rule_it_waits_for_the_digest_which_tells_it(watched: Watched) -> None:
    member = make_member("ines")
    NotificationRule.objects.create(team=watched.source.team, name="calm", delivery=Delivery.DIGEST)
    preference = Membership.objects.get(pk=member.pk).user.preference
    preference.digest = DigestPace.DAILY
    preference.save()
    seen(watched, NOW + HOUR, driftThreshold=0.3)
    assert mail.tell_loosened(NOW + HOUR) == 0
    regular.send_digests(NOW + timedelta(days=1))
    digest = Message.objects.get(why=NotifyReason.DIGEST)
    for body in (digest.text, digest.html):
        assert "Settings that let more pass now" in body
        assert "Loan default: A feature has drifted above" in body


@pytest.mark.parametrize(
    ("delivery", "doer", "tells", "tells_doer", "heard"),
    [
        (Delivery.NOW, "", True, False, True),
        # Only the person who did it is left out, and only while the team does not want them told.
        (Delivery.NOW, "m1", True, False, False),
        (Delivery.NOW, "m1", True, True, True),
        (Delivery.NOW, "m2", True, False, True),
        # A rule's word goes before: the digest and never stay what they are.
        (Delivery.DIGEST, "", True, True, False),
        (Delivery.NEVER, "", True, True, False),
        # A team may not want to hear of it at all.
        (Delivery.NOW, "", False, True, False),
    ],
)
def test_the_decision(delivery: Delivery, doer: str, tells: bool, tells_doer: bool, heard: bool) -> None:
    now, others = who_hears([Hearing("m1", delivery, "because", NOW)], doer=doer, tells=tells, tells_doer=tells_doer)
    assert [one.key for one in now] == (["m1"] if heard else [])
    assert (others == {}) is heard
