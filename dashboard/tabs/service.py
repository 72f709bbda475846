"""Service health: response quantiles against the slow limit, errors and load; each measure also by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from django.utils.safestring import SafeString

from dashboard.charts import words
from dashboard.charts.chart import ChartView
from dashboard.charts.columns import Column
from dashboard.charts.lane import LANE
from dashboard.charts.service import SERVICE, ServicePoints
from dashboard.charts.timeline import Limit, Series, TimePoints
from dashboard.shelf import Values, number, picker, total
from dashboard.tabs.parts import Tab, Tile, switch, switches
from dashboard.tabs.service_measures import BY_SLUG, MEASURES, QUANTILES, SLOWS, Choice, Measure, measure_title
from dashboard.tabs.subject import SERVICE as KIND
from dashboard.tabs.subject import Subject
from monitoring import questions as q
from monitoring.models import Area, Status
from monitoring.questions import Last, Question, ServiceMetric

WEEK = Last("P7D")


def series_question(
    subject: Subject, metric: ServiceMetric, quantile: float | None = None, slow_ms: int | None = None
) -> Question:
    """One service metric over the range of the page."""
    return q.service_over_time(
        metric.value,
        subject.window,
        subject.bucket,
        quantile=quantile,
        slow_ms=slow_ms,
        model_id=subject.model_id,
        segment=subject.segment(KIND),
    )


def series(
    subject: Subject, metric: ServiceMetric, quantile: float | None = None, slow_ms: int | None = None
) -> Values:
    """One value a bin."""
    question = series_question(subject, metric, quantile, slow_ms)
    return subject.clock.place(subject.shelf.buckets(question), picker("value"))


def stats_question(subject: Subject, quantile: float | None = None) -> Question:
    """All metrics of the range; on the default view of the last week, which is polled."""
    window = WEEK if subject.view.is_default else subject.window
    return q.service_stats(window, quantile=quantile, model_id=subject.model_id, segment=subject.segment(KIND))


def measured_question(subject: Subject, measure: Measure, choice: Choice) -> Question:
    """The series of a measure under what is chosen."""
    quantile = _asked(choice.quantile) if measure.tail else None
    slow = choice.asked_slow if measure.metric is ServiceMetric.SLOW_REQUESTS else None
    return series_question(subject, measure.metric, quantile, slow)


def _asked(quantile: float) -> float | None:
    """As it is asked for: the source's default, the median, is what is polled."""
    return None if quantile == 0.5 else quantile


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


def build(subject: Subject, query: Mapping[str, str] | None = None) -> Tab:
    """Tiles over the range, the measure that was clicked, then all of it on one clock."""
    choice = Choice.parse(query or {})
    shown = BY_SLUG.get(choice.show)
    asked = [series_question(subject, metric) for metric in SHOWN]
    asked += [series_question(subject, ServiceMetric.RESPONSE_TIME, _asked(choice.quantile))]
    asked += [series_question(subject, ServiceMetric.SLOW_REQUESTS, slow_ms=choice.asked_slow)]
    asked += [stats_question(subject), stats_question(subject, _asked(choice.quantile))]
    asked += [measured_question(subject, shown, choice)] if shown else []
    subject.shelf.read(asked)
    values = {metric: series(subject, metric) for metric in SHOWN}
    values[ServiceMetric.SLOW_REQUESTS] = series(subject, ServiceMetric.SLOW_REQUESTS, slow_ms=choice.asked_slow)
    main = SERVICE.view(
        "service-main",
        points(subject, values, choice),
        caption=f"{_lines(choice)} of response time by {subject.view.bucket_noun}; errors, requests",
        status=_tone(subject.status(Area.SERVICE)),
        foot=f"Red line: slow from {words.milliseconds(choice.slow_ms)} on. By the time a request was received.",
        term="Response time",
        api_url=subject.api_url(series_question(subject, ServiceMetric.RESPONSE_TIME, _asked(choice.quantile))),
        csv_url=subject.csv_url("service", "main", choice.query),
    )
    charts = {"main": main} | ({"measure": _measure(subject, shown, choice)} if shown else {})
    more = {"controls": _controls(subject, choice), "measures": _measures(subject, choice) if shown else ""}
    more |= {"close": address(subject, replace(choice, show=""))}
    return Tab("dashboard/tab_service.html", charts, tiles(subject, values, choice), more)


def address(subject: Subject, choice: Choice) -> str:
    """The tab with something chosen."""
    base = subject.url("service")
    return f"{base}{'&' if '?' in base else '?'}{choice.query}" if choice.query else base


def _lines(choice: Choice) -> str:
    return "Median" if choice.quantile == 0.5 else f"Median and {choice.ordinal.lower()}"


def _controls(subject: Subject, choice: Choice) -> SafeString:
    """The quantile, and from when on a request is slow."""
    quantiles = [
        (f"p{100 * one:g}", address(subject, replace(choice, quantile=one)), one == choice.quantile)
        for one in QUANTILES
    ]
    slows = [
        (words.milliseconds(one), address(subject, replace(choice, slow_ms=one)), one == choice.slow_ms)
        for one in SLOWS
    ]
    return switches(switch("Quantile", quantiles), switch("Slow from", slows))


def _measures(subject: Subject, choice: Choice) -> SafeString:
    links = [(one.word, address(subject, replace(choice, show=one.slug)), one.slug == choice.show) for one in MEASURES]
    close = ("Close", address(subject, replace(choice, show="")), False)
    return switch("Measure", [next(link for link in links if link[2]), close], links)


def _measure(subject: Subject, measure: Measure, choice: Choice) -> ChartView:
    """One measure by itself."""
    question = measured_question(subject, measure, choice)
    word = f"Response, {choice.ordinal.lower()}" if measure.tail else measure.word
    values = subject.clock.place(subject.shelf.buckets(question), picker("value"))
    time = TimePoints(
        subject.clock.start,
        subject.clock.step,
        (Series(word, values),),
        unit=measure.unit,
        caption=f"{word.lower()}, per {subject.view.bucket_noun}" if measure.counted else word.lower(),
        bars=measure.counted,
        zero=True,
        changes=subject.changes(),
        unfinished=subject.running,
        height=200,
    )
    slow = f" Slow: from {words.milliseconds(choice.slow_ms)} on." if measure.slug == "slow" else ""
    return LANE.view(
        "service-measure",
        time,
        title=measure_title(replace(measure, word=word), time),
        caption=f"{word} by {subject.view.bucket_noun}",
        foot=f"By the time a request was received.{slow} Bins are UTC.",
        term=measure.word,
        api_url=subject.api_url(question),
        csv_url=subject.csv_url("service", "measure", choice.query),
    )


def points(subject: Subject, values: dict[ServiceMetric, Values], choice: Choice) -> ServicePoints:
    """Errors are shares at the source; here they are counted."""
    requests, slow = values[ServiceMetric.TOTAL_REQUESTS], choice.slow_ms
    tail = series(subject, ServiceMetric.RESPONSE_TIME, _asked(choice.quantile))
    known = [value for value in tail if value is not None]
    limits = (Limit(Status.FAILING, slow, above=True, words="slow"),) if known and max(known) > slow / 3 else ()
    median = Series("median", values[ServiceMetric.RESPONSE_TIME], token="former")  # noqa: S106 - a colour
    lines = (replace(median, token="champion"),) if choice.quantile == 0.5 else (median, Series(choice.short, tail))  # noqa: S106
    time = TimePoints(
        subject.clock.start,
        subject.clock.step,
        lines,
        unit="ms",
        caption="response time, ms",
        zero=True,
        limits=limits,
        changes=subject.changes(),
        unfinished=subject.running,
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
    return Column(None if share is None or n is None else round(share * n) for share, n in pairs)


def tiles(subject: Subject, values: dict[ServiceMetric, Values], choice: Choice) -> tuple[Tile, ...]:
    """Counts are sums of the bins; quantiles cannot be added and are asked for the whole range."""
    requests = total(values[ServiceMetric.TOTAL_REQUESTS])
    predictions = words.compact(total(values[ServiceMetric.TOTAL_PREDICTIONS]))
    found = {
        "predictions": Tile("Predictions", predictions, note=subject.range_words),
        "requests": Tile("Requests", words.compact(requests), note=_load(values)),
        "response": _time(subject, "Median response", None, "responseTime"),
        "tail": replace(
            _time(subject, choice.ordinal, _asked(choice.quantile), "responseTime"), term="95th percentile"
        ),
        "execution": replace(_time(subject, "Median execution", None, "executionTime"), term="Execution time"),
        "server-errors": _errors("Server errors", values, ServiceMetric.SERVER_ERROR_RATE, Status.FAILING),
        "user-errors": _errors("User errors", values, ServiceMetric.USER_ERROR_RATE, Status.WARNING),
        "slow": Tile(
            "Slow requests",
            words.number(total(values[ServiceMetric.SLOW_REQUESTS]), 0),
            note=f"slower than {words.milliseconds(choice.slow_ms)}",
        ),
        "consumers": _consumers(subject),
    }
    if choice.quantile == 0.5:
        del found["tail"]
    return tuple(replace(tile, href=address(subject, replace(choice, show=slug))) for slug, tile in found.items())


def _time(subject: Subject, name: str, quantile: float | None, field: str) -> Tile:
    metrics = subject.shelf.payload(stats_question(subject, quantile)).get("metrics")
    value = number(metrics, field) if isinstance(metrics, dict) else None
    span = f"last 7{words.THIN}d" if subject.view.is_default else subject.range_words
    note = span if value is not None else "not reported" if isinstance(metrics, dict) else "on its way"
    shown, _, unit = words.milliseconds(value).partition(words.THIN)
    return Tile(name, shown, unit, note)


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
