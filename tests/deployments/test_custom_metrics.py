"""Custom metrics through the API: every figure against NumPy or polars over the very values that were sent."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from deployments import batches, datasets, health, jobs, registry, retention
from deployments.api.authentication import issue
from deployments.models import AuditEntry, CustomMetric, CustomRow, CustomValue, Deployment, MonitoringBatch, Role
from tests.deployments.factories import make_deployment, make_package, make_user, roll_up, send_predictions

pytestmark = pytest.mark.django_db
START = (datetime.now(UTC) - timedelta(days=50)).replace(hour=0, minute=0, second=0, microsecond=0)
DAYS = 50


@pytest.fixture
def user(db: None) -> User:
    return make_user()


@pytest.fixture
def client(user: User) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {issue(user, 'test')}")
    return client


@pytest.fixture
def deployment(user: User) -> Deployment:
    found = make_deployment(segments=True, batch_monitoring=True)
    found.roles.create(user=user, role=Role.OWNER)
    return found


class Metric:
    """One metric at its address."""

    def __init__(self, client: APIClient, deployment: Deployment, **fields: Any) -> None:
        self.client, self.base = client, f"/api/v2/deployments/{deployment.public_id}/"
        given = {"name": "Minutes", "type": "average", "directionality": "lowerIsBetter", **fields}
        answer = client.post(f"{self.base}customMetrics/", given, format="json")
        assert answer.status_code == 201, answer.content
        self.id: str = answer.json()["id"]

    def send(self, values: Sequence[dict[str, Any]], expected: int = 202, **more: Any) -> Any:
        body = {"buckets": values, **more}
        answer = self.client.post(f"{self.base}customMetrics/{self.id}/fromJSON/", body, format="json")
        assert answer.status_code == expected, answer.content
        return answer.json()

    def get(self, tail: str = "", **query: Any) -> Any:
        answer = self.client.get(f"{self.base}customMetrics/{self.id}/{tail}", query)
        assert answer.status_code == 200, answer.content
        return answer.json()


def hour(number: int) -> str:
    return (START + timedelta(hours=number)).isoformat()


@pytest.fixture(scope="module")
def reported() -> pl.DataFrame:
    """Five hundred values over fifty days: time, value, samples."""
    chance = np.random.default_rng(7)
    minutes = np.sort(chance.choice(DAYS * 24 * 60, 500, replace=False))
    return pl.DataFrame(
        {
            "timestamp": [START + timedelta(minutes=int(minute)) for minute in minutes],
            "value": np.round(chance.normal(12, 4, 500), 3),
            "samples": chance.integers(1, 30, 500),
        }
    )


def as_values(rows: pl.DataFrame) -> list[dict[str, Any]]:
    return [
        {"timestamp": row["timestamp"].isoformat(), "value": row["value"], "sampleSize": row["samples"]}
        for row in rows.iter_rows(named=True)
    ]


def expected(rows: pl.DataFrame, kind: str) -> float | None:
    """What a kind of metric is, straight from the values."""
    if not rows.height:
        return None
    numbers, weights = rows["value"].to_numpy(), rows["samples"].to_numpy()
    of = {"sum": numbers.sum(), "average": np.average(numbers, weights=weights), "gauge": numbers[-1]}
    return float(of[kind])


# --- Figures ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["sum", "average", "gauge"])
@pytest.mark.parametrize("size", ["PT1H", "PT5H", "P1D", "P7D", "P1M"])
def test_values_over_time_are_those_of_the_values_in_each_bucket(
    client: APIClient, deployment: Deployment, reported: pl.DataFrame, kind: str, size: str
) -> None:
    metric = Metric(client, deployment, type=kind)
    mixed = reported.sample(fraction=1, shuffle=True, seed=1)
    for part in (mixed[:200], mixed[200:]):
        metric.send(as_values(part))
    start, end = START + timedelta(hours=7), START + timedelta(days=DAYS, hours=-5)
    answer = metric.get("valuesOverTime/", start=start.isoformat(), end=end.isoformat(), bucketSize=size)
    assert answer["summary"] == {"start": f"{start:%Y-%m-%dT%H:%M:%SZ}", "end": f"{end:%Y-%m-%dT%H:%M:%SZ}"}
    total = 0
    for bucket in answer["buckets"]:
        since, until = (datetime.fromisoformat(bucket["period"][name]) for name in ("start", "end"))
        rows = reported.filter((pl.col("timestamp") >= since) & (pl.col("timestamp") < until))
        assert bucket["sampleSize"] == rows["samples"].sum()
        value = expected(rows, kind)
        assert bucket["value"] == (None if value is None else pytest.approx(value, rel=1e-9))
        total += bucket["sampleSize"]
    inside = reported.filter((pl.col("timestamp") >= start) & (pl.col("timestamp") < end))
    assert total == inside["samples"].sum()
    summary = metric.get("summary/", start=start.isoformat(), end=end.isoformat())
    assert summary["metric"]["value"] == pytest.approx(expected(inside, kind), rel=1e-9)
    assert summary["metric"]["sampleCount"] == total


def test_a_bucket_is_a_week_unless_another_size_is_asked_for(client: APIClient, deployment: Deployment) -> None:
    metric = Metric(client, deployment)
    answer = metric.get("valuesOverTime/", start=hour(0), end=hour(24 * 10))
    assert [bucket["period"]["start"] for bucket in answer["buckets"]] == [
        f"{START + timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}" for days in (0, 7)
    ]
    short = metric.get("valuesOverTime/", start=hour(0), end=hour(5))["buckets"]
    assert len(short) == 1
    assert (short[0]["value"], short[0]["sampleSize"]) == (None, 0)


def test_categories_are_counted_by_name_and_unknown_ones_apart(client: APIClient, deployment: Deployment) -> None:
    metric = Metric(client, deployment, type="categorical", directionality="higherIsBetter", categories=["good", "bad"])
    sent = [("good", 3), ("bad", 2), ("ugly", 4), ("good", 1), (7, 5)]
    metric.send([{"timestamp": hour(i), "value": value, "sampleSize": n} for i, (value, n) in enumerate(sent)])
    answer = metric.get("valuesOverTime/", start=hour(0), end=hour(5), bucketSize="PT5H")["buckets"][0]
    assert answer["categories"] == [{"categoryName": "good", "count": 4}, {"categoryName": "bad", "count": 2}]
    assert (answer["unknownCategoriesCount"], answer["value"], answer["sampleSize"]) == (9, None, 15)
    found = metric.get("summary/", start=hour(0), end=hour(5))["metric"]
    assert (found["unknownCategoriesCount"], found["value"], found["percentChange"]) == (9, None, None)


def test_categories_that_nobody_declared_are_learned(client: APIClient, deployment: Deployment) -> None:
    metric = Metric(client, deployment, type="categorical")
    names = [f"c{number % 60}" for number in range(120)]
    metric.send([{"timestamp": hour(0), "value": name} for name in names])
    assert metric.get()["categories"] == [f"c{number}" for number in range(50)]
    bucket = metric.get("valuesOverTime/", start=hour(0), end=hour(1))["buckets"][0]
    counted = {one["categoryName"]: one["count"] for one in bucket["categories"]}
    assert counted == {name: count for name, count in Counter(names).items() if name in metric.get()["categories"]}
    assert bucket["unknownCategoriesCount"] == 20


def test_change_from_the_baseline_is_positive_when_better(client: APIClient, deployment: Deployment) -> None:
    for direction, change in (("lowerIsBetter", 10.0), ("higherIsBetter", -10.0)):
        metric = Metric(client, deployment, name=direction, directionality=direction, baselineValues=[{"value": 100}])
        metric.send([{"timestamp": hour(1), "value": 90}])
        found = metric.get("summary/", start=hour(0), end=hour(2))["metric"]
        assert (found["baselineValue"], found["percentChange"]) == (100, change)


def test_the_type_of_numbers_can_be_changed_with_their_history(client: APIClient, deployment: Deployment) -> None:
    metric = Metric(client, deployment, type="sum")
    metric.send([{"timestamp": hour(n), "value": v, "sampleSize": s} for n, v, s in ((0, 2, 1), (1, 8, 3))])
    address = f"{metric.base}customMetrics/{metric.id}/"
    for kind, value in (("sum", 10), ("average", 6.5), ("gauge", 8)):
        assert client.patch(address, {"type": kind}, format="json").json()["type"] == kind
        assert metric.get("summary/", start=hour(0), end=hour(2))["metric"]["value"] == value
    refused = client.patch(address, {"type": "categorical"}, format="json")
    assert (refused.status_code, list(refused.json()["errors"])) == (422, ["type"])


# --- Once ------------------------------------------------------------------------------------------------------------


def test_the_same_request_counts_once_and_another_body_is_a_clash(client: APIClient, deployment: Deployment) -> None:
    metric = Metric(client, deployment, type="sum")
    for _ in range(3):
        metric.send([{"timestamp": hour(1), "value": 5}], requestId="one")
    metric.send([{"timestamp": hour(1), "value": 6}], 409, requestId="one")
    assert metric.get("summary/", start=hour(0), end=hour(2))["metric"]["value"] == 5
    other = Metric(client, deployment, name="Other", type="sum")
    other.send([{"timestamp": hour(1), "value": 5}], 409, requestId="one")


def test_a_dry_run_checks_and_stores_nothing(client: APIClient, deployment: Deployment) -> None:
    metric = Metric(client, deployment)
    answer = metric.send([{"timestamp": hour(1), "value": 5}], dryRun=True, requestId="dry")
    assert answer["id"] == metric.id
    metric.send([{"timestamp": hour(1), "value": "five"}], 422, dryRun=True)
    assert not CustomValue.objects.exists()
    metric.send([{"timestamp": hour(1), "value": 7}], requestId="dry")
    assert metric.get("summary/", start=hour(0), end=hour(2))["metric"]["value"] == 7


def test_nothing_of_a_wrong_request_is_stored(client: APIClient, deployment: Deployment) -> None:
    metric = Metric(client, deployment)
    rows: list[dict[str, Any]] = [
        {"timestamp": hour(1), "value": 5},
        {"timestamp": hour(1), "value": True},
        {"value": 5},
    ]
    assert list(metric.send(rows, 422)["errors"]) == ["buckets[2].timestamp"]
    assert not CustomValue.objects.exists()


def test_too_many_values_are_refused_whole(client: APIClient, deployment: Deployment, settings: Any) -> None:
    settings.MAX_JSON_ROWS = 3
    Metric(client, deployment).send([{"timestamp": hour(1), "value": 5}] * 4, 413)


# --- Models, batches, segments ---------------------------------------------------------------------------------------


def test_values_of_a_model_stay_with_it_unless_they_are_pooled(client: APIClient, deployment: Deployment) -> None:
    own = Metric(client, deployment, name="Own", type="sum")
    pooled = Metric(client, deployment, name="Pooled", type="sum", isModelSpecific=False)
    for metric in (own, pooled):
        metric.send([{"timestamp": hour(1), "value": 5}])
    former = deployment.champion
    assert former is not None
    package = make_package()
    registry.replace_model(deployment, package, START + timedelta(hours=2), "ACCURACY")
    for metric in (own, pooled):
        metric.send([{"timestamp": hour(3), "value": 7}], modelPackageId=package.public_id)
    asked = {"start": hour(0), "end": hour(9)}
    for query, value in (({}, 7), ({"modelId": former.public_id}, 5), ({"modelPackageId": package.public_id}, 7)):
        assert own.get("summary/", **asked, **query)["metric"]["value"] == value
        assert pooled.get("summary/", **asked, **query)["metric"]["value"] == 12
    clash = client.get(
        f"{own.base}customMetrics/{own.id}/summary/", {"modelId": former.public_id, "modelPackageId": package.public_id}
    )
    assert (clash.status_code, list(clash.json()["errors"])) == (422, ["modelId"])


@pytest.fixture
def months(deployment: Deployment, user: User) -> list[MonitoringBatch]:
    return [batches.create(deployment, user, {"name": name}) for name in ("May", "June", "July")]


def test_batches_have_values_of_their_own_never_mixed_with_time(
    client: APIClient, deployment: Deployment, months: list[MonitoringBatch]
) -> None:
    metric = Metric(client, deployment, type="average")
    may, june, july = months
    metric.send(
        [
            {"batchId": may.public_id, "value": 4, "sampleSize": 3},
            {"batchId": may.public_id, "value": 8},
            {"batchId": june.public_id, "value": 10, "timestamp": hour(1)},
            {"value": 99, "timestamp": hour(1)},
        ]
    )
    buckets = metric.get("valuesOverBatch/")["buckets"]
    assert [(one["batch"]["name"], one["value"], one["sampleSize"]) for one in buckets] == [
        *(("May", 5.0, 4), ("June", 10.0, 1)),
        ("July", None, 0),
    ]
    one = metric.get("valuesOverBatch/", batchId=june.public_id)["buckets"]
    assert [row["batch"]["id"] for row in one] == [june.public_id]
    assert metric.get("summary/", start=hour(0), end=hour(5))["metric"]["value"] == 99
    both = metric.get("batchSummary/", batchId=[may.public_id, june.public_id])
    assert both == {"metric": metric.get("summary/", batchId=f"{may.public_id},{june.public_id}")["metric"]}
    assert (both["metric"]["value"], both["metric"]["sampleCount"]) == (6.0, 5)
    # made now, so they lie in the default period and not in a past one
    assert metric.get("batchSummary/")["metric"]["value"] == 6.0
    assert metric.get("batchSummary/", start=hour(0), end=hour(5))["metric"]["value"] is None
    batches.update(july, make_user(), {"is_locked": True})
    assert "locked" in str(metric.send([{"batchId": july.public_id, "value": 1}], 422)["errors"])


def test_a_deleted_batch_takes_its_values_along(
    client: APIClient, deployment: Deployment, months: list[MonitoringBatch]
) -> None:
    metric = Metric(client, deployment)
    metric.send([{"batchId": months[0].public_id, "value": 4}, {"timestamp": hour(1), "value": 4}])
    assert client.delete(f"{metric.base}monitoringBatches/{months[0].public_id}/").status_code == 200
    assert metric.get("summary/", start=hour(0), end=hour(2))["metric"]["sampleCount"] == 1
    assert CustomValue.objects.filter(grain=3).count() == 0


def test_segments_are_read_by_their_value_and_all_together(client: APIClient, deployment: Deployment) -> None:
    metric = Metric(client, deployment, type="sum")
    rows = [("Oslo", 2), ("Bergen", 3), ("Oslo", 4), (None, 8)]
    metric.send(
        [
            {"timestamp": hour(1), "value": value, "segments": [{"name": "town", "value": town}] if town else []}
            for town, value in rows
        ]
    )
    asked = {"start": hour(0), "end": hour(24 * 3)}
    for town, value in (("Oslo", 6), ("Bergen", 3), ("Narvik", None)):
        found = metric.get("summary/", **asked, segmentAttribute="town", segmentValue=town)
        assert found["metric"]["value"] == value
    assert metric.get("summary/", **asked)["metric"]["value"] == 17
    refused = metric.send([{"timestamp": hour(1), "value": 1, "segments": [{"name": "age", "value": "3"}]}], 422)
    assert list(refused["errors"]) == ["buckets[0].segments[0].name"]


# --- Datasets --------------------------------------------------------------------------------------------------------


def upload(user: User, table: pl.DataFrame) -> str:
    return datasets.store(table.write_csv().encode(), "values.csv", "text/csv", user).public_id


def test_a_dataset_is_read_by_the_columns_that_it_is_said_to_have(
    client: APIClient, deployment: Deployment, user: User, months: list[MonitoringBatch]
) -> None:
    metric = Metric(client, deployment, type="average", value={"columnName": "took"})
    table = pl.DataFrame(
        {
            "day": [f"{START + timedelta(days=day):%m/%d/%Y}" for day in (0, 0, 1, 2)],
            "took": [3.0, 5.0, None, 7.0],
            "n": [2, 1, 1, 4],
            "place": ["Oslo", "Bergen", "Oslo", None],
            "month": [None, None, None, months[0].public_id],
            "flight": ["f1", "f2", "f3", "f4"],
        }
    )
    body = {
        "datasetId": upload(user, table),
        "timestamp": {"columnName": "day", "timeFormat": "%m/%d/%Y"},
        "sampleCount": {"columnName": "n"},
        "batch": {"columnName": "month"},
        "segments": [{"name": "town", "column": "place"}],
        "associationId": {"columnName": "flight"},
        "requestId": "file",
    }
    address = f"{metric.base}customMetrics/{metric.id}/fromDataset/"
    answers = [client.post(address, body, format="json") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0]["Location"] == answers[1]["Location"]
    for pk in jobs.waiting() * 2:
        jobs.run(pk)
    state = client.get(answers[0]["Location"].split("testserver")[1])
    assert (state.status_code, state["Location"].endswith(f"/customMetrics/{metric.id}/")) == (303, True)
    found = metric.get("valuesOverTime/", start=hour(0), end=hour(72), bucketSize="P1D")["buckets"]
    assert [(one["value"], one["sampleSize"]) for one in found] == [(pytest.approx(11 / 3), 3), (None, 0), (None, 0)]
    assert metric.get("batchSummary/", batchId=months[0].public_id)["metric"]["value"] == 7.0
    oslo = metric.get("summary/", start=hour(0), end=hour(72), segmentAttribute="town", segmentValue="Oslo")
    assert oslo["metric"]["value"] == 3.0
    stored = dict(CustomRow.objects.values_list("association_id", "value"))
    assert stored == {"f1": 3.0, "f2": 5.0, "f4": 7.0}


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"value": {"columnName": "nothing"}}, "value.columnName"),
        ({"timestamp": {"columnName": "nothing"}}, "timestamp.columnName"),
        ({"segments": [{"name": "nowhere", "column": "value"}]}, "segments[0].name"),
        ({"timestamp": {"columnName": "timestamp", "timeFormat": "now"}}, "timestamp.timeFormat"),
        ({"associationId": {"columnName": "id"}}, "associationId.columnName"),
    ],
)
def test_columns_that_do_not_fit_are_refused_at_once(
    client: APIClient, deployment: Deployment, user: User, change: dict[str, Any], place: str
) -> None:
    metric = Metric(client, deployment)
    body = {"datasetId": upload(user, pl.DataFrame({"value": [1.0], "timestamp": [hour(0)]})), **change}
    answer = client.post(f"{metric.base}customMetrics/{metric.id}/fromDataset/", body, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (422, [place])


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ({"value": ["1", "much"], "timestamp": [hour(0), hour(1)]}, "value"),
        ({"value": [1.0, 2.0], "timestamp": [hour(0), "soon"]}, "timestamp[1]"),
        ({"value": [1.0, 2.0], "timestamp": [hour(0), None]}, "timestamp[1]"),
        ({"value": [1.0, 2.0], "timestamp": [hour(0), hour(1)], "sample_count": [1.0, 0.5]}, "sample_count[1]"),
        ({"value": [1.0], "timestamp": [hour(0)], "batch": ["0123456789abcdef01234567"]}, "batch["),
    ],
)
def test_a_dataset_with_a_wrong_value_fails_its_job_and_stores_nothing(
    client: APIClient, deployment: Deployment, user: User, table: dict[str, list[Any]], complaint: str
) -> None:
    metric = Metric(client, deployment)
    body = {"datasetId": upload(user, pl.DataFrame(table))}
    answer = client.post(f"{metric.base}customMetrics/{metric.id}/fromDataset/", body, format="json")
    assert answer.status_code == 202, answer.content
    for pk in jobs.waiting():
        jobs.run(pk)
    state = client.get(answer["Location"].split("testserver")[1]).json()
    assert state["status"] == "ERROR"
    assert complaint in state["message"]
    assert not CustomValue.objects.exists()


# --- Definitions, health, life ---------------------------------------------------------------------------------------


def test_a_deployment_has_at_most_25_custom_metrics(client: APIClient, deployment: Deployment) -> None:
    for number in range(25):
        Metric(client, deployment, name=f"m{number}")
    fields = {"name": "m25", "type": "sum", "directionality": "higherIsBetter"}
    answer = client.post(f"/api/v2/deployments/{deployment.public_id}/customMetrics/", fields, format="json")
    assert (answer.status_code, "25" in answer.json()["message"]) == (422, True)


def test_the_list_and_the_summary_of_all_take_as_many_queries_for_one_as_for_many(
    client: APIClient, deployment: Deployment
) -> None:
    base = f"/api/v2/deployments/{deployment.public_id}/"
    counted: dict[str, set[int]] = {"customMetrics/": set(), "customMetricsSummary/": set()}
    for number in range(4):
        Metric(client, deployment, name=f"m{number}").send([{"timestamp": hour(number), "value": number}])
        for tail, numbers in counted.items():
            with CaptureQueriesContext(
                connection,
            ) as queries:
                assert client.get(base + tail).status_code == 200
            numbers.add(len(queries))
    assert counted == {"customMetrics/": {5}, "customMetricsSummary/": {6}}


def test_the_summary_of_all_has_each_metric_and_the_days_with_values(client: APIClient, deployment: Deployment) -> None:
    first = Metric(client, deployment, name="First", type="sum")
    second = Metric(client, deployment, name="Second", isModelSpecific=False)
    first.send([{"timestamp": hour(3), "value": 2}, {"timestamp": hour(100), "value": 5}])
    second.send([{"timestamp": hour(200), "value": 4}])
    base = f"/api/v2/deployments/{deployment.public_id}/"
    answer = client.get(f"{base}customMetricsSummary/", {"start": hour(0), "end": hour(50)}).json()
    assert [(one["name"], one["value"]) for one in answer["metrics"]] == [("First", 2), ("Second", None)]
    assert answer["details"] == {
        "earliestDate": f"{START + timedelta(hours=3):%Y-%m-%dT%H:%M:%SZ}",
        "latestDate": f"{START + timedelta(hours=200):%Y-%m-%dT%H:%M:%SZ}",
    }
    empty = client.get(f"{base}customMetricsBatchSummary/").json()
    assert [one["value"] for one in empty["metrics"]] == [None, None]


def test_a_year_reads_as_many_rows_as_it_has_days(client: APIClient, deployment: Deployment) -> None:
    metric = Metric(client, deployment, type="sum")
    end = START + timedelta(days=50)
    hours = [end - timedelta(hours=number) for number in range(1, 365 * 24, 7)]
    metric.send([{"timestamp": moment.isoformat(), "value": 1} for moment in hours])
    start = end - timedelta(days=365)
    answer = metric.get("valuesOverTime/", start=start.isoformat(), end=end.isoformat(), bucketSize="P1M")
    assert sum(bucket["sampleSize"] for bucket in answer["buckets"]) == len(hours)
    assert CustomValue.objects.filter(grain=2).count() <= 365
    with CaptureQueriesContext(connection) as queries:
        metric.get("valuesOverTime/", start=start.isoformat(), end=end.isoformat(), bucketSize="P1M")
    read = [query["sql"] for query in queries if "customvalue" in query["sql"]]
    assert len(read) == 1
    assert "v.grain = 1" not in read[0]


@pytest.mark.parametrize(("late", "status"), [(0.1, "passing"), (0.3, "warning"), (0.6, "failing")])
def test_health_follows_the_conditions_and_the_list_shows_it(
    client: APIClient, deployment: Deployment, late: float, status: str
) -> None:
    Deployment.objects.filter(pk=deployment.pk).update(batch_monitoring=False)
    metric = Metric(client, deployment, name="Late")
    now = datetime.now(UTC)
    metric.send([{"timestamp": now.isoformat(), "value": late}])
    conditions = {
        "warningConditions": [{"metricId": metric.id, "compareOperator": "gte", "threshold": 0.3}],
        "failingConditions": [{"metricId": metric.id, "compareOperator": "gt", "threshold": 0.5}],
    }
    assert (
        client.patch(f"{metric.base}healthSettings/", {"customMetrics": conditions}, format="json").status_code == 200
    )
    assert client.get(f"{metric.base}healthSettings/").json()["customMetrics"] == conditions
    shown = client.get(metric.base).json()["customMetricsHealth"]
    assert shown["status"] == status
    assert f"Late {late:.3f}" in shown["message"]
    rows = client.get(f"/api/v2/deployments/?customMetricsHealth={status}").json()["data"]
    assert [row["id"] for row in rows] == [deployment.public_id]


def test_health_of_batches_looks_at_the_latest_batch(
    client: APIClient, deployment: Deployment, months: list[MonitoringBatch]
) -> None:
    metric = Metric(client, deployment, name="Late")
    send_predictions(deployment, [0.5], at=START, received=datetime.now(UTC), batchId=months[2].public_id)
    roll_up(deployment)
    metric.send([{"batchId": months[0].public_id, "value": 1}, {"batchId": months[2].public_id, "value": 5}])
    rule = {"failingConditions": [{"metricId": metric.id, "compareOperator": "gt", "threshold": 3}]}
    client.patch(f"{metric.base}healthSettings/", {"customMetrics": rule}, format="json")
    assert client.get(metric.base).json()["customMetricsHealth"]["message"] == "Late 5.000 > 3.000 in the last batch."


@pytest.mark.parametrize(
    ("condition", "place"),
    [
        ({"metricId": "0123456789abcdef01234567", "compareOperator": "lt", "threshold": 1}, "metricId"),
        ({"metricId": "{id}", "compareOperator": "eq", "threshold": 1}, "customMetrics.failingConditions[0]"),
        ({"metricId": "{category}", "compareOperator": "lt", "threshold": 1}, "metricId"),
    ],
)
def test_conditions_that_make_no_sense_are_refused(
    client: APIClient, deployment: Deployment, condition: dict[str, Any], place: str
) -> None:
    number = Metric(client, deployment)
    category = Metric(client, deployment, name="Kinds", type="categorical")
    text = json.dumps(condition).replace("{id}", number.id).replace("{category}", category.id)
    body = {"customMetrics": {"failingConditions": [json.loads(text)]}}
    answer = client.patch(f"{number.base}healthSettings/", body, format="json")
    assert answer.status_code == 422
    assert place in str(answer.json()["errors"])


def test_a_deleted_metric_is_gone_with_its_values_and_its_conditions(client: APIClient, deployment: Deployment) -> None:
    metric = Metric(client, deployment)
    metric.send([{"timestamp": hour(1), "value": 4, "associationId": "a"}])
    rule = {"failingConditions": [{"metricId": metric.id, "compareOperator": "gt", "threshold": 3}]}
    client.patch(f"{metric.base}healthSettings/", {"customMetrics": rule}, format="json")
    address = f"{metric.base}customMetrics/{metric.id}/"
    assert client.delete(address).status_code == 204
    assert client.get(address).status_code == 404
    assert client.get(f"{metric.base}healthSettings/").json()["customMetrics"]["failingConditions"] == []
    assert [table.objects.count() for table in (CustomMetric, CustomValue, CustomRow)] == [0, 0, 0]
    assert AuditEntry.objects.filter(action="customMetric.deleted").count() == 1


def test_a_metric_of_another_deployment_is_not_found(client: APIClient, deployment: Deployment, user: User) -> None:
    metric = Metric(client, deployment)
    other = make_deployment()
    other.roles.create(user=user, role=Role.OWNER)
    assert client.get(f"/api/v2/deployments/{other.public_id}/customMetrics/{metric.id}/").status_code == 404


def test_old_values_go_by_their_grain(client: APIClient, deployment: Deployment, settings: Any) -> None:
    metric = Metric(client, deployment)
    metric.send([{"timestamp": hour(1), "value": 4, "associationId": "a"}])
    now = datetime.now(UTC)
    settings.RETENTION_HOURS_DAYS = 2
    retention.prune(now)
    assert set(CustomValue.objects.values_list("grain", flat=True)) == {2}
    assert CustomRow.objects.count() == 1
    retention.prune(now + timedelta(days=100))
    assert CustomRow.objects.count() == 0


def test_no_condition_means_no_verdict(deployment: Deployment) -> None:
    health.refresh(deployment.pk, datetime.now(UTC))
    deployment.refresh_from_db()
    assert deployment.custom_metrics_status == "unknown"
