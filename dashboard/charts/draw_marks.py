"""SVG for each kind of mark; ``pen`` turns data into places and tokens into colours."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from dashboard.charts import plot as p
from dashboard.charts.columns import boxes, numbers, rings, tracks
from dashboard.charts.flags import LINE

if TYPE_CHECKING:
    from dashboard.charts.draw_svg import Pen


MANY = 200
"""From so many bars on they are drawn as one."""


def line(mark: p.Line, pen: Pen) -> str:
    paint = f'fill="none" stroke="{pen.theme[mark.token]}" stroke-width="{mark.width:g}" stroke-linejoin="round"'
    if mark.dash:
        paint += f' stroke-dasharray="{mark.dash}"'
    places, lonely = pen.places(mark.xs, mark.ys), ""
    path, alone = tracks(places, step=mark.shape == "step")
    for x, y in places[alone].tolist():
        cx = f"{x / 10:.2f}%" if pen.width is None else f"{x:.1f}"
        lonely += f'<circle cx="{cx}" cy="{y:.1f}" r="{mark.width:g}" fill="{pen.theme[mark.token]}"/>'
    return (pen.path(path, paint) if path else "") + lonely


def band(mark: p.Band, pen: Pen) -> str:
    path = rings(pen.places(mark.xs, mark.low, mark.high))
    if not path:
        return ""
    return pen.path(path, f'fill="{pen.theme[mark.token]}" fill-opacity="{mark.opacity:g}"')


def area(mark: p.Area, pen: Pen) -> str:
    base = pen.y(max(0.0, pen.y_axis.lo))
    text = f"M{pen.path_x(mark.xs[0]):.1f} {base:g}"
    for y, right in zip(mark.ys, mark.xs[1:], strict=True):
        text += f"V{pen.y(y):.1f}H{pen.path_x(right):.1f}"
    text += f"V{base:g}"
    fill = f'fill="{pen.theme[mark.token]}" fill-opacity="{mark.opacity:g}"'
    return pen.path(
        text, f'{fill} stroke="{pen.theme[mark.edge]}" stroke-width="{mark.edge_width:g}" stroke-linejoin="round"'
    )


def _hatch(x: str, width: str, y: float, height: float, colour: str) -> str:
    """An outlined bar with stripes across: its value is not complete yet."""
    lines = "".join(
        f'<line x1="0" x2="100%" y1="{at:g}" y2="{at - 4:g}"/>' for at in range(4, int(height) + 5, 4) if height > 3
    )
    return (
        f'<svg x="{x}" y="{y:g}" width="{width}" height="{max(1.0, height):g}" stroke="{colour}" fill="none">'
        f'<rect width="100%" height="{max(1.0, height):g}" stroke-width="2"/>{lines}</svg>'
    )


def bars(mark: p.Bars, pen: Pen) -> str:
    parts, alone = [], frozenset(range(len(mark.xs)))
    if len(mark.xs) >= MANY and not mark.tokens:
        alone = mark.hatched
        parts.append(_thin_bars(mark, pen))
    for i, (x, value) in enumerate(zip(mark.xs, mark.ys, strict=True)):
        if value is None or i not in alone:
            continue
        low = mark.base[i] if mark.base else max(0.0, pen.y_axis.lo)
        top, bottom = sorted((pen.clamp(low + value if mark.base else value), pen.clamp(low)))
        left, width = pen.x(x - mark.width / 2), pen.span(x - mark.width / 2, x + mark.width / 2)
        colour = pen.theme[mark.tokens[i] if mark.tokens else mark.token]
        if i in mark.hatched:
            parts.append(_hatch(left, width, top, bottom - top, colour))
        else:
            radius = ' rx="1.5"' if not mark.base else ""
            parts.append(
                f'<rect x="{left}" width="{width}" y="{top:.1f}" height="{max(0.5, bottom - top):.1f}"{radius}'
                f' fill="{colour}"/>'
            )
    return f'<g fill-opacity="{mark.opacity:g}">{"".join(parts)}</g>'


def _thin_bars(mark: p.Bars, pen: Pen) -> str:
    """So many bars of one colour that each is a pixel or two wide: one path; those that are hatched left out."""
    values = np.array(numbers(mark.ys))
    values[list(mark.hatched)] = np.nan
    shown = np.flatnonzero(~np.isnan(values))
    if not len(shown):
        return ""
    middles, heights = numbers(mark.xs)[shown], values[shown]
    low = numbers(mark.base)[shown] if mark.base else np.full(len(shown), max(0.0, pen.y_axis.lo))
    high = low + heights if mark.base else heights
    ends = [np.clip(pen.heights(one), pen.top, pen.top + pen.height) for one in (low, high)]
    top, bottom = np.minimum(*ends), np.maximum(*ends)
    sides = [pen.across(middles + side * mark.width / 2) for side in (-1, 1)]
    return pen.path(boxes(sides[0], sides[1], np.minimum(top, bottom - 0.5), bottom), f'fill="{pen.theme[mark.token]}"')


def field(mark: p.Field, pen: Pen) -> str:
    x, width = pen.x(mark.x0), pen.span(mark.x0, mark.x1)
    paint = f'fill="{pen.theme[mark.token]}" fill-opacity="{mark.opacity:g}"'
    box = f'<rect x="{x}" width="{width}" y="{pen.top:g}" height="{pen.height:g}" {paint}/>'
    if not mark.words:
        return box
    at, anchor = mark.words_at(pen.x_axis)
    return box + pen.text(
        pen.x(at),
        pen.top + 11 + mark.at,
        escape(mark.words),
        "text2",
        anchor,
        class_="plot-wide" if pen.width is None else "",
    )


def zone(mark: p.Zone, pen: Pen) -> str:
    top, bottom = pen.clamp(max(mark.y0, mark.y1)), pen.clamp(min(mark.y0, mark.y1))
    x0 = pen.x_axis.lo if mark.x0 is None else mark.x0
    x1 = pen.x_axis.hi if mark.x1 is None else mark.x1
    return (
        f'<rect x="{pen.x(x0)}" width="{pen.span(x0, x1)}" y="{top:g}" height="{max(0.0, bottom - top):g}" '
        f'fill="{pen.theme[mark.token]}" fill-opacity="{mark.opacity:g}"/>'
    )


def rule(mark: p.Rule, pen: Pen) -> str:
    y = pen.y(mark.y)
    if not pen.top - 1 <= y <= pen.top + pen.height + 1:
        return ""
    dash = f' stroke-dasharray="{mark.dash}"' if mark.dash else ""
    paint = f'stroke="{pen.theme[mark.token]}" stroke-width="{mark.width:g}"{dash}'
    return f'<line x1="0" x2="{pen.right}" y1="{y}" y2="{y}" {paint}/>'


def upright(mark: p.Upright, pen: Pen) -> str:
    x, dash = pen.x(mark.x), f' stroke-dasharray="{mark.dash}"' if mark.dash else ""
    text = ""
    if mark.words:
        left = pen.x_axis.share(mark.x) > 0.8 if mark.left is None else mark.left
        anchor, away = ("end", "-6") if left else ("start", "6")
        y = pen.top + 11 + LINE * mark.row if mark.text_y is None else pen.y(mark.text_y)
        gives_way = f"plot-{mark.room}" if pen.width is None else ""
        text = pen.text(x, y, escape(mark.words), "text2", anchor, dx=away, class_=gives_way)
    ends = f'x1="{x}" x2="{x}" y1="{pen.top + mark.drop:g}" y2="{pen.top + pen.height:g}"'
    return f'<line {ends} stroke="{pen.theme[mark.token]}"{dash}/>{text}'


def note(mark: p.Note, pen: Pen) -> str:
    bold = ""
    if mark.strong:
        bold = f' <tspan fill="{pen.theme["text1"]}" font-weight="600">{escape(mark.strong)}</tspan>'
    gives_way = "plot-wide" if mark.wide and pen.width is None else ""
    y = pen.y(mark.y) + mark.dy
    content = escape(mark.words) + bold
    return pen.text(pen.x(mark.x), y, content, mark.token, mark.anchor, dx=f"{mark.dx:g}", class_=gives_way)


def shape(kind: str, size: float, colour: str, ground: str) -> str:
    """A mark around 0, 0 that repeats the shape of a status."""
    if kind == "octagon":
        a, b = size, size * 0.414
        corners = (
            f"M{-b:.1f} {-a:.1f}H{b:.1f}L{a:.1f} {-b:.1f}V{b:.1f}L{b:.1f} {a:.1f}H{-b:.1f}L{-a:.1f} {b:.1f}V{-b:.1f}Z"
        )
        return f'<path d="{corners}" fill="{colour}"/>'
    if kind == "triangle":
        return f'<path d="M0 {-size:.1f}L{size * 1.1:.1f} {size * 0.85:.1f}H{-size * 1.1:.1f}Z" fill="{colour}"/>'
    if kind == "ring":
        return f'<circle r="{size - 0.5:g}" fill="{ground}" stroke="{colour}" stroke-width="1.5"/>'
    return f'<circle r="{size:g}" fill="{colour}"/>'


def dots(mark: p.Dots, pen: Pen) -> str:
    parts: list[str] = []
    drawn: dict[tuple[str, str], str] = {}
    whisker = pen.theme[mark.tokens[0] if len(set(mark.tokens)) == 1 else "line3"]
    for i, (x, y) in enumerate(zip(mark.xs, mark.ys, strict=True)):
        if y is None:
            continue
        colour = pen.theme[mark.tokens[i % len(mark.tokens)]]
        low, high = (mark.low[i], mark.high[i]) if mark.low else (None, None)
        if low is not None and high is not None:
            if mark.across:
                left, right = pen.x(max(low, pen.x_axis.lo)), pen.x(min(high, pen.x_axis.hi))
                ends = f'x1="{left}" x2="{right}" y1="{pen.y(y)}" y2="{pen.y(y)}"'
            else:
                ends = f'x1="{pen.x(x)}" x2="{pen.x(x)}" y1="{pen.clamp(low)}" y2="{pen.clamp(high)}"'
            parts.append(f'<line {ends} stroke="{whisker}" stroke-opacity="0.7"/>')
        kind = mark.shapes[i % len(mark.shapes)]
        if (kind, colour) not in drawn:
            drawn[kind, colour] = shape(kind, mark.size, colour, pen.theme["surface"])
        place = f'x="{pen.x(x)}" y="{pen.y(y)}"'
        parts.append(f'<svg {place} width="1" height="1" overflow="visible">{drawn[kind, colour]}</svg>')
    return f'<g opacity="{mark.opacity:g}">{"".join(parts)}</g>'


MARKS: dict[type, Callable[[Any, Any], str]] = {
    p.Line: line,
    p.Band: band,
    p.Area: area,
    p.Bars: bars,
    p.Field: field,
    p.Zone: zone,
    p.Rule: rule,
    p.Upright: upright,
    p.Note: note,
    p.Dots: dots,
}
