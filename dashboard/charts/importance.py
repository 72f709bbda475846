"""Importance × drift: which features have left their training range, and whether that matters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dashboard.charts import words
from dashboard.charts.chart import Chart
from dashboard.charts.plot import Dots, Mark, Note, Panel, Plot, Rule, Upright, Zone
from dashboard.charts.scales import Axis, Tick, nice_ticks, text_width, value_axis, with_headroom
from dashboard.charts.spots import Box, free_spots, overlap, spots_around
from dashboard.charts.theme import SEVERITY, css_name

FLOOR = 0.0005
WIDTHS = (280, 420)
"""Labels are placed for a plot on a phone first, then what else fits a wider one; more width only gives more room."""
HEADROOM = 24
_SHAPES = {"failing": "octagon", "warning": "triangle", "passing": "ring"}


@dataclass(frozen=True, slots=True)
class FeatureDot:
    """A feature: ``importance`` 0 to 1, ``score`` its drift, ``status`` what it does to the verdict."""

    name: str
    importance: float
    score: float | None
    status: str = "passing"
    starred: bool = False
    excluded: bool = False
    href: str = ""


@dataclass(frozen=True, slots=True)
class ImportancePoints:
    """``limit`` parts drifted from not, ``importance_limit`` important from less important.

    ``limit`` is None for a measure that is shown and not judged.
    """

    features: tuple[FeatureDot, ...]
    limit: float | None
    importance_limit: float
    metric: str = "PSI"
    log: bool = True
    selected: str = ""
    high_words: str = "drifted and important"
    low_words: str = "drifted, less important"
    height: int = 300


def scored(points: ImportancePoints) -> list[FeatureDot]:
    """The features that have a score, worst first, so that they get their labels first."""
    rank = {status: i for i, status in enumerate(SEVERITY)}
    known = [f for f in points.features if f.score is not None]
    return sorted(known, key=lambda f: (rank.get(f.status, 9), f.excluded, -f.importance))


def axes(points: ImportancePoints) -> tuple[Axis, Axis]:
    """Importance from 0 to 1 and the score; on a log axis scores below a floor stand on it."""
    places = nice_ticks(0, 1, 4)
    x = Axis(-0.03, 1.05, tuple(Tick(v, f"{v:g}", "" if v % 0.5 else f"{v:g}") for v in places))
    scores = [max(f.score or 0.0, FLOOR) if points.log else f.score for f in scored(points)]
    near: list[float] = []
    if points.limit is not None:
        ends = [points.limit * 4, points.limit / 20] if points.log else [points.limit * 1.5]
        near = [points.limit, *ends]
    y = value_axis(scores, include=near, log=points.log, zero=not points.log)
    return x, with_headroom(y, points.height, HEADROOM)


def importance_plot(points: ImportancePoints) -> Plot:
    """Dots in four quadrants, the two upper ones shaded."""
    x, y = axes(points)
    dots = scored(points)
    marks = quadrants(points, x, y)
    if points.selected:
        marks += [halo(f, points) for f in dots if f.name == points.selected]
    if dots:
        marks.append(
            Dots(
                [f.importance for f in dots],
                [height(f, points) for f in dots],
                [css_name("unknown" if f.excluded else f.status) for f in dots],
                ["ring" if f.excluded else _SHAPES.get(f.status, "ring") for f in dots],
                5,
                names=[dot_words(f, points) for f in dots],
            )
        )
    marks += labels(dots, points, x, y)
    panel = Panel(y, points.height, tuple(marks))
    clicks = tuple(f.href for f in dots) if any(f.href for f in dots) else ()
    return Plot(
        x,
        (panel,),
        left=44,
        right=16,
        bottom=42,
        x_title="importance (most important feature = 1)",
        hover="closest",
        clicks=clicks,
    )


def quadrants(points: ImportancePoints, x: Axis, y: Axis) -> list[Mark]:
    """The limit and the two shaded quadrants above it; without a limit the line of importance alone."""
    across = Upright(points.importance_limit, f"importance {points.importance_limit:g}", token="text3", text_y=y.lo)
    if points.limit is None:
        return [across]
    told = f"limit {words.metric_value(points.limit, points.metric)}"
    return [
        Zone(points.limit, y.hi, "warning-soft", 0.6, x.lo, points.importance_limit),
        Zone(points.limit, y.hi, "failing-soft", 0.6, points.importance_limit, x.hi),
        Rule(points.limit, "failing", width=1),
        across,
        Note(x.hi, points.limit, told, "failing-text", "end", -5, -5),
        Note(x.lo, y.hi, points.low_words, "warning-text", dx=8, dy=14),
        Note(x.hi, y.hi, points.high_words, "failing-text", "end", -8, 14),
    ]


def halo(feature: FeatureDot, points: ImportancePoints) -> Dots:
    """The ring around the chosen feature."""
    return Dots(
        [feature.importance], [height(feature, points)], ("text1",), ("ring",), 9.5, names=[dot_words(feature, points)]
    )


def height(feature: FeatureDot, points: ImportancePoints) -> float:
    """Where a feature stands: scores below the floor of a log axis stand on it."""
    score = feature.score or 0.0
    return max(score, FLOOR) if points.log else score


def dot_words(feature: FeatureDot, points: ImportancePoints) -> str:
    """``pressure: PSI 3.43, importance 0.55``, with what is special about it."""
    special = (", starred" if feature.starred else "") + (", left out of the verdict" if feature.excluded else "")
    score = words.metric_value(feature.score, points.metric)
    return f"{feature.name}: {points.metric} {score}, importance {words.number(feature.importance, 2)}{special}"


def labels(dots: Sequence[FeatureDot], points: ImportancePoints, x: Axis, y: Axis) -> list[Mark]:
    """Names beside their dots where they fit; a name that would cover something is left to the hover."""
    narrow, wide = WIDTHS
    made = placed(dots, points, x, y, narrow, {})
    more = placed(dots, points, x, y, wide, made)
    return [*made.values(), *(replace(note, wide=True) for name, note in more.items() if name not in made)]


def placed(
    dots: Sequence[FeatureDot], points: ImportancePoints, x: Axis, y: Axis, width: float, fixed: dict[str, Note]
) -> dict[str, Note]:
    """Labels by feature for a plot of ``width`` px; those in ``fixed`` stay where they are."""
    px = {f.name: (x.share(f.importance) * width, (1 - y.share(height(f, points))) * points.height) for f in dots}
    line = -1e3 if points.limit is None else (1 - y.share(points.limit)) * points.height
    taken: list[Box] = [(a - 7, b - 7, a + 7, b + 7) for a, b in px.values()]
    taken += [(0, 0, width, 18), (width - 62, line - 16, width, line)]
    taken += [fixed_box(note, *px[name]) for name, note in fixed.items()]
    wanted = [feature for feature in dots if feature.name not in fixed]
    texts = [label_words(feature, points) for feature in wanted]
    sizes = [text_width(" ".join(text), 11.5) for text in texts]
    spots = [spots_around(px[feature.name], size) for feature, size in zip(wanted, sizes, strict=True)]
    free, quiet = free_spots(spots, taken, line, width, points.height)
    made: dict[str, Note] = {}
    own: list[Box] = []
    for i, (feature, (name, strong)) in enumerate(zip(wanted, texts, strict=True)):
        open_ones = (at for at in (*quiet[i], *free[i]) if not any(overlap(spots[i][at][3], other) for other in own))
        if (at := next(open_ones, None)) is not None:
            anchor, dx, dy, box = spots[i][at]
            own.append(box)
            token = "text1" if strong else "text2"
            made[feature.name] = Note(feature.importance, height(feature, points), name, token, anchor, dx, dy, strong)
    return made


def label_words(feature: FeatureDot, points: ImportancePoints) -> tuple[str, str]:
    """The name of a feature, and its score where it is beyond the limit."""
    loud = feature.status in ("failing", "warning") and not feature.excluded
    name = ("★ " if feature.starred else "") + words.shortened(feature.name, 24)
    return name, words.metric_value(feature.score, points.metric) if loud else ""


def fixed_box(note: Note, a: float, b: float) -> Box:
    """The ground of a label that stands already."""
    wide = text_width(f"{note.words} {note.strong}", 11.5)
    left = a + note.dx - (wide if note.anchor == "end" else 0)
    return left, b + note.dy - 11, left + wide, b + note.dy + 3


def importance_title(points: ImportancePoints) -> str:
    """How many important and how many other features are beyond the limit, and the worst by name."""
    if not scored(points):
        return "No feature has a drift score yet"
    if points.limit is None:
        top = max(scored(points), key=lambda f: f.score or 0.0)
        score = words.metric_value(top.score, points.metric)
        return words.shortened(f"{top.name} has the highest {points.metric}, {score}", 80)
    limit_value = points.limit
    beyond = [f for f in scored(points) if (f.score or 0) > limit_value and not f.excluded]
    if not beyond:
        limit = words.metric_value(points.limit, points.metric)
        return f"All {len(scored(points))} features stayed within {points.metric} {limit}"
    high = [f for f in beyond if f.importance >= points.importance_limit]
    told = words.listed([f.name for f in (high or beyond)], 3)
    kind = "important" if high else "less important"
    count = len(high or beyond)
    verb = "has" if count == 1 else "have"
    text = f"{told} {verb} drifted: {count} {kind} of {words.count(len(points.features), 'feature')}"
    return text if len(text) <= 80 else f"{words.count(count, f'{kind} feature')} of {len(points.features)} drifted"


def importance_summary(points: ImportancePoints) -> str:
    """Title and the five worst features with their scores."""
    worst = sorted(scored(points), key=lambda f: -(f.score or 0))[:5]
    return f"{importance_title(points)}. " + "; ".join(dot_words(f, points) for f in worst)


def importance_columns(points: ImportancePoints) -> tuple[str, ...]:
    """The heads of the table twin."""
    return ("Feature", "Importance", points.metric, "Status", "Starred", "Left out")


def importance_rows(points: ImportancePoints) -> list[tuple[str, ...]]:
    """One row a feature, those without a score too."""
    return [
        (
            f.name,
            f"{words.rounded(f.importance)}",
            "" if f.score is None else f"{words.rounded(f.score, 6)}",
            f.status,
            "yes" if f.starred else "",
            "yes" if f.excluded else "",
        )
        for f in points.features
    ]


IMPORTANCE: Chart[ImportancePoints] = Chart(
    importance_plot, importance_title, importance_summary, importance_columns, importance_rows
)
