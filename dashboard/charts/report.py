"""Charts and colours of health reports: pages that stand alone, in light and dark. Named by REPORT_CHARTS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dashboard.charts import timeline
from dashboard.charts.icons import status_svg
from dashboard.charts.lane import LANE
from dashboard.charts.mail import DAY, limit_of
from dashboard.charts.theme import DARK, DARK_TOKENS, LIGHT, LIGHT_TOKENS, STATUSES

WIDTH = 460
HEIGHT = 150
TONES = ("bg", "surface", "line1", "line2", "text1", "text2", "text3", "accent")
WORDS = {
    "passing": "Passing",
    "warning": "At risk",
    "failing": "Failing",
    "unknown": "Unknown",
    "not_started": "Not started",
    "unavailable": "Unavailable",
}
_THEMES = {"light": LIGHT, "dark": DARK}


def draw(theme: str, chart: Mapping[str, Any]) -> str:
    """One series by day as SVG. `chart`: title, metric, starts, values, baseline, limit, is_rate, bars."""
    return LANE.svg(_points(chart), _THEMES[theme], WIDTH)


def palette() -> dict[str, Any]:
    """The colours of a page in both themes, and for each status its word and its icon in both."""
    tokens = {"light": LIGHT_TOKENS, "dark": DARK_TOKENS}
    return {
        "words": WORDS,
        "light": {name: LIGHT_TOKENS[name] for name in TONES},
        "dark": {name: DARK_TOKENS[name] for name in TONES},
        "icons": {
            status: {name: status_svg(status, 16, theme=_THEMES[name]) for name in tokens} for status in STATUSES
        },
    }


def _points(chart: Mapping[str, Any]) -> timeline.TimePoints:
    starts, limit = chart["starts"], chart["limit"]
    series = timeline.Series(chart["title"], list(chart["values"]))
    return timeline.TimePoints(
        starts[0],
        DAY,
        (series,),
        metric=chart["metric"],
        unit="%" if chart["is_rate"] else "",
        bars=chart["bars"],
        zero=chart["bars"] or chart["is_rate"] or chart["metric"] == "PSI",
        baseline=chart["baseline"],
        limits=() if limit is None else (limit_of("drifted", limit, True),),
        height=HEIGHT,
    )
