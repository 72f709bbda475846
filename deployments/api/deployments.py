"""`deployments/`: list, retrieve, update, delete, and change of status."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from msgspec import UNSET, Meta, Struct, UnsetType
from rest_framework.request import Request
from rest_framework.response import Response

from deployments import jobs, listing
from deployments.api import params, shown
from deployments.api.errors import Conflict, ValidationFailed
from deployments.api.examples import DEPLOYMENT, page_of
from deployments.api.openapi import describes
from deployments.api.pagination import Window, page_of_queryset
from deployments.api.permissions import visible
from deployments.api.views import ApiView, DeploymentView
from deployments.audit import record
from deployments.models import HEALTH_AREAS, Deployment, DeploymentStatus, Importance, Role
from metrics.health import Status

STATUSES = tuple(Status)
ROLES = (Role.OWNER.value, Role.USER.value)


@dataclass(frozen=True, kw_only=True)
class ListQuery(params.Query):
    """Everything by which deployments can be listed."""

    offset: int = params.whole("offset", default=0, help="Deployments to skip.")
    limit: int = params.whole("limit", default=20, minimum=1, maximum=100, help="Deployments to return.")
    order_by: str = params.choice("orderBy", listing.ORDERS, default=listing.DEFAULT_ORDER, help="Order of the list.")
    search: str | None = params.text("search", help="Part of the label or the description, in any case.")
    service_health: tuple[str, ...] = params.many("serviceHealth", STATUSES)
    model_health: tuple[str, ...] = params.many("modelHealth", STATUSES)
    accuracy_health: tuple[str, ...] = params.many("accuracyHealth", STATUSES)
    fairness_health: tuple[str, ...] = params.many("fairnessHealth", STATUSES, extension=True)
    custom_metrics_health: tuple[str, ...] = params.many("customMetricsHealth", STATUSES, extension=True)
    predictions_timeliness_health: tuple[str, ...] = params.many(
        "predictionsTimelinessHealth", STATUSES, extension=True
    )
    actuals_timeliness_health: tuple[str, ...] = params.many("actualsTimelinessHealth", STATUSES, extension=True)
    role: str | None = params.choice("role", ROLES, help="Only those in which the caller has this very role.")
    status: tuple[str, ...] = params.many("status", tuple(DeploymentStatus.values))
    importance: tuple[str, ...] = params.many("importance", tuple(Importance.values))
    last_start: datetime | None = params.moment("lastPredictionTimestampStart", help="Last prediction then or later.")
    last_end: datetime | None = params.moment("lastPredictionTimestampEnd", help="Last prediction before then.")
    more_than: int | None = params.whole("predictionUsageDailyAvgGreaterThan", help="More a day, over the past week.")
    less_than: int | None = params.whole("predictionUsageDailyAvgLessThan", help="Fewer a day, over the past week.")
    servers: tuple[str, ...] = params.many("defaultPredictionServerId")
    build: tuple[str, ...] = params.many(
        "buildEnvironmentType", ("DataRobot", "Python", "R", "Java", "Julia", "Legacy", "Other")
    )
    execution: tuple[str, ...] = params.many("executionEnvironmentType", ("datarobot", "external"))
    platform: tuple[str, ...] = params.many(
        "predictionEnvironmentPlatform",
        (
            *("aws", "gcp", "azure", "onPremise", "datarobot", "datarobotServerless", "openShift", "other"),
            *("snowflake", "sapAiCore"),
        ),
    )
    created_by_me: bool | None = params.flag("createdByMe", default=None)
    created_by: str | None = params.text("createdBy", help="Id or e-mail address of a person.")
    execution_type: str | None = params.choice(
        "championModelExecutionType", ("custom_inference_model", "external", "dedicated")
    )
    target_type: str | None = params.text("championModelTargetType", help="For example Binary.")
    tag_keys: tuple[str, ...] = params.many("tagKeys")
    tag_values: tuple[str, ...] = params.many("tagValues")

    def filters(self) -> listing.Filters:
        return listing.Filters(
            search=self.search,
            health={area: getattr(self, f"{area}_health") for area in HEALTH_AREAS},
            role=self.role,
            status=self.status,
            importance=self.importance,
            last_prediction_start=self.last_start,
            last_prediction_end=self.last_end,
            daily_more_than=self.more_than,
            daily_less_than=self.less_than,
            prediction_servers=self.servers,
            build_environments=self.build,
            execution_environments=self.execution,
            platforms=self.platform,
            created_by_me=self.created_by_me,
            created_by=self.created_by,
            execution_type=self.execution_type,
            target_type=self.target_type,
            tag_keys=self.tag_keys,
            tag_values=self.tag_values,
        )


class DeploymentUpdate(Struct, rename="camel"):
    """What can be changed by PATCH."""

    label: Annotated[str, Meta(min_length=1, max_length=512)] | UnsetType = UNSET
    description: Annotated[str, Meta(max_length=10000)] | UnsetType | None = UNSET
    importance: Literal["CRITICAL", "HIGH", "MODERATE", "LOW"] | UnsetType = UNSET


class StatusUpdate(Struct, rename="camel"):
    """The status to go to."""

    status: str


@dataclass(frozen=True, kw_only=True)
class DeleteQuery(params.Query):
    """There is no management agent here, so there is never one to wait for."""

    ignore_agent: bool = params.flag("ignoreManagementAgent")


class DeploymentListView(ApiView):
    """The deployments that the caller may see."""

    @describes("List deployments a user can view.", query=ListQuery, answer=page_of(DEPLOYMENT), errors=(401, 422))
    def get(self, request: Request) -> Response:
        query = self.read(ListQuery)
        user = caller(request)
        rows = listing.matching(visible(user), query.filters(), user)
        rows = listing.with_relations(listing.ordered(rows, query.order_by))
        window = Window(query.offset, query.limit)
        return Response(page_of_queryset(request, rows, window, lambda page: shown.deployments(page, user, query.now)))


class DeploymentDetailView(DeploymentView):
    """One deployment."""

    roles = {"GET": Role.CONSUMER, "PATCH": Role.OWNER, "DELETE": Role.OWNER}

    @describes("Retrieve a deployment.", answer=DEPLOYMENT, errors=(401, 404))
    def get(self, request: Request, deployment_id: str) -> Response:
        owners = listing.owners_of([self.deployment])[self.deployment.pk]
        return Response(shown.deployment(self.deployment, owners, self.role, timezone.now()))

    @describes("Update a deployment's label, description and importance.", body=DeploymentUpdate, status=204)
    def patch(self, request: Request, deployment_id: str) -> Response:
        change = self.body(DeploymentUpdate)
        wanted: dict[str, Any] = {
            "label": change.label,
            "description": change.description if change.description is not None else "",
            "importance": change.importance,
        }
        fields = {name: value for name, value in wanted.items() if value is not UNSET}
        with transaction.atomic():
            before = {name: getattr(self.deployment, name) for name in fields}
            Deployment.objects.filter(pk=self.deployment.pk).update(**fields)
            record(self.deployment, caller(request), "deployment.updated", before, fields)
        return Response(status=204)

    @describes("Delete a deployment.", query=DeleteQuery, status=204)
    def delete(self, request: Request, deployment_id: str) -> Response:
        self.read(DeleteQuery)
        with transaction.atomic():
            Deployment.objects.filter(pk=self.deployment.pk, deleted_at=None).update(deleted_at=timezone.now())
            record(self.deployment, caller(request), "deployment.deleted", {}, {})
        return Response(status=204)


class StatusChangeView(DeploymentView):
    """Activate or deactivate a deployment."""

    roles = {"PATCH": Role.OWNER}
    SETTABLE = (DeploymentStatus.ACTIVE, DeploymentStatus.INACTIVE)
    PASSING = (DeploymentStatus.LAUNCHING, DeploymentStatus.REPLACING_MODEL, DeploymentStatus.STOPPING)

    @describes("Change deployment status.", body=StatusUpdate, status=202, errors=(401, 403, 404, 409, 422))
    def patch(self, request: Request, deployment_id: str) -> Response:
        wanted = self.body(StatusUpdate).status
        if wanted not in self.SETTABLE:
            raise ValidationFailed({"status": f"Must be one of: {', '.join(self.SETTABLE)}."})
        with transaction.atomic():
            row = Deployment.objects.select_for_update(of=("self",)).get(pk=self.deployment.pk)
            if row.status == wanted:
                raise Conflict(f"The deployment is {wanted} already.")
            if row.status in self.PASSING:
                raise Conflict(f"The deployment is {row.status}; its status can be changed when that is over.")
            if row.status not in (*self.SETTABLE, DeploymentStatus.ERRORED):
                raise ValidationFailed({"status": f"A deployment that is {row.status} cannot become {wanted}."})
            record(row, caller(request), "deployment.status", {"status": row.status}, {"status": wanted})
            row.status = wanted
            row.save(update_fields=["status"])
            job = jobs.done("status", row, caller(request), f"/api/v2/deployments/{row.public_id}/")
        return self.accepted(job)


def caller(request: Request) -> User:
    """The person behind the token; the permissions have made sure that there is one."""
    assert isinstance(request.user, User)
    return request.user
