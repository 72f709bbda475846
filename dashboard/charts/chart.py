"""A chart as pages and mail see it: points in; figure, SVG, finding, summary and table twin out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import orjson

from dashboard.charts.draw_plotly import figure as plotly_figure
from dashboard.charts.draw_svg import draw
from dashboard.charts.plot import Plot
from dashboard.charts.theme import CSS, TOKENS, Theme

P = TypeVar("P")
Rows = Sequence[Sequence[str]]
TITLE_LENGTH = 80


@dataclass(frozen=True, slots=True)
class ChartView:
    """All that the chart frame needs (``templates/dashboard/_chart.html``)."""

    key: str
    title: str
    caption: str
    summary: str
    svg: str
    figure: dict[str, Any]
    columns: Sequence[str]
    rows: Rows
    status: str = ""
    foot: str = ""
    api_url: str = ""
    csv_url: str = ""
    bare: bool = False
    """Without tick, title and foot: a lane, whose words stand beside it."""
    term: str = ""
    """The term of the glossary that explains what is drawn."""

    @property
    def figure_json(self) -> str:
        """The figure as JSON that may stand inside a ``script`` element."""
        text = orjson.dumps(self.figure).decode()
        return text.replace("&", "\\u0026").replace("<", "\\u003C").replace(">", "\\u003E")

    @property
    def figure_id(self) -> str:
        return f"figure-{self.key}"


@dataclass(frozen=True, slots=True)
class Chart(Generic[P]):
    """The five functions of one kind of chart, each of its points alone."""

    plot: Callable[[P], Plot]
    title: Callable[[P], str]
    summary: Callable[[P], str]
    columns: Callable[[P], Sequence[str]]
    rows: Callable[[P], Rows]

    def figure(self, points: P, theme: Theme = TOKENS) -> dict[str, Any]:
        """A Plotly figure as a plain dict. With ``TOKENS`` the browser resolves the colours."""
        return plotly_figure(self.plot(points), theme)

    def svg(self, points: P, theme: Theme = CSS, width: int | None = None) -> str:
        """The server's drawing: fluid without ``width``, in px with it."""
        return draw(self.plot(points), theme, width, self.summary(points))

    def view(self, key: str, points: P, *, caption: str = "", status: str = "", **more: Any) -> ChartView:
        """Everything for the template; ``key`` is unique on the page. The title may be given as ``title``."""
        plot, summary = self.plot(points), self.summary(points)
        return ChartView(
            key=key,
            title=more.pop("title", None) or self.title(points),
            caption=caption,
            summary=summary,
            svg=draw(plot, CSS, None, summary),
            figure=plotly_figure(plot, TOKENS),
            columns=self.columns(points),
            rows=self.rows(points),
            status=status,
            **more,
        )
