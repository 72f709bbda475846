"""Drift of one or a few features over time against the limit."""

from __future__ import annotations

from dashboard.charts import words
from dashboard.charts.chart import Chart
from dashboard.charts.plot import last_known
from dashboard.charts.timeline import TimePoints, time_plot
from dashboard.charts.twin import period_words, time_columns, time_rows

DriftPoints = TimePoints


def drift_title(points: DriftPoints) -> str:
    """How often the first feature was above its limit, and where it stands now."""
    if not points.series:
        return "No drift was measured in this range"
    lead = points.series[0]
    known = [v for i, v in enumerate(lead.values) if v is not None and i not in points.unfinished]
    if not known:
        return words.shortened(f"Drift of {lead.name} was not measured in this range", 80)
    limit = min((limit.value for limit in points.limits), default=None)
    now = points.text(known[-1])
    if limit is None:
        return words.shortened(f"{lead.name} ended at {points.metric} {now}", 80)
    beyond = sum(1 for v in known if v > limit)
    if not beyond:
        return words.shortened(f"{lead.name} stayed within its limit of {points.text(limit)}", 80)
    noun = words.bin_noun(points.step)
    often = words.every(beyond, f"measured {noun}") if beyond == len(known) else f"{beyond} of {len(known)} {noun}s"
    return words.shortened(f"{lead.name} was above its limit {words.within(points.step)} {often}, now {now}", 80)


def drift_summary(points: DriftPoints) -> str:
    """Title, period and the last score of each feature."""
    told = [drift_title(points), period_words(points)]
    for series in points.series:
        last = last_known(series.values)
        if last is not None:
            told.append(f"{series.name} last {points.text(series.values[last])}")
    return ". ".join(told)


DRIFT_OVER_TIME: Chart[DriftPoints] = Chart(time_plot, drift_title, drift_summary, time_columns, time_rows)
