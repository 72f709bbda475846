"""Template tags and filters of the pages and the mail: ``{% load vitals %}``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from html import escape

from django import template
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from dashboard import glossary
from dashboard.charts import heat, icons, strips, words
from dashboard.charts.chart import ChartView
from dashboard.charts.heat import HeatPoints
from dashboard.charts.theme import css_name, heat_token
from dashboard.examples import Example
from dashboard.toggles import toggle_html
from monitoring import advice as advising
from monitoring.models import Area

register = template.Library()

Number = float | int | None


@register.simple_tag
def status_icon(status: str, size: int = 14, snoozed: bool = False, label: bool = False) -> SafeString:
    """The shape of a status; ``label=True`` when no word stands beside it."""
    text = icons.status_words(status, snoozed=snoozed) if label else None
    return mark_safe(icons.status_svg(status, size, snoozed=snoozed, label=text))  # noqa: S308 - built from constants


@register.simple_tag
def status_badge(status: str, snoozed: bool = False, help: bool = False) -> SafeString:
    """Icon and word on the soft fill of the status; with ``help=True`` also what the word means."""
    text = icons.status_words(status, snoozed=snoozed)
    return format_html(
        '<span class="badge badge-{}">{}<span>{}</span>{}</span>',
        css_name(status),
        mark_safe(icons.status_svg(status, 14, snoozed=snoozed, ground=f"var(--{css_name(status)}-soft)")),  # noqa: S308
        text,
        help_link(status) if help else "",
    )


@lru_cache(maxsize=1024)
def help_link(label: str) -> SafeString:
    """The small ? beside a label that the glossary explains; nothing beside any other label.

    A link to the glossary, which the browser opens as a card in place.
    """
    entry = glossary.find(label)
    if entry is None:
        return mark_safe("")
    return format_html(
        '<a class="help" href="{}#{}" data-help="{}" data-term="{}" aria-label="What is {}?">?</a>',
        *(reverse("glossary"), entry.slug, reverse("term", args=[entry.slug]), entry.name, entry.name),
    )


@register.simple_tag(name="help")
def help_tag(label: str) -> SafeString:
    """``{% help "PSI" %}``: see ``help_link``."""
    return help_link(str(label or ""))


@register.inclusion_tag("dashboard/_empty.html")
def empty_state(
    title: str, text: str = "", example: Example | None = None, href: str = "", action: str = "", extra: str = ""
) -> dict[str, object]:
    """What a page shows while it has nothing: what it would show, why it does not, and the request that changes it.

    ``example`` is a request to copy, see ``dashboard.examples``; ``href`` and ``action`` are one button.
    """
    return {"title": title, "text": text, "example": example, "href": href, "action": action, "extra": extra}


@register.simple_tag
def status_text(status: str, snoozed: bool = False) -> SafeString:
    """Icon and word without fill, for tables."""
    text = icons.status_words(status, snoozed=snoozed)
    icon = mark_safe(icons.status_svg(status, 14, snoozed=snoozed))  # noqa: S308 - built from constants
    return format_html('<span class="status status-{}">{}<span>{}</span></span>', css_name(status), icon, text)


@register.simple_tag
def icon(name: str, size: int = 16) -> SafeString:
    """A sign of the frame in the colour of its text."""
    return mark_safe(icons.ui_svg(name, size))  # noqa: S308 - built from constants


@register.simple_tag(takes_context=True)
def toggle(context: template.Context, name: str, pk: int, label: str, on: bool) -> SafeString:
    """The star or the bell of a deployment."""
    return mark_safe(toggle_html(name, pk, label, on=on, token=str(context.get("csrf_token", ""))))  # noqa: S308 - escaped there


@register.simple_tag
def brand(height: int = 16) -> SafeString:
    """The mark of the product."""
    return mark_safe(icons.brand_svg(height))  # noqa: S308 - built from constants


@register.simple_tag
def health_strip(bars: Sequence[strips.Bar | str], size: str = "fleet", period: str = "") -> SafeString:
    """One bar a bin, oldest left; statuses or ``Bar`` objects."""
    return mark_safe(strips.strip_svg(bars, size, period=period))  # noqa: S308 - labels are escaped


@register.simple_tag
def strip_words(bars: Sequence[strips.Bar | str], period: str = "") -> str:
    """The text twin of a strip."""
    return strips.strip_words(bars, period)


@register.simple_tag
def sparkline(values: Sequence[float | None], token: str = "text3", zero: bool = True) -> SafeString:  # noqa: S107 - a colour
    """The line beside a number."""
    return mark_safe(strips.sparkline_svg(values, token, zero=zero))  # noqa: S308 - numbers only


@register.simple_tag
def delta(change: Number, status: str = "", unit: str = "percent", digits: int | None = None) -> SafeString:
    """Arrow by the sign of the number, colour by what it means.

    ``change`` is a share with ``unit="percent"``, else a plain number. ``status`` is the verdict on it:
    passing (better), failing (worse), warning (only the lower limit is passed), empty (within limits: grey).
    """
    if change is None or not words.known(change):
        return mark_safe(f'<span class="delta">{words.NONE}</span>')  # noqa: S308 - a constant
    if unit == "percent":
        text = words.percent(change, 1 if digits is None else digits, sign=True)
    else:
        text = words.number(change, digits, sign=True)
    arrow = "up" if change > 0 else "down" if change < 0 else ""
    shape = {"up": "M4 1 7.6 7H.4Z", "down": "M4 7 .4 1h7.2Z"}.get(arrow)
    box = 'class="arrow" width="8" height="8" viewBox="0 0 8 8"'
    sign = f'<svg {box} aria-hidden="true"><path fill="currentColor" d="{shape}"/></svg>'
    return format_html(
        '<span class="delta{}">{}{}</span>',
        f" delta-{css_name(status)}" if status else "",
        mark_safe(sign) if shape and status else "",  # noqa: S308 - built from constants
        text,
    )


@register.filter
def number(value: Number, digits: int | None = None) -> str:
    """``1,234.5``."""
    return words.number(value, digits)


@register.filter
def signed(value: Number, digits: int | None = None) -> str:
    """``+11``, ``−4``."""
    return words.number(value, digits, sign=True)


@register.filter
def compact(value: Number) -> str:
    """``20,900``, ``1.24 M``."""
    return words.compact(value)


@register.filter
def percent(value: Number, digits: int = 1) -> str:
    """A share as ``5.8 %``."""
    return words.percent(value, digits)


@register.filter
def area_label(area: str) -> str:
    """``Data drift`` for ``drift``; the word itself for what is no area."""
    return str(Area(area).label) if area in Area.values else area


@register.filter
def ms(value: Number) -> str:
    """``118 ms``."""
    return words.milliseconds(value)


@register.filter
def duration(value: timedelta | float | None) -> str:
    """``3 h``, ``23 d``."""
    return words.duration(value)


@register.filter
def age(moment: datetime | None, now: datetime | None = None) -> str:
    """How long ago a moment was: ``40 s``."""
    return words.NONE if moment is None else words.duration((now or timezone.now()) - moment)


@register.filter
def metric_value(value: Number, name: str) -> str:
    """The value of a metric with the decimals its name asks for."""
    return words.metric_value(value, name)


@register.filter
def local(moment: datetime | None) -> SafeString:
    """``Tue 2 Jul 10:00`` in the reader's zone, as a ``time`` element with the absolute time."""
    if moment is None:
        return mark_safe(words.NONE)  # noqa: S308 - a constant
    text = words.stamp(moment, timezone.get_current_timezone(), timezone.now())
    return format_html('<time datetime="{}">{}</time>', moment.isoformat(), text)


@register.filter
def local_day(moment: datetime | None) -> str:
    """``Tue 2 Jul`` in the reader's zone."""
    if moment is None:
        return words.NONE
    zone = timezone.get_current_timezone()
    return words.day(moment.astimezone(zone), year=timezone.now().astimezone(zone).year)


@register.filter
def since(moment: datetime | None) -> str:
    """``since Tue 14:00 (3 d)`` in the reader's zone."""
    return words.since(moment, timezone.get_current_timezone(), timezone.now())


@register.filter
def css(status: str) -> str:
    """The name of a status in a class: ``not_started`` -> ``not-started``."""
    return css_name(status)


@register.filter(name="heat")
def heat_class(value: Number, limit: float) -> str:
    """The class of a heat cell: ``heat-1`` … ``heat-7``; no value: ``heat-none``."""
    return "heat-none" if value is None else heat_token(value, limit)


@register.inclusion_tag("dashboard/_chart.html")
def chart(view: ChartView, controls: str = "") -> dict[str, object]:
    """The whole frame of a chart: finding, first paint, figure for Plotly, foot and table twin.

    ``controls`` (safe HTML, for instance a switch) stands at the right of the finding.
    """
    return {
        "chart": view,
        "svg": mark_safe(view.svg),  # noqa: S308 - drawn by dashboard.charts, words are escaped there
        "figure": mark_safe(view.figure_json),  # noqa: S308 - JSON with <, > and & escaped
        "controls": controls,
        "rows": table_rows(view.rows),
        "marks": table_rows(view.marks),
    }


#: Stand between cells and rows while the whole is escaped; no cell can hold them, XML knows no such characters.
_CELL, _ROW = "\x1f", "\x1e"


def table_rows(rows: Sequence[Sequence[str]]) -> SafeString:
    """Rows of a table twin, joined here: a template loop over a month of hours takes longer than the chart itself."""
    text = escape(_ROW.join(map(_CELL.join, rows)))
    inner = text.replace(_CELL, "</td><td>").replace(_ROW, "</td></tr><tr><td>")
    return mark_safe(f"<tr><td>{inner}</td></tr>" if rows else "")  # noqa: S308 - escaped as a whole


@register.inclusion_tag("dashboard/_heat.html")
def heat_table(points: HeatPoints) -> dict[str, object]:
    """The heat table feature × bin as a real table."""
    return {
        "title": heat.heat_title(points),
        "heads": heat.heat_heads(points),
        "rows": heat.heat_table(points),
        "metric": points.metric,
        "limit": words.metric_value(points.limit, points.metric),
        "most": f"{words.metric_value(points.limit * 20, points.metric)}+",
    }


@register.filter
def advice(kind: str) -> str:
    """What can be done about a source that fails with an error of that kind."""
    return advising.advice(kind or "")


@register.filter
def error_words(kind: str) -> str:
    """The kind of an error in two or three words."""
    return advising.kind_words(kind or "")
