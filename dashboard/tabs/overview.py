"""The overview: one clock, a lane for each area, and what changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dashboard.charts import words
from dashboard.charts.chart import ChartView
from dashboard.charts.fairness import METRIC
from dashboard.charts.lane import LANE
from dashboard.charts.timeline import Series, TimePoints
from dashboard.phrases import tone
from dashboard.shelf import picker, total
from dashboard.tabs import accuracy, custom, drift, fairness, predictions, service
from dashboard.tabs.custom_metric import Metric
from dashboard.tabs.events import events
from dashboard.tabs.parts import Lane, Tab
from dashboard.tabs.service_measures import TAIL
from dashboard.tabs.subject import Subject
from monitoring.models import Area, Status
from monitoring.questions import Question, ServiceMetric

LANE_HEIGHT = 104
MOST_LINES = 2
FIRST = "predictions"


def build(subject: Subject) -> Tab:
    """Lanes under one another on the clock that all share: five, and those of further areas where they are on."""
    subject.shelf.read([drift.summary_question(subject), *questions(subject), *further_questions(subject)])
    worst, unfair, measured = lines(subject), _unfair(subject), _measured(subject)
    asked = [drift.series_question(subject, one.name) for one in worst]
    asked += [fairness.series_question(subject, unfair.feature, unfair.metric)] if unfair else []
    asked += [custom.series_question(subject, measured.id)] if measured else []
    subject.shelf.read(asked)
    lanes = [_predictions(subject), _service(subject), _drift(subject, worst), _accuracy(subject)]
    lanes += [_fairness(subject, unfair)] if unfair else []
    lanes += [_custom(subject, measured)] if measured else []
    lanes.append(_pairs(subject))  # the last one carries the axis
    charts = {lane.chart.key.removeprefix("overview-"): lane.chart for lane in lanes}
    more = {"lanes": lanes, "events": events(subject), "facts": facts(subject), "history": subject.url("history")}
    return Tab("dashboard/tab_overview.html", charts, more=more)


def questions(subject: Subject) -> list[Question]:
    """What the lanes show; all of it is polled for the default view."""
    metrics = (ServiceMetric.TOTAL_REQUESTS, ServiceMetric.SERVER_ERROR_RATE, ServiceMetric.USER_ERROR_RATE)
    return [
        predictions.over_time_question(subject),
        predictions.pairs_question(subject),
        *(service.series_question(subject, metric) for metric in metrics),
        service.series_question(subject, ServiceMetric.RESPONSE_TIME, TAIL),
        accuracy.series_question(subject, subject.metric),
        accuracy.summary_question(subject),
        *accuracy.former_questions(subject, subject.metric),
    ]


def further_questions(subject: Subject) -> list[Question]:
    """What tells which class and which custom metric to draw, where these areas are on."""
    asked = fairness.judged_questions(subject) if _is_on(subject, Area.FAIRNESS) else []
    summary = custom.summary_question(subject) if _is_on(subject, Area.CUSTOM_METRICS) else None
    return [*asked, summary] if summary is not None else asked


def _is_on(subject: Subject, area: Area) -> bool:
    return area in subject.watched.shown_areas


def _unfair(subject: Subject) -> fairness.ClassScore | None:
    """The class that fares worst of all protected features."""
    if not _is_on(subject, Area.FAIRNESS):
        return None
    return next((one for one in fairness.worst_by_class(subject) if one.judged), None)


def _measured(subject: Subject) -> Metric | None:
    return custom.lane_metric(subject) if _is_on(subject, Area.CUSTOM_METRICS) else None


def lines(subject: Subject) -> Sequence[drift.Feature]:
    """The features that the drift lane draws: the worst drifted ones, else the most important one."""
    found = drift.features(subject)
    bad = [one for one in found if one.shown in (Status.FAILING, Status.WARNING)]
    return bad[:MOST_LINES] or drift.by_importance(found)[:1]


def _view(subject: Subject, name: str, points: TimePoints) -> ChartView:
    """A lane; what happened is named in the first one only, and by hovering."""
    if name != FIRST:
        silent = (replace(change, words="", detail=change.detail or change.words) for change in points.changes)
        points = replace(points, changes=tuple(silent))
    return LANE.view(f"overview-{name}", points, bare=True, csv_url=subject.csv_url("overview", name))


def _time(subject: Subject, series: Sequence[Series], **more: object) -> TimePoints:
    return TimePoints(
        subject.clock.start,
        subject.clock.step,
        tuple(series),
        changes=subject.changes(),
        unfinished=subject.running,
        axis=False,
        height=LANE_HEIGHT,
        **more,  # type: ignore[arg-type]
    )


def _predictions(subject: Subject) -> Lane:
    found = subject.shelf.buckets(predictions.over_time_question(subject))
    rows = subject.clock.place(found, picker("rowCount"))
    rate, _ = predictions.a_day(subject, rows)
    points = _time(
        subject, [Series("predictions", rows)], bars=True, caption=f"predictions per {subject.view.bucket_noun}"
    )
    count = total(rows)
    note = "No prediction in this range." if not count else f"{words.compact(count)} in {subject.range_words}."
    return Lane(
        "Predictions",
        words.number(rate, 0),
        "a day",
        note,
        _view(subject, "predictions", points),
        href=subject.url("predictions"),
    )


def _service(subject: Subject) -> Lane:
    tail = service.series(subject, ServiceMetric.RESPONSE_TIME, TAIL)
    requests = service.series(subject, ServiceMetric.TOTAL_REQUESTS)
    failed = service.counted(service.series(subject, ServiceMetric.SERVER_ERROR_RATE), requests)
    points = _time(
        subject,
        [Series("p95", tail)],
        unit="ms",
        caption="p95 response, ms",
        zero=True,
        strip=subject.strip(Area.SERVICE),
    )
    errors = total(failed)
    value = words.NONE if errors is None else words.number(errors, 0)
    unit = "server errors" if errors != 1 else "server error"
    return _lane(subject, Area.SERVICE, "Service health", value, unit, _view(subject, "service", points), "service")


def _drift(subject: Subject, worst: Sequence[drift.Feature]) -> Lane:
    points = drift.series_points(subject, [one.name for one in worst], height=LANE_HEIGHT)
    points = replace(points, axis=False, strip=subject.strip(Area.DRIFT))
    lead = worst[0] if worst else None
    value = words.metric_value(lead.drift.score, "PSI") if lead else words.NONE
    unit = f"{lead.name}, PSI over {subject.interval_words}" if lead else ""
    return _lane(subject, Area.DRIFT, "Drift", value, unit, _view(subject, "drift", points), "drift")


def _accuracy(subject: Subject) -> Lane:
    metric = subject.metric
    time = accuracy.points(subject, metric).time
    points = replace(time, axis=False, height=LANE_HEIGHT + 16, caption=f"{metric}, by {subject.view.bucket_noun}")
    tile = accuracy.tiles(subject)[0]
    lane = _lane(subject, Area.ACCURACY, "Accuracy", tile.value, metric, _view(subject, "accuracy", points), "accuracy")
    return replace(lane, change=tile.change, tone=tone(subject.status(Area.ACCURACY), tile.change))


def _pairs(subject: Subject) -> Lane:
    points = replace(predictions.actual_points(subject), height=LANE_HEIGHT)
    predicted, actual = predictions.levels(subject)
    unit = points.unit
    value = words.percent(predicted, 0) if unit else words.number(predicted)
    told = words.percent(actual, 0) if unit else words.number(actual)
    note = predictions.difference_words(predicted, actual, unit)
    return Lane(
        "Predicted and actual",
        value,
        f"predicted, {told} actual",
        note,
        _view(subject, "pairs", points),
        href=subject.url("predictions"),
    )


def _fairness(subject: Subject, worst: fairness.ClassScore) -> Lane:
    """The least favoured class against the most favoured one."""
    points = fairness.series_points(subject, worst.feature, worst.metric, [worst.name], height=LANE_HEIGHT)
    named = f"{worst.feature} {worst.name}"
    points = replace(points, axis=False, strip=subject.strip(Area.FAIRNESS), caption=f"{named}, of the most favoured")
    value, unit = words.metric_value(worst.relative, METRIC), f"{named}, of the most favoured"
    lane = _lane(subject, Area.FAIRNESS, "Fairness", value, unit, _view(subject, "fairness", points), "fairness")
    return replace(lane, href=fairness.address(subject, worst.feature, worst.metric, worst.name))


def _custom(subject: Subject, metric: Metric) -> Lane:
    """The custom metric that is judged, the worst where there are several."""
    points = custom.points(subject, metric, LANE_HEIGHT).time
    points = replace(points, axis=False, strip=subject.strip(Area.CUSTOM_METRICS))
    value = metric.text(metric.of(custom.summaries(subject).get(metric.id, {})))
    unit = f"{metric.units}, {metric.name}" if metric.units else metric.name
    return _lane(
        subject, Area.CUSTOM_METRICS, "Custom metrics", value, unit, _view(subject, "custom", points), "custom"
    )


def _lane(subject: Subject, area: str, name: str, value: str, unit: str, chart: ChartView, tab: str) -> Lane:
    plain = not subject.view.segment and not subject.view.model
    note = subject.reason(area) if plain else "The verdict is of the whole deployment."
    status, term = subject.status(area).value, f"{Area(area).label} status"
    return Lane(name, value, unit, note, chart, status, href=subject.url(tab), term=term)


def facts(subject: Subject) -> list[tuple[str, str]]:
    """The model in a line."""
    watched = subject.watched
    base = accuracy.baseline(subject, subject.metric)
    serving = watched.model_deployed_at
    rows = max((one.drift.baseline_rows or 0 for one in drift.features(subject)), default=0)
    found = [
        ("Model", watched.model_name or watched.model_id or words.NONE),
        (
            "Target",
            f"{watched.target_name or words.NONE}, {watched.target_type.lower()}"
            if watched.target_type
            else watched.target_name,
        ),
        ("Training rows compared", words.compact(rows) if rows else words.NONE),
        (f"Holdout {subject.metric}", words.metric_value(base, subject.metric)),
        (
            "Serving since",
            f"{words.stamp(serving, subject.reader.zone, subject.now)} ({words.duration(subject.now - serving)})"
            if serving
            else words.NONE,
        ),
        (
            "Labels complete after",
            words.duration(subject.lag) if watched.label_lag_hours is not None else "not learned yet",
        ),
    ]
    return [(name, value) for name, value in found if value]
