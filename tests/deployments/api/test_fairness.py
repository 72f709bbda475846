"""Fairness over HTTP is what a loop over the same rows gives, row by row, and its health follows the rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from deployments import health, segments
from deployments.models import Deployment, Role
from tests.deployments.factories import HOUR, NOW, make_deployment, roll_up, send_actuals, send_predictions

pytestmark = pytest.mark.django_db
PERIOD = "start=2026-03-02T00:00:00Z&end=2026-03-03T00:00:00Z"
METRICS = (
    "proportionalParity",
    "equalParity",
    "favorableClassBalance",
    "unfavorableClassBalance",
    "trueFavorableRateParity",
    "trueUnfavorableRateParity",
    "favorablePredictiveValueParity",
    "unfavorablePredictiveValueParity",
)


@dataclass(frozen=True)
class Seen:
    """One prediction as its sender knows it; `y` is None while the actual is not known."""

    at: datetime
    town: str
    p: float
    y: bool | None


def fair(user: User, wanted: Any = "yes", **rule: Any) -> Deployment:
    """A deployment whose towns are protected."""
    chosen = {"protectedFeatures": ["town"], "preferableTargetValue": wanted, **rule}
    deployment = make_deployment(more_settings={"biasAndFairness": chosen})
    deployment.attributes.update(protected_since=NOW - timedelta(days=30))
    deployment.roles.create(user=user, role=Role.OWNER)
    return deployment


def ask(client: APIClient, deployment: Deployment, query: str = "") -> Any:
    answer = client.get(f"/api/v2/deployments/{deployment.public_id}/fairnessScoresOverTime/?{PERIOD}&{query}")
    assert answer.status_code == 200, answer.content
    return answer.json()


def made_up() -> list[Seen]:
    """900 rows over three hours in three towns that fare differently; two in three have an actual."""
    rng = np.random.default_rng(5)
    rows = []
    for i in range(900):
        town = ("Oslo", "Bergen", "Narvik")[i % 3]
        p = round(float(rng.beta(2 + i % 3, 3)), 3)
        y = bool(rng.random() < p) if rng.random() < 0.66 else None
        rows.append(Seen(HOUR + timedelta(hours=i % 2), town, p, y))
    return rows


def send(deployment: Deployment, rows: Sequence[Seen], name: str = "row") -> None:
    ids = [f"{name}-{i}" for i in range(len(rows))]
    send_predictions(
        deployment, [one.p for one in rows], at=[r.at for r in rows], ids=ids, towns=[r.town for r in rows]
    )
    known = {key: "yes" if row.y else "no" for key, row in zip(ids, rows, strict=True) if row.y is not None}
    if known:
        send_actuals(deployment, known)
    roll_up(deployment)


def by_hand(rows: Sequence[Seen], metric: str, wanted: bool) -> float:
    """The absolute score of some rows, by its definition."""
    decided = [((row.p > 0.5) == wanted, row) for row in rows]
    known = [(fav, row) for fav, row in decided if row.y is not None]
    chance: Callable[[Seen], float] = lambda row: row.p if wanted else 1 - row.p  # noqa: E731
    of: dict[str, list[Any]] = {
        "proportionalParity": [fav for fav, _ in decided],
        "favorableClassBalance": [chance(row) for _, row in known if row.y is wanted],
        "unfavorableClassBalance": [chance(row) for _, row in known if row.y is not wanted],
        "trueFavorableRateParity": [fav for fav, row in known if row.y is wanted],
        "trueUnfavorableRateParity": [not fav for fav, row in known if row.y is not wanted],
        "favorablePredictiveValueParity": [row.y is wanted for fav, row in known if fav],
        "unfavorablePredictiveValueParity": [row.y is not wanted for fav, row in known if not fav],
    }
    if metric == "equalParity":
        return float(sum(fav for fav, _ in decided))
    return float(sum(of[metric]) / len(of[metric]))


@pytest.mark.parametrize("wanted", ["yes", "no", True])
@pytest.mark.parametrize("metric", METRICS)
def test_every_class_has_the_score_of_its_rows(client: APIClient, user: User, metric: str, wanted: Any) -> None:
    deployment, rows = fair(user, wanted), made_up()
    send(deployment, rows)
    favourable = wanted in ("yes", True)
    answer = ask(client, deployment, f"fairnessMetric={metric}&protectedFeature=town&bucketSize=PT1H")
    assert (answer["favorableTargetOutcome"], answer["protectedFeature"]) == (wanted, "town")
    parts = [(answer["summary"], rows)]
    filled = [bucket for bucket in answer["buckets"] if bucket["scores"]]
    assert [bucket["period"]["start"] for bucket in filled] == ["2026-03-02T09:00:00Z", "2026-03-02T10:00:00Z"]
    parts += [(bucket, [row for row in rows if row.at == HOUR + timedelta(hours=i)]) for i, bucket in enumerate(filled)]
    for part, own in parts:
        expected = {town: by_hand([r for r in own if r.town == town], metric, favourable) for town in found_in(own)}
        assert {one["label"]: one["absoluteValue"] for one in part["scores"]} == pytest.approx(expected)
        rows_of = {one["label"]: one["sampleSize"] for one in part["scores"]}
        needs = metric not in ("proportionalParity", "equalParity")
        assert rows_of == {
            town: sum(r.town == town and (not needs or r.y is not None) for r in own) for town in found_in(own)
        }
        significant = [town for town, n in rows_of.items() if n >= 100]
        best = max((expected[town] for town in significant), default=None)
        for one in part["scores"]:
            relative = None if best is None else expected[one["label"]] / best
            assert one["value"] == (None if relative is None else pytest.approx(relative))
            assert one["isStatisticallySignificant"] is (one["label"] in significant)


def found_in(rows: Sequence[Seen]) -> list[str]:
    return sorted({row.town for row in rows})


def test_a_feature_has_the_score_of_its_worst_class(client: APIClient, user: User) -> None:
    deployment, rows = fair(user, fairnessThreshold=0.9), made_up()
    send(deployment, rows)
    shares = {town: by_hand([r for r in rows if r.town == town], "proportionalParity", True) for town in found_in(rows)}
    relative = {town: share / max(shares.values()) for town, share in shares.items()}
    (one,) = ask(client, deployment)["summary"]["scores"]
    worst = min(relative, key=lambda town: relative[town])
    assert one["label"] == "town"
    assert one["value"] == pytest.approx(relative[worst])
    assert one["absoluteValue"] == pytest.approx(shares[worst])
    assert one["privilegedClass"] == max(relative, key=lambda town: relative[town])
    assert one["classesCount"] == one["totalCount"] == 3
    assert one["healthyClassesCount"] == one["healthyCount"] == sum(value >= 0.9 for value in relative.values())
    assert (one["sampleSize"], one["message"], one["isStatisticallySignificant"]) == (900, None, True)


def test_late_and_corrected_actuals_restate_the_hour_of_their_prediction(client: APIClient, user: User) -> None:
    deployment = fair(user)
    rows = [Seen(HOUR, "Oslo", 0.9 if i % 2 else 0.1, None) for i in range(120)]
    send(deployment, rows)
    tail = "fairnessMetric=trueFavorableRateParity&protectedFeature=town&bucketSize=PT1H"
    assert ask(client, deployment, tail)["summary"] == {
        **ask(client, deployment, tail)["summary"],
        "scores": [],
        "message": "Undefined: Oslo.",
    }
    send_actuals(deployment, {f"row-{i}": "yes" for i in range(120)}, received=NOW + timedelta(days=2))
    roll_up(deployment)
    assert ask(client, deployment, tail)["summary"]["scores"][0]["absoluteValue"] == 0.5
    send_actuals(deployment, {f"row-{i}": "no" for i in range(0, 120, 2)}, received=NOW + timedelta(days=3))
    roll_up(deployment)
    assert ask(client, deployment, tail)["summary"]["scores"][0]["absoluteValue"] == 1


def few_and_many() -> list[Seen]:
    """Oslo 400 rows, half chosen; Bergen 200, all chosen; Narvik 99, all chosen; a town without a name 150."""
    rows = [Seen(HOUR, "Oslo", 0.9 if i % 2 else 0.1, None) for i in range(400)]
    rows += [Seen(HOUR, "Bergen", 0.9, None) for _ in range(200)]
    rows += [Seen(HOUR, "Narvik", 0.9, None) for _ in range(99)]
    return rows + [Seen(HOUR, "", 0.9 if i % 3 else 0.1, None) for i in range(150)]


def test_classes_with_too_few_rows_are_shown_but_never_judged(client: APIClient, user: User) -> None:
    deployment = fair(user)
    send(deployment, few_and_many())
    part = ask(client, deployment, "protectedFeature=town")["summary"]
    by_name = {one["label"]: one for one in part["scores"]}
    assert {name: one["value"] for name, one in by_name.items()} == pytest.approx(
        {"(missing)": 2 / 3, "Bergen": 1, "Narvik": 1, "Oslo": 0.5}
    )
    assert {one["privilegedClass"] for one in by_name.values()} == {"Bergen"}
    assert by_name["Narvik"]["isStatisticallySignificant"] is False
    assert by_name["Narvik"]["message"] == "99 rows are too few for a verdict."
    assert part["message"] == "Too few rows: Narvik."


@pytest.mark.parametrize(
    ("query", "labels"),
    [
        ("", ["(missing)", "Bergen", "Narvik", "Oslo"]),
        ("orderBy=relativeFairnessScore", ["Oslo", "(missing)", "Bergen", "Narvik"]),
        ("orderBy=-absoluteFairnessScore", ["Bergen", "Narvik", "(missing)", "Oslo"]),
        ("onlyStatisticallySignificant=true", ["(missing)", "Bergen", "Oslo"]),
        ("orderBy=relativeFairnessScore&limit=1", ["Oslo"]),
        ("orderBy=relativeFairnessScore&limit=1&offset=1", ["(missing)"]),
        ("orderBy=relativeFairnessScore&limit=1&includePrivilegedClass=true", ["Oslo", "Bergen"]),
    ],
)
def test_every_parameter_decides_what_is_shown(client: APIClient, user: User, query: str, labels: list[str]) -> None:
    deployment = fair(user)
    send(deployment, few_and_many())
    answer = ask(client, deployment, f"protectedFeature=town&bucketSize=P1D&{query}")
    for part in (answer["summary"], *answer["buckets"]):
        assert [one["label"] for one in part["scores"]] == labels


def test_scores_of_zero_everywhere_compare_with_nothing(client: APIClient, user: User) -> None:
    deployment = fair(user)
    send(deployment, [Seen(HOUR, ("Oslo", "Bergen")[i % 2], 0.1, None) for i in range(300)])
    values = [one["value"] for one in ask(client, deployment, "protectedFeature=town")["summary"]["scores"]]
    assert values == [None, None]


def test_only_rows_received_since_a_feature_is_protected_count(client: APIClient, user: User) -> None:
    deployment = fair(user)
    send(deployment, [Seen(HOUR, "Oslo", 0.9, None) for _ in range(100)], "early")
    deployment.attributes.update(protected_since=NOW + timedelta(minutes=1))
    send_predictions(deployment, [0.1] * 20, at=HOUR, towns=["Oslo"] * 20, received=NOW + timedelta(minutes=2))
    roll_up(deployment)
    (one,) = ask(client, deployment, "protectedFeature=town")["summary"]["scores"]
    assert (one["sampleSize"], one["absoluteValue"]) == (20, 0)


def test_a_feature_that_is_protected_no_longer_is_not_known(client: APIClient, user: User) -> None:
    deployment = fair(user)
    one = f"/api/v2/deployments/{deployment.public_id}/"
    assert client.patch(f"{one}settings/", {"biasAndFairness": None}, format="json").status_code == 202
    answer = client.get(f"{one}fairnessScoresOverTime/?protectedFeature=town")
    assert answer.json()["errors"] == {"protectedFeature": ["town is not a protected feature here."]}
    found = ask(client, deployment)
    assert (found["summary"]["scores"], found["favorableTargetOutcome"]) == ([], None)
    assert found["summary"]["message"] == "No protected features are chosen in the settings."


def test_protected_features_are_segments_too(client: APIClient, user: User) -> None:
    deployment = fair(user)
    one = f"/api/v2/deployments/{deployment.public_id}/"
    assert client.get(f"{one}segmentAttributes/?monitoringType=accuracy").json()["data"] == ["town"]
    deployment.attributes.update(since=NOW - timedelta(days=1))
    send(deployment, [Seen(HOUR, "Oslo", 0.9, True), Seen(HOUR, "Bergen", 0.9, True)])
    tail = f"accuracyOverTime/?{PERIOD}&segmentAttribute=town&segmentValue=Oslo"
    assert client.get(one + tail).json()["summary"]["sampleSize"] == 1


def test_a_model_without_two_classes_has_no_fairness(client: APIClient, user: User) -> None:
    deployment = make_deployment("Regression")
    deployment.roles.create(user=user, role=Role.OWNER)
    body = {"biasAndFairness": {"protectedFeatures": ["town"], "preferableTargetValue": 3}}
    answer = client.patch(f"/api/v2/deployments/{deployment.public_id}/settings/", body, format="json")
    assert answer.json()["errors"] == {"biasAndFairness.protectedFeatures": ["Fairness is for binary models only."]}
    assert ask(client, deployment)["summary"]["scores"] == []


def test_more_features_and_buckets_cost_no_more_queries(
    client: APIClient, user: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    deployment = fair(user)
    send(deployment, few_and_many())
    ask(client, deployment)  # what is remembered of the model is looked up once
    for query in ("bucketSize=P1D", "bucketSize=PT1H", "protectedFeature=town"):
        with django_assert_num_queries(6):
            ask(client, deployment, query)


# --- Health -------------------------------------------------------------------------------------------------------


def judged(deployment: Deployment) -> tuple[str, str]:
    health.refresh(deployment.pk, HOUR + timedelta(hours=2))
    deployment.refresh_from_db()
    found = deployment.health["fairness"]
    assert deployment.fairness_status == found["status"]
    return found["status"], found["message"]


def towns(**chosen: int) -> list[Seen]:
    """200 rows a town, of which so many are chosen."""
    return [Seen(HOUR, town, 0.9 if i < n else 0.1, None) for town, n in chosen.items() for i in range(200)]


@pytest.mark.parametrize(
    ("chosen", "rules", "status"),
    [
        ({"Oslo": 100, "Bergen": 90, "Narvik": 80}, {}, "passing"),  # 80 of 100 is just enough
        ({"Oslo": 100, "Bergen": 90, "Narvik": 79}, {}, "warning"),
        ({"Oslo": 100, "Bergen": 70, "Narvik": 79}, {}, "failing"),
        ({"Oslo": 100, "Bergen": 70, "Narvik": 79}, {"protectedClassFailingCount": 3}, "warning"),
        ({"Oslo": 100, "Bergen": 90, "Narvik": 79}, {"protectedClassWarningCount": None}, "passing"),
    ],
)
def test_health_counts_the_classes_below_the_threshold(
    user: User, chosen: dict[str, int], rules: dict[str, Any], status: str
) -> None:
    deployment = fair(user)
    Deployment.objects.filter(pk=deployment.pk).update(health_settings={"fairness": rules})
    send(deployment, towns(**chosen))
    assert judged(deployment)[0] == status


def test_of_several_metrics_the_worst_counts_once_a_class(user: User) -> None:
    deployment = fair(user, fairnessMetricsSet="trueFavorableAndUnfavorableRateParity")
    rows = [Seen(HOUR, "Oslo", 0.9 if i % 2 else 0.1, bool(i % 2)) for i in range(200)]
    rows += [Seen(HOUR, "Bergen", 0.1 if i % 2 else 0.9, bool(i % 4 < 2)) for i in range(200)]
    send(deployment, rows)
    assert judged(deployment) == (
        "warning",
        "1 class below 0.8, limit 1: town Bergen 0.500.",
    )


def test_without_rows_or_protected_features_there_is_no_verdict(user: User) -> None:
    deployment = fair(user)
    assert judged(deployment) == ("not_started", "No predictions yet.")
    send(deployment, [Seen(HOUR, "Oslo", 0.9, None)])
    assert judged(deployment)[0] == "unknown"
    Deployment.objects.filter(pk=deployment.pk).update(settings={})
    segments.sync(Deployment.objects.get(pk=deployment.pk), NOW)
    assert judged(deployment)[0] == "unavailable"


def test_the_list_shows_and_orders_by_fairness(client: APIClient, user: User) -> None:
    bad, good = fair(user), fair(user)
    send(bad, towns(Oslo=100, Bergen=10, Narvik=10))
    send(good, towns(Oslo=100, Bergen=99, Narvik=99))
    for deployment in (bad, good):
        health.refresh(deployment.pk, HOUR + timedelta(hours=2))
    rows = client.get("/api/v2/deployments/?orderBy=-fairnessHealth").json()["data"]
    assert [row["fairnessHealth"]["status"] for row in rows] == ["failing", "passing"]
    rows = client.get("/api/v2/deployments/?orderBy=fairnessHealth").json()["data"]
    assert [row["id"] for row in rows] == [good.public_id, bad.public_id]
