"""`onDemandReports/`, and what it draws on ✚: `scheduledReports/`, reports with their schedule and recipients."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.http import Http404
from django.utils import timezone
from msgspec import UNSET, Meta, Struct, UnsetType
from rest_framework.request import Request
from rest_framework.response import Response

from deployments import schedules
from deployments.api import params
from deployments.api.deployments import caller
from deployments.api.errors import ValidationFailed
from deployments.api.examples import page_of
from deployments.api.openapi import describes
from deployments.api.pagination import Window, page_of_queryset
from deployments.api.permissions import allows, role_of, visible
from deployments.api.views import ApiView, DeploymentView
from deployments.audit import record
from deployments.models import Deployment, ReportRun, Role, ScheduledReport
from deployments.reporting import work
from deployments.schedules import Schedule

ID, TIME = "69235c1e8d2f4a7b9c0d1e2f", "2026-01-02T03:04:05Z"
MOST_DEPLOYMENTS, MOST_RECIPIENTS = 50, 50
REPORT = {
    "id": ID,
    "name": "Weekly health",
    "deploymentIds": [ID],
    "recipients": ["ada@example.org"],
    "schedule": {"minute": [0], "hour": [7], "dayOfMonth": ["*"], "month": ["*"], "dayOfWeek": ["mon"]},
    "days": 7,
    "enabled": True,
    "nextAt": TIME,
    "createdAt": TIME,
}
RUN = {
    "id": ID,
    "dueAt": TIME,
    "status": "COMPLETED",
    "message": "",
    "datasetId": ID,
    "mails": [{"recipient": "ada@example.org", "state": "sent", "attempts": 1, "problem": "", "sentAt": TIME}],
}
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Ids = Annotated[list[str], Meta(min_length=1, max_length=MOST_DEPLOYMENTS)]
Recipients = Annotated[list[Annotated[str, Meta(max_length=254)]], Meta(max_length=MOST_RECIPIENTS)]
Days = Annotated[int, Meta(ge=1, le=90)]


class ReportBody(Struct, rename="camel"):
    """A report; without a schedule it is made on demand only."""

    name: Name
    deployment_ids: Ids
    recipients: Recipients = []
    schedule: Schedule | None = None
    days: Days = 7
    enabled: bool = True


class ReportPatch(Struct, rename="camel"):
    """What can be changed; a schedule of null leaves the report to be made on demand only."""

    name: Name | UnsetType = UNSET
    deployment_ids: Ids | UnsetType = UNSET
    recipients: Recipients | UnsetType = UNSET
    schedule: Schedule | UnsetType | None = UNSET
    days: Days | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET


class DemandBody(Struct):
    """The report to make now."""

    id: str


@dataclass(frozen=True, kw_only=True)
class PageQuery(params.Query):
    """A part of a list."""

    offset: int = params.whole("offset", default=0, help="Items to skip.")
    limit: int = params.whole("limit", default=100, minimum=1, maximum=1000, help="Items to return.")


class OnDemandReportsView(DeploymentView):
    """Make a report now."""

    roles = {"POST": Role.USER}

    @describes("Make a scheduled report now.", body=DemandBody, answer={})
    def post(self, request: Request, deployment_id: str) -> Response:
        public_id, user = self.body(DemandBody).id, caller(request)
        report = mine(user).filter(public_id=public_id, deployments=self.deployment).first()
        if report is None:
            raise ValidationFailed({"id": "There is no such report on this deployment."})
        job = work.start(report, timezone.now(), user)
        record(self.deployment, user, "report.demanded", {}, {"id": public_id})
        answer = self.accepted(job)
        answer.status_code = 200  # as the reference has it
        return answer


class ScheduledReportsView(ApiView):
    """Reports on deployments of which the caller may see every one."""

    @describes("List scheduled reports.", query=PageQuery, answer=page_of(REPORT), extension=True, errors=(401, 422))
    def get(self, request: Request) -> Response:
        query = self.read(PageQuery)
        rows = mine(caller(request)).prefetch_related("deployments").order_by("-pk")
        return Response(page_of_queryset(request, rows, Window(query.offset, query.limit), shown_all))

    @describes(
        "Make a scheduled report.", body=ReportBody, answer=REPORT, status=201, extension=True, errors=(401, 422)
    )
    def post(self, request: Request) -> Response:
        body, user = self.body(ReportBody), caller(request)
        chosen = deployments_of(user, body.deployment_ids)
        row = ScheduledReport(
            name=body.name,
            recipients=recipients_of(body.recipients),
            schedule=schedule_of(body.schedule),
            days=body.days,
            enabled=body.enabled,
            created_by=user,
        )
        row.next_at = work.next_of(row, timezone.now())
        with transaction.atomic():
            row.save()
            row.deployments.set(chosen)
            for one in chosen:
                record(one, user, "report.created", {}, {"id": row.public_id, "recipients": row.recipients})
        return Response(shown(row), status=201)


class ScheduledReportView(ApiView):
    """One report."""

    @describes("Retrieve a scheduled report.", answer=REPORT, extension=True, errors=(401, 404))
    def get(self, request: Request, report_id: str) -> Response:
        return Response(shown(one_of(request, report_id)))

    @describes("Change a scheduled report.", body=ReportPatch, answer=REPORT, extension=True, errors=(401, 404, 422))
    def patch(self, request: Request, report_id: str) -> Response:
        row, user = one_of(request, report_id), caller(request)
        body = self.body(ReportPatch)
        chosen = None if body.deployment_ids is UNSET else deployments_of(user, body.deployment_ids)
        before = {"name": row.name, "recipients": row.recipients, "schedule": row.schedule, "enabled": row.enabled}
        if body.name is not UNSET:
            row.name = body.name
        if body.recipients is not UNSET:
            row.recipients = recipients_of(body.recipients)
        if body.schedule is not UNSET:
            row.schedule = schedule_of(body.schedule)
        if body.days is not UNSET:
            row.days = body.days
        if body.enabled is not UNSET:
            row.enabled = body.enabled
        row.next_at = work.next_of(row, timezone.now())
        after = {"name": row.name, "recipients": row.recipients, "schedule": row.schedule, "enabled": row.enabled}
        with transaction.atomic():
            row.save()
            if chosen is not None:
                row.deployments.set(chosen)
            for one in row.deployments.all():
                record(one, user, "report.updated", before, after)
        return Response(shown(one_of(request, report_id)))

    @describes("Delete a scheduled report; its pages stay.", status=204, extension=True, errors=(401, 404))
    def delete(self, request: Request, report_id: str) -> Response:
        row = one_of(request, report_id)
        with transaction.atomic():
            for one in row.deployments.all():
                record(one, caller(request), "report.deleted", {"id": row.public_id, "name": row.name}, {})
            row.delete()
        return Response(status=204)


class ReportRunsView(ApiView):
    """When a report was made, and what became of its mails."""

    @describes("List the runs of a report.", query=PageQuery, answer=page_of(RUN), extension=True, errors=(401, 404))
    def get(self, request: Request, report_id: str) -> Response:
        query, report = self.read(PageQuery), one_of(request, report_id)
        rows = ReportRun.objects.filter(report=report).select_related("job", "dataset").prefetch_related("mails")
        window = Window(query.offset, query.limit)
        return Response(page_of_queryset(request, rows.order_by("-due_at", "-pk"), window, runs_shown))


def mine(user: User) -> Any:
    """The reports of which a person may see every deployment that is left."""
    hidden = Deployment.objects.filter(deleted_at=None).exclude(pk__in=visible(user).values("pk"))
    rows = ScheduledReport.objects.exclude(deployments__in=hidden)
    return rows if user.is_superuser else rows.filter(deployments__in=visible(user)).distinct()


def one_of(request: Request, public_id: str) -> ScheduledReport:
    """The report if the caller may see it, else 404."""
    found: ScheduledReport | None = (
        mine(caller(request)).filter(public_id=public_id).prefetch_related("deployments").first()
    )
    if found is None:
        raise Http404
    return found


def deployments_of(user: User, ids: Iterable[str]) -> list[Deployment]:
    """The deployments that were named; 422 for one that the caller may not report on."""
    found: list[Deployment] = []
    for place, public_id in enumerate(dict.fromkeys(ids)):
        row = visible(user).filter(public_id=public_id).first()
        role = None if row is None else role_of(user, row)
        if row is None or role is None or not allows(role, Role.USER):
            raise ValidationFailed({f"deploymentIds[{place}]": "There is no such deployment that you may report on."})
        found.append(row)
    return found


def recipients_of(given: Sequence[str]) -> list[str]:
    """The addresses, each once; 422 for one that is none."""
    for place, one in enumerate(given):
        try:
            validate_email(one)
        except ValidationError:
            raise ValidationFailed({f"recipients[{place}]": "Not an e-mail address."}) from None
    return list(dict.fromkeys(given))


def schedule_of(given: Schedule | None) -> dict[str, Any]:
    """A schedule as it is kept; 422 for one that is none, or that asks for more than one report an hour."""
    if given is None:
        return {}
    wrong = schedules.problems(given, hourly=True)
    if wrong:
        raise ValidationFailed(wrong)
    return schedules.as_json(given)


def shown_all(rows: Sequence[ScheduledReport]) -> list[dict[str, Any]]:
    return [shown(row) for row in rows]


def shown(row: ScheduledReport) -> dict[str, Any]:
    """A report as JSON."""
    return {
        "id": row.public_id,
        "name": row.name,
        "deploymentIds": [one.public_id for one in row.deployments.all() if one.deleted_at is None],
        "recipients": row.recipients,
        "schedule": row.schedule or None,
        "days": row.days,
        "enabled": row.enabled,
        "nextAt": row.next_at,
        "createdAt": row.created_at,
    }


def runs_shown(rows: Sequence[ReportRun]) -> list[dict[str, Any]]:
    return [
        {
            "id": row.public_id,
            "dueAt": row.due_at,
            "status": "COMPLETED" if row.job is None else row.job.state,
            "message": "" if row.job is None else row.job.message,
            "datasetId": None if row.dataset is None else row.dataset.public_id,
            "mails": [
                {
                    "recipient": mail.recipient,
                    "state": mail.state,
                    "attempts": mail.attempts,
                    "problem": mail.problem,
                    "sentAt": mail.sent_at,
                }
                for mail in row.mails.all()
            ],
        }
        for row in rows
    ]
