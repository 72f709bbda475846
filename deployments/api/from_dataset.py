"""`predictionInputs/fromDataset/` and `actuals/fromDataset/`: rows that are in a stored dataset already.

Both are jobs. What can be known at once is checked at once: the dataset, its columns, the hourly limit. The rows are
checked by the job, which takes all of them in or none, and tells the lines that are wrong at its status address.
"""

from __future__ import annotations

from typing import Annotated

from django.contrib.auth.models import User
from django.utils import timezone
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from deployments import datasets
from deployments.api.deployments import caller
from deployments.api.errors import Conflict, ValidationFailed
from deployments.api.openapi import describes
from deployments.api.throttling import count_actuals
from deployments.api.views import DeploymentView
from deployments.ingest import datasets as sources
from deployments.ingest.bodies import Id
from deployments.ingest.errors import Clash
from deployments.models import Dataset, Job, Role

Column = Annotated[str, Meta(min_length=1, max_length=500)]
MOST_ACTUALS = 5_000_000
"""Rows of one dataset of actuals, as the reference says."""


class PredictionDataset(Struct, rename="camel"):
    """A dataset of predictions: the columns that files of predictions have."""

    dataset_id: Id
    dataset_version_id: Id | None = None


class ActualsDataset(Struct, rename="camel"):
    """A dataset of actuals and what its columns are called."""

    dataset_id: Id
    actual_value_column: Column
    association_id_column: Column
    dataset_version_id: Id | None = None
    keep_actuals_without_predictions: bool = True
    was_acted_on_column: Column | None = None
    timestamp_column: Column | None = None
    user: str | None = None
    password: str | None = None

    @property
    def columns(self) -> dict[str, tuple[str, str | None]]:
        """What each column is for → the field that names it, and the name."""
        return {
            "association_id": ("associationIdColumn", self.association_id_column),
            "actual_value": ("actualValueColumn", self.actual_value_column),
            "was_acted_on": ("wasActedOnColumn", self.was_acted_on_column),
            "timestamp": ("timestampColumn", self.timestamp_column),
        }


class FromDatasetView(DeploymentView):
    """What both operations share."""

    roles = {"POST": Role.USER}

    @property
    def key(self) -> str | None:
        """The sender's own id of the request: with it, sending twice starts one job."""
        key = self.request.headers.get("Idempotency-Key") or None
        if key is not None and len(key) > 128:
            raise ValidationFailed({"Idempotency-Key": "At most 128 characters."})
        return key

    def started(self, kind: str, dataset: Dataset) -> Job | None:
        """The job that the same request started before; 409 if it was about another dataset."""
        try:
            return sources.started(kind, self.deployment, dataset, self.key)
        except Clash as problem:
            raise Conflict(str(problem)) from None


class PredictionsFromDatasetView(FromDatasetView):
    """Predictions from a dataset."""

    @describes("Submit predictions from a dataset.", body=PredictionDataset, answer={}, status=202)
    def post(self, request: Request, deployment_id: str) -> Response:
        body, user = self.body(PredictionDataset), caller(request)
        dataset = dataset_of(body.dataset_id, body.dataset_version_id, user)
        if not dataset.row_count:
            raise ValidationFailed({"datasetId": "The dataset has no rows."})
        job = self.started(sources.PREDICTIONS, dataset)
        return self.accepted(job or sources.start(sources.PREDICTIONS, self.deployment, dataset, user, self.key))


class ActualsFromDatasetView(FromDatasetView):
    """Actuals from a dataset."""

    @describes(
        "Submit actuals from a dataset.",
        body=ActualsDataset,
        answer={},
        status=202,
        errors=(401, 403, 404, 409, 422, 429),
    )
    def post(self, request: Request, deployment_id: str) -> Response:
        body, user = self.body(ActualsDataset), caller(request)
        dataset = dataset_of(body.dataset_id, body.dataset_version_id, user)
        self.check(body, dataset)
        job = self.started(sources.ACTUALS, dataset)
        if job is None:
            count_actuals(self.deployment, dataset.row_count, timezone.now())
            columns = {purpose: name for purpose, (_, name) in body.columns.items()}
            told = {"columns": columns, "keep": body.keep_actuals_without_predictions}
            job = sources.start(sources.ACTUALS, self.deployment, dataset, user, self.key, **told)
        return self.accepted(job)

    def check(self, body: ActualsDataset, dataset: Dataset) -> None:
        """422 for what can be seen without reading a row."""
        if self.deployment.champion is None:
            raise ValidationFailed({"deploymentId": "The deployment has no champion, so actuals have no meaning."})
        known = {column["name"] for column in dataset.columns}
        errors = {
            field: f"The dataset has no column {name!r}."
            for field, name in body.columns.values()
            if name is not None and name not in known
        }
        if not 0 < dataset.row_count <= MOST_ACTUALS:
            errors["datasetId"] = (
                f"A dataset of actuals has 1 to {MOST_ACTUALS:,} rows, this one {dataset.row_count:,}."
            )
        for field, given in (("user", body.user), ("password", body.password)):
            if given:
                errors[field] = "Datasets here are files and need no log-in."
        if errors:
            raise ValidationFailed(errors)


def dataset_of(dataset_id: str, version_id: str | None, user: User) -> Dataset:
    """A dataset that the person may see; 422 without one. A dataset never changes, so it is its only version."""
    found = datasets.visible(user).filter(public_id=dataset_id).first()
    if found is None:
        raise ValidationFailed({"datasetId": "There is no such dataset."})
    if version_id not in (None, found.public_id):
        raise ValidationFailed({"datasetVersionId": "A dataset has one version, which has the id of the dataset."})
    return found
