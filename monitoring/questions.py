"""What can be asked about a deployment: canonical questions, so that an answer is found again and asked for once.

A question is a path below `deployments/{id}/`, its parameters, and for statistics a window: `Last("P7D")` moves with
the clock, `Between(start, end)` does not. A *shared series* (hour or UTC-day buckets) has one key whatever its window:
its buckets are kept one by one and serve every range. All other questions are kept as whole answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from monitoring.clock import DAY, HOUR, floor_day, format_time, next_hour, parse_duration, parse_time

PAGE = 100
FEATURES_PAGE = 100


class Bucket(StrEnum):
    """Bucket sizes that every endpoint of the reference takes."""

    HOUR = "PT1H"
    DAY = "P1D"
    WEEK = "P7D"
    MONTH = "P1M"


class DriftMetric(StrEnum):
    PSI = "psi"
    KL_DIVERGENCE = "kl_divergence"
    DISSIMILARITY = "dissimilarity"
    HELLINGER = "hellinger"
    JS_DIVERGENCE = "js_divergence"


class ServiceMetric(StrEnum):
    TOTAL_PREDICTIONS = "totalPredictions"
    TOTAL_REQUESTS = "totalRequests"
    SLOW_REQUESTS = "slowRequests"
    EXECUTION_TIME = "executionTime"
    RESPONSE_TIME = "responseTime"
    USER_ERROR_RATE = "userErrorRate"
    SERVER_ERROR_RATE = "serverErrorRate"
    NUM_CONSUMERS = "numConsumers"
    CACHE_HIT_RATIO = "cacheHitRatio"
    MEDIAN_LOAD = "medianLoad"
    PEAK_LOAD = "peakLoad"


@dataclass(frozen=True, slots=True)
class Last:
    """A window that ends now, such as Last("P7D")."""

    duration: str


@dataclass(frozen=True, slots=True)
class Between:
    """A fixed window, half-open, on whole hours."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Mature:
    """A window of `duration` that ends `lag_hours` ago: where labels are complete. The lag is no part of the key."""

    duration: str
    lag_hours: int


Window = Last | Between | Mature
Params = tuple[tuple[str, str], ...]
Segment = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Question:
    """One canonical question. Equal questions have equal keys and one stored answer."""

    path: str
    params: Params = ()
    window: Window | None = None
    bucket: str | None = None
    paged: bool = False

    @property
    def is_series(self) -> bool:
        """True if its buckets are kept one by one and shared by every range."""
        if self.bucket == Bucket.HOUR:
            return True
        if self.bucket != Bucket.DAY:
            return False
        if isinstance(self.window, Between):
            return self.window.start == floor_day(self.window.start)
        return isinstance(self.window, Last)

    @property
    def key(self) -> str:
        """Canonical text: path?params, then bucket, then the window unless the series is shared."""
        parts = [f"{name}={value}" for name, value in self.params]
        if self.bucket:
            parts.append(f"bucketSize={self.bucket}")
        if self.window is not None and not self.is_series:
            parts.append(_window_text(self.window))
        return f"{self.path}?{'&'.join(parts)}" if parts else self.path

    def period(self, now: datetime) -> tuple[datetime, datetime] | None:
        """The half-open period asked for at `now`; None for questions without a window.

        Day buckets of a moving window start at midnight UTC, so that Last("P30D") is 29 whole days and today.
        """
        if self.window is None:
            return None
        if isinstance(self.window, Between):
            return self.window.start, self.window.end
        end, length = next_hour(now), parse_duration(self.window.duration)
        if isinstance(self.window, Mature):
            end -= self.window.lag_hours * HOUR
        if self.bucket == Bucket.DAY:
            return floor_day(end - HOUR) - max(length - DAY, 0 * DAY), end
        return end - length, end

    def query(self, now: datetime) -> list[tuple[str, str]]:
        """The parameters as sent at `now`."""
        sent = list(self.params)
        if self.bucket:
            sent.append(("bucketSize", self.bucket))
        if (period := self.period(now)) is not None:
            sent += [("start", format_time(period[0])), ("end", format_time(period[1]))]
        return sent

    def over(self, window: Window) -> Question:
        """The same question over another window."""
        return Question(self.path, self.params, window, self.bucket, self.paged)

    def to_json(self) -> dict[str, Any]:
        """For the table of pending questions."""
        return {
            "path": self.path,
            "params": [list(pair) for pair in self.params],
            "window": _window_json(self.window),
            "bucket": self.bucket,
            "paged": self.paged,
        }


def from_json(data: dict[str, Any]) -> Question:
    """The inverse of `Question.to_json`. Raises ValueError for what it did not write."""
    window = data["window"]
    parsed: Window | None
    if isinstance(window, list):
        start, end = parse_time(window[0]), parse_time(window[1])
        if start is None or end is None:
            raise ValueError("The window of a question must hold two times.")
        parsed = Between(start, end)
    elif isinstance(window, dict):
        parsed = Mature(window["duration"], int(window["lagHours"]))
    else:
        parsed = Last(window) if window else None
    params = tuple((str(name), str(value)) for name, value in data["params"])
    return Question(data["path"], params, parsed, data["bucket"], data["paged"])


def _window_text(window: Window) -> str:
    if isinstance(window, Last):
        return f"last={window.duration}"
    if isinstance(window, Mature):
        return f"mature={window.duration}"
    return f"start={format_time(window.start)}&end={format_time(window.end)}"


def _window_json(window: Window | None) -> str | list[str] | dict[str, Any] | None:
    if isinstance(window, Mature):
        return {"duration": window.duration, "lagHours": window.lag_hours}
    if isinstance(window, Between):
        return [format_time(window.start), format_time(window.end)]
    return window.duration if window is not None else None


def _params(
    *pairs: tuple[str, str | float | None], model_id: str | None = None, segment: Segment | None = None
) -> Params:
    found = [(name, str(value)) for name, value in pairs if value is not None]
    if model_id:
        found.append(("modelId", model_id))
    if segment:
        found += [("segmentAttribute", segment[0]), ("segmentValue", segment[1])]
    return tuple(sorted(found))


def details() -> Question:
    return Question("")


def settings() -> Question:
    return Question("settings/")


def health_settings() -> Question:
    return Question("healthSettings/")


def health_defaults() -> Question:
    return Question("healthSettings/defaults/")


def capabilities() -> Question:
    return Question("capabilities/")


def features() -> Question:
    return Question("features/", _params(("limit", PAGE)), paged=True)


def segment_attributes(monitoring_type: str) -> Question:
    """`monitoring_type`: serviceHealth, dataDrift, accuracy, humility or customMetrics."""
    return Question("segmentAttributes/", _params(("monitoringType", monitoring_type)))


def segment_values(attribute: str) -> Question:
    return Question("segmentValues/", _params(("limit", PAGE), ("segmentAttribute", attribute)), paged=True)


def service_stats(
    window: Window,
    *,
    quantile: float | None = None,
    slow_ms: int | None = None,
    model_id: str | None = None,
    segment: Segment | None = None,
) -> Question:
    """All service metrics of one period; `quantile` holds for response and execution time (default 0.5)."""
    pairs = (
        ("executionTimeQuantile", quantile),
        ("responseTimeQuantile", quantile),
        ("slowRequestsThreshold", slow_ms),
    )
    return Question("serviceStats/", _params(*pairs, model_id=model_id, segment=segment), window)


def service_over_time(
    metric: str,
    window: Window,
    bucket: str = Bucket.DAY,
    *,
    quantile: float | None = None,
    slow_ms: int | None = None,
    model_id: str | None = None,
    segment: Segment | None = None,
) -> Question:
    """One service metric by bucket: `value` each."""
    pairs = (("metric", metric), ("quantile", quantile), ("threshold", slow_ms))
    return Question("serviceStatsOverTime/", _params(*pairs, model_id=model_id, segment=segment), window, bucket)


def accuracy(window: Window, *, model_id: str | None = None, segment: Segment | None = None) -> Question:
    """The default accuracy metrics of one period with baseline and percent change."""
    return Question("accuracy/", _params(model_id=model_id, segment=segment), window)


def accuracy_over_time(
    metric: str,
    window: Window,
    bucket: str = Bucket.DAY,
    *,
    model_id: str | None = None,
    segment: Segment | None = None,
) -> Question:
    """One accuracy metric by bucket: `value`, `sampleSize`; the frame holds `baselines`."""
    return Question(
        "accuracyOverTime/", _params(("metric", metric), model_id=model_id, segment=segment), window, bucket
    )


def target_drift(
    window: Window, *, metric: str | None = None, model_id: str | None = None, segment: Segment | None = None
) -> Question:
    return Question("targetDrift/", _params(("metric", metric), model_id=model_id, segment=segment), window)


def feature_drift(
    window: Window, *, metric: str | None = None, model_id: str | None = None, segment: Segment | None = None
) -> Question:
    """Drift of every feature over one period, all pages put together under `data`."""
    params = _params(("limit", FEATURES_PAGE), ("metric", metric), model_id=model_id, segment=segment)
    return Question("featureDrift/", params, window, paged=True)


def feature_drift_over_time(
    feature: str,
    window: Window,
    bucket: str = Bucket.DAY,
    *,
    metric: str | None = None,
    model_id: str | None = None,
    segment: Segment | None = None,
) -> Question:
    """Drift of one feature by bucket: `driftScore`, `sampleSize`. Two features share one request when polled."""
    params = _params(("featureNames", feature), ("metric", metric), model_id=model_id, segment=segment)
    return Question("featureDriftOverTime/", params, window, bucket)


def predictions_over_time(
    window: Window, bucket: str = Bucket.DAY, *, model_id: str | None = None, segment: Segment | None = None
) -> Question:
    params = _params(("includePercentiles", "true"), model_id=model_id, segment=segment)
    return Question("predictionsOverTime/", params, window, bucket)


def predictions_vs_actuals_over_time(
    window: Window, bucket: str = Bucket.DAY, *, model_id: str | None = None, segment: Segment | None = None
) -> Question:
    return Question("predictionsVsActualsOverTime/", _params(model_id=model_id, segment=segment), window, bucket)


def batches() -> Question:
    """The newest batches."""
    return Question("monitoringBatches/", _params(("limit", PAGE), ("orderBy", "-createdAt")))


def service_over_batch(
    metric: str, *, quantile: float | None = None, batch_ids: Sequence[str] = (), segment: Segment | None = None
) -> Question:
    pairs = [("batchId", batch) for batch in batch_ids]
    return Question(
        "serviceStatsOverBatch/", _params(("metric", metric), ("quantile", quantile), *pairs, segment=segment)
    )


def accuracy_over_batch(
    metric: str | None = None,
    *,
    batch_ids: Sequence[str] = (),
    model_id: str | None = None,
    segment: Segment | None = None,
) -> Question:
    pairs = [("batchId", batch) for batch in batch_ids]
    return Question("accuracyOverBatch/", _params(("metric", metric), *pairs, model_id=model_id, segment=segment))


def feature_drift_over_batch(
    feature: str,
    *,
    batch_ids: Sequence[str] = (),
    metric: str | None = None,
    model_id: str | None = None,
    segment: Segment | None = None,
) -> Question:
    pairs = [("batchId", batch) for batch in batch_ids]
    params = _params(("driftMetric", metric), ("featureNames", feature), *pairs, model_id=model_id, segment=segment)
    return Question("featureDriftOverBatch/", params)


def batch_service_stats(batch_ids: Sequence[str], *, quantile: float | None = None) -> Question:
    """All service metrics over the named batches."""
    pairs = [("batchId", batch) for batch in batch_ids]
    return Question("batchServiceStats/", _params(("responseTimeQuantile", quantile), *pairs))


def batch_feature_drift(
    batch_ids: Sequence[str], *, metric: str | None = None, model_id: str | None = None
) -> Question:
    """Drift of every feature over the named batches."""
    pairs = [("batchId", batch) for batch in batch_ids]
    return Question(
        "featureDrift/", _params(("limit", FEATURES_PAGE), ("metric", metric), *pairs, model_id=model_id), paged=True
    )


def batch_accuracy(batch_ids: Sequence[str], *, model_id: str | None = None) -> Question:
    return Question("accuracy/", _params(*[("batchId", batch) for batch in batch_ids], model_id=model_id))


def predictions_over_batch(*, batch_ids: Sequence[str] = (), segment: Segment | None = None) -> Question:
    pairs = [("batchId", batch) for batch in batch_ids]
    return Question("predictionsOverBatch/", _params(("includePercentiles", "true"), *pairs, segment=segment))


def predictions_vs_actuals_over_batch(*, batch_ids: Sequence[str] = (), segment: Segment | None = None) -> Question:
    pairs = [("batchId", batch) for batch in batch_ids]
    return Question("predictionsVsActualsOverBatch/", _params(*pairs, segment=segment))
