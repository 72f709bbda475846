"""The demo's reviews: made from days that were really judged, by the steps that people take, once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from demo import watching
from demo.extras import reviews
from monitoring.models import Membership, Message, NotifyReason, Review, ReviewState, Role, Source, Status, Team
from monitoring.reviews import meeting
from tests.monitoring.factories import NOW, make_source
from tests.monitoring.reviews.conftest import judged

pytestmark = pytest.mark.django_db
P, W, F = Status.PASSING, Status.WARNING, Status.FAILING


@pytest.fixture
def team() -> Team:
    """The demo's team with a deployment that failed all month, one that recovered, and one that is well."""
    made = Team.objects.create(name=watching.TEAM)
    user = User.objects.create_user(watching.USERNAME, watching.EMAIL)
    Membership.objects.create(team=made, user=user, role=Role.OWNER)
    source: Source = make_source(team=made, last_ok_at=NOW)
    judged(source, "Weather", [F] * 30, importance="CRITICAL")
    judged(source, "Delays", [P] * 18 + [W] * 6 + [P] * 6)
    judged(source, "Timetable", [P] * 30)
    return made


def hold(team: Team) -> Review:
    return reviews.hold(team, User.objects.get(username=watching.USERNAME), NOW)


def test_last_weeks_review_is_signed_with_what_the_days_showed_then(team: Team) -> None:
    hold(team)
    first = Review.objects.get(state=ReviewState.SIGNED)
    assert timedelta(days=6) < NOW - first.known_at < timedelta(days=8)
    assert first.is_intact
    items = {one["label"]: one for one in first.record["items"]}
    assert items["Weather"]["verdict"] == "act"
    # the meeting was on the 24th: the days from the 2nd to the 23rd were whole then
    assert items["Weather"]["note"] == "Data drift failing on 22 of 30 days."
    assert items["Delays"]["verdict"] == "watch"  # it recovered only after that meeting
    assert [action["text"] for action in items["Weather"]["actions"]] == [reviews.PROMISE]


def test_this_weeks_review_is_open_and_starts_from_what_was_promised(team: Team) -> None:
    second = hold(team)
    assert second.state == ReviewState.OPEN
    assert second.previous is not None
    reasons = [reason["text"] for reason in second.items.get(label="Weather").reasons]
    assert any(text.startswith(f"Promised by demo: {reviews.PROMISE}") for text in reasons)
    delays = [reason["text"] for reason in second.items.get(label="Delays").reasons]
    assert "Data drift went from at risk to passing" in delays


def test_a_second_load_makes_nothing_twice_and_one_that_was_cut_off_goes_on(team: Team) -> None:
    user = User.objects.get(username=watching.USERNAME)
    plan = reviews._plan(team, user, NOW)
    begun = meeting.open_review(plan, user, NOW, NOW - timedelta(days=7))
    first = begun.items.first()
    assert first is not None
    meeting.decide(first, user, 0, "act", "", NOW)
    hold(team)
    hold(team)
    assert Review.objects.count() == 2
    assert Message.objects.filter(why=NotifyReason.REVIEWED).count() == 1


def test_taking_the_demo_away_takes_its_reviews_along(team: Team) -> None:
    hold(team)
    watching.forget()
    assert not Review.objects.exists()
    assert not Team.objects.filter(name=watching.TEAM).exists()
