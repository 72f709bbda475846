"""`predictionResults/`: the rows that were sent, with their actuals, as pages and as one stream."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from deployments import batches, registry
from deployments.api.authentication import issue
from deployments.api.rows import wants_csv
from deployments.models import Deployment, Role
from tests.deployments.factories import (
    make_deployment,
    make_package,
    make_user,
    roll_up,
    send_actuals,
    send_predictions,
)

pytestmark = pytest.mark.django_db
START = (datetime.now(UTC) - timedelta(days=5)).replace(hour=0, minute=0, second=0, microsecond=0)
ROWS = 40
ACTUALS = {f"r{n:02}": "yes" if n % 3 else "no" for n in range(0, ROWS, 2)}


def at(number: int) -> datetime:
    return START + timedelta(hours=2 * number)


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
    """Forty rows over four days, in two requests, the later ones first; half of them with actuals."""
    found = make_deployment(batch_monitoring=True)
    found.roles.create(user=user, role=Role.OWNER)
    now = datetime.now(UTC)
    for numbers in (range(20, ROWS), range(20)):
        send_predictions(
            found,
            [n / ROWS for n in numbers],
            at=[at(n) for n in numbers],
            ids=[f"r{n:02}" for n in numbers],
            received=now,
        )
    send_actuals(found, ACTUALS, received=now)
    roll_up(found)
    return found


def address(deployment: Deployment) -> str:
    return f"/api/v2/deployments/{deployment.public_id}/predictionResults/"


def get(client: APIClient, deployment: Deployment, **query: Any) -> Any:
    answer = client.get(address(deployment), query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def numbers(rows: list[dict[str, Any]]) -> list[int]:
    return [int(row["associationId"][1:]) for row in rows]


def test_rows_come_in_the_order_of_time_with_their_actuals(client: APIClient, deployment: Deployment) -> None:
    answer = get(client, deployment)
    assert (answer["count"], answer["next"], answer["previous"]) == (ROWS, None, None)
    assert answer["associationIdColumnNames"] == []
    assert numbers(answer["data"]) == list(range(ROWS))
    champion = deployment.champion
    assert champion is not None
    for n, row in enumerate(answer["data"]):
        assert datetime.fromisoformat(row["timestamp"]) == at(n)
        assert (row["predicted"], row["actual"]) == ("yes" if n / ROWS > 0.5 else "no", ACTUALS.get(f"r{n:02}"))
        assert (row["modelId"], row["forecastDistance"]) == (champion.public_id, None)
        assert row["classProbabilities"] == [
            {"className": "no", "value": pytest.approx(1 - n / ROWS)},
            {"className": "yes", "value": n / ROWS},
        ]


@pytest.mark.parametrize("limit", [1, 7, 13, 40, 41])
def test_pages_meet_without_gap_or_overlap(client: APIClient, deployment: Deployment, limit: int) -> None:
    found: list[int] = []
    following: str | None = f"{address(deployment)}?limit={limit}"
    while following is not None:
        answer = client.get(following).json()
        found += numbers(answer["data"])
        following = answer["next"]
    assert found == list(range(ROWS))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"start": at(5).isoformat(), "end": at(30).isoformat()}, list(range(5, 30))),
        ({"start": (at(5) + timedelta(seconds=1)).isoformat()}, list(range(6, ROWS))),
        ({"end": at(3).isoformat(), "offset": 1}, [1, 2]),
        ({"actualsPresent": "true"}, list(range(0, ROWS, 2))),
        ({"actualsPresent": "False", "offset": 3, "limit": 4}, [7, 9, 11, 13]),
        ({"batchId": "0123456789abcdef01234567"}, []),
    ],
)
def test_filters(client: APIClient, deployment: Deployment, query: dict[str, Any], expected: list[int]) -> None:
    assert numbers(get(client, deployment, **query)["data"]) == expected


def test_batches_and_models_are_told_apart(client: APIClient, deployment: Deployment) -> None:
    batch = batches.create(deployment, make_user(), {"name": "May"})
    now = datetime.now(UTC)
    champion = deployment.champion
    assert champion is not None
    send_predictions(
        deployment,
        [0.9, 0.1],
        at=[at(1), at(39)],
        ids=["r01", "r39"],
        received=now,
        batchId=batch.public_id,
    )
    other = make_package()
    registry.replace_model(deployment, other, at(0), "ACCURACY")
    send_predictions(deployment, [0.7], at=at(2), ids=["r02"], received=now)
    send_actuals(deployment, {"r39": "yes"}, received=now)
    roll_up(deployment)
    of_batch = get(client, deployment, batchId=batch.public_id)["data"]
    assert [(row["associationId"], row["actual"]) for row in of_batch] == [("r01", None), ("r39", "yes")]
    assert numbers(get(client, deployment, modelId=other.model_id)["data"]) == [2]
    former = get(client, deployment, modelId=champion.public_id)["data"]
    assert numbers(former) == sorted([*range(ROWS), 1, 39])
    assert len(get(client, deployment)["data"]) == ROWS + 3


def test_csv_is_one_stream_of_what_json_shows(client: APIClient, deployment: Deployment) -> None:
    answer: Any = client.get(address(deployment), {"actualsPresent": "true"}, headers={"Accept": "text/csv"})
    assert answer.status_code == 200
    assert answer.streaming
    assert isinstance(answer.streaming_content, Iterator)
    assert answer["Content-Type"] == "text/csv"
    table = pl.read_csv(io.BytesIO(b"".join(answer.streaming_content)))
    shown = get(client, deployment, actualsPresent="true")["data"]
    assert table.columns[:6] == ["timestamp", "modelId", "associationId", "predicted", "actual", "forecastDistance"]
    assert table.select(table.columns[:5]).rows() == [tuple(row[name] for name in table.columns[:5]) for row in shown]
    assert table["prediction_yes"].to_list() == [row["classProbabilities"][1]["value"] for row in shown]


def test_csv_of_nothing_is_a_header(client: APIClient, user: User) -> None:
    empty = make_deployment("Regression")
    empty.roles.create(user=user, role=Role.OWNER)
    answer: Any = client.get(address(empty), headers={"Accept": "text/csv"})
    assert b"".join(answer.streaming_content) == b"timestamp,modelId,associationId,predicted,actual,forecastDistance\n"


@pytest.mark.parametrize(("kind", "predicted", "actual"), [("Regression", 1.5, 2.0), ("Multiclass", "green", "blue")])
def test_other_targets(client: APIClient, user: User, kind: str, predicted: Any, actual: Any) -> None:
    deployment = make_deployment(kind)
    deployment.roles.create(user=user, role=Role.OWNER)
    now = datetime.now(UTC)
    given = [1.5, 3.0] if kind == "Regression" else [[0.2, 0.5, 0.3], [0.6, 0.2, 0.2]]
    send_predictions(deployment, given, at=START, ids=["a", None], received=now)
    send_actuals(deployment, {"a": actual}, received=now)
    roll_up(deployment)
    first, second = get(client, deployment)["data"]
    assert (first["predicted"], first["actual"], second["actual"]) == (predicted, actual, None)
    assert len(first["classProbabilities"]) == (0 if kind == "Regression" else 3)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("text/csv", True),
        ("application/json", False),
        ("", False),
        ("*/*", False),
        ("text/csv, application/json;q=0.5", True),
        ("application/json, text/csv", False),
        ("application/json;q=0.2, text/csv;q=0.9", True),
        ("text/csv, */*", True),
    ],
)
def test_csv_is_given_to_those_who_prefer_it(accept: str, expected: bool) -> None:
    assert wants_csv(accept) is expected
