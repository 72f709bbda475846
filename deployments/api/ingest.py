"""The doors through which data comes in: predictions, service events and actuals, as JSON and as files.

Everything is checked before anything is stored, and 202 is answered only after it is committed. The same request id
(`requestId`, or the header Idempotency-Key) answers the same again and counts once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from deployments import wake
from deployments.api import params
from deployments.api.datasets import FILES, uploaded
from deployments.api.errors import Conflict, TooLarge, ValidationFailed
from deployments.api.openapi import describes
from deployments.api.throttling import count_actuals
from deployments.api.views import DeploymentView
from deployments.ingest import actuals, bodies, files, predictions, processing, service, store
from deployments.ingest.errors import Clash, Refused, TooMuch
from deployments.ingest.prepared import Intake
from deployments.ingest.tables import format_of, read_table
from deployments.models import BlockKind, IngestRequest, Role

B = TypeVar("B", bodies.PredictionsBody, bodies.ServiceBody, bodies.ActualsBody)
ERRORS = (401, 403, 404, 409, 413, 422, 429)
TAKEN = {"requestId": "flights-2026-01-05T09", "rows": 500, "ignoredColumns": ["tailnum"]}
LONGEST_KEY = 128


@dataclass(frozen=True, kw_only=True)
class FileQuery(params.Query):
    """Where the rows of a file go."""

    request_id: str | None = params.text("requestId", max_length=LONGEST_KEY, help="Sending it again counts once.")
    batch_id: str | None = params.text("batchId", max_length=24, help="The batch of rows without a `batch_id` column.")
    model_id: str | None = params.text("modelId", max_length=24, help="The model of rows without a `model_id` column.")


@dataclass(frozen=True, kw_only=True)
class ActualsFileQuery(params.Query):
    """What becomes of the actuals of a file."""

    request_id: str | None = params.text("requestId", max_length=LONGEST_KEY, help="Sending it again counts once.")
    keep: bool = params.flag(
        "keepActualsWithoutPredictions", default=True, help="Whether actuals wait for predictions still to come."
    )


class IngestView(DeploymentView):
    """What all doors have in common."""

    roles = {"POST": Role.USER}
    kind: BlockKind

    def take_json(self, kind: type[B], take: Callable[[B], Intake]) -> Response:
        """Take in a JSON body."""
        raw = self.request.body
        body = self.body(kind)
        return self.take(body.request_id, store.digest(raw), lambda: take(body))

    def take_file(self, query_id: str | None, take: Callable[[Any], Intake], *told: str) -> Response:
        """Take in a file; `told` are the parts of the query that change what it means."""
        content, name, media_type = uploaded(self.request, None)
        kind = format_of(media_type, name)
        if kind is None:
            raise ValidationFailed({"Content-Type": f"Must be one of: {', '.join(FILES)}."})
        fingerprint = store.digest(content, *(text.encode() for text in told))
        return self.take(query_id, fingerprint, lambda: take(read_table(content, kind)))

    def take(self, request_id: str | None, digest: str, rows: Callable[[], Intake]) -> Response:
        """Store the rows of a request that is new; 202 in any case."""
        key = request_id or self.request.headers.get("Idempotency-Key") or None
        if key is not None and len(key) > LONGEST_KEY:
            raise ValidationFailed({"requestId": f"At most {LONGEST_KEY} characters."})
        request = store.Request(self.kind, digest, key, timezone.now())
        try:
            outcome = store.answered(self.deployment, request)
            if outcome is None:
                intake = rows()
                self.check(intake)
                outcome = store.accept(
                    self.deployment, request, intake, lambda row: self.answer(row, intake), self.wake
                )
        except Refused as problem:
            raise ValidationFailed(problem.errors) from None
        except TooMuch as problem:
            raise TooLarge(str(problem)) from None
        except Clash as problem:
            raise Conflict(str(problem)) from None
        return self.told(outcome.answer)

    def check(self, intake: Intake) -> None:
        """429 where the reference limits what comes in an hour; most doors have no such limit."""

    def wake(self) -> None:
        wake.roll_up(self.deployment.pk)

    def answer(self, row: IngestRequest, intake: Intake) -> dict[str, Any]:
        """What is kept to be answered to this request, now and whenever it comes again."""
        told = {"requestId": row.request_id, "rows": intake.n_rows, "ignoredColumns": intake.ignored}
        return told | intake.told

    def told(self, answer: Any) -> Response:
        return Response(dict(answer), status=202)


class PredictionsView(IngestView):
    """Predictions as parallel columns."""

    kind = BlockKind.PREDICTIONS

    @describes(
        "Submit predictions with their features.",
        body=bodies.PredictionsBody,
        answer=TAKEN,
        status=202,
        extension=True,
        errors=ERRORS,
    )
    def post(self, request: Request, deployment_id: str) -> Response:
        now = timezone.now()
        return self.take_json(bodies.PredictionsBody, lambda body: predictions.take(self.deployment, body, now))


class ServiceEventsView(IngestView):
    """Requests that a prediction server answered."""

    kind = BlockKind.SERVICE

    @describes(
        "Submit service events.", body=bodies.ServiceBody, answer=TAKEN, status=202, extension=True, errors=ERRORS
    )
    def post(self, request: Request, deployment_id: str) -> Response:
        now = timezone.now()
        return self.take_json(bodies.ServiceBody, lambda body: service.take(self.deployment, body, now))


class PredictionsFileView(IngestView):
    """Predictions in bulk."""

    kind = BlockKind.PREDICTIONS

    @describes(
        "Submit a file of predictions.",
        query=FileQuery,
        content=FILES,
        answer=TAKEN,
        status=202,
        extension=True,
        errors=ERRORS,
    )
    def post(self, request: Request, deployment_id: str) -> Response:
        query, now = self.read(FileQuery), timezone.now()
        home = files.Home(query.model_id, query.batch_id)
        return self.take_file(
            query.request_id,
            lambda table: files.take_predictions(self.deployment, table, home, now),
            *(query.model_id or "", query.batch_id or ""),
        )


class ServiceFileView(IngestView):
    """Service events in bulk."""

    kind = BlockKind.SERVICE

    @describes(
        "Submit a file of service events.",
        query=FileQuery,
        content=FILES,
        answer=TAKEN,
        status=202,
        extension=True,
        errors=ERRORS,
    )
    def post(self, request: Request, deployment_id: str) -> Response:
        query, now = self.read(FileQuery), timezone.now()
        home = files.Home(query.model_id, query.batch_id)
        return self.take_file(
            query.request_id,
            lambda table: files.take_service(self.deployment, table, home, now),
            *(query.model_id or "", query.batch_id or ""),
        )


class ActualsDoor(IngestView):
    """Actuals are followed by a job: they count once they are matched with their predictions."""

    kind = BlockKind.ACTUALS

    def check(self, intake: Intake) -> None:
        count_actuals(self.deployment, intake.n_rows, timezone.now())

    def answer(self, row: IngestRequest, intake: Intake) -> dict[str, Any]:
        user = self.request.user
        job = processing.start(self.deployment, row, user if isinstance(user, User) else None)
        return {**super().answer(row, intake), "job": job.public_id}

    def told(self, answer: Any) -> Response:
        where = self.request.build_absolute_uri(f"/api/v2/status/{answer['job']}/")
        shown = {name: value for name, value in answer.items() if name != "job"}
        return Response(shown, status=202, headers={"Location": where})


class ActualsView(ActualsDoor):
    """Actuals as rows."""

    @describes("Submit actuals.", body=bodies.ActualsBody, answer=TAKEN, status=202, errors=ERRORS)
    def post(self, request: Request, deployment_id: str) -> Response:
        now = timezone.now()
        return self.take_json(bodies.ActualsBody, lambda body: actuals.take(self.deployment, body, now))


class ActualsFileView(ActualsDoor):
    """Actuals in bulk."""

    @describes(
        "Submit a file of actuals.",
        query=ActualsFileQuery,
        content=FILES,
        answer=TAKEN,
        status=202,
        extension=True,
        errors=ERRORS,
    )
    def post(self, request: Request, deployment_id: str) -> Response:
        query, now = self.read(ActualsFileQuery), timezone.now()
        return self.take_file(
            query.request_id,
            lambda table: files.take_actuals(self.deployment, table, now, keep_unmatched=query.keep),
            str(query.keep),
        )
