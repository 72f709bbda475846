"""A report as one HTML page that asks nobody for anything: styles, icons and charts are all inside."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.module_loading import import_string
from django.utils.safestring import SafeString, mark_safe

from deployments.reporting.facts import Facts, Series
from metrics.health import Status

TEMPLATE = "reports/health.html"
WORST_FIRST = sorted(Status, key=lambda status: -status.severity)
THEMES = ("light", "dark")


@dataclass(frozen=True)
class Picture:
    """A chart in each theme, and its numbers for those who cannot see it."""

    series: Series
    drawn: Mapping[str, SafeString]
    rows: Sequence[tuple[datetime, str]]


def render(name: str, facts: Sequence[Facts], now: datetime, days: int) -> str:
    """The page, the worst deployment first."""
    ordered = sorted(facts, key=lambda one: (_rank(one), one.label))
    context = {
        "name": name,
        "now": now,
        "days": days,
        "deployments": [(one, _rank(one), [picture(series) for series in one.series]) for one in ordered],
        "palette": _call("palette") or {},
        "public_url": settings.PUBLIC_URL,
        "failing": sum(any(j.status == Status.FAILING for j in one.judged) for one in facts),
    }
    return render_to_string(TEMPLATE, context)


def picture(series: Series) -> Picture:
    """A series drawn; without a drawer only its numbers."""
    plain = {
        "title": series.title,
        "metric": series.metric,
        "starts": tuple(series.starts),
        "values": tuple(series.values),
        "baseline": series.baseline,
        "limit": series.limit,
        "is_rate": series.is_rate,
        "bars": series.bars,
    }
    drawn = {theme: _call("draw", theme, plain) for theme in THEMES}
    rows = [(start, said(series, value)) for start, value in zip(series.starts, series.values, strict=True)]
    # the drawing is our own and escapes every text in it
    return Picture(series, {theme: mark_safe(svg) for theme, svg in drawn.items() if svg}, rows)  # noqa: S308


def said(series: Series, value: float | None) -> str:
    """A value in words."""
    if value is None:
        return "–"
    return f"{value:.2%}" if series.is_rate else f"{value:,.0f}" if series.bars else f"{value:.4g}"


def _rank(facts: Facts) -> int:
    statuses = {one.status for one in facts.judged}
    return next((place for place, status in enumerate(WORST_FIRST) if status.value in statuses), len(WORST_FIRST))


def _call(name: str, *args: Any) -> Any:
    """A function of the module that REPORT_CHARTS names; None without one."""
    module = getattr(settings, "REPORT_CHARTS", "")
    if not module:
        return None
    drawer: Callable[..., Any] = import_string(f"{module}.{name}")
    return drawer(*args)
