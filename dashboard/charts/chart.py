"""A chart as pages and mail see it: points in; figure, SVG, finding, summary and table twin out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import orjson

from dashboard.charts import words
from dashboard.charts.draw_plotly import figure as plotly_figure
from dashboard.charts.draw_svg import draw
from dashboard.charts.flags import Change
from dashboard.charts.plot import Plot
from dashboard.charts.theme import CSS, TOKENS, Theme
from dashboard.charts.timeline import TimePoints

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
    marks: Rows = ()
    """What happened within the range, for the table twin: when (UTC), what."""
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
        happened = changes_of(points)
        plot, summary = self.plot(points), self.summary(points) + _marked(happened)
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
            marks=[(f"{one.at:%Y-%m-%d %H:%M}", one.detail or one.words) for one in happened],
            **more,
        )


def changes_of(points: object) -> Sequence[Change]:
    """The changes that points over time are drawn with, within their range; none for other points."""
    time = points if isinstance(points, TimePoints) else getattr(points, "time", None)
    if not isinstance(time, TimePoints):
        return ()
    end = time.start + time.step * time.n
    return [change for change in time.changes if time.start <= change.at < end]


def _marked(happened: Sequence[Change]) -> str:
    """For screen readers: that something happened; what, is in the table."""
    return f". {words.count(len(happened), 'change')} marked, listed in the table" if happened else ""
