"""The figures of the monitoring reads are those that scikit-learn, SciPy and NumPy compute from the same rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient
from scipy.stats import ks_2samp
from sklearn import metrics as sk

from deployments.models import Deployment, Feature, ModelPackage, Role
from metrics import drift_scores
from tests.deployments.factories import (
    AGES,
    HOUR,
    make_deployment,
    roll_up,
    send_actuals,
    send_predictions,
    send_service,
)

pytestmark = pytest.mark.django_db
PERIOD = "start=2026-03-02T00:00:00Z&end=2026-03-03T00:00:00Z"
N = 200
TIMES = [HOUR + timedelta(minutes=(i % 3) * 60 - 60) for i in range(N)]
IDS = [f"row-{i}" for i in range(N)]
NEAR = 1e-9


def ask(client: APIClient, deployment: Deployment, tail: str) -> Any:
    answer = client.get(f"/api/v2/deployments/{deployment.public_id}/{tail}")
    assert answer.status_code == 200, answer.content
    return answer.json()


def owned(user: User, kind: str, **overrides: Any) -> Deployment:
    deployment = make_deployment(kind, **overrides)
    deployment.roles.create(user=user, role=Role.OWNER)
    return deployment


def hours(values: np.ndarray[Any, Any], hour: datetime) -> Any:
    return np.array([value for value, at in zip(values, TIMES, strict=True) if at == hour])


# --- Binary -------------------------------------------------------------------------------------------------------


@pytest.fixture
def binary(user: User) -> tuple[Deployment, Any, Any]:
    """200 rows over three hours: probabilities of "yes", and what happened."""
    rng = np.random.default_rng(7)
    p = np.round(rng.beta(2, 3, N), 3)
    y = (rng.random(N) < p).astype(int)
    deployment = owned(user, "Binary")
    both = np.column_stack([1 - p, p]).tolist()
    send_predictions(deployment, both, at=TIMES, ids=IDS, ages=(30 + 20 * p).tolist())
    send_actuals(deployment, {name: ["no", "yes"][hit] for name, hit in zip(IDS, y, strict=True)})
    roll_up(deployment)
    return deployment, p, y


def at_top(p: Any, y: Any, percent: float) -> float:
    k = int(np.ceil(len(p) * percent / 100))
    cut = np.sort(p)[::-1][k - 1]
    above, tie = p > cut, p == cut
    return float((y[above].sum() + (k - above.sum()) * y[tie].mean()) / k)


BINARY: dict[str, Callable[[Any, Any], float]] = {
    "LogLoss": lambda y, p: sk.log_loss(y, p),
    "AUC": sk.roc_auc_score,
    "Gini Norm": lambda y, p: 2 * sk.roc_auc_score(y, p) - 1,
    "Kolmogorov-Smirnov": lambda y, p: ks_2samp(p[y == 1], p[y == 0]).statistic,
    "Rate@Top10%": lambda y, p: at_top(p, y, 10),
    "Rate@Top5%": lambda y, p: at_top(p, y, 5),
    "Accuracy": lambda y, p: sk.accuracy_score(y, p > 0.5),
    "Balanced Accuracy": lambda y, p: sk.balanced_accuracy_score(y, p > 0.5),
    "F1": lambda y, p: sk.f1_score(y, p > 0.5),
    "MCC": lambda y, p: sk.matthews_corrcoef(y, p > 0.5),
    "TPR": lambda y, p: sk.recall_score(y, p > 0.5),
    "TNR": lambda y, p: sk.recall_score(y, p > 0.5, pos_label=0),
    "FPR": lambda y, p: 1 - sk.recall_score(y, p > 0.5, pos_label=0),
    "PPV": lambda y, p: sk.precision_score(y, p > 0.5),
    "NPV": lambda y, p: sk.precision_score(y, p > 0.5, pos_label=0),
    "FVE Binomial": lambda y, p: sk.d2_log_loss_score(y, p),
}


@pytest.mark.parametrize("metric", sorted(BINARY))
def test_binary_accuracy_over_time_equals_scikit_learn(client: APIClient, binary: Any, metric: str) -> None:
    deployment, p, y = binary
    name = metric.replace("%", "%25").replace(" ", "%20")
    answer = ask(client, deployment, f"accuracyOverTime/?{PERIOD}&bucketSize=PT1H&metric={name}")
    assert answer["metric"] == metric
    assert answer["summary"]["value"] == pytest.approx(BINARY[metric](y, p), abs=NEAR)
    filled = [bucket for bucket in answer["buckets"] if bucket["sampleSize"]]
    assert [bucket["sampleSize"] for bucket in filled] == [67, 67, 66]
    for bucket, hour in zip(filled, sorted(set(TIMES)), strict=True):
        assert bucket["value"] == pytest.approx(BINARY[metric](hours(y, hour), hours(p, hour)), abs=NEAR)
    empty = answer["buckets"][0]
    assert (empty["value"], empty["sampleSize"]) == (None, 0)


def test_the_summary_tells_how_sure_it_is(client: APIClient, binary: Any) -> None:
    deployment, p, y = binary
    ask_for = f"accuracyOverTime/?{PERIOD}&bucketSize=P1D&metric="
    loss = -np.log(np.where(y == 1, p, 1 - p))
    half = 1.959964 * loss.std(ddof=1) / N**0.5
    found = ask(client, deployment, f"{ask_for}LogLoss")["summary"]["interval"]
    assert (found["low"], found["high"]) == (
        pytest.approx(loss.mean() - half, rel=1e-6),
        pytest.approx(loss.mean() + half, rel=1e-6),
    )
    found = ask(client, deployment, f"{ask_for}AUC")["summary"]["interval"]
    rng = np.random.default_rng(1)
    picks = [rng.integers(0, N, N) for _ in range(2000)]
    low, high = np.quantile([sk.roc_auc_score(y[i], p[i]) for i in picks], [0.025, 0.975])
    assert (found["low"], found["high"]) == (pytest.approx(low, abs=0.015), pytest.approx(high, abs=0.015))
    assert ask(client, deployment, f"{ask_for}F1")["summary"]["interval"] is None
    empty = ask(client, deployment, "accuracyOverTime/?start=2025-03-02T00:00:00Z&end=2025-03-03T00:00:00Z&metric=AUC")
    assert empty["summary"]["interval"] is None


def test_exact_scores_carry_an_error_bound_of_zero(client: APIClient, binary: Any) -> None:
    deployment = binary[0]
    answer = ask(client, deployment, f"accuracy/?{PERIOD}")["metrics"]
    assert answer["AUC"]["errorBound"] == 0
    assert answer["LogLoss"]["errorBound"] is None


def test_the_change_from_the_baseline_is_positive_when_better(client: APIClient, binary: Any) -> None:
    deployment, p, y = binary
    ModelPackage.objects.filter(pk=deployment.champion.package_id).update(
        accuracy_baseline={"LogLoss": 0.5, "AUC": 0.5}
    )
    answer = ask(client, deployment, f"accuracy/?{PERIOD}")["metrics"]
    loss, area = sk.log_loss(y, p), sk.roc_auc_score(y, p)
    assert answer["LogLoss"]["percentChange"] == pytest.approx(-100 * (loss - 0.5) / 0.5, abs=0.006)
    assert answer["AUC"]["percentChange"] == pytest.approx(100 * (area - 0.5) / 0.5, abs=0.006)
    assert answer["Gini Norm"]["baselineValue"] is None


def test_binary_predictions_over_time(client: APIClient, binary: Any) -> None:
    deployment, p, _ = binary
    answer = ask(client, deployment, f"predictionsOverTime/?{PERIOD}&bucketSize=P1D&includePercentiles=true")
    (bucket,) = answer["buckets"]
    assert bucket["rowCount"] == N
    means = {row["className"]: row["value"] for row in bucket["meanProbabilities"]}
    assert means == {"no": pytest.approx(1 - p.mean()), "yes": pytest.approx(p.mean())}
    counts = {row["className"]: row["count"] for row in bucket["classDistribution"]}
    assert counts == {"no": int((p <= 0.5).sum()), "yes": int((p > 0.5).sum())}
    assert sum(row["percent"] for row in bucket["classDistribution"]) == pytest.approx(100)
    assert [row["percent"] for row in bucket["percentiles"]] == [10, 50, 90]
    assert bucket["percentiles"][1]["value"] == pytest.approx(np.quantile(p, 0.5, method="inverted_cdf"))


def test_a_share_of_no_rows_is_not_known(client: APIClient, binary: Any) -> None:
    empty = "start=2025-03-02T00:00:00Z&end=2025-03-03T00:00:00Z"
    nothing = [{"className": name, "count": 0, "percent": None} for name in ("no", "yes")]
    (bucket,) = ask(client, binary[0], f"predictionsOverTime/?{empty}&bucketSize=P1D")["buckets"]
    assert bucket["classDistribution"] == nothing
    (bucket,) = ask(client, binary[0], f"predictionsVsActualsOverTime/?{empty}&bucketSize=P1D")["buckets"]
    assert (bucket["predictedClassDistribution"], bucket["actualClassDistribution"]) == (nothing, nothing)


def test_binary_predictions_against_actuals(client: APIClient, binary: Any) -> None:
    deployment, p, y = binary
    answer = ask(client, deployment, f"predictionsVsActualsOverTime/?{PERIOD}&bucketSize=P1D")
    (bucket,) = answer["buckets"]
    assert answer["summary"] == {"rowCountTotal": N, "rowCountWithActual": N}
    actual = {row["className"]: row["count"] for row in bucket["actualClassDistribution"]}
    predicted = {row["className"]: row["count"] for row in bucket["predictedClassDistribution"]}
    assert actual == {"no": int((y == 0).sum()), "yes": int((y == 1).sum())}
    assert predicted == {"no": int((p <= 0.5).sum()), "yes": int((p > 0.5).sum())}


def test_one_class_only_can_be_asked_for(client: APIClient, binary: Any) -> None:
    answer = ask(client, binary[0], f"predictionsOverTime/?{PERIOD}&targetClass=yes")
    assert {row["className"] for bucket in answer["buckets"] for row in bucket["classDistribution"]} == {"yes"}


# --- Regression ---------------------------------------------------------------------------------------------------


@pytest.fixture
def regression(user: User) -> tuple[Deployment, Any, Any]:
    rng = np.random.default_rng(11)
    y = np.round(rng.gamma(4, 5, N), 2) + 0.01
    z = np.round(y * rng.uniform(0.6, 1.5, N), 2) + 0.01
    deployment = owned(user, "Regression")
    send_predictions(deployment, z.tolist(), at=TIMES, ids=IDS)
    send_actuals(deployment, dict(zip(IDS, y.tolist(), strict=True)))
    roll_up(deployment)
    return deployment, z, y


REGRESSION: dict[str, Callable[[Any, Any], float]] = {
    "RMSE": sk.root_mean_squared_error,
    "MAE": sk.mean_absolute_error,
    "MAD": sk.mean_absolute_error,
    "MAPE": lambda y, z: 100 * sk.mean_absolute_percentage_error(y, z),
    "RMSLE": sk.root_mean_squared_log_error,
    "R Squared": sk.r2_score,
    "Poisson Deviance": sk.mean_poisson_deviance,
    "Gamma Deviance": sk.mean_gamma_deviance,
    "Tweedie Deviance": lambda y, z: sk.mean_tweedie_deviance(y, z, power=1.5),
    "FVE Poisson": lambda y, z: sk.d2_tweedie_score(y, z, power=1),
    "FVE Gamma": lambda y, z: sk.d2_tweedie_score(y, z, power=2),
    "FVE Tweedie": lambda y, z: sk.d2_tweedie_score(y, z, power=1.5),
}


@pytest.mark.parametrize("metric", sorted(REGRESSION))
def test_regression_accuracy_equals_scikit_learn(client: APIClient, regression: Any, metric: str) -> None:
    deployment, z, y = regression
    answer = ask(client, deployment, f"accuracyOverTime/?{PERIOD}&bucketSize=PT1H&metric={metric.replace(' ', '%20')}")
    assert answer["summary"]["value"] == pytest.approx(REGRESSION[metric](y, z), rel=NEAR, abs=NEAR)
    filled = [bucket for bucket in answer["buckets"] if bucket["sampleSize"]]
    for bucket, hour in zip(filled, sorted(set(TIMES)), strict=True):
        expected = REGRESSION[metric](hours(y, hour), hours(z, hour))
        assert bucket["value"] == pytest.approx(expected, rel=NEAR, abs=NEAR)


def test_regression_means_and_percentiles(client: APIClient, regression: Any) -> None:
    deployment, z, y = regression
    seen = ask(client, deployment, f"predictionsOverTime/?{PERIOD}&bucketSize=P1D&includePercentiles=True")["buckets"][
        0
    ]
    assert seen["meanPredictedValue"] == pytest.approx(z.mean())
    assert (seen["meanProbabilities"], seen["classDistribution"]) == ([], [])
    quantiles = [np.quantile(z, q, method="inverted_cdf") for q in (0.1, 0.5, 0.9)]
    assert [row["value"] for row in seen["percentiles"]] == pytest.approx(quantiles)
    versus = ask(client, deployment, f"predictionsVsActualsOverTime/?{PERIOD}&bucketSize=P1D")["buckets"][0]
    assert versus["meanPredictedValue"] == pytest.approx(z.mean())
    assert versus["meanActualValue"] == pytest.approx(y.mean())


def test_a_metric_of_another_kind_of_target_is_refused(client: APIClient, regression: Any) -> None:
    answer = client.get(f"/api/v2/deployments/{regression[0].public_id}/accuracyOverTime/?metric=AUC")
    assert answer.status_code == 422
    assert "metric" in answer.json()["errors"]


# --- Several classes ----------------------------------------------------------------------------------------------


@pytest.fixture
def several(user: User) -> tuple[Deployment, Any, Any]:
    rng = np.random.default_rng(3)
    p = rng.dirichlet([2, 2, 2], N)
    y = np.array([rng.choice(3, p=row) for row in p])
    deployment = owned(user, "Multiclass")
    send_predictions(deployment, p.tolist(), at=TIMES, ids=IDS)
    names = ["red", "green", "blue"]
    send_actuals(deployment, {name: names[k] for name, k in zip(IDS, y, strict=True)})
    roll_up(deployment)
    return deployment, p, y


MULTICLASS: dict[str, Callable[[Any, Any], float]] = {
    "LogLoss": lambda y, p: sk.log_loss(y, p, labels=[0, 1, 2]),
    "Accuracy": lambda y, p: sk.accuracy_score(y, p.argmax(1)),
    "Balanced Accuracy": lambda y, p: sk.balanced_accuracy_score(y, p.argmax(1)),
    "AUC": lambda y, p: sk.roc_auc_score(y, p, multi_class="ovr", average="weighted"),
    "FVE Multinomial": lambda y, p: sk.d2_log_loss_score(y, p, labels=[0, 1, 2]),
}


@pytest.mark.parametrize("metric", sorted(MULTICLASS))
def test_accuracy_of_several_classes_equals_scikit_learn(client: APIClient, several: Any, metric: str) -> None:
    deployment, p, y = several
    answer = ask(client, deployment, f"accuracyOverTime/?{PERIOD}&bucketSize=P1D&metric={metric.replace(' ', '%20')}")
    summary = answer["summary"]
    assert abs(summary["value"] - MULTICLASS[metric](y, p)) <= max(NEAR, summary["errorBound"] or 0)


def test_the_auc_of_one_class_is_that_against_the_others(client: APIClient, several: Any) -> None:
    deployment, p, y = several
    answer = ask(client, deployment, f"accuracyOverTime/?{PERIOD}&bucketSize=P1D&metric=AUC&targetClass=blue")
    (bucket,) = answer["buckets"]
    ((name, value),) = bucket["valuePerClass"].items()
    assert bucket["perClass"] == [{"className": "blue", "value": value}]
    expected = sk.roc_auc_score(y == 2, p[:, 2])
    assert (name, value) == ("blue", pytest.approx(expected, abs=max(NEAR, bucket["errorBound"])))


def test_an_unknown_class_is_refused(client: APIClient, several: Any) -> None:
    answer = client.get(f"/api/v2/deployments/{several[0].public_id}/accuracy/?targetClass=pink")
    assert answer.status_code == 422


# --- Drift --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("metric", ["psi", "kl_divergence", "dissimilarity", "hellinger", "js_divergence"])
def test_feature_drift_compares_live_rows_with_training(client: APIClient, user: User, metric: str) -> None:
    deployment = owned(user, "Binary")
    live = np.concatenate([np.full(30, 65.0), AGES, [5.0], [99.0]])
    send_predictions(deployment, [[0.4, 0.6]] * len(live), ages=[*live.tolist()], towns=["Oslo"] * len(live))
    roll_up(deployment)
    answer = ask(client, deployment, f"featureDrift/?{PERIOD}&metric={metric}")
    rows = {row["name"]: row for row in answer["data"]}
    feature = Feature.objects.get(package__deployed__deployment=deployment, name="age")
    uppers = np.array(feature.bins["uppers"])
    codes = np.where(live < feature.bins["lowest"], 0, np.searchsorted(uppers, live, side="left") + 1)
    counted = np.bincount(codes, minlength=len(uppers) + 3)
    expected = float(drift_scores(metric, np.array(feature.baseline["counts"]), counted))
    assert rows["age"]["driftScore"] == pytest.approx(expected, abs=NEAR)
    assert rows["age"]["sampleSize"] == len(live)
    over_time = ask(
        client, deployment, f"featureDriftOverTime/?{PERIOD}&bucketSize=P1D&metric={metric}&featureNames=age"
    )
    assert over_time["buckets"][0]["driftScore"] == pytest.approx(expected, abs=NEAR)


def test_distributions_lay_training_and_live_rows_side_by_side(client: APIClient, user: User) -> None:
    deployment = owned(user, "Binary")
    send_predictions(deployment, [[0.4, 0.6]] * 3, ages=[25.0, 200.0, None], towns=["Oslo", "Rome", None])
    roll_up(deployment)
    answer = ask(client, deployment, f"featureDistributions/?{PERIOD}&featureNames=age,town&bucketSize=P1D")
    age, town = answer["data"]
    assert sum(row["baselineCount"] for row in age["bins"]) == 50
    assert {row["kind"]: row["count"] for row in age["bins"] if row["kind"] != "range"} == {
        "below": 0,
        "above": 1,
        "missing": 1,
    }
    assert {row["label"]: row["count"] for row in town["bins"]}["New level"] == 1
    assert age["buckets"][0]["counts"] == [row["count"] for row in age["bins"]]


def test_two_features_at_most_can_be_asked_over_time(client: APIClient, user: User) -> None:
    deployment = owned(user, "Binary")
    path = f"/api/v2/deployments/{deployment.public_id}/featureDriftOverTime/"
    assert client.get(path).status_code == 422
    assert client.get(f"{path}?featureNames=a,b,c").status_code == 422
    assert client.get(f"{path}?featureNames=nothing").json()["errors"]["featureNames"]


# --- Service ------------------------------------------------------------------------------------------------------


def test_service_stats_are_those_of_the_events(client: APIClient, user: User) -> None:
    deployment = owned(user, "Binary")
    times = [10, 20, 30, 40, 1001, 5000]
    events: list[dict[str, Any]] = [
        {"numPredictions": 5, "executionTime": t / 2, "responseTime": t, "consumer": f"c{i % 2}"}
        for i, t in enumerate(times)
    ]
    events += [
        {"numPredictions": 0, "executionTime": 1, "userError": True, "systemError": False},
        {"numPredictions": 0, "executionTime": 1, "userError": False, "systemError": True},
    ]
    send_service(deployment, events)
    roll_up(deployment)
    found = ask(client, deployment, f"serviceStats/?{PERIOD}&responseTimeQuantile=0.5")["metrics"]
    assert (found["totalPredictions"], found["totalRequests"]) == (30, 8)
    assert (found["userErrorRate"], found["serverErrorRate"]) == (0.125, 0.125)
    assert (found["slowRequests"], found["responseTime"]) == (2, 30)
    assert found["numConsumers"] == 2
    slow = ask(client, deployment, f"serviceStatsOverTime/?{PERIOD}&metric=slowRequests&threshold=4000&bucketSize=PT1H")
    assert (slow["summary"]["value"], sum(row["value"] for row in slow["buckets"])) == (1, 1)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("start=2026-03-02T00:30:00Z", "start"),
        ("start=2026-03-03T00:00:00Z&end=2026-03-02T00:00:00Z", "start"),
        ("bucketSize=PT90M", "bucketSize"),
        ("bucketSize=P30D", "bucketSize"),
        ("metric=beauty", "metric"),
        ("quantile=1.5", "quantile"),
        ("threshold=-1", "threshold"),
        ("modelId=0123456789abcdef01234567", "modelId"),
        ("segmentAttribute=planet&segmentValue=earth", "segmentAttribute"),
    ],
)
def test_bad_values_are_named(client: APIClient, user: User, query: str, field: str) -> None:
    deployment = owned(user, "Binary")
    answer = client.get(f"/api/v2/deployments/{deployment.public_id}/serviceStatsOverTime/?{query}")
    assert answer.status_code == 422
    assert field in answer.json()["errors"]
