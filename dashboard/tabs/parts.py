"""What tabs are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from dashboard.charts import words
from dashboard.charts.chart import ChartView
from dashboard.shelf import number
from monitoring.models import Status


@dataclass(frozen=True)
class Tile:
    """A number with its name; without a value the note says why. `term`: its word in the glossary, if not the label."""

    label: str
    value: str
    unit: str = ""
    note: str = ""
    change: float | None = None
    tone: str = ""
    status: str = ""
    href: str = ""
    term: str = ""


@dataclass(frozen=True)
class Lane:
    """One lane of the overview: words at the left, plot at the right. `term` as for tiles."""

    name: str
    value: str
    unit: str
    note: str
    chart: ChartView
    status: str = ""
    change: float | None = None
    tone: str = ""
    href: str = ""
    term: str = ""


@dataclass(frozen=True)
class Tab:
    """One tab, ready to show: which template, its tiles, charts by name and what else it needs.

    `timeless`: it shows no range of time, so that the bar has nothing to choose.
    """

    template: str
    charts: Mapping[str, ChartView] = field(default_factory=dict)
    tiles: tuple[Tile, ...] = ()
    more: Mapping[str, Any] = field(default_factory=dict)
    timeless: bool = False


def metric_tile(
    name: str, entry: Any, *, status: str = "", judged: bool = False, href: str = "", empty: str = ""
) -> Tile:
    """One accuracy metric against its baseline; percent changes are signed so that more is better."""
    values = entry if isinstance(entry, dict) else {}
    value, baseline, change = number(values), number(values, "baselineValue"), number(values, "percentChange")
    label = f"{name}, judged" if judged else name
    if value is None:
        return Tile(label, words.NONE, note=empty, href=href)
    share = change / 100 if change is not None else None
    tone = {Status.FAILING: "failing", Status.WARNING: "warning"}.get(Status(status), "") if status else ""
    if not tone and share is not None:
        tone = "passing" if share > 0.005 else "failing" if share < -0.1 else ""
    note = f"baseline {words.metric_value(baseline, name)}" if baseline is not None else "no baseline at the source"
    return Tile(label, words.metric_value(value, name), note=note, change=share, tone=tone, status=status, href=href)


def switch(
    name: str, options: Sequence[tuple[str, str, bool]], more: Sequence[tuple[str, str, bool]] = ()
) -> SafeString:
    """The control at the right of a finding: links, the chosen one marked."""
    return mark_safe(render_to_string("dashboard/_switch.html", {"name": name, "options": options, "more": more}))  # noqa: S308 - a template


def switches(*controls: SafeString) -> SafeString:
    """Several controls side by side at the right of a finding."""
    return mark_safe(f'<div class="switches">{"".join(controls)}</div>')  # noqa: S308 - made by templates


def legend(lines: Sequence[tuple[str, str, str]]) -> SafeString:
    """Which line is which, at the right of a finding: (word, colour token, address), for lines whose ends collide."""
    return mark_safe(render_to_string("dashboard/_legend.html", {"lines": lines}))  # noqa: S308 - a template
