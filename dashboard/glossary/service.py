"""Service health: requests, errors, times, load and callers."""

from __future__ import annotations

from dashboard.glossary.entry import Entry
from monitoring.questions import ServiceMetric

SECTION, GROUP = "Service health", "Service health"

NAMES = {
    ServiceMetric.TOTAL_PREDICTIONS: "Predictions",
    ServiceMetric.TOTAL_REQUESTS: "Requests",
    ServiceMetric.SLOW_REQUESTS: "Slow requests",
    ServiceMetric.EXECUTION_TIME: "Execution time",
    ServiceMetric.RESPONSE_TIME: "Response time",
    ServiceMetric.USER_ERROR_RATE: "User errors",
    ServiceMetric.SERVER_ERROR_RATE: "Server errors",
    ServiceMetric.NUM_CONSUMERS: "Consumers",
    ServiceMetric.CACHE_HIT_RATIO: "Cache hits",
    ServiceMetric.MEDIAN_LOAD: "Median load",
    ServiceMetric.PEAK_LOAD: "Peak load",
}
"""The metrics of the reference and the names under which pages explain them."""


def _of(
    metric: ServiceMetric,
    meaning: str,
    how: str = "",
    unit: str = "",
    better: str = "",
    edge: str = "",
    also: tuple[str, ...] = (),
) -> Entry:
    span = {"%": "0 to 100"}.get(unit, "0 to no upper end")
    return Entry(NAMES[metric], meaning, how, unit, span, better, edge, SECTION, GROUP, (metric.value, *also))


ENTRIES = (
    _of(
        ServiceMetric.TOTAL_PREDICTIONS,
        "Rows that were scored.",
        "One request may hold many rows; each is counted.",
        "rows",
        edge="Requests that failed add none.",
        also=("predictions a day", "a day", "rows"),
    ),
    _of(
        ServiceMetric.TOTAL_REQUESTS,
        "Calls to the prediction server, failed ones included.",
        "By the time at which the server received them.",
        "calls",
    ),
    _of(
        ServiceMetric.SLOW_REQUESTS,
        "Requests that took longer than the slow limit.",
        "Response time greater than the limit, 1,000 ms unless it was set otherwise.",
        "calls",
        "lower",
    ),
    _of(
        ServiceMetric.EXECUTION_TIME,
        "Time that the model itself spent on a request.",
        "A quantile over the requests of the range: the median unless said otherwise.",
        "ms",
        "lower",
        "Quantiles of parts cannot be averaged, so the range as a whole is asked.",
    ),
    _of(
        ServiceMetric.RESPONSE_TIME,
        "Time to receive, compute and answer a request, without the network.",
        "A quantile over the requests of the range: the median, and the 95th percentile beside it.",
        "ms",
        "lower",
        "No value for models that run elsewhere and do not report their times.",
        ("median response", "95th percentile", "p50", "p95"),
    ),
    _of(
        ServiceMetric.USER_ERROR_RATE,
        "Requests that were wrong in themselves: answered 4xx.",
        "4xx answers ÷ all requests.",
        "%",
        "lower",
        "One in the last 24 hours puts the service at risk. Refusals by a humility rule (480) count here.",
        ("user error rate", "data errors"),
    ),
    _of(
        ServiceMetric.SERVER_ERROR_RATE,
        "Requests that the server could not answer: 5xx.",
        "5xx answers ÷ all requests.",
        "%",
        "lower",
        "One in the last 24 hours makes the service failing.",
        ("server error rate", "system errors"),
    ),
    _of(
        ServiceMetric.NUM_CONSUMERS,
        "How many different callers asked.",
        "Distinct keys or users; exact up to about ten thousand, within a percent or two beyond.",
        "callers",
    ),
    _of(
        ServiceMetric.CACHE_HIT_RATIO,
        "Requests that a cache answered.",
        "Cache hits ÷ all requests.",
        "%",
        "higher, as far as the answers may be old",
    ),
    _of(
        ServiceMetric.MEDIAN_LOAD,
        "Requests in a usual minute.",
        "Median over the minutes in which at least one request came.",
        "requests a minute",
        edge="Not known by batch: a batch has no minutes.",
    ),
    _of(
        ServiceMetric.PEAK_LOAD,
        "Requests in the busiest minute.",
        "The largest count of any one minute in the range.",
        "requests a minute",
        edge="Not known by batch: a batch has no minutes.",
    ),
)
