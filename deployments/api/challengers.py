"""`challengers/`, `challengerPredictions/` and `challengerReplaySettings/`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from django.db import transaction
from django.http import Http404
from django.utils import timezone
from msgspec import UNSET, Meta, Struct, UnsetType
from rest_framework.request import Request
from rest_framework.response import Response

from deployments import challengers, jobs, replay, replay_schedule, schedules
from deployments.api.deployments import caller
from deployments.api.errors import Busy, ValidationFailed
from deployments.api.openapi import describes
from deployments.api.packages import EXECUTION_TYPE, usable
from deployments.api.settings import locked
from deployments.api.views import DeploymentView
from deployments.challengers import Unfit
from deployments.ingest.prepared import AHEAD
from deployments.models import Challenger, ReplaySettings, Role
from deployments.schedules import Schedule

Name = Annotated[str, Meta(min_length=1, max_length=200)]
Id = Annotated[str, Meta(min_length=1, max_length=128)]
CHALLENGER = {
    "id": "69235c1e8d2f4a7b9c0d1e30",
    "name": "Trained in February",
    "model": {
        "id": "69235c1e1b2c3d4e5f607182",
        "name": "Late flights, trained in February",
        "description": "",
        "datasetName": "training.parquet",
        "executionType": "external",
        "isDeprecated": False,
        "projectId": None,
        "projectName": None,
    },
    "modelPackage": {
        "id": "69235c1e8d2f4a7b9c0d1e2f",
        "name": "Late flights, trained in February",
        "registeredModelId": "69235c1e1b2c3d4e5f607182",
    },
    "predictionEnvironment": None,
}
ANY = ["*"]
REPLAY_SETTINGS = {
    "enabled": True,
    "schedule": {"minute": [0], "hour": [3], "dayOfMonth": ANY, "month": ANY, "dayOfWeek": ANY},
}
NO_ENVIRONMENTS = "There are no prediction environments here; leave it out."


class ChallengerSpec(Struct, rename="camel"):
    """A challenger to make."""

    model_package_id: Id
    name: Name
    prediction_environment_id: str | None = None


class ChallengerUpdate(Struct, rename="camel"):
    """What can be changed of a challenger."""

    name: Name | UnsetType = UNSET
    prediction_environment_id: str | None = None


class ReplayRequest(Struct, rename="camel"):
    """Which requests to replay: those made at `timestamp` or later, by default all that are stored."""

    timestamp: datetime | None = None


class ReplaySettingsPatch(Struct, rename="camel"):
    """What is to change; what is left out stays."""

    enabled: bool | UnsetType = UNSET
    schedule: Schedule | UnsetType | None = UNSET


class ChallengersView(DeploymentView):
    """The challengers of a deployment."""

    roles = {"GET": Role.CONSUMER, "POST": Role.OWNER}

    @describes("List challenger models.", answer={"data": [CHALLENGER]}, errors=(401, 404))
    def get(self, request: Request, deployment_id: str) -> Response:
        rows = Challenger.objects.filter(deployment=self.deployment)
        return Response({"data": [shown(row) for row in rows.select_related("model__package__training_dataset")]})

    @describes("Create a challenger model.", body=ChallengerSpec, status=202)
    def post(self, request: Request, deployment_id: str) -> Response:
        body = self.body(ChallengerSpec)
        refuse_environment(body.prediction_environment_id)
        package = usable(caller(request), self.deployment).filter(public_id=body.model_package_id).first()
        if package is None:
            raise ValidationFailed({"modelPackageId": "There is no such model package."})
        with transaction.atomic():
            row = locked(self.deployment)
            try:
                challengers.check(row, package, body.name)
            except Unfit as problem:
                raise ValidationFailed({problem.field: str(problem)}) from None
            job = jobs.start(challengers.CREATE, row, caller(request), {"package": package.pk, "name": body.name})
        return self.accepted(job)


class ChallengerView(DeploymentView):
    """One challenger."""

    roles = {"GET": Role.CONSUMER, "PATCH": Role.OWNER, "DELETE": Role.OWNER}

    @describes("Retrieve a challenger model.", answer=CHALLENGER, errors=(401, 404))
    def get(self, request: Request, deployment_id: str, challenger_id: str) -> Response:
        return Response(shown(self.one(challenger_id)))

    @describes("Update a challenger model.", body=ChallengerUpdate, answer=CHALLENGER)
    def patch(self, request: Request, deployment_id: str, challenger_id: str) -> Response:
        body, row = self.body(ChallengerUpdate), self.one(challenger_id)
        refuse_environment(body.prediction_environment_id)
        if not isinstance(body.name, UnsetType):
            try:
                challengers.rename(row, body.name, caller(request))
            except Unfit as problem:
                raise ValidationFailed({problem.field: str(problem)}) from None
        return Response(shown(row))

    @describes("Delete a challenger model and what it was replayed with.", status=204)
    def delete(self, request: Request, deployment_id: str, challenger_id: str) -> Response:
        challengers.remove(self.one(challenger_id), caller(request))
        return Response(status=204)

    def one(self, challenger_id: str) -> Challenger:
        rows = Challenger.objects.filter(deployment=self.deployment, public_id=challenger_id)
        found = rows.select_related("deployment", "model__package__training_dataset").first()
        if found is None:
            raise Http404
        return found


class ChallengerPredictionsView(DeploymentView):
    """Scoring the stored requests with the challengers; one such job at a time."""

    roles = {"POST": Role.OWNER}

    @describes(
        "Score the stored prediction requests with the challenger models.",
        body=ReplayRequest,
        status=202,
        errors=(401, 403, 404, 422, 429),
    )
    def post(self, request: Request, deployment_id: str) -> Response:
        since = self.body(ReplayRequest).timestamp
        if since is not None:
            since = since.replace(tzinfo=UTC) if since.tzinfo is None else since.astimezone(UTC)
            if since > timezone.now() + AHEAD:
                raise ValidationFailed({"timestamp": "This time lies in the future."})
        try:
            job = replay.start(self.deployment, caller(request), since)
        except replay.Running as running:
            where = request.build_absolute_uri(f"/api/v2/status/{running.job.public_id}/")
            raise Busy(str(running), where) from None
        except replay.NotPossible as problem:
            raise ValidationFailed({"challengers": str(problem)}) from None
        return self.accepted(job)


class ReplaySettingsView(DeploymentView):
    """Whether and when challengers are replayed by themselves."""

    roles = {"GET": Role.CONSUMER, "PATCH": Role.OWNER}

    @describes("Retrieve challenger replay settings.", answer=REPLAY_SETTINGS, errors=(401, 404))
    def get(self, request: Request, deployment_id: str) -> Response:
        return Response(settings_shown(replay_schedule.stored(self.deployment)))

    @describes("Update challenger replay settings.", body=ReplaySettingsPatch, answer={})
    def patch(self, request: Request, deployment_id: str) -> Response:
        body = self.body(ReplaySettingsPatch)
        schedule = body.schedule if isinstance(body.schedule, Schedule) else None
        if schedule is not None and (found := schedules.problems(schedule)):
            raise ValidationFailed(found)
        enabled = None if isinstance(body.enabled, UnsetType) else body.enabled
        known = replay_schedule.stored(self.deployment)
        if enabled and schedule is None and known.schedule is None:
            raise ValidationFailed({"schedule": "Needed to switch the replay on."})
        replay_schedule.change(self.deployment, enabled, schedule, caller(request), timezone.now())
        return Response({})


def settings_shown(row: ReplaySettings) -> dict[str, Any]:
    return {"enabled": row.enabled, "schedule": row.schedule}


def refuse_environment(given: str | None) -> None:
    """422 for a prediction environment: there are none here, so none can be honoured."""
    if given is not None:
        raise ValidationFailed({"predictionEnvironmentId": NO_ENVIRONMENTS})


def shown(row: Challenger) -> dict[str, Any]:
    """A challenger as JSON."""
    package = row.model.package
    return {
        "id": row.public_id,
        "name": row.name,
        "model": {
            "id": package.model_id,
            "name": package.name,
            "description": package.description,
            "datasetName": None if package.training_dataset is None else package.training_dataset.name,
            "executionType": EXECUTION_TYPE,
            "isDeprecated": False,
            "projectId": None,
            "projectName": None,
        },
        "modelPackage": {
            "id": package.public_id,
            "name": package.name,
            "registeredModelId": package.registered_model_id,
        },
        "predictionEnvironment": None,
    }
