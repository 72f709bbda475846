"""Accuracy: the judged metric over time against baseline and limits, with labels that still arrive set apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.utils.safestring import SafeString

from dashboard.charts import words
from dashboard.charts.accuracy import ACCURACY, AccuracyPoints
from dashboard.charts.columns import Column
from dashboard.charts.predicted_actual import PREDICTED_ACTUAL
from dashboard.charts.timeline import Series, TimePoints
from dashboard.shelf import Values, number, picker
from dashboard.tabs import rivals
from dashboard.tabs.parts import Tab, Tile, metric_tile, switch, switches
from dashboard.tabs.predictions import actual_points, over_time_question, pair_caption, pairs, pairs_question
from dashboard.tabs.subject import ACCURACY as KIND
from dashboard.tabs.subject import Subject
from metrics import ACCURACY_METRICS, ALL_METRICS, TargetType
from monitoring import questions as q
from monitoring.models import Area, Status
from monitoring.questions import Question

TILES = 4
#: Nobody polls challengers: their list is asked again once it is that old.
AGAIN = timedelta(minutes=10)


def series_question(subject: Subject, metric: str, model_id: str | None = None) -> Question:
    """One accuracy metric over the range of the page."""
    return q.accuracy_over_time(
        metric,
        subject.window,
        subject.bucket,
        model_id=model_id or subject.model_id,
        segment=subject.segment(KIND),
    )


def summary_question(subject: Subject) -> Question:
    """The default metrics over the judged window, which ends where labels are complete."""
    return q.accuracy(subject.mature, model_id=subject.model_id, segment=subject.segment(KIND))


def build(subject: Subject, chosen: str = "", beside: bool = False) -> Tab:
    """Tiles with the judged one first, the lead chart, then predicted against actual.

    `beside`: the challengers' lines stand beside the champion's.
    """
    metric = chosen if chosen in offered(subject) else subject.metric
    subject.shelf.read(
        [
            series_question(subject, metric),
            summary_question(subject),
            pairs_question(subject),
            over_time_question(subject),
            *former_questions(subject, metric),
        ],
        beside=[q.challengers()],
    )
    others = challengers(subject, metric) if beside else []
    lead = points(subject, metric)
    lead = replace(lead, time=replace(lead.time, series=(*lead.time.series, *others)))
    tone = subject.status(Area.ACCURACY) if metric == subject.metric else Status.PASSING
    more = urlencode(_chosen(subject, metric, beside))
    info = ACCURACY_METRICS.get(metric)
    meaning = info.meaning if info else ""
    main = ACCURACY.view(
        "accuracy-main",
        lead,
        caption=f"By {subject.view.bucket_noun} of prediction, against the holdout baseline. {meaning}",
        status=tone.value if tone in (Status.FAILING, Status.WARNING) else "",
        foot=_foot(subject) + (" Challengers are scored by replay of stored requests." if others else ""),
        term=metric,
        api_url=subject.api_url(series_question(subject, metric)),
        csv_url=subject.csv_url("accuracy", "main", more),
    )
    actual = PREDICTED_ACTUAL.view(
        "accuracy-actual",
        actual_points(subject),
        caption=f"{pair_caption(subject)}, by {subject.view.bucket_noun}",
        foot="Hollow: labels still arriving.",
        term="Predicted and actual",
        api_url=subject.api_url(pairs_question(subject)),
        csv_url=subject.csv_url("accuracy", "actual"),
    )
    links = partial(_links, subject, chosen=metric, beside=beside)
    control = switch("Metric", links(_offered_first(subject, metric)), links(offered(subject)))
    if has_challengers(subject):
        control = switches(_models(subject, metric, beside), control)
    return Tab(
        "dashboard/tab_accuracy.html",
        {"main": main, "actual": actual},
        tiles(subject),
        {"switch": control, "metric": metric, "segments_href": _segments(subject, metric)},
    )


def has_challengers(subject: Subject) -> bool:
    """Whether the champion can be compared: not while another model is shown."""
    switched = subject.settings.challenger_models
    return not subject.view.model and bool(rivals.listed(subject) or (switched is not None and switched.enabled))


def challengers(subject: Subject, metric: str) -> list[Series]:
    """A line a challenger, each on the rows that it scored."""
    subject.shelf.read([q.challengers()], again=AGAIN)
    found = rivals.rivals(subject)[1:] if has_challengers(subject) else []
    subject.shelf.read(rivals.series_question(subject, rival, metric) for rival in found)
    lines = []
    for rival in found:
        values = rivals.scores(subject, rival, metric)
        lines.append(Series(rival.name, values, rival.token, immature=_known(values, subject.late), width=1.5))
    return lines


def _models(subject: Subject, metric: str, beside: bool) -> SafeString:
    links = [
        (word, address(subject, metric, shown), shown == beside)
        for word, shown in (("Champion", False), ("With challengers", True))
    ]
    return switch("Models", links)


def points(subject: Subject, metric: str) -> AccuracyPoints:
    """The champion's line, the former one's in its own colour, and how many labels have come."""
    question = series_question(subject, metric)
    values = subject.clock.place(subject.shelf.buckets(question), picker("value"))
    base = baseline(subject, metric)
    lines = [Series(metric, values, immature=_known(values, subject.late), width=2.5)]
    for former in former_questions(subject, metric):
        before = subject.clock.place(subject.shelf.buckets(former), picker("value"))
        if any(value is not None for value in before):
            lines.append(Series("former", before, token="former", label=""))  # noqa: S106 - a colour
    time = TimePoints(
        subject.clock.start,
        subject.clock.step,
        tuple(lines),
        metric=metric,
        caption=metric,
        baseline=base,
        limits=subject.accuracy_limits(metric, base),
        changes=subject.changes(),
        unfinished=subject.late | subject.running,
        strip=subject.strip(Area.ACCURACY) if metric == subject.metric else (),
        height=260,
    )
    return AccuracyPoints(time, label_share=label_share(subject), better=subject.better(metric))


def baseline(subject: Subject, metric: str) -> float | None:
    """The holdout score of the model that is shown."""
    frame = subject.shelf.frame(series_question(subject, metric))
    found = frame.get("baseline")
    value = number(found) if isinstance(found, dict) else None
    if value is None and isinstance(frame.get("baselines"), list):
        listed = [one for one in frame["baselines"] if isinstance(one, dict)]
        value = number(listed[0]) if listed else None
    if value is None:
        value = number(entries(subject).get(metric) or {}, "baselineValue")
    return value


def entries(subject: Subject) -> dict[str, Any]:
    """The metrics of the judged window by name."""
    found = subject.shelf.payload(summary_question(subject)).get("metrics")
    return {name: one for name, one in found.items() if isinstance(one, dict)} if isinstance(found, dict) else {}


def tiles(subject: Subject) -> tuple[Tile, ...]:
    """The judged metric first, then the other defaults, then labels."""
    found = entries(subject)
    names = [subject.metric, *(name for name in subject.default_metrics if name != subject.metric)][:TILES]
    shown = []
    reported = any(number(one) is not None for one in found.values())
    for name in names:
        judged = name == subject.metric
        status = (
            subject.status(Area.ACCURACY).value
            if judged and not subject.view.segment and not subject.view.model
            else ""
        )
        href = address(subject, name)
        empty = "not reported by the source" if reported else "no labelled rows in the window"
        shown.append(metric_tile(name, found.get(name), status=status, judged=judged, href=href, empty=empty))
    return (*shown, _labelled(subject), _lag(subject))


def label_share(subject: Subject) -> Values:
    """Rows with a label among all rows, by bin."""
    rows = pairs(subject)
    return Column(
        None if not n else min(1.0, (labelled or 0) / n) for n, labelled in zip(rows.total, rows.labelled, strict=True)
    )


def offered(subject: Subject) -> tuple[str, ...]:
    """Every metric that fits the target."""
    try:
        return ALL_METRICS[TargetType(subject.watched.target_type)] or (subject.metric,)
    except ValueError:
        return (subject.metric,)


def address(subject: Subject, metric: str, beside: bool = False) -> str:
    """The tab with a metric chosen, perhaps with the challengers beside."""
    query = urlencode([("metric", metric), *([("beside", "challengers")] if beside else [])])
    return f"{subject.url('accuracy')}{'&' if subject.query else '?'}{query}"


def _segments(subject: Subject, metric: str) -> str:
    """The segments, ranked by the metric; "" where none is followed."""
    if not subject.attributes(KIND):
        return ""
    return f"{subject.url('segments')}{'&' if subject.query else '?'}{urlencode({'by': metric})}"


def _chosen(subject: Subject, metric: str, beside: bool) -> list[tuple[str, str]]:
    """What differs from the default view, for files."""
    named = [("metric", metric)] if metric != subject.metric else []
    return [*named, *([("beside", "challengers")] if beside else [])]


def _links(subject: Subject, names: Sequence[str], *, chosen: str, beside: bool) -> list[tuple[str, str, bool]]:
    return [(name, address(subject, name, beside), name == chosen) for name in names]


def _offered_first(subject: Subject, metric: str) -> list[str]:
    names = [subject.metric, *(name for name in subject.default_metrics if name != subject.metric)][:TILES]
    return names if metric in names else [*names, metric]


def former_questions(subject: Subject, metric: str) -> list[Question]:
    """The same metric of the champion before, where it was replaced inside the range."""
    return [series_question(subject, metric, subject.former.model_id)] if subject.former else []


def _known(values: Values, bins: frozenset[int]) -> frozenset[int]:
    return frozenset(i for i in bins if values[i] is not None)


def _labelled(subject: Subject) -> Tile:
    rows, late = pairs(subject), subject.late
    mature = [(n or 0, m or 0) for i, (n, m) in enumerate(zip(rows.total, rows.labelled, strict=True)) if i not in late]
    seen, known = sum(n for n, _ in mature), sum(m for _, m in mature)
    if not seen:
        return Tile("Labelled, mature bins", words.NONE, note="no prediction in the range")
    return Tile("Labelled, mature bins", words.number(100 * known / seen, 1), "%", f"{known:,.0f} of {seen:,.0f} rows")


def _lag(subject: Subject) -> Tile:
    hours = subject.watched.label_lag_hours
    if hours is None:
        return Tile("Label lag, learned", words.NONE, note="too few labels yet to learn it")
    text, _, unit = words.duration(hours * 3600).partition(words.THIN)
    return Tile("Label lag, learned", text, unit, "younger bins are not judged")


def _foot(subject: Subject) -> str:
    if subject.watched.label_lag_hours is None:
        return "Bins are UTC. The label lag is not learned yet, so no bin is held back."
    lag = words.duration(subject.lag)
    return f"Hollow and hatched: labels still arriving (complete after {lag}), never judged. Bins are UTC."
