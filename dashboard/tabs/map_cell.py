"""One cell of the map: its numbers against those of all rows, and its series.

No source keeps a series by place, so it is put together from the same question about a few shorter windows.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import h3

from dashboard.charts import words
from dashboard.charts.cells import LEAST_ROWS, MapPoints, ground_of
from dashboard.charts.chart import ChartView
from dashboard.charts.lane import LANE
from dashboard.charts.timeline import Limit, Series, TimePoints
from dashboard.shelf import Clock, number
from dashboard.tabs import measures
from dashboard.tabs.map_layers import COUNT, Choice, Json, counted, pairs, rows_of, whole
from dashboard.tabs.parts import Tile
from dashboard.tabs.subject import Subject
from monitoring import questions as q
from monitoring.clock import DAY, HOUR
from monitoring.models import Status
from monitoring.questions import Between, Question

MOST_BINS = 13
STEPS = (3 * HOUR, 6 * HOUR, DAY, 3 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 91 * DAY, 365 * DAY)
EPOCH = datetime(2024, 1, 1, tzinfo=UTC)
"""A Monday: bins of a step always begin at the same moments, so that their answers serve again."""


def clock(subject: Subject) -> Clock:
    """At most MOST_BINS bins over the range of the page."""
    length = subject.view.end - subject.view.start
    step = next((step for step in STEPS if length / step <= MOST_BINS - 1), STEPS[-1])
    start = EPOCH + (subject.view.start - EPOCH) // step * step
    return Clock(start, step, min(MOST_BINS, max(1, -((start - subject.view.end) // step))))


def windows(subject: Subject) -> list[Between]:
    """The bins as windows to ask for; the running one ends with the range."""
    bins = clock(subject)
    return [Between(bins.at(i), min(bins.at(i + 1), subject.view.end)) for i in range(bins.n)]


def asked(subject: Subject, chosen: Choice) -> list[Question]:
    """The layer by bin, and the cell's other numbers over the whole range."""
    series = [chosen.layer.ask(window, chosen.place) for window in windows(subject)]
    return [*series, *_others(subject, chosen)]


def _others(subject: Subject, chosen: Choice) -> list[Question]:
    """The judged metric and the drift of the predictions by cell, and both over all rows."""
    over = [measures.scored(subject, subject.metric), measures.of_target()]
    by_cell = [_score_question(subject, chosen), drift_question(subject, chosen)]
    return [*by_cell, *(measure.question(subject, None) for measure in over)]


def drift_question(subject: Subject, chosen: Choice) -> Question:
    """The drift of the predictions by cell."""
    target, model = subject.watched.target_name, subject.model_id
    return q.feature_drift_over_space(subject.window, chosen.place, target, "psi", model_id=model)


def _score_question(subject: Subject, chosen: Choice) -> Question:
    return q.accuracy_over_space(subject.window, chosen.place, subject.metric, model_id=subject.model_id)


def chart(subject: Subject, chosen: Choice) -> ChartView:
    """The value of the cell by bin; hollow where few rows stand behind it."""
    layer, bins, plain = chosen.layer, clock(subject), chosen.layer.key == COUNT
    read = [_reading(subject, chosen, window) for window in windows(subject)]
    small = frozenset(i for i, (value, n) in enumerate(read) if not plain and value is not None and _is_few(n))
    over = None if plain else whole(subject, chosen).value
    points = TimePoints(
        bins.start,
        bins.step,
        (Series(layer.word, [value for value, _ in read], immature=small, hollow=f"under {LEAST_ROWS} {layer.rows}s"),),
        metric=layer.metric,
        unit=layer.unit,
        caption=layer.word,
        bars=plain,
        zero=plain or layer.is_drift,
        baseline=over,
        baseline_words="" if over is None else f"all rows {layer.text(over)}",
        limits=(Limit(Status.FAILING, subject.drift_limit, above=True),) if layer.is_drift else (),
        changes=subject.changes(),
        unfinished=subject.running,
        height=170,
    )
    known = any(value is not None for value, _ in read)
    return LANE.view(
        "map-cell",
        points,
        title=f"{layer.word} at {place_name(chosen.cell)}" if known else "The series of this cell is on its way",
        caption=f"By {_step_words(bins.step)} (UTC), put together from {words.count(bins.n, 'answer')}",
        foot="" if over is None else f"Dashed: all rows over the range. Hollow: under {LEAST_ROWS} {layer.rows}s.",
        api_url=subject.api_url(layer.ask(windows(subject)[-1], chosen.place)),
        csv_url=subject.csv_url("map", "cell", pairs(chosen)),
        term=layer.term,
    )


def place_name(hexagon: str) -> str:
    """Where a cell lies, in words."""
    ground = ground_of(hexagon)
    return ground.words if ground else hexagon


def _reading(subject: Subject, chosen: Choice, window: Between) -> tuple[float | None, int | None]:
    """The cell in one window. Where the answer has come and lacks the cell, no row was there: a count of zero."""
    question = chosen.layer.ask(window, chosen.place)
    row = of_cell(subject, question, chosen.cell)
    if row is not None:
        return chosen.layer.read(row)
    if chosen.layer.key != COUNT or not subject.shelf.payload(question):
        return None, None
    n = sum(number(one, "rowCount") or 0.0 for one in rows_of(subject, question) if _lies_in(one, chosen.cell))
    return n, round(n)


def _lies_in(row: Json, hexagon: str) -> bool:
    """Whether a cell of a finer answer is a part of the open one: fewer rows may be told by finer cells."""
    name, resolution = str(row.get("hexagon")), h3.get_resolution(hexagon)
    finer = h3.is_valid_cell(name) and h3.get_resolution(name) > resolution
    return bool(finer and h3.cell_to_parent(name, resolution) == hexagon)


def of_cell(subject: Subject, question: Question, hexagon: str, name: str = "buckets") -> Json | None:
    """The part of an answer that is about one cell; None where it has none."""
    found = subject.shelf.payload(question).get(name) if name != "buckets" else rows_of(subject, question)
    rows = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    return next((one for one in rows if one.get("hexagon") == hexagon), None)


def _is_few(n: int | None) -> bool:
    return n is not None and n < LEAST_ROWS


def _step_words(step: timedelta) -> str:
    if step < DAY:
        return f"{step // HOUR} hours"
    return "day" if step == DAY else f"{step // DAY} days"


# --- Numbers ------------------------------------------------------------------------------------------------------


def numbers(subject: Subject, chosen: Choice, points: MapPoints) -> dict[str, Any]:
    """Tiles of the open cell, each against all rows."""
    return {
        "cell_words": place_name(chosen.cell),
        "cell": chosen.cell,
        "cell_tiles": (
            _rows(subject, chosen),
            _layer(chosen, points),
            _score(subject, chosen),
            _drift(subject, chosen),
        ),
    }


def _rows(subject: Subject, chosen: Choice) -> Tile:
    question = counted(subject, chosen)
    row = of_cell(subject, question, chosen.cell)
    rows = number(row, "rowCount") if row else None
    total = sum(number(one, "rowCount") or 0.0 for one in rows_of(subject, question))
    if rows is None:
        return Tile("Predictions here", words.NONE, note="no row here in the range")
    share = f"{words.percent(rows / total)} of {words.number(total, 0)}" if total else ""
    warned = number(row, "predictionsWarningCount") if row else None
    more = f", {words.count(round(warned), 'warning')}" if warned else ""
    return Tile("Predictions here", words.number(rows, 0), note=share + more)


def _layer(chosen: Choice, points: MapPoints) -> Tile:
    cell = next((one for one in points.cells if one.hexagon == chosen.cell), None)
    if cell is None:
        return Tile(chosen.layer.word, words.NONE, note="no row here in the range")
    note = f"all rows {points.text(points.whole)}" if points.whole is not None else ""
    few = f"{cell.n} {chosen.layer.rows}s: too few to judge" if points.is_small(cell) else note
    return Tile(chosen.layer.word, points.text(cell.value), note=few)


def _score(subject: Subject, chosen: Choice) -> Tile:
    """The judged metric here, over all rows, and on the holdout of the same cell."""
    metric, question = subject.metric, _score_question(subject, chosen)
    row, base = of_cell(subject, question, chosen.cell), of_cell(subject, question, chosen.cell, "baselines")
    over = measures.scored(subject, metric).reading(subject, None)
    told = [
        f"{round(n):,} labelled" if row and (n := number(row, "sampleSize")) is not None else "",
        f"all rows {words.metric_value(over.value, metric)}" if over else "",
        f"its holdout {words.metric_value(number(base), metric)}" if base and number(base) is not None else "",
    ]
    return Tile(f"{metric}, judged", words.metric_value(number(row) if row else None, metric), note=_joined(told))


def _drift(subject: Subject, chosen: Choice) -> Tile:
    """How far the predictions here have left those of the holdout here."""
    row = of_cell(subject, drift_question(subject, chosen), chosen.cell)
    over = measures.of_target().reading(subject, None)
    told = [
        f"against {round(n):,} holdout rows" if row and (n := number(row, "baselineSampleSize")) else "",
        f"all rows {words.metric_value(over.value, 'PSI')}" if over else "",
    ]
    score = number(row, "driftScore") if row else None
    return Tile("Drift of predictions", words.metric_value(score, "PSI"), "PSI", _joined(told), term="PSI")


def _joined(parts: list[str]) -> str:
    return "; ".join(part for part in parts if part)
