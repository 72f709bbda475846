"""Requests that report values: from JSON at once, from a dataset as a job. Each counts once, however often it comes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
import polars as pl
from django.contrib.auth.models import User
from django.db import transaction

from deployments import datasets, jobs
from deployments.custom_metrics import keeping, taking
from deployments.custom_metrics.reading import model_of
from deployments.ingest import store
from deployments.ingest.errors import Refused, TooMuch
from deployments.ingest.prepared import microseconds
from deployments.models import CustomMetric, Dataset, DeployedModel, Deployment, IngestRequest, Job

KIND = "customMetricValues"


def file_values(
    deployment: Deployment, metric: CustomMetric, model: DeployedModel, request: store.Request, values: pl.DataFrame
) -> None:
    """Add values, unless the request is known. Raises Clash for a request id that came with another body."""
    with transaction.atomic():
        row = store.claim(deployment, request, values.height)
        if row is None:
            store.answered(deployment, request)
            return
        keeping.add(metric, model_of(metric, model.pk), values, microseconds(request.received_at))


def file_dataset(
    deployment: Deployment,
    metric: CustomMetric,
    model: DeployedModel,
    request: store.Request,
    dataset: Dataset,
    columns: taking.Columns,
    user: User | None,
) -> str:
    """Start the job that adds the values of a dataset; returns its public id, for a known request the first one's."""
    with transaction.atomic():
        row = store.claim(deployment, request, dataset.row_count)
        if row is None:
            known = store.answered(deployment, request)
            assert known is not None
            return str(known.answer["job"])
        args: dict[str, Any] = {"metric": metric.pk, "model": model.pk, "dataset": dataset.pk}
        args["columns"] = msgspec.to_builtins(columns)
        args["received"] = request.received_at.isoformat()
        job = jobs.start(KIND, deployment, user, args)
        IngestRequest.objects.filter(pk=row.pk).update(answer={"job": job.public_id})
    return job.public_id


@jobs.register(KIND)
def process(job: Job) -> str:
    """Add the values in the transaction in which the job finishes, so that they count once."""
    assert job.deployment is not None
    metric = CustomMetric.objects.filter(pk=job.args["metric"]).first()
    dataset = Dataset.objects.filter(pk=job.args["dataset"]).first()
    if metric is None or dataset is None:
        raise jobs.JobFailed("The custom metric was deleted." if metric is None else "The dataset was deleted.")
    columns = msgspec.convert(job.args["columns"], taking.Columns)
    received = datetime.fromisoformat(job.args["received"])
    try:
        table = datasets.read(dataset)
        values = taking.from_table(job.deployment, metric, columns, table, received)
    except (Refused, TooMuch) as problem:
        raise jobs.JobFailed(str(problem)) from None
    keeping.add(metric, model_of(metric, job.args["model"]), values, microseconds(received))
    left_out = table.height - values.height
    job.message = f"{values.height} values added" + (f", {left_out} rows without a value." if left_out else ".")
    return f"/api/v2/deployments/{job.deployment.public_id}/customMetrics/{metric.public_id}/"
