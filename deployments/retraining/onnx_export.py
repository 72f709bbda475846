"""A fitted pipeline as ONNX."""

from __future__ import annotations

from typing import Any

import numpy as np
from skl2onnx import to_onnx, update_registered_converter
from skl2onnx.common._registration import get_converter, get_shape_calculator
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.pipeline import Pipeline

from deployments.models import FeatureType
from deployments.retraining.trainer import CannotTrain, Task

BOOSTERS: dict[type, dict[str, list[Any]]] = {
    HistGradientBoostingClassifier: {
        "zipmap": [True, False, "columns"],
        "raw_scores": [True, False],
        "output_class_labels": [False, True],
        "nocl": [True, False],
    },
    HistGradientBoostingRegressor: {"raw_scores": [True, False]},
}
"""The models whose converter needs help, with the options that it has."""


class _WholeNumbers:
    """The converter's container, but flags become whole numbers: newer versions of onnx take no others."""

    def __init__(self, container: Any) -> None:
        self._container = container

    def __getattr__(self, name: str) -> Any:
        return getattr(self._container, name)

    def add_node(self, *args: Any, **attributes: Any) -> Any:
        return self._container.add_node(*args, **{name: _whole(value) for name, value in attributes.items()})


def _whole(value: Any) -> Any:
    if isinstance(value, list) and any(isinstance(one, bool | np.bool_) for one in value):
        return [int(one) for one in value]
    return value


def _register(kind: type, options: dict[str, list[Any]]) -> None:
    """Put the helped converter in the place of the original one."""
    alias = f"Sklearn{kind.__name__}"
    original = get_converter(alias)

    def convert(scope: Any, operator: Any, container: Any) -> None:
        original(scope, operator, _WholeNumbers(container))

    update_registered_converter(kind, alias, get_shape_calculator(alias), convert, options=options)


for _kind, _options in BOOSTERS.items():
    _register(_kind, _options)


def exported(model: Pipeline, task: Task) -> bytes:
    """The pipeline as ONNX: one input a feature, probabilities in the order of the classes. Raises CannotTrain."""
    types = [
        (name, (FloatTensorType if kind is FeatureType.NUMERIC else StringTensorType)([None, 1]))
        for name, kind in task.features.items()
    ]
    try:
        content: bytes = to_onnx(
            model,
            initial_types=types,
            options={id(model): {"zipmap": False}} if task.classes else None,
        ).SerializeToString()
    except Exception as error:  # the converter raises whatever its parts do
        text = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise CannotTrain(f"The model cannot be exported as ONNX: {text[:200]}") from error
    return content
