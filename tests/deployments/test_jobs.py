"""Jobs: seen while they run, stopped between two pieces, and never in two hands."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from deployments import jobs
from deployments.models import Deployment, Job, JobState, Role
from tests.deployments.api.conftest import client_of, member
from tests.deployments.factories import make_deployment, make_user

pytestmark = pytest.mark.django_db
KIND = "count"


@pytest.fixture
def deployment(db: None) -> Deployment:
    return make_deployment()


@pytest.fixture
def owner(deployment: Deployment) -> User:
    user = deployment.created_by
    assert user is not None
    return user


@pytest.fixture
def kind() -> Iterator[str]:
    """A kind of job that a test may handle as it likes."""
    yield KIND
    jobs.JOBS.pop(KIND, None)
    jobs.PIECEWISE.discard(KIND)
    jobs.ENDINGS.pop(KIND, None)


def seen(job: Job) -> Job:
    return Job.objects.get(pk=job.pk)


def test_progress_is_seen_while_the_job_runs(kind: str, deployment: Deployment, owner: User) -> None:
    told: list[dict[str, Any]] = []

    @jobs.register(kind, piecewise=True)
    def half(job: Job) -> str:
        jobs.progress(job, 0.5, "1 of 2 pieces")
        told.append(client_of(owner).get(f"/api/v2/status/{job.public_id}/").json())
        return "/api/v2/"

    job = jobs.start(kind, deployment, owner, {})
    assert jobs.run(job.pk)
    assert (told[0]["status"], told[0]["progress"], told[0]["message"]) == ("RUNNING", 0.5, "1 of 2 pieces")
    assert seen(job).progress == 1


def test_a_word_of_progress_keeps_the_job(kind: str, deployment: Deployment, owner: User) -> None:
    late = timezone.now() + jobs.LEASE * 3

    @jobs.register(kind, piecewise=True)
    def slow(job: Job) -> str:
        jobs.progress(job, 0.1, now=late)
        assert not jobs.run(job.pk, late + timedelta(seconds=1))
        return "/api/v2/"

    job = jobs.start(kind, deployment, owner, {})
    assert jobs.run(job.pk)
    assert seen(job).state == JobState.COMPLETED


def test_a_running_job_stops_between_two_pieces(kind: str, deployment: Deployment, owner: User) -> None:
    pieces: list[int] = []

    @jobs.register(kind, piecewise=True)
    def long(job: Job) -> str:
        for piece in range(10):
            jobs.progress(job, piece / 10)
            pieces.append(piece)
            if piece == 3:
                assert client_of(owner).delete(f"/api/v2/status/{job.public_id}/").status_code == 204
        return "/api/v2/"

    job = jobs.start(kind, deployment, owner, {})
    assert jobs.run(job.pk)
    assert pieces == [0, 1, 2, 3]
    assert (seen(job).state, seen(job).message) == (JobState.ABORTED, "Cancelled.")


def test_a_job_that_has_not_begun_is_stopped_at_once_and_a_finished_one_not_at_all(
    kind: str, deployment: Deployment, owner: User
) -> None:
    ended: list[str] = []
    jobs.register(kind, ended=lambda job: ended.append(str(job.state)))(lambda job: "/api/v2/")
    job = jobs.start(kind, deployment, owner, {})
    client = client_of(owner)
    assert client.delete(f"/api/v2/status/{job.public_id}/").status_code == 204
    assert not jobs.run(job.pk)
    assert client.delete(f"/api/v2/status/{job.public_id}/").status_code == 409
    assert ended == ["ABORTED"]


def test_a_worker_that_slept_through_its_lease_writes_nothing_more(
    kind: str, deployment: Deployment, owner: User
) -> None:
    results = iter(["/api/v2/first/", "/api/v2/second/"])

    @jobs.register(kind, piecewise=True)
    def sleepy(job: Job) -> str:
        own = next(results)
        if job.attempts == 1:
            assert jobs.run(job.pk, timezone.now() + jobs.LEASE * 2)
            with pytest.raises(jobs.Lost):
                jobs.progress(job, 0.9)
        return own

    job = jobs.start(kind, deployment, owner, {})
    assert jobs.run(job.pk)
    assert (seen(job).state, seen(job).result) == (JobState.COMPLETED, "/api/v2/second/")


def test_a_job_that_kills_its_workers_is_given_up(kind: str, deployment: Deployment, owner: User) -> None:
    jobs.register(kind)(lambda job: "/api/v2/")
    job = jobs.start(kind, deployment, owner, {})
    Job.objects.filter(pk=job.pk).update(attempts=jobs.MAX_CLAIMS)
    assert jobs.run(job.pk)
    assert seen(job).state == JobState.ERROR
    assert "Given up" in seen(job).message


def test_only_an_owner_or_who_started_it_may_stop_a_job(kind: str, deployment: Deployment, owner: User) -> None:
    jobs.register(kind)(lambda job: "/api/v2/")
    job = jobs.start(kind, deployment, make_user(), {})
    address = f"/api/v2/status/{job.public_id}/"
    assert member(deployment, Role.USER).get(address).status_code == 200
    assert member(deployment, Role.USER).delete(address).status_code == 403
    assert client_of(make_user()).delete(address).status_code == 404
    assert client_of(owner).delete(address).status_code == 204


def test_the_jobs_of_a_deployment_are_listed_with_a_fixed_number_of_queries(
    kind: str, deployment: Deployment, owner: User
) -> None:
    jobs.register(kind)(lambda job: "/api/v2/")
    client = client_of(owner)

    def ask(query: str = "") -> tuple[list[dict[str, Any]], int]:
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(f"/api/v2/deployments/{deployment.public_id}/jobs/{query}")
        assert answer.status_code == 200, answer.content
        return answer.json()["data"], len(queries)

    first = jobs.start(kind, deployment, owner, {})
    jobs.run(first.pk)
    ask()
    _, few = ask()
    second = jobs.start(kind, deployment, owner, {})
    jobs.done("settings", deployment, None, "/api/v2/")
    rows, many = ask()
    assert few == many
    assert [row["kind"] for row in rows] == ["settings", kind, kind]
    assert [row["id"] for row in ask(f"?kind={kind}&state=INITIALIZED")[0]] == [second.public_id]
    assert rows[1]["createdBy"]["name"] == owner.username
    refused = APIClient()
    assert refused.get(f"/api/v2/deployments/{deployment.public_id}/jobs/").status_code == 401
    assert client.get(f"/api/v2/deployments/{deployment.public_id}/jobs/?state=lazy").status_code == 422
