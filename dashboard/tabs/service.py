"""Service health: response quantiles against the slow limit, errors and load on the same clock."""

from __future__ import annotations

from dashboard.charts import words
from dashboard.charts.service import SERVICE, ServicePoints
from dashboard.charts.timeline import Limit, Series, TimePoints
from dashboard.shelf import Values, number, picker, total
from dashboard.tabs.parts import Tab, Tile
from dashboard.tabs.subject import SERVICE as KIND
from dashboard.tabs.subject import Subject
from monitoring import questions as q
from monitoring.models import Area, Status
from monitoring.questions import Last, Question, ServiceMetric

TAIL = 0.95
WEEK = Last("P7D")
SLOW_MS = 1000
"""The reference's default limit of a slow request."""


def series_question(subject: Subject, metric: ServiceMetric, quantile: float | None = None) -> Question:
    """One service metric over the range of the page."""
    return q.service_over_time(
        metric.value,
        subject.window,
        subject.bucket,
        quantile=quantile,
        model_id=subject.model_id,
        segment=subject.segment(KIND),
    )


def series(subject: Subject, metric: ServiceMetric, quantile: float | None = None) -> Values:
    """One value a bin."""
    question = series_question(subject, metric, quantile)
    return subject.clock.place(subject.shelf.buckets(question), picker("value"))


def stats_question(subject: Subject, quantile: float | None = None) -> Question:
    """All metrics of the range; on the default view of the last week, which is polled."""
    window = WEEK if subject.view.is_default else subject.window
    return q.service_stats(window, quantile=quantile, model_id=subject.model_id, segment=subject.segment(KIND))


SHOWN = (
    ServiceMetric.TOTAL_PREDICTIONS,
    ServiceMetric.TOTAL_REQUESTS,
    ServiceMetric.SLOW_REQUESTS,
    ServiceMetric.RESPONSE_TIME,
    ServiceMetric.USER_ERROR_RATE,
    ServiceMetric.SERVER_ERROR_RATE,
    ServiceMetric.MEDIAN_LOAD,
    ServiceMetric.PEAK_LOAD,
)


def build(subject: Subject) -> Tab:
    """Tiles over the range, then one chart with four panels' worth of facts on one clock."""
    asked = [series_question(subject, metric) for metric in SHOWN]
    asked += [series_question(subject, ServiceMetric.RESPONSE_TIME, TAIL)]
    asked += [stats_question(subject), stats_question(subject, TAIL)]
    subject.shelf.read(asked)
    values = {metric: series(subject, metric) for metric in SHOWN}
    main = SERVICE.view(
        "service-main",
        points(subject, values),
        caption=f"Median and 95th percentile of response time by {subject.view.bucket_noun}; errors, requests",
        status=_tone(subject.status(Area.SERVICE)),
        foot=f"Red line: a request is slow from {words.milliseconds(SLOW_MS)} on. By the time a request was received.",
        term="Response time",
        api_url=subject.api_url(series_question(subject, ServiceMetric.RESPONSE_TIME, TAIL)),
        csv_url=subject.csv_url("service", "main"),
    )
    return Tab("dashboard/tab_service.html", {"main": main}, tiles(subject, values))


def points(subject: Subject, values: dict[ServiceMetric, Values]) -> ServicePoints:
    """Errors are shares at the source; here they are counted."""
    requests = values[ServiceMetric.TOTAL_REQUESTS]
    tail = series(subject, ServiceMetric.RESPONSE_TIME, TAIL)
    known = [value for value in tail if value is not None]
    limits = (Limit(Status.FAILING, SLOW_MS, above=True, words="slow"),) if known and max(known) > SLOW_MS / 3 else ()
    time = TimePoints(
        subject.clock.start,
        subject.clock.step,
        (
            Series("median", values[ServiceMetric.RESPONSE_TIME], token="former"),  # noqa: S106 - a colour
            Series("p95", tail),
        ),
        unit="ms",
        caption="response time, ms",
        zero=True,
        limits=limits,
        changes=subject.changes(),
        strip=subject.strip(Area.SERVICE),
        height=168,
    )
    return ServicePoints(
        time,
        user_errors=counted(values[ServiceMetric.USER_ERROR_RATE], requests),
        server_errors=counted(values[ServiceMetric.SERVER_ERROR_RATE], requests),
        load=requests,
        load_caption="requests",
    )


def counted(shares: Values, requests: Values) -> Values:
    """Errors of each bin; None where either is not known."""
    pairs = zip(shares, requests, strict=True)
    return tuple(None if share is None or n is None else round(share * n) for share, n in pairs)


def tiles(subject: Subject, values: dict[ServiceMetric, Values]) -> tuple[Tile, ...]:
    """Counts are sums of the bins; quantiles cannot be added and are asked for the whole range."""
    requests = total(values[ServiceMetric.TOTAL_REQUESTS])
    return (
        Tile("Predictions", words.compact(total(values[ServiceMetric.TOTAL_PREDICTIONS])), note=subject.range_words),
        Tile("Requests", words.compact(requests), note=_load(values)),
        *_times(subject),
        _errors("Server errors", values, ServiceMetric.SERVER_ERROR_RATE, Status.FAILING),
        _errors("User errors", values, ServiceMetric.USER_ERROR_RATE, Status.WARNING),
        Tile(
            "Slow requests",
            words.number(total(values[ServiceMetric.SLOW_REQUESTS]), 0),
            note=f"slower than {words.milliseconds(SLOW_MS)}",
        ),
        _consumers(subject),
    )


def _times(subject: Subject) -> tuple[Tile, Tile]:
    found = []
    for name, quantile in (("Median response", None), ("95th percentile", TAIL)):
        metrics = subject.shelf.payload(stats_question(subject, quantile)).get("metrics")
        value = number(metrics, "responseTime") if isinstance(metrics, dict) else None
        known = isinstance(metrics, dict)
        span = f"last 7{words.THIN}d" if subject.view.is_default else subject.range_words
        note = span if value is not None else "not reported" if known else "on its way"
        shown, _, unit = words.milliseconds(value).partition(words.THIN)
        found.append(Tile(name, shown, unit, note))
    return found[0], found[1]


def _errors(name: str, values: dict[ServiceMetric, Values], metric: ServiceMetric, status: Status) -> Tile:
    requests = total(values[ServiceMetric.TOTAL_REQUESTS])
    errors = total(counted(values[metric], values[ServiceMetric.TOTAL_REQUESTS]))
    if errors is None or not requests:
        return Tile(name, words.NONE, note="no request in this range")
    note = f"{words.percent(errors / requests, 2)} of requests"
    return Tile(name, words.number(errors, 0), note=note, status=status if errors else "")


def _consumers(subject: Subject) -> Tile:
    metrics = subject.shelf.payload(stats_question(subject)).get("metrics")
    value = number(metrics, "numConsumers") if isinstance(metrics, dict) else None
    cached = number(metrics, "cacheHitRatio") if isinstance(metrics, dict) else None
    note = f"{words.percent(cached)} from the cache" if cached else "distinct callers"
    return Tile("Consumers", words.number(value, 0), note=note)


def _load(values: dict[ServiceMetric, Values]) -> str:
    peaks = [value for value in values[ServiceMetric.PEAK_LOAD] if value is not None]
    return f"at most {words.number(max(peaks), 0)} a minute" if peaks else "requests a minute not reported"


def _tone(status: Status) -> str:
    return status.value if status in (Status.FAILING, Status.WARNING) else ""
