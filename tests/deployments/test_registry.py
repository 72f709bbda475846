"""Registering models: what is frozen, what is refused, what a deployment starts with."""

from __future__ import annotations

import io
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest
from django.contrib.auth.models import User
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss, mean_squared_error, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from deployments import datasets, registration, registry
from deployments.ingest.errors import Refused
from deployments.models import Dataset, ModelPackage, Role
from deployments.registration import PackageSpec
from metrics import TargetType

pytestmark = pytest.mark.django_db
HALF = slice(0, None, 2), slice(1, None, 2)


@pytest.fixture
def user() -> User:
    return User.objects.create_user("ines", "ines@example.org", "pw")


def upload(table: pl.DataFrame, name: str, user: User) -> Dataset:
    out = io.BytesIO()
    table.write_parquet(out)
    return datasets.store(out.getvalue(), name, "", user)


def spec(**body: Any) -> PackageSpec:
    return msgspec.convert(body, PackageSpec)


def features_of(table: pl.DataFrame, kind: str = "Numeric") -> list[dict[str, str]]:
    return [{"name": name, "type": kind} for name in table.columns if name != "target"]


@pytest.fixture
def cancer(user: User) -> dict[str, Any]:
    """A binary model on half of the breast cancer data, its predictions on the other half as holdout."""
    data = load_breast_cancer(as_frame=False)
    train, test = HALF
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(data.data[train], data.target[train])
    names = ["radius", "texture", "perimeter"]
    training = pl.DataFrame(data.data[train, :3], schema=names).with_columns(
        pl.Series("target", data.target[train]), pl.Series("size", np.where(data.data[train, 0] > 14, "big", "small"))
    )
    positive = model.predict_proba(data.data[test])[:, 1]
    holdout = pl.DataFrame({"target": data.target[test], "prediction": positive}).with_columns(
        pl.Series("size", np.where(data.data[test, 0] > 14, "big", "small"))
    )
    return {
        "name": "Benign or not",
        "target": {"name": "target", "type": "Binary"},
        "features": [*features_of(training.select(names)), {"name": "size", "type": "Categorical"}],
        "trainingDatasetId": upload(training, "training.parquet", user).public_id,
        "holdoutDatasetId": upload(holdout, "holdout.parquet", user).public_id,
        "segmentAttributes": ["size"],
        "actual": data.target[test],
        "positive": positive,
        "training": training,
    }


def register(body: dict[str, Any], user: User) -> ModelPackage:
    return registration.register(spec(**body), user)


def test_a_binary_holdout_gives_the_baseline_that_scikit_learn_gives(cancer: dict[str, Any], user: User) -> None:
    package = register(cancer, user)
    assert package.class_names == ["0", "1"]
    assert package.positive_class == "1"
    assert package.accuracy_baseline["AUC"] == pytest.approx(roc_auc_score(cancer["actual"], cancer["positive"]))
    assert package.accuracy_baseline["LogLoss"] == pytest.approx(log_loss(cancer["actual"], cancer["positive"]))
    assert package.prediction_baseline["mean"] == pytest.approx(cancer["positive"].mean())
    assert package.prediction_baseline["actualClassCounts"]["1"] == int(cancer["actual"].sum())


def test_a_regression_holdout_gives_rmse_and_the_mean(user: User) -> None:
    data = load_diabetes(as_frame=False)
    train, test = HALF
    model = Ridge().fit(data.data[train], data.target[train])
    predicted = model.predict(data.data[test])
    holdout = pl.DataFrame({"target": data.target[test], "prediction": predicted})
    body = {
        "name": "Progression",
        "target": {"name": "target", "type": "Regression"},
        "features": [{"name": "bmi", "type": "Numeric"}],
        "holdoutDatasetId": upload(holdout, "holdout.parquet", user).public_id,
    }
    package = register(body, user)
    assert package.accuracy_baseline["RMSE"] == pytest.approx(mean_squared_error(data.target[test], predicted) ** 0.5)
    assert package.center == pytest.approx(data.target[test].mean())
    assert registry.baseline_of(package).features == {}


def test_without_a_holdout_sums_are_taken_around_the_mean_of_the_training_target(user: User) -> None:
    training = pl.DataFrame({"bmi": [1.0, 2.0, 3.0], "target": [1e9, None, 1e9 + 4]})
    body = {
        "name": "Turnover",
        "target": {"name": "target", "type": "Regression"},
        "features": [{"name": "bmi", "type": "Numeric"}],
        "trainingDatasetId": upload(training, "training.parquet", user).public_id,
    }
    assert register(body, user).center == 1e9 + 2
    words = training.with_columns(target=pl.Series(["much", "more", None]))
    assert register(body | {"trainingDatasetId": upload(words, "w.parquet", user).public_id}, user).center == 0
    assert register(body | {"trainingDatasetId": None}, user).center == 0


def test_a_multiclass_holdout_counts_predicted_classes(user: User) -> None:
    data = load_wine(as_frame=False)
    train, test = HALF
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(data.data[train], data.target[train])
    chances = model.predict_proba(data.data[test])
    holdout = pl.DataFrame({"target": [f"c{k}" for k in data.target[test]]}).with_columns(
        pl.Series(f"prediction_c{k}", chances[:, k]) for k in range(3)
    )
    body = {
        "name": "Cultivar",
        "target": {"name": "target", "type": "Multiclass"},
        "features": [{"name": "alcohol", "type": "Numeric"}],
        "holdoutDatasetId": upload(holdout, "holdout.parquet", user).public_id,
    }
    package = register(body, user)
    target = registry.baseline_of(package).target
    assert package.accuracy_baseline["LogLoss"] == pytest.approx(log_loss(data.target[test], chances))
    assert target is not None
    assert target.counts[:3].tolist() == np.bincount(chances.argmax(axis=1), minlength=3).tolist()


def test_training_rows_are_counted_whole_and_by_segment(cancer: dict[str, Any], user: User) -> None:
    baseline = registry.baseline_of(register(cancer, user))
    training = cancer["training"]
    big = baseline.segment("size", "big")
    assert baseline.features["radius"].counts.sum() == training.height
    assert big is not None
    assert big.rows == (training["size"] == "big").sum()
    assert big.features["radius"].sum() == big.rows
    assert baseline.segment("size", "huge") is None


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"name": " "}, "name"),
        ({"features": []}, "features"),
        ({"features": [{"name": "weight", "type": "Numeric"}]}, "features[0].name"),
        ({"features": [{"name": "size", "type": "Numeric"}]}, "features[0]"),
        ({"features": [{"name": "radius", "type": "Numeric"}] * 2}, "features[1].name"),
        ({"target": {"name": "outcome", "type": "Binary"}}, "target.name"),
        ({"target": {"name": "target", "type": "Binary", "classNames": ["0", "1", "2"]}}, "target.classNames"),
        ({"target": {"name": "target", "type": "Binary", "positiveClass": "2"}}, "target.positiveClass"),
        ({"target": {"name": "target", "type": "Binary", "predictionThreshold": 2}}, "target.predictionThreshold"),
        ({"trainingDatasetId": "0" * 24}, "trainingDatasetId"),
        ({"segmentAttributes": ["colour"]}, "segmentAttributes[0]"),
        ({"predictionColumns": {"value": "size"}}, "predictionColumns"),
    ],
)
def test_a_wrong_body_is_refused_by_place_and_stores_nothing(
    cancer: dict[str, Any], user: User, change: dict[str, Any], place: str
) -> None:
    with pytest.raises(Refused) as problem:
        register(cancer | change, user)
    assert place in problem.value.errors
    assert not ModelPackage.objects.exists()


def test_somebody_elses_dataset_cannot_be_used(cancer: dict[str, Any]) -> None:
    other = User.objects.create_user("other")
    with pytest.raises(Refused, match="no such dataset"):
        register(cancer, other)


def test_a_deployment_starts_owned_and_split_by_the_attributes_of_its_package(
    cancer: dict[str, Any], user: User
) -> None:
    deployment = registry.create_deployment(register(cancer, user), "Benign", user)
    assert deployment.champion is not None
    assert deployment.champion.package.target_type == TargetType.BINARY
    assert deployment.roles.get().role == Role.OWNER
    assert "size" in {row.name for row in deployment.attributes.filter(active=True)}


def test_a_replaced_champion_keeps_its_place_in_history(cancer: dict[str, Any], user: User) -> None:
    deployment = registry.create_deployment(register(cancer, user), "Benign", user)
    first = deployment.champion
    second = registry.replace_model(deployment, register(cancer, user), deployment.created_at, "ACCURACY", user)
    assert first is not None
    first.refresh_from_db()
    assert (first.role, second.role) == ("former", "champion")
    assert first.ended_at == second.started_at
    with pytest.raises(ValueError, match="champion already"):
        registry.replace_model(deployment, second.package, deployment.created_at, "ACCURACY", user)


def test_a_dataset_reads_back_and_its_file_goes_with_it(user: User, django_capture_on_commit_callbacks: Any) -> None:
    table = pl.DataFrame({"a": [1.5, None], "b": ["x", "y"]})
    dataset = upload(table, "two.parquet", user)
    storage, name = dataset.file.storage, dataset.file.name
    assert datasets.read(dataset).equals(table)
    assert dataset.row_count == 2
    with django_capture_on_commit_callbacks(execute=True):
        datasets.delete(dataset)
    assert name is not None
    assert not storage.exists(name)


def test_a_file_that_is_no_table_is_refused(user: User) -> None:
    with pytest.raises(Refused, match="CSV, NDJSON or Parquet"):
        datasets.store(b"PK\x03\x04", "model.pkl", "application/octet-stream", user)
    with pytest.raises(Refused, match="Not a readable parquet file"):
        datasets.store(b"not parquet", "rows.parquet", "", user)
