"""Humility rules and prediction warnings: what is answered to a sender, and what is counted of the same rows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient

from deployments.baselines import Holdout, bounds_on
from deployments.blocks import decode
from deployments.models import AuditEntry, Block, BlockKind, Deployment, HumilityRule, ModelPackage, Role
from deployments.registration import PackageSpec, register
from deployments.rollups import fill
from metrics import TargetType
from tests.deployments.api.conftest import member
from tests.deployments.factories import make_deployment
from tests.deployments.test_registry import upload

pytestmark = pytest.mark.django_db
AT = datetime.now(UTC).replace(minute=5, second=0, microsecond=0) - timedelta(hours=3)
UNCERTAIN = {"type": "uncertainPrediction", "lower": 40, "upper": 60}
OUTLYING = {"type": "outlyingInput", "lower": 0, "upper": 1}
RARE = {"type": "lowObservationRegion", "values": ["1"]}
NOTHING = {"type": "noOperation"}
ERROR = {"type": "throwError"}


def humble(user: User, kind: str = "Regression", **more: Any) -> Deployment:
    deployment = make_deployment(kind, more_settings={"humility": {"enabled": True}, **more})
    deployment.roles.create(user=user, role=Role.OWNER)
    return deployment


def url(deployment: Deployment, tail: str = "") -> str:
    return f"/api/v2/deployments/{deployment.public_id}/{tail}"


def make_rule(client: APIClient, deployment: Deployment, name: str, trigger: Any, action: Any = NOTHING) -> str:
    body = {"name": name, "trigger": trigger, "action": action}
    answer = client.post(url(deployment, "humilityRules/"), body, format="json")
    assert answer.status_code == 201, answer.content
    return str(answer.json()["id"])


def send(client: APIClient, deployment: Deployment, predicted: Any, **more: Any) -> Any:
    """Predictions through the JSON door; features as `age=[…]`, `town=[…]`."""
    features = [{"name": name, "values": more.pop(name)} for name in ("age", "town") if name in more]
    item = {"timestamp": AT.isoformat(), "predictions": predicted, "features": features, **more}
    answer = client.post(url(deployment, "predictionInputs/fromJSON/"), {"data": [item]}, format="json")
    assert answer.status_code == 202, answer.content
    return answer.json()


def counted(client: APIClient, deployment: Deployment, query: str = "") -> dict[str, int]:
    assert fill.run(deployment.pk, timezone.now())
    answer = client.get(url(deployment, f"humilityStats/?{query}"))
    assert answer.status_code == 200, answer.content
    return {row["ruleName"]: row["value"] for row in answer.json()["data"]}


def stored(deployment: Deployment, kind: BlockKind = BlockKind.PREDICTIONS) -> pl.DataFrame:
    blocks = Block.objects.filter(deployment_id=deployment.pk, kind=kind).order_by("id")
    return pl.concat([decode(bytes(block.payload)) for block in blocks], how="diagonal_relaxed")


# --- What applies -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "trigger", "rows", "applies"),
    [
        ("Regression", UNCERTAIN, {"predicted": [39, 40, 50, 60, 61, None]}, [0, 4]),
        ("Binary", {**UNCERTAIN, "lower": 0.4, "upper": 0.6}, {"predicted": [0.39, 0.4, 0.5, 0.6, 0.61]}, [1, 2, 3]),
        (
            "Regression",
            {"type": "outlyingInput", "featureName": "age", "lower": 20, "upper": 60},
            {"predicted": [1] * 5, "age": [19, 20, 60, 61, None]},
            [0, 3],
        ),
        (
            "Multiclass",
            {"type": "lowObservationRegion", "featureName": "town", "values": ["Oslo", "Bergen"]},
            {"predicted": [[0.2, 0.3, 0.5]] * 4, "town": ["Oslo", "Rome", None, "Bergen"]},
            [1, 2],
        ),
        (
            "Regression",
            {"type": "lowObservationRegion", "featureName": "town", "values": ["Oslo"]},
            {"predicted": [1, 2]},  # a feature that was not sent says nothing
            [],
        ),
    ],
)
def test_a_rule_applies_to_the_rows_that_it_describes(
    client: APIClient, user: User, kind: str, trigger: Any, rows: Mapping[str, Any], applies: list[int]
) -> None:
    deployment = humble(user, kind)
    rule = make_rule(client, deployment, "doubt", trigger)
    told = send(client, deployment, **rows)["humility"]
    assert [row["row"] for row in told["rows"]] == applies
    assert all(row["ruleIds"] == [rule] and row["statusCode"] == 200 for row in told["rows"])
    assert (told["triggeredCount"], told["errorCount"], told["omittedCount"]) == (len(applies), 0, 0)
    assert counted(client, deployment) == {"doubt": len(applies)}


def test_the_first_rule_that_changes_the_value_wins_and_every_rule_counts(client: APIClient, user: User) -> None:
    deployment = humble(user)
    first = make_rule(client, deployment, "first", {**UNCERTAIN, "upper": 80}, {"type": "override", "value": 1})
    noop = make_rule(client, deployment, "noop", UNCERTAIN)
    second = make_rule(client, deployment, "second", UNCERTAIN, {"type": "override", "value": 2.5})
    told = send(client, deployment, [50, 70, 90])["humility"]["rows"]
    assert told == [
        {"data": 0, "row": 1, "ruleIds": [noop, second], "statusCode": 200, "overriddenValue": 2.5},
        {"data": 0, "row": 2, "ruleIds": [first, noop, second], "statusCode": 200, "overriddenValue": 1.0},
    ]
    assert counted(client, deployment) == {"first": 1, "noop": 2, "second": 2}
    client.patch(url(deployment, "humilityRules/"), {"ruleIds": [second, noop, first]}, format="json")
    assert send(client, deployment, [90])["humility"]["rows"][0]["overriddenValue"] == 2.5


def test_an_error_beats_every_override_and_counts_as_a_480(client: APIClient, user: User) -> None:
    deployment = humble(user)
    make_rule(client, deployment, "override", UNCERTAIN, {"type": "override", "value": 0})
    make_rule(client, deployment, "error", {**UNCERTAIN, "lower": 0}, ERROR)
    told = send(client, deployment, [30, 50, 70, -1])["humility"]
    assert [(row["row"], row["statusCode"], row["overriddenValue"]) for row in told["rows"]] == [
        (0, 200, 0.0),
        (2, 480, None),
        (3, 480, None),
    ]
    assert told["errorCount"] == 2
    assert stored(deployment, BlockKind.SERVICE)["status"].to_list() == [480]
    fill.run(deployment.pk, timezone.now())
    service = client.get(url(deployment, "serviceStats/")).json()["metrics"]
    assert (service["totalRequests"], service["userErrorRate"], service["totalPredictions"]) == (1, 1, 0)


def test_the_prediction_is_stored_as_the_model_made_it(client: APIClient, user: User) -> None:
    deployment = humble(user)
    rule = make_rule(client, deployment, "far", UNCERTAIN, {"type": "override", "value": 50})
    send(client, deployment, [10, 50])
    rows = stored(deployment)
    assert rows["p"].to_list() == [10, 50]
    assert rows["o"].to_list() == [50, None]
    assert rows[f"h:{HumilityRule.objects.get(public_id=rule).pk}"].to_list() == [True, False]
    fill.run(deployment.pk, timezone.now())
    bucket = client.get(url(deployment, "predictionsOverTime/?bucketSize=P7D")).json()["buckets"][0]
    assert bucket["meanPredictedValue"] == 30


def test_a_class_may_take_the_place_of_a_prediction(client: APIClient, user: User) -> None:
    deployment = humble(user, "Binary")
    trigger = {"type": "lowObservationRegion", "featureName": "town", "values": ["Oslo"]}
    make_rule(client, deployment, "unknown town", trigger, {"type": "override", "value": True})
    told = send(client, deployment, [0.1, 0.1], town=["Oslo", "Rome"])["humility"]["rows"]
    assert [(row["row"], row["overriddenValue"]) for row in told] == [(1, "yes")]
    assert stored(deployment)["o"].to_list() == [None, "yes"]


def test_the_same_request_is_answered_the_same_and_counts_once(client: APIClient, user: User) -> None:
    deployment = humble(user)
    rule = make_rule(client, deployment, "far", UNCERTAIN)
    item = {"timestamp": AT.isoformat(), "predictions": [1, 50]}
    body = {"requestId": "once", "data": [item]}
    path = url(deployment, "predictionInputs/fromJSON/")
    first = client.post(path, body, format="json").json()
    client.delete(url(deployment, f"humilityRules/{rule}/"))
    assert client.post(path, body, format="json").json() == first
    assert counted(client, deployment) == {"far": 1}


def test_files_tell_the_number_of_the_row_and_refuse_its_request(client: APIClient, user: User) -> None:
    deployment = humble(user)
    make_rule(client, deployment, "far", UNCERTAIN, ERROR)
    table = pl.DataFrame(
        {
            "timestamp": [AT.isoformat()] * 4,
            "request_id": ["a", "a", "b", "c"],
            "prediction": [50.0, 99.0, 50.0, 1.0],
            "status_code": [200, 200, 200, 500],
            "consumer": ["x", "x", "y", "y"],
        }
    )
    answer = client.post(
        url(deployment, "predictionInputs/fromFile/"), table.write_csv().encode(), content_type="text/csv"
    ).json()
    assert [row["row"] for row in answer["humility"]["rows"]] == [1, 3]
    events = stored(deployment, BlockKind.SERVICE)
    assert (events["status"].to_list(), events["n"].to_list()) == ([480, 200, 500], [1, 1, 0])
    bare = table.select("timestamp", "prediction").write_csv().encode()
    answer = client.post(url(deployment, "predictionInputs/fromFile/"), bare, content_type="text/csv").json()
    assert (answer["rows"], answer["humility"]["errorCount"]) == (4, 2)
    assert stored(deployment, BlockKind.SERVICE)["status"].to_list() == [480, 200, 500, 480, 480]


def test_without_the_setting_nothing_is_evaluated(client: APIClient, user: User) -> None:
    deployment = humble(user, humility={"enabled": False})
    make_rule(client, deployment, "far", UNCERTAIN)
    assert "humility" not in send(client, deployment, [1])
    assert counted(client, deployment) == {"far": 0}


# --- Statistics ---------------------------------------------------------------------------------------------------


def test_counts_by_time_consumer_and_model_are_those_of_the_rows(client: APIClient, user: User) -> None:
    rng = np.random.default_rng(3)
    deployment = humble(user, segmentAnalysis={"enabled": True, "attributes": []})
    names = {
        "far": make_rule(client, deployment, "far", UNCERTAIN),
        "old": make_rule(
            client, deployment, "old", {"type": "outlyingInput", "featureName": "age", "lower": 0, "upper": 60}
        ),
    }
    p, age = rng.normal(50, 10, 300).round(2), rng.uniform(20, 80, 300).round(1)
    hours, who = rng.integers(0, 3, 300), rng.choice(["ada", "bob"], 300)
    hit = {"far": (p < 40) | (p > 60), "old": age > 60}
    times = [(AT - timedelta(hours=int(hour))).isoformat() for hour in hours]
    item = {
        "timestamps": times,
        "predictions": p.tolist(),
        "features": [{"name": "age", "values": age.tolist()}],
        "segments": [
            {"name": "consumer", "values": who.tolist()},
            {"name": "hostIp", "values": ["10.0.0.1"] * 300},
        ],
    }
    client.post(url(deployment, "predictionInputs/fromJSON/"), {"data": [item]}, format="json")
    assert counted(client, deployment) == {name: int(mask.sum()) for name, mask in hit.items()}
    for person in ("ada", "bob"):
        query = f"segmentAttribute=DataRobot-Consumer&segmentValue={person}"
        expected = {name: int(mask[who == person].sum()) for name, mask in hit.items()}
        assert counted(client, deployment, query) == expected
    host = "segmentAttribute=DataRobot-Host-IP&segmentValue="
    assert counted(client, deployment, host + "10.0.0.1")["far"] == int(hit["far"].sum())
    assert counted(client, deployment, host + "10.0.0.2")["far"] == 0
    start = (AT - timedelta(hours=2)).replace(minute=0)
    asked = {"start": start.isoformat(), "end": (start + timedelta(hours=3)).isoformat(), "bucketSize": "PT1H"}
    over = client.get(url(deployment, "humilityStatsOverTime/"), asked).json()
    for place, bucket in enumerate(over["buckets"]):
        own = hours == 2 - place
        assert {row["ruleId"]: row["value"] for row in bucket["values"]} == {
            names[name]: int(mask[own].sum()) for name, mask in hit.items()
        }
    assert [row["value"] for row in over["summary"]["values"]] == [int(mask.sum()) for mask in hit.values()]


def test_a_rule_keeps_its_counts_when_it_is_changed_or_deleted(client: APIClient, user: User) -> None:
    deployment = humble(user)
    rule = make_rule(client, deployment, "far", UNCERTAIN)
    send(client, deployment, [1, 50])
    change = {"name": "farther", "trigger": {**UNCERTAIN, "lower": 0}}
    assert client.patch(url(deployment, f"humilityRules/{rule}/"), change, format="json").status_code == 200
    send(client, deployment, [2, 99])
    assert counted(client, deployment) == {"farther": 2}
    assert client.delete(url(deployment, f"humilityRules/{rule}/")).status_code == 204
    assert send(client, deployment, [1])["humility"]["rows"] == []
    assert counted(client, deployment) == {"farther": 2}
    assert client.get(url(deployment, "humilityRules/")).json()["data"] == []
    assert client.get(url(deployment, f"humilityRules/{rule}/")).status_code == 404
    long_ago = "start=2026-01-01T00:00:00Z&end=2026-01-02T00:00:00Z"
    assert counted(client, deployment, long_ago) == {}
    actions = AuditEntry.objects.filter(deployment=deployment, action__startswith="humility")
    assert list(actions.order_by("pk").values_list("action", flat=True)) == [
        "humilityRule.created",
        "humilityRule.updated",
        "humilityRule.deleted",
    ]


# --- Rules --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "trigger", "action", "place"),
    [
        ("Regression", {"type": "gutFeeling"}, NOTHING, "trigger.type"),
        ("Regression", {**UNCERTAIN, "lower": 60}, NOTHING, "trigger.lower"),
        ("Regression", {"type": "uncertainPrediction", "lower": 3}, NOTHING, "trigger.upper"),
        ("Regression", {"type": "uncertainPrediction"}, NOTHING, "trigger.lower"),  # no holdout to calculate from
        ("Multiclass", UNCERTAIN, NOTHING, "trigger.type"),
        ("Regression", {**OUTLYING, "featureName": "town"}, NOTHING, "trigger.featureName"),
        ("Regression", OUTLYING, NOTHING, "trigger.featureName"),
        ("Regression", {**RARE, "featureName": "age"}, NOTHING, "trigger.featureName"),
        ("Regression", {"type": "lowObservationRegion", "featureName": "town"}, NOTHING, "trigger.values"),
        ("Regression", UNCERTAIN, {"type": "override"}, "action.value"),
        ("Regression", UNCERTAIN, {"type": "override", "value": "ten"}, "action.value"),
        ("Binary", {**UNCERTAIN, "lower": 0}, {"type": "override", "value": "maybe"}, "action.value"),
        ("Regression", UNCERTAIN, {"type": "shrug"}, "action.type"),
    ],
)  # fmt: skip
def test_a_rule_that_does_not_fit_is_refused_by_its_place(
    client: APIClient, user: User, kind: str, trigger: Any, action: Any, place: str
) -> None:
    deployment = humble(user, kind)
    body = {"name": "rule", "trigger": trigger, "action": action}
    answer = client.post(url(deployment, "humilityRules/"), body, format="json")
    assert answer.status_code == 422, answer.content
    assert list(answer.json()["errors"]) == [place]
    assert not HumilityRule.objects.exists()


def test_there_are_ten_rules_at_most_and_the_order_names_each_once(client: APIClient, user: User) -> None:
    deployment = humble(user)
    ids = [make_rule(client, deployment, f"rule {number}", UNCERTAIN) for number in range(10)]
    body = {"name": "one more", "trigger": UNCERTAIN, "action": NOTHING}
    path = url(deployment, "humilityRules/")
    assert list(client.post(path, body, format="json").json()["errors"]) == ["name"]
    for wrong in ([], ids[:9], [*ids[:9], ids[0]], [*ids[:9], "0" * 24]):
        answer = client.patch(path, {"ruleIds": wrong}, format="json")
        assert list(answer.json()["errors"]) == ["ruleIds"], wrong
    turned = list(reversed(ids))
    answer = client.patch(path, {"ruleIds": turned}, format="json")
    assert [row["id"] for row in answer.json()["data"]] == turned
    client.delete(url(deployment, f"humilityRules/{ids[3]}/"))
    assert client.post(path, body, format="json").status_code == 201
    assert [row["name"] for row in client.get(path).json()["data"]][-1] == "one more"


def test_only_owners_change_rules(client: APIClient, user: User) -> None:
    deployment = humble(user)
    rule = make_rule(client, deployment, "far", UNCERTAIN)
    reader = member(deployment, Role.USER)
    assert reader.get(url(deployment, "humilityRules/")).json()["totalCount"] == 1
    assert reader.get(url(deployment, f"humilityRules/{rule}/")).json()["trigger"]["lower"] == 40
    assert reader.post(url(deployment, "humilityRules/"), {}, format="json").status_code == 403
    assert reader.patch(url(deployment, "humilityRules/"), {"ruleIds": []}, format="json").status_code == 403
    assert reader.patch(url(deployment, f"humilityRules/{rule}/"), {}, format="json").status_code == 403
    assert reader.delete(url(deployment, f"humilityRules/{rule}/")).status_code == 403


# --- Calculated bounds ------------------------------------------------------------------------------------------------


def registered(user: User, kind: str) -> tuple[ModelPackage, Any, Any]:
    """A package with 400 training and holdout rows; also the ages of training and the holdout's predictions."""
    rng = np.random.default_rng(11)
    age = rng.normal(40, 9, 400)
    p = rng.beta(2, 5, 400) if kind == "Binary" else rng.normal(100, 20, 400)
    y = ["yes" if hit else "no" for hit in rng.random(400) < p] if kind == "Binary" else p + rng.normal(0, 5, 400)
    table = pl.DataFrame({"age": age, "y": y, "prediction": p})
    dataset = upload(table, "rows.parquet", user).public_id
    body = {
        "name": "calculated",
        "target": {"name": "y", "type": kind, **({"predictionThreshold": 0.3} if kind == "Binary" else {})},
        "features": [{"name": "age", "type": "Numeric"}],
        "trainingDatasetId": dataset,
        "holdoutDatasetId": dataset,
    }
    return register(msgspec.convert(body, PackageSpec), user), age, p


def deployed(client: APIClient, package: ModelPackage) -> Deployment:
    body = {"modelPackageId": package.public_id, "label": "calculated"}
    made = client.post("/api/v2/deployments/fromModelPackage/", body, format="json").json()
    return Deployment.objects.get(public_id=made["id"])


def test_calculated_bounds_are_quantiles_of_holdout_and_training(client: APIClient, user: User) -> None:
    package, age, p = registered(user, "Regression")
    deployment = deployed(client, package)
    make_rule(client, deployment, "far", {"type": "uncertainPrediction"})
    make_rule(client, deployment, "old", {"type": "outlyingInput", "featureName": "age"})
    far, old = (row["trigger"] for row in client.get(url(deployment, "humilityRules/")).json()["data"])
    assert [far["lower"], far["upper"]] == pytest.approx(np.quantile(p, [0.05, 0.95]).tolist())
    assert [old["lower"], old["upper"]] == pytest.approx(np.quantile(age, [0.05, 0.95]).tolist())
    assert far["isCalculated"] is old["isCalculated"] is True


def test_probabilities_are_uncertain_around_the_threshold(user: User) -> None:
    package, _, p = registered(user, "Binary")
    lower, upper = package.prediction_baseline["bounds"]["uncertain"]
    assert lower < 0.3 < upper
    assert ((p >= lower) & (p <= 0.3)).mean() == pytest.approx(0.05, abs=0.005)
    assert ((p > 0.3) & (p <= upper)).mean() == pytest.approx(0.05, abs=0.005)


def test_an_empty_holdout_gives_no_bounds() -> None:
    nothing = np.empty(0)
    assert bounds_on(Holdout(TargetType.REGRESSION, nothing, nothing)) == {}


# --- Prediction warnings ----------------------------------------------------------------------------------------------


def warned(client: APIClient, deployment: Deployment) -> list[int]:
    assert fill.run(deployment.pk, timezone.now())
    answer = client.get(url(deployment, "predictionsOverTime/?bucketSize=P7D")).json()
    return [bucket["predictionsWarningCount"] for bucket in answer["buckets"]]


def test_predictions_outside_the_boundaries_are_flagged_from_then_on(client: APIClient, user: User) -> None:
    deployment = make_deployment("Regression")
    deployment.roles.create(user=user, role=Role.OWNER)
    assert "predictionWarnings" not in send(client, deployment, [-5, 500])
    change = {"predictionWarning": {"enabled": True, "customBoundaries": {"lower": 0, "upper": 100}}}
    assert client.patch(url(deployment, "settings/"), change, format="json").status_code == 202
    told = send(client, deployment, [-1, 0, 100, 101, None])["predictionWarnings"]
    assert told == {"count": 2, "rows": [{"data": 0, "row": 0}, {"data": 0, "row": 3}], "omittedCount": 0}
    assert warned(client, deployment) == [2]
    change = {"predictionWarning": {"customBoundaries": {"lower": 0, "upper": 1}}}
    client.patch(url(deployment, "settings/"), change, format="json")
    assert warned(client, deployment) == [2]


def test_without_own_boundaries_the_rarest_of_the_holdout_are_warned_of(client: APIClient, user: User) -> None:
    package, _, p = registered(user, "Regression")
    deployment = deployed(client, package)
    change = {"predictionWarning": {"enabled": True}}
    assert client.patch(url(deployment, "settings/"), change, format="json").status_code == 202
    lower, upper = np.quantile(p, [0.005, 0.995])
    sent = np.random.default_rng(12).normal(100, 30, 500)
    answer = send(client, deployment, sent.tolist())
    outside = (sent < lower) | (sent > upper)
    assert outside.any()
    assert [row["row"] for row in answer["predictionWarnings"]["rows"]] == np.flatnonzero(outside).tolist()
    assert warned(client, deployment) == [int(outside.sum())]


def test_warnings_are_for_regressions_only(client: APIClient, user: User) -> None:
    deployment = make_deployment("Binary")
    deployment.roles.create(user=user, role=Role.OWNER)
    answer = client.patch(url(deployment, "settings/"), {"predictionWarning": {"enabled": True}}, format="json")
    assert list(answer.json()["errors"]) == ["predictionWarning.enabled"]


def test_without_boundaries_and_holdout_nothing_is_warned_of(client: APIClient, user: User) -> None:
    deployment = make_deployment("Regression", more_settings={"predictionWarning": {"enabled": True}})
    deployment.roles.create(user=user, role=Role.OWNER)
    assert send(client, deployment, [-1e9, 1e9])["predictionWarnings"]["count"] == 0
    assert warned(client, deployment) == [0]


def test_batches_count_warnings_too(client: APIClient, user: User) -> None:
    chosen = {"predictionWarning": {"enabled": True, "customBoundaries": {"lower": 0, "upper": 1}}}
    deployment = make_deployment("Regression", more_settings=chosen, batch_monitoring=True)
    deployment.roles.create(user=user, role=Role.OWNER)
    batch = client.post(url(deployment, "monitoringBatches/"), {"batchName": "May"}, format="json").json()["id"]
    send(client, deployment, [0.5, 2, 3], batchId=batch)
    assert fill.run(deployment.pk, timezone.now())
    (bucket,) = client.get(url(deployment, "predictionsOverBatch/")).json()["buckets"]
    assert bucket["predictionsWarningCount"] == 2
