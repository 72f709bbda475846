"""Commands against the real service: what is asked for on a page really happens there, once, and is told truly."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest
from django.contrib.auth.models import User

from deployments import jobs, registration, registry
from deployments.models import CustomMetric, Deployment, DeploymentStatus, Job, MonitoringBatch
from deployments.registration import PackageSpec
from monitoring import commands, snapshots
from monitoring import questions as q
from monitoring.commands.wire import Wire
from monitoring.models import Command, CommandKind, Membership, Role, Source, Team, Watched, WorkState
from monitoring.poll import cycle
from tests.contract.in_process import InProcess

NOW = datetime(2026, 5, 1, 10, 20, tzinfo=UTC)
LATER = timedelta(minutes=2)


class Lossy(InProcess):
    """The same service over a line on which answers get lost: what was asked did happen."""

    def __init__(self) -> None:
        super().__init__()
        self.lose: Callable[[httpx.Request], bool] = lambda request: False
        self.sent: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await super().handle_async_request(request)
        if request.method != "GET":
            self.sent.append(request.method)
        if self.lose(request):
            raise httpx.ReadError("connection reset")
        return answer


@pytest.fixture
def line(transactional_db: None) -> Any:
    running = Lossy()
    yield running
    running.stop()


@pytest.fixture
def deployment(user: User) -> Deployment:
    target = {"name": "late", "type": "Binary", "classNames": ["no", "yes"]}
    body = {"name": "Late", "target": target, "features": [{"name": "x", "type": "Numeric"}]}
    package = registration.register(msgspec.convert(body, PackageSpec), user)
    return registry.create_deployment(package, "Late flights", user, batch_monitoring=True)


@pytest.fixture
def watched(deployment: Deployment, source: Source, user: User, line: Lossy) -> Watched:
    Membership.objects.create(team=Team.objects.get(), user=user, role=Role.MANAGER)
    cycle.discover(source, NOW, line)
    return Watched.objects.get()


def ask(watched: Watched, user: User, kind: CommandKind, **more: Any) -> Command:
    return commands.ask(user, kind, watched.source, NOW, watched=watched, **more)


def run(command: Command, line: Lossy, now: datetime = NOW) -> Command:
    commands.run_due(now, transport=line)
    command.refresh_from_db()
    return command


def batch(deployment: Deployment, user: User, name: str = "January") -> MonitoringBatch:
    return MonitoringBatch.objects.create(deployment=deployment, created_by=user, name=name)


def test_a_batch_is_created_renamed_locked_and_deleted_and_the_page_knows_each_time(
    watched: Watched, user: User, line: Lossy
) -> None:
    run(ask(watched, user, CommandKind.BATCH_CREATE, name="January", body={"batchName": "January"}), line)
    made = MonitoringBatch.objects.get()
    known = snapshots.answer(watched, q.batches())
    assert known is not None
    assert [row["name"] for row in known.payload["data"]] == ["January"]
    change = {"target": made.public_id, "name": "January"}
    run(
        ask(watched, user, CommandKind.BATCH_UPDATE, body={"batchName": "Jan"}, read={"name": "January"}, **change),
        line,
    )
    run(ask(watched, user, CommandKind.BATCH_LOCK, body={"isLocked": True}, read={"isLocked": False}, **change), line)
    made.refresh_from_db()
    assert (made.name, made.is_locked) == ("Jan", True)
    command = run(ask(watched, user, CommandKind.BATCH_DELETE, read={"name": "Jan"}, **change), line)
    assert command.state == WorkState.DONE
    assert command.before["name"] == "Jan"
    assert not MonitoringBatch.objects.exists()


def test_a_creation_whose_answer_got_lost_is_found_and_not_made_twice(
    watched: Watched, user: User, line: Lossy
) -> None:
    command = ask(watched, user, CommandKind.BATCH_CREATE, body={"batchName": "January"})
    line.lose = lambda request: request.method == "POST"
    assert run(command, line).state == WorkState.PENDING
    line.lose = lambda request: False
    assert run(command, line, NOW + LATER).state == WorkState.DONE
    assert "found at the source" in command.message
    assert MonitoringBatch.objects.count() == 1
    assert line.sent == ["POST"]


def test_a_name_that_is_there_already_is_a_conflict_and_nothing_is_sent(
    watched: Watched, user: User, line: Lossy, deployment: Deployment
) -> None:
    batch(deployment, user)
    command = run(ask(watched, user, CommandKind.BATCH_CREATE, body={"batchName": "January"}), line)
    assert command.state == WorkState.CONFLICT
    assert line.sent == []


def test_a_change_whose_answer_got_lost_is_found_done(
    watched: Watched, user: User, line: Lossy, deployment: Deployment
) -> None:
    target = batch(deployment, user).public_id
    command = ask(
        watched, user, CommandKind.BATCH_LOCK, target=target, body={"isLocked": True}, read={"isLocked": False}
    )
    line.lose = lambda request: request.method == "PATCH"
    assert run(command, line).state == WorkState.PENDING
    assert run(command, line, NOW + LATER).state == WorkState.DONE
    assert line.sent == ["PATCH"]


def test_a_deletion_whose_answer_got_lost_is_found_done(
    watched: Watched, user: User, line: Lossy, deployment: Deployment
) -> None:
    command = ask(watched, user, CommandKind.BATCH_DELETE, target=batch(deployment, user).public_id)
    line.lose = lambda request: request.method == "DELETE"
    assert run(command, line).state == WorkState.PENDING
    assert run(command, line, NOW + LATER).state == WorkState.DONE
    assert line.sent == ["DELETE"]


def test_what_changed_since_it_was_read_is_a_conflict_that_tells_what_is_there_now(
    watched: Watched, user: User, line: Lossy, deployment: Deployment
) -> None:
    row = batch(deployment, user, "Jan")
    command = ask(watched, user, CommandKind.BATCH_DELETE, target=row.public_id, read={"name": "January"})
    assert run(command, line).state == WorkState.CONFLICT
    assert command.result["present"]["name"] == "Jan"
    assert MonitoringBatch.objects.exists()


def test_values_sent_twice_over_a_bad_line_count_once(
    watched: Watched, user: User, line: Lossy, deployment: Deployment
) -> None:
    body = {"name": "Saved", "type": "sum", "directionality": "higherIsBetter", "isModelSpecific": False}
    run(ask(watched, user, CommandKind.METRIC_CREATE, name="Saved", body=body), line)
    metric = CustomMetric.objects.get()
    values = {"buckets": [{"value": 5.0, "timestamp": "2026-04-30T10:00:00Z"}]}
    command = ask(watched, user, CommandKind.METRIC_VALUES, target=metric.public_id, body=values)
    line.lose = lambda request: request.method == "POST"
    assert run(command, line).state == WorkState.PENDING
    line.lose = lambda request: False
    assert run(command, line, NOW + LATER).state == WorkState.DONE
    assert sum_of_the_day(watched, metric, line) == 5.0
    assert line.sent == ["POST", "POST", "POST"]


def sum_of_the_day(watched: Watched, metric: CustomMetric, line: Lossy) -> float:
    """The metric's value over that day, asked of the service."""
    span = "start=2026-04-30T00:00:00Z&end=2026-05-01T00:00:00Z"
    with Wire(watched.source, line) as wire:
        data = wire.get(f"deployments/{watched.remote_id}/customMetrics/{metric.public_id}/summary/?{span}").data
    return float(data["metric"]["value"])


def test_values_to_a_source_that_may_count_them_twice_are_left_in_doubt(
    watched: Watched, user: User, line: Lossy, deployment: Deployment
) -> None:
    body = {"name": "Saved", "type": "sum", "directionality": "higherIsBetter", "isModelSpecific": False}
    run(ask(watched, user, CommandKind.METRIC_CREATE, name="Saved", body=body), line)
    values = {"buckets": [{"value": 5.0, "timestamp": "2026-04-30T10:00:00Z"}]}
    command = ask(watched, user, CommandKind.METRIC_VALUES, target=CustomMetric.objects.get().public_id, body=values)
    Source.objects.update(built_in=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.conf.settings.ALLOW_PRIVATE_ADDRESSES", True)
        line.lose = lambda request: request.method == "POST"
        assert run(command, line).state == WorkState.PENDING
        assert run(command, line, NOW + LATER).state == WorkState.IN_DOUBT
    assert "look there before you ask again" in command.problem
    assert line.sent == ["POST", "POST"]


def test_a_job_is_followed_with_its_progress_to_its_end(
    watched: Watched, user: User, line: Lossy, deployment: Deployment
) -> None:
    command = ask(watched, user, CommandKind.EXPORT_PREDICTIONS, name="Late flights", body={})
    assert run(command, line).state == WorkState.RUNNING
    job = Job.objects.get()
    Job.objects.filter(pk=job.pk).update(progress=0.3, message="3 of 10 rows", state="RUNNING")
    run(command, line, NOW + timedelta(seconds=10))
    assert (command.state, command.progress, command.message) == (WorkState.RUNNING, 0.3, "3 of 10 rows")
    Job.objects.filter(pk=job.pk).update(state="INITIALIZED")
    jobs.run(job.pk)
    assert run(command, line, NOW + timedelta(seconds=30)).state == WorkState.DONE
    known = snapshots.answer(watched, q.prediction_exports())
    assert known is not None
    assert [row["status"] for row in known.payload["data"]] == ["SUCCEEDED"]


def test_a_job_that_fails_is_told_in_the_words_of_the_source(
    watched: Watched, user: User, line: Lossy, deployment: Deployment
) -> None:
    command = ask(watched, user, CommandKind.EXPORT_PREDICTIONS, body={})
    run(command, line)
    Job.objects.update(state="ERROR", message="The disk is full.")
    assert run(command, line, NOW + timedelta(seconds=10)).state == WorkState.FAILED
    assert command.problem == "The disk is full."


def test_a_job_that_the_source_forgot_is_in_doubt(
    watched: Watched, user: User, line: Lossy, deployment: Deployment
) -> None:
    command = ask(watched, user, CommandKind.EXPORT_PREDICTIONS, body={})
    run(command, line)
    Job.objects.all().delete()
    assert run(command, line, NOW + timedelta(seconds=10)).state == WorkState.IN_DOUBT


def test_a_deployment_is_deactivated_and_activated(
    watched: Watched, user: User, line: Lossy, deployment: Deployment
) -> None:
    for kind, old, new in (
        (CommandKind.DEACTIVATE, DeploymentStatus.ACTIVE, DeploymentStatus.INACTIVE),
        (CommandKind.ACTIVATE, DeploymentStatus.INACTIVE, DeploymentStatus.ACTIVE),
    ):
        command = run(ask(watched, user, kind, body={"status": new}, read={"status": old}), line)
        if command.state == WorkState.RUNNING:
            run(command, line, NOW + timedelta(seconds=10))
        deployment.refresh_from_db()
        assert (command.state, deployment.status) == (WorkState.DONE, new)


def test_the_last_owner_cannot_be_taken_away_and_the_page_says_why(
    watched: Watched, user: User, line: Lossy, deployment: Deployment
) -> None:
    role = {"role": "NO_ROLE", "shareRecipientType": "user", "username": "ines"}
    command = run(ask(watched, user, CommandKind.SHARE, name="ines", body={"roles": [role]}), line)
    assert command.state == WorkState.REFUSED
    assert "make somebody else an owner first" in command.problem


def test_the_same_form_sent_twice_asks_once(watched: Watched, user: User) -> None:
    first = ask(watched, user, CommandKind.BATCH_CREATE, body={"batchName": "January"}, nonce="n1")
    assert ask(watched, user, CommandKind.BATCH_CREATE, body={"batchName": "January"}, nonce="n1") == first
    assert Command.objects.count() == 1


@pytest.mark.parametrize("target", ["", "../..", "a/b/c", "a?x=1", "a#b", "a/../b"])
def test_a_thing_is_named_by_its_id_and_nothing_else(watched: Watched, user: User, target: str) -> None:
    with pytest.raises(commands.BadTarget):
        ask(watched, user, CommandKind.BATCH_LOCK, target=target)
