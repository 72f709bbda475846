"""Every operation of the reference: who may call it, what it answers, and how it refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import resolve
from pytest_django import DjangoDbBlocker

from deployments import batches, datasets
from deployments.api.authentication import issue
from deployments.custom_metrics import definitions
from deployments.custom_metrics.bodies import MetricCreate
from deployments.models import Deployment, DeploymentRole, MonitoringBatch, Role
from deployments.rollups import fill
from deployments.sharing import STRENGTH
from tests.deployments import things_of_jobs, things_of_models
from tests.deployments.factories import make_deployment, make_user, send_actuals, send_predictions, send_service
from tests.deployments.operations import CUSTOM_METRICS, MONITORING, OPERATIONS, Kind, Operation
from tests.deployments.reference import REFERENCE

SERVED = [operation for operation in OPERATIONS if operation.served]
READS = [operation for operation in SERVED if operation.method == "GET"]
CHANGES = [operation for operation in SERVED if operation.method != "GET"]
OF_ONE = [operation for operation in OPERATIONS if operation.role is not None]
UNKNOWN = "0123456789abcdef01234567"
DATA = "application/json"

WRONG: Mapping[Kind, tuple[str, ...]] = {
    Kind.HOUR: ("yesterday", "2026-03-02T09:30:00Z", "1960-01-01T00:00:00Z"),
    Kind.MOMENT: ("yesterday", "2026-13-01T00:00:00Z"),
    Kind.DURATION: ("week", "PT90M", "P0D"),
    Kind.RATIO: ("half", "1.01", "-0.1", "nan"),
    Kind.COUNT: ("many", "-1", "1.5", "9" * 40),
    Kind.FLAG: ("yes", ""),
    Kind.CHOICE: ("neverHeardOf", "\x00"),
    Kind.TEXT: ("x" * 513, "\x00"),
    Kind.WORDS: ("\x00", ",".join(map(str, range(1001)))),
    Kind.MODEL: (UNKNOWN, "\x00"),
    Kind.PACKAGE: (UNKNOWN, "\x00"),
    Kind.CLASS: ("maybe", "\x00"),
    Kind.FEATURE: ("no such feature", "age,town,age2", "", "\x00"),
    Kind.ONE_FEATURE: ("no such feature", "age,town", "", "\x00"),
    Kind.ATTRIBUTE: ("no such attribute", "\x00"),
}

BAD_BODIES: Mapping[str, list[tuple[Any, str]]] = {
    "PATCH deployments/{deploymentId}/": [
        ({"label": ""}, "label"),
        ({"label": 3}, "label"),
        ({"importance": "URGENT"}, "importance"),
        ({"description": "x" * 10_001}, "description"),
        ({"description": "\x00"}, "body"),
    ],
    "PATCH deployments/{deploymentId}/status/": [({"status": "errored"}, "status"), ({}, "status")],
    "PATCH deployments/{deploymentId}/settings/": [
        ({"biasAndFairness": {"protectedFeatures": ["age"]}}, "biasAndFairness.protectedFeatures"),
        ({"biasAndFairness": {"protectedFeatures": ["a"] * 11}}, "biasAndFairness.protectedFeatures"),
        ({"biasAndFairness": {"preferableTargetValue": "maybe"}}, "biasAndFairness.preferableTargetValue"),
        ({"biasAndFairness": {"preferableTargetValue": None}}, "biasAndFairness.preferableTargetValue"),
        ({"biasAndFairness": {"fairnessMetricsSet": "justice"}}, "biasAndFairness.fairnessMetricsSet"),
        ({"biasAndFairness": {"fairnessThreshold": 1.1}}, "biasAndFairness.fairnessThreshold"),
        ({"targetDrift": {"enabled": False}}, "biasAndFairness.protectedFeatures"),
        ({"segmentAnalysis": {"enabled": True, "attributes": ["no such"]}}, "segmentAnalysis.attributes"),
        ({"automaticActuals": 3}, "automaticActuals"),
        ({"predictionIntervals": {"percentiles": [101]}}, "predictionIntervals"),
    ],
    "PATCH deployments/{deploymentId}/healthSettings/": [
        ({"dataDrift": {"driftThreshold": 2}}, "dataDrift"),
        ({"accuracy": {"metric": "RMSE"}}, "accuracy.metric"),
        ({"predictionsTimeliness": {"expectedFrequency": "often"}}, "predictionsTimeliness.expectedFrequency"),
    ],
    "POST deployments/{deploymentId}/actuals/fromJSON/": [
        ({}, "data"),
        ({"data": []}, "data"),
        ({"data": [{"actualValue": "yes"}]}, "data[0].associationId"),
        ({"data": [{"associationId": "row-1", "actualValue": "maybe"}]}, "data[0].actualValue"),
    ],
    "POST deployments/{deploymentId}/customMetrics/": [
        ({}, "name"),
        ({"name": "x", "type": "median", "directionality": "higherIsBetter"}, "type"),
        ({"name": "x", "type": "sum"}, "directionality"),
        ({"name": "Seats", "type": "sum", "directionality": "higherIsBetter"}, "name"),
        ({"name": "x", "type": "sum", "directionality": "lowerIsBetter", "categories": ["a"]}, "categories"),
        ({"name": "x", "type": "categorical", "categories": ["a", "a"]}, "categories"),
        ({"name": "x", "type": "categorical", "timestamp": {"columnName": "t", "timeFormat": "%Q"}}, "timestamp"),
        ({"name": "x", "type": "categorical", "timeStep": "day"}, "timeStep"),
        ({"name": "\x00", "type": "categorical"}, "body"),
    ],
    "PATCH deployments/{deploymentId}/customMetrics/{customMetricId}/": [
        ({"name": ""}, "name"),
        ({"baselineValues": [{"value": "much"}]}, "baselineValues[0]"),
        ({"timestamp": {"columnName": "t", "timeFormat": "tomorrow"}}, "timestamp"),
        ({"categories": ["a"]}, "categories"),
    ],
    "POST deployments/{deploymentId}/customMetrics/{customMetricId}/fromJSON/": [
        ({}, "buckets"),
        ({"buckets": []}, "buckets"),
        ({"buckets": [{"timestamp": "{hour}"}]}, "buckets[0].value"),
        ({"buckets": [{"value": 1}]}, "buckets[0].timestamp"),
        ({"buckets": [{"value": 1, "timestamp": "yesterday"}]}, "buckets[0].timestamp"),
        ({"buckets": [{"value": 1, "timestamp": "2099-01-01T00:00:00Z"}]}, "buckets[0].timestamp"),
        ({"buckets": [{"value": "much", "timestamp": "2026-11-01T00:00:00Z"}]}, "buckets[0].value"),
        ({"buckets": [{"value": 1e200, "timestamp": "2026-11-01T00:00:00Z"}]}, "buckets[0].value"),
        ({"buckets": [{"value": 1, "sampleSize": 0, "timestamp": "2026-11-01T00:00:00Z"}]}, "buckets[0].sampleSize"),
        ({"buckets": [{"value": 1, "batchId": UNKNOWN}]}, "buckets[0].batchId"),
        ({"buckets": [{"value": 1, "batchId": UNKNOWN}], "modelId": UNKNOWN}, "modelId"),
        ({"buckets": [{"value": 1, "batchId": UNKNOWN}], "modelPackageId": UNKNOWN}, "modelPackageId"),
    ],
    "POST deployments/{deploymentId}/customMetrics/{customMetricId}/fromDataset/": [
        ({}, "datasetId"),
        ({"datasetId": UNKNOWN}, "datasetId"),
        ({"datasetId": UNKNOWN, "modelId": UNKNOWN}, "modelId"),
    ],
    "POST deployments/{deploymentId}/monitoringBatches/": [
        ({}, "batchName"),
        ({"batchName": "x" * 129}, "batchName"),
        ({"batchName": "June", "externalContextUrl": "javascript:alert(1)"}, "externalContextUrl"),
    ],
    "POST deployments/{deploymentId}/actuals/fromDataset/": [
        ({}, "datasetId"),
        ({"datasetId": UNKNOWN, "actualValueColumn": "a", "associationIdColumn": "b"}, "datasetId"),
        ({"datasetId": UNKNOWN, "actualValueColumn": "", "associationIdColumn": "b"}, "actualValueColumn"),
    ],
    "POST deployments/{deploymentId}/predictionInputs/fromDataset/": [
        ({}, "datasetId"),
        ({"datasetId": 3}, "datasetId"),
    ],
    "PATCH deployments/{deploymentId}/monitoringBatches/{monitoringBatchId}/models/{modelId}/": [
        ({"startTime": "soon"}, "startTime"),
        ({"startTime": "2026-03-02T09:30:00Z", "endTime": "2026-03-01T00:00:00Z"}, "startTime"),
    ],
    "PATCH deployments/{deploymentId}/monitoringBatches/{monitoringBatchId}/": [
        ({"batchName": ""}, "batchName"),
        ({"isLocked": "no"}, "isLocked"),
    ],
}


@dataclass(frozen=True)
class World:
    """A deployment with rows by time and in a batch, and a client for each role."""

    deployment: Deployment
    batch: MonitoringBatch
    clients: Mapping[Role, Client]
    stranger: Client
    now: datetime
    admin: Client = field(default_factory=Client)
    # by name; where several kinds share a name, with the part of the path before it: `trainingDataExports/exportId`
    ids: Mapping[str, str] = field(default_factory=dict)

    def path(self, operation: Operation, **ids: str) -> str:
        """The operation's path with real ids, those of things that are not served being made up."""
        own = {
            name.partition("/")[2]: one
            for name, one in self.ids.items()
            if f"/{name.partition('/')[0]}/" in operation.path
        }
        made_up = dict.fromkeys(("exportId", "challengerId", "customMetricId", "retrainingPolicyId", "runId"), UNKNOWN)
        asked = {"deploymentId": self.ids["textDeploymentId"]} if operation.of_text else {}
        asked |= {part: self.ids[other] for part, other in operation.instead.items()}
        return "/api/v2/" + operation.path.format(**made_up | self.known | asked | own | ids)

    @property
    def known(self) -> dict[str, str]:
        """The ids of real things, by the names that paths have for them."""
        champion = self.deployment.champion
        assert champion is not None
        mine = {"deploymentId": self.deployment.public_id, "monitoringBatchId": self.batch.public_id}
        return {**mine, "modelId": champion.public_id, **self.ids}

    def call(self, operation: Operation, client: Client | None = None, query: Any = None, **ids: str) -> Any:
        """The operation's answer with its example, to an owner unless told otherwise."""
        return send(
            client or (self.admin if operation.admin else self.clients[Role.OWNER]),
            operation,
            self.path(operation, **ids),
            {**operation.example, **(query or {})},
            self.filled(operation.body),
        )

    def filled(self, body: Any) -> Any:
        """An example body with real ids in the place of `{…}`."""
        text = json.dumps(body)
        for name, value in self.ids.items():
            text = text.replace("{" + name + "}", value)
        return json.loads(text)


def send(client: Client, operation: Operation, path: str, query: Mapping[str, Any], body: Any) -> Any:
    """One request."""
    more = {} if operation.method == "GET" else {"data": {} if body is None else body, "content_type": DATA}
    return getattr(client, operation.method.lower())(path, query_params=query, **more)


def client_of(role: Role | None, deployment: Deployment) -> Client:
    """A client with the token of a new person who has this role."""
    user = make_user()
    if role is not None:
        DeploymentRole.objects.create(deployment=deployment, user=user, role=role)
    return Client(headers={"Authorization": f"Bearer {issue(user, 'test')}"}, raise_request_exception=False)


def administrator() -> Client:
    token = issue(make_user(is_superuser=True), "test")
    return Client(headers={"Authorization": f"Bearer {token}"}, raise_request_exception=False)


def build() -> World:
    """Twenty predictions by time and ten in a batch, half of them with actuals, and two service events."""
    now = datetime.now(UTC)
    at = now - timedelta(hours=3)
    deployment = make_deployment(
        segments=True,
        place=True,
        batch_monitoring=True,
        started_at=now - timedelta(days=30),
        more_settings={"biasAndFairness": {"protectedFeatures": ["town"], "preferableTargetValue": "yes"}},
    )
    owner = make_user()
    batch = batches.create(deployment, owner, {"name": "April"})
    predicted = [i / 20 for i in range(20)]
    ages, towns = [20.0 + i for i in range(20)], ["Oslo", "Bergen"] * 10
    named = [f"row-{i}" for i in range(20)]
    send_predictions(
        deployment, predicted, at=at, ids=named, ages=ages, towns=towns, places=["59.9,10.7"] * 20, received=now
    )
    send_predictions(
        deployment,
        predicted[:10],
        at=at,
        ids=[f"batch-{i}" for i in range(10)],
        ages=ages[:10],
        received=now,
        batchId=batch.public_id,
    )
    send_service(
        deployment,
        [
            {"timestamp": at.isoformat(), "numPredictions": 20, "executionTime": 12.0},
            {"timestamp": at.isoformat(), "userError": True, "executionTime": 1.0},
        ],
        received=now,
    )
    send_actuals(deployment, {name: "yes" if i % 3 else "no" for i, name in enumerate(named[:10])}, received=now)
    assert fill.run(deployment.pk, now)
    deployment.refresh_from_db()
    clients = {role: client_of(role, deployment) for role in Role}
    ids = things_of(deployment, now)
    return World(deployment, batch, clients, client_of(None, deployment), now, administrator(), ids)


def things_of(deployment: Deployment, now: datetime) -> dict[str, str]:
    """What else paths and bodies of examples name: a custom metric, and a dataset that any of the callers may use."""
    metric = definitions.create(deployment, None, MetricCreate("Seats", "average", "higherIsBetter"))
    holder = deployment.roles.get(role=Role.USER).user
    assert holder is not None
    rows = f"value,timestamp,row,prediction_yes,bought\n3,{now.isoformat()},a,0.5,yes\n".encode()
    dataset = datasets.store(rows, "values.csv", "text/csv", holder)
    texts = make_deployment("TextGeneration")
    for role in deployment.roles.all():
        texts.roles.create(user=role.user, role=role.role)
    return {
        "customMetricId": metric.public_id,
        "datasetId": dataset.public_id,
        "hour": now.isoformat(),
        "textDeploymentId": texts.public_id,
        **things_of_jobs.made(deployment, holder),
        **things_of_models.made(deployment, now),
    }


@pytest.fixture(scope="module")
def built(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """One world for all tests here: each runs inside this transaction and takes back what it did."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield build()
        transaction.set_rollback(True)


@pytest.fixture
def world(built: World, db: None) -> World:
    return built


def named(operations: list[Operation]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("operation", operations, ids=[operation.name for operation in operations])


def assert_is_error(answer: Any, status: int) -> dict[str, Any]:
    """The one shape of all errors; returns the body."""
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/json"
    body: dict[str, Any] = answer.json()
    assert set(body) == {"message", "errors"}
    assert body["message"]
    assert isinstance(body["errors"], dict)
    return body


def test_every_operation_of_the_reference_has_one_row() -> None:
    assert len(REFERENCE) == len(OPERATIONS) == 113
    assert {operation.name for operation in OPERATIONS} == set(REFERENCE)


@named(READS)
def test_wrong_values_of_every_parameter_of_the_reference_are_tried(operation: Operation) -> None:
    assert set(REFERENCE[operation.name]) <= set(operation.query)


@named(OPERATIONS)
def test_every_operation_has_a_route_that_declares_its_role(operation: Operation) -> None:
    path = "/api/v2/" + operation.path.replace("{", "").replace("}", "")
    view: Any = getattr(resolve(path).func, "view_class", None)
    assert view is not None, f"{path} goes nowhere"
    assert operation.method.lower() in view.http_method_names
    assert hasattr(view, operation.method.lower())
    if operation.served and operation.role is not None:
        assert view.roles[operation.method] == operation.role


@named(OPERATIONS)
def test_the_weakest_role_that_may_call_it_gets_the_answer_of_the_reference(world: World, operation: Operation) -> None:
    answer = world.call(operation, world.admin if operation.admin else world.clients[operation.role or Role.CONSUMER])
    if not operation.served:
        body = assert_is_error(answer, 501)
        assert "not served by this version" in body["message"]
        return
    assert answer.status_code == operation.status, answer.content
    if operation.keys:
        assert set(operation.keys.split()) <= set(answer.json())
    if operation.is_file:
        assert b"".join(answer.streaming_content)
    elif operation.status == 200:
        assert answer.content.strip().startswith(b"{")


@named([operation for operation in OF_ONE if operation.role not in (None, Role.CONSUMER)])
def test_weaker_roles_are_told_that_they_may_not(world: World, operation: Operation) -> None:
    assert operation.role is not None
    for role in Role:
        if STRENGTH[role] < STRENGTH[operation.role]:
            body = assert_is_error(world.call(operation, world.clients[role]), 403)
            assert operation.role in body["message"]


@named([operation for operation in OPERATIONS if operation.admin])
def test_who_is_no_administrator_is_told_so(world: World, operation: Operation) -> None:
    assert_is_error(world.call(operation, world.clients[Role.OWNER]), 403)


@named(OF_ONE)
def test_a_stranger_does_not_learn_that_the_deployment_exists(world: World, operation: Operation) -> None:
    unseen = assert_is_error(world.call(operation, world.stranger), 404)
    assert unseen == assert_is_error(world.call(operation, deploymentId=UNKNOWN), 404)


@named(OPERATIONS)
def test_without_a_token_nothing_is_told(world: World, operation: Operation) -> None:
    answer = world.call(operation, Client())
    assert_is_error(answer, 401)
    assert answer["WWW-Authenticate"].startswith("Bearer")


@named([operation for operation in SERVED if operation.path.count("{") > 1])
def test_an_unknown_thing_of_a_deployment_is_not_found(world: World, operation: Operation) -> None:
    for name in set(re.findall(r"{(\w+)}", operation.path)) - {"deploymentId"}:
        path = world.path(operation, **{name: UNKNOWN})
        answer = send(world.clients[Role.OWNER], operation, path, operation.example, world.filled(operation.body))
        assert_is_error(answer, 404)


@pytest.mark.parametrize(
    ("operation", "name", "kind"),
    [
        pytest.param(operation, name, kind, id=f"{operation.path}?{name}")
        for operation in READS
        for name, kind in operation.query.items()
    ],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_parameter(
    world: World, operation: Operation, name: str, kind: Kind
) -> None:
    more = (
        {"segmentValue": "x"} if kind is Kind.ATTRIBUTE else {"segmentAttribute": "x"} if name == "segmentValue" else {}
    )
    for value in WRONG[kind]:
        answer = world.call(operation, query=more | {name: value})
        found = assert_is_error(answer, 422)["errors"]
        aliases = {name, "targetClass"} if name == "targetClasses" else {name}
        assert aliases & set(found), (value, found)


@pytest.mark.parametrize(
    ("operation", "body", "place"),
    [
        pytest.param(operation, body, place, id=f"{operation.name} {str(body)[:40]}")
        for operation in CHANGES
        for body, place in {**BAD_BODIES, **things_of_jobs.REFUSED, **things_of_models.REFUSED}.get(operation.name, [])
    ],
)
def test_a_wrong_body_is_refused_by_its_place(world: World, operation: Operation, body: Any, place: str) -> None:
    client = world.admin if operation.admin else world.clients[Role.OWNER]
    answer = send(client, operation, world.path(operation), {}, body)
    errors = assert_is_error(answer, 422)["errors"]
    assert any(name == place or name.startswith(f"{place}.") for name in errors), errors


@named([operation for operation in CHANGES if operation.method != "DELETE"])
def test_a_body_that_is_no_json_object_is_refused(world: World, operation: Operation) -> None:
    for raw in (b"{", b"[]", b'"text"', b"\xff\xfe"):
        path, client = world.path(operation), world.admin if operation.admin else world.clients[Role.OWNER]
        answer = getattr(client, operation.method.lower())(path, data=raw, content_type=DATA)
        assert_is_error(answer, 422)


def good_values(world: World) -> dict[str, str]:
    """A good value for every parameter of the monitoring operations."""
    end = (world.now + timedelta(hours=1)).replace(minute=0, second=0, microsecond=0)
    champion = world.deployment.champion
    assert champion is not None
    return {
        "start": (end - timedelta(days=2)).isoformat(),
        "end": end.isoformat(),
        "bucketSize": "P1D",
        "modelId": champion.public_id,
        "modelPackageId": champion.package.public_id,
        "batchId": world.batch.public_id,
        "segmentAttribute": "town",
        "segmentValue": "Oslo",
        "targetClass": "yes",
        "targetClasses": "yes",
        "featureNames": "age,town",
        "includePercentiles": "True",
        "limit": "1",
        "offset": "1",
        "metric": "psi",
        "driftMetric": "psi",
        "fairnessMetric": "equalParity",
        "geoFeatureName": "place",
        "featureName": "age",
        "protectedFeature": "town",
        "includePrivilegedClass": "true",
        "onlyStatisticallySignificant": "False",
        "quantile": "0.9",
        "threshold": "100",
        "executionTimeQuantile": "0.9",
        "responseTimeQuantile": "1",
        "slowRequestsThreshold": "50",
    }


@named([*MONITORING, *(one for one in CUSTOM_METRICS if one.method == "GET")])
def test_a_good_question_with_every_parameter_is_answered(world: World, operation: Operation) -> None:
    good = good_values(world)
    if "servicestats" in operation.path.lower():
        good |= {"metric": "slowRequests", "segmentAttribute": "DataRobot-Consumer"}
    if "accuracy" in operation.path:
        good |= {"metric": "AUC"}
    if "humility" in operation.path:
        good |= {"segmentAttribute": "DataRobot-Consumer"}
    if "fairness" in operation.path:
        good |= {"orderBy": "-relativeFairnessScore"}
    answer = world.call(operation, query={name: good[name] for name in operation.query})
    assert answer.status_code == 200, answer.content


def extended(path: str) -> set[str]:
    """Methods that are an extension at a path of the reference."""
    return {"POST"} if path == "predictionServers/" else set()


def test_methods_that_a_path_does_not_have_are_refused_as_json(world: World) -> None:
    methods: dict[str, set[str]] = {}
    for operation in OPERATIONS:
        methods.setdefault(operation.path, set()).add(operation.method)
    for operation in OPERATIONS:
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - methods[operation.path] - extended(operation.path):
            strange = Operation(method, operation.path)
            assert_is_error(world.call(strange), 405)


def test_an_address_that_nothing_is_at_is_refused_as_json(world: World) -> None:
    one = f"/api/v2/deployments/{world.deployment.public_id}/"
    for path in ("/api/v2/nothing/", f"{one}nothing/", "/api/v2/deployments/%00/", f"{one}monitoringBatches/%00/"):
        assert_is_error(world.clients[Role.OWNER].get(path), 404)
    elsewhere = world.clients[Role.OWNER].get("/api/v1/version/")
    assert (elsewhere.status_code, elsewhere["Content-Type"]) == (404, "application/json")
    assert elsewhere.json()["message"]
