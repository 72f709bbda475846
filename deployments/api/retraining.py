"""`retrainingSettings/`, `retrainingPolicies/` and their `runs/`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Prefetch
from django.http import Http404
from django.utils import timezone
from msgspec import UNSET, Meta, Struct, UnsetType
from rest_framework.request import Request
from rest_framework.response import Response

from deployments import datasets
from deployments.api import params
from deployments.api.challengers import refuse_environment
from deployments.api.deployments import caller
from deployments.api.errors import Conflict, ValidationFailed
from deployments.api.examples import page_of
from deployments.api.openapi import describes
from deployments.api.pagination import Window, page_of_queryset
from deployments.api.permissions import role_of
from deployments.api.shown import user_id
from deployments.api.views import DeploymentView
from deployments.audit import record
from deployments.models import Deployment, RetrainingPolicy, RetrainingRun, RetrainingSettings, Role
from deployments.retraining import options, policies
from deployments.retraining import run as runs
from deployments.retraining.options import Action, BadPolicy, Cause, Policy, PolicyPatch

Id = Annotated[str, Meta(min_length=1, max_length=128)]
RUN = {
    "id": "69235c1e8d2f4a7b9c0d1e31",
    "status": "succeeded",
    "startTime": "2026-01-05T09:00:00Z",
    "finishTime": "2026-01-05T09:01:12Z",
    "errorMessage": None,
    "modelPackageId": "69235c1e8d2f4a7b9c0d1e2f",
    "registeredModelId": "69235c1e1b2c3d4e5f607182",
    "challengerId": "69235c1e8d2f4a7b9c0d1e30",
    "projectId": None,
    "cause": "manual",
    "report": {"rows": 26398, "blueprint": "gradient boosting", "metric": "LogLoss"},
}
POLICY = options.as_json(Policy(name="Every Monday")) | {"id": "69235c1e8d2f4a7b9c0d1e32", "latestRun": RUN}
SETTINGS = {
    "dataset": {"id": "69235c1e8d2f4a7b9c0d1e2f", "name": "february.parquet"},
    "predictionEnvironment": None,
    "retrainingUser": {"id": "000000000000000000000001", "username": "ada"},
}


class NewPolicy(Policy, frozen=True, kw_only=True):
    """A policy as it is made: what becomes of the model has to be said."""

    action: Action


class SettingsPatch(Struct, rename="camel"):
    """What runs train on and in whose name; null takes it away."""

    dataset_id: Id | UnsetType | None = UNSET
    retraining_user_id: Id | UnsetType | None = UNSET
    credential_id: str | None = None
    prediction_environment_id: str | None = None


class RunUpdate(Struct, rename="camel"):
    """A run can be cancelled."""

    status: Literal["cancelled"]


class NoOptions(Struct):
    """A run goes by its policy; nothing is asked of the body but that it is none, or an object."""


@dataclass(frozen=True, kw_only=True)
class PageQuery(params.Query):
    """Which part of a list."""

    offset: int = params.whole("offset", default=0, help="Entries to skip.")
    limit: int = params.whole("limit", default=100, minimum=1, maximum=1000, help="Entries to return.")


class RetrainingSettingsView(DeploymentView):
    """What runs train on, and in whose name."""

    roles = {"GET": Role.CONSUMER, "PATCH": Role.OWNER}

    @describes("Retrieve deployment retraining settings.", answer=SETTINGS, errors=(401, 404))
    def get(self, request: Request, deployment_id: str) -> Response:
        return Response(settings_shown(stored(self.deployment)))

    @describes("Update deployment retraining settings.", body=SettingsPatch, answer={})
    def patch(self, request: Request, deployment_id: str) -> Response:
        body, user = self.body(SettingsPatch), caller(request)
        refuse_environment(body.prediction_environment_id)
        if body.credential_id is not None:
            raise ValidationFailed({"credentialId": "Datasets are kept here and need no credentials; leave it out."})
        with transaction.atomic():
            Deployment.objects.select_for_update(of=("self",)).get(pk=self.deployment.pk)
            row = stored(self.deployment)
            before = settings_shown(row)
            if not isinstance(body.dataset_id, UnsetType):
                row.dataset = dataset_of(user, body.dataset_id)
            if not isinstance(body.retraining_user_id, UnsetType):
                row.user = user_of(self.deployment, body.retraining_user_id)
            row.save()
            record(self.deployment, user, "retrainingSettings.updated", before, settings_shown(row))
        return Response({})


class PoliciesView(DeploymentView):
    """The policies of a deployment."""

    roles = {"GET": Role.CONSUMER, "POST": Role.OWNER}

    @describes("List deployment retraining policies.", query=PageQuery, answer=page_of(POLICY))
    def get(self, request: Request, deployment_id: str) -> Response:
        query = self.read(PageQuery)
        rows = RetrainingPolicy.objects.filter(deployment=self.deployment).prefetch_related(latest())
        return Response(page_of_queryset(request, rows, Window(query.offset, query.limit), listed))

    @describes("Create a deployment retraining policy.", body=NewPolicy, answer=POLICY)
    def post(self, request: Request, deployment_id: str) -> Response:
        # read as a patch of nothing: so null means the default, and what is wrong is named the same way
        patch = self.body(PolicyPatch)
        if isinstance(patch.name, UnsetType) or isinstance(patch.action, UnsetType):
            missing = "name" if isinstance(patch.name, UnsetType) else "action"
            raise ValidationFailed({missing: "This field is required."})
        with refused():
            policy = options.merged({}, patch)
            row = policies.create(self.deployment, policy, caller(request), timezone.now())
        return Response(shown(row))


class PolicyView(DeploymentView):
    """One policy."""

    roles = {"GET": Role.CONSUMER, "PATCH": Role.OWNER, "DELETE": Role.OWNER}

    @describes("Retrieve a deployment retraining policy.", answer=POLICY, errors=(401, 404))
    def get(self, request: Request, deployment_id: str, policy_id: str) -> Response:
        return Response(shown(policy_of(self.deployment, policy_id)))

    @describes("Update a deployment retraining policy.", body=PolicyPatch, answer=POLICY)
    def patch(self, request: Request, deployment_id: str, policy_id: str) -> Response:
        row, patch = policy_of(self.deployment, policy_id), self.body(PolicyPatch)
        with refused():
            row = policies.change(row, patch, caller(request), timezone.now())
        return Response(shown(row))

    @describes("Delete a deployment retraining policy.", answer={})
    def delete(self, request: Request, deployment_id: str, policy_id: str) -> Response:
        policies.delete(policy_of(self.deployment, policy_id), caller(request))
        return Response({})


class RunsView(DeploymentView):
    """The runs of a policy."""

    roles = {"GET": Role.CONSUMER, "POST": Role.OWNER}

    @describes("List deployment retraining policy runs.", query=PageQuery, answer=page_of(RUN))
    def get(self, request: Request, deployment_id: str, policy_id: str) -> Response:
        query = self.read(PageQuery)
        rows = policy_of(self.deployment, policy_id).runs.select_related("package")
        return Response(page_of_queryset(request, rows, Window(query.offset, query.limit), runs_listed))

    @describes("Initiate a deployment retraining policy run.", answer=RUN, errors=(401, 403, 404, 409, 422))
    def post(self, request: Request, deployment_id: str, policy_id: str) -> Response:
        self.body(NoOptions)
        try:
            made = runs.start(policy_of(self.deployment, policy_id), Cause.MANUAL, timezone.now())
        except runs.Running as problem:
            raise Conflict(str(problem)) from None
        except runs.NotPossible as problem:
            raise ValidationFailed({problem.field: str(problem)}) from None
        assert made.job is not None
        where = request.build_absolute_uri(f"/api/v2/status/{made.job.public_id}/")
        return Response(run_shown(made), headers={"Location": where})


class RunView(DeploymentView):
    """One run."""

    roles = {"GET": Role.CONSUMER, "PATCH": Role.OWNER}

    @describes("Retrieve a deployment retraining policy run.", answer=RUN, errors=(401, 404))
    def get(self, request: Request, deployment_id: str, policy_id: str, run_id: str) -> Response:
        return Response(run_shown(self.one(policy_id, run_id)))

    @describes(
        "Cancel a deployment retraining policy run.", body=RunUpdate, answer=RUN, errors=(401, 403, 404, 409, 422)
    )
    def patch(self, request: Request, deployment_id: str, policy_id: str, run_id: str) -> Response:
        self.body(RunUpdate)
        if not policies.cancel(self.one(policy_id, run_id)):
            raise Conflict("The run is finished.")
        return Response(run_shown(self.one(policy_id, run_id)))

    def one(self, policy_id: str, run_id: str) -> RetrainingRun:
        rows = policy_of(self.deployment, policy_id).runs.select_related("package", "job")
        found = rows.filter(public_id=run_id).first()
        if found is None:
            raise Http404
        return found


class refused:
    """Turns what is wrong with a policy into a 422."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, at: object) -> None:
        if isinstance(error, BadPolicy):
            raise ValidationFailed(error.errors) from None


def stored(deployment: Deployment) -> RetrainingSettings:
    """The deployment's settings; empty while nobody set them."""
    found = RetrainingSettings.objects.filter(deployment=deployment).select_related("dataset", "user").first()
    return found or RetrainingSettings(deployment=deployment)


def dataset_of(user: User, public_id: str | None) -> Any:
    if public_id is None:
        return None
    found = datasets.visible(user).filter(public_id=public_id).first()
    if found is None:
        raise ValidationFailed({"datasetId": "There is no such dataset."})
    return found


def user_of(deployment: Deployment, public_id: str | None) -> User | None:
    """An owner of the deployment: a run does what only owners may."""
    if public_id is None:
        return None
    key = int(public_id, 16) if params.is_id(public_id) else 0
    found = User.objects.filter(pk=key, is_active=True).first() if key < 2**31 else None
    if found is None or role_of(found, deployment) is not Role.OWNER:
        raise ValidationFailed({"retrainingUserId": "There is no owner of this deployment with this id."})
    return found


def policy_of(deployment: Deployment, public_id: str) -> RetrainingPolicy:
    rows = RetrainingPolicy.objects.filter(deployment=deployment, public_id=public_id)
    found = rows.select_related("deployment__champion__package", "created_by").prefetch_related(latest()).first()
    if found is None:
        raise Http404
    return found


def latest() -> Prefetch[Any]:
    """The newest run of each policy."""
    newest = RetrainingRun.objects.order_by("policy_id", "-started_at", "-pk").distinct("policy_id")
    return Prefetch("runs", newest.select_related("package"), to_attr="latest_runs")


def settings_shown(row: RetrainingSettings) -> dict[str, Any]:
    return {
        "dataset": None if row.dataset is None else {"id": row.dataset.public_id, "name": row.dataset.name},
        "predictionEnvironment": None,
        "retrainingUser": None if row.user is None else {"id": user_id(row.user), "username": row.user.get_username()},
    }


def listed(rows: Sequence[RetrainingPolicy]) -> list[dict[str, Any]]:
    return [shown(row) for row in rows]


def shown(row: RetrainingPolicy) -> dict[str, Any]:
    """A policy as JSON."""
    newest: list[RetrainingRun] = getattr(row, "latest_runs", [])
    return {"id": row.public_id, "latestRun": run_shown(newest[0]) if newest else None, **row.options}


def runs_listed(rows: Sequence[RetrainingRun]) -> list[dict[str, Any]]:
    return [run_shown(row) for row in rows]


def run_shown(row: RetrainingRun) -> dict[str, Any]:
    """A run as JSON; `cause` and `report` are ours."""
    package = row.package
    return {
        "id": row.public_id,
        "status": row.status,
        "startTime": row.started_at,
        "finishTime": row.finished_at,
        "errorMessage": row.error_message or None,
        "modelPackageId": None if package is None else package.public_id,
        "registeredModelId": None if package is None else package.registered_model_id,
        "challengerId": row.challenger_public_id or None,
        "projectId": None,
        "cause": row.cause,
        "report": row.report,
    }
