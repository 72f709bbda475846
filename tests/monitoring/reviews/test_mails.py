"""Mail about reviews: the record once to each, a reminder a day ahead, late promises once a week."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from monitoring.models import ActionItem, ActionState, Membership, Message, NotifyReason, Review, ReviewVerdict
from monitoring.reviews import mails, meeting, schedule
from tests.monitoring.factories import NOW, make_member
from tests.monitoring.reviews.conftest import Team


def hold(team: Team) -> Review:
    review = meeting.open_review(team.plan, team.owner.user, NOW)
    item = review.items.get(label="Loan default")
    meeting.promise(review, item, "Retrain with May data", team.reader.user, date(2026, 5, 8), team.owner.user, NOW)
    meeting.decide(item, team.owner.user, 0, ReviewVerdict.ACT, "It drifts since Sunday.", NOW)
    meeting.accept_blind(review, team.owner.user, NOW)
    meeting.accept_calm(review)
    return meeting.sign(review, team.owner.user, NOW)


def test_the_record_goes_to_everybody_who_takes_part_with_what_was_decided(team: Team) -> None:
    make_member("eve")
    review = hold(team)
    found = Message.objects.filter(why=NotifyReason.REVIEWED)
    assert set(found.values_list("recipient", flat=True)) == {"ines@example.com", "tom@example.com"}
    mail = found.get(recipient="ines@example.com")
    assert mail.subject == "[REVIEW] Weekly review, Risk: 1 act, 1 accept, 1 unchanged"
    for body in (mail.text, mail.html):
        assert "Weekly review of Fri 1 May 06:20" in body  # her mornings are in New York
        assert "Loan default" in body
        assert "It drifts since Sunday." in body
        assert "→ Retrain with May data (tom, due Fri 8 May)" in body
        assert f"/reviews/{review.pk}/" in body
        assert "America/New_York" in body
    assert "<table" not in mail.text
    assert mail.payload["version"] == 1
    assert mail.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mails.tell_signed(review, NOW) == 0


def test_what_people_type_is_never_markup(team: Team) -> None:
    review = meeting.open_review(team.plan, team.owner.user, NOW)
    for item in review.items.all():
        meeting.decide(item, team.owner.user, 0, ReviewVerdict.WATCH, "<b>bold</b> & more", NOW)
    meeting.accept_calm(review)
    meeting.sign(review, team.owner.user, NOW)
    mail = Message.objects.filter(why=NotifyReason.REVIEWED)[0]
    assert "<b>bold</b> & more" in mail.text
    assert "<b>bold" not in mail.html


def test_without_attendees_the_whole_team_is_told_but_nobody_who_wants_no_mail(team: Team) -> None:
    team.plan.attendees.clear()
    make_member("quiet", wants_mail=False)
    Membership.objects.filter(pk=team.reader.pk).update(wants_mail=False)
    hold(team)
    assert [mail.recipient for mail in Message.objects.all()] == ["ines@example.com"]


def test_a_review_is_announced_once_a_day_ahead(team: Team) -> None:
    due = schedule.next_due(team.plan, NOW)
    assert mails.remind_due(due - timedelta(hours=25)) == 0
    assert mails.remind_due(due - timedelta(hours=23)) == 2
    assert mails.remind_due(due - timedelta(hours=3)) == 0
    mail = Message.objects.get(recipient="ines@example.com")
    assert mail.why == NotifyReason.REVIEW_DUE
    assert mail.subject == "[REVIEW DUE] Weekly review, Risk: Fri 8 May 03:00"
    assert mails.remind_due(due + timedelta(days=6, hours=12)) == 2


def test_a_reminder_that_was_written_is_not_composed_again(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    due = schedule.next_due(team.plan, NOW)
    fields = {"team": team.plan.team, "created_by": team.owner.user, "created_at": NOW}
    ActionItem.objects.create(text="Retrain", due_on=date(2026, 4, 30), **fields)
    assert mails.remind(due - timedelta(hours=3)) == 3
    monkeypatch.setattr(mails, "letter", None)
    assert mails.remind(due - timedelta(hours=2)) == 0


def test_nobody_is_reminded_of_a_review_that_is_open_or_of_a_paused_plan(team: Team) -> None:
    soon = schedule.next_due(team.plan, NOW) - timedelta(hours=2)
    meeting.open_review(team.plan, team.owner.user, NOW)
    assert mails.remind_due(soon) == 0
    Review.objects.all().delete()
    team.plan.active = False
    team.plan.save()
    assert mails.remind_due(soon) == 0


def test_late_promises_are_told_to_their_owner_once_a_week(team: Team) -> None:
    fields = {"team": team.plan.team, "created_by": team.owner.user, "created_at": NOW}
    ActionItem.objects.create(text="Retrain", owner=team.reader.user, due_on=date(2026, 4, 29), label="Churn", **fields)
    ActionItem.objects.create(text="Nobody's", due_on=date(2026, 4, 30), **fields)
    ActionItem.objects.create(text="In time", owner=team.reader.user, due_on=date(2026, 5, 1), **fields)
    done = ActionItem.objects.create(text="Done", owner=team.reader.user, due_on=date(2026, 4, 1), **fields)
    meeting.close_action(done, ActionState.DONE, team.owner.user, NOW)
    assert mails.remind_overdue(NOW) == 2
    assert mails.remind_overdue(NOW + timedelta(hours=5)) == 0
    told = {mail.recipient: mail for mail in Message.objects.all()}
    assert told["tom@example.com"].subject == "[OVERDUE] 1 action item in Risk"
    assert "Retrain: 2 days late" in told["tom@example.com"].text
    assert "In time" not in told["tom@example.com"].text
    assert "without an owner, made by ines" in told["ines@example.com"].text
    assert mails.remind_overdue(NOW + timedelta(days=7)) == 2
