"""Health strips and sparklines: the two drawings small enough to stand in a table row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from dashboard.charts.theme import CSS, SEVERITY, STATUS_WORDS, Theme, css_name

HEIGHT_SHARE = {
    "passing": 0.28,
    "warning": 0.62,
    "failing": 1.0,
    "unknown": 0.28,
    "not_started": 0.0,
    "unavailable": 0.28,
}
"""Severity is drawn as height."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bin of a strip: its status, words for the reader, and the page that shows it."""

    status: str
    label: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class StripSize:
    bar: float
    gap: float
    height: float


SIZES = {
    "fleet": StripSize(2, 1, 14),
    "phone": StripSize(3, 1, 16),
    "standalone": StripSize(4, 1, 14),
    "backtest": StripSize(13, 2, 30),
    "replay": StripSize(4, 1, 30),
    "wall": StripSize(8, 2, 40),
}


def as_bars(bars: Sequence[Any]) -> tuple[Bar, ...]:
    """Bars from bars, from statuses alone, or from anything with a ``status`` (``None``: nothing tracked that day)."""
    return tuple(
        bar if isinstance(bar, Bar) else Bar(str(getattr(bar, "status", bar) or "not_started")) for bar in bars
    )


def strip_words(bars: Sequence[Any], period: str = "") -> str:
    """The text twin: ``30 d: 23 failing, 0 at risk, 7 not started``; failing and at risk are always named."""
    counts = Counter(str(bar.status) for bar in as_bars(bars))
    named = [s for s in SEVERITY if counts[s] or s in ("failing", "warning")]
    text = ", ".join(f"{counts[s]} {STATUS_WORDS[s].lower()}" for s in named)
    return f"{period or f'{len(bars)} d'}: {text}"


def _bar_path(status: str, x: float, size: StripSize) -> str:
    base, top = size.height, size.height * (1 - HEIGHT_SHARE[status])
    right = x + size.bar
    if status == "not_started":
        return f"M{x:g} {base - 0.5:g}H{right:g}"
    if status == "unavailable":
        return f"M{x:g} {base:g}L{right:g} {top:g}"
    top = round(top)
    if status == "unknown":
        return f"M{x + 0.5:g} {base - 0.5:g}V{top + 0.5:g}H{right - 0.5:g}V{base - 0.5:g}Z"
    return f"M{x:g} {base:g}V{top:g}H{right:g}V{base:g}Z"


_STROKED = {"unknown": 0.9, "not_started": 1.0, "unavailable": 1.1}


def _tall_bars(bars: Sequence[Bar], size: StripSize, theme: Theme) -> str:
    parts = []
    for i, bar in enumerate(bars):
        if bar.href:
            x = i * (size.bar + size.gap)
            title = f"<title>{escape(bar.label)}</title>" if bar.label else ""
            parts.append(
                f'<a href="{escape(bar.href)}"><rect x="{x:g}" y="0" width="{size.bar + size.gap:g}" '
                f'height="{size.height:g}" fill="{theme["surface"]}" fill-opacity="0">{title}</rect></a>'
            )
    return "".join(parts)


def strip_svg(bars: Sequence[Any], size: str = "fleet", theme: Theme = CSS, period: str = "") -> str:
    """One bar a bin, oldest left, bottom-aligned; no bars: an empty string."""
    drawn, form = as_bars(bars), SIZES[size]
    if not drawn:
        return ""
    paths: dict[str, list[str]] = {}
    for i, bar in enumerate(drawn):
        status = str(bar.status)
        paths.setdefault(status, []).append(_bar_path(status, i * (form.bar + form.gap), form))
    body = ""
    for status, parts in paths.items():
        colour = theme[css_name(status)]
        width = _STROKED.get(status)
        paint = f'fill="none" stroke="{colour}" stroke-width="{width}"' if width else f'fill="{colour}"'
        body += f'<path d="{"".join(parts)}" {paint}/>'
    words = escape(strip_words(drawn, period))
    total = len(drawn) * (form.bar + form.gap) - form.gap
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="strip" width="{total:g}" height="{form.height:g}" '
        f'viewBox="0 0 {total:g} {form.height:g}" role="img" aria-label="{words}">'
        f"{body}{_tall_bars(drawn, form, theme)}</svg>"
    )


def spark_segments(values: Sequence[float | None], width: float, height: float, *, zero: bool = True) -> list[str]:
    """Point lists of the joined runs of a sparkline; a missing value parts two runs."""
    known = [v for v in values if v is not None]
    if not known:
        return []
    low, high = (min(0.0, *known) if zero else min(known)), max(known)
    span = (high - low) or 1.0
    step = (width - 5) / max(1, len(values) - 1)
    runs: list[list[str]] = [[]]
    for i, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append(f"{1 + i * step:.1f},{height - 3 - (value - low) / span * (height - 6):.1f}")
    return [" ".join(run) for run in runs if run]


def sparkline_svg(
    values: Sequence[float | None],
    token: str = "text3",
    theme: Theme = CSS,
    *,
    zero: bool = True,
    width: int = 82,
    height: int = 20,
) -> str:
    """82 × 20, 1.25 px, a dot on the last value, gaps kept; nothing known: an empty string.

    It stands beside the number it belongs to and is hidden from screen readers.
    """
    runs = spark_segments(values, width, height, zero=zero)
    if not runs:
        return ""
    colour = theme[token]
    lines = "".join(
        f'<polyline points="{run}"/>' if " " in run else '<circle cx="{}" cy="{}" r=".7"/>'.format(*run.split(","))
        for run in runs
    )
    x, y = runs[-1].split(" ")[-1].split(",")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="spark" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" '
        f'aria-hidden="true"><g fill="none" stroke="{colour}" stroke-width="1.25" stroke-linejoin="round">{lines}</g>'
        f'<circle cx="{x}" cy="{y}" r="2" fill="{colour}"/></svg>'
    )
