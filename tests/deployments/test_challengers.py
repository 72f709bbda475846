"""Challengers and their replay: every stored request is scored once, and every reading works by their model's id."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from deployments import challengers, jobs, replacement, replay, replay_schedule
from deployments.api.authentication import issue
from deployments.models import (
    Block,
    BlockKind,
    Challenger,
    DeployedModel,
    Deployment,
    DeploymentRole,
    Job,
    JobState,
    ModelPackage,
    PredictionKey,
    Role,
    State,
)
from deployments.rollups import compact, fill, summary
from deployments.schedules import Schedule
from deployments.scoring import scorer as scoring
from deployments.scoring.errors import ScoringFailed
from tests.deployments.factories import (
    HOUR,
    NOW,
    make_deployment,
    make_package,
    make_user,
    send_actuals,
    send_predictions,
)
from tests.deployments.onnx_models import make_scoring_package, predicted

pytestmark = pytest.mark.django_db
AGES = [22.0, 31.0, 44.0, 58.0, 66.0]
TOWNS = ["Oslo", "Bergen", "Oslo", "Bergen", "Oslo"]
ON = {"challengerModels": {"enabled": True}}


def client_of(deployment: Deployment, role: Role = Role.OWNER) -> APIClient:
    user = make_user()
    DeploymentRole.objects.create(deployment=deployment, user=user, role=role)
    return APIClient(headers={"Authorization": f"Bearer {issue(user, 'test')}"})


def path(deployment: Deployment, tail: str) -> str:
    return f"/api/v2/deployments/{deployment.public_id}/{tail}"


def work() -> None:
    """What the workers do, until nothing waits."""
    while waiting := jobs.waiting():
        for pk in waiting:
            jobs.run(pk)


def make_world(kind: str = "Binary", days: int = 3, **overrides: Any) -> tuple[Deployment, Challenger]:
    """A deployment with requests on some days and half of their actuals, and a challenger."""
    deployment = make_deployment(kind, segments=True, **overrides)
    deployment.settings |= ON
    deployment.save()
    deployment.attributes.update(since=NOW - timedelta(days=60))
    for day in range(days):
        ids = [f"{day}-{row}" for row in range(5)]
        value: Any = 1.0 if kind == "Regression" else 0.5
        send_predictions(
            deployment, [value] * 5, at=HOUR - timedelta(days=day), ids=ids, ages=AGES, towns=TOWNS, request_id=f"{day}"
        )
    send_actuals(deployment, {f"{day}-{row}": "yes" if row % 2 else "no" for day in range(days) for row in range(3)})
    assert fill.run(deployment.pk, NOW)
    deployment.refresh_from_db()
    package = make_scoring_package(kind, name="The challenger")
    return deployment, challengers.create(deployment, package, "Challenger", None, NOW)


def start(deployment: Deployment) -> Job:
    return replay.start(deployment, None, None)


def read(deployment: Deployment, what: str, **query: Any) -> Any:
    span = {"start": (HOUR - timedelta(days=10)).isoformat(), "end": (HOUR + timedelta(hours=1)).isoformat()}
    answer = client_of(deployment, Role.CONSUMER).get(path(deployment, what), {**span, **query})
    assert answer.status_code == 200, answer.content
    return answer.json()


def replayed_rows(challenger: Challenger) -> int:
    blocks = Block.objects.filter(deployment_id=challenger.deployment_id, is_replay=True, model_id=challenger.model_id)
    return sum(block.rows for block in blocks)


def test_a_replay_scores_every_stored_request_and_the_actuals_match() -> None:
    deployment, challenger = make_world()
    before = read(deployment, "accuracy/")
    job = start(deployment)
    work()
    job.refresh_from_db()
    assert (job.state, job.progress) == (JobState.COMPLETED, 1.0), job.message
    assert replayed_rows(challenger) == 15
    model_id = challenger.model.public_id
    found = predicted("Binary", AGES, TOWNS)[:, 1]
    accuracy = read(deployment, "accuracy/", modelId=model_id)
    actual = np.array([row % 2 for row in range(3)])
    log_loss = -np.mean(np.log(np.where(actual == 1, found[:3], 1 - found[:3])))
    assert accuracy["metrics"]["LogLoss"]["value"] == pytest.approx(log_loss, rel=1e-4)
    over = read(deployment, "predictionsOverTime/", modelId=model_id, bucketSize="P1D")
    assert [bucket["rowCount"] for bucket in over["buckets"] if bucket["rowCount"]] == [5, 5, 5]
    drift = read(deployment, "featureDrift/", modelId=model_id)
    assert {one["name"]: one["sampleSize"] for one in drift["data"]} == {"age": 15, "town": 15}
    town = read(deployment, "accuracy/", modelId=model_id, segmentAttribute="town", segmentValue="Oslo")
    assert town["metrics"]["LogLoss"]["value"] is not None
    assert read(deployment, "accuracy/") == before


def test_replayed_rows_are_shown_only_under_the_challengers_name() -> None:
    deployment, challenger = make_world(days=1)
    start(deployment)
    work()
    assert read(deployment, "predictionResults/")["count"] == 5
    of_challenger = read(deployment, "predictionResults/", modelId=challenger.model.public_id)
    assert {row["modelId"] for row in of_challenger["data"]} == {challenger.model.public_id}


def test_a_replay_does_not_count_as_requests() -> None:
    deployment, _ = make_world()
    shown = ("recent_predictions", "daily_predictions", "first_prediction_at", "last_prediction_at")
    before = {name: getattr(deployment, name) for name in shown}
    assert before["recent_predictions"] == 15
    start(deployment)
    work()
    summary.refresh(deployment.pk, NOW)
    deployment.refresh_from_db()
    assert {name: getattr(deployment, name) for name in shown} == before


@pytest.mark.parametrize("kind", ["Regression", "Multiclass"])
def test_challengers_of_other_targets_are_replayed_too(kind: str) -> None:
    deployment = make_deployment(kind)
    deployment.settings |= ON
    deployment.save()
    value: Any = [0.2, 0.3, 0.5] if kind == "Multiclass" else 7.0
    send_predictions(deployment, [value] * 5, ages=AGES, towns=TOWNS)
    challenger = challengers.create(deployment, make_scoring_package(kind), "C", None, NOW)
    start(deployment)
    work()
    over = read(deployment, "predictionsOverTime/", modelId=challenger.model.public_id, bucketSize="P1D")
    assert sum(bucket["rowCount"] for bucket in over["buckets"]) == 5
    if kind == "Regression":
        mean = next(bucket["meanPredictedValue"] for bucket in over["buckets"] if bucket["rowCount"])
        assert mean == pytest.approx(predicted(kind, AGES, TOWNS).mean(), rel=1e-5)


class Killed(BaseException):
    """The worker's process ended."""


@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_replay_that_is_killed_goes_on_with_nothing_doubled(monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    deployment, challenger = make_world()
    job = start(deployment)
    real, done = replay.score_block, 0

    def dying(*args: Any) -> int:
        nonlocal done
        if done == after:
            raise Killed
        done += 1
        return real(*args)

    monkeypatch.setattr(replay, "score_block", dying)
    with pytest.raises(Killed):
        jobs.run(job.pk)
    monkeypatch.undo()
    assert replayed_rows(challenger) == 5 * after
    assert jobs.waiting() == []
    assert jobs.run(job.pk, now=NOW + timedelta(days=400))
    job.refresh_from_db()
    assert job.state == JobState.COMPLETED
    assert replayed_rows(challenger) == 15
    over = read(deployment, "predictionsOverTime/", modelId=challenger.model.public_id, bucketSize="P1D")
    assert sum(bucket["rowCount"] for bucket in over["buckets"]) == 15


def test_a_kill_between_mark_and_rows_leaves_neither(monkeypatch: pytest.MonkeyPatch) -> None:
    deployment, challenger = make_world(days=1)

    def dying(*args: Any, **more: Any) -> None:
        raise Killed

    monkeypatch.setattr("deployments.ingest.store.insert", dying)
    with pytest.raises(Killed):
        jobs.run(start(deployment).pk)
    monkeypatch.undo()
    assert replayed_rows(challenger) == 0
    kept = Block.objects.filter(deployment_id=deployment.pk, kind=BlockKind.PREDICTIONS)
    assert [block.replayed_by for block in kept] == [[]]


def test_a_second_replay_scores_only_what_is_new() -> None:
    deployment, challenger = make_world(days=1)
    start(deployment)
    work()
    send_predictions(deployment, [0.5, 0.5], at=HOUR, ids=["new-1", "new-2"], ages=[30, 40], towns=["Oslo", "Oslo"])
    start(deployment)
    work()
    assert replayed_rows(challenger) == 7
    keys = PredictionKey.objects.filter(deployment_id=deployment.pk, model_id=challenger.model_id)
    assert keys.count() == 7


def test_small_blocks_are_put_together_only_with_their_like(monkeypatch: pytest.MonkeyPatch) -> None:
    deployment, challenger = make_world(days=1)
    monkeypatch.setattr(compact, "MANY", 2)
    start(deployment)
    work()
    for number in range(4):
        send_predictions(deployment, [0.5], at=HOUR, ids=[f"late-{number}"], ages=[30], towns=["Oslo"])
    assert fill.run(deployment.pk, NOW)
    sources = Block.objects.filter(deployment_id=deployment.pk, kind=BlockKind.PREDICTIONS, is_replay=False)
    assert sorted((block.rows, block.replayed_by) for block in sources) == [(4, []), (5, [challenger.model_id])]
    start(deployment)
    work()
    assert replayed_rows(challenger) == 9


def test_a_block_that_changed_while_it_was_scored_is_scored_again() -> None:
    _deployment, challenger = make_world(days=1)
    source = replay.sources(challenger, None)[0]
    with scoring.open_scorer(challenger.model.package) as scorer:
        Block.objects.filter(id=source.id).update(rows=source.rows + 1)
        assert replay.score_block(challenger, scorer, source) == 0
    assert replayed_rows(challenger) == 0


def test_one_replay_at_a_time_and_the_second_is_told_where_the_first_is() -> None:
    deployment, _ = make_world(days=1)
    client = client_of(deployment)
    first = client.post(path(deployment, "challengerPredictions/"), {})
    assert first.status_code == 202
    second = client_of(deployment).post(path(deployment, "challengerPredictions/"), {})
    assert (second.status_code, second["Location"]) == (429, first["Location"])
    assert int(second["Retry-After"]) > 0
    work()
    done = client.get(first["Location"].removeprefix("http://testserver"))
    assert (done.status_code, done["Location"].endswith("/challengers/")) == (303, True)
    assert client.post(path(deployment, "challengerPredictions/"), {}).status_code == 202


def test_a_timestamp_leaves_older_requests_out() -> None:
    deployment, challenger = make_world(days=3)
    body = {"timestamp": (HOUR - timedelta(hours=30)).isoformat()}
    assert client_of(deployment).post(path(deployment, "challengerPredictions/"), body).status_code == 202
    work()
    assert replayed_rows(challenger) == 10


def test_a_scorer_that_fails_is_told_and_the_other_challengers_are_replayed() -> None:
    deployment, challenger = make_world(days=1)
    broken = make_package(name="Nobody there", scoring_address={"url": "http://127.0.0.1:9", "modelName": "m"})
    challengers.create(deployment, broken, "Broken", None, NOW)
    job = start(deployment)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.conf.settings.ALLOW_PRIVATE_ADDRESSES", True, raising=False)
        work()
    job.refresh_from_db()
    assert job.state == JobState.ERROR
    assert job.message.startswith("Broken: The scoring address cannot be reached")
    assert replayed_rows(challenger) == 5


def test_a_long_replay_takes_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    deployment, challenger = make_world(days=3)
    monkeypatch.setattr(replay, "TURN_SECONDS", -1)
    job = start(deployment)
    turns = 0
    while jobs.run(job.pk):
        turns += 1
        job.refresh_from_db()
        assert replayed_rows(challenger) == min(5 * turns, 15)
    assert job.state == JobState.COMPLETED
    assert turns == 4


def test_a_replay_can_be_stopped_and_what_is_done_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    deployment, challenger = make_world(days=3)
    job = start(deployment)
    real = replay.score_block

    def stopped_by_somebody(*args: Any) -> int:
        jobs.cancel(job)
        return real(*args)

    monkeypatch.setattr(replay, "score_block", stopped_by_somebody)
    work()
    job.refresh_from_db()
    assert job.state == JobState.ABORTED
    assert replayed_rows(challenger) == 5


def test_rows_that_may_not_be_collected_are_not_replayed() -> None:
    deployment, challenger = make_world(days=1)
    deployment.settings |= {"predictionsDataCollection": {"enabled": False}}
    deployment.save()
    answer = client_of(deployment).post(path(deployment, "challengerPredictions/"), {})
    assert (answer.status_code, "predictionsDataCollection" in answer.json()["message"]) == (422, True)
    send_predictions(deployment, [0.5] * 2, at=HOUR, ages=[30, 40], towns=["Oslo", "Oslo"])
    deployment.settings |= {"predictionsDataCollection": {"enabled": True}}
    deployment.save()
    start(deployment)
    work()
    assert replayed_rows(challenger) == 5


def test_requests_without_features_are_not_scored() -> None:
    deployment, challenger = make_world(days=1)
    send_predictions(deployment, [0.5] * 2, at=HOUR)
    start(deployment)
    work()
    assert replayed_rows(challenger) == 5
    assert replay.sources(challenger, None) == []


def test_a_removed_challenger_takes_its_rows_along() -> None:
    deployment, challenger = make_world()
    start(deployment)
    work()
    model_id, public_id = challenger.model_id, challenger.model.public_id
    client = client_of(deployment)
    one = path(deployment, f"challengers/{challenger.public_id}/")
    assert client.delete(one).status_code == 204
    assert client.get(one).status_code == 404
    assert client.get(path(deployment, "accuracy/"), {"modelId": public_id}).status_code == 422
    work()
    for table in (Block, State, PredictionKey):
        assert not table.objects.filter(deployment_id=deployment.pk, model_id=model_id).exists()
        assert table.objects.filter(deployment_id=deployment.pk).exists()
    assert not DeployedModel.objects.filter(pk=model_id).exists()


def test_a_removal_that_was_stopped_is_taken_up_again() -> None:
    _deployment, challenger = make_world(days=1)
    challengers.remove(challenger, None)
    Job.objects.filter(kind=challengers.ERASE).update(state=JobState.ERROR)
    replay_schedule.go_on_removing()
    replay_schedule.go_on_removing()
    assert Job.objects.filter(kind=challengers.ERASE, state=JobState.INITIALIZED).count() == 1
    work()
    assert not DeployedModel.objects.filter(pk=challenger.model_id).exists()


def test_a_challenger_that_becomes_champion_keeps_what_it_was_replayed_with() -> None:
    deployment, challenger = make_world()
    start(deployment)
    work()
    user = make_user(is_superuser=True)
    replacement.start(deployment, challenger.model.package, replacement.Reason.ACCURACY, user)
    work()
    deployment.refresh_from_db()
    assert deployment.champion_id == challenger.model_id
    assert not Challenger.objects.exists()
    assert read(deployment, "accuracy/", modelId=challenger.model.public_id)["metrics"]["LogLoss"]["value"] is not None


def test_a_former_champion_can_challenge_and_stays_history_afterwards() -> None:
    deployment, challenger = make_world(days=1)
    former = ModelPackage.objects.get(pk=deployment.champion.package_id)  # type: ignore[union-attr]
    former.scoring_address = {"url": "http://example.org", "modelName": "m"}
    former.save()
    user = make_user(is_superuser=True)
    replacement.start(deployment, challenger.model.package, replacement.Reason.OTHER, user)
    work()
    again = challengers.create(deployment, former, "Again", None, NOW)
    challengers.remove(again, None)
    work()
    assert DeployedModel.objects.get(package=former).role == "former"
    assert read(deployment, "accuracy/", modelId=former.model_id)["metrics"]["LogLoss"]["value"] is not None


@pytest.mark.parametrize(
    ("package", "field", "words"),
    [
        ({}, "modelPackageId", "ONNX artifact"),
        ({"target_name": "other"}, "modelPackageId", "target"),
        ({"class_names": ["yes", "nope"]}, "modelPackageId", "classes"),
    ],
)
def test_who_cannot_challenge_is_told_why(package: dict[str, Any], field: str, words: str) -> None:
    deployment, _ = make_world(days=1)
    owner = User.objects.create_superuser("root")
    client = APIClient(headers={"Authorization": f"Bearer {issue(owner, 'test')}"})
    body = {"modelPackageId": make_package(**package).public_id, "name": "Another"}
    answer = client.post(path(deployment, "challengers/"), body)
    assert answer.status_code == 422
    assert words in answer.json()["errors"][field][0]


def test_challengers_need_the_setting() -> None:
    deployment = make_deployment()
    with pytest.raises(challengers.Unfit, match="challengerModels"):
        challengers.create(deployment, make_scoring_package(), "C", None, NOW)


def test_a_schedule_replays_once_however_many_workers_look() -> None:
    deployment, challenger = make_world(days=1)
    schedule = Schedule(minute=(0,), hour=(3,))
    row = replay_schedule.change(deployment, True, schedule, None, NOW)
    assert row.next_at == NOW.replace(hour=3, minute=0) + timedelta(days=1)
    assert replay_schedule.run_due(NOW) == 0
    late = NOW + timedelta(days=3)
    assert [replay_schedule.run_due(late) for _ in range(3)] == [1, 0, 0]
    work()
    assert replayed_rows(challenger) == 5
    row.refresh_from_db()
    assert row.next_at == late.replace(hour=3, minute=0) + timedelta(days=1)
    replay_schedule.change(deployment, False, None, None, NOW)
    assert replay_schedule.run_due(NOW + timedelta(days=30)) == 0


def test_the_settings_of_the_schedule_are_read_and_refused_by_name() -> None:
    deployment, _ = make_world(days=1)
    client, where = client_of(deployment), path(deployment, "challengerReplaySettings/")
    assert client.get(where).json() == {"enabled": False, "schedule": None}
    refused = client.patch(where, {"enabled": True})
    assert (refused.status_code, set(refused.json()["errors"])) == (422, {"schedule"})
    every = {name: ["*"] for name in ("minute", "hour", "dayOfMonth", "month", "dayOfWeek")}
    bad = client.patch(where, {"enabled": True, "schedule": every | {"hour": [24]}})
    assert (bad.status_code, set(bad.json()["errors"])) == (422, {"schedule.hour"})
    assert client.patch(where, {"enabled": True, "schedule": every | {"hour": [4]}}).json() == {}
    assert client.get(where).json() == {"enabled": True, "schedule": every | {"hour": [4]}}


def test_scoring_failures_are_sentences() -> None:
    words = "neither an ONNX artifact nor a scoring address"
    with pytest.raises(ScoringFailed, match=words), scoring.open_scorer(make_package()):
        pass
