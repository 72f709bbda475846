"""What a chart shows, apart from how it is drawn: panels of marks in data coordinates.

A chart module turns its points into a ``Plot``; ``draw_svg`` and ``draw_plotly`` both draw that same
``Plot``, so the first paint and the live figure cannot differ. Colours are token names.
``None`` in a list of values is a gap and stays one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from dashboard.charts.scales import Axis

Values = Sequence[float | None]
EDGE = 0.1
"""Words whose middle is nearer to an edge of the plot than this share of its width begin or end there."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line that joins neighbours only. ``shape`` "step" holds each value until the next x."""

    xs: Sequence[float]
    ys: Values
    token: str = "champion"
    width: float = 2
    dash: str = ""
    name: str = ""
    digits: int = 3
    unit: str = ""
    shape: str = "linear"
    hover: bool = True


@dataclass(frozen=True, slots=True)
class Dots:
    """Marks with optional whiskers. ``shapes`` repeats the statuses: circle, ring, triangle, octagon."""

    xs: Sequence[float]
    ys: Values
    tokens: Sequence[str]
    shapes: Sequence[str]
    size: float = 5
    low: Values = ()
    high: Values = ()
    across: bool = False
    names: Sequence[str] = ()
    opacity: float = 1
    digits: int = 3
    name: str = ""


@dataclass(frozen=True, slots=True)
class Band:
    """An interval around a line."""

    xs: Sequence[float]
    low: Values
    high: Values
    token: str = "champion"
    opacity: float = 0.14


@dataclass(frozen=True, slots=True)
class Area:
    """An outline filled down to ``base``; ``xs`` are bin edges (one more than ``ys``)."""

    xs: Sequence[float]
    ys: Sequence[float]
    token: str
    edge: str
    opacity: float = 1
    edge_width: float = 1
    name: str = ""
    unit: str = "%"


@dataclass(frozen=True, slots=True)
class Bars:
    """Upright bars (``across``: lying ones) of ``width`` in x units; hatched ones are not complete yet."""

    xs: Sequence[float]
    ys: Values
    width: float
    token: str = "champion"
    opacity: float = 0.55
    hatched: frozenset[int] = frozenset()
    tokens: Sequence[str] = ()
    name: str = ""
    base: Sequence[float] = ()
    digits: int = 0
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """A grey field over the full height: no data, or the time since a review.

    ``bins`` are the x values inside of it that have no value; hovering over them says ``reason``.
    """

    x0: float
    x1: float
    words: str = ""
    token: str = "text3"
    opacity: float = 0.13
    at: float = 0.0
    bins: Sequence[float] = ()
    reason: str = ""

    def words_at(self, axis: Axis) -> tuple[float, str]:
        """Where its words stand: in its middle, near an edge of the plot at the edge, so that none leaves the plot."""
        middle = (self.x0 + self.x1) / 2
        if axis.share(middle) < EDGE:
            return max(self.x0, axis.lo), "start"
        return (min(self.x1, axis.hi), "end") if axis.share(middle) > 1 - EDGE else (middle, "middle")


@dataclass(frozen=True, slots=True)
class Zone:
    """A soft fill between two values: the bad side of a limit, a quadrant."""

    y0: float
    y1: float
    token: str
    opacity: float = 0.5
    x0: float | None = None
    x1: float | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A horizontal line at ``y`` with words at its right end."""

    y: float
    token: str
    words: str = ""
    text_token: str = ""
    dash: str = ""
    width: float = 1
    rank: int = 1


@dataclass(frozen=True, slots=True)
class Upright:
    """A vertical line at ``x``: a change, a limit of importance, a median.

    Its words stand at its right (``left``: at its left; without a word: where there is room) on line ``row`` of the
    panel, in plots that have the ``room``: "wide", or "roomy". Hovering over ``bin`` says what is ``told``. The line
    begins ``drop`` px below the top.
    """

    x: float
    words: str = ""
    token: str = "text2"
    dash: str = ""
    low: float = 0.0
    text_y: float | None = None
    row: int = 0
    left: bool | None = None
    room: str = "wide"
    bin: float = 0.0
    told: str = ""
    drop: float = 0.0


@dataclass(frozen=True, slots=True)
class Note:
    """Words at a place inside the plot, ``dx``/``dy`` px away from it; ``wide`` ones give way on a phone."""

    x: float
    y: float
    words: str
    token: str = "text2"
    anchor: str = "start"
    dx: float = 0
    dy: float = 0
    strong: str = ""
    wide: bool = False


@dataclass(frozen=True, slots=True)
class EndLabel:
    """Words in the right margin at the height of ``y``."""

    y: float
    words: str
    token: str = "text1"
    rank: int = 0


Mark = Line | Dots | Band | Area | Bars | Field | Zone | Rule | Upright | Note | EndLabel


@dataclass(frozen=True, slots=True)
class Cell:
    """One piece of the status strip under a panel."""

    x0: float
    x1: float
    status: str


@dataclass(frozen=True, slots=True)
class Panel:
    """One y axis with its marks; ``height`` in px without strip; ``caption`` stands in its top left corner."""

    y: Axis
    height: float
    marks: tuple[Mark, ...]
    caption: str = ""
    strip: tuple[Cell, ...] = ()
    grid: bool = True


STRIP_HEIGHT = 16


@dataclass(frozen=True, slots=True)
class Plot:
    """Panels under one another on one x axis. Margins in px; ``left`` and ``right`` are multiples of 4."""

    x: Axis
    panels: tuple[Panel, ...]
    left: int = 44
    right: int = 92
    top: int = 8
    bottom: int = 26
    gap: int = 14
    x_grid: bool = False
    x_title: str = ""
    shift: float = 0
    zoom: bool = False
    hover: str = "x unified"
    clicks: tuple[str, ...] = field(default=())

    @property
    def height(self) -> int:
        """The whole height in px."""
        inner = sum(p.height + (STRIP_HEIGHT if p.strip else 0) for p in self.panels)
        return round(self.top + inner + self.gap * (len(self.panels) - 1) + self.bottom)

    def tops(self) -> list[float]:
        """The upper edge of each panel in px."""
        edges, at = [], float(self.top)
        for panel in self.panels:
            edges.append(at)
            at += panel.height + (STRIP_HEIGHT if panel.strip else 0) + self.gap
        return edges


def last_known(values: Values) -> int | None:
    """The index of the last value that is known."""
    return next((i for i in range(len(values) - 1, -1, -1) if values[i] is not None), None)
