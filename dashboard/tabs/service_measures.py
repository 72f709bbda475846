"""What is chosen on the service tab: quantile, the time above which a request is slow, the measure drawn by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from dashboard.charts import words
from dashboard.charts.timeline import TimePoints
from dashboard.shelf import total
from monitoring.questions import ServiceMetric

TAIL = 0.95
QUANTILES = (0.5, 0.9, TAIL, 0.99)
SLOW_MS = 1000
"""The reference's default limit of a slow request."""
SLOWS = (250, 500, SLOW_MS, 2000, 5000)


@dataclass(frozen=True)
class Measure:
    """One service metric as it is drawn alone. `counted`: bars that add up; else a line, `unit` "ms" or "%"."""

    slug: str
    word: str
    metric: ServiceMetric
    unit: str = ""
    counted: bool = False
    tail: bool = False


MEASURES = (
    Measure("predictions", "Predictions", ServiceMetric.TOTAL_PREDICTIONS, counted=True),
    Measure("requests", "Requests", ServiceMetric.TOTAL_REQUESTS, counted=True),
    Measure("response", "Median response", ServiceMetric.RESPONSE_TIME, "ms"),
    Measure("tail", "Response, chosen quantile", ServiceMetric.RESPONSE_TIME, "ms", tail=True),
    Measure("execution", "Median execution", ServiceMetric.EXECUTION_TIME, "ms"),
    Measure("server-errors", "Server errors", ServiceMetric.SERVER_ERROR_RATE, "%"),
    Measure("user-errors", "User errors", ServiceMetric.USER_ERROR_RATE, "%"),
    Measure("slow", "Slow requests", ServiceMetric.SLOW_REQUESTS, counted=True),
    Measure("consumers", "Consumers", ServiceMetric.NUM_CONSUMERS),
    Measure("cache", "Answers from the cache", ServiceMetric.CACHE_HIT_RATIO, "%"),
    Measure("median-load", "Median load, requests a minute", ServiceMetric.MEDIAN_LOAD),
    Measure("peak-load", "Peak load, requests a minute", ServiceMetric.PEAK_LOAD),
)
BY_SLUG = {measure.slug: measure for measure in MEASURES}


@dataclass(frozen=True)
class Choice:
    """What the address of the tab chooses; what cannot be read is the default."""

    quantile: float = TAIL
    slow_ms: int = SLOW_MS
    show: str = ""

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> Choice:
        quantiles = {f"{one:g}": one for one in QUANTILES}
        slows = {str(one): one for one in SLOWS}
        show = query.get("show", "")
        return cls(
            quantiles.get(query.get("quantile", ""), TAIL),
            slows.get(query.get("slow", ""), SLOW_MS),
            show if show in BY_SLUG else "",
        )

    @property
    def query(self) -> str:
        """As the address has it, defaults left out."""
        pairs = [
            ("quantile", "" if self.quantile == TAIL else f"{self.quantile:g}"),
            ("slow", "" if self.slow_ms == SLOW_MS else str(self.slow_ms)),
            ("show", self.show),
        ]
        return urlencode([pair for pair in pairs if pair[1]])

    @property
    def asked_slow(self) -> int | None:
        """The limit as it is asked for: None leaves the default to the source, which is what is polled."""
        return None if self.slow_ms == SLOW_MS else self.slow_ms

    @property
    def short(self) -> str:
        """`p95`."""
        return f"p{100 * self.quantile:g}"

    @property
    def ordinal(self) -> str:
        """`95th percentile`."""
        return "Median" if self.quantile == 0.5 else f"{100 * self.quantile:g}th percentile"


def measure_title(measure: Measure, points: TimePoints) -> str:
    """How much there was in all and when most, or the highest value and the last one."""
    values = points.series[0].values
    known = [(value, -i) for i, value in enumerate(values) if value is not None]
    if not known:
        return f"{measure.word}: nothing in this range"
    top, at = max(known)
    when, last = words.day(points.at(-at)), known[-1][0]
    if measure.counted:
        whole = total(values) or 0
        noun = measure.word.lower()
        return f"{words.number(whole, 0)} {noun}, most of them on {when}" if whole else f"No {noun} in this range"
    if top == min(value for value, _ in known):
        return f"{measure.word} stayed at {points.text(top)}"
    return f"{measure.word} was highest on {when}, at {points.text(top)}; now {points.text(last)}"
