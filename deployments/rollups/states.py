"""What the rows of a bucket add up to. Merging states is adding them, so any set of buckets has a state too.

A state is stored as one MessagePack array. Counts are kept in the narrowest integers that hold them; the order of
features and bins is that of the model's package, which never changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from metrics import (
    EMPTY_LATENCY,
    EMPTY_LOAD,
    NO_CONSUMERS,
    SERVICE_COLUMNS,
    Consumers,
    LatencyCounts,
    LoadCounts,
    Quantiles,
    ScoreCounts,
    decode_consumers,
    decode_latency,
    decode_load,
    decode_quantiles,
    decode_scores,
    merge_consumers,
    merge_latency,
    merge_load,
    merge_quantiles,
    merge_scores,
)

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder()
_WIDTHS = (np.dtype("<u1"), np.dtype("<u2"), np.dtype("<u4"), np.dtype("<u8"))
_LARGEST = (2**8 - 1, 2**16 - 1, 2**32 - 1, 2**63 - 1)
NO_FLOATS: Floats = np.empty(0)
NO_COUNTS: Counts = np.empty(0, np.int64)


@dataclass(frozen=True, eq=False)
class ServiceState:
    """Requests. `sums` are those of `metrics.SERVICE_COLUMNS`."""

    sums: Floats = field(default_factory=lambda: np.zeros(len(SERVICE_COLUMNS)))
    response: LatencyCounts = EMPTY_LATENCY
    execution: LatencyCounts = EMPTY_LATENCY
    load: LoadCounts = EMPTY_LOAD
    consumers: Consumers = NO_CONSUMERS

    @property
    def n_requests(self) -> int:
        return int(self.sums[0])

    @property
    def n_predictions(self) -> int:
        return int(self.sums[1])

    def encode(self) -> bytes:
        parts = [self.response.encode(), self.execution.encode(), self.load.encode(), self.consumers.encode()]
        return _ENCODER.encode([self.sums.tobytes(), *parts])


@dataclass(frozen=True, eq=False)
class PredictionState:
    """Predictions. Only rows that are not left out of drift count, but for `n_skipped`.

    `feature_counts` by name on the feature's bins, `target_counts` on the target's bins; both empty where that drift
    was switched off. `class_counts` by predicted class, `sums`: the sum of the predicted value or positive
    probability, or of each class's probability; `n_predicted`: rows that have a prediction. `quantiles`: of the
    predicted value or positive probability, `None` without any.
    """

    n_rows: int = 0
    n_skipped: int = 0
    n_predicted: int = 0
    warnings: int = 0
    feature_counts: Mapping[str, Counts] = field(default_factory=dict)
    target_counts: Counts = field(default_factory=lambda: NO_COUNTS)
    class_counts: Counts = field(default_factory=lambda: NO_COUNTS)
    sums: Floats = field(default_factory=lambda: NO_FLOATS)
    quantiles: Quantiles | None = None

    def encode(self, layout: Layout) -> bytes:
        counts = [self.feature_counts[name] for name in layout.names if name in self.feature_counts]
        features = np.concatenate(counts) if len(counts) == len(layout.names) and counts else NO_COUNTS
        head = [self.n_rows, self.n_skipped, self.n_predicted, self.warnings]
        sketch = self.quantiles.encode() if self.quantiles is not None else b""
        return encode_predictions(head, features, self.target_counts, self.class_counts, self.sums, sketch)

    @property
    def sum_prediction(self) -> float:
        """The sum of predicted values or positive probabilities; `nan` for several classes."""
        return float(self.sums[0]) if self.sums.size == 1 else float("nan")

    @property
    def sum_probabilities(self) -> Floats:
        """The sum of each class's probability; of two classes both."""
        if self.sums.size == 1 and self.class_counts.size == 2:
            return np.array([self.n_predicted - self.sums[0], self.sums[0]])
        return self.sums if self.class_counts.size else NO_FLOATS

    @property
    def mean_prediction(self) -> float:
        """The mean predicted value or positive probability; `nan` without predictions and for several classes."""
        return self.sum_prediction / self.n_predicted if self.n_predicted else float("nan")


@dataclass(frozen=True, eq=False)
class AccuracyState:
    """Predictions with association ids, and the actuals that came for them.

    `sums` are those of `metrics.regression_sums`, `binary_sums` or `multiclass_sums`; empty without any actual.
    `scores` has one entry for a binary target, one a class for several classes. `sum_actual` and `sum_predicted`
    go over the `n_actual` scored rows; `actual_class_counts` and `predicted_class_counts` count them by class.
    """

    n_total: int = 0
    n_actual: int = 0
    n_duplicates: int = 0
    sums: Floats = field(default_factory=lambda: NO_FLOATS)
    scores: tuple[ScoreCounts, ...] = ()
    sum_actual: float = 0.0
    sum_predicted: float = 0.0
    actual_class_counts: Counts = field(default_factory=lambda: NO_COUNTS)
    predicted_class_counts: Counts = field(default_factory=lambda: NO_COUNTS)

    def encode(self) -> bytes:
        head = [self.n_total, self.n_actual, self.n_duplicates, self.sum_actual, self.sum_predicted]
        classes = [pack_counts(self.actual_class_counts), pack_counts(self.predicted_class_counts)]
        return encode_accuracy(head, self.sums.tobytes(), [part.encode() for part in self.scores], *classes)


State = ServiceState | PredictionState | AccuracyState


@dataclass(frozen=True)
class Layout:
    """Where each feature's counts lie in the one array that holds those of all features."""

    names: tuple[str, ...]
    sizes: tuple[int, ...]

    def split(self, counts: Counts) -> dict[str, Counts]:
        """The counts by name; empty if nothing was counted."""
        if counts.size != sum(self.sizes):
            return {}
        edges = np.cumsum(self.sizes)[:-1]
        return dict(zip(self.names, np.split(counts, edges), strict=True)) if self.names else {}


# --- Bytes ------------------------------------------------------------------------------------------------------


def pack_counts(counts: Counts) -> bytes:
    """Non-negative integers, each as wide as the largest needs; the first byte says how wide."""
    if not counts.size:
        return b""
    largest = int(counts.max())
    code = next(code for code, limit in enumerate(_LARGEST) if largest <= limit)
    return bytes([code]) + counts.astype(_WIDTHS[code]).tobytes()


def pack_rows(counts: Counts) -> list[bytes]:
    """`pack_counts` of every row of a matrix: all rows of one width at once."""
    if not counts.shape[1]:
        return [b""] * len(counts)
    codes = np.searchsorted(_LARGEST, counts.max(axis=1))
    packed = [b""] * len(counts)
    for code in np.unique(codes).tolist():
        rows = np.flatnonzero(codes == code)
        raw, head = counts[rows].astype(_WIDTHS[code]).tobytes(), bytes([code])
        size = len(raw) // len(rows)
        for place, row in enumerate(rows.tolist()):
            packed[row] = head + raw[place * size : (place + 1) * size]
    return packed


def unpack_counts(raw: bytes) -> Counts:
    """What `pack_counts` wrote."""
    if not raw:
        return NO_COUNTS
    return np.frombuffer(raw, _WIDTHS[raw[0]], offset=1).astype(np.int64)


def encode_predictions(
    head: Sequence[int], features: Counts, target: Counts, classes: Counts, sums: Floats, sketch: bytes
) -> bytes:
    """The bytes of a `PredictionState`; `head`: n_rows, n_skipped, n_predicted, warnings."""
    return encode_packed(head, pack_counts(features), pack_counts(target), pack_counts(classes), sums, sketch)


def encode_packed(
    head: Sequence[int], features: bytes, target: bytes, classes: bytes, sums: Floats, sketch: bytes
) -> bytes:
    """`encode_predictions` of counts that are packed already."""
    return _ENCODER.encode([*head, features, target, classes, sums.tobytes(), sketch])


def encode_accuracy(
    head: Sequence[float], sums: bytes, scores: Sequence[bytes], actual: bytes, predicted: bytes
) -> bytes:
    """The bytes of an `AccuracyState`; `head`: n_total, n_actual, n_duplicates, sum_actual, sum_predicted."""
    return _ENCODER.encode([*head, sums, scores, actual, predicted])


def decode_service(payload: bytes | memoryview) -> ServiceState:
    """What `ServiceState.encode` wrote."""
    sums, response, execution, load, consumers = _DECODER.decode(payload)
    return ServiceState(
        np.frombuffer(sums),
        decode_latency(response),
        decode_latency(execution),
        decode_load(load),
        decode_consumers(consumers),
    )


def decode_predictions(payload: bytes | memoryview, layout: Layout) -> PredictionState:
    """What `encode_predictions` wrote."""
    rows, skipped, predicted, warnings, features, target, classes, sums, sketch = _DECODER.decode(payload)
    return PredictionState(
        rows,
        skipped,
        predicted,
        warnings,
        layout.split(unpack_counts(features)),
        unpack_counts(target),
        unpack_counts(classes),
        np.frombuffer(sums),
        decode_quantiles(sketch) if sketch else None,
    )


def decode_accuracy(payload: bytes | memoryview) -> AccuracyState:
    """What `AccuracyState.encode` wrote."""
    total, actual, duplicates, sum_actual, sum_predicted, sums, scores, actuals, predicted = _DECODER.decode(payload)
    return AccuracyState(
        total,
        actual,
        duplicates,
        np.frombuffer(sums),
        tuple(decode_scores(part) for part in scores),
        sum_actual,
        sum_predicted,
        unpack_counts(actuals),
        unpack_counts(predicted),
    )


# --- Adding -----------------------------------------------------------------------------------------------------


def merge_service(parts: Sequence[ServiceState]) -> ServiceState:
    """All requests of the parts together; the parts share no minute."""
    if len(parts) <= 1:
        return parts[0] if parts else ServiceState()
    return ServiceState(
        np.sum([part.sums for part in parts], axis=0),
        merge_latency([part.response for part in parts]),
        merge_latency([part.execution for part in parts]),
        merge_load([part.load for part in parts]),
        merge_consumers([part.consumers for part in parts]),
    )


def merge_predictions(parts: Sequence[PredictionState]) -> PredictionState:
    """All predictions of the parts together."""
    if len(parts) <= 1:
        return parts[0] if parts else PredictionState()
    sketches = [part.quantiles for part in parts if part.quantiles is not None]
    names = dict.fromkeys(name for part in parts for name in part.feature_counts)
    return PredictionState(
        sum(part.n_rows for part in parts),
        sum(part.n_skipped for part in parts),
        sum(part.n_predicted for part in parts),
        sum(part.warnings for part in parts),
        {name: add([part.feature_counts.get(name, NO_COUNTS) for part in parts]) for name in names},
        add([part.target_counts for part in parts]),
        add([part.class_counts for part in parts]),
        add([part.sums for part in parts]),
        merge_quantiles(sketches) if sketches else None,
    )


def merge_accuracy(parts: Sequence[AccuracyState]) -> AccuracyState:
    """All predictions of the parts together."""
    if len(parts) <= 1:
        return parts[0] if parts else AccuracyState()
    scored = [part.scores for part in parts if part.scores]
    return AccuracyState(
        sum(part.n_total for part in parts),
        sum(part.n_actual for part in parts),
        sum(part.n_duplicates for part in parts),
        add([part.sums for part in parts]),
        tuple(merge_scores(of_class) for of_class in zip(*scored, strict=True)),
        sum(part.sum_actual for part in parts),
        sum(part.sum_predicted for part in parts),
        add([part.actual_class_counts for part in parts]),
        add([part.predicted_class_counts for part in parts]),
    )


def add(arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """The sum of arrays of one length; empty ones stand for "nothing counted" and are left out."""
    filled = [array for array in arrays if array.size]
    return reduce(np.add, filled) if filled else (arrays[0] if arrays else NO_COUNTS)
