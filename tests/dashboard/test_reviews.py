"""The pages of reviews: a plan, its meeting, its record, and what was promised."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from monitoring import packing
from monitoring.models import (
    ActionItem,
    Answer,
    PageVisit,
    PendingQuestion,
    Review,
    ReviewPlan,
    Status,
    Topic,
    Watched,
)
from monitoring.reviews import meeting
from monitoring.reviews.figures import restated_question
from tests.dashboard.world import World

MEETING_QUERIES, RECORD_QUERIES, LIST_QUERIES = 48, 24, 14
HTMX = {"HX-Request": "true"}


@dataclass
class Meeting:
    """An open meeting in the flights' team, and the page it begins with."""

    world: World
    plan: ReviewPlan
    review: Review

    @property
    def first(self) -> int:
        item = self.review.items.first()
        assert item is not None
        return item.pk

    def url(self, name: str, *more: int) -> str:
        return reverse(name, args=[self.review.pk, *more])

    def decide_all(self, verdict: str = "act") -> None:
        for item in self.review.items.filter(verdict=""):
            meeting.decide(item, self.world.owner, item.version, verdict, f"About {item.label}.", self.world.now)
        meeting.accept_calm(self.review)

    def signed(self) -> Review:
        self.decide_all()
        return meeting.sign(self.review, self.world.owner, self.world.now)


def plan_of(world: World, **fields: object) -> ReviewPlan:
    values = {"team": world.team, "name": "Weekly review", "starts_on": date(2026, 1, 1), "created_at": world.now}
    return ReviewPlan.objects.create(**{**values, **fields})


@pytest.fixture
def open_meeting(world: World) -> Meeting:
    plan = plan_of(world)
    return Meeting(world, plan, meeting.open_review(plan, world.owner, world.now))


def test_without_a_plan_the_page_says_what_a_review_is(inside: Client) -> None:
    page = inside.get(reverse("reviews")).content.decode()
    assert "No review is planned" in page
    assert "Plan a review" in page


def test_a_review_is_planned_by_a_form(world: World, inside: Client) -> None:
    values = {
        "team": world.team.pk,
        "name": "Weekly review",
        "cadence": "weekly",
        "weekday": "3",
        "at": "09:30",
        "time_zone": "Europe/Berlin",
        "starts_on": "2026-01-01",
        "attendees": [world.owner.pk, world.reader.pk],
        "importances": ["CRITICAL", "HIGH"],
        "tags": "region, region, team",
        "active": "on",
    }
    assert inside.post(reverse("review-plan-add"), values).status_code == 302
    plan = ReviewPlan.objects.get()
    assert (plan.weekday, plan.hour, plan.minute, plan.time_zone) == (3, 9, 30, "Europe/Berlin")
    assert plan.tags == ["region", "team"]
    assert set(plan.attendees.all()) == {world.owner, world.reader}
    assert "Every week, Thursday 09:30 Europe/Berlin" in inside.get(reverse("reviews")).content.decode()
    again = inside.post(reverse("review-plan-add"), values).content.decode()
    assert "The team has a review of this name already." in again
    page = inside.get(reverse("review-plan", args=[plan.pk])).content.decode()
    assert 'value="09:30"' in page
    assert 'value="region, team"' in page


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("cadence", "hourly"),
        ("weekday", "9"),
        ("at", "25:00"),
        ("time_zone", "Mars"),
        ("attendees", "outsider"),
        ("team", "other"),
        ("starts_on", "soon"),
        ("importances", "HUGE"),
        ("name", ""),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused_at_its_field(
    world: World, inside: Client, field: str, value: str
) -> None:
    values = {
        "team": world.team.pk,
        "name": "Weekly",
        "cadence": "weekly",
        "weekday": "3",
        "at": "09:00",
        "time_zone": "UTC",
        "starts_on": "2026-01-01",
    }
    known = {"outsider": str(world.outsider.pk), "other": str(world.outsider.memberships.get().team_id)}
    response = inside.post(reverse("review-plan-add"), {**values, field: known.get(value, value)})
    assert response.status_code == 200
    assert "errorlist" in response.content.decode()
    assert not ReviewPlan.objects.exists()


def test_opening_a_review_leads_to_its_agenda_worst_first(world: World, inside: Client) -> None:
    plan = plan_of(world)
    response = inside.post(reverse("review-open", args=[plan.pk]), follow=True)
    page = response.content.decode()
    review = Review.objects.get()
    labels = [item.label for item in review.items.all()]
    assert labels[0] == "Flight delayed > 15 min"
    assert page.index("Flight delayed &gt; 15 min") < page.index("Missed connection")
    assert "Why it is here:" in page
    assert "Data drift failing for" in page
    assert f"1 of {len(labels)}" in page
    assert 'id="review-accuracy"' in page
    assert 'id="review-drift"' in page
    assert review.present.get().user == world.owner


def test_the_meeting_goes_on_at_the_first_item_without_a_verdict(open_meeting: Meeting, inside: Client) -> None:
    items = list(open_meeting.review.items.all())
    response = inside.post(
        open_meeting.url("review-save", items[0].pk),
        {"verdict": "act", "note": "Retrain.", "version": "0", "next": "1"},
    )
    assert response["Location"] == open_meeting.url("review-item", items[1].pk)
    assert (
        f'<h2><a class="plain" href="{reverse("overview", args=[items[1].watched_id])}">'
        in inside.get(open_meeting.url("review")).content.decode()
    )


def test_typing_saves_by_itself_and_the_next_save_carries_the_new_version(
    open_meeting: Meeting, inside: Client
) -> None:
    url = open_meeting.url("review-save", open_meeting.first)
    page = inside.post(url, {"verdict": "watch", "note": "Wait a week.", "version": "0"}, headers=HTMX).content.decode()
    assert 'name="version" value="1"' in page
    assert "Saved" in page
    assert 'hx-swap-oob="true"' in page
    assert "<html" not in page
    item = open_meeting.review.items.first()
    assert item is not None
    assert (item.verdict, item.note, item.saved_by) == ("watch", "Wait a week.", open_meeting.world.owner)


def test_two_people_at_once_see_each_others_decision(open_meeting: Meeting, inside: Client) -> None:
    url = open_meeting.url("review-save", open_meeting.first)
    inside.post(url, {"verdict": "act", "note": "Retrain.", "version": "0"}, headers=HTMX)
    page = inside.post(url, {"verdict": "watch", "note": "Wait.", "version": "0"}, headers=HTMX).content.decode()
    assert "saved this at" in page
    assert "“Retrain.”" in page
    assert "Keep mine" in page
    kept = re.search(r'name="version" value="(\d+)"', page)
    assert kept is not None
    inside.post(url, {"verdict": "watch", "note": "Wait.", "version": kept[1]}, headers=HTMX)
    item = open_meeting.review.items.first()
    assert item is not None
    assert (item.verdict, item.version) == ("watch", 2)


def test_what_is_done_elsewhere_arrives_with_the_next_look(open_meeting: Meeting, inside: Client) -> None:
    item = open_meeting.review.items.get(pk=open_meeting.first)
    meeting.decide(item, open_meeting.world.owner, 0, "accept", "", open_meeting.world.now)
    meeting.attend(open_meeting.review, open_meeting.world.reader, datetime.now(UTC))
    page = inside.get(open_meeting.url("review-agenda") + f"?item={item.pk}", headers=HTMX).content.decode()
    assert "Accept</em>" in page
    assert "Tomas" in page


def test_an_action_item_needs_a_text_and_a_day_ahead(open_meeting: Meeting, inside: Client) -> None:
    url = open_meeting.url("review-promise", open_meeting.first)
    owner = open_meeting.world.owner
    tomorrow = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
    page = inside.post(url, {"text": "", "due_on": "2020-01-01", "owner": owner.pk}, headers=HTMX).content.decode()
    assert "This field is required." in page
    assert "The due date lies in the past." in page
    stranger = {"text": "Retrain", "due_on": tomorrow, "owner": open_meeting.world.outsider.pk}
    assert "errorlist" in inside.post(url, stranger, headers=HTMX).content.decode()
    assert not ActionItem.objects.exists()
    page = inside.post(url, {"text": "Retrain", "due_on": tomorrow, "owner": owner.pk}, headers=HTMX).content.decode()
    assert "Retrain" in page
    assert ActionItem.objects.get().owner == owner


def test_what_is_calm_is_one_line_and_accepted_in_one_step(world: World, inside: Client) -> None:
    quiet = Watched.objects.get(label="Departure delayed, JetBlue")
    quiet.health_days.all().delete()
    Watched.objects.filter(pk=quiet.pk).update(worst=Status.PASSING, severity=0, health={}, blind_spots=[])
    for row in Watched.objects.all():
        PageVisit.objects.create(user=world.owner, watched=row, at=world.now)
    plan = plan_of(world)
    review = meeting.open_review(plan, world.owner, world.now)
    assert review.calm
    page = inside.get(reverse("review", args=[review.pk])).content.decode()
    assert f"Accept all {len(review.calm)} as they are" in page
    assert f"{len(review.calm)} unchanged:" in page
    inside.post(reverse("review-accept", args=[review.pk]))
    assert Review.objects.get().calm_accepted
    inside.post(reverse("review-discuss", args=[review.pk]), {"watched": review.calm[0]["id"]})
    assert review.items.filter(label=review.calm[0]["label"]).exists()
    assert inside.post(reverse("review-discuss", args=[review.pk]), {"watched": "x"}).status_code == 302


def test_it_cannot_be_signed_before_its_time(open_meeting: Meeting, inside: Client) -> None:
    page = inside.post(open_meeting.url("review-sign"), follow=True).content.decode()
    assert "verdicts missing." in page
    assert not Review.objects.get().is_signed


def test_a_signed_review_shows_what_was_known_and_its_hash(open_meeting: Meeting, inside: Client) -> None:
    open_meeting.decide_all()
    page = inside.post(open_meeting.url("review-sign"), follow=True).content.decode()
    review = Review.objects.get()
    assert review.is_signed
    assert "signed" in page
    assert review.content_hash in page
    assert "The record is as it was signed." in page
    assert "About Flight delayed &gt; 15 min." in page
    body = inside.get(open_meeting.url("review-record")).content
    assert hashlib.sha256(body).hexdigest() == review.content_hash
    assert inside.get(open_meeting.url("review-item", open_meeting.first))["Location"] == open_meeting.url("review")


def test_later_labels_appear_beside_the_record_and_do_not_change_it(open_meeting: Meeting, inside: Client) -> None:
    review = open_meeting.signed()
    one = next(one for one in review.record["items"] if one["label"].startswith("Flight delayed"))
    question = restated_question(one["figures"])
    assert question is not None
    assert inside.get(open_meeting.url("review")).status_code == 200
    assert PendingQuestion.objects.filter(watched=one["watched"], key__startswith="accuracy/").exists()
    topic = Topic.objects.create(
        watched_id=one["watched"], key=question.key, path="accuracy/", state="ok", checked_at=open_meeting.world.now
    )
    measure = next(m for m in one["figures"]["measures"] if m["key"] == "accuracy")
    payload = packing.pack({"metrics": {measure["metric"]: {"value": 0.4321}}})
    Answer.objects.create(topic=topic, known_at=open_meeting.world.now, payload=payload)
    page = inside.get(open_meeting.url("review")).content.decode()
    assert "when reviewed, 0.432 now" in page
    assert Review.objects.get().is_intact


def test_the_paper_stands_alone_and_holds_nothing_newer(open_meeting: Meeting, inside: Client) -> None:
    open_meeting.signed()
    Watched.objects.update(worst=Status.UNAVAILABLE)
    response = inside.get(open_meeting.url("review-print"))
    page = response.content.decode()
    assert "default-src 'none'" in response["Content-Security-Policy"]
    assert "<script" not in page
    assert "<link" not in page
    assert "src=" not in page
    assert "--failing: #BF1D24" in page
    assert "Unavailable" not in page
    assert "About Flight delayed &gt; 15 min." in page


def test_two_reviews_are_compared(open_meeting: Meeting, inside: Client) -> None:
    item = open_meeting.review.items.get(pk=open_meeting.first)
    meeting.promise(
        open_meeting.review, item, "Retrain", open_meeting.world.owner, date(2020, 1, 1), open_meeting.world.owner,
        open_meeting.world.now,
    )  # fmt: skip
    first = open_meeting.signed()
    Watched.objects.filter(label="Departure delayed, JetBlue").update(worst=Status.FAILING, severity=5)
    second = meeting.open_review(
        open_meeting.plan, open_meeting.world.owner, open_meeting.world.now + timedelta(hours=1)
    )
    page = inside.get(reverse("review-compare", args=[second.pk])).content.decode()
    assert "overdue since Wed 1 Jan" in page
    assert "Areas, then and now" in page
    meeting_page = inside.get(reverse("review", args=[second.pk])).content.decode()
    assert "as known then" in meeting_page
    assert "Last time: Act" in meeting_page
    assert "Promised by Ines: Retrain" in meeting_page
    assert inside.get(reverse("review-compare", args=[first.pk])).status_code == 404


def test_promises_are_listed_and_kept(open_meeting: Meeting, inside: Client) -> None:
    world = open_meeting.world
    action = meeting.promise(
        open_meeting.review, None, "Write it down", world.owner, date(2020, 1, 1), world.owner, world.now
    )
    assert "1 action item overdue" in inside.get(reverse("reviews")).content.decode()
    for way in ("open", "overdue", "mine"):
        assert "Write it down" in inside.get(reverse("actions") + f"?show={way}").content.decode()
    inside.post(reverse("action-change", args=[action.pk]), {"state": "done", "show": "mine"})
    inside.get(reverse("actions"))  # says once that it is done
    assert "Write it down" not in inside.get(reverse("actions") + "?show=mine").content.decode()
    assert "done" in inside.get(reverse("actions") + "?show=done").content.decode()
    assert inside.post(reverse("action-change", args=[action.pk]), {"state": "x"}).status_code == 302
    assert ActionItem.objects.get().state == "done"


def test_who_may_only_read_follows_without_buttons(open_meeting: Meeting, client: Client) -> None:
    client.force_login(open_meeting.world.reader)
    page = client.get(open_meeting.url("review")).content.decode()
    assert "Your role is read only: you follow the review." in page
    assert 'id="decision"' not in page
    assert "Sign and freeze" not in page


def test_looking_at_a_deployment_is_noted_once_an_hour(world: World, inside: Client) -> None:
    pk = world.watched().pk
    url = reverse("overview", args=[pk])
    inside.get(url)
    first = PageVisit.objects.get(watched=pk)
    assert first.user == world.owner
    inside.get(url)
    assert PageVisit.objects.get(watched=pk).at == first.at


def test_the_pages_cost_a_bounded_number_of_queries(open_meeting: Meeting, inside: Client) -> None:
    with CaptureQueriesContext(connection) as meeting_queries:
        inside.get(open_meeting.url("review"))
    assert len(meeting_queries) <= MEETING_QUERIES
    open_meeting.signed()
    inside.get(open_meeting.url("review"))  # asks once for what later labels changed
    with CaptureQueriesContext(connection) as record_queries:
        inside.get(open_meeting.url("review"))
    assert len(record_queries) <= RECORD_QUERIES
    for n in range(3):
        plan_of(open_meeting.world, name=f"Plan {n}")
    with CaptureQueriesContext(connection) as list_queries:
        inside.get(reverse("reviews"))
    assert len(list_queries) <= LIST_QUERIES
