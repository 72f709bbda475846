"""The client of a model server that speaks the Open Inference Protocol, version 2, over HTTP.

One request a piece of rows: `POST {url}/v2/models/{model}[/versions/{version}]/infer`, one input a feature with shape
`[rows, 1]`, `FP64` for numbers and `BYTES` for words; missing values are `null`. Runtime parameters go into the
request's own `parameters`. Source: the Open Inference Protocol, `github.com/kserve/open-inference-protocol`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Annotated, Any
from urllib.parse import quote

import httpx
import msgspec
import numpy as np
import polars as pl
from django.conf import settings
from msgspec import Meta, Struct

from deployments import addresses
from deployments.ingest.shape import Shape
from deployments.models import FeatureType
from deployments.scoring.errors import ScoringFailed

MOST_BYTES = 256 * 1_048_576
LIKELY = ("probabilities", "predict_proba", "predictions", "predict", "output_probability", "variable")


class ScoringAddress(Struct, rename="camel", omit_defaults=True):
    """Where a model is served. `outputName`: needed where the model has several outputs of numbers."""

    url: Annotated[str, Meta(min_length=1, max_length=2000)]
    model_name: Annotated[str, Meta(min_length=1, max_length=300)]
    model_version: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    output_name: Annotated[str, Meta(min_length=1, max_length=300)] | None = None
    class_names: list[str] | None = None


class OpenInference:
    """A model behind an address; the columns of its answer as numbers."""

    def __init__(self, address: ScoringAddress, shape: Shape, parameters: Mapping[str, bool | float | str]) -> None:
        addresses.check(address.url)
        self._address, self._shape, self._parameters = address, shape, parameters
        self._http = addresses.client(settings.SCORING_SECONDS)

    def __enter__(self) -> OpenInference:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.close()

    @property
    def classes(self) -> Sequence[str]:
        """The class of each column."""
        return self._address.class_names or self._shape.order

    def run(self, features: Mapping[str, pl.Series], rows: int) -> list[pl.Series]:
        """The answer's columns. Raises ScoringFailed with what the server said, or with what was wrong about it."""
        body: dict[str, Any] = {"inputs": [self._input(name, column) for name, column in features.items()]}
        if self._parameters:
            body["parameters"] = dict(self._parameters)
        try:
            with self._http.stream("POST", self._path(), json=body) as answer:
                raw = self._whole(answer)
        except addresses.AddressRefused as error:
            raise ScoringFailed(str(error)) from None
        except httpx.HTTPError as error:
            raise ScoringFailed(f"The scoring address cannot be reached: {error}"[:300]) from None
        if answer.status_code != httpx.codes.OK:
            text = raw[:200].decode(errors="replace")
            raise ScoringFailed(f"The scoring address answered {answer.status_code}: {text}")
        return self._columns(raw, rows)

    def _path(self) -> str:
        parts = ["v2/models", quote(self._address.model_name, safe="")]
        if self._address.model_version:
            parts += ["versions", quote(self._address.model_version, safe="")]
        return "/".join([self._address.url.rstrip("/"), *parts, "infer"])

    def _input(self, name: str, column: pl.Series) -> dict[str, Any]:
        numeric = self._shape.features[name] is FeatureType.NUMERIC
        values = column.to_list()
        if numeric:
            values = [None if value is None or not math.isfinite(value) else value for value in values]
        return {"name": name, "shape": [len(values), 1], "datatype": "FP64" if numeric else "BYTES", "data": values}

    def _whole(self, answer: httpx.Response) -> bytes:
        raw = bytearray()
        for piece in answer.iter_bytes():
            raw += piece
            if len(raw) > MOST_BYTES:
                raise ScoringFailed("The scoring address answered with more than 256 MiB.")
        return bytes(raw)

    def _columns(self, raw: bytes, rows: int) -> list[pl.Series]:
        try:
            outputs = msgspec.json.decode(raw)["outputs"]
            chosen = self._chosen(outputs)
            table = np.asarray(chosen["data"], np.float64).reshape(rows, -1)
        except (msgspec.DecodeError, KeyError, TypeError, ValueError) as error:
            raise ScoringFailed(f"The scoring address did not answer one prediction a row: {error}"[:300]) from None
        return [pl.Series(table[:, place]) for place in range(table.shape[1])]

    def _chosen(self, outputs: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        names = [self._address.output_name] if self._address.output_name else LIKELY
        for name in names:
            for output in outputs:
                if output["name"] == name:
                    return output
        if len(outputs) == 1 and self._address.output_name is None:
            return outputs[0]
        raise ScoringFailed(f"The scoring address answered no output called {' or '.join(map(str, names))}.")
