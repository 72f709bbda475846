"""Real models of the factories' packages: scikit-learn pipelines on `age` and `town`, and their ONNX."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from deployments import artifacts
from deployments.models import ModelPackage
from tests.deployments.factories import AGES, TOWNS, make_package


def table(ages: Sequence[float] | np.ndarray[Any, Any], towns: Sequence[str]) -> np.ndarray[Any, Any]:
    """Rows of two columns, a number and a word."""
    return np.array(list(zip(ages, towns, strict=True)), dtype=object)


def outcomes(kind: str, frame: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """A made-up truth that depends on both columns."""
    ages, oslo, place = frame[:, 0].astype(np.float64), frame[:, 1] == "Oslo", np.arange(len(frame))
    if kind == "Binary":
        return np.where(ages + 10 * oslo + place % 9 > 52, "yes", "no")
    if kind == "Multiclass":
        return np.array(["blue", "green", "red"])[place * 3 // len(place)]
    return np.asarray(ages * 2 + 5 * oslo)


@cache
def trained(kind: str = "Binary") -> Any:
    """A scikit-learn pipeline that takes rows of `age` and `town`."""
    rows = table(AGES, TOWNS)
    columns = make_column_transformer(
        (StandardScaler(), [0]), (OneHotEncoder(handle_unknown="ignore"), [1]), sparse_threshold=0
    )
    last = LinearRegression() if kind == "Regression" else LogisticRegression()
    return make_pipeline(columns, last).fit(rows, outcomes(kind, rows))


@cache
def onnx_of(kind: str = "Binary", *, zipmap: bool = False) -> bytes:
    """The pipeline as ONNX, one input a feature."""
    model = trained(kind)
    types = [("age", FloatTensorType([None, 1])), ("town", StringTensorType([None, 1]))]
    options = {} if kind == "Regression" else {"zipmap": zipmap}
    content: bytes = to_onnx(
        model, initial_types=types, options={id(model): options} if options else None
    ).SerializeToString()
    return content


def predicted(kind: str, ages: list[float], towns: list[str]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """What scikit-learn itself says: probabilities in the order of its own classes, or numbers."""
    rows, model = table(ages, towns), trained(kind)
    found = model.predict(rows) if kind == "Regression" else model.predict_proba(rows)
    return np.asarray(found, np.float64)


def make_scoring_package(kind: str = "Binary", **overrides: Any) -> ModelPackage:
    """A package of the factories with a real artifact."""
    return artifacts.attach(make_package(kind, **overrides), onnx_of(kind), "model.onnx")
