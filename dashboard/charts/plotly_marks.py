"""Plotly traces, shapes and notes for each kind of mark."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from textwrap import wrap
from typing import Any

from dashboard.charts import plot as p
from dashboard.charts.columns import lonely, short_list, significant, stretches
from dashboard.charts.flags import LINE
from dashboard.charts.plotly_sheet import Sheet, Trace, axis_number, from_top, note_text, safe, short, spaced
from dashboard.charts.words import rounded

_DASHES = {"": "solid", "5 4": "5px,4px", "2 2": "2px,2px", "2 3": "2px,3px", "3 3": "3px,3px"}
_SYMBOLS = {"octagon": "octagon", "triangle": "triangle-up", "ring": "circle", "circle": "circle"}


def _format(digits: int, unit: str) -> str:
    if unit == "%":
        return "%{y:.1%}"
    return f"%{{y:,.{digits}f}}" + (f" {unit}" if unit else "")


def line(mark: p.Line, sheet: Sheet) -> None:
    trace: Trace = {
        "type": "scatter",
        "mode": "lines",
        **spaced(mark.xs),
        "y": short(mark.ys, sheet.panel.y),
        "connectgaps": False,
        "line": {"color": sheet.theme[mark.token], "width": mark.width, "dash": _DASHES.get(mark.dash, "dash")},
        "name": mark.name,
    }
    if mark.shape == "step":
        trace["line"]["shape"] = "hv"
    if None in mark.ys and lonely(mark.ys):
        trace |= {"mode": "lines+markers", "marker": {"size": mark.width * 2, "color": sheet.theme[mark.token]}}
    trace["hovertemplate"] = _format(mark.digits, mark.unit) if mark.hover else None
    if not mark.hover:
        trace |= {"hoverinfo": "skip"}
        del trace["hovertemplate"]
    sheet.add(trace)


def band(mark: p.Band, sheet: Sheet) -> None:
    xs: list[float | None] = []
    ys: list[float | None] = []
    for run in stretches(mark.xs, mark.low, mark.high):
        there = short_list(significant(run[:, 0], 15))
        xs += [*there, *reversed(there), None]
        ys += [*short_list(significant(run[:, 2], 4)), *short_list(significant(run[::-1, 1], 4)), None]
    if xs:
        sheet.add(_fill(xs[:-1], ys[:-1], sheet.theme.faded(mark.token, mark.opacity)))


def _fill(xs: list[float | None], ys: list[float | None], colour: str) -> Trace:
    fill = {"fill": "toself", "fillcolor": colour, "hoverinfo": "skip", "line": {"width": 0}}
    return {"type": "scatter", "mode": "lines", "x": xs, "y": ys, **fill}


def area(mark: p.Area, sheet: Sheet) -> None:
    base = max(0.0, sheet.panel.y.lo)
    xs: list[float | None] = [rounded(mark.xs[0], 6)]
    ys: list[float | None] = [base]
    for left, right, y in zip(mark.xs, mark.xs[1:], mark.ys, strict=False):
        xs += [rounded(left, 6), rounded(right, 6)]
        ys += [rounded(y), rounded(y)]
    xs.append(rounded(mark.xs[-1], 6))
    ys.append(base)
    trace = _fill(xs, ys, sheet.theme.faded(mark.token, mark.opacity))
    sheet.add(trace | {"line": {"width": mark.edge_width, "color": sheet.theme[mark.edge]}, "name": mark.name})


def bars(mark: p.Bars, sheet: Sheet) -> None:
    colour: Any = [sheet.theme[t] for t in mark.tokens] if mark.tokens else sheet.theme[mark.token]
    marker: Trace = {
        "color": colour,
        "opacity": mark.opacity,
        "line": {"width": 0},
        "cornerradius": 0 if mark.base else 1.5,
    }
    if mark.hatched:
        marker["pattern"] = {
            "shape": ["/" if i in mark.hatched else "" for i in range(len(mark.xs))],
            "size": 5,
            "solidity": 0.3,
        }
    trace: Trace = {
        "type": "bar",
        **spaced(mark.xs),
        "y": short(mark.ys, sheet.panel.y),
        "width": mark.width,
        "marker": marker,
        "name": mark.name,
        "hovertemplate": _format(mark.digits, mark.unit),
    }
    if mark.base:
        trace |= {"base": short(mark.base, sheet.panel.y), "customdata": short(mark.ys, sheet.panel.y)}
        trace["hovertemplate"] = trace["hovertemplate"].replace("%{y", "%{customdata")
    sheet.add(trace)


def _box(
    sheet: Sheet, x: tuple[float, float] | None, y: tuple[float, float] | None, token: str, opacity: float
) -> Trace:
    shape: Trace = {
        "type": "rect",
        "layer": "below",
        "line": {"width": 0},
        "fillcolor": sheet.theme[token],
        "opacity": opacity,
    }
    shape |= (
        {"xref": "paper", "x0": 0, "x1": 1}
        if x is None
        else {"x0": axis_number(x[0], sheet.plot.x), "x1": axis_number(x[1], sheet.plot.x)}
    )
    if y is None:
        return shape | {"yref": f"{sheet.yref} domain", "y0": 0, "y1": 1}
    lo, hi = sheet.panel.y.lo, sheet.panel.y.hi
    return shape | {
        "yref": sheet.yref,
        "y0": rounded(min(max(y[0], lo), hi), 6),
        "y1": rounded(min(max(y[1], lo), hi), 6),
    }


def field_(mark: p.Field, sheet: Sheet) -> None:
    sheet.shapes.append(_box(sheet, (mark.x0, mark.x1), None, mark.token, mark.opacity))
    if len(mark.bins):
        sheet.silent.setdefault(mark.reason, []).append(mark.bins)
    if mark.words:
        at, anchor = mark.words_at(sheet.plot.x)
        side = {"start": "left", "end": "right", "middle": "center"}[anchor]
        place = {"x": axis_number(at, sheet.plot.x), "xanchor": side, "name": "wide"}
        sheet.notes.append(
            note_text(mark.words, sheet.theme["text2"]) | place | from_top(sheet, sheet.top + 7 + mark.at)
        )


WRAPPED = 44
"""How many characters a line of hovering words has."""
MANY_GAPS = 4
"""From so many gaps on they share one trace: a month of hours may have thirty, and Plotly takes its time for each."""


def silences(sheet: Sheet) -> list[Trace]:
    """Why there is nothing, to hover over the gaps of a panel."""
    found = []
    for reason, gaps in sheet.silent.items():
        shown = gaps if len(gaps) < MANY_GAPS else [[x for bins in gaps for x in bins]]
        found += [silence(reason, bins, sheet) for bins in shown]
    return found


def silence(reason: str, bins: Sequence[float], sheet: Sheet) -> Trace:
    """Nothing to see, but the reason to hover over."""
    lo, hi = sheet.panel.y.lo, sheet.panel.y.hi
    middle = rounded((lo * hi) ** 0.5 if sheet.panel.y.log else (lo + hi) / 2)
    return {
        "type": "scatter",
        "mode": "markers",
        **spaced(bins),
        "y": [middle] * len(bins),
        "marker": {"opacity": 0},
        "hovertemplate": f"{reason}<extra></extra>",
    }


def zone(mark: p.Zone, sheet: Sheet) -> None:
    x = None if mark.x0 is None and mark.x1 is None else (
        sheet.plot.x.lo if mark.x0 is None else mark.x0,
        sheet.plot.x.hi if mark.x1 is None else mark.x1,
    )  # fmt: skip
    sheet.shapes.append(_box(sheet, x, (mark.y0, mark.y1), mark.token, mark.opacity))


def rule(mark: p.Rule, sheet: Sheet) -> None:
    if not sheet.panel.y.lo <= mark.y <= sheet.panel.y.hi:
        return
    stroke = {"color": sheet.theme[mark.token], "width": mark.width, "dash": _DASHES.get(mark.dash, "dash")}
    y = rounded(mark.y, 6)
    sheet.shapes.append(
        {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "yref": sheet.yref, "y0": y, "y1": y, "line": stroke}
    )


def upright(mark: p.Upright, sheet: Sheet) -> None:
    x = axis_number(mark.x, sheet.plot.x)
    top = rounded(1 - mark.drop / sheet.panel.height) if mark.drop else 1
    stroke = {"color": sheet.theme[mark.token], "width": 1, "dash": _DASHES.get(mark.dash, "dash")}
    sheet.shapes.append(
        {"type": "line", "x0": x, "x1": x, "yref": f"{sheet.yref} domain", "y0": 0, "y1": top, "line": stroke}
    )
    if mark.told:
        sheet.add(telling(mark, sheet))
    if mark.words:
        left = sheet.plot.x.share(mark.x) > 0.8 if mark.left is None else mark.left
        place: Trace = {
            "x": x,
            "xanchor": "right" if left else "left",
            "xshift": -5 if left else 5,
            "name": mark.room,
        }
        height = sheet.top + 7 + LINE * mark.row if mark.text_y is None else sheet.y(mark.text_y) - 4
        sheet.notes.append(note_text(mark.words, sheet.theme["text2"]) | place | from_top(sheet, height))


def telling(mark: p.Upright, sheet: Sheet) -> Trace:
    """Nothing to see: what a change was, said where one hovers over its bin."""
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [axis_number(mark.bin, sheet.plot.x)],
        "y": [rounded(sheet.panel.y.hi, 6)],
        "marker": {"opacity": 0},
        "meta": "mark",
        "text": [lines(mark.told)],
        "hovertemplate": "%{text}<extra></extra>",
    }


def lines(told: str) -> str:
    """What several changes were, one a line, none wider than the box over a narrow chart."""
    return "<br>".join(safe(line) for part in told.split("; ") for line in wrap(part, WRAPPED))


def note(mark: p.Note, sheet: Sheet) -> None:
    made = note_text(mark.words, sheet.theme[mark.token])
    if mark.strong:
        made["text"] += f' <b style="color:{sheet.theme["text1"]}">{mark.strong}</b>'
    anchor = {"start": "left", "middle": "center", "end": "right"}[mark.anchor]
    place: Trace = {"x": axis_number(mark.x, sheet.plot.x), "xanchor": anchor, "xshift": rounded(mark.dx, 4)}
    if mark.wide:
        place["name"] = "wide"
    sheet.notes.append(made | place | from_top(sheet, sheet.y(mark.y) + mark.dy - 4))


def dots(mark: p.Dots, sheet: Sheet) -> None:
    several = len(mark.xs) if max(len(mark.tokens), len(mark.shapes)) > 1 else 1
    colours = [sheet.theme[mark.tokens[i % len(mark.tokens)]] for i in range(several)]
    shapes = [mark.shapes[i % len(mark.shapes)] for i in range(several)]
    filled = [sheet.theme["surface"] if s == "ring" else c for s, c in zip(shapes, colours, strict=True)]
    marker: Trace = {
        "size": mark.size * 2,
        "symbol": _one([_SYMBOLS[s] for s in shapes]),
        "color": _one(filled),
        "opacity": mark.opacity,
        "line": {"width": _one([1.5 if s == "ring" else 0 for s in shapes]), "color": _one(colours)},
    }
    trace: Trace = {
        "type": "scatter",
        "mode": "markers",
        **spaced(mark.xs),
        "y": short(mark.ys, sheet.panel.y),
        "marker": marker,
        "name": mark.name,
    }
    if mark.low:
        trace["error_x" if mark.across else "error_y"] = _whiskers(
            mark, colours[0] if len(set(colours)) == 1 else sheet.theme["line3"]
        )
    if mark.names:
        trace |= {"text": list(mark.names), "hovertemplate": "%{text}<extra></extra>"}
    else:
        trace["hovertemplate"] = _format(mark.digits, "")
    sheet.add(trace)


def _one(values: list[Any]) -> Any:
    return values[0] if values and all(v == values[0] for v in values) else values


def _whiskers(mark: p.Dots, colour: str) -> Trace:
    centre = mark.xs if mark.across else mark.ys
    up = [None if h is None or c is None else rounded(h - c) for h, c in zip(mark.high, centre, strict=True)]
    down = [None if lo is None or c is None else rounded(c - lo) for lo, c in zip(mark.low, centre, strict=True)]
    return {
        "type": "data",
        "symmetric": False,
        "array": up,
        "arrayminus": down,
        "thickness": 1,
        "width": 0,
        "color": colour,
    }


MARKS: dict[type, Callable[[Any, Sheet], None]] = {
    p.Line: line,
    p.Band: band,
    p.Area: area,
    p.Bars: bars,
    p.Field: field_,
    p.Zone: zone,
    p.Rule: rule,
    p.Upright: upright,
    p.Note: note,
    p.Dots: dots,
}
