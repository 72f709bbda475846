"""From rows to facts: what a review learns about a deployment, and from where."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from monitoring import packing
from monitoring.models import (
    ActionItem,
    Answer,
    Area,
    Importance,
    ModelSeen,
    PageVisit,
    Silence,
    Status,
    Topic,
    Watched,
)
from monitoring.reviews.facts import Facts
from monitoring.reviews.gather import differences, gather, in_scope
from tests.monitoring.factories import NOW, make_incident
from tests.monitoring.reviews.conftest import Team

SINCE = NOW - timedelta(days=7)


def known(team: Team, of: Watched) -> Facts:
    return next(one for one in gather(team.plan, SINCE, NOW, NOW) if one.watched_id == of.pk)


def test_incidents_open_and_of_the_last_month(team: Team) -> None:
    open_one = make_incident(team.drifting, assignee=team.owner.user, acknowledged_at=NOW)
    make_incident(
        team.drifting, area=Area.ACCURACY, opened_at=NOW - timedelta(days=60), resolved_at=NOW - timedelta(days=40)
    )
    make_incident(team.drifting, area=Area.SERVICE, resolved_at=NOW - timedelta(minutes=10))
    found = known(team, team.drifting).incidents
    assert [(one.area, one.closed_at is None, one.assignee, one.answered) for one in found] == [
        ("drift", True, "ines", True),
        ("service", False, "", False),
    ]
    assert found[0].number == open_one.pk


def test_silences_of_a_deployment_of_its_tag_and_of_an_incident(team: Team) -> None:
    Watched.objects.filter(pk=team.calm.pk).update(tags=[{"name": "region", "value": "EU"}])
    ends = NOW + timedelta(days=2)
    fields = {"team": team.plan.team, "starts_at": NOW - timedelta(days=1), "ends_at": ends, "created_at": NOW}
    Silence.objects.create(reason="storm", watched=team.drifting, **fields)
    Silence.objects.create(reason="EU holiday", tag="region=EU", **fields)
    Silence.objects.create(reason="US holiday", tag="region=US", **fields)
    Silence.objects.create(reason="whole team", **fields)
    Silence.objects.create(reason="over", watched=team.calm, cancelled_at=NOW, **fields)
    make_incident(team.blind, snoozed_until=ends, snoozed_why="known")
    told = {
        pk: [one.reason for one in known(team, row).silences]
        for pk, row in enumerate((team.drifting, team.calm, team.blind))
    }
    assert told == {0: ["storm"], 1: ["EU holiday"], 2: ["known"]}


def test_models_that_took_over_and_not_the_first_one(team: Team) -> None:
    for name, days in (("v1", 40), ("v2", 3)):
        ModelSeen.objects.create(
            watched=team.calm, model_id=name, name=name, since=NOW - timedelta(days=days), seen_at=NOW
        )
    assert known(team, team.calm).models == (("v2", NOW - timedelta(days=3)),)


def test_settings_that_changed_say_what_changed(team: Team) -> None:
    topic = Topic.objects.create(watched=team.calm, key="healthSettings/", path="healthSettings/")
    for days, limit in ((20, 0.3), (2, 0.15)):
        payload = packing.pack({"dataDrift": {"driftThreshold": limit, "timeInterval": "P7D"}})
        Answer.objects.create(topic=topic, known_at=NOW - timedelta(days=days), payload=payload)
    assert [words for words, _ in known(team, team.calm).settings] == [
        "Health settings changed: drift threshold 0.3 to 0.15"
    ]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": {"bigLimit": None}}, {"a": {"bigLimit": 2}}, ["big limit not set to 2"]),
        ({"starred": []}, {"starred": ["x", "y"]}, ["starred empty to x, y"]),
        ({}, {"a": 1, "b": 2, "c": 3, "d": 4}, ["a not set to 1", "b not set to 2", "c not set to 3", "1 more"]),
        ("odd", {"a": 1}, [" odd to not set", "a not set to 1"]),
    ],
)
def test_differences_are_told_in_words(before: object, after: object, told: list[str]) -> None:
    assert [text.strip() for text in differences(before, after)] == [text.strip() for text in told]


def test_what_nobody_watches_is_a_blind_spot_but_a_usual_limit_is_none(team: Team) -> None:
    assert known(team, team.blind).blind_spots == ("Nobody gets mail",)
    health = {**team.calm.health, "accuracy": {"status": "not_started"}}
    Watched.objects.filter(pk=team.calm.pk).update(health=health)
    assert known(team, team.calm).blind_spots == ("No actuals arrive",)


def test_a_source_that_is_silent_makes_its_deployments_old(team: Team) -> None:
    assert known(team, team.calm).silent_since is None
    team.source.silent_since = NOW - timedelta(hours=3)
    team.source.save()
    assert known(team, team.calm).silent_since == NOW - timedelta(hours=3)


def test_visits_and_promises(team: Team) -> None:
    assert known(team, team.blind).visited_at is None
    PageVisit.objects.create(user=team.reader.user, watched=team.blind, at=NOW)
    ActionItem.objects.create(
        team=team.plan.team, watched=team.blind, text="Subscribe", due_on=date(2026, 5, 3), created_at=NOW
    )
    found = known(team, team.blind)
    assert found.visited_at == NOW
    assert [one.text for one in found.promises] == ["Subscribe"]


def test_the_past_is_told_by_its_days(team: Team) -> None:
    week_ago = NOW - timedelta(days=7)
    found = next(
        one
        for one in gather(team.plan, week_ago - timedelta(days=7), NOW, week_ago)
        if one.watched_id == team.drifting.pk
    )
    assert found.worst is Status.PASSING
    assert found.areas[Area.DRIFT].value == 0.05
    assert max(one.day for one in found.areas[Area.DRIFT].days) == (week_ago - timedelta(days=1)).date()


def test_a_past_number_counts_only_where_whole_windows_were_judged(team: Team) -> None:
    week_ago = NOW - timedelta(days=7)

    def then() -> dict[Area, float | None]:
        facts = gather(team.plan, week_ago - timedelta(days=7), NOW, week_ago)
        return {area: health.value for one in facts if one.label == "Churn" for area, health in one.areas.items()}

    assert then() == {Area.DRIFT: 0.05, Area.ACCURACY: 0.81}
    Watched.objects.update(history_at=None)
    assert then() == {Area.DRIFT: None, Area.ACCURACY: None}


def test_a_past_number_names_the_window_that_ended_with_its_day(team: Team) -> None:
    from monitoring.reviews import meeting

    review = meeting.open_review(team.plan, team.owner.user, NOW, NOW - timedelta(days=3))
    measures = {one["key"]: one for one in review.items.get(label="Loan default").figures["measures"]}
    assert measures["accuracy"]["start"] == "2026-04-21T00:00:00Z"
    assert measures["accuracy"]["end"] == "2026-04-28T00:00:00Z"


def test_a_plan_narrows_by_importance_and_tag(team: Team) -> None:
    Watched.objects.filter(pk=team.calm.pk).update(tags=[{"name": "region", "value": "EU"}])
    team.plan.tags = ["region"]
    assert [row.label for row in in_scope(team.plan)] == ["Churn"]
    team.plan.tags, team.plan.importances = [], [Importance.CRITICAL]
    assert [row.label for row in in_scope(team.plan)] == ["Loan default"]


def test_a_larger_fleet_costs_no_more_statements(team: Team) -> None:
    with CaptureQueriesContext(connection) as few:
        gather(team.plan, SINCE, NOW, NOW)
    for n in range(30):
        team.calm.pk, team.calm.remote_id, team.calm._state.adding = None, f"copy {n}", True
        team.calm.save()
    with CaptureQueriesContext(connection) as many:
        assert len(gather(team.plan, SINCE, NOW, NOW)) == 33
    assert len(many) == len(few) <= 14
