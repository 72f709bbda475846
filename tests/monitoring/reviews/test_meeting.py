"""A review from its opening to its signature, and what nobody can do to it afterwards."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta

import orjson
import pytest
from django.db import IntegrityError, connection, transaction

from monitoring.models import (
    ActionItem,
    ActionState,
    AgendaSection,
    Review,
    ReviewItem,
    ReviewVerdict,
    SignedReview,
    Status,
    Team,
    Watched,
)
from monitoring.reviews import compare, meeting, records
from tests.monitoring.factories import NOW
from tests.monitoring.reviews.conftest import Team as Reviewed

LATER = NOW + timedelta(minutes=20)


def opened(team: Reviewed) -> Review:
    return meeting.open_review(team.plan, team.owner.user, NOW)


def decide_all(review: Review, team: Reviewed, verdict: ReviewVerdict = ReviewVerdict.ACT) -> None:
    for item in review.items.filter(verdict=""):
        meeting.decide(item, team.owner.user, item.version, verdict, f"About {item.label}.", LATER)
    meeting.accept_calm(review)


def signed(team: Reviewed) -> Review:
    review = opened(team)
    decide_all(review, team)
    return meeting.sign(review, team.owner.user, LATER)


def test_the_agenda_builds_itself_and_counts_what_is_calm(team: Reviewed) -> None:
    review = opened(team)
    assert [(item.label, item.section) for item in review.items.all()] == [
        ("Loan default", AgendaSection.DISCUSS),
        ("Fraud", AgendaSection.BLIND),
    ]
    assert [reason["text"] for reason in review.items.get(label="Loan default").reasons] == [
        "Data drift went from passing to failing"
    ]
    assert [reason["text"] for reason in review.items.get(label="Fraud").reasons] == [
        "Nobody gets mail",
        "Nobody of the team has opened it",
    ]
    assert [one["label"] for one in review.calm] == ["Churn"]


def test_opened_twice_it_is_one_meeting(team: Reviewed) -> None:
    assert opened(team).pk == opened(team).pk
    assert Review.objects.get().number == 1


def test_only_what_the_plan_is_about_is_on_it(team: Reviewed) -> None:
    team.plan.importances = ["CRITICAL"]
    team.plan.save()
    review = opened(team)
    assert [item.label for item in review.items.all()] == ["Loan default"]
    assert review.calm == []


def test_the_figures_are_kept_with_their_window(team: Reviewed) -> None:
    figures = opened(team).items.get(label="Loan default").figures
    measures = {one["key"]: one for one in figures["measures"]}
    assert measures["accuracy"]["value"] == 0.81
    assert (measures["accuracy"]["start"], measures["accuracy"]["end"]) == (
        "2026-04-22T11:00:00Z",
        "2026-04-29T11:00:00Z",
    )
    assert measures["drift"]["detail"] == "income 0.30"
    assert measures["served"]["value"] == 6000
    assert figures["strips"]["drift"] == "p" * 24 + "f" * 6


def test_what_was_decided_stays_when_the_agenda_is_built_again(team: Reviewed) -> None:
    review = opened(team)
    item = review.items.get(label="Loan default")
    meeting.decide(item, team.owner.user, 0, ReviewVerdict.ACT, "Retrain.", LATER)
    Watched.objects.filter(pk=team.calm.pk).update(worst=Status.FAILING, blind_spots=["Drift tracking is off"])
    meeting.rebuild(review, LATER)
    labels = list(review.items.values_list("label", "verdict"))
    assert labels[0] == ("Loan default", "act")
    assert set(labels) == {("Loan default", "act"), ("Fraud", ""), ("Churn", "")}


def test_who_has_not_seen_the_newest_version_is_told_what_it_is(team: Reviewed) -> None:
    item = opened(team).items.get(label="Loan default")
    meeting.decide(item, team.owner.user, 0, ReviewVerdict.ACT, "Retrain.", LATER)
    with pytest.raises(meeting.Conflict) as conflict:
        meeting.decide(item, team.reader.user, 0, ReviewVerdict.WATCH, "Wait.", LATER)
    assert conflict.value.item.note == "Retrain."
    assert conflict.value.item.saved_by == team.owner.user
    item.refresh_from_db()
    assert (item.verdict, item.version) == ("act", 1)


def test_the_same_save_sent_twice_is_no_conflict(team: Reviewed) -> None:
    item = opened(team).items.get(label="Loan default")
    saved = [meeting.decide(item, team.owner.user, 0, ReviewVerdict.ACT, "Retrain.", LATER) for _ in range(2)]
    assert [one.version for one in saved] == [1, 1]


def test_a_calm_deployment_can_be_taken_up(team: Reviewed) -> None:
    review = opened(team)
    item = meeting.discuss(review, team.calm.pk, NOW)
    assert item is not None
    assert item.position == 2
    review.refresh_from_db()
    assert review.calm == []
    assert meeting.discuss(review, team.calm.pk, NOW) is None


def test_it_is_signed_only_when_every_verdict_is_there(team: Reviewed) -> None:
    review = opened(team)
    with pytest.raises(meeting.Unfinished) as unfinished:
        meeting.sign(review, team.owner.user, LATER)
    assert unfinished.value.missing == 3
    meeting.accept_calm(review)
    assert meeting.accept_blind(review, team.owner.user, LATER) == 1
    assert meeting.missing_verdicts(Review.objects.get()) == 1


def test_the_record_holds_what_was_known_and_its_hash(team: Reviewed) -> None:
    review = opened(team)
    meeting.attend(review, team.reader.user, NOW)
    item = review.items.get(label="Loan default")
    meeting.promise(review, item, "Retrain with\nMay data", team.reader.user, date(2026, 5, 8), team.owner.user, NOW)
    decide_all(review, team)
    done = meeting.sign(review, team.owner.user, LATER)
    Watched.objects.update(health={}, worst=Status.UNKNOWN)
    kept = Review.objects.get(pk=done.pk)
    assert kept.is_intact
    assert kept.content_hash == hashlib.sha256(kept.content.encode()).hexdigest()
    record = kept.record
    assert record["signed_by"] == "ines"
    assert record["present"] == ["tom"]
    assert [(one["label"], one["verdict"], one["note"]) for one in record["items"]] == [
        ("Loan default", "act", "About Loan default."),
        ("Fraud", "act", "About Fraud."),
    ]
    assert record["items"][0]["figures"]["worst"] == "failing"
    assert record["items"][0]["actions"][0]["text"] == "Retrain with May data"
    assert [one["label"] for one in record["calm"]] == ["Churn"]
    assert orjson.dumps(record, option=orjson.OPT_SORT_KEYS).decode() == kept.content


def test_a_signed_review_takes_no_further_step(team: Reviewed) -> None:
    review = signed(team)
    item = review.items.first()
    assert item is not None
    steps = (
        lambda: meeting.decide(item, team.owner.user, 1, ReviewVerdict.HEALTHY, "", LATER),
        lambda: meeting.sign(review, team.owner.user, LATER),
        lambda: meeting.rebuild(review, LATER),
        lambda: meeting.accept_calm(review),
        lambda: meeting.promise(review, item, "More", None, date(2026, 5, 8), team.owner.user, LATER),
        lambda: meeting.discuss(review, team.calm.pk, LATER),
        review.save,
        review.delete,
    )
    for step in steps:
        with pytest.raises(SignedReview):
            step()


REFUSED = (
    "UPDATE monitoring_review SET content = '{}'",
    "UPDATE monitoring_review SET state = 'open'",
    "UPDATE monitoring_review SET signed_by_id = %(other)s",
    "DELETE FROM monitoring_review",
    "UPDATE monitoring_reviewitem SET note = 'All was well.'",
    "UPDATE monitoring_reviewitem SET figures = '{}'",
    "DELETE FROM monitoring_reviewitem",
    "INSERT INTO monitoring_reviewitem (review_id, label, section, position, consequence, reasons, figures, verdict,"
    " note, version) SELECT id, 'x', 'discuss', 9, 0, '[]', '{}', '', '', 0 FROM monitoring_review",
)


@pytest.mark.parametrize("statement", REFUSED)
def test_the_database_itself_refuses_to_change_it(team: Reviewed, statement: str) -> None:
    signed(team)
    with pytest.raises(IntegrityError, match="is signed"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, {"other": team.reader.user_id})
    assert Review.objects.get().is_intact


def test_an_open_review_may_be_changed_by_the_same_statements(team: Reviewed) -> None:
    opened(team)
    with connection.cursor() as cursor:
        cursor.execute(REFUSED[4])
    assert ReviewItem.objects.filter(note="All was well.").count() == 2


def test_people_and_deployments_that_go_away_leave_the_record_as_it_was(team: Reviewed) -> None:
    review = signed(team)
    team.drifting.delete()
    team.owner.user.delete()
    kept = Review.objects.get(pk=review.pk)
    assert kept.is_intact
    assert kept.signed_by is None
    assert kept.record["signed_by"] == "ines"
    assert kept.record["items"][0]["label"] == "Loan default"


def test_a_team_is_taken_away_with_its_reviews_only_on_purpose(team: Reviewed) -> None:
    signed(team)
    meeting.open_review(team.plan, team.owner.user, NOW + timedelta(days=7))
    with pytest.raises(IntegrityError):
        Team.objects.get(pk=team.plan.team_id).delete()
    records.erase(team.plan.team_id)
    Team.objects.get(pk=team.plan.team_id).delete()
    assert not Review.objects.exists()


def test_the_next_review_starts_from_open_promises_and_names_the_record_before(team: Reviewed) -> None:
    review = opened(team)
    item = review.items.get(label="Fraud")
    meeting.promise(review, item, "Subscribe somebody", team.reader.user, date(2026, 5, 3), team.owner.user, NOW)
    decide_all(review, team, ReviewVerdict.ACCEPT)
    first = meeting.sign(review, team.owner.user, LATER)
    week_later = NOW + timedelta(days=7)
    Watched.objects.update(polled_at=week_later, seen_at=week_later)
    second = meeting.open_review(team.plan, team.owner.user, week_later)
    assert (second.number, second.previous_id, second.since) == (2, first.pk, first.known_at)
    fraud = second.items.get(label="Fraud")
    assert [reason["text"] for reason in fraud.reasons] == ["Promised by tom: Subscribe somebody (overdue by 5 days)"]
    decide_all(second, team)
    record = meeting.sign(second, team.owner.user, week_later + timedelta(minutes=5)).record
    assert record["previous"] == {"number": 1, "hash": first.content_hash}
    assert record["promises"][0]["state"] == "open"


def test_a_promise_is_kept_once_and_can_be_taken_up_again(team: Reviewed) -> None:
    review = opened(team)
    action = meeting.promise(review, None, "Write the runbook", None, date(2026, 5, 8), team.owner.user, NOW)
    meeting.close_action(action, ActionState.DONE, team.owner.user, LATER)
    meeting.close_action(action, ActionState.DONE, team.reader.user, LATER + timedelta(hours=1))
    action = ActionItem.objects.get()
    assert (action.state, action.closed_by, action.closed_at) == ("done", team.owner.user, LATER)
    meeting.close_action(action, ActionState.OPEN, team.owner.user, LATER)
    assert ActionItem.objects.get().closed_at is None


def test_a_meeting_of_the_past_sees_the_days_before_it_and_nothing_later(team: Reviewed) -> None:
    week_ago = NOW - timedelta(days=7)
    review = meeting.open_review(team.plan, team.owner.user, NOW, week_ago)
    assert review.known_at == week_ago
    labels = [item.label for item in review.items.all()]
    assert "Loan default" not in labels
    calm = {one["label"]: one["worst"] for one in review.calm}
    assert calm["Loan default"] == "passing"


def test_two_reviews_are_compared_by_what_was_known_in_each(team: Reviewed) -> None:
    before = meeting.open_review(team.plan, team.owner.user, NOW, NOW - timedelta(days=7))
    decide_all(before, team)
    meeting.sign(before, team.owner.user, NOW - timedelta(days=7))
    now = opened(team)
    assert now.previous is not None
    found = compare.compare(compare.standings(now.previous), compare.standings(now))
    assert [pair.label for pair in found.worse] == ["Loan default"]
    assert found.words() == "1 got worse, 0 got better, 2 did not change"
    assert found.matrix[Status.PASSING, Status.FAILING] == 1
    assert sum(found.matrix.values()) == 6
