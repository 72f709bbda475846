"""The job of a run: collect rows, choose, fit, export, compare, register, act.

It is `piecewise`: between two steps it tells how far it is and stops where somebody cancelled it. A run that was killed
starts anew, but what it has registered is noted with the run in the same transaction, so that nothing is made twice:
with a package it goes on at the action.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from deployments import artifacts, challengers, datasets, health, jobs, registration, registry, replacement
from deployments.ingest.errors import Refused, TooMuch
from deployments.ingest.shape import shape_of_package
from deployments.models import (
    Dataset,
    Deployment,
    Job,
    JobState,
    ModelPackage,
    RetrainingPolicy,
    RetrainingRun,
    RetrainingSettings,
    Role,
    RunStatus,
)
from deployments.registration import FeatureSpec, PackageSpec, TargetSpec
from deployments.replacement import Outcome, Reason
from deployments.retraining import data, options
from deployments.retraining.data import NoData
from deployments.retraining.options import Action, Cause, FeatureList, Policy, Selection
from deployments.scoring.process import Sandbox
from deployments.scoring.scorer import Onnx
from deployments.scoring.signature import match
from deployments.sharing import role_of
from metrics.arrays import FloatArray

if TYPE_CHECKING:
    from deployments.retraining.trainer import Chosen, Parts, Task

KIND = "retraining"
MOST_DIFFERENT = 1e-3
"""Share of the holdout's rows on which the exported model may answer otherwise."""
REASONS = {
    Cause.DRIFT: Reason.DATA_DRIFT,
    Cause.ACCURACY: Reason.ACCURACY,
    Cause.SCHEDULE: Reason.SCHEDULED_REFRESH,
    Cause.MANUAL: Reason.OTHER,
}
Tell = Callable[[float, str], None]


class NotPossible(ValueError):
    """The run cannot start; `field` is what is in the way."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


class Running(Exception):
    """The policy has a run that is not finished."""


@transaction.atomic
def start(policy: RetrainingPolicy, cause: Cause, now: datetime) -> RetrainingRun:
    """Put a run down. Raises Running while another of the policy is not finished, NotPossible without an owner."""
    deployment = policy.deployment
    user = trainer_of(policy)
    if user is None:
        raise NotPossible("retrainingUserId", "Name the retraining user, an owner of the deployment, in the settings.")
    try:
        with transaction.atomic():
            run = RetrainingRun.objects.create(policy=policy, cause=cause.value, started_at=now)
    except IntegrityError:
        raise Running("A run of this policy is not finished yet.") from None
    run.job = jobs.start(KIND, deployment, user, {"run": run.pk})
    run.save(update_fields=["job"])
    return run


def refuse(policy: RetrainingPolicy, cause: Cause, reason: str, now: datetime) -> None:
    """Note a run that could not start by itself as a failed one, so that who reads the policy learns why."""
    RetrainingRun.objects.create(
        policy=policy,
        cause=cause.value,
        status=RunStatus.FAILED,
        error_message=reason,
        started_at=now,
        finished_at=now,
    )


def trainer_of(policy: RetrainingPolicy) -> User | None:
    """In whose name runs are made: the settings' user, else the policy's maker; None if they are no owner."""
    named = RetrainingSettings.objects.filter(deployment=policy.deployment).select_related("user").first()
    user = named.user if named is not None and named.user is not None else policy.created_by
    if user is None or not user.is_active or role_of(user, policy.deployment) is not Role.OWNER:
        return None
    return user


def _ended(job: Job) -> None:
    """The run ends with its job."""
    status = {JobState.COMPLETED: RunStatus.SUCCEEDED, JobState.ABORTED: RunStatus.CANCELLED}
    RetrainingRun.objects.filter(pk=job.args["run"]).update(
        status=status.get(JobState(job.state), RunStatus.FAILED),
        error_message=job.message if job.state == JobState.ERROR else "",
        finished_at=job.finished_at,
    )


@jobs.register(KIND, piecewise=True, ended=_ended)
def train(job: Job) -> str:
    """Carry a run out; returns its address."""
    from deployments.retraining.trainer import CannotTrain

    run = RetrainingRun.objects.select_related("policy__deployment__champion__package", "package").get(
        pk=job.args["run"]
    )
    RetrainingRun.objects.filter(pk=run.pk).update(status=RunStatus.RUNNING)
    policy = options.read(run.policy.options)
    user = trainer_of(run.policy)
    if user is None:
        raise jobs.JobFailed("The retraining user is no owner of the deployment any more.")
    try:
        options.check(policy, run.policy.deployment)
        if run.package is None:
            _make(run, policy, user, job)
        _act(run, policy, user)
    except options.BadPolicy as problem:
        raise jobs.JobFailed(str(problem)) from None
    except (NoData, CannotTrain, challengers.Unfit) as problem:
        raise jobs.JobFailed(str(problem)) from None
    except (Refused, TooMuch) as problem:
        raise jobs.JobFailed(f"The model cannot be registered: {problem}") from None
    where = f"/api/v2/deployments/{run.policy.deployment.public_id}/retrainingPolicies/{run.policy.public_id}"
    return f"{where}/runs/{run.public_id}/"


def _make(run: RetrainingRun, policy: Policy, user: User, job: Job) -> None:
    """Train and register; the run knows its package in the transaction that makes it."""
    from deployments.retraining import onnx_export, trainer

    deployment = run.policy.deployment
    champion = deployment.champion
    assert champion is not None
    settings = RetrainingSettings.objects.filter(deployment=deployment).select_related("dataset").first()
    dataset = None if settings is None else settings.dataset
    tell = _part(job, 0.0, 0.1)
    rows = data.collect(deployment, champion.package, dataset, use_actuals=policy.use_actuals, tell=tell)
    task = task_of(champion.package, rows, policy)
    parts = trainer.parted(rows, task, policy.effective)
    chosen = _chosen(champion.package, policy, parts.training, task, _part(job, 0.1, 0.6))
    jobs.progress(job, 0.6, f"Fitting {chosen.candidate}")
    model = trainer.fit(task.table(parts.training), task.outcomes(parts.training), task, chosen.candidate)
    jobs.progress(job, 0.7, "Exporting")
    content = onnx_export.exported(model, task)
    held = parts.holdout
    original = trainer.predict(model, task.table(held), task)
    converted = asked(content, held, task, champion.package)
    apart = trainer.difference(original, converted, task)
    if apart > MOST_DIFFERENT:
        raise trainer.CannotTrain(f"The exported model answers otherwise on {apart:.1%} of the holdout.")
    impact = trainer.impact(model, held, task, _part(job, 0.75, 0.95))
    jobs.progress(job, 0.95, "Registering")
    report = {
        "rows": rows.height,
        "holdoutRows": held.height,
        "features": list(task.features),
        "blueprint": str(chosen.candidate),
        "metric": chosen.metric,
        "candidates": [{"model": name, "value": value} for name, value in chosen.values],
        "holdout": trainer.measured(original, held, task),
        "differentAfterExport": apart,
    }
    _register(run, policy, user, Made(content, converted, parts, task, impact, chosen, report), champion.package)


@dataclass(frozen=True)
class Made:
    """A trained model with everything that is registered of it; `predicted`: its answers on the holdout."""

    content: bytes
    predicted: FloatArray
    parts: Parts
    task: Task
    impact: dict[str, float]
    chosen: Chosen
    report: dict[str, Any]


def task_of(package: ModelPackage, rows: pl.DataFrame, policy: Policy) -> Any:
    """What the trainer is to learn. Raises CannotTrain if no feature tells anything."""
    from deployments.retraining.trainer import CannotTrain, Task, informative

    shape = shape_of_package(package.pk)
    features = dict(shape.features)
    if policy.feature_list_strategy is FeatureList.INFORMATIVE:
        features = informative(rows, features)
    if not features:
        raise CannotTrain("No feature has more than one value.")
    return Task(features, package.target_name, shape.target.kind, shape.target.classes, shape.target.threshold)


def _chosen(package: ModelPackage, policy: Policy, rows: pl.DataFrame, task: Any, tell: Tell) -> Any:
    from deployments.retraining import trainer

    tried = trainer.candidates(policy.autopilot_options.mode)
    if policy.model_selection_strategy is not Selection.RECOMMENDED:
        blueprint, parameters = package.trainer["blueprint"], package.trainer["parameters"]
        if policy.model_selection_strategy is Selection.SAME_PARAMETERS:
            tried = [trainer.Candidate(blueprint, parameters)]
        else:
            tried = [one for one in tried if one.blueprint == blueprint] or [trainer.Candidate(blueprint, parameters)]
    return trainer.choose(rows, task, tried, policy.effective, tell)


def asked(content: bytes, rows: pl.DataFrame, task: Task, package: ModelPackage) -> FloatArray:
    """What the exported model itself answers, in the sandbox that will run it; columns in the order of the classes."""
    shape = shape_of_package(package.pk)
    with Sandbox(content) as sandbox:
        scorer = Onnx(sandbox, match(sandbox.description, shape), shape)
        found = scorer.predict(artifacts.as_block(rows.select(*task.features), shape))
    table = np.asarray(pl.DataFrame(found).to_numpy(), np.float64)
    return np.column_stack([1 - table[:, 0], table[:, 0]]) if shape.target.is_binary else table


def _register(run: RetrainingRun, policy: Policy, user: User, made: Made, champion: ModelPackage) -> None:
    task, name = made.task, f"{policy.name}, {run.started_at:%Y-%m-%d %H:%M} UTC"
    kept = [one for one in champion.segment_attributes if one in task.features]
    names = [f"prediction_{one}" for one in task.classes] or ["prediction"]
    predicted = pl.DataFrame(made.predicted, schema=names)
    spec = PackageSpec(
        name=name[:200],
        description=f"Trained by the policy {policy.name!r}: {made.report['blueprint']}."[:10_000],
        target=TargetSpec(
            name=task.target,
            type=champion.target_type,  # type: ignore[arg-type]
            class_names=list(champion.class_names),
            positive_class=champion.positive_class or None,
            prediction_threshold=champion.prediction_threshold,
        ),
        features=[
            FeatureSpec(name=one, type=kind.value, feature_impact=made.impact[one])  # type: ignore[arg-type]
            for one, kind in task.features.items()
        ],
        training_dataset_id=_stored(run, "training", made.parts.training, user).public_id,
        holdout_dataset_id=_stored(run, "holdout", made.parts.holdout.hstack(predicted), user).public_id,
        segment_attributes=kept,
    )
    with transaction.atomic():
        package = registration.register(spec, user)
        package.trainer = {
            "blueprint": made.chosen.candidate.blueprint,
            "parameters": dict(made.chosen.candidate.parameters),
        }
        package.save(update_fields=["trainer"])
        run.package = artifacts.attach(package, made.content, f"{policy.name}.onnx")
        run.report = made.report
        run.save(update_fields=["package", "report"])


def _stored(run: RetrainingRun, part: str, rows: pl.DataFrame, user: User) -> Dataset:
    """The part as a dataset; one that a killed attempt has stored already is taken again."""
    name = f"{run.public_id}, {part}.parquet"
    known = Dataset.objects.filter(owner=user, name=name).first()
    if known is not None:
        datasets.delete(known)
    out = io.BytesIO()
    rows.write_parquet(out)
    return datasets.store(out.getvalue(), name, "", user)


def _act(run: RetrainingRun, policy: Policy, user: User) -> None:
    """What the policy wants done with the package; done once, since the run notes it in the same transaction."""
    package, deployment = run.package, run.policy.deployment
    assert package is not None
    if policy.action is Action.CHALLENGER and not run.challenger_public_id:
        with transaction.atomic():
            made = challengers.create(deployment, package, package.name, user, timezone.now())
            run.challenger, run.challenger_public_id = made, made.public_id
            run.save(update_fields=["challenger", "challenger_public_id"])
    if policy.action is Action.REPLACEMENT:
        _replace(run, package, REASONS[Cause(run.cause)], user)


def _replace(run: RetrainingRun, package: ModelPackage, reason: Reason, user: User) -> None:
    deployment = run.policy.deployment
    with transaction.atomic():
        row = (
            Deployment.objects.select_for_update(of=("self",)).select_related("champion__package").get(pk=deployment.pk)
        )
        if row.champion is not None and row.champion.package_id == package.pk:
            return
        found = replacement.overall(replacement.validate(row, package, user, run=run))
        if found.status is Outcome.FAILING:
            raise jobs.JobFailed(found.message)
        registry.replace_model(row, package, timezone.now(), reason.value, user)
        transaction.on_commit(lambda: health.refresh(row.pk, timezone.now()))


def _part(job: Job, first: float, last: float) -> Tell:
    """Progress of a step that is the part of the job from `first` to `last`."""
    return lambda done, text: jobs.progress(job, first + (last - first) * done, text)
