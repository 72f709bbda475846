"""Draws a ``Plot`` as SVG: the first paint of a page, mail, print and share links.

Without ``width`` the picture is fluid: places across are percents, so text keeps its size at any width
(the margins are the padding classes ``ml-…`` and ``mr-…``). With ``width`` all is in px, for PNG.
No ``style`` attribute and no script: it passes a strict Content-Security-Policy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape

import numpy as np

from dashboard.charts import plot as p
from dashboard.charts.columns import Array, numbers
from dashboard.charts.draw_marks import MARKS
from dashboard.charts.scales import Axis, Label, spread, text_width
from dashboard.charts.theme import CSS, FONT, Theme, css_name


@dataclass(frozen=True, slots=True)
class Pen:
    """How data become places: ``x`` gives the attribute text, ``path_x`` the number inside a path."""

    x_axis: Axis
    y_axis: Axis
    top: float
    height: float
    width: float | None
    theme: Theme

    def x(self, value: float) -> str:
        share = self.x_axis.share(value)
        return f"{share * 100:.3f}%" if self.width is None else f"{share * self.width:.1f}"

    def span(self, x0: float, x1: float) -> str:
        share = max(0.0, self.x_axis.share(x1) - self.x_axis.share(x0))
        return f"{share * 100:.3f}%" if self.width is None else f"{share * self.width:.1f}"

    @property
    def right(self) -> str:
        return "100%" if self.width is None else f"{self.width:.1f}"

    def path_x(self, value: float) -> float:
        return self.x_axis.share(value) * (1000 if self.width is None else self.width)

    def y(self, value: float) -> float:
        return round(self.top + self.height * (1 - self.y_axis.share(value)), 2)

    def places(self, xs: p.Values, *heights: p.Values) -> Array:
        """Places on a path, one a row: how far across, then each height; gaps are NaN."""
        return np.column_stack((self.across(numbers(xs)), *(self.heights(numbers(one)) for one in heights)))

    def across(self, values: Array) -> Array:
        """`path_x` of many values."""
        return self.x_axis.shares(values) * (1000 if self.width is None else self.width)

    def heights(self, values: Array) -> Array:
        """`y` of many values, not rounded."""
        return self.top + self.height * (1 - self.y_axis.shares(values))

    def clamp(self, value: float) -> float:
        return min(max(self.y(value), self.top), self.top + self.height)

    def path(self, data: str, paint: str) -> str:
        """A path of ``path_x`` and ``y`` numbers; fluid ones are stretched, their strokes are not."""
        if self.width is not None:
            return f'<path d="{data}" {paint}/>'
        bottom = self.top + self.height
        return (
            f'<svg viewBox="0 0 1000 {bottom:g}" width="100%" height="{bottom:g}" preserveAspectRatio="none" '
            f'overflow="hidden"><path d="{data}" {paint} vector-effect="non-scaling-stroke"/></svg>'
        )

    def text(
        self,
        x: str,
        y: float,
        content: str,
        token: str = "text3",
        anchor: str = "start",
        size: float = 11,
        **more: object,
    ) -> str:
        extra = "".join(f' {k.rstrip("_").replace("_", "-")}="{v}"' for k, v in more.items() if v)
        anchor_text = "" if anchor == "start" else f' text-anchor="{anchor}"'
        paint = f'fill="{self.theme[token]}" font-size="{size:g}"{anchor_text}{extra}'
        return f'<text x="{x}" y="{y:.1f}" {paint}>{content}</text>'


def draw(plot: p.Plot, theme: Theme = CSS, width: int | None = None, label: str = "") -> str:
    """The SVG text of ``plot``. ``label`` is what a screen reader says of it."""
    inner = None if width is None else width - plot.left - plot.right
    body = []
    for panel, top in zip(plot.panels, plot.tops(), strict=True):
        body.append(_panel(panel, Pen(plot.x, panel.y, top, panel.height, inner, theme)))
    last = Pen(plot.x, plot.panels[-1].y, 0, plot.height - plot.bottom, inner, theme)
    content = "".join(body) + (_x_axis(plot, last) if plot.bottom > 6 else "")
    role = f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'
    head = '<svg xmlns="http://www.w3.org/2000/svg" '
    if width is None:
        return f'{head}class="plot ml-{plot.left} mr-{plot.right}" height="{plot.height}" {role}>{content}</svg>'
    return (
        f'{head}width="{width}" height="{plot.height}" viewBox="0 0 {width} {plot.height}" {role} '
        f'font-family="{escape(FONT)}">'
        f'<g transform="translate({plot.left} 0)">{content}</g></svg>'
    )


def _panel(panel: p.Panel, pen: Pen) -> str:
    ordered = sorted(panel.marks, key=lambda mark: LAYER[type(mark)])
    under = "".join(_draw(mark, pen) for mark in ordered if LAYER[type(mark)] == 0)
    over = "".join(_draw(mark, pen) for mark in ordered if LAYER[type(mark)] > 0)
    caption = pen.text("4", pen.top + 11, escape(panel.caption), "text2") if panel.caption else ""
    return under + _grid(panel, pen) + over + caption + _end_labels(panel, pen) + _strip(panel, pen)


LAYER: dict[type, int] = {
    p.Zone: 0, p.Field: 0, p.Band: 1, p.Area: 1, p.Bars: 1, p.Rule: 2, p.Upright: 2, p.Line: 3, p.Dots: 4,
    p.EndLabel: 5, p.Note: 5,
}  # fmt: skip


def _draw(mark: p.Mark, pen: Pen) -> str:
    drawer: Callable[[p.Mark, Pen], str] | None = MARKS.get(type(mark))
    return drawer(mark, pen) if drawer else ""


def _grid(panel: p.Panel, pen: Pen) -> str:
    parts = []
    for tick in panel.y.ticks:
        y = pen.y(tick.value)
        if panel.grid:
            parts.append(f'<line x1="0" x2="{pen.right}" y1="{y}" y2="{y}" stroke="{pen.theme["line1"]}"/>')
        parts.append(pen.text("-6", y + 4, escape(tick.label), anchor="end"))
    return "".join(parts)


def end_labels(panel: p.Panel, height: Callable[[float], float], top: float) -> list[tuple[float, Label]]:
    """The labels of the right margin and their places, for both renderers."""
    wanted = []
    for mark in panel.marks:
        if isinstance(mark, p.Rule) and mark.words:
            wanted.append(Label(height(mark.y), mark.words, mark.text_token or mark.token, mark.rank))
        elif isinstance(mark, p.EndLabel):
            wanted.append(Label(height(mark.y), mark.words, mark.token, mark.rank))
    return spread(wanted, top + 4, top + panel.height - 2)


def _end_labels(panel: p.Panel, pen: Pen) -> str:
    places = end_labels(panel, pen.clamp, pen.top)
    return "".join(pen.text(pen.right, at + 4, escape(label.text), label.token, dx="9") for at, label in places)


def _strip(panel: p.Panel, pen: Pen) -> str:
    base, parts = pen.top + pen.height + 14, []
    for cell in panel.strip:
        tall = {"failing": 6.0, "warning": 4.0, "passing": 2.0, "unknown": 2.0, "unavailable": 2.0}.get(
            cell.status, 1.0
        )
        token = pen.theme[css_name(cell.status)]
        paint = f'fill="{token}"' if cell.status != "unknown" else f'fill="none" stroke="{token}" stroke-width="0.8"'
        gap = (cell.x1 - cell.x0) * 0.04
        parts.append(
            f'<rect x="{pen.x(cell.x0 + gap)}" width="{pen.span(cell.x0 + gap, cell.x1 - gap)}" '
            f'y="{base - tall:g}" height="{tall:g}" {paint}/>'
        )
    return "".join(parts)


def _x_axis(plot: p.Plot, pen: Pen) -> str:
    y = plot.height - plot.bottom
    parts = [f'<line x1="0" x2="{pen.right}" y1="{y}" y2="{y}" stroke="{pen.theme["line2"]}"/>']
    for tick in plot.x.ticks:
        x = pen.x(tick.value)
        parts.append(f'<line x1="{x}" x2="{x}" y1="{y}" y2="{y + 4}" stroke="{pen.theme["line2"]}"/>')
        both = tick.label == tick.narrow
        parts.append(
            pen.text(x, y + 17, escape(tick.label), anchor="middle", class_="" if both or pen.width else "plot-wide")
        )
        if tick.narrow and not both and pen.width is None:
            parts.append(pen.text(x, y + 17, escape(tick.narrow), anchor="middle", class_="plot-narrow"))
    if plot.x_title:
        middle = "50%" if pen.width is None else f"{pen.width / 2:.1f}"
        parts.append(pen.text(middle, y + 31, escape(plot.x_title), anchor="middle"))
    return "".join(parts)


def margin_for(labels: list[str], least: int = 28) -> int:
    """The smallest left margin (a multiple of 4) that holds tick labels of 11 px."""
    widest = max((text_width(label) for label in labels), default=0.0)
    return max(least, 4 * round((widest + 12) / 4 + 0.49))
