"""Service health over time: response quantiles with the slow limit, errors beneath, load at the bottom."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.charts import words
from dashboard.charts.chart import Chart
from dashboard.charts.plot import Bars, EndLabel, Mark, Panel, Plot, last_known
from dashboard.charts.scales import value_axis, with_headroom
from dashboard.charts.timeline import TimePoints, Values, bin_words, panel, quiet_frame, rows_label, stack
from dashboard.charts.twin import period_words, time_columns, time_rows


@dataclass(frozen=True, slots=True)
class ServicePoints:
    """``time`` holds the quantile lines in ms; errors and load are counts a bin (empty: not asked for)."""

    time: TimePoints
    user_errors: Values = ()
    server_errors: Values = ()
    load: Values = ()
    load_caption: str = "requests"


def service_plot(points: ServicePoints) -> Plot:
    """Quantile lines, error columns, load."""
    panels = [panel(points.time)]
    if points.user_errors or points.server_errors:
        panels.append(error_panel(points))
    if points.load:
        panels.append(load_panel(points))
    return stack(points.time, *panels, axis=points.time.axis)


def error_panel(points: ServicePoints) -> Panel:
    """Server errors in red and user errors in amber, stacked on one axis."""
    xs, size = points.time.xs(), points.time.step.total_seconds() * 1000
    server = points.server_errors or (None,) * points.time.n
    user = points.user_errors or (None,) * points.time.n
    marks: list[Mark] = quiet_frame(points.time)
    marks.append(Bars(xs, server, size * 0.66, "failing", 0.9, name="server errors"))
    base = [v or 0.0 for v in server]
    marks.append(Bars(xs, user, size * 0.66, "warning", 0.9, name="user errors", base=base))
    total = [(s or 0) + (u or 0) for s, u in zip(server, user, strict=True)]
    counted = sum(total)
    marks.append(EndLabel(max(total, default=0) or 1.0, f"{counted:,.0f} in all", "text2"))
    return Panel(
        with_headroom(value_axis(total, include=[1.0], zero=True, ticks=2, whole=True), 64, 16),
        64,
        tuple(marks),
        "errors: server red, user amber",
    )


def load_panel(points: ServicePoints) -> Panel:
    """How much was asked of the service."""
    xs, size = points.time.xs(), points.time.step.total_seconds() * 1000
    load = Bars(xs, points.load, size * 0.66, hatched=points.time.unfinished, name=points.load_caption)
    marks: list[Mark] = [*quiet_frame(points.time), load, *rows_label(points.time, points.load)]
    return Panel(
        with_headroom(value_axis(points.load, zero=True, ticks=2, whole=True), 64, 16),
        64,
        tuple(marks),
        points.load_caption,
    )


def service_title(points: ServicePoints) -> str:
    """Errors first, else the slowest bin, else that nothing stood out."""
    server = sum(v or 0 for v in points.server_errors)
    slow = points.time.series[-1] if points.time.series else None
    peak = max((v for v in slow.values if v is not None), default=None) if slow else None
    if server:
        return f"{words.count(round(server), 'server error')}, {_when(points, round(server))}"
    if slow is None or peak is None:
        return "No request was seen in this range"
    limits = [limit.value for limit in points.time.limits]
    if limits and peak > min(limits):
        at = slow.values.index(peak)
        when, limit = bin_words(points.time, at), words.milliseconds(min(limits))
        return f"{slow.name} reached {words.milliseconds(peak)} {when}, limit {limit}"
    return f"{slow.name} was at most {words.milliseconds(peak)}; no server error"


def _when(points: ServicePoints, errors: int) -> str:
    """In which bin the errors came: all of them, most of them, or the most."""
    worst = max(range(len(points.server_errors)), key=lambda i: points.server_errors[i] or 0)
    there, when = points.server_errors[worst] or 0, bin_words(points.time, worst)
    if there >= errors:
        return when if errors == 1 else f"all of them {when}"
    return f"most of them {when}" if there > errors / 2 else f"the most {when}"


def service_summary(points: ServicePoints) -> str:
    """Title, period and the last quantiles."""
    told = [service_title(points), period_words(points.time)]
    for series in points.time.series:
        last = last_known(series.values)
        if last is not None:
            told.append(f"{series.name} last {words.milliseconds(series.values[last])}")
    return ". ".join(told)


def _extra(points: ServicePoints) -> list[tuple[str, Values]]:
    named = (
        ("User errors", points.user_errors),
        ("Server errors", points.server_errors),
        (points.load_caption.capitalize(), points.load),
    )
    return [(name, values) for name, values in named if values]


def service_columns(points: ServicePoints) -> tuple[str, ...]:
    """The heads of the table twin."""
    return (*time_columns(points.time), *(name for name, _ in _extra(points)))


def service_rows(points: ServicePoints) -> list[tuple[str, ...]]:
    """One row a bin."""
    return time_rows(points.time, *(values for _, values in _extra(points)))


SERVICE: Chart[ServicePoints] = Chart(service_plot, service_title, service_summary, service_columns, service_rows)
