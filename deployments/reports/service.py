"""Service health: requests, errors, response times, load and consumers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from deployments.reports.numbers import finite
from deployments.rollups.states import ServiceState
from metrics.latency import LatencyCounts
from metrics.service import column, service_rates

Value = float | int | None


class ServiceMetric(StrEnum):
    """The metrics of service health by their names in the reference."""

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


LOAD = (ServiceMetric.MEDIAN_LOAD, ServiceMetric.PEAK_LOAD)
OF_BATCHES = tuple(metric for metric in ServiceMetric if metric not in LOAD)
"""Load is requests a minute, so batches, which have no time of their own, do not have it."""


@dataclass(frozen=True)
class Options:
    """Which quantiles of the times (0 to 1), and beyond how many milliseconds a request is slow."""

    response_quantile: float = 0.5
    execution_quantile: float = 0.5
    slow_threshold: float = 1000


def value(state: ServiceState, metric: ServiceMetric, options: Options) -> Value:
    """One metric of one state; None where it is undefined, for example a rate without requests."""
    return METRICS[metric](state, options)


def values(
    state: ServiceState, options: Options, metrics: tuple[ServiceMetric, ...] = tuple(ServiceMetric)
) -> dict[str, Value]:
    """Several metrics of one state, by name."""
    return {metric.value: value(state, metric, options) for metric in metrics}


def _total(name: str) -> Callable[[ServiceState, Options], Value]:
    return lambda state, _: int(column(state.sums, name))


def _rate(metric: ServiceMetric) -> Callable[[ServiceState, Options], Value]:
    return lambda state, _: finite(float(service_rates(state.sums)[metric]))


def _quantile(times: LatencyCounts, quantile: float) -> Value:
    return finite(times.quantile(quantile))


def _slow(state: ServiceState, options: Options) -> Value:
    """None when there were requests but nobody timed them: unknown is not "none was slow"."""
    untimed = column(state.sums, "requests") > 0 and not state.response.n
    return None if untimed else state.response.slow(options.slow_threshold)


METRICS: dict[ServiceMetric, Callable[[ServiceState, Options], Value]] = {
    ServiceMetric.TOTAL_PREDICTIONS: _total("predictions"),
    ServiceMetric.TOTAL_REQUESTS: _total("requests"),
    ServiceMetric.SLOW_REQUESTS: _slow,
    ServiceMetric.EXECUTION_TIME: lambda state, options: _quantile(state.execution, options.execution_quantile),
    ServiceMetric.RESPONSE_TIME: lambda state, options: _quantile(state.response, options.response_quantile),
    ServiceMetric.USER_ERROR_RATE: _rate(ServiceMetric.USER_ERROR_RATE),
    ServiceMetric.SERVER_ERROR_RATE: _rate(ServiceMetric.SERVER_ERROR_RATE),
    ServiceMetric.NUM_CONSUMERS: lambda state, _: round(state.consumers.count()),
    ServiceMetric.CACHE_HIT_RATIO: _rate(ServiceMetric.CACHE_HIT_RATIO),
    ServiceMetric.MEDIAN_LOAD: lambda state, _: finite(state.load.median()),
    ServiceMetric.PEAK_LOAD: lambda state, _: finite(state.load.peak()),
}
