"""Challengers and models through workers that were really killed: the next one completes, nothing is lost or doubled.

Each test lets a process of its own carry a job out, ends it by SIGKILL at a marked point in the middle, and takes the
job up again in this process once the dead worker's lease is over.
"""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from deployments import challengers, jobs, replacement, replay
from deployments.api.authentication import issue
from deployments.custom_metrics import uploads
from deployments.models import (
    AuditEntry,
    Block,
    BlockKind,
    Challenger,
    CustomRow,
    Dataset,
    DeployedModel,
    Deployment,
    DeploymentStatus,
    Job,
    JobState,
    ModelPackage,
    ModelRole,
    PredictionKey,
    Reign,
    Role,
    RunStatus,
    State,
)
from deployments.retraining import run
from deployments.retraining.options import Action, Cause
from tests.deployments.factories import HOUR, NOW, make_deployment, make_package, make_user
from tests.deployments.killing import kill
from tests.deployments.onnx_models import make_scoring_package
from tests.deployments.test_challengers import make_world, replayed_rows, work
from tests.deployments.test_custom_metrics import Metric, upload
from tests.deployments.test_retraining import make_world as retrained_world
from tests.deployments.test_retraining import policy

pytestmark = pytest.mark.django_db(transaction=True)

WORKER = """
from importlib import import_module
from deployments import artifacts, challengers, jobs, registry, replay, tasks
from deployments.custom_metrics import keeping
from deployments.retraining import run
for name in tasks.HANDLERS:
    import_module(name)
module, name = sys.argv[1].split(".")
stop_after(globals()[module], name)
challengers.PIECE = 4
jobs.run(int(sys.argv[2]))
"""


def kill_after(moment: str, job: Job) -> None:
    """A worker dies after that function returned; nobody takes the job before the lease is over."""
    connection.close()
    kill(WORKER, moment, str(job.pk))
    assert not jobs.run(job.pk), "the dead worker's lease still holds"


def after_the_lease(job: Job) -> Job:
    """The job as the next worker left it."""
    assert jobs.run(job.pk, timezone.now() + jobs.LEASE + timedelta(seconds=1))
    job.refresh_from_db()
    assert (job.state, job.attempts) == (JobState.COMPLETED, 2), job.message
    return job


def of_model(model: DeployedModel) -> list[int]:
    """How many blocks, keys and states a model has."""
    tables = (Block, PredictionKey, State)
    return [table.objects.filter(deployment_id=model.deployment_id, model_id=model.pk).count() for table in tables]


@pytest.mark.parametrize("moment", ["challengers.create", "jobs._end"])
def test_a_challenger_is_created_once(moment: str) -> None:
    deployment, _ = make_world(days=1)
    package = make_scoring_package("Binary", name="Another")
    job = jobs.start(challengers.CREATE, deployment, make_user(), {"package": package.pk, "name": "Another"})
    kill_after(moment, job)
    assert not Challenger.objects.filter(name="Another").exists()
    assert not deployment.models.filter(package=package).exists()
    done = after_the_lease(job)
    made = Challenger.objects.get(name="Another")
    assert done.result.endswith(f"/challengers/{made.public_id}/")
    assert deployment.models.get(package=package).role == ModelRole.CHALLENGER
    assert AuditEntry.objects.filter(action="challenger.created", after__name="Another").count() == 1


@pytest.mark.parametrize("moment", ["challengers._delete_piece", "jobs.progress", "jobs._end"])
def test_a_challenger_is_removed_whole_and_the_champion_keeps_its_rows(moment: str) -> None:
    deployment, challenger = make_world(days=2)
    replay.start(deployment, None, None)
    work()
    model, champion = challenger.model, deployment.champion
    assert champion is not None
    before = of_model(champion)
    assert all(of_model(model))
    challengers.remove(challenger, make_user())
    job = Job.objects.get(kind=challengers.ERASE)
    kill_after(moment, job)
    after_the_lease(job)
    assert of_model(model) == [0, 0, 0]
    assert not DeployedModel.objects.filter(pk=model.pk).exists()
    assert of_model(champion) == before
    assert AuditEntry.objects.filter(action="challenger.removed").count() == 1


@pytest.mark.parametrize("moment", ["replay.score_block", "jobs.progress"])
def test_a_replay_goes_on_behind_the_last_block_that_was_stored(moment: str) -> None:
    deployment, challenger = make_world(days=3)
    job = replay.start(deployment, None, None)
    kill_after(moment, job)
    assert replayed_rows(challenger) == 5
    after_the_lease(job)
    assert replayed_rows(challenger) == 15
    blocks = Block.objects.filter(deployment_id=deployment.pk, kind=BlockKind.PREDICTIONS, is_replay=False)
    assert [block.replayed_by for block in blocks] == [[challenger.model_id]] * 3
    keys = PredictionKey.objects.filter(deployment_id=deployment.pk, model_id=challenger.model_id)
    assert keys.count() == 15


def test_a_model_is_replaced_whole() -> None:
    deployment, _ = make_world(days=1)
    owner = make_user(is_superuser=True)
    package, former = make_package(owner=owner), deployment.champion_id
    job = replacement.start(deployment, package, replacement.Reason.ERRORS, owner)
    kill_after("registry.replace_model", job)
    deployment.refresh_from_db()
    assert (deployment.champion_id, deployment.status) == (former, DeploymentStatus.REPLACING_MODEL)
    after_the_lease(job)
    again = Deployment.objects.select_related("champion").get(pk=deployment.pk)
    assert again.champion is not None
    assert (again.champion.package_id, again.status) == (package.pk, DeploymentStatus.ACTIVE)
    assert Reign.objects.filter(deployment=deployment).count() == 2


@pytest.mark.parametrize("moment", ["run._stored", "artifacts.attach"])
def test_a_retraining_run_makes_one_model_and_one_challenger(moment: str) -> None:
    owner = make_user()
    deployment = retrained_world(owner)
    row = policy(deployment, owner, action=Action.CHALLENGER)
    made = run.start(row, Cause.MANUAL, NOW)
    assert made.job is not None
    before = ModelPackage.objects.count()
    kill_after(moment, made.job)
    assert ModelPackage.objects.count() == before
    after_the_lease(made.job)
    made.refresh_from_db()
    assert made.status == RunStatus.SUCCEEDED, made.error_message
    assert ModelPackage.objects.count() == before + 1
    assert Challenger.objects.get().public_id == made.challenger_public_id
    assert Dataset.objects.count() == 2


@pytest.mark.parametrize("moment", ["keeping.add", "jobs._end"])
def test_values_of_a_custom_metric_are_added_once(moment: str) -> None:
    owner, deployment = make_user(), make_deployment()
    deployment.roles.create(user=owner, role=Role.OWNER)
    client = APIClient(headers={"Authorization": f"Bearer {issue(owner, 'test')}"})
    metric = Metric(client, deployment, type="sum")
    table = pl.DataFrame({"timestamp": [HOUR.isoformat()] * 3, "value": [1.0, 2.0, 4.0], "flight": ["a", "b", "c"]})
    body = {"datasetId": upload(owner, table), "associationId": {"columnName": "flight"}}
    assert client.post(f"{metric.base}customMetrics/{metric.id}/fromDataset/", body).status_code == 202
    job = Job.objects.get(kind=uploads.KIND)
    kill_after(moment, job)
    period = {"start": HOUR.isoformat(), "end": (HOUR + timedelta(hours=1)).isoformat()}
    rows = CustomRow.objects.filter(metric_id=job.args["metric"])
    assert (metric.get("summary/", **period)["metric"]["value"], rows.count()) == (None, 0)
    after_the_lease(job)
    assert (metric.get("summary/", **period)["metric"]["value"], rows.count()) == (7.0, 3)
