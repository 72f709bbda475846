"""The heat table feature × bin: cells for a real HTML table, not a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from dashboard.charts import words
from dashboard.charts.theme import heat_token

Values = Sequence[float | None]


@dataclass(frozen=True, slots=True)
class HeatFeature:
    """A feature, its importance (0 to 1), its score now and one score a bin."""

    name: str
    importance: float
    now: float | None
    scores: Values
    status: str = "passing"
    href: str = ""


@dataclass(frozen=True, slots=True)
class HeatPoints:
    """``untracked`` bins come before the first measurement; ``replaced`` is the bin of a model replacement.

    ``unfinished`` bins are not over yet: a few rows drift by chance, so they are striped and no part of the finding.
    """

    start: datetime
    step: timedelta
    features: tuple[HeatFeature, ...]
    limit: float
    metric: str = "PSI"
    untracked: int = 0
    replaced: int | None = None
    unfinished: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class HeatCell:
    """``css`` is the class of the cell; ``words`` what hover and screen reader say."""

    css: str
    words: str
    head: str


@dataclass(frozen=True, slots=True)
class HeatRow:
    """One feature of the table."""

    feature: HeatFeature
    score: str
    bar: int
    cells: tuple[HeatCell, ...]


def heat_heads(points: HeatPoints) -> list[str]:
    """A date over every seventh day (or bin), over hours the time, empty in between."""
    n = max((len(f.scores) for f in points.features), default=0)
    every = 7 if n > 10 else 1
    starts = [points.start + points.step * i for i in range(n)]
    name = words.clock if points.step < timedelta(days=1) else partial(words.day, weekday=False)
    return [name(at) if i % every == 0 else "" for i, at in enumerate(starts)]


def heat_table(points: HeatPoints) -> list[HeatRow]:
    """The rows of the table, in the order given."""
    return [
        HeatRow(
            feature,
            words.metric_value(feature.now, points.metric),
            max(2, round(feature.importance * 42)),
            tuple(_cell(points, feature, i, score) for i, score in enumerate(feature.scores)),
        )
        for feature in points.features
    ]


def _cell(points: HeatPoints, feature: HeatFeature, index: int, score: float | None) -> HeatCell:
    at = points.start + points.step * index
    when = words.day(at) if points.step >= timedelta(days=1) else f"{words.day(at)} {words.clock(at)}"
    edge = " replaced" if index == points.replaced else ""
    if index < points.untracked:
        return HeatCell("heat-untracked" + edge, f"{feature.name}, {when}: not tracked", when)
    if score is None:
        return HeatCell("heat-none" + edge, f"{feature.name}, {when}: no data", when)
    told = f"{feature.name}, {when}: {points.metric} {words.metric_value(score, points.metric)}"
    if index in points.unfinished:
        return HeatCell(heat_token(score, points.limit) + edge + " unfinished", f"{told} so far", when)
    return HeatCell(heat_token(score, points.limit) + edge, told, when)


def _spell(points: HeatPoints, feature: HeatFeature) -> int:
    """In how many bins that are over the feature was beyond the limit."""
    scores = [s for i, s in enumerate(feature.scores) if i not in points.unfinished]
    return sum(1 for score in scores if score is not None and score > points.limit)


def heat_title(points: HeatPoints) -> str:
    """How many features were beyond the limit at some time, and which one longest."""
    spells = {f.name: _spell(points, f) for f in points.features}
    beyond = {name: n for name, n in spells.items() if n}
    if not beyond:
        limit, noun = words.metric_value(points.limit, points.metric), words.bin_noun(points.step)
        return f"No feature was above {points.metric} {limit} {words.within(points.step)} any {noun}"
    name = max(beyond, key=lambda key: beyond[key])
    verb = "was" if len(beyond) == 1 else "were"
    longest = f"{words.within(points.step)} {words.count(beyond[name], words.bin_noun(points.step))}"
    return words.shortened(
        f"{len(beyond)} of {words.count(len(spells), 'feature')} {verb} above the limit, {name} {longest}", 80
    )


def heat_columns(points: HeatPoints) -> tuple[str, ...]:
    """The heads of the CSV."""
    n = max((len(f.scores) for f in points.features), default=0)
    return (
        "Feature",
        "Importance",
        f"{points.metric} now",
        *(f"{points.start + points.step * i:%Y-%m-%d %H:%M}" for i in range(n)),
    )


def heat_rows(points: HeatPoints) -> list[tuple[str, ...]]:
    """One row a feature."""

    def text(value: float | None) -> str:
        return "" if value is None else f"{words.rounded(value, 6)}"

    return [(f.name, text(f.importance), text(f.now), *(text(s) for s in f.scores)) for f in points.features]
