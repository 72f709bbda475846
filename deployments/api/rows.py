"""`predictionResults/` and `dataQualityView/`: the stored rows themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl
from django.http import HttpResponseBase, StreamingHttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from deployments import data_quality, rows
from deployments.api import params
from deployments.api.errors import Conflict, ValidationFailed
from deployments.api.examples import DATA_QUALITY_ROW, PREDICTION_RESULTS, page_of
from deployments.api.openapi import describes
from deployments.api.pagination import Window, page_of_window
from deployments.api.scoping import BatchQuery, ModelQuery, model_of
from deployments.api.views import DeploymentView
from deployments.data_quality import Order, Search
from deployments.ingest.shape import target_of
from deployments.models import CustomKinds, CustomMetric, Deployment, MonitoringBatch, Role, TargetType
from deployments.reports import rows as shown
from deployments.rows import Asked
from deployments.settings_schema import Settings, parse

CSV = "text/csv"
CSV_ROWS = 20_000
ORDERS = tuple(sign + order for sign in ("", "-") for order in Order)


@dataclass(frozen=True, kw_only=True)
class ResultsQuery(ModelQuery, BatchQuery):
    """Which rows."""

    offset: int = params.whole("offset", default=0, help="Results to skip.")
    limit: int | None = params.whole("limit", minimum=1, maximum=10_000, help="Results to return; CSV: all.")
    start: datetime | None = params.moment("start", help="First time.")
    end: datetime | None = params.moment("end", help="End, exclusive.")
    actuals_present: bool | None = params.flag("actualsPresent", default=None, help="Only with, or without, actuals.")

    def problems(self) -> dict[str, str]:
        if self.start is not None and self.end is not None and self.start >= self.end:
            return {"start": "Must lie before the end of the period."}
        return {}


@dataclass(frozen=True, kw_only=True)
class DataQualityQuery(ModelQuery):
    """Which generated texts, in which order."""

    offset: int = params.whole("offset", default=0, help="Rows to skip.")
    limit: int = params.whole("limit", default=100, minimum=1, maximum=1000, help="Rows to return.")
    start: datetime = params.moment("start", required=True, help="First time.")
    end: datetime = params.moment("end", required=True, help="End, exclusive.")
    prediction_pattern: str | None = params.text("predictionPattern", help="Words that the prediction holds.")
    prompt_pattern: str | None = params.text("promptPattern", help="Words that the prompt holds.")
    actual_pattern: str | None = params.text("actualPattern", help="Words that the actual holds.")
    order_by: str | None = params.choice("orderBy", ORDERS, help="By time, newest first, unless a metric is named.")
    order_metric: str | None = params.text("orderMetric", help="Name or id of the metric to sort by.")
    filter_metric: str | None = params.text("filterMetric", help="Name or id of the metric that is filtered by.")
    filter_value: str | None = params.text("filterValue", help="The value of that metric.")

    def problems(self) -> dict[str, str]:
        found = {}
        if self.start >= self.end:
            found["start"] = "Must lie before the end of the period."
        if self.by is Order.CUSTOM_METRICS and self.order_metric is None:
            found["orderMetric"] = "Needed to sort by a custom metric."
        if self.by is not Order.CUSTOM_METRICS and self.order_metric is not None:
            found["orderMetric"] = "Only with orderBy=customMetrics."
        if (self.filter_metric is None) != (self.filter_value is None):
            missing = "filterMetric" if self.filter_metric is None else "filterValue"
            found[missing] = "filterMetric and filterValue go together."
        return found

    @property
    def by(self) -> Order:
        """What is sorted by: if nothing else is said, the metric that is named, else time."""
        usual = Order.TIMESTAMP if self.order_metric is None else Order.CUSTOM_METRICS
        return Order((self.order_by or usual).removeprefix("-"))

    @property
    def descending(self) -> bool:
        """Whether the largest comes first; without any order the newest does."""
        return self.order_metric is None if self.order_by is None else self.order_by.startswith("-")


class PredictionResultsView(DeploymentView):
    """Rows in the order of time, as a page of JSON, or as CSV in one stream if `Accept` asks for it."""

    roles = {"GET": Role.CONSUMER}

    @describes("Retrieve predictions results of the deployment.", query=ResultsQuery, answer=PREDICTION_RESULTS)
    def get(self, request: Request, deployment_id: str) -> HttpResponseBase:
        query = self.read(ResultsQuery)
        models = {model.pk: model for model in self.deployment.models.select_related("package")}
        chosen = (model_of(self.deployment, query.model_id).pk,) if query.model_id is not None else ()
        asked = Asked(self.deployment.pk, chosen, query.start, query.end, batch_keys(self.deployment, query.batch_ids))
        targets = {key: target_of(model.package) for key, model in models.items()}
        names = {key: model.public_id for key, model in models.items()}
        if wants_csv(request.headers.get("Accept", "")):
            tables = (shown.tabular(piece, targets, names) for piece in some(asked, query, query.limit))
            return streamed(tables, sorted({name for target in targets.values() for name in target.classes}))
        limit = query.limit or 100
        found = list(some(asked, query, limit + 1))
        table = pl.concat(found, how="diagonal_relaxed") if found else pl.DataFrame()
        data = shown.results(table[:limit], targets, names) if table.height else []
        page = page_of_window(request, Window(query.offset, limit), data, more=table.height > limit)
        settings = parse(Settings, self.deployment.settings)
        return Response(page | {"associationIdColumnNames": list(settings.association_id.column_names)})


class DataQualityView(DeploymentView):
    """Prompts, generated texts, actuals, contexts and the values of custom metrics, row by row."""

    roles = {"GET": Role.CONSUMER}

    @describes("Retrieve generated texts, row by row.", query=DataQualityQuery, answer=page_of(DATA_QUALITY_ROW))
    def get(self, request: Request, deployment_id: str) -> Response:
        query = self.read(DataQualityQuery)
        model = model_of(self.deployment, query.model_id)
        if model.package.target_type != TargetType.TEXT_GENERATION:
            raise ValidationFailed(
                {"modelId": f"Only a TextGeneration target has this view; this one is {model.package.target_type}."}
            )
        metrics = list(CustomMetric.objects.filter(deployment=self.deployment).order_by("pk"))
        asked = Asked(self.deployment.pk, (model.pk,), query.start, query.end)
        search = search_of(query, asked, metrics, model.package.prompt_name)
        try:
            found = data_quality.page(search, query.offset, query.limit)
        except data_quality.Unsettled:
            raise Conflict("Rows are coming in while they are searched; try again.") from None
        ids = found.rows["id"].drop_nulls().to_list() if found.rows.height else []
        values = data_quality.metric_values(search, ids)
        data = shown.texts(found.rows, search.prompt, values, data_quality.names_of(metrics))
        more = query.offset + query.limit < found.total
        page = page_of_window(request, Window(query.offset, query.limit), data, more=more)
        return Response(page | {"totalCount": found.total})


def search_of(query: DataQualityQuery, asked: Asked, metrics: Sequence[CustomMetric], prompt: str) -> Search:
    """The search; 422 for a metric that is not there or has no such value."""
    sorted_by = metric_named(metrics, query.order_metric, "orderMetric")
    filtered = metric_named(metrics, query.filter_metric, "filterMetric")
    if sorted_by is not None and sorted_by.kind == CustomKinds.CATEGORICAL:
        raise ValidationFailed({"orderMetric": "A categorical metric has no order."})
    if filtered is not None and filtered.kind != CustomKinds.CATEGORICAL and not is_number(query.filter_value or ""):
        raise ValidationFailed({"filterValue": "Must be a number, as the values of this metric are."})
    return Search(
        asked=asked,
        prompt=prompt,
        prediction_words=tuple((query.prediction_pattern or "").split()),
        prompt_words=tuple((query.prompt_pattern or "").split()),
        actual_words=tuple((query.actual_pattern or "").split()),
        order=query.by,
        descending=query.descending,
        order_metric=sorted_by,
        filter_metric=filtered,
        filter_value=query.filter_value or "",
    )


def metric_named(metrics: Sequence[CustomMetric], text: str | None, parameter: str) -> CustomMetric | None:
    """The metric with this id or name; 422 for one that is not there."""
    if text is None:
        return None
    found = next((metric for metric in metrics if text in (metric.public_id, metric.name)), None)
    if found is None:
        raise ValidationFailed({parameter: "There is no such custom metric in this deployment."})
    return found


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def batch_keys(deployment: Deployment, ids: Sequence[str]) -> tuple[int, ...] | None:
    """The keys of the named batches, those that do not exist left out; None when none was named."""
    if not ids:
        return None
    found = MonitoringBatch.objects.filter(deployment=deployment, public_id__in=ids)
    return tuple(found.values_list("pk", flat=True))


def some(asked: Asked, query: ResultsQuery, limit: int | None) -> Iterator[pl.DataFrame]:
    """The rows from the offset on, at most `limit`, a stretch at a time; whole stretches before them are not read."""
    skip, left, columns = query.offset, limit, result_columns(asked.deployment_id)
    for stretch in rows.stretches(asked):
        if left == 0:
            return
        if query.actuals_present is None and stretch.whole and stretch.rows <= skip:
            skip -= stretch.rows
            continue
        table = rows.load(asked, stretch, columns, actuals=True)
        if query.actuals_present is not None:
            known = pl.col("y").is_not_null()
            table = table.filter(known if query.actuals_present else ~known)
        part = table.slice(skip, left)
        skip = max(0, skip - table.height)
        left = None if left is None else left - part.height
        if part.height:
            yield part


def result_columns(deployment_id: int) -> list[str]:
    """The columns of blocks that hold the predictions of any model of the deployment."""
    models = Deployment.objects.get(pk=deployment_id).models.select_related("package")
    return sorted({column for model in models for column in target_of(model.package).columns})


def streamed(tables: Iterator[pl.DataFrame], classes: Sequence[str]) -> StreamingHttpResponse:
    """CSV with one header, written piece by piece."""
    header = [*shown.CSV_HEADER, *(f"prediction_{name}" for name in classes)]

    def lines() -> Iterator[bytes]:
        yield pl.DataFrame(schema=dict.fromkeys(header, pl.String)).write_csv().encode()
        for table in tables:
            missing = [pl.lit(None, pl.String).alias(name) for name in header if name not in table.columns]
            whole = table.with_columns(missing).select(header)
            for start in range(0, whole.height, CSV_ROWS):
                yield whole.slice(start, CSV_ROWS).write_csv(include_header=False).encode()

    answer = StreamingHttpResponse(lines(), content_type=CSV)
    answer["Content-Disposition"] = 'attachment; filename="predictions.csv"'
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def wants_csv(accept: str) -> bool:
    """Whether `Accept` names CSV, and nothing that is JSON with a higher weight."""
    weights: dict[str, float] = {}
    for place, part in enumerate(accept.split(",")):
        name, *more = (piece.strip() for piece in part.split(";"))
        given = next((piece[2:] for piece in more if piece.startswith("q=")), "1")
        weight = float(given) if is_number(given) else 1.0
        weights.setdefault(name.lower(), weight - place * 1e-6)
    json = max(weights.get("application/json", 0.0), weights.get("*/*", 0.0) - 1e-3)
    return weights.get(CSV, 0.0) > json
