"""Predicted against actual values over time; bins whose labels still arrive are hollow."""

from __future__ import annotations

from dashboard.charts import words
from dashboard.charts.chart import Chart
from dashboard.charts.plot import last_known
from dashboard.charts.timeline import TimePoints, time_plot
from dashboard.charts.twin import period_words, time_columns, time_rows

PredictedActualPoints = TimePoints
"""``series[0]`` are the predictions, ``series[1]`` the actual values (token ``actual``, width 1.25)."""


def mature_means(points: PredictedActualPoints) -> tuple[float, float] | None:
    """Mean prediction and mean actual over the bins that have both and are mature, each row weighing the same."""
    if len(points.series) < 2:
        return None
    predicted, actual = points.series[0], points.series[1]
    weights = actual.weights or (1.0,) * len(actual.values)
    known = [
        (a, b, n)
        for i, (a, b, n) in enumerate(zip(predicted.values, actual.values, weights, strict=True))
        if a is not None and b is not None and n and i not in actual.immature
    ]
    whole = sum(n for _, _, n in known)
    if not whole:
        return None
    return sum(a * n for a, _, n in known) / whole, sum(b * n for _, b, n in known) / whole


def predicted_actual_title(points: PredictedActualPoints) -> str:
    """Whether the model predicts too low or too high, over the mature bins."""
    means = mature_means(points)
    if means is None:
        return "No actual value in this range to compare predictions with"
    predicted, actual = means
    if points.unit == "%":
        gap = abs(predicted - actual) * 100
        if gap < 1:
            return "Predicted and actual agree within 1 point"
        return f"{'Over' if predicted > actual else 'Under'}-predicts by {words.number(gap, 1)} points on average"
    if abs(predicted - actual) <= 0.02 * max(abs(actual), 1e-12):
        return f"Predicted and actual agree within 2{words.THIN}%"
    side = "above" if predicted > actual else "below"
    return words.shortened(
        f"Predictions lie {points.text(abs(predicted - actual))} {side} actual values on average", 80
    )


def predicted_actual_summary(points: PredictedActualPoints) -> str:
    """Title, period and the last values."""
    told = [predicted_actual_title(points), period_words(points)]
    for series in points.series:
        last = last_known(series.values)
        if last is not None:
            told.append(f"{series.name} last {points.text(series.values[last])}")
    return ". ".join(told)


PREDICTED_ACTUAL: Chart[PredictedActualPoints] = Chart(
    time_plot, predicted_actual_title, predicted_actual_summary, time_columns, time_rows
)
