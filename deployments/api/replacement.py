"""`model/`, `model/validation/`, `championModelPackage/`, and the history of champions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from django.db import transaction
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from deployments import replacement, runtime
from deployments.api import params, shown
from deployments.api.deployments import caller
from deployments.api.errors import Conflict, ValidationFailed
from deployments.api.examples import page_of
from deployments.api.openapi import describes
from deployments.api.packages import CHAMPION, champion_package, usable
from deployments.api.pagination import Window, page_of_queryset
from deployments.api.runtime import PLACE as RUNTIME
from deployments.api.runtime import settings_of
from deployments.api.settings import locked
from deployments.api.views import DeploymentView
from deployments.models import Deployment, DeploymentStatus, ModelPackage, Reign, Role
from deployments.replacement import CHECKS, Check, Outcome, Reason, overall, validate

Id = Annotated[str, Meta(min_length=1, max_length=128)]
VALIDATION = {
    "status": "passing",
    "message": "The model can replace the current one.",
    "checks": {name: {"status": "passing", "message": "Both models have the same target."} for name in CHECKS},
}
REIGN = {
    "modelId": "69235c1e1b2c3d4e5f607182",
    "modelPackageId": "69235c1e8d2f4a7b9c0d1e2f",
    "name": "Late flights, trained in January",
    "startDate": "2026-01-02T03:04:05Z",
    "endDate": None,
    "reason": "ACCURACY",
    "replacedBy": {"id": "000000000000000000000001", "name": "Ada"},
}


class ValidationRequest(Struct, rename="camel"):
    """Which model is to be checked; either id will do."""

    model_id: Id | None = None
    model_package_id: Id | None = None


class Replacement(ValidationRequest, rename="camel", kw_only=True):
    """Which model takes over, and why."""

    reason: Reason
    runtime_parameter_values: str | None = None


@dataclass(frozen=True, kw_only=True)
class ReignsQuery(params.Query):
    """Which part of the history."""

    offset: int = params.whole("offset", default=0, help="Entries to skip.")
    limit: int = params.whole("limit", default=100, minimum=1, maximum=1000, help="Entries to return.")


class ModelValidationView(DeploymentView):
    """Whether a model may take the champion's place."""

    roles = {"POST": Role.OWNER}

    @describes("Validate that a model can replace the current one.", body=ValidationRequest, answer=VALIDATION)
    def post(self, request: Request, deployment_id: str) -> Response:
        package = package_of(request, self.body(ValidationRequest), self.deployment)
        return Response(validated(validate(self.deployment, package, caller(request))))


class ModelView(DeploymentView):
    """Replacing the champion: checked at once, done by a job, and the deployment says meanwhile that it happens."""

    roles = {"PATCH": Role.OWNER}

    @describes(
        "Replace the model of a deployment.",
        body=Replacement,
        answer=VALIDATION,
        status=202,
        errors=(401, 403, 404, 409, 422),
    )
    def patch(self, request: Request, deployment_id: str) -> Response:
        body = self.body(Replacement)
        package = package_of(request, body, self.deployment)
        values = runtime_values(body.runtime_parameter_values, package)
        with transaction.atomic():
            row = locked(self.deployment)
            if row.status == DeploymentStatus.REPLACING_MODEL:
                raise Conflict("The model of this deployment is being replaced already.")
            checks = validate(row, package, caller(request))
            refuse(checks)
            job = replacement.start(row, package, body.reason, caller(request), values)
        return self.accepted(job, validated(checks))


class ChampionPackageView(DeploymentView):
    """What is known of the champion's package."""

    roles = {"GET": Role.CONSUMER}

    @describes("Retrieve information about the champion model package.", answer=CHAMPION, errors=(401, 404))
    def get(self, request: Request, deployment_id: str) -> Response:
        return Response(champion_package(self.deployment))


class ModelHistoryView(DeploymentView):
    """The champions, newest first."""

    roles = {"GET": Role.CONSUMER}

    @describes("List the champions of a deployment.", query=ReignsQuery, answer=page_of(REIGN), extension=True)
    def get(self, request: Request, deployment_id: str) -> Response:
        query = self.read(ReignsQuery)
        rows = Reign.objects.filter(deployment=self.deployment).select_related("model__package", "user")
        return Response(page_of_queryset(request, rows, Window(query.offset, query.limit), reigns))


def reigns(rows: Sequence[Reign]) -> list[dict[str, Any]]:
    return [
        {
            "modelId": row.model.package.model_id,
            "modelPackageId": row.model.package.public_id,
            "name": row.model.package.name,
            "startDate": row.started_at,
            "endDate": row.ended_at,
            "reason": row.reason or None,
            "replacedBy": None if row.user is None else shown.person(row.user),
        }
        for row in rows
    ]


def package_of(request: Request, body: ValidationRequest, deployment: Deployment) -> ModelPackage:
    """The package that is meant; 422 where there is none, or where the two ids mean different ones."""
    if body.model_id is None and body.model_package_id is None:
        raise ValidationFailed({"modelPackageId": "Name the model by modelPackageId or by modelId."})
    known = usable(caller(request), deployment)
    found: dict[str, ModelPackage] = {}
    for field, name, value in (
        ("modelPackageId", "public_id", body.model_package_id),
        ("modelId", "model_id", body.model_id),
    ):
        if value is not None:
            package = known.filter(**{name: value}).first()
            if package is None:
                raise ValidationFailed({field: "There is no such model package."})
            found[field] = package
    if len({package.pk for package in found.values()}) > 1:
        raise ValidationFailed({"modelId": "This is not the model of the package that modelPackageId names."})
    return next(iter(found.values()))


def runtime_values(given: str | None, package: ModelPackage) -> list[dict[str, Any]] | None:
    """The values to set with the new model, None to leave them; 422 for what does not fit its parameters."""
    if given is None:
        return None
    wanted = settings_of(given)
    try:
        known = runtime.check(package, wanted, RUNTIME)
    except runtime.BadValues as bad:
        raise ValidationFailed(bad.errors) from None
    for number, one in enumerate(wanted):
        if known[one.field_name].type == runtime.CREDENTIAL and one.value is not None:
            text = "Set credentials by runtimeParameters/ once the model is replaced."
            raise ValidationFailed({f"{RUNTIME}[{number}].value": text})
    found: list[dict[str, Any]] = msgspec.to_builtins(wanted)
    return found


def refuse(checks: Mapping[str, Check]) -> None:
    """422 that names each failing check."""
    failing = {f"checks.{name}": check.message for name, check in checks.items() if check.status is Outcome.FAILING}
    if failing:
        raise ValidationFailed(failing, overall(checks).message)


def validated(checks: Mapping[str, Check]) -> dict[str, Any]:
    """The checks as the reference shows them."""
    total = overall(checks)
    return {
        "status": total.status.value,
        "message": total.message,
        "checks": {name: {"status": check.status.value, "message": check.message} for name, check in checks.items()},
    }
