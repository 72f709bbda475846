"""From a notice to the reader's screen: what is written, to whom, once."""

from __future__ import annotations

import json
from datetime import time, timedelta
from typing import Any

import pytest
from django.test import override_settings
from pytest_django import DjangoAssertNumQueries

from monitoring import mail
from monitoring.channels import aim
from monitoring.incidents import actions, record
from monitoring.models import (
    Area,
    Carrier,
    Channel,
    Incident,
    IncidentKind,
    IncidentNotice,
    Message,
    NoticeKind,
    NotificationRule,
    NotifyReason,
    Role,
    Status,
    Subscription,
    Team,
    Watched,
    Wish,
)
from monitoring.models import MailState as State
from tests.monitoring.factories import NOW, make_incident, make_member, make_source, make_team, make_watched

pytestmark = pytest.mark.django_db

EVIDENCE = {
    "metric": "AUC",
    "value": 0.685,
    "baseline": 0.8,
    "measurement": "percent",
    "warningThreshold": 5.0,
    "failingThreshold": 10.0,
    "rows": 5798,
    "labelLagHours": 46,
}
REASON = "AUC 0.685, 14.4 % below baseline 0.800; limit 10.0 %."


def trouble(of: Watched, **fields: Any) -> Incident:
    values = {
        "area": Area.ACCURACY,
        "reason": REASON,
        "evidence": EVIDENCE,
        "began_at": NOW - timedelta(days=2),
        "opened_at": NOW - timedelta(days=2),
        "predictions_affected": 5900.0,
    }
    return make_incident(of, **{**values, **fields})


def tell(incident: Incident, kind: NoticeKind = NoticeKind.OPENED, now: Any = NOW, **data: Any) -> IncidentNotice:
    notice = record.notice(incident, kind, now, **data)
    notice.save()
    incident.save()
    return notice


def resolve(incident: Incident, now: Any = NOW) -> IncidentNotice:
    incident.resolved_at, incident.status = now, Status.PASSING
    return tell(incident, NoticeKind.RESOLVED, now)


def make_rule(**fields: Any) -> NotificationRule:
    return NotificationRule.objects.create(**{"team": make_team(), "name": "Nights", **fields})


def make_hook() -> Channel:
    channel = Channel(team=make_team(), name="hook", carrier=Carrier.WEBHOOK)
    aim(channel, "https://example.org/hook")
    channel.save()
    return channel


# --- To whom --------------------------------------------------------------------------------------------------------


def test_a_notice_is_written_to_everybody_who_wants_mail_and_to_the_channels() -> None:
    make_member("ines")
    make_member("tom")
    make_member("quiet", wants_mail=False)
    make_member("stranger", team=Team.objects.create(name="Other"))
    make_hook()
    tell(trouble(make_watched()))
    assert mail.decide(NOW) == 3
    assert {message.recipient for message in Message.objects.all()} == {
        "ines@example.com",
        "tom@example.com",
        "hook, example.org/…",
    }
    assert IncidentNotice.objects.get().outcome == "Told to 3, 1 not told."


def test_a_decision_is_made_once() -> None:
    make_member()
    notice = tell(trouble(make_watched()))
    assert mail.decide(NOW) == 1
    assert mail.decide(NOW) == 0
    IncidentNotice.objects.update(handled_at=None)
    assert mail.decide(NOW) == 0, "even a notice that is handled again writes nothing new"
    notice.refresh_from_db()
    assert notice.handled_at == NOW


def test_a_notice_that_is_held_is_told_to_nobody() -> None:
    from monitoring.models import Held

    make_member()
    incident = trouble(make_watched())
    record.notice(incident, NoticeKind.OPENED, NOW, held=Held.SILENCE).save()
    assert mail.decide(NOW) == 0


def test_a_muted_deployment_is_not_heard_and_a_subscribed_one_is() -> None:
    muted, subscribed = make_member("muted"), make_member("subscribed", wants_mail=False)
    watched = make_watched()
    Subscription.objects.create(user=muted.user, watched=watched, wish=Wish.NOTHING)
    Subscription.objects.create(user=subscribed.user, watched=watched, wish=Wish.ALL)
    tell(trouble(watched))
    mail.decide(NOW)
    assert Message.objects.get().user == subscribed.user
    assert "because you subscribed to it" in Message.objects.get().text


def test_low_importance_at_risk_waits_for_the_digest() -> None:
    make_member()
    tell(trouble(make_watched(importance="LOW"), status=Status.WARNING, worst=Status.WARNING))
    assert mail.decide(NOW) == 0
    assert IncidentNotice.objects.get().outcome == "1 in the digest."


def test_a_rule_of_the_team_decides_and_is_named() -> None:
    member = make_member("ines")
    make_member("tom")
    rule = make_rule(areas=["accuracy"], everybody=False)
    rule.members.add(member)
    make_rule(name="Rest", position=20, delivery="never")
    tell(trouble(make_watched()))
    mail.decide(NOW)
    message = Message.objects.get()
    assert message.user == member.user
    assert "the rule “Nights” of Risk names you" in message.text


def test_outside_the_hours_a_message_waits_and_a_newer_one_takes_its_place() -> None:
    member = make_member(zone="America/New_York")
    member.user.preference.from_time, member.user.preference.to_time = time(9), time(17)
    member.user.preference.save()
    incident = trouble(make_watched(), status=Status.WARNING, worst=Status.WARNING)
    tell(incident)
    mail.decide(NOW)
    held = Message.objects.get()
    assert (held.state, held.not_before.hour) == (State.KEPT, 13)
    Message.objects.update(state=State.PENDING)
    incident.status = incident.worst = Status.FAILING
    tell(incident, NoticeKind.WORSE, NOW + timedelta(minutes=5))
    mail.decide(NOW + timedelta(minutes=5))
    held.refresh_from_db()
    assert held.state == State.DROPPED
    worse = Message.objects.get(why=NotifyReason.WORSE)
    assert worse.not_before == NOW + timedelta(minutes=5)
    assert "References" not in worse.headers, "it is the first that this reader gets"


def test_what_came_and_went_outside_the_hours_is_not_told_at_all() -> None:
    member = make_member(zone="America/New_York")
    member.user.preference.from_time, member.user.preference.to_time = time(9), time(17)
    member.user.preference.save()
    incident = trouble(make_watched(), status=Status.WARNING, worst=Status.WARNING)
    with override_settings(MAIL_IS_SENT=True):
        tell(incident)
        mail.decide(NOW)
        resolve(incident, NOW + timedelta(minutes=30))
        mail.decide(NOW + timedelta(minutes=30))
    assert Message.objects.get().state == State.DROPPED


def test_an_unanswered_incident_calls_owners_and_managers_or_whom_a_rule_names() -> None:
    make_member("owner")
    make_member("member", role=Role.MEMBER)
    incident = trouble(make_watched())
    tell(incident, NoticeKind.ESCALATED)
    mail.decide(NOW)
    message = Message.objects.get()
    assert message.recipient == "owner@example.com"
    assert message.subject.startswith("[UNANSWERED, FAILING] Loan default")
    assert "nobody has answered for 2\u202fd" in message.text


# --- What it says ---------------------------------------------------------------------------------------------------


def test_subject_text_and_html_say_what_why_since_when_and_where() -> None:
    make_member(zone="America/New_York")
    watched = make_watched(label="Flight delayed > 15 min", predictions_per_day=1234.0)
    incident = trouble(watched)
    tell(incident)
    mail.decide(NOW)
    message = Message.objects.get()
    assert message.subject == "[FAILING] Flight delayed > 15 min – accuracy (AUC 0.685)"
    for body in (message.text, message.html):
        assert REASON in body
        assert "AUC 0.685, baseline 0.800; at risk from 5.0\u202f%, failing from 10.0\u202f%" in body
        assert "Wed 29 Apr 06:20 (2\u202fd)" in body
        assert "≈ 5,900 since it began; 1,234 a day" in body
        assert "5,798 predictions of the window" in body
        assert "complete after 46\u202fh" in body
        assert f"/deployments/{watched.pk}/accuracy/" in body
        assert f"/incidents/{incident.pk}/" in body
        assert "first message; " in body
        assert "America/New_York" in body
        assert "because you are in Risk" in body
        for act in ("Acknowledge", "Snooze 4\u202fh", "24\u202fh", "7\u202fd", "seful", "oise"):
            assert act in body
    assert message.html.count("/act/") == 6
    assert "Flight delayed > 15 min" in message.text
    assert "Flight delayed &gt; 15 min" in message.html


KINDS = [
    (NoticeKind.OPENED, {}, "[FAILING] Loan default", "first message"),
    (NoticeKind.REOPENED, {}, "[FAILING AGAIN] Loan default", "had been resolved, is in trouble again"),
    (NoticeKind.WORSE, {}, "[FAILING] Loan default", "was at risk, got worse"),
    (NoticeKind.BETTER, {}, "[FAILING] Loan default", "better but not yet well"),
    (NoticeKind.STILL, {}, "[STILL FAILING, DAY 3] Loan default", "unchanged for 2\u202fd"),
    (NoticeKind.STILL, {"snoozeEnded": True}, "[STILL FAILING, DAY 3]", "the snooze has ended, unchanged for 2\u202fd"),
    (NoticeKind.ESCALATED, {}, "[UNANSWERED, FAILING]", "nobody has answered for 2\u202fd"),
    (NoticeKind.FLAPPING, {}, "[FLAPPING] Loan default", "silent until it settles or ends"),
    (NoticeKind.RESOLVED, {"by": "Tom"}, "[RESOLVED] Loan default", "closed by Tom after 2\u202fd"),
]


@pytest.mark.parametrize(("kind", "data", "subject", "lead"), KINDS)
def test_each_kind_says_what_happened(kind: NoticeKind, data: dict[str, Any], subject: str, lead: str) -> None:
    make_member()
    incident = trouble(make_watched(), told=Status.WARNING)
    if kind is NoticeKind.RESOLVED:
        incident.resolved_at = NOW
    tell(incident, kind, **data)
    mail.decide(NOW)
    message = Message.objects.get()
    assert message.subject.startswith(subject)
    assert message.why == kind.value
    assert lead in message.text
    assert lead in message.html


def test_a_recovery_has_the_passing_bar_its_duration_and_no_buttons() -> None:
    make_member()
    incident = trouble(make_watched())
    resolve(incident)
    mail.decide(NOW)
    message = Message.objects.get()
    assert "well again after 2\u202fd" in message.text
    assert "Lasted: 2\u202fd, from Wed 29 Apr 10:20" in message.text
    assert 'bgcolor="#147F58"' in message.html
    assert "Acknowledge" not in message.html
    assert message.html.count("/act/") == 2, "whether it was worth a mail can still be said"


def test_what_a_user_typed_cannot_become_markup_or_a_header() -> None:
    make_member()
    tell(trouble(make_watched(label="<script>alert(1)</script>\nBcc: all@example.com")))
    mail.decide(NOW)
    message = Message.objects.get()
    assert "<script>" not in message.html
    assert "\n" not in message.subject


def test_the_mail_names_what_else_does_not_pass_and_what_is_done_about_it() -> None:
    member = make_member()
    source = make_source()
    other = make_watched(source, remote_id="d2", label="Churn")
    fields = {"status": Status.FAILING, "reason": "1 feature above PSI 0.15.", "since": NOW, "judged_at": NOW}
    other.areas.create(area=Area.DRIFT, **fields)
    actions.acknowledge(make_incident(other), member.user, NOW)
    tell(trouble(make_watched(source)))
    mail.decide(NOW)
    message = Message.objects.get()
    assert "Churn, data drift" in message.text
    assert "Since Fri 1 May 10:20, acknowledged." in message.text
    assert "Churn, data drift" in message.html


def test_who_has_it_in_hand_is_said_and_then_only_snoozing_is_offered() -> None:
    member = make_member()
    incident = trouble(make_watched())
    actions.acknowledge(incident, member.user, NOW)
    actions.assign(incident, member.user, NOW, to=member.user)
    tell(incident, NoticeKind.STILL)
    mail.decide(NOW)
    message = Message.objects.get()
    assert "Handled by: ines, acknowledged by ines Fri 1 May 10:20" in message.text
    assert "Acknowledge:" not in message.text
    assert "Snooze 4\u202fh:" in message.text


def test_a_read_only_member_gets_no_buttons_that_act() -> None:
    make_member(role=Role.READONLY)
    tell(trouble(make_watched()))
    mail.decide(NOW)
    assert Message.objects.get().html.count("/act/") == 2


def make_fleet(size: int) -> Incident:
    source = make_source()
    first = make_watched(source)
    fields = {"watched": None, "source": None, "area": "", "reason": "drift of carrier in 12 deployments"}
    fleet = trouble(first, kind=IncidentKind.FLEET, cause="feature:carrier", evidence={}, **fields)
    for number in range(size):
        watched = make_watched(source, remote_id=f"f{number}", label=f"Model {number:02}")
        make_incident(watched, parent=fleet)
    return fleet


def test_one_cause_over_many_deployments_is_one_message_that_lists_them() -> None:
    make_member()
    fleet = make_fleet(30)
    tell(fleet)
    assert mail.decide(NOW) == 1
    message = Message.objects.get()
    assert message.subject == "[FAILING] 30 deployments, one cause – drift of carrier in 12 deployments"
    for body in (message.text, message.html):
        assert "Model 00, data drift" in body
        assert "and 5 more" in body
    assert f"/incidents/{fleet.pk}/" in message.text


def test_the_reminder_of_a_fleet_lists_only_what_is_still_broken() -> None:
    make_member()
    fleet = make_fleet(3)
    Incident.objects.filter(watched__label="Model 01").update(resolved_at=NOW)
    tell(fleet, NoticeKind.STILL)
    mail.decide(NOW)
    message = Message.objects.get()
    assert message.subject.startswith("[STILL FAILING, DAY 3] 2 deployments")
    assert "Still affected" in message.text
    assert "Model 01" not in message.text
    assert "Since Fri 1 May 09:20 (1\u202fh)." in message.text


@pytest.mark.parametrize(
    ("kind", "subject", "words"),
    [
        (NoticeKind.OPENED, "[SILENT] Source ops-east", "Silent: Source ops-east"),
        (NoticeKind.RESOLVED, "[BACK] Source ops-east", "answers again after 2\u202fd"),
    ],
)
def test_a_source_that_falls_silent_and_comes_back(kind: NoticeKind, subject: str, words: str) -> None:
    make_member()
    watched = make_watched()
    fields: dict[str, Any] = {"watched": None, "area": "", "evidence": {}, "reason": "No answer since 08:20."}
    incident = trouble(watched, kind=IncidentKind.SOURCE, **fields)
    if kind is NoticeKind.RESOLVED:
        resolve(incident)
    else:
        tell(incident, kind)
    mail.decide(NOW)
    message = Message.objects.get()
    assert message.subject == subject
    assert words in message.text
    assert "Loan default" in message.html
    assert "as they were last known" in message.html


def test_a_webhook_gets_figures_and_a_thread_rather_than_a_mail() -> None:
    make_hook()
    incident = trouble(make_watched(importance="CRITICAL"))
    tell(incident)
    mail.decide(NOW)
    payload = Message.objects.get().payload
    assert json.loads(json.dumps(payload)) == payload
    assert (payload["kind"], payload["status"], payload["area"]) == ("opened", "failing", "accuracy")
    assert payload["evidence"] == EVIDENCE
    assert payload["incident"]["id"] == incident.pk
    assert payload["incident"]["predictionsAffected"] == 5900
    assert payload["deployments"][0]["importance"] == "CRITICAL"
    assert payload["thread"] == f"vitals-incident-{incident.pk}"
    assert "/act/" not in json.dumps(payload), "a channel is no person: nobody could be recorded"


# --- Headers, keeping, drawing --------------------------------------------------------------------------------------


def test_headers_thread_under_the_first_message_and_let_the_reader_leave() -> None:
    reader = make_member()
    incident = trouble(make_watched())
    tell(incident)
    resolve(incident)
    mail.decide(NOW)
    first, second = Message.objects.order_by("pk")
    assert "References" not in first.headers
    assert second.headers["References"] == second.headers["In-Reply-To"] == first.message_id
    for message in (first, second):
        assert reader.mail_token in message.headers["List-Unsubscribe"]
        assert message.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert first.message_id != second.message_id


def test_without_a_mail_server_mail_is_kept_and_never_sent(mailoutbox: list[object]) -> None:
    make_member()
    tell(trouble(make_watched()))
    with override_settings(MAIL_IS_SENT=False):
        mail.decide(NOW)
        assert mail.send_due(NOW) == 0
    assert Message.objects.get().state == State.KEPT
    assert mailoutbox == []


def test_a_reader_without_a_time_zone_reads_utc() -> None:
    make_member(zone="Nowhere/Atlantis")
    tell(trouble(make_watched()))
    mail.decide(NOW)
    assert "Times in UTC" in Message.objects.get().text


def test_a_mail_that_asks_for_a_picture_goes_out_without_it_when_drawing_fails(
    caplog: pytest.LogCaptureFixture,
) -> None:
    make_member()
    tell(trouble(make_watched()))
    with override_settings(MAIL_CHART="tests.monitoring.test_mail.draw"):
        assert mail.decide(NOW) == 1
    assert Message.objects.get().pictures == {}
    assert "without its picture" in caplog.text


def draw(chart: object) -> bytes:
    raise RuntimeError("no ink")


def icon(status: str) -> bytes:
    raise RuntimeError("no ink")


def test_a_thousand_readers_cost_as_many_statements_as_one(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(40):
        make_member(f"reader{number}")
    tell(trouble(make_watched()))
    with django_assert_max_num_queries(22):
        assert mail.decide(NOW) == 40
