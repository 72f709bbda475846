"""How an ONNX model's inputs and outputs meet a package: which feature feeds which input, which class each column is.

Inputs are matched by name, spelled as the feature or with every other character than letters, digits and `_` replaced
by `_`. A single input of several columns takes the features that the model's metadata entry `features` lists (a JSON
array), by default all numeric ones in the package's order.

Classes come from a dictionary output's keys, else from the metadata entry `classes`, else from the labels in the
model, else they have the package's order.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from deployments.ingest.errors import Problems, Refused
from deployments.ingest.shape import Shape
from deployments.models import FeatureType
from deployments.scoring.kinds import NUMBERS

WORDS = frozenset({FeatureType.CATEGORICAL, FeatureType.TEXT, FeatureType.DATE, FeatureType.GEOSPATIAL})
MAP = re.compile(r"seq\(map\((string|int64),tensor\((float|double)\)\)\)")


@dataclass(frozen=True)
class Input:
    """One input of the model: the features that fill it, their type there, and whether it has rows only (rank 1)."""

    name: str
    columns: list[str]
    type: str
    rank: int


@dataclass(frozen=True)
class Signature:
    """All that is needed to ask the model; kept with the package as JSON. `keys`: of an output of dictionaries."""

    inputs: list[Input]
    output: str
    classes: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    label: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Signature:
        return cls(**{**stored, "inputs": [Input(**one) for one in stored["inputs"]]})

    @property
    def features(self) -> list[str]:
        """Every feature that is asked for, once."""
        return list(dict.fromkeys(name for one in self.inputs for name in one.columns))


def match(description: Mapping[str, Any], shape: Shape) -> Signature:
    """The signature of a described model. Raises Refused by input, output or class."""
    problems = Problems()
    inputs = [one for raw in description["inputs"] if (one := _input(raw, description, shape, problems)) is not None]
    problems.check()
    output = _output(description["outputs"], shape)
    label = next((one["name"] for one in description["outputs"] if _is_label(one)), "") if shape.target.classes else ""
    if not shape.target.classes:
        return Signature(inputs, output["name"])
    if found := MAP.fullmatch(output["type"]):
        keys = _keys(description["labels"], shape, found[1])
        return Signature(inputs, output["name"], _named(keys, shape), keys, label)
    return Signature(inputs, output["name"], _classes(description, shape), [], label)


def _input(raw: Mapping[str, Any], description: Mapping[str, Any], shape: Shape, problems: Problems) -> Input | None:
    place, kind = f"inputs[{raw['name']}]", _kind(raw["type"])
    if kind is None:
        problems.add(place, f"Inputs of type {raw['type']} are not known here.")
        return None
    rank = len(raw["shape"])
    width = raw["shape"][1] if rank > 1 and isinstance(raw["shape"][1], int) else 1
    feature = _feature(raw["name"], shape)
    columns = [feature] if feature is not None else _matrix(len(description["inputs"]), description, shape)
    if feature is None and len(description["inputs"]) != 1:
        problems.add(place, "No feature of the model package has this name.")
        return None
    if len(columns) != width and not (feature is None and rank > 1 and not isinstance(raw["shape"][1], int)):
        problems.add(place, f"It has {width} columns, and {len(columns)} features are there to fill it.")
    for name in columns:
        if name not in shape.features:
            problems.add(place, f"{name!r} is not a feature of the model package.")
        elif (shape.features[name] in WORDS) != (kind == "string"):
            problems.add(place, f"The feature {name!r} is {shape.features[name]}, the input takes {raw['type']}.")
    return Input(raw["name"], columns, kind, rank)


def _kind(onnx_type: str) -> str | None:
    return "string" if onnx_type == "tensor(string)" else NUMBERS.get(onnx_type)


def _feature(name: str, shape: Shape) -> str | None:
    if name in shape.features:
        return name
    return next((one for one in shape.features if re.sub(r"\W", "_", one, flags=re.ASCII) == name), None)


def _matrix(inputs: int, description: Mapping[str, Any], shape: Shape) -> list[str]:
    if inputs != 1:
        return []
    listed = _listed(description, "features")
    return listed or [name for name, kind in shape.features.items() if kind is FeatureType.NUMERIC]


def _listed(description: Mapping[str, Any], name: str) -> list[str]:
    """A JSON array of words in the model's metadata, [] without one."""
    try:
        found = json.loads(description["metadata"].get(name, "[]"))
    except ValueError:
        found = None
    if not isinstance(found, list):
        raise Refused({f"metadata.{name}": "Expected a JSON array of words."})
    return [str(one) for one in found]


def _output(outputs: Sequence[Mapping[str, Any]], shape: Shape) -> Mapping[str, Any]:
    """The output that holds numbers: probabilities of classes, or the one number of a regression."""
    if shape.target.classes:
        outputs = [one for one in outputs if MAP.fullmatch(one["type"]) or (_is_number(one) and not _is_label(one))]
    else:
        outputs = [one for one in outputs if _is_number(one)]
    if len(outputs) != 1:
        outputs = [one for one in outputs if one["name"] in ("probabilities", "output_probability", "variable")]
    if len(outputs) != 1:
        wanted = "probabilities" if shape.target.classes else "numbers"
        raise Refused({"outputs": f"Expected one output of {wanted}; call it 'probabilities' where there are several."})
    return outputs[0]


def _is_number(output: Mapping[str, Any]) -> bool:
    return output["type"] in ("tensor(float)", "tensor(double)")


def _is_label(output: Mapping[str, Any]) -> bool:
    return output["type"] in ("tensor(string)", "tensor(int64)")


def _keys(labels: Sequence[str], shape: Shape, kind: str) -> list[str]:
    if labels:
        return list(labels)
    return list(shape.order) if kind == "string" else [str(number) for number in range(len(shape.order))]


def _classes(description: Mapping[str, Any], shape: Shape) -> list[str]:
    listed = _listed(description, "classes")
    if listed:
        return _named(listed, shape, "metadata.classes")
    labels = description["labels"]
    return _named(labels, shape) if len(labels) == len(shape.order) else list(shape.order)


def _named(labels: Sequence[str], shape: Shape, place: str = "classes") -> list[str]:
    """Class names from labels: the names themselves, spellings of actuals, or numbers in the package's order."""
    if sorted(labels) == sorted(shape.order):
        return list(labels)
    spelled = [shape.labels.get(label) for label in labels]
    if None not in spelled and sorted(str(one) for one in spelled) == sorted(shape.order):
        return [str(one) for one in spelled]
    if sorted(labels) == sorted(str(number) for number in range(len(shape.order))):
        return [shape.order[int(label)] for label in labels]
    raise Refused({place: f"The model's classes {', '.join(labels[:10])} are not {', '.join(shape.order[:10])}."})
