"""Every chart: both renderers draw it, the words fit, the table twin is whole, nothing missing is drawn as zero."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import orjson
import plotly.graph_objects as go
import pytest

from dashboard.charts.accuracy import ACCURACY, AccuracyPoints
from dashboard.charts.batches import BATCHES, BatchPoints
from dashboard.charts.chart import TITLE_LENGTH, Chart
from dashboard.charts.distribution import DISTRIBUTION, DistributionPoints
from dashboard.charts.drift_over_time import DRIFT_OVER_TIME
from dashboard.charts.flags import Change
from dashboard.charts.heat import HeatFeature, HeatPoints, heat_table, heat_title
from dashboard.charts.importance import IMPORTANCE, ImportancePoints
from dashboard.charts.lane import LANE
from dashboard.charts.plot import Field
from dashboard.charts.predicted_actual import PREDICTED_ACTUAL
from dashboard.charts.predictions import PREDICTIONS, PredictionPoints
from dashboard.charts.ranked import RANKED, RankedPoints
from dashboard.charts.service import SERVICE, ServicePoints
from dashboard.charts.theme import CSS, DARK, LIGHT, TOKENS
from dashboard.charts.timeline import Limit, Series, TimePoints, gaps
from tests.dashboard.charts import flights

START = datetime(2026, 7, 1, tzinfo=UTC)
DAY = timedelta(days=1)
EMPTY = TimePoints(START, DAY, (Series("v3", (None,) * 5),), "AUC", caption="AUC")

REAL: dict[str, tuple[Chart[Any], Any]] = {
    "volume": (LANE, flights.volume()),
    "lane": (LANE, flights.accuracy_time()),
    "accuracy": (ACCURACY, flights.accuracy_points()),
    "service": (SERVICE, flights.service_points()),
    "importance": (IMPORTANCE, flights.importance_points()),
    "importance, linear": (IMPORTANCE, flights.importance_points(log=False)),
    "drift": (DRIFT_OVER_TIME, flights.drift_points()),
    "distribution": (DISTRIBUTION, flights.distribution_points()),
    "categories": (DISTRIBUTION, flights.category_points()),
    "predictions": (PREDICTIONS, flights.prediction_points()),
    "classes": (PREDICTIONS, flights.class_points()),
    "predicted": (PREDICTED_ACTUAL, flights.predicted_actual_points()),
    "batches": (BATCHES, flights.batch_points()),
    "ranked": (RANKED, flights.ranked_points()),
}
BARE: dict[str, tuple[Chart[Any], Any]] = {
    "lane": (LANE, EMPTY),
    "no bins": (LANE, TimePoints(START, DAY, ())),
    "accuracy": (ACCURACY, AccuracyPoints(EMPTY)),
    "service": (SERVICE, ServicePoints(EMPTY)),
    "importance": (IMPORTANCE, ImportancePoints((), 0.15, 0.5)),
    "drift": (DRIFT_OVER_TIME, EMPTY),
    "distribution": (DISTRIBUTION, DistributionPoints("x", ("a", "b"), (0.0, 0.0), (0.0, 0.0))),
    "predictions": (PREDICTIONS, PredictionPoints(EMPTY)),
    "predicted": (PREDICTED_ACTUAL, EMPTY),
    "batches": (BATCHES, BatchPoints((), "AUC")),
    "ranked": (RANKED, RankedPoints((), "AUC")),
}
ALL = {**{f"real {k}": v for k, v in REAL.items()}, **{f"bare {k}": v for k, v in BARE.items()}}
EVERY = pytest.mark.parametrize(("chart", "points"), list(ALL.values()), ids=list(ALL))


@EVERY
def test_plotly_accepts_the_figure(chart: Chart[Any], points: Any) -> None:
    for theme in (LIGHT, DARK):
        figure = chart.figure(points, theme)
        go.Figure(figure)
        assert orjson.loads(orjson.dumps(figure))["layout"]["height"] == chart.plot(points).height


@EVERY
def test_the_first_paint_is_sound_svg(chart: Chart[Any], points: Any) -> None:
    for theme, width in ((CSS, None), (LIGHT, 552), (DARK, 320)):
        text = chart.svg(points, theme, width)
        root = ElementTree.fromstring(text)
        assert root.get("role") == "img"
        assert root.get("aria-label")
        assert not re.search(r"\bnan\b|\binf\b|None", re.sub(r"<text.*?</text>", "", text))
        assert "style=" not in text


@EVERY
def test_titles_fit_and_the_table_twin_is_whole(chart: Chart[Any], points: Any) -> None:
    assert 0 < len(chart.title(points)) <= TITLE_LENGTH
    assert chart.summary(points).startswith(chart.title(points))
    columns = chart.columns(points)
    assert all(len(row) == len(columns) for row in chart.rows(points))


@EVERY
def test_live_figures_leave_colours_to_the_page(chart: Chart[Any], points: Any) -> None:
    assert not re.search(rb"#[0-9A-Fa-f]{6}", orjson.dumps(chart.figure(points, TOKENS)))
    assert not re.search(r"#[0-9A-Fa-f]{6}", chart.svg(points, CSS))


def test_both_renderers_show_the_same_words() -> None:
    for chart, points in REAL.values():
        notes = {re.sub(r"<.*?>", "", n["text"]) for n in chart.figure(points)["layout"]["annotations"]}
        root = ElementTree.fromstring(chart.svg(points))
        drawn = {
            "".join(t.itertext()).replace("<", "&lt;").replace(">", "&gt;")
            for t in root.iter()
            if t.tag.endswith("text")
        }
        assert notes - drawn - {chart.plot(points).x_title} == set()


def line_of(points: TimePoints) -> dict[str, Any]:
    return next(t for t in LANE.figure(points)["data"] if t["type"] == "scatter" and t.get("name"))


def test_evenly_spaced_times_are_told_by_start_and_step() -> None:
    trace = line_of(TimePoints(START, timedelta(hours=1), (Series("v3", [0.71234567, 0.75, 0.7]),), "AUC"))
    assert (trace["x0"], trace["dx"]) == (1782864000000, 3600000)
    assert "x" not in trace
    assert trace["y"] == [0.7123, 0.75, 0.7]


def test_a_missing_bin_is_a_gap_with_words_and_never_a_zero() -> None:
    points = TimePoints(START, DAY, (Series("v3", [0.7, 0.7, None, None, 0.8, None, 0.8]),), "AUC")
    assert gaps(points) == [(2, 4), (5, 6)]
    trace = line_of(points)
    assert trace["y"] == [0.7, 0.7, None, None, 0.8, None, 0.8]
    assert trace["connectgaps"] is False
    reasons = [t for t in LANE.figure(points)["data"] if t.get("hovertemplate") == "no data<extra></extra>"]
    assert [len(t["y"]) for t in reasons] == [2, 1]
    svg = LANE.svg(points, LIGHT, 500)
    assert svg.count("no data 2\u202fd") == 1
    assert "no data" not in LANE.svg(TimePoints(START, DAY, (Series("v3", [0.7] * 3),)), LIGHT, 500)


def test_a_value_between_two_gaps_is_a_dot() -> None:
    svg = LANE.svg(TimePoints(START, DAY, (Series("v3", [None, 0.8, None]),), "AUC"), LIGHT, 500)
    assert "<circle" in svg


def test_immature_points_are_hollow_and_never_on_the_judged_line() -> None:
    points = TimePoints(START, DAY, (Series("v3", [0.7, 0.75, 0.6], immature=frozenset({2})),), "AUC")
    judged, tail, hollow = (t for t in LANE.figure(points, LIGHT)["data"])
    assert judged["y"] == [0.7, 0.75, None]
    assert tail["line"]["dash"] == "2px,2px"
    assert hollow["y"] == [None, None, 0.6]
    assert hollow["marker"]["color"] == LIGHT["surface"]
    assert "AUC" in ACCURACY.title(AccuracyPoints(replace(points, baseline=0.7)))
    assert "1 bin not judged yet" in ACCURACY.summary(AccuracyPoints(replace(points, baseline=0.7)))


def test_a_band_is_parted_where_its_line_is() -> None:
    series = Series("v3", [0.7, 0.7, None, 0.7, 0.7], low=[0.6, 0.6, None, 0.6, 0.6], high=[0.8, 0.8, None, 0.8, 0.8])
    filled = next(t for t in LANE.figure(TimePoints(START, DAY, (series,), "AUC"))["data"] if t.get("fill") == "toself")
    assert filled["y"] == [0.8, 0.8, 0.6, 0.6, None, 0.8, 0.8, 0.6, 0.6]


def test_a_replacement_outside_of_the_range_is_not_drawn() -> None:
    inside = TimePoints(START, DAY, (Series("v3", [0.7] * 5),), changes=(Change(START + 2 * DAY, "v3 replaced v2"),))
    outside = replace(inside, changes=(Change(START - DAY, "v2 replaced v1"),))
    assert "v3 replaced v2" in LANE.svg(inside)
    assert "replaced" not in LANE.svg(outside)


def test_a_moment_stands_where_its_bin_is() -> None:
    points = TimePoints(START, DAY, (Series("v3", [0.7] * 4),), changes=(Change(START + 1.5 * DAY, "x"),))
    shape = next(s for s in LANE.figure(points)["layout"]["shapes"] if s["type"] == "line")
    assert shape["x0"] == (START + DAY).timestamp() * 1000


def test_limits_say_which_side_is_bad() -> None:
    points = TimePoints(
        START, DAY, (Series("v3", [0.7, 0.8]),), "AUC", limits=(Limit("warning", 0.76), Limit("failing", 0.72))
    )
    svg = LANE.svg(points)
    assert "at risk &lt; 0.760" in svg
    assert "failing &lt; 0.720" in svg
    assert "failing &gt; 150" in SERVICE.svg(flights.service_points())


@pytest.mark.parametrize(
    ("values", "title"),
    [
        ([0.81, 0.82], "AUC was at or better than baseline on all 2 judged days"),
        ([0.784, 0.80], "AUC stayed within its limits, at most 2.0\u202f% from baseline"),
        ([0.71, 0.70], "AUC was past its limit on all 2 judged days, now 12.5\u202f% below baseline"),
        ([0.79, 0.70], "AUC is 12.5\u202f% below baseline, past its limit on 1 of 2 days"),
        ([0.71, 0.79], "AUC was past its limit on 1 of 2 judged days, not on the last"),
        ([0.71], "AUC was past its limit on the only judged day, now 11.3\u202f% below baseline"),
        ([None, None], "AUC has no judged value in this range"),
    ],
)
def test_the_accuracy_title_is_the_finding(values: list[float | None], title: str) -> None:
    time = TimePoints(START, DAY, (Series("v3", values),), "AUC", baseline=0.8, limits=(Limit("failing", 0.72),))
    assert ACCURACY.title(AccuracyPoints(time)) == title


@pytest.mark.parametrize(
    ("errors", "title"),
    [
        ((0, 0, 0), "p95 was at most 9.0\u202fms; no server error"),
        ((0, 1, 0), "1 server error, on Thu 2 Jul"),
        ((0, 4, 0), "4 server errors, all of them on Thu 2 Jul"),
        ((1, 4, 0), "5 server errors, most of them on Thu 2 Jul"),
        ((2, 2, 2), "6 server errors, the most on Wed 1 Jul"),
    ],
)
def test_the_service_title_says_when_the_errors_came_and_no_more_than_is_so(
    errors: tuple[int, ...], title: str
) -> None:
    time = TimePoints(START, DAY, (Series("p95", (7.0, 9.0, 8.0)),), unit="ms")
    assert SERVICE.title(ServicePoints(time, server_errors=errors)) == title


def test_an_hour_is_named_with_its_time() -> None:
    time = TimePoints(START, timedelta(hours=1), (Series("p95", (7.0, 9.0)),), unit="ms")
    assert SERVICE.title(ServicePoints(time, server_errors=(0, 2))).endswith("on Wed 1 Jul at 01:00")


def test_a_bin_that_is_not_over_yet_is_hatched_and_says_so_far() -> None:
    points = TimePoints(START, DAY, (Series("predictions", (900.0, 40.0)),), bars=True, unfinished=frozenset({1}))
    assert "40 so far" in LANE.svg(points)
    assert "so far" not in LANE.svg(replace(points, unfinished=frozenset()))
    assert LANE.figure(points)["data"][0]["marker"]["pattern"]["shape"] == ["", "/"]


def test_nothing_is_missing_in_a_bin_that_is_not_over_yet() -> None:
    points = TimePoints(START, DAY, (Series("AUC", (0.8, None, 0.7, None)),), unfinished=frozenset({3}))
    assert gaps(points) == [(1, 2)]
    assert gaps(replace(points, unfinished=frozenset())) == [(1, 2), (3, 4)]


def test_a_finding_is_made_of_bins_that_are_over() -> None:
    limit = Limit("failing", 0.15, above=True)
    time = TimePoints(START, DAY, (Series("dest", (0.1, 0.1, 0.9)),), "PSI", limits=(limit,), unfinished=frozenset({2}))
    assert DRIFT_OVER_TIME.title(time) == "dest stayed within its limit of 0.15"
    shares = replace(time, series=(Series("late", (0.3, 0.3, 0.3, 0.9)),), unit="%", unfinished=frozenset({3}))
    assert PREDICTIONS.title(PredictionPoints(shares)) == "late kept its level over the range"


def test_words_about_a_gap_at_the_left_stand_below_the_caption() -> None:
    points = TimePoints(START, DAY, (Series("dest", (None, None, *(0.2,) * 20)),), "PSI", caption="PSI, log scale")
    left, later = (
        LANE.plot(points),
        LANE.plot(replace(points, series=(Series("dest", (*(0.2,) * 12, None, *(0.2,) * 9)),))),
    )
    assert [mark.at for plot in (left, later) for mark in plot.panels[0].marks if isinstance(mark, Field)] == [13, 0]


def test_words_about_a_gap_at_an_edge_stay_inside_the_plot() -> None:
    points = TimePoints(START, DAY, (Series("dest", (None, *(0.2,) * 20, None)),), "PSI")
    plot = LANE.plot(points)
    first, last = (mark for mark in plot.panels[0].marks if isinstance(mark, Field))
    assert (first.words_at(plot.x), last.words_at(plot.x)) == ((plot.x.lo, "start"), (plot.x.hi, "end"))
    assert Field(plot.x.lo, plot.x.hi).words_at(plot.x)[1] == "middle"


def test_a_few_rows_of_a_day_that_is_not_over_are_no_finding() -> None:
    rows = (HeatFeature("seats", 1.0, 0.03, (0.1, 0.1, 0.9)), HeatFeature("dest", 0.5, 0.2, (0.1, 0.2, 0.9)))
    points = HeatPoints(START, DAY, rows, 0.15, unfinished=frozenset({2}))
    assert heat_title(points) == "1 of 2 features was above the limit, dest on 1 day"
    assert heat_title(replace(points, features=rows[:1])) == "No feature was above PSI 0.15 on any day"
    last = heat_table(points)[0].cells[2]
    assert last.css.endswith(" unfinished")
    assert last.words.endswith("so far")


def test_several_changes_at_one_place_are_told_one_a_line_while_hovering() -> None:
    told = ("Judge timeliness of predictions: off to on", "Expected at least every: P1D to PT8H, as <b>asked</b>")
    changes = tuple(Change(START + DAY, one, "settings") for one in told)
    points = TimePoints(START, DAY, (Series("dest", (0.2,) * 5),), "PSI", changes=changes)
    (hover,) = [trace["text"][0] for trace in LANE.figure(points)["data"] if trace.get("meta") == "mark"]
    assert hover.replace("<br>", " ") == f"{told[0]} {told[1]}".replace("<", "&lt;").replace(">", "&gt;")
    assert all(len(line) <= 44 + len("&lt;&gt;&lt;&gt;") for line in hover.split("<br>"))


def test_predicted_against_actual_weighs_rows_not_days() -> None:
    lines = (Series("predicted", (10.0, 20.0)), Series("actual", (10.0, 40.0), weights=(900.0, 100.0)))
    points = TimePoints(START, DAY, lines)
    assert PREDICTED_ACTUAL.title(points) == "Predictions lie 2 below actual values on average"


def test_the_mean_is_named_by_what_is_predicted() -> None:
    time = TimePoints(START, DAY, (Series("mean", (6.0, 7.0, 12.0)),), caption="predicted arrival_delay")
    assert PREDICTIONS.title(PredictionPoints(time)) == "mean predicted arrival_delay rose from 6 to 12"


def test_a_long_name_at_the_end_of_a_line_leaves_its_value_whole() -> None:
    lines = (Series("origin_recent_delay_in_minutes", (0.44, 0.44)), Series("dest", (0.1, 0.1)))
    svg = LANE.svg(TimePoints(START, DAY, lines, "PSI"))
    assert re.search(r"origin_rec\w*… 0\.44<", svg)


def test_for_an_error_metric_above_is_worse() -> None:
    time = TimePoints(
        START, DAY, (Series("v3", [50.0, 51.0]),), "RMSE", baseline=38.0, limits=(Limit("failing", 42.0, above=True),)
    )
    assert "above baseline" in ACCURACY.title(AccuracyPoints(time, better=-1))


@pytest.mark.parametrize(
    ("scores", "title"),
    [
        ((0.1, 0.1), "All 2 features stayed within PSI 0.15"),
        ((3.4, 0.1), "income has drifted: 1 important of 2 features"),
        ((0.1, 0.3), "region has drifted: 1 less important of 2 features"),
    ],
)
def test_the_drift_title_counts_what_matters(scores: tuple[float, float], title: str) -> None:
    points = flights.importance_points()
    one, two = points.features[0], points.features[3]
    named = (replace(one, name="income", score=scores[0]), replace(two, name="region", score=scores[1]))
    assert IMPORTANCE.title(replace(points, features=named)) == title


def test_a_feature_left_out_of_the_verdict_is_drawn_hollow_and_not_counted() -> None:
    points = flights.importance_points()
    left_out = replace(points, features=tuple(replace(f, excluded=True) for f in points.features))
    assert IMPORTANCE.title(left_out).startswith("All ")


def test_a_batch_axis_has_no_time() -> None:
    figure = BATCHES.figure(flights.batch_points())
    assert "type" not in figure["layout"]["xaxis"]
    assert figure["layout"]["xaxis"]["ticktext"][0] == "W17"


def test_small_segments_are_hidden_and_counted() -> None:
    points = flights.ranked_points()
    small = replace(points.segments[0], name="tiny", n=99)
    more = replace(points, segments=(*points.segments, small))
    assert len(RANKED.plot(more).panels[0].y.ticks) == len(RANKED.plot(points).panels[0].y.ticks)
    assert "under 100 rows hidden" in RANKED.summary(more)
    assert ("tiny", "99") in {(row[0], row[4]) for row in RANKED.rows(more)}


def test_words_from_elsewhere_are_escaped() -> None:
    points = TimePoints(START, DAY, (Series("<b>&", [0.7, 0.8], label="<script>"),), "AUC", caption="<i>")
    view = LANE.view("x", points)
    assert "<script>" not in view.svg
    assert "<script>" not in view.figure_json
    assert "<i>" not in view.svg
    ElementTree.fromstring(view.svg)
