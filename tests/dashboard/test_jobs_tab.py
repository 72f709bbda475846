"""Jobs: a row each, on a deployment's tab and for the fleet; live while one is at work."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from monitoring import questions as q
from monitoring.models import PendingQuestion, Topic, WorkState
from tests.dashboard.story_source import answering, page, stamp
from tests.dashboard.world import World, answer_waiting

QUERIES, FLEET_QUERIES = 22, 13


def job(n: int, state: str = "COMPLETED", **fields: Any) -> dict[str, Any]:
    """A job as our own service lists it; the greater the number, the older."""
    asked = datetime.now(UTC) - timedelta(hours=n)
    return {
        "id": f"{n:024d}",
        "kind": "predictionDataExport",
        "state": state,
        "progress": 1.0 if state == "COMPLETED" else 0.3,
        "message": "120000 of 400000 rows",
        "isCancelAsked": False,
        "error": None,
        "result": None,
        "createdBy": {"id": "1", "name": "Ada"},
        "createdAt": stamp(asked),
        "finishedAt": stamp(asked + timedelta(minutes=2)) if state != "RUNNING" else None,
        **fields,
    }


def look(client: Client, world: World, query: str = "") -> str:
    return str(client.get(reverse("jobs", args=[world.watched().pk]) + query).content.decode())


def seen(client: Client, world: World, query: str = "") -> str:
    """The tab after the source was asked for its jobs."""
    look(client, world)
    answer_waiting(world)
    return look(client, world, query)


def kinds(text: str) -> list[str]:
    return [found.strip() for found in re.findall(r'<td class="ink fold-main">(.*?)<', text)]


JOBS = page(
    [
        job(1, "RUNNING"),
        job(2, result="/api/v2/deployments/d/predictionDataExports/1/"),
        job(3, "ERROR", kind="challengerPredictions", error="Two: the address cannot be reached."),
        job(4, "ABORTED", kind="somethingNew", createdBy=None),
    ]
)


def test_each_job_is_a_row_with_who_how_far_and_what_came_out(world: World, inside: Client) -> None:
    with answering(jobs=JOBS):
        text = seen(inside, world)
    assert kinds(text) == ["Export of predictions", "Export of predictions", "Replay of challengers", "somethingNew"]
    assert '<progress max="100" value="30"' in text
    assert "Ada" in text
    assert "Two: the address cannot be reached." in text
    assert f'href="{world.source.base_url.split("/api")[0]}/api/v2/deployments/d/predictionDataExports/1/"' in text
    assert text.count("Cancelled") == 1


def test_a_result_elsewhere_is_no_link(world: World, inside: Client) -> None:
    with answering(jobs=page([job(1, result="//evil.example/x"), job(2, result="javascript:alert(1)")])):
        text = seen(inside, world)
    assert "evil.example" not in text
    assert "javascript:alert" not in text


def test_the_list_is_asked_again_within_seconds_while_a_job_is_at_work(world: World, inside: Client) -> None:
    with answering(jobs=JOBS):
        seen(inside, world)
        moments = {"checked_at": datetime.now(UTC) - timedelta(seconds=20)}
        Topic.objects.filter(watched=world.watched(), key=q.jobs().key).update(**moments)
        PendingQuestion.objects.update(finished_at=moments["checked_at"])
        assert "load delay:3s" in look(inside, world)
        assert PendingQuestion.objects.get(key=q.jobs().key).state == WorkState.PENDING
    with answering(jobs=page([job(2)])):
        answer_waiting(world)
        Topic.objects.filter(watched=world.watched(), key=q.jobs().key).update(**moments)
        PendingQuestion.objects.update(finished_at=moments["checked_at"])
        assert "load delay:3s" not in look(inside, world), "nothing is at work any more"


def test_the_list_is_narrowed_by_state(world: World, inside: Client) -> None:
    with answering(jobs=JOBS):
        assert kinds(seen(inside, world, "?state=open")) == ["Export of predictions"]
        assert kinds(look(inside, world, "?state=failed")) == ["Replay of challengers"]
    with answering(jobs=page([job(1, kind="actuals"), job(2)])):
        Topic.objects.filter(key=q.jobs().key).delete()
        PendingQuestion.objects.all().delete()
        assert kinds(seen(inside, world)) == ["Matching of actuals", "Export of predictions"]
        assert kinds(look(inside, world, "?state=others")) == ["Export of predictions"]


def test_a_source_without_jobs_says_so(world: World, inside: Client) -> None:
    assert "This source has no list of jobs" in seen(inside, world)
    assert "No source tells of jobs" in inside.get(reverse("jobs-fleet")).content.decode()


def test_odd_answers_are_shown_as_far_as_they_can_be_read(world: World, inside: Client) -> None:
    odd = [{"state": 7}, {"progress": "half", "state": "RUNNING", "createdBy": "x", "createdAt": "soon"}, "no job"]
    with answering(jobs=page(odd)):  # type: ignore[arg-type]
        assert kinds(seen(inside, world)) == ["job", "job"]


def test_the_fleets_jobs_are_those_of_every_deployment_that_one_may_see(
    world: World, inside: Client, client: Client
) -> None:
    with answering(jobs=JOBS):
        seen(inside, world)
        other = world.watched("Arrival delay, minutes")
        inside.get(reverse("jobs", args=[other.pk]))
        answer_waiting(world)
    text = inside.get(reverse("jobs-fleet")).content.decode()
    assert len(kinds(text)) == 8
    assert kinds(text)[:2] == ["Export of predictions"] * 2, "those at work first"
    assert len(kinds(inside.get(reverse("jobs-fleet") + "?state=failed").content.decode())) == 2
    client.force_login(world.outsider)
    assert kinds(client.get(reverse("jobs-fleet")).content.decode()) == []


def test_pages_of_jobs_cost_the_same_for_one_deployment_and_for_all(world: World, inside: Client) -> None:
    with answering(jobs=JOBS):
        seen(inside, world)

        def cost(url: str) -> int:
            with CaptureQueriesContext(connection) as taken:
                inside.get(url)
            return len(taken)

        one = cost(reverse("jobs-fleet"))
        for label in ("Arrival delay, minutes",):
            inside.get(reverse("jobs", args=[world.watched(label).pk]))
        answer_waiting(world)
        assert cost(reverse("jobs-fleet")) == one <= FLEET_QUERIES
        assert cost(reverse("jobs", args=[world.watched().pk])) <= QUERIES
