"""Segments as rows: each value of an attribute against all rows, worst first, and what chance allows to say."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from urllib.parse import quote

from dashboard.charts import words
from dashboard.charts.ranked import LEAST_ROWS
from dashboard.filters import Segment
from dashboard.tabs import measures
from dashboard.tabs.measures import Measure, Reading
from dashboard.tabs.subject import DRIFT, Subject
from monitoring.models import Status


@dataclass(frozen=True)
class Row:
    """One segment. `difference`: its value less that of all rows. `clear`: worse or better than chance explains."""

    segment: Segment
    name: str
    label: str
    reading: Reading | None
    difference: float | None = None
    clear: bool = False
    tone: str = ""
    status: str = ""
    opened: Callable[[], str] = field(default=str, compare=False)
    value: str = ""
    interval: str = ""
    share: float | None = None
    note: str = ""
    chosen: bool = False

    @property
    def n(self) -> int | None:
        return self.reading.n if self.reading else None

    @property
    def href(self) -> str:
        """Its own page; the address is made for the few rows that show it."""
        return self.opened()

    @property
    def decimals(self) -> int:
        """As many as its value shows: the difference is written alike."""
        shown = re.search(r"\.(\d+)", self.value)
        return len(shown[1]) if shown else 0

    @property
    def is_small(self) -> bool:
        return self.n is not None and self.n < LEAST_ROWS


def ranked(subject: Subject, measure: Measure, segments: Sequence[Segment], attribute: str) -> list[Row]:
    """Large ones worst first, then those with too few rows, then those without an answer."""
    whole = measure.reading(subject, None) or Reading()
    rows = [_row(subject, measure, one, whole, attribute) for one in segments]
    sign = measure.better or -1

    def place(row: Row) -> tuple[int, float, str]:
        value = row.reading.value if row.reading else None
        return (2 if value is None else 1 if row.is_small else 0, sign * (value or 0.0), row.name)

    return sorted(rows, key=place)


def _row(subject: Subject, measure: Measure, segment: Segment, whole: Reading, attribute: str) -> Row:
    found = measure.reading(subject, segment)
    value, opened = segment.value or "missing", partial(opens, subject, measure, segment)
    if attribute:
        row = Row(segment, value, value, found, opened=opened)
    else:
        row = Row(segment, f"{segment.attribute} {value}", f"{value}, {segment.attribute}", found, opened=opened)
    row = replace(row, chosen=subject.view.segment == segment)
    if found is None or found.value is None:
        return replace(row, value=words.NONE, note=_lacking(subject, measure, found))
    difference = None if whole.value is None else found.value - whole.value
    clear = _is_clear(found, whole, difference)
    good = None if not difference or not measure.better else difference * measure.better > 0
    spread = f"{measure.text(found.low)} – {measure.text(found.high)}" if found.low is not None else ""
    if row.is_small:
        return replace(
            row, value=measure.text(found.value), interval=spread, note=f"under {LEAST_ROWS} {measure.rows}s"
        )
    return replace(
        row,
        value=measure.text(found.value),
        interval=spread,
        difference=difference,
        clear=clear,
        tone="" if good is None or not clear else "passing" if good else "failing",
        status=_status(subject, measure, found, whole) if clear and (good is False or measure.kind == DRIFT) else "",
        share=found.n / whole.n if found.n is not None and whole.n else None,
        note=_note(measure, found, difference, clear),
    )


def _is_clear(found: Reading, whole: Reading, difference: float | None) -> bool:
    """Whether chance does not explain the difference: the interval leaves out the value of all rows."""
    if difference is None or whole.value is None:
        return False
    if found.noise is not None and found.value is not None:
        return found.value > found.noise
    if found.low is None or found.high is None:
        return False
    return not found.low <= whole.value <= found.high


def _note(measure: Measure, found: Reading, difference: float | None, clear: bool) -> str:
    if measure.kind == DRIFT:
        return "" if found.noise is None else f"chance alone reaches {measure.text(found.noise)}"
    if found.low is None or difference is None or not measure.better:
        return ""
    return "" if clear else "within chance"


def _lacking(subject: Subject, measure: Measure, found: Reading | None) -> str:
    """Why a segment has no value."""
    if found is None:
        return "not known by then" if subject.view.as_of else "on its way"
    if not found.n:
        return f"no {measure.rows} in the range"
    return "no rows of it in training" if measure.kind == DRIFT else "undefined for these rows"


def _status(subject: Subject, measure: Measure, found: Reading, whole: Reading) -> str:
    """How loud a segment is that is clearly worse than all rows: what the limits say of it alone, else at risk."""
    if found.value is None:
        return ""
    if measure.kind == DRIFT:
        return Status.WARNING.value if found.value > subject.drift_limit else ""
    limits = subject.accuracy_limits(measure.metric, whole.baseline) if measure.metric else ()
    crossed = [one.status for one in limits if (found.value - one.value) * (1 if one.above else -1) > 0]
    return max((Status(one) for one in crossed), key=lambda one: one.severity, default=Status.WARNING).value


def large(rows: Sequence[Row]) -> list[Row]:
    """The segments with a value that enough rows stand behind."""
    return [row for row in rows if row.reading and row.value != words.NONE and not row.is_small]


def weakest(measure: Measure, found: Sequence[Row]) -> Row | None:
    """The worst that chance does not explain, else the worst; None where none is worse than all rows."""
    worse = [row for row in found if row.difference is None or row.difference * (measure.better or -1) < 0]
    return next((row for row in worse if row.clear), worse[0] if worse else None)


def opens(subject: Subject, measure: Measure, segment: Segment) -> str:
    """The page of the measure's kind with this segment in the bar; by batch there is one page."""
    tab = "batches" if subject.watched.batch_monitoring else measures.TABS[measure.kind]
    url = subject.url(tab, segment=segment)
    name, _, value = measure.query.partition("=")
    return f"{url}&{name}={quote(value)}" if value and tab != "batches" else url
