"""Every read by segment: live rows against the same segment of training and holdout; "" is the missing value."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest
from django.contrib.auth.models import User
from django.test import override_settings
from rest_framework.test import APIClient
from sklearn import metrics as sk

from deployments import batches, datasets, registration, registry
from deployments.models import Deployment, MonitoringBatch
from deployments.registration import PackageSpec
from metrics import drift_scores
from tests.deployments.api.test_figures import ask
from tests.deployments.factories import (
    HOUR,
    NOW,
    make_deployment,
    roll_up,
    send_actuals,
    send_predictions,
    send_service,
)

pytestmark = pytest.mark.django_db
CLASSES = ["red", "green", "blue"]
PERIOD = "start=2026-03-02T00:00:00Z&end=2026-03-03T00:00:00Z"
NEAR = 1e-9
TOWNS: list[str | None] = ["Oslo", "Bergen", None]


class Rows:
    """Some rows: town (often absent), age by town, probabilities and what happened."""

    def __init__(self, n: int, number: int) -> None:
        rng = np.random.default_rng(number)
        self.towns = [TOWNS[place] for place in rng.integers(0, 3, n)]
        shift = np.array([{"Oslo": 0.0, "Bergen": 8.0, None: -5.0}[town] for town in self.towns])
        self.ages = np.round(rng.normal(40, 6, n) + shift + number, 1)
        self.p = np.round(rng.dirichlet([2, 1.5, 1], n), 4)
        self.p[:, 2] = 1 - self.p[:, 0] - self.p[:, 1]
        self.y = np.array([rng.choice(3, p=np.abs(row) / np.abs(row).sum()) for row in self.p])

    @property
    def table(self) -> pl.DataFrame:
        columns = {f"prediction_{name}": self.p[:, place] for place, name in enumerate(CLASSES)}
        happened = [CLASSES[y] for y in self.y]
        return pl.DataFrame({"town": self.towns, "age": self.ages, "colour": happened, **columns})

    def of(self, town: str | None) -> Any:
        return np.array([one == town for one in self.towns])


TRAINING, HOLDOUT, LIVE = Rows(600, 0), Rows(300, 1), Rows(240, 2)


@pytest.fixture
def deployment(user: User) -> Deployment:
    """Registered with training and holdout, fed with rows by time and the same rows as a batch."""
    ids = {}
    for name, rows in (("training", TRAINING), ("holdout", HOLDOUT)):
        out = io.BytesIO()
        rows.table.write_parquet(out)
        ids[name] = datasets.store(out.getvalue(), f"{name}.parquet", "", user).public_id
    body = {
        "name": "Colours",
        "target": {"name": "colour", "type": "Multiclass", "classNames": CLASSES},
        "features": [{"name": "age", "type": "Numeric"}, {"name": "town", "type": "Categorical"}],
        "trainingDatasetId": ids["training"],
        "holdoutDatasetId": ids["holdout"],
        "segmentAttributes": ["town"],
    }
    package = registration.register(msgspec.convert(body, PackageSpec), user)
    made = registry.create_deployment(
        package, "Colours", user, started_at=NOW - timedelta(days=9), batch_monitoring=True
    )
    made.attributes.update(since=NOW - timedelta(days=9))
    batch = batches.create(made, user, {"name": "one"})
    homes: list[dict[str, Any]] = [{}, {"batchId": batch.public_id}]
    for start, more in enumerate(homes):
        send_predictions(
            made,
            LIVE.p.tolist(),
            at=HOUR,
            ids=[f"{start}-{i}" for i in range(240)],
            ages=LIVE.ages.tolist(),
            towns=LIVE.towns,
            **more,
        )
        send_actuals(made, {f"{start}-{i}": CLASSES[y] for i, y in enumerate(LIVE.y)})
    roll_up(made)
    return made


def segment(town: str | None) -> str:
    return f"{PERIOD}&segmentAttribute=town&segmentValue={town or ''}"


@pytest.mark.parametrize("town", TOWNS, ids=str)
def test_accuracy_and_its_baseline_are_those_of_the_segment(
    client: APIClient, deployment: Deployment, town: str | None
) -> None:
    answer = ask(client, deployment, f"accuracyOverTime/?metric=LogLoss&bucketSize=P1D&{segment(town)}")
    live, held = LIVE.of(town), HOLDOUT.of(town)
    assert answer["buckets"][0]["sampleSize"] == live.sum()
    assert answer["buckets"][0]["value"] == pytest.approx(sk.log_loss(LIVE.y[live], LIVE.p[live]), abs=NEAR)
    before = answer["baselines"][0]
    assert before["sampleSize"] == held.sum()
    assert before["value"] == pytest.approx(sk.log_loss(HOLDOUT.y[held], HOLDOUT.p[held]), abs=NEAR)
    assert answer["segmentValue"] == (town or "")
    whole = ask(client, deployment, f"accuracy/?{segment(town)}")["metrics"]["LogLoss"]
    assert (whole["value"], whole["baselineValue"]) == (answer["buckets"][0]["value"], before["value"])
    change = 100 * (before["value"] - whole["value"]) / before["value"]
    assert whole["percentChange"] == pytest.approx(change, abs=0.005)


def test_a_class_of_a_segment_has_a_baseline_of_its_own(client: APIClient, deployment: Deployment) -> None:
    held, live = HOLDOUT.of("Oslo"), LIVE.of("Oslo")
    answer = ask(client, deployment, f"accuracyOverTime/?metric=AUC&bucketSize=P1D&targetClass=green&{segment('Oslo')}")
    wanted = sk.roc_auc_score(HOLDOUT.y[held] == 1, HOLDOUT.p[held][:, 1])
    assert answer["baselines"][0]["perClass"] == [{"className": "green", "value": pytest.approx(wanted, abs=NEAR)}]
    assert answer["baseline"]["valuePerClass"] == {"green": pytest.approx(wanted, abs=NEAR)}
    wanted = sk.roc_auc_score(LIVE.y[live] == 1, LIVE.p[live][:, 1])
    assert answer["buckets"][0]["valuePerClass"] == {"green": pytest.approx(wanted, abs=NEAR)}


def test_chosen_classes_are_compared_with_the_same_classes_of_the_holdout(
    client: APIClient, deployment: Deployment
) -> None:
    answer = ask(client, deployment, f"accuracy/?{PERIOD}&targetClasses=red,blue")
    assert answer["targetClasses"] == "red,blue"
    found = answer["metrics"]["AUC"]
    aucs = {k: sk.roc_auc_score(HOLDOUT.y == k, HOLDOUT.p[:, k]) for k in (0, 2)}
    support = {k: (HOLDOUT.y == k).sum() for k in (0, 2)}
    wanted = sum(aucs[k] * support[k] for k in (0, 2)) / sum(support.values())
    assert found["baselineValue"] == pytest.approx(wanted, abs=NEAR)
    assert found["percentChange"] is not None


@pytest.mark.parametrize("town", TOWNS, ids=str)
def test_drift_compares_with_the_same_segment_of_training(
    client: APIClient, deployment: Deployment, town: str | None
) -> None:
    rows = ask(client, deployment, f"featureDrift/?{segment(town)}")["data"]
    age = next(row for row in rows if row["name"] == "age")
    assert deployment.champion is not None
    bins = registry.baseline_of(deployment.champion.package).features["age"].bins
    group = np.zeros(1000, np.int64)
    before = bins.tally(TRAINING.ages[TRAINING.of(town)], group[: TRAINING.of(town).sum()], 1)[0]
    now = bins.tally(LIVE.ages[LIVE.of(town)], group[: LIVE.of(town).sum()], 1)
    assert age["driftScore"] == pytest.approx(drift_scores("psi", before, now)[0], abs=NEAR)
    assert (age["sampleSize"], age["baselineSampleSize"]) == (LIVE.of(town).sum(), TRAINING.of(town).sum())
    over = ask(client, deployment, f"featureDriftOverTime/?featureNames=age&bucketSize=P1D&{segment(town)}")
    assert over["buckets"][0]["driftScore"] == age["driftScore"]
    target = ask(client, deployment, f"targetDrift/?{segment(town)}")
    assert (target["sampleSize"], target["baselineSampleSize"]) == (LIVE.of(town).sum(), HOLDOUT.of(town).sum())


def test_predictions_stand_beside_the_holdout_of_the_segment(client: APIClient, deployment: Deployment) -> None:
    answer = ask(client, deployment, f"predictionsOverTime/?bucketSize=P1D&{segment('Bergen')}")
    held, live = HOLDOUT.of("Bergen"), LIVE.of("Bergen")
    assert (answer["baselines"][0]["rowCount"], answer["buckets"][0]["rowCount"]) == (held.sum(), live.sum())
    means = [row["value"] for row in answer["baselines"][0]["meanProbabilities"]]
    assert means == pytest.approx(HOLDOUT.p[held].mean(axis=0).tolist(), abs=NEAR)
    versus = ask(client, deployment, f"predictionsVsActualsOverTime/?bucketSize=P1D&{segment('Bergen')}")
    counts = [row["count"] for row in versus["baselines"][0]["actualClassDistribution"]]
    assert counts == np.bincount(HOLDOUT.y[held], minlength=3).tolist()


BY_BATCH = (
    "accuracyOverBatch/?metric=LogLoss&",
    "featureDriftOverBatch/?featureNames=age&",
    "predictionsOverBatch/?",
    "predictionsVsActualsOverBatch/?",
)


@pytest.mark.parametrize("tail", BY_BATCH)
def test_reads_by_batch_answer_by_segment_too(client: APIClient, deployment: Deployment, tail: str) -> None:
    batch = MonitoringBatch.objects.get(deployment=deployment)
    asked = f"{tail}batchId={batch.public_id}&segmentAttribute=town"
    for town in TOWNS:
        bucket = ask(client, deployment, f"{asked}&segmentValue={town or ''}")["buckets"][0]
        size = next(bucket[name] for name in ("sampleSize", "rowCount", "rowCountTotal") if name in bucket)
        assert size == LIVE.of(town).sum()


EMPTY = (
    ("accuracyOverTime/?metric=LogLoss&", ("buckets", 0, "sampleSize"), 0),
    ("accuracy/?", ("metrics", "LogLoss", "value"), None),
    ("featureDrift/?", ("data", 0, "driftScore"), None),
    ("targetDrift/?", ("driftScore",), None),
    ("predictionsOverTime/?", ("buckets", 0, "rowCount"), 0),
    ("predictionsVsActualsOverTime/?", ("summary", "rowCountTotal"), 0),
)


@pytest.mark.parametrize(("tail", "place", "value"), EMPTY)
def test_a_value_that_never_came_gives_an_empty_answer(
    client: APIClient, deployment: Deployment, tail: str, place: tuple[Any, ...], value: Any
) -> None:
    answer = ask(client, deployment, f"{tail}{segment('Atlantis')}")
    for step in place:
        answer = answer[step]
    assert answer == value


def test_an_attribute_of_service_events_is_none_of_predictions(client: APIClient, deployment: Deployment) -> None:
    tail = f"accuracy/?{PERIOD}&segmentAttribute=DataRobot-Remote-IP&segmentValue=10.0.0.1"
    answer = client.get(f"/api/v2/deployments/{deployment.public_id}/{tail}")
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["segmentAttribute"])


def test_service_events_answer_by_consumer_and_addresses(client: APIClient, deployment: Deployment) -> None:
    event = {"numPredictions": 1, "executionTime": 5.0}
    send_service(
        deployment,
        [
            event | {"consumer": "a@example.org", "remoteIp": "10.0.0.1", "hostIp": "10.0.1.1"},
            event | {"consumer": "b@example.org", "remoteIp": "10.0.0.1"},
            event,
        ],
    )
    roll_up(deployment)
    for attribute, value, wanted in (
        ("DataRobot-Consumer", "a@example.org", 1),
        ("DataRobot-Remote-IP", "10.0.0.1", 2),
        ("DataRobot-Host-IP", "", 2),
    ):
        tail = f"serviceStats/?{PERIOD}&segmentAttribute={attribute}&segmentValue={value}"
        assert ask(client, deployment, tail)["metrics"]["totalRequests"] == wanted


def test_the_values_offered_are_those_in_the_range(client: APIClient, deployment: Deployment) -> None:
    later = HOUR + timedelta(hours=2)
    send_predictions(deployment, [[1, 0, 0]], at=later, towns=["Voss"])
    roll_up(deployment)

    def offered(query: str) -> list[str]:
        rows = ask(client, deployment, f"segmentValues/?segmentAttribute=town{query}")["data"]
        return [row["value"] for row in rows]

    assert offered("") == ["", "Bergen", "Oslo", "Voss"]
    assert offered("&start=2026-03-02T11:00:00Z&end=2026-03-02T12:00:00Z") == ["Voss"]
    assert offered("&start=2026-03-02T00:00:00Z&end=2026-03-02T10:00:00Z") == ["", "Bergen", "Oslo"]
    assert offered("&start=2026-03-02T00:00:00Z&end=2026-03-03T00:00:00Z") == ["", "Bergen", "Oslo", "Voss"]
    assert offered("&start=2026-03-03T00:00:00Z&end=2026-03-04T00:00:00Z") == []


@override_settings(MAX_SEGMENT_VALUES=3)
def test_values_beyond_the_limit_are_counted_and_asked_for_together(user: User, client: APIClient) -> None:
    deployment = make_deployment(segments=True)
    deployment.attributes.update(since=NOW - timedelta(days=1))
    deployment.roles.create(user=user, role="OWNER")
    towns = [f"town{i}" for i in range(5)]
    send_predictions(deployment, [0.5] * 5, towns=towns)
    roll_up(deployment)
    answer = ask(client, deployment, f"predictionsOverTime/?{segment('Other values')}&bucketSize=P1D")
    assert answer["buckets"][0]["rowCount"] == 2
