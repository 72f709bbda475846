"""Custom metrics: a card each with value, baseline, limit and pace; the chosen one over time or over batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import quote

from dashboard import examples
from dashboard.charts import words
from dashboard.charts.batches import BATCHES, BatchBar, BatchPoints
from dashboard.charts.chart import ChartView
from dashboard.charts.custom import CUSTOM, CustomPoints
from dashboard.charts.theme import category
from dashboard.charts.timeline import Series, TimePoints
from dashboard.examples import Example
from dashboard.glossary.others import KINDS as TERMS
from dashboard.shelf import Bucket, Values, number, picker
from dashboard.tabs.custom_metric import (
    Metric,
    categories,
    category_share,
    limit_words,
    limits_of,
    metric_of,
    status_of,
)
from dashboard.tabs.parts import Tab
from dashboard.tabs.subject import Subject
from metrics.custom import CustomKind
from monitoring import questions as q
from monitoring.clock import parse_time
from monitoring.models import Status
from monitoring.poll.areas import MOST_METRICS, custom_ids
from monitoring.poll.facts import batch_ids, count_of
from monitoring.questions import Question

KIND = "customMetrics"
#: The list is polled so seldom that an empty one is asked again by who looks at it.
EMPTY_FOR = timedelta(minutes=5)
MOST_CATEGORIES = 8
SEVERITY = {Status.FAILING.value: 0, Status.WARNING.value: 1}


@dataclass(frozen=True)
class Card:
    """One metric at a glance; without a value the note says why."""

    metric: Metric
    value: str
    unit: str
    note: str
    change: float | None
    tone: str
    status: str
    limits: str
    samples: float | None
    pace: Values
    last: str
    href: str
    chosen: bool


# --- What is asked -------------------------------------------------------------------------------------------------


def is_on(subject: Subject) -> bool:
    """Whether a metric is known; the list is read with the page."""
    return bool(_ids(subject))


def by_batch(subject: Subject) -> bool:
    return bool(subject.watched.batch_monitoring)


def summary_question(subject: Subject) -> Question | None:
    """All metrics over the judged window, or over the judged batches; None while there is no batch."""
    if not by_batch(subject):
        return q.custom_summary(subject.judged, model_id=subject.model_id, segment=subject.segment(KIND))
    found = batch_ids(subject.shelf.payload(q.batches()))
    rule = subject.health_settings.data_drift
    judged = found[: count_of(rule.batch_count if rule else None)]
    return q.custom_batch_summary(judged, model_id=subject.model_id) if judged else None


def series_question(subject: Subject, metric_id: str) -> Question:
    """One metric by bin, or by batch."""
    if by_batch(subject):
        return q.custom_over_batch(metric_id, model_id=subject.model_id)
    return q.custom_over_time(
        metric_id, subject.window, subject.bucket, model_id=subject.model_id, segment=subject.segment(KIND)
    )


def read(subject: Subject, chosen: str = "") -> None:
    """Definitions first, then what they are asked about."""
    asked = [q.custom_metrics(), *([q.batches()] if by_batch(subject) else [])]
    if subject.view.segment is not None and not by_batch(subject):
        asked.append(q.segment_attributes(KIND))
    subject.shelf.read(asked)
    ids = _ids(subject)
    if not ids:
        subject.shelf.ask_again(q.custom_metrics(), EMPTY_FOR)
    shown = ids[:MOST_METRICS] + ([chosen] if chosen in ids[MOST_METRICS:] else [])
    subject.shelf.read([summary_question(subject), *(series_question(subject, metric_id) for metric_id in shown)])


def _ids(subject: Subject) -> list[str]:
    return custom_ids(subject.shelf.entries(q.custom_metrics()))


# --- What is known -------------------------------------------------------------------------------------------------


def summaries(subject: Subject) -> dict[str, dict[str, Any]]:
    """The metrics of the judged window by id."""
    question = summary_question(subject)
    rows = subject.shelf.entries(question, "metrics") if question is not None else []
    return {str(row.get("id")): row for row in rows}


def metrics_of(subject: Subject) -> list[Metric]:
    """All definitions, those that are to be drawn first."""
    rows = {str(row.get("id")): row for row in subject.shelf.entries(q.custom_metrics())}
    known = summaries(subject)
    return [metric_of(rows[metric_id], known.get(metric_id, {})) for metric_id in _ids(subject)]


def worst_first(subject: Subject, found: Sequence[Metric]) -> list[Metric]:
    """Failing ones, those at risk, those with a limit, then the others as they are defined."""
    known, rule = summaries(subject), subject.health_settings.custom_metrics

    def rank(metric: Metric) -> int:
        status = status_of(metric, rule, metric.of(known.get(metric.id, {})))
        return SEVERITY.get(status, 2 if status else 3)

    return sorted(found, key=rank)


def values_of(subject: Subject, metric: Metric) -> Values:
    """One number a bin."""
    return subject.clock.place(subject.shelf.buckets(series_question(subject, metric.id)), metric.of)


def batches_of(subject: Subject, metric: Metric) -> list[dict[str, Any]]:
    """The batches that the page shows, oldest first."""
    rows = subject.shelf.entries(series_question(subject, metric.id), "buckets")
    return rows[-subject.view.batches :]


# --- The tab -------------------------------------------------------------------------------------------------------


def build(subject: Subject, chosen: str = "") -> Tab:
    """The cards, worst first, and the chosen metric in full."""
    read(subject, chosen)
    found = worst_first(subject, metrics_of(subject))
    if not found:
        known = bool(subject.shelf.payload(q.custom_metrics()))
        more = {"empty": empty(known), "define": define(subject), "report": examples.custom_values(subject.watched)}
        return Tab("dashboard/tab_custom.html", more=more)
    picked = next((metric for metric in found if metric.id == chosen), found[0])
    chart = _over_batches(subject, picked) if by_batch(subject) else _over_time(subject, picked)
    more = {
        "cards": [_card(subject, metric, picked) for metric in found],
        "picked": picked,
        "facts": facts(subject, picked),
        "report": examples.custom_values(subject.watched, picked.id),
        "window": window_words(subject),
    }
    return Tab("dashboard/tab_custom.html", {"main": chart}, more=more)


def address(subject: Subject, metric: Metric) -> str:
    """The tab with a metric chosen."""
    return f"{subject.url('custom')}{'&' if subject.query else '?'}metric={quote(metric.id)}"


def window_words(subject: Subject) -> str:
    """What the values of the cards are of."""
    if not by_batch(subject):
        return f"last {subject.interval_words}"
    question = summary_question(subject)
    n = sum(1 for name, _ in question.params if name == "batchId") if question else 0
    return "the newest batch" if n == 1 else f"the newest {n} batches"


def _card(subject: Subject, metric: Metric, picked: Metric) -> Card:
    row = summaries(subject).get(metric.id, {})
    rule = subject.health_settings.custom_metrics
    value, limits = metric.of(row), limits_of(metric, rule)
    change = number(row, "percentChange")
    status = status_of(metric, rule, value)
    share = change / 100 if change is not None else None
    base = metric.baseline if metric.baseline is not None else number(row, "baselineValue")
    return Card(
        metric=metric,
        value=metric.text(value),
        unit=metric.lead if metric.categorical else metric.units,
        note=_note(subject, metric, value, base),
        change=None if metric.categorical else share,
        tone=_change_tone(status, share),
        status=status,
        limits=limit_words(limits),
        samples=number(row, "sampleCount"),
        pace=_pace(subject, metric),
        last=last_words(subject, metric),
        href=address(subject, metric),
        chosen=metric is picked,
    )


def _note(subject: Subject, metric: Metric, value: float | None, base: float | None) -> str:
    if value is None:
        return f"no value in {window_words(subject)}"
    if metric.categorical:
        return "the most frequent category"
    return f"baseline {metric.text(base)}" if base is not None else "no baseline"


def _change_tone(status: str, share: float | None) -> str:
    if status in (Status.FAILING, Status.WARNING):
        return status
    if share is None or abs(share) <= 0.005:
        return ""
    return "passing" if share > 0 else "failing" if share < -0.1 else ""


def _pace(subject: Subject, metric: Metric) -> Values:
    if by_batch(subject):
        return tuple(metric.of(row) for row in batches_of(subject, metric))
    return values_of(subject, metric)


def last_words(subject: Subject, metric: Metric) -> str:
    """When the last value came, as far as the bins (or batches) of the page tell."""
    pace = _pace(subject, metric)
    at = next((i for i in range(len(pace) - 1, -1, -1) if pace[i] is not None), None)
    if at is None:
        return "no value in the range"
    if by_batch(subject):
        return f"last in {batch_name(batches_of(subject, metric)[at])}"
    end = min(subject.clock.at(at + 1), subject.anchor)
    if end == subject.anchor:
        noun = {"day": "today (UTC)", "hour": "within the hour"}.get(subject.view.bucket_noun, "in the last bin")
        return f"last value {noun}"
    return f"last value {words.day(subject.clock.at(at))}, {words.duration(subject.anchor - end)} ago"


def batch_name(row: Mapping[str, Any]) -> str:
    inner = row.get("batch")
    name = (inner.get("name") or inner.get("id")) if isinstance(inner, dict) else row.get("batchName")
    return str(name or "a batch")


# --- The chosen metric ---------------------------------------------------------------------------------------------


def points(subject: Subject, metric: Metric, height: int = 240) -> CustomPoints:
    """The metric over the range of the page."""
    found = subject.shelf.buckets(series_question(subject, metric.id))
    if metric.categorical:
        series = _category_series(subject, found)
    else:
        series = (Series(metric.name, values_of(subject, metric), label=None),)
    time = TimePoints(
        subject.clock.start,
        subject.clock.step,
        series,
        unit="%" if metric.categorical else "",
        caption=f"share of {metric.name}" if metric.categorical else metric.units or metric.name,
        baseline=None if metric.categorical else metric.baseline,
        limits=() if metric.categorical else limits_of(metric, subject.health_settings.custom_metrics),
        changes=subject.changes() if metric.specific else (),
        unfinished=subject.running,
        zero=metric.categorical or metric.kind == CustomKind.SUM,
        height=height,
    )
    samples = subject.clock.place(found, picker("sampleSize"))
    return CustomPoints(time, metric.name, metric.better, samples, stacked=metric.categorical)


def _category_series(subject: Subject, found: Sequence[Bucket]) -> tuple[Series, ...]:
    counts: dict[str, float] = {}
    for bucket in found:
        for name, count in categories(bucket.values).items():
            counts[name] = counts.get(name, 0.0) + count
    names = sorted(counts, key=lambda name: -counts[name])[:MOST_CATEGORIES]
    return tuple(
        Series(name, subject.clock.place(found, partial(category_share, name=name)), token=category(i))
        for i, name in enumerate(names)
    )


def _over_time(subject: Subject, metric: Metric) -> ChartView:
    better = "higher" if metric.better > 0 else "lower"
    return CUSTOM.view(
        "custom-main",
        points(subject, metric),
        caption=f"{_how(metric)} by {subject.view.bucket_noun}"
        + ("" if metric.categorical else f"; {better} is better"),
        status=_tone(subject, metric),
        foot="Samples a bin beneath. Each bin is shown on its own; the verdict is made over "
        + f"{subject.interval_words}. Bins are UTC.",
        term=_term(metric),
        api_url=subject.api_url(series_question(subject, metric.id)),
        csv_url=subject.csv_url("custom", "main", f"metric={quote(metric.id)}"),
    )


def _over_batches(subject: Subject, metric: Metric) -> ChartView:
    limits = () if metric.categorical else limits_of(metric, subject.health_settings.custom_metrics)
    rule = subject.health_settings.custom_metrics
    bars = tuple(
        BatchBar(batch_name(row), value, status_of(metric, rule, value))
        for row in batches_of(subject, metric)
        for value in (metric.of(row),)
    )
    shown = BatchPoints(
        bars,
        metric.name,
        unit="%" if metric.categorical else "",
        caption=f"share of {metric.lead}" if metric.categorical else metric.units,
        zero=metric.categorical or metric.kind == CustomKind.SUM,
        baseline=None if metric.categorical else metric.baseline,
        limits=limits,
        height=220,
    )
    better = "" if metric.categorical else f"; {'higher' if metric.better > 0 else 'lower'} is better"
    return BATCHES.view(
        "custom-main",
        shown,
        caption=f"{_how(metric)} by batch{better}",
        status=_tone(subject, metric),
        foot="Oldest batch left.",
        term=_term(metric),
        api_url=subject.api_url(series_question(subject, metric.id)),
        csv_url=subject.csv_url("custom", "main", f"metric={quote(metric.id)}"),
    )


def _how(metric: Metric) -> str:
    return {"sum": "Sum", "average": "Average", "gauge": "Latest value", "categorical": "Share of categories"}.get(
        metric.kind, "Value"
    )


def _term(metric: Metric) -> str:
    return TERMS[CustomKind(metric.kind)] if metric.kind in set(CustomKind) else "Custom metrics"


def _tone(subject: Subject, metric: Metric) -> str:
    rule = subject.health_settings.custom_metrics
    status = status_of(metric, rule, metric.of(summaries(subject).get(metric.id, {})))
    return status if status in (Status.FAILING, Status.WARNING) else ""


def facts(subject: Subject, metric: Metric) -> list[tuple[str, str]]:
    """How the metric is defined and how its values come in."""
    made = parse_time(metric.made)
    arrives = "Reported through the API"
    if metric.columns:
        arrives += f" or from data sets ({metric.columns})"
    limits = limit_words(limits_of(metric, subject.health_settings.custom_metrics))
    return [
        ("Kind", metric.kind_words),
        ("Unit", metric.units or words.NONE),
        ("Better", words.NONE if metric.categorical else "higher" if metric.better > 0 else "lower"),
        ("Baseline", metric.text(metric.baseline) if metric.baseline is not None else "none"),
        ("Limit", limits or "none: this metric is not judged"),
        ("Values", arrives),
        ("Of", "one model each" if metric.specific else "all models together"),
        ("Last value", last_words(subject, metric).removeprefix("last value ").removeprefix("last ")),
        ("Defined", words.stamp(made, subject.reader.zone, subject.now) if made else words.NONE),
    ]


def lane_metric(subject: Subject) -> Metric | None:
    """The metric of the overview's lane: the worst that is judged; None where none is."""
    rule = subject.health_settings.custom_metrics
    judged = [metric for metric in metrics_of(subject) if limits_of(metric, rule) and not metric.categorical]
    return next(iter(worst_first(subject, judged)), None)


# --- When there is none --------------------------------------------------------------------------------------------


def empty(known: bool) -> str:
    """Why there is nothing to show."""
    if not known:
        return "The list of custom metrics has not been fetched yet."
    return (
        "A custom metric is a number of your own that is kept beside the model's: money saved, minutes late, "
        "complaints. Define one, then report its values by the hour."
    )


def define(subject: Subject) -> Example:
    """A first metric."""
    body = {
        "name": "Money saved",
        "type": "sum",
        "units": "EUR",
        "directionality": "higherIsBetter",
        "isModelSpecific": False,
        "baselineValues": [{"value": 1000}],
    }
    return examples.call(subject.watched, "POST", "customMetrics/", "Define a metric", body)
