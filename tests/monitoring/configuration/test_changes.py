"""The watch of settings: seen once, laid to whom, told to whom."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from monitoring import commands, mail
from monitoring import questions as q
from monitoring.configuration.changes import settings_changes
from monitoring.incidents import silences
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
    Silence,
    SilenceKind,
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


def silenced(watched: Watched, *, hours: int = 4, **scope: Any) -> Silence:
    """A silence that holds from an hour before NOW on."""
    return Silence.objects.create(
        team=watched.source.team,
        reason="patches of the hosts",
        starts_at=NOW - HOUR,
        ends_at=NOW + hours * HOUR,
        created_at=NOW - HOUR,
        **scope,
    )


def test_under_a_silence_it_is_held_back_listed_and_told_at_its_end(watched: Watched) -> None:
    make_member("ines")
    silenced(watched, area="drift")
    seen(watched, NOW + HOUR, driftThreshold=0.3)
    assert mail.tell_loosened(NOW + HOUR) == 0
    change = SettingsChange.objects.get()
    assert (change.handled_at, change.held_until) == (None, NOW + 4 * HOUR)
    assert change.outcome == "Held back by a silence: patches of the hosts"
    assert mail.tell_loosened(NOW + 2 * HOUR) == 0
    assert mail.tell_loosened(NOW + 4 * HOUR) == 1
    assert told() == ["ines@example.com"]
    change.refresh_from_db()
    assert (change.handled_at, change.held_until) == (NOW + 4 * HOUR, None)


def test_in_a_maintenance_window_that_repeats_it_waits_for_the_end_of_this_one(watched: Watched) -> None:
    make_member("ines")
    silenced(watched, hours=100, kind=SilenceKind.MAINTENANCE, rule="FREQ=DAILY", minutes=180)
    seen(watched, NOW + HOUR, driftThreshold=0.3)
    mail.tell_loosened(NOW + HOUR)
    change = SettingsChange.objects.get()
    assert change.held_until == NOW + 2 * HOUR
    assert change.outcome.startswith("Held back by a maintenance window")
    assert mail.tell_loosened(NOW + 2 * HOUR) == 1


@pytest.mark.parametrize("scope", [{"area": "accuracy"}, {"tag": "nightly"}])
def test_a_silence_over_something_else_holds_nothing_back(watched: Watched, scope: dict[str, Any]) -> None:
    make_member("ines")
    silenced(watched, **scope)
    seen(watched, NOW + HOUR, driftThreshold=0.3)
    assert mail.tell_loosened(NOW + HOUR) == 1


def test_what_was_put_back_under_the_silence_is_not_told_and_says_so(watched: Watched) -> None:
    make_member("ines")
    silenced(watched)
    seen(watched, NOW + HOUR, driftThreshold=0.3)
    mail.tell_loosened(NOW + HOUR)
    seen(watched, NOW + 2 * HOUR, driftThreshold=0.15)
    assert mail.tell_loosened(NOW + 4 * HOUR) == 0
    change = SettingsChange.objects.get(after=0.3)
    assert (change.handled_at, change.outcome) == (NOW + 4 * HOUR, "Put back while it was held back; not told.")


@pytest.mark.parametrize(
    ("steps", "told_of"),
    [
        # Loosened in two steps and put back, or made stricter than it was: nothing is looser than before.
        ((0.2, 0.3, 0.15), []),
        ((0.2, 0.3, 0.1), []),
        # Put back by one of the two steps: the first one holds.
        ((0.2, 0.3, 0.2), [0.2]),
        # Put back half-way only: both let more pass than before them, or did.
        ((0.2, 0.3, 0.25), [0.2, 0.3]),
        ((0.2, 0.3), [0.2, 0.3]),
    ],
)
def test_of_several_steps_under_a_silence_those_are_told_that_still_let_more_pass(
    watched: Watched, steps: tuple[float, ...], told_of: list[float]
) -> None:
    make_member("ines")
    silenced(watched)
    for number, limit in enumerate(steps):
        at = NOW + (number + 1) * timedelta(minutes=30)
        seen(watched, at, driftThreshold=limit)
        mail.tell_loosened(at)
    assert mail.tell_loosened(NOW + 4 * HOUR) == len(told_of)
    texts = "".join(Message.objects.filter(why=NotifyReason.LOOSENED).values_list("text", flat=True))
    assert [limit for limit in (0.2, 0.3) if f"{limit} instead of" in texts] == told_of


def test_of_one_look_only_the_covered_area_is_held_back(watched: Watched) -> None:
    make_member("ines")
    silenced(watched, area="drift")
    seen(watched, NOW + HOUR, driftThreshold=0.3, excludedFeatures=["age"])
    SettingsChange.objects.filter(path="dataDrift.excludedFeatures").update(area="")
    assert mail.tell_loosened(NOW + HOUR) == 1
    assert mail.tell_loosened(NOW + 4 * HOUR) == 1
    texts = Message.objects.filter(why=NotifyReason.LOOSENED).order_by("pk").values_list("text", flat=True)
    assert ["0.3 instead of 0.15" in text for text in texts] == [False, True]


def test_cancelling_the_silence_tells_at_once(watched: Watched) -> None:
    make_member("ines")
    silence = silenced(watched)
    seen(watched, NOW + HOUR, driftThreshold=0.3)
    mail.tell_loosened(NOW + HOUR)
    silences.cancel(silence, None, NOW + 2 * HOUR)
    assert mail.tell_loosened(NOW + 2 * HOUR) == 1


def test_the_digest_and_the_mail_before_its_end_say_what_is_held_back(watched: Watched) -> None:
    member = make_member("ines")
    preference = member.user.preference
    preference.digest = DigestPace.DAILY
    preference.save()
    silenced(watched, hours=48, owner=member.user)
    seen(watched, NOW + HOUR, driftThreshold=0.3)
    mail.tell_loosened(NOW + HOUR)
    regular.send_digests(NOW + timedelta(days=1))
    digest = Message.objects.get(why=NotifyReason.DIGEST)
    assert "Held back by a silence: patches of the hosts, until" in digest.text
    regular.tell_ending_silences(NOW + 40 * HOUR)
    ending = Message.objects.get(why=NotifyReason.SILENCE)
    assert "1 loosened setting is held back by it, and told once it has ended" in ending.text


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
