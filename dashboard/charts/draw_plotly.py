"""Draws a ``Plot`` as a Plotly figure: a plain dict that orjson can write.

Numbers are short (four significant digits), evenly spaced x values are told as ``x0`` and ``dx``, and the
axes carry the ranges, ticks and margins of the SVG, so that the live figure takes its place without a jump.
``layout.meta`` tells ``charts.js`` what Plotly does not know: ticks for a phone, the shift of moments.
"""

from __future__ import annotations

import math
from typing import Any

from dashboard.charts import plot as p
from dashboard.charts.draw_svg import end_labels
from dashboard.charts.plotly_marks import MARKS, silences
from dashboard.charts.plotly_sheet import Sheet, Trace, axis_number, from_top, note_text
from dashboard.charts.theme import TOKENS, Theme, css_name, plotly_layout
from dashboard.charts.words import rounded


def figure(plot: p.Plot, theme: Theme = TOKENS) -> dict[str, Any]:
    """The figure of ``plot``: ``{"data": […], "layout": {…}}``."""
    layout = plotly_layout(theme)
    layout |= {
        "margin": {"l": plot.left, "r": plot.right, "t": plot.top, "b": plot.bottom, "pad": 0},
        "height": plot.height,
        "hovermode": plot.hover,
        "hoversubplots": "axis",
        "dragmode": "zoom" if plot.zoom else False,
        "barmode": "overlay",
    }
    layout["xaxis"] |= _x_axis(plot)
    data: list[Trace] = []
    shapes: list[Trace] = []
    notes: list[Trace] = []
    for index, (panel, top) in enumerate(zip(plot.panels, plot.tops(), strict=True), 1):
        sheet = Sheet(plot, panel, theme, index, top)
        base = layout["yaxis"] if index == 1 else plotly_layout(theme)["yaxis"]
        layout["yaxis" if index == 1 else f"yaxis{index}"] = base | _y_axis(sheet)
        _draw(sheet)
        data += sheet.traces
        shapes += sheet.shapes
        notes += sheet.notes
    layout |= {"shapes": shapes, "annotations": notes, "meta": _meta(plot)}
    return {"data": data, "layout": layout}


def _meta(plot: p.Plot) -> dict[str, Any]:
    meta: dict[str, Any] = {"shift": plot.shift, "zoom": plot.zoom}
    if any(t.label != t.narrow for t in plot.x.ticks):
        meta["narrow"] = [t.narrow for t in plot.x.ticks]
    if plot.clicks:
        meta["clicks"] = list(plot.clicks)
    return meta


def _x_axis(plot: p.Plot) -> Trace:
    axis = plot.x
    made: Trace = {
        "range": [axis_number(axis.lo, axis), axis_number(axis.hi, axis)],
        "tickvals": [axis_number(t.value, axis) for t in axis.ticks],
        "ticktext": [t.label for t in axis.ticks],
        "tickangle": 0,
        "anchor": "free",
        "position": 0,
        "fixedrange": not plot.zoom,
        "showgrid": plot.x_grid,
    }
    if axis.time:
        day = len(plot.x.ticks) < 2 or plot.shift >= 43_200_000
        made |= {"type": "date", "hoverformat": "%a %-d %b" if day else "%a %-d %b %H:%M"}
    if plot.x_title:
        made["title"] = {"text": plot.x_title, "font": {"size": 11}, "standoff": 6}
    if plot.bottom <= 6:
        made |= {"showticklabels": False, "ticks": ""}
    return made


def _y_axis(sheet: Sheet) -> Trace:
    panel, inner = sheet.panel, sheet.plot.height - sheet.plot.top - sheet.plot.bottom
    high = 1 - (sheet.top - sheet.plot.top) / inner
    axis = panel.y
    made: Trace = {
        "range": [rounded(axis.lo, 6), rounded(axis.hi, 6)],
        "tickvals": [rounded(t.value, 6) for t in axis.ticks],
        "ticktext": [t.label for t in axis.ticks],
        "fixedrange": True,
        "showgrid": panel.grid,
        "domain": [max(0.0, round(high - panel.height / inner, 5)), min(1.0, round(high, 5))],
    }
    if axis.log:
        made |= {"type": "log", "range": [rounded(_log(axis.lo), 6), rounded(_log(axis.hi), 6)]}
    return made


def _log(value: float) -> float:
    return math.log10(max(value, 1e-12))


def _draw(sheet: Sheet) -> None:
    for mark in sheet.panel.marks:
        drawer = MARKS.get(type(mark))
        if drawer:
            drawer(mark, sheet)
    for trace in silences(sheet):
        sheet.add(trace)
    for at, label in end_labels(sheet.panel, sheet.y, sheet.top):
        sheet.notes.append(_margin_note(sheet, at, label.text, sheet.theme[label.token]))
    if sheet.panel.caption:
        sheet.notes.append(
            note_text(sheet.panel.caption, sheet.theme["text2"])
            | {"xref": "paper", "x": 0, "xanchor": "left", "xshift": 4}
            | from_top(sheet, sheet.top + 7)
        )
    _strip(sheet)


def _margin_note(sheet: Sheet, px: float, text: str, colour: str) -> Trace:
    place = {"xref": "paper", "x": 1, "xanchor": "left", "xshift": 8}
    return note_text(text, colour) | place | from_top(sheet, px)


def _strip(sheet: Sheet) -> None:
    base = sheet.top + sheet.panel.height + 14 - sheet.plot.top
    inner = sheet.plot.height - sheet.plot.top - sheet.plot.bottom
    for cell in sheet.panel.strip:
        tall = {"failing": 6.0, "warning": 4.0, "not_started": 1.0}.get(cell.status, 2.0)
        gap = (cell.x1 - cell.x0) * 0.04
        sheet.shapes.append(
            {
                "type": "rect",
                "x0": axis_number(cell.x0 + gap, sheet.plot.x),
                "x1": axis_number(cell.x1 - gap, sheet.plot.x),
                "yref": "paper",
                "y0": rounded(1 - base / inner, 5),
                "y1": rounded(1 - (base - tall) / inner, 5),
                "line": {"width": 0},
                "fillcolor": sheet.theme[css_name(cell.status)],
            }
        )
