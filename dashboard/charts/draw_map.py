"""Draws a map of cells as SVG: graticule, cells as links, known places, legend. No script and no style attribute.

A cell too small to see at the scale of the map is drawn as a hexagon of a readable size about its middle. Two pictures
are drawn, for a desk and for a phone; the style sheet shows one of them. The phone's has no native tooltips.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from dashboard.charts.cells import MapCell, MapPoints, map_columns, map_rows, map_summary, map_title
from dashboard.charts.chart import ChartView
from dashboard.charts.globe import Floats, Frame, frame, graticule
from dashboard.charts.known_places import known_places
from dashboard.charts.scales import text_width
from dashboard.charts.theme import CSS, Theme

_HEXAGON = np.array([(math.cos(a), math.sin(a)) for a in (math.pi / 6 + math.pi / 3 * i for i in range(6))])
LEFT, BELOW, LINE = 44, 20, 18
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Sheet:
    """One picture: how wide, how small a cell may be drawn, how many places are named."""

    width: int
    smallest: float
    places: int
    tallest: float
    css: str
    titles: bool


WIDE = Sheet(840, 6.5, 14, 0.62, "map-wide", titles=True)
NARROW = Sheet(360, 5.5, 5, 1.1, "map-narrow", titles=False)


def map_view(key: str, points: MapPoints, *, caption: str = "", title: str = "", **more: Any) -> ChartView:
    """Everything for the chart frame; the picture itself is what stays, no figure takes its place."""
    seen = frame_of(points, WIDE)
    return ChartView(
        key=key,
        title=title or map_title(points),
        caption=f"{caption}. {seen.projection.words}.".removeprefix(". "),
        summary=map_summary(points),
        svg=draw(points, WIDE, seen) + draw(points, NARROW, frame_of(points, NARROW)),
        figure={"data": [], "layout": {}},
        columns=map_columns(points),
        rows=map_rows(points),
        **more,
    )


def frame_of(points: MapPoints, sheet: Sheet) -> Frame:
    """The frame around all corners of all cells."""
    corners = [corner for _, ground in points.shown for corner in ground.corners]
    return frame(corners, sheet.width - LEFT, tallest=sheet.tallest, flattest=0.4 if sheet is WIDE else 0.7)


def draw(points: MapPoints, sheet: Sheet, seen: Frame, theme: Theme = CSS) -> str:
    """One picture."""
    legend, tall = _legend(points, sheet, theme)
    height = seen.height + BELOW + tall
    middles = [(ground.latitude, ground.longitude) for _, ground in points.shown]
    grid, words = _grid(seen, middles, theme)
    cells = "".join(_cells(points, seen, sheet, theme))
    names = _names(points, seen, sheet, theme)
    box = f'width="{seen.width:.0f}" height="{seen.height:.0f}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="map {sheet.css}" viewBox="0 0 {sheet.width} {height:.0f}" '
        f'role="group" aria-label="{escape(map_summary(points))}">'
        f'<svg x="{LEFT}" {box} overflow="hidden">{grid}{names}{cells}</svg>'
        f'<rect x="{LEFT}" {box} fill="none" stroke="{theme["line2"]}"/>{words}'
        f'<g transform="translate({LEFT} {seen.height + BELOW:.0f})">{legend}</g></svg>'
    )


def _grid(seen: Frame, middles: Sequence[tuple[float, float]], theme: Theme) -> tuple[str, str]:
    """Lines inside of the frame, and their words outside of it."""
    lines, texts = [], []
    for one in graticule(seen, middles):
        lines.append(f'<path d="{_path(one.points)}" fill="none" stroke="{theme["line1"]}"/>')
        if one.leaves is None:
            continue
        if one.upright:
            at = f'x="{LEFT + one.leaves:.0f}" y="{seen.height + 14:.0f}" text-anchor="middle"'
        else:
            at = f'x="{LEFT - 6}" y="{one.leaves + 4:.0f}" text-anchor="end"'
        texts.append(f'<text {at} font-size="11" fill="{theme["text3"]}">{one.words}</text>')
    return "".join(lines), "".join(texts)


def _path(points: Floats) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points.tolist())


def _cells(points: MapPoints, seen: Frame, sheet: Sheet, theme: Theme) -> list[str]:
    """The chosen cell last, so that nothing covers its outline."""
    if not points.shown:
        return []
    ordered = sorted(points.shown, key=lambda pair: pair[0].hexagon == points.selected)
    middles = seen.px([(ground.latitude, ground.longitude) for _, ground in ordered])
    ends = np.cumsum([len(ground.corners) for _, ground in ordered])[:-1]
    outlines = np.split(seen.px([corner for _, ground in ordered for corner in ground.corners]), ends)
    drawn = []
    for (cell, ground), middle, corners in zip(ordered, middles, outlines, strict=True):
        small = np.hypot(*(corners - middle).T).min() < sheet.smallest
        outline = symbol(float(middle[0]), float(middle[1]), sheet.smallest) if small else corners
        drawn.append(_cell(cell, points.cell_words(cell, ground), outline, points, sheet, theme))
    return drawn


def _cell(cell: MapCell, words: str, outline: Floats, points: MapPoints, sheet: Sheet, theme: Theme) -> str:
    chosen = cell.hexagon == points.selected
    shape = f'<path d="{_path(outline)}Z" {_paint(cell, points, theme, chosen)}/>'
    told = escape(words)
    title = f"<title>{told}</title>" if sheet.titles else ""
    if not cell.href:
        return f"<g>{title}{shape}</g>"
    current = ' aria-current="true"' if chosen else ""
    return f'<a class="cell" href="{escape(cell.href)}" aria-label="{told}"{current}>{title}{shape}</a>'


def symbol(x: float, y: float, radius: float) -> Floats:
    """The corners of a hexagon about a point in px."""
    return np.array([x, y]) + radius * _HEXAGON


def _paint(cell: MapCell, points: MapPoints, theme: Theme, chosen: bool) -> str:
    """Coloured by class; too few rows or no value: an outline."""
    edge = theme["text1"] if chosen else theme["surface"]
    if points.is_loud(cell) and cell.value is not None:
        colour = theme[points.ramp.token(cell.value)]
        return f'fill="{colour}" stroke="{edge}" stroke-width="{2.5 if chosen else 0.8}"'
    edge = theme["text1"] if chosen else theme["line3"]
    return f'fill="{theme["surface"]}" stroke="{edge}" stroke-width="{2.5 if chosen else 1.2}"'


def _names(points: MapPoints, seen: Frame, sheet: Sheet, theme: Theme) -> str:
    """Known places inside the frame, those beside most rows first, where their words cover nothing."""
    every = known_places()
    if not every or not points.shown:
        return ""
    # Nearly all known places lie outside: only the others are weighed.
    placed = zip(every, seen.px([(one.latitude, one.longitude) for one in every]).tolist(), strict=True)
    known = [(one.name, x, y) for one, (x, y) in placed if seen.holds(x, y, 12)]
    middles = seen.px([(ground.latitude, ground.longitude) for _, ground in points.shown])
    sizes = np.array([float(cell.n or 0) for cell, _ in points.shown])
    weight = [float(sizes[np.hypot(*(middles - (x, y)).T) < 30].sum()) for _, x, y in known]
    taken: list[Box] = [(x - 7, y - 7, x + 7, y + 7) for x, y in middles.tolist()]
    drawn: list[str] = []
    for _, (name, x, y) in sorted(zip(weight, known, strict=True), key=lambda pair: (-pair[0], pair[1][0])):
        spot = _spot(x, y, name, taken, seen) if len(drawn) < sheet.places else None
        if spot is not None:
            taken.append(spot[2])
            drawn.append(_name(x, y, name, spot[0], spot[1], theme))
    return "".join(drawn)


def _spot(x: float, y: float, name: str, taken: Sequence[Box], seen: Frame) -> tuple[str, float, Box] | None:
    wide = text_width(name, 11) + 4
    for anchor, left in (("start", x + 9), ("end", x - 9 - wide)):
        for lift in (4.0, -8.0, 16.0):
            box = (left, y + lift - 10, left + wide, y + lift + 3)
            inside = box[0] > 2 and box[2] < seen.width - 2 and box[1] > 2 and box[3] < seen.height - 2
            if inside and not any(box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3] for b in taken):
                return anchor, lift, box
    return None


def _name(x: float, y: float, name: str, anchor: str, lift: float, theme: Theme) -> str:
    away = 9 if anchor == "start" else -9
    return (
        f'<circle cx="{x:.0f}" cy="{y:.0f}" r="1.8" fill="{theme["text3"]}"/>'
        f'<text x="{x + away:.0f}" y="{y + lift:.0f}" text-anchor="{anchor}" font-size="11" fill="{theme["text2"]}" '
        f'stroke="{theme["surface"]}" stroke-width="3" paint-order="stroke" stroke-linejoin="round">'
        f"{escape(name)}</text>"
    )


def _legend(points: MapPoints, sheet: Sheet, theme: Theme) -> tuple[str, float]:
    """The classes with their words, in lines as wide as the picture, and how tall it all is."""
    entries = [
        (theme[token], label, False) for token, label in zip(points.ramp.tokens, points.ramp.labels, strict=True)
    ]
    if not points.loud:
        entries = []
    if any(points.is_small(cell) for cell, _ in points.shown):
        entries.append((theme["line3"], f"under 100 {points.rows}s", True))
    if any(cell.value is None for cell, _ in points.shown):
        entries.append((theme["line3"], "no value", True))
    x, y, parts = 0.0, 14.0, []
    for colour, label, hollow in entries:
        wide = 20 + text_width(label, 11) + 14
        if x and x + wide > sheet.width - LEFT:
            x, y = 0.0, y + LINE
        paint = f'fill="none" stroke="{colour}" stroke-width="1.2"' if hollow else f'fill="{colour}"'
        parts.append(f'<rect x="{x + 1:.0f}" y="{y:.0f}" width="12" height="12" rx="1.5" {paint}/>')
        parts.append(
            f'<text x="{x + 18:.0f}" y="{y + 10:.0f}" font-size="11" fill="{theme["text2"]}">{escape(label)}</text>'
        )
        x += wide
    return "".join(parts), y + LINE
