"""Challengers: models beside the champion that the stored requests are scored with."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from deployments import audit, jobs
from deployments.models import Challenger, DeployedModel, Deployment, Job, ModelPackage, ModelRole
from deployments.rollups import fill
from deployments.scoring.scorer import can_score
from deployments.settings_schema import Settings, parse

CREATE, ERASE = "challengerCreation", "challengerRemoval"
MOST_CHALLENGERS = 10
PIECE = 50_000
"""Rows of a large table that are deleted in one transaction."""


class Unfit(ValueError):
    """A package cannot challenge here; `field` is what is wrong."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


def check(deployment: Deployment, package: ModelPackage, name: str) -> None:
    """Raise Unfit if the package cannot be a challenger of this name."""
    if not parse(Settings, deployment.settings).challenger_models.enabled:
        raise Unfit("modelPackageId", "Switch challengerModels on in the settings first.")
    if deployment.challengers.count() >= MOST_CHALLENGERS:
        raise Unfit("modelPackageId", f"At most {MOST_CHALLENGERS} challengers.")
    if deployment.challengers.filter(name=name).exists():
        raise Unfit("name", "Another challenger has this name.")
    champion = deployment.champion
    if champion is None:
        raise Unfit("modelPackageId", "The deployment has no champion to challenge.")
    _check_same_target(champion.package, package)
    _check_place(deployment, package)
    if not can_score(package):
        raise Unfit("modelPackageId", "The model package needs an ONNX artifact or a scoring address to be replayed.")


def _check_same_target(champion: ModelPackage, package: ModelPackage) -> None:
    for what, ours, theirs in (
        ("target", champion.target_name, package.target_name),
        ("kind of target", champion.target_type, package.target_type),
        ("classes", sorted(champion.class_names), sorted(package.class_names)),
        ("positive class", champion.positive_class, package.positive_class),
    ):
        if ours != theirs:
            raise Unfit("modelPackageId", f"The {what} must be the champion's ({ours}), and is {theirs}.")


def _check_place(deployment: Deployment, package: ModelPackage) -> None:
    known = deployment.models.filter(package=package).first()
    if known is None or known.role == ModelRole.FORMER:
        return
    raise Unfit(
        "modelPackageId",
        {
            ModelRole.CHAMPION: "This model is the champion.",
            ModelRole.CHALLENGER: "This model is a challenger already.",
        }.get(ModelRole(known.role), "This model is just being removed; try again in a moment."),
    )


@transaction.atomic
def create(deployment: Deployment, package: ModelPackage, name: str, user: User | None, now: datetime) -> Challenger:
    """Put a package beside the champion; a former champion keeps its history. Raises Unfit."""
    row = Deployment.objects.select_for_update(of=("self",)).select_related("champion__package").get(pk=deployment.pk)
    check(row, package, name)
    model, made = DeployedModel.objects.get_or_create(
        deployment=row, package=package, defaults={"role": ModelRole.CHALLENGER, "started_at": now}
    )
    if not made:
        model.role = ModelRole.CHALLENGER
        model.save(update_fields=["role"])
    challenger = Challenger.objects.create(deployment=row, model=model, name=name, created_by=user)
    audit.record(row, user, "challenger.created", {}, {"name": name, "modelId": package.model_id})
    return challenger


@jobs.register(CREATE)
def created(job: Job) -> str:
    """The job of a creation; returns the challenger's address."""
    assert job.deployment is not None
    package = ModelPackage.objects.filter(pk=job.args["package"]).first()
    if package is None:
        raise jobs.JobFailed("The model package is gone.")
    try:
        challenger = create(job.deployment, package, job.args["name"], job.created_by, timezone.now())
    except Unfit as problem:
        raise jobs.JobFailed(str(problem)) from None
    return f"/api/v2/deployments/{job.deployment.public_id}/challengers/{challenger.public_id}/"


@transaction.atomic
def rename(challenger: Challenger, name: str, user: User | None) -> None:
    """Give a challenger another name. Raises Unfit if it is taken."""
    before = challenger.name
    challenger.name = name
    try:
        with transaction.atomic():
            challenger.save(update_fields=["name"])
    except IntegrityError:
        raise Unfit("name", "Another challenger has this name.") from None
    audit.record(challenger.deployment, user, "challenger.renamed", {"name": before}, {"name": name})


@transaction.atomic
def remove(challenger: Challenger, user: User | None) -> None:
    """Take a challenger away. A former champion goes back to its history; what others were replayed with is deleted."""
    model = DeployedModel.objects.select_for_update(of=("self",)).select_related("package").get(pk=challenger.model_id)
    was_champion = model.reigns.exists()
    model.role = ModelRole.FORMER if was_champion else ModelRole.REMOVED
    model.save(update_fields=["role"])
    before = {"name": challenger.name, "modelId": model.public_id}
    deployment = challenger.deployment
    challenger.delete()
    audit.record(deployment, user, "challenger.removed", before, {})
    if not was_champion:
        jobs.start(ERASE, deployment, user, {"model": model.pk})


@jobs.register(ERASE, piecewise=True)
def erase(job: Job) -> str:
    """Delete a removed challenger with all that was made of it, piece by piece; safe to run again."""
    assert job.deployment is not None
    where = f"/api/v2/deployments/{job.deployment.public_id}/challengers/"
    model = DeployedModel.objects.filter(pk=job.args["model"], role=ModelRole.REMOVED).first()
    if model is None:
        return where
    for table in ("block", "dirtybucket", "state", "predictionkey"):
        while _delete_piece(job.deployment.pk, model.pk, f"deployments_{table}"):
            jobs.progress(job, job.progress, f"Deleting {table}")
    with transaction.atomic():
        DeployedModel.objects.filter(pk=model.pk, role=ModelRole.REMOVED).delete()
    return where


def _delete_piece(deployment_id: int, model_id: int, table: str) -> int:
    """Delete some rows of a model; returns how many. Under the roll-up's lock, so that no state is made meanwhile."""
    with transaction.atomic(), connection.cursor() as cursor:
        if not fill.locked(deployment_id):
            raise Busy
        cursor.execute(
            f"DELETE FROM {table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM {table} "  # noqa: S608
            "WHERE deployment_id = %s AND model_id = %s LIMIT %s)) AND deployment_id = %s AND model_id = %s",
            [deployment_id, model_id, PIECE, deployment_id, model_id],
        )
        return int(cursor.rowcount)


class Busy(RuntimeError):
    """A roll-up is at the deployment; the job is tried again later."""
