"""One lane of the overview: a number over time on the clock all lanes share."""

from __future__ import annotations

from dashboard.charts import words
from dashboard.charts.chart import Chart
from dashboard.charts.plot import Plot, last_known
from dashboard.charts.timeline import TimePoints, gaps, time_plot
from dashboard.charts.twin import period_words, time_columns, time_rows

LanePoints = TimePoints


def lane_plot(points: LanePoints) -> Plot:
    """Bars or lines, limits, gaps, replacements, and the status strip below."""
    return time_plot(points)


def lane_title(points: LanePoints) -> str:
    """The finding: how many bins were beyond a limit, or that none was."""
    bad = sum(1 for status in points.strip if status in ("failing", "warning"))
    name = points.caption.split(",")[0] or points.metric
    if bad:
        return words.shortened(
            f"{name}: {bad} of {words.count(len(points.strip), words.bin_noun(points.step))} failing or at risk", 80
        )
    return words.shortened(f"{name} stayed within its limits" if points.strip else name or "No data yet", 80)


def lane_summary(points: LanePoints) -> str:
    """Title, period, last values and gaps in one breath."""
    told = [lane_title(points), period_words(points)]
    for series in points.series:
        last = last_known(series.values)
        if last is not None:
            told.append(f"{series.name} last {points.text(series.values[last])}")
    missing = sum(hi - lo for lo, hi in gaps(points))
    if missing:
        told.append(f"{missing} of {words.count(points.n, words.bin_noun(points.step))} without data")
    return ". ".join(told)


lane_columns = time_columns
lane_rows = time_rows
LANE: Chart[LanePoints] = Chart(lane_plot, lane_title, lane_summary, lane_columns, lane_rows)
