"""What a question is: a path, parameters, and for statistics a window and a bucket size."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

from monitoring.clock import DAY, HOUR, floor_day, format_time, next_hour, parse_duration, parse_time

PAGE = 100
FEATURES_PAGE = 100
LONGEST_KEY = 500
"""The tables keep 600 characters: what waits to be asked has its window added."""


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
        """Canonical text: path?params, then bucket, then the window unless the series is shared.

        Of a text longer than the tables keep (names of features can be long) the end is a digest of the whole.
        """
        parts = [f"{name}={value}" for name, value in self.params]
        if self.bucket:
            parts.append(f"bucketSize={self.bucket}")
        if self.window is not None and not self.is_series:
            parts.append(_window_text(self.window))
        text = f"{self.path}?{'&'.join(parts)}" if parts else self.path
        return text if len(text) <= LONGEST_KEY else text[: LONGEST_KEY - 64] + sha256(text.encode()).hexdigest()

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


def params_of(
    *pairs: tuple[str, str | float | None], model_id: str | None = None, segment: Segment | None = None
) -> Params:
    """The parameters in their one order; what is None is left out."""
    found = [(name, str(value)) for name, value in pairs if value is not None]
    if model_id:
        found.append(("modelId", model_id))
    if segment:
        found += [("segmentAttribute", segment[0]), ("segmentValue", segment[1])]
    return tuple(sorted(found))
