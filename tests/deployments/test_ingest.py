"""The doors through which data comes in, over HTTP: what is taken, what is refused and how it is said."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
import polars as pl
import pytest
from django.test import Client
from django.utils import timezone

from deployments import jobs
from deployments.api.authentication import digest
from deployments.blocks import decode
from deployments.ingest.shape import CONSUMER
from deployments.models import ApiToken, Block, BlockKind, Deployment, DeploymentRole, Job, JobState, Role
from deployments.rollups import fill
from deployments.rollups.read import Scope, accuracy_over
from tests.deployments.factories import make_deployment, make_user

pytestmark = pytest.mark.django_db
Post = Callable[..., Any]


@pytest.fixture
def deployment() -> Deployment:
    return make_deployment()


def client_for(deployment: Deployment, role: Role = Role.USER) -> Client:
    user = make_user()
    DeploymentRole.objects.create(deployment=deployment, user=user, role=role)
    ApiToken.objects.create(user=user, name="test", digest=digest(f"token{user.pk}"), prefix="token")
    return Client(headers={"Authorization": f"Bearer token{user.pk}"})


@pytest.fixture
def post(deployment: Deployment) -> Post:
    client = client_for(deployment)

    def send(door: str, body: Any, content_type: str = "application/json", query: str = "", **headers: str) -> Any:
        raw = body if isinstance(body, bytes) else orjson.dumps(body)
        return client.post(
            f"/api/v2/deployments/{deployment.public_id}/{door}/{query}", raw, content_type, headers=headers
        )

    return send


def recently(minutes: int = 90) -> str:
    return (timezone.now() - timedelta(minutes=minutes)).isoformat()


def columns(**more: Any) -> dict[str, Any]:
    item = {
        "timestamp": recently(),
        "features": [{"name": "age", "values": [30, 40.5]}, {"name": "town", "values": ["Oslo", None]}],
        "predictions": [[0.2, 0.8], [0.6, 0.4]],
        "associationIds": ["a", "b"],
    }
    return {"data": [item | more]}


def rows_of(deployment: Deployment, kind: BlockKind = BlockKind.PREDICTIONS) -> pl.DataFrame:
    return decode(Block.objects.get(deployment_id=deployment.pk, kind=kind).payload)


def test_predictions_are_stored_as_they_were_sent(deployment: Deployment, post: Post) -> None:
    answer = post("predictionInputs/fromJSON", columns())
    assert answer.status_code == 202, answer.content
    assert answer.json()["rows"] == 2
    rows = rows_of(deployment)
    assert rows["p"].to_list() == [0.8, 0.4]
    assert rows["f:age"].to_list() == [30.0, 40.5]
    assert rows["f:town"].to_list() == ["Oslo", None]
    assert rows["id"].to_list() == ["a", "b"]


def test_the_order_of_classes_can_be_given(deployment: Deployment, post: Post) -> None:
    assert post("predictionInputs/fromJSON", columns(classNames=["yes", "no"])).status_code == 202
    assert rows_of(deployment)["p"].to_list() == [0.2, 0.6]


def test_one_number_a_row_is_the_positive_class(deployment: Deployment, post: Post) -> None:
    assert post("predictionInputs/fromJSON", columns(predictions=[0.3, 0.9])).status_code == 202
    assert rows_of(deployment)["p"].to_list() == [0.3, 0.9]


@pytest.mark.parametrize(
    "timestamp",
    ["2026-01-02 03:04:05.678+0000", "2026-01-02T03:04:05Z", "2026-01-02T05:04:05+02:00", "2026-01-02 03:04:05"],
)
def test_times_are_understood_in_all_the_spellings_of_clients(
    deployment: Deployment, post: Post, timestamp: str
) -> None:
    Deployment.objects.update(keep_rows_days=3650)
    assert post("predictionInputs/fromJSON", columns(timestamp=timestamp)).status_code == 202
    block = Block.objects.get(deployment_id=deployment.pk)
    assert block.first_at.isoformat().startswith("2026-01-02T03:04:05")


def test_unknown_columns_are_ignored_and_said(post: Post) -> None:
    extra = columns()["data"][0]["features"] + [{"name": "shoe size", "values": [40, 41]}]
    assert post("predictionInputs/fromJSON", columns(features=extra)).json()["ignoredColumns"] == ["shoe size"]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"features": [{"name": "age", "values": [30, "40"]}]}, "data[0].features[age][1]"),
        ({"features": [{"name": "age", "values": [30]}]}, "data[0].features[age]"),
        ({"predictions": [[0.2, 0.8], [0.6]]}, "data[0].predictions[1]"),
        ({"predictions": [[0.2, 1.8], [0.6, 0.4]]}, "data[0].predictions[0][1]"),
        ({"classNames": ["yes", "maybe"]}, "data[0].classNames"),
        ({"associationIds": ["a", "b" * 129]}, "data[0].associationIds[1]"),
        ({"associationIds": ["a"]}, "data[0].associationIds"),
        ({"timestamp": "yesterday"}, "data[0].timestamp"),
        ({"timestamp": "2001-01-01T00:00:00Z"}, "data[0].timestamp"),
        ({"timestamp": "2150-01-01T00:00:00Z"}, "data[0].timestamp"),
        ({"modelId": "0" * 24}, "data[0].modelId"),
        ({"batchId": "0" * 24}, "data[0].batchId"),
        ({"predictions": [], "features": [], "associationIds": []}, "data[0]"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_stored(
    deployment: Deployment, post: Post, change: dict[str, Any], place: str
) -> None:
    answer = post("predictionInputs/fromJSON", columns(**change))
    assert answer.status_code == 422, answer.content
    assert place in answer.json()["errors"]
    assert not Block.objects.filter(deployment_id=deployment.pk).exists()


def test_a_body_that_is_no_json_is_refused(post: Post) -> None:
    assert post("predictionInputs/fromJSON", b"{").status_code == 422


def test_more_rows_than_allowed_are_refused(post: Post, settings: Any) -> None:
    settings.MAX_JSON_ROWS = 1
    assert post("predictionInputs/fromJSON", columns()).status_code == 413


def test_the_same_request_counts_once(deployment: Deployment, post: Post) -> None:
    body = columns() | {"requestId": "r1"}
    first, second = post("predictionInputs/fromJSON", body), post("predictionInputs/fromJSON", body)
    assert first.status_code == second.status_code == 202
    assert first.json() == second.json()
    assert Block.objects.filter(deployment_id=deployment.pk).count() == 1


def test_a_request_id_may_come_in_the_header(deployment: Deployment, post: Post) -> None:
    body = columns()
    for _ in range(2):
        assert post("predictionInputs/fromJSON", body, **{"Idempotency-Key": "r1"}).status_code == 202
    assert Block.objects.filter(deployment_id=deployment.pk).count() == 1


def test_a_request_id_with_another_body_is_a_conflict(post: Post) -> None:
    post("predictionInputs/fromJSON", columns() | {"requestId": "r1"})
    answer = post("predictionInputs/fromJSON", columns(predictions=[0.1, 0.2]) | {"requestId": "r1"})
    assert answer.status_code == 409


def test_a_locked_batch_takes_no_rows(deployment: Deployment, post: Post) -> None:
    Deployment.objects.update(batch_monitoring=True)
    batch = deployment.batches.create(name="January")
    assert post("predictionInputs/fromJSON", columns(batchId=batch.public_id)).status_code == 202
    deployment.batches.update(is_locked=True)
    assert post("predictionInputs/fromJSON", columns(batchId=batch.public_id)).status_code == 422


@pytest.mark.parametrize(("role", "status"), [(Role.OWNER, 202), (Role.USER, 202), (Role.CONSUMER, 403)])
def test_consumers_may_not_send(deployment: Deployment, role: Role, status: int) -> None:
    client = client_for(deployment, role)
    url = f"/api/v2/deployments/{deployment.public_id}/predictionInputs/fromJSON/"
    assert client.post(url, columns(), "application/json").status_code == status


def test_strangers_see_nothing_there(deployment: Deployment) -> None:
    client = client_for(make_deployment())
    url = f"/api/v2/deployments/{deployment.public_id}/predictionInputs/fromJSON/"
    assert client.post(url, columns(), "application/json").status_code == 404


TABLE = pl.DataFrame(
    {
        "association_id": ["a", "b", "c"],
        "age": [30.0, 40.5, None],
        "town": ["Oslo", None, "Rome"],
        "prediction_yes": [0.8, 0.4, 0.5],
        "response_time": [12.0, 12.0, 30.0],
        "request_id": ["r1", "r1", "r2"],
        "consumer": ["ana", "ana", "ben"],
    }
)


def as_file(table: pl.DataFrame, media_type: str) -> bytes:
    out = io.BytesIO()
    if media_type == "text/csv":
        table.write_csv(out)
    elif media_type == "application/x-ndjson":
        table.write_ndjson(out)
    else:
        table.write_parquet(out)
    return out.getvalue()


@pytest.mark.parametrize("media_type", ["text/csv", "application/x-ndjson", "application/vnd.apache.parquet"])
def test_a_file_is_the_same_in_every_format(deployment: Deployment, post: Post, media_type: str) -> None:
    table = TABLE.with_columns(timestamp=pl.lit(recently()))
    answer = post("predictionInputs/fromFile", as_file(table, media_type), media_type)
    assert answer.status_code == 202, answer.content
    rows = rows_of(deployment)
    assert rows["p"].to_list() == [0.8, 0.4, 0.5]
    assert rows["f:age"].to_list() == [30.0, 40.5, None]
    assert rows["f:town"].to_list() == ["Oslo", None, "Rome"]
    assert rows["s:" + CONSUMER].to_list() == ["ana", "ana", "ben"]
    events = rows_of(deployment, BlockKind.SERVICE)
    assert events["n"].to_list() == [2, 1]
    assert events["response"].to_list() == [12.0, 30.0]


def test_a_file_over_several_days_is_cut_by_day(deployment: Deployment, post: Post) -> None:
    times = [recently(60 * 24 * day + 60) for day in (3, 1, 2)]
    table = TABLE.select("association_id", "prediction_yes").with_columns(timestamp=pl.Series(times))
    assert post("predictionInputs/fromFile", as_file(table, "text/csv"), "text/csv").status_code == 202
    assert Block.objects.filter(deployment_id=deployment.pk).count() == 3


@pytest.mark.parametrize(
    ("body", "media_type", "place"),
    [
        (b"age,prediction_yes\nold,0.5\n", "text/csv", "age[0]"),
        (b"timestamp,prediction_yes\nlater,0.5\n", "text/csv", "timestamp[0]"),
        (b"prediction_yes\n1.5\n", "text/csv", "prediction_yes[0]"),
        (b"PAR1 is not enough", "application/vnd.apache.parquet", "file"),
        (b"a,b\n", "text/csv", "file"),
        (b"{}", "application/json", "Content-Type"),
    ],
)
def test_a_bad_file_is_refused_with_the_reason(post: Post, body: bytes, media_type: str, place: str) -> None:
    answer = post("predictionInputs/fromFile", body, media_type)
    assert answer.status_code == 422, answer.content
    assert place in answer.json()["errors"]


def test_service_events_come_as_rows(deployment: Deployment, post: Post) -> None:
    body = {"data": [{"timestamp": recently(), "numPredictions": 3, "executionTime": 5.5}, {"timestamp": recently()}]}
    assert post("predictionRequests/fromJSON", body).status_code == 202
    events = rows_of(deployment, BlockKind.SERVICE)
    assert events["n"].to_list() == [3, 0]
    assert events["status"].to_list() == [200, 200]


def test_service_events_come_as_files(deployment: Deployment, post: Post) -> None:
    file = f"timestamp,num_predictions,status_code\n{recently()},0,422\n".encode()
    assert post("predictionRequests/fromFile", file, "text/csv").status_code == 202
    assert rows_of(deployment, BlockKind.SERVICE)["status"].to_list() == [422]


@pytest.mark.parametrize("value", ["yes", True, 1, "true"])
def test_actuals_are_followed_by_a_job_and_matched(deployment: Deployment, post: Post, value: Any) -> None:
    post("predictionInputs/fromJSON", columns())
    answer = post("actuals/fromJSON", {"data": [{"associationId": "a", "actualValue": value}]})
    assert answer.status_code == 202, answer.content
    assert "/api/v2/status/" in answer["Location"]
    fill.run(deployment.pk, timezone.now())
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    window = (now - timedelta(hours=4), now + timedelta(hours=1))
    assert deployment.champion is not None
    state = accuracy_over(Scope(deployment, deployment.champion), [window])[0]
    assert state.actual_class_counts.tolist() == [0, 1]


def test_an_actual_of_an_unknown_class_is_refused(post: Post) -> None:
    answer = post("actuals/fromJSON", {"data": [{"associationId": "a", "actualValue": "maybe"}]})
    assert answer.status_code == 422
    assert "data[0].actualValue" in answer.json()["errors"]


def test_the_same_actuals_answer_the_same_job(post: Post) -> None:
    body = {"data": [{"associationId": "a", "actualValue": "yes"}], "requestId": "r1"}
    assert post("actuals/fromJSON", body)["Location"] == post("actuals/fromJSON", body)["Location"]


def test_actuals_come_as_files(deployment: Deployment, post: Post) -> None:
    answer = post("actuals/fromFile", b"association_id,actual_value\na,yes\nb,no\n", "text/csv")
    assert answer.status_code == 202, answer.content
    assert rows_of(deployment, BlockKind.ACTUALS)["y"].to_list() == ["yes", "no"]


def test_the_job_of_actuals_is_done_when_they_are_matched(deployment: Deployment, post: Post) -> None:
    post("predictionInputs/fromJSON", columns())
    where = post("actuals/fromJSON", {"data": [{"associationId": "a", "actualValue": "yes"}]})["Location"]
    job = Job.objects.get(deployment=deployment, kind="actuals")
    assert where.endswith(f"/status/{job.public_id}/")
    assert jobs.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.result) == (JobState.COMPLETED, f"/api/v2/deployments/{deployment.public_id}/")
    assert deployment.ingest_requests.get(kind=BlockKind.ACTUALS).matched == 1


def test_actuals_beyond_the_hourly_limit_wait_for_the_next_hour(post: Post, settings: Any) -> None:
    settings.ACTUALS_PER_HOUR = 3
    two = {"data": [{"associationId": f"a{row}", "actualValue": "yes"} for row in range(2)]}
    assert post("actuals/fromJSON", two).status_code == 202
    refused = post("actuals/fromJSON", two)
    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= 3600
    assert "ACTUALS_PER_HOUR" in refused.json()["message"]
    one = {"data": [{"associationId": "b", "actualValue": "yes"}]}
    assert post("actuals/fromJSON", one).status_code == 202
