"""What segments are compared by: accuracy metrics, drift and service metrics, each over the whole range of a page.

A measure knows the question that answers it for one segment or for all rows, and how to read the answer. By batch the
range is the newest batch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dashboard.charts import words
from dashboard.filters import Segment
from dashboard.shelf import number, objects
from dashboard.tabs import accuracy
from dashboard.tabs.subject import ACCURACY, DRIFT, SERVICE, Subject
from metrics import FeatureDrift, feature_noise, wilson
from metrics.binning import BinKind
from metrics.health import USUAL_BINS
from monitoring import questions as q
from monitoring.clock import HOUR, parse_duration
from monitoring.health import bins_of
from monitoring.questions import Between, Question, ServiceMetric

Json = dict[str, Any]
TARGET = "the predictions"
WORDS = {ACCURACY: "Accuracy", DRIFT: "Drift", SERVICE: "Service"}
TABS = {ACCURACY: "accuracy", DRIFT: "drift", SERVICE: "service"}


@dataclass(frozen=True)
class Reading:
    """One answer; None: not told. `low`, `high`: its 95 % interval. `noise`: the drift that chance stays below."""

    value: float | None = None
    n: int | None = None
    low: float | None = None
    high: float | None = None
    baseline: float | None = None
    noise: float | None = None


@dataclass(frozen=True)
class Measure:
    """`kind`: of which monitoring. `better`: +1 more is better, −1 less is, 0 a plain amount. `rows`: what n counts."""

    key: str
    word: str
    kind: str
    better: int
    rows: str
    ask: Callable[[Subject, Segment | None], Question]
    read: Callable[[Json], Reading]
    text: Callable[[float | None], str]
    metric: str = ""
    unit: str = ""
    query: str = ""
    """What the tab of its kind is asked for, beside the segment."""

    def question(self, subject: Subject, segment: Segment | None) -> Question:
        return self.ask(subject, segment)

    def reading(self, subject: Subject, segment: Segment | None) -> Reading | None:
        """The stored answer; None where there is none."""
        found = subject.shelf.payload(self.question(subject, segment))
        return self.read(found) if found else None


def offered(subject: Subject) -> dict[str, Measure]:
    """Every measure that fits the deployment, by key, the judged accuracy metric first."""
    names = accuracy.offered(subject) if subject.attributes(ACCURACY) else ()
    ordered = sorted(names, key=lambda name: name != subject.metric)
    found = [scored(subject, name) for name in ordered]
    if subject.attributes(DRIFT):
        found += ([] if subject.watched.batch_monitoring else [of_target()]) + [
            of_feature(n) for n in features(subject)
        ]
    if subject.attributes(SERVICE):
        found += services(batch=subject.watched.batch_monitoring)
    return {one.key: one for one in found}


def leading(subject: Subject, known: dict[str, Measure]) -> list[Measure]:
    """Those of the table over all measures: the usual metrics, drift of the predictions, errors, the tail."""
    drift = "drift" if "drift" in known else next((key for key in known if key.startswith("drift:")), "drift")
    wanted = dict.fromkeys((subject.metric, *subject.default_metrics, drift, "serverErrorRate", "responseTime95"))
    return [known[key] for key in wanted if key in known]


def whole_bucket(subject: Subject) -> str:
    """The range of the page as one bucket, in hours: `PT720H`."""
    window = subject.window
    length = window.end - window.start if isinstance(window, Between) else parse_duration(window.duration)
    return f"PT{max(1, length // HOUR)}H"


def newest_batch(subject: Subject) -> tuple[str, ...]:
    """The id of the newest batch; empty where none is known."""
    rows = subject.shelf.entries(q.batches())
    return (str(rows[0]["id"]),) if rows and rows[0].get("id") else ()


def _pair(segment: Segment | None) -> q.Segment | None:
    return None if segment is None else (segment.attribute, segment.value)


# --- Accuracy ----------------------------------------------------------------------------------------------------


def scored(subject: Subject, name: str) -> Measure:
    """One accuracy metric over the rows that have a label."""

    def ask(subject: Subject, segment: Segment | None) -> Question:
        pair, model = _pair(segment), subject.model_id
        if subject.watched.batch_monitoring:
            return q.accuracy_over_batch(name, batch_ids=newest_batch(subject), model_id=model, segment=pair)
        return q.accuracy_over_time(name, subject.window, whole_bucket(subject), model_id=model, segment=pair)

    return Measure(
        name,
        name,
        ACCURACY,
        subject.better(name),
        "labelled row",
        ask,
        _scored,
        lambda value: words.metric_value(value, name),
        metric=name,
        query=f"metric={name}",
    )


def _scored(answer: Json) -> Reading:
    """The summary of the range, else its one bucket."""
    summary = answer.get("summary")
    buckets = objects(answer.get("buckets"))
    rows = summary if isinstance(summary, dict) and "value" in summary else buckets[0] if len(buckets) == 1 else {}
    interval = rows.get("interval") if isinstance(rows.get("interval"), dict) else {}
    bases = objects(answer.get("baselines"))
    return Reading(
        number(rows),
        _whole(number(rows, "sampleSize")),
        number(interval or {}, "low"),
        number(interval or {}, "high"),
        number(bases[0]) if bases else None,
    )


# --- Drift -------------------------------------------------------------------------------------------------------


def of_target() -> Measure:
    """Drift of the predictions against the holdout's, of the same segment."""

    def ask(subject: Subject, segment: Segment | None) -> Question:
        return q.target_drift(subject.window, model_id=subject.model_id, segment=_pair(segment))

    return Measure("drift", f"PSI of {TARGET}", DRIFT, -1, "row", ask, _drifted, _psi, metric="PSI")


def of_feature(name: str) -> Measure:
    """Drift of one feature; all features come in one answer."""

    def ask(subject: Subject, segment: Segment | None) -> Question:
        pair, model = _pair(segment), subject.model_id
        if subject.watched.batch_monitoring:
            return q.feature_drift_over_batch(name, batch_ids=newest_batch(subject), model_id=model, segment=pair)
        return q.feature_drift(subject.window, model_id=model, segment=pair)

    def read(answer: Json) -> Reading:
        rows = objects(answer.get("data") or answer.get("buckets"))
        return next((_drifted(one) for one in rows if name in (one.get("name"), one.get("featureName"))), Reading())

    query = f"feature={name}"
    return Measure(f"drift:{name}", f"PSI of {name}", DRIFT, -1, "row", ask, read, _psi, metric="PSI", query=query)


def features(subject: Subject) -> list[str]:
    """The names of the features that drift is told of, in the source's order."""
    rows = subject.shelf.entries(q.feature_drift(subject.judged, model_id=subject.model_id))
    found = [row["name"] for row in rows if isinstance(row.get("name"), str)]
    rows = [] if found else subject.shelf.entries(q.features())
    return found or [row["name"] for row in rows if str(row.get("featureType")).lower() in ("numeric", "categorical")]


def _drifted(row: Json) -> Reading:
    """The score with what chance alone reaches at this size."""
    score, n, base = (number(row, name) for name in ("driftScore", "sampleSize", "baselineSampleSize"))
    bins = bins_of(str(row.get("type") or row.get("featureType"))) or USUAL_BINS[BinKind.NUMERIC]
    noise = feature_noise(FeatureDrift("", score, None, int(n or 0) or None, int(base or 0) or None, bins))
    return Reading(score, _whole(n), noise=noise or None)


def _psi(value: float | None) -> str:
    return words.metric_value(value, "PSI")


# --- Service health ----------------------------------------------------------------------------------------------

_SERVICE: tuple[tuple[str, str, ServiceMetric, float | None, int, str], ...] = (
    ("responseTime95", "Response time, p95", ServiceMetric.RESPONSE_TIME, 0.95, -1, "ms"),
    ("responseTime", "Response time, median", ServiceMetric.RESPONSE_TIME, None, -1, "ms"),
    ("executionTime", "Execution time, median", ServiceMetric.EXECUTION_TIME, None, -1, "ms"),
    ("serverErrorRate", "Server errors", ServiceMetric.SERVER_ERROR_RATE, None, -1, "%"),
    ("userErrorRate", "User errors", ServiceMetric.USER_ERROR_RATE, None, -1, "%"),
    ("slowRequests", "Slow requests", ServiceMetric.SLOW_REQUESTS, None, -1, ""),
    ("totalRequests", "Requests", ServiceMetric.TOTAL_REQUESTS, None, 0, ""),
    ("totalPredictions", "Predictions", ServiceMetric.TOTAL_PREDICTIONS, None, 0, ""),
    ("numConsumers", "Consumers", ServiceMetric.NUM_CONSUMERS, None, 0, ""),
    ("cacheHitRatio", "Cache hits", ServiceMetric.CACHE_HIT_RATIO, None, 0, "%"),
    ("medianLoad", "Median load, requests a minute", ServiceMetric.MEDIAN_LOAD, None, 0, ""),
    ("peakLoad", "Peak load, requests a minute", ServiceMetric.PEAK_LOAD, None, 0, ""),
)
_TEXT: dict[str, Callable[[float | None], str]] = {
    "ms": words.milliseconds,
    "%": lambda value: words.percent(value, 2),
    "": lambda value: words.number(value, 0),
}


def services(*, batch: bool) -> list[Measure]:
    """The service metrics; those of a range come in one answer."""
    return [_service(*row, batch=batch) for row in _SERVICE]


def _service(
    key: str, word: str, metric: ServiceMetric, quantile: float | None, better: int, unit: str, *, batch: bool
) -> Measure:
    def ask(subject: Subject, segment: Segment | None) -> Question:
        pair = _pair(segment)
        if batch:
            ids = newest_batch(subject)
            return q.service_over_batch(metric.value, quantile=quantile, batch_ids=ids, segment=pair)
        return q.service_stats(subject.window, quantile=quantile, model_id=subject.model_id, segment=pair)

    def read(answer: Json) -> Reading:
        if batch:
            buckets = objects(answer.get("buckets"))
            return Reading(number(buckets[0])) if buckets else Reading()
        found = answer.get("metrics")
        values = found if isinstance(found, dict) else {}
        return _rate(number(values, metric.value), _whole(number(values, "totalRequests")), unit == "%")

    return Measure(key, word, SERVICE, better, "request", ask, read, _TEXT[unit], unit=unit)


def _rate(value: float | None, n: int | None, is_share: bool) -> Reading:
    if value is None or not n or not is_share:
        return Reading(value, n)
    low, high = wilson([value * n], [n])
    return Reading(value, n, float(low[0]), float(high[0]))


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)
