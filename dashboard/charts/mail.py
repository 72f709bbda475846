"""Pictures of a mail: its chart and its status icon, as PNG at twice the density, always in light colours."""

from __future__ import annotations

from datetime import timedelta

from dashboard.charts import timeline
from dashboard.charts.icons import status_svg
from dashboard.charts.lane import LANE
from dashboard.charts.raster import png
from dashboard.charts.theme import LIGHT, STATUSES
from monitoring.mail.chart import MailChart

WIDTH = 552
HEIGHT = 150
ICON = 14
DAY = timedelta(days=1)


def draw(chart: MailChart) -> bytes:
    """The chart of a mail, 552 CSS px wide; without any day the empty axes."""
    return png(LANE.svg(mail_points(chart), LIGHT, WIDTH), WIDTH)


def icon(status: str) -> bytes:
    """The icon of a status, 14 CSS px."""
    return png(status_svg(status, ICON, theme=LIGHT), ICON)


def mail_points(chart: MailChart) -> timeline.TimePoints:
    """The day buckets on an even clock: days that are not told become gaps."""
    first = min(chart.starts)
    places = [round((start - first) / DAY) for start in chart.starts]
    values: list[float | None] = [None] * (max(places) + 1)
    for place, value in zip(places, chart.values, strict=True):
        values[place] = value
    immature = frozenset(place for place, young in zip(places, chart.immature, strict=True) if young)
    series = timeline.Series(chart.metric, values, immature=immature)
    return timeline.TimePoints(
        first,
        DAY,
        (series,),
        metric=chart.metric.split(" of ")[0],
        unit="%" if chart.is_rate else "",
        zero=chart.is_rate or chart.metric.startswith("PSI"),
        baseline=chart.baseline,
        limits=tuple(limit_of(limit.status, limit.value, limit.above) for limit in chart.limits),
        height=HEIGHT,
    )


def limit_of(status: str, value: float, above: bool) -> timeline.Limit:
    """A limit of the mail; a word that is no status (drifted) is drawn as failing under its own name."""
    if status in STATUSES:
        return timeline.Limit(status, value, above)
    return timeline.Limit("failing", value, above, f"{status} {'>' if above else '<'} {value:g}")
