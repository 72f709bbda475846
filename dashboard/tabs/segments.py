"""Segments: which values of which attribute hurt, worst first, for every measure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.http import QueryDict

from dashboard import examples
from dashboard.charts import words
from dashboard.charts.chart import ChartView
from dashboard.charts.ranked import LEAST_ROWS, RANKED, RankedPoints
from dashboard.charts.ranked import Segment as RankedSegment
from dashboard.examples import Example
from dashboard.filters import Segment
from dashboard.tabs import measures
from dashboard.tabs.measures import Measure, Reading
from dashboard.tabs.parts import Tab, switch
from dashboard.tabs.segment_rows import Row, large, ranked, weakest
from dashboard.tabs.subject import ACCURACY, Subject
from monitoring import questions as q

USUAL_VALUES, ALL_VALUES = 20, 100
"""How many values of an attribute are asked about: at first, and at most."""
MOST_ATTRIBUTES = 6
MOST_ASKED = 400
"""How many questions the button asks at most that fetches every measure."""


@dataclass(frozen=True)
class Worst:
    """The worst segment by one measure, and how many of the segments have an answer."""

    measure: Measure
    href: str
    row: Row | None
    whole: str
    known: int
    of: int
    large: int


@dataclass(frozen=True)
class Choice:
    """What the address asks for. `attribute` "" is all of them."""

    measure: Measure
    attribute: str
    most: int
    every: bool


def build(subject: Subject, query: QueryDict) -> Tab:
    """The ranking of the chosen measure, the worst by every measure, and the whole table."""
    subject.shelf.read(_first(subject))
    known = measures.offered(subject)
    if not known:
        return Tab("dashboard/tab_segments.html", more={"off": _off(subject), "example": _example(subject)})
    chosen = _choice(subject, known, query)
    segments = listed(subject, chosen.measure, chosen.attribute, chosen.most)
    subject.shelf.read([chosen.measure.question(subject, one) for one in (None, *segments)])
    table = _all_measures(subject, known, chosen)
    rows = ranked(subject, chosen.measure, segments, chosen.attribute)
    found = {"main": _chart(subject, chosen, rows)}
    return Tab("dashboard/tab_segments.html", found, more=_more(subject, known, chosen, rows, table))


def _first(subject: Subject) -> list[q.Question]:
    """The values of every attribute; by batch also which one is the newest."""
    asked = [q.segment_values(name) for name in attributes(subject)]
    asked += [q.batches()] if subject.watched.batch_monitoring else []
    drift = q.feature_drift(subject.judged, model_id=subject.model_id)
    return [*asked, q.features() if subject.watched.batch_monitoring else drift]


def attributes(subject: Subject, kind: str = "") -> list[str]:
    """The attributes of one kind of monitoring, or of all, the first few."""
    kinds = [kind] if kind else list(measures.WORDS)
    return list(dict.fromkeys(name for one in kinds for name in subject.attributes(one)))[:MOST_ATTRIBUTES]


def _choice(subject: Subject, known: dict[str, Measure], query: QueryDict) -> Choice:
    measure = known.get(query.get("by", "")) or next(iter(known.values()))
    names, bar = attributes(subject, measure.kind), subject.view.segment
    wanted = query.get("attribute") or (bar.attribute if bar and "attribute" not in query else "")
    return Choice(
        measure,
        wanted if wanted in names else "",
        ALL_VALUES if query.get("values") == "all" else USUAL_VALUES,
        bool(query.get("every")),
    )


def values(subject: Subject, attribute: str) -> list[str]:
    """The values of an attribute as the source lists them; "" stands for missing."""
    rows = subject.shelf.entries(q.segment_values(attribute))
    return [row["value"] for row in rows if isinstance(row.get("value"), str)]


def listed(subject: Subject, measure: Measure, attribute: str, most: int) -> list[Segment]:
    """The segments that are asked about."""
    names = [attribute] if attribute else attributes(subject, measure.kind)
    return [Segment(name, value) for name in names for value in values(subject, name)[:most]]


# --- The chart and the table over all measures --------------------------------------------------------------------


def _chart(subject: Subject, chosen: Choice, rows: Sequence[Row]) -> ChartView:
    measure, whole = chosen.measure, chosen.measure.reading(subject, None) or Reading()
    points = RankedPoints(
        tuple(_mark(row) for row in rows),
        measure.word,
        noun=chosen.attribute or "segment",
        baseline=whole.value,
        better=measure.better or -1,
        unit=measure.unit,
        rows=measure.rows,
        zero=measure.kind != ACCURACY,
    )
    tone = next((row.status for row in rows if row.status), "") if measure.better else ""
    span = "newest batch" if subject.watched.batch_monitoring else subject.range_words
    line = f"Dashed: all rows, {measure.text(whole.value)}. " if whole.value is not None else ""
    spread = "Whiskers: 95 % interval. " if any(row.interval for row in rows) else ""
    return RANKED.view(
        "segments-main",
        points,
        title=_title(subject, chosen, rows, whole),
        caption=f"{measure.word} by {chosen.attribute or 'every attribute'}, {span}; {measure.rows}s at the right",
        status=tone,
        term=measure.metric or measure.word,
        foot=f"{line}{spread}{_hidden(rows, measure)}",
        api_url=subject.api_url(measure.question(subject, rows[0].segment if rows else None)),
        csv_url=subject.csv_url("segments", "main", _pairs(chosen)),
    )


def _mark(row: Row) -> RankedSegment:
    found = row.reading or Reading()
    return RankedSegment(row.label, found.value, found.n, found.low, found.high, row.status or "passing", row.href)


def _title(subject: Subject, chosen: Choice, rows: Sequence[Row], whole: Reading) -> str:
    """The worst segment against all rows."""
    measure, known = chosen.measure, large(rows)
    noun = chosen.attribute or "segment"
    if not known:
        if any(row.reading is None for row in rows) and subject.view.as_of is None:
            return f"{measure.word} by {noun} is on its way"
        return f"No {noun} has {LEAST_ROWS} {measure.rows}s in this range"
    if not measure.better:
        return f"{words.shortened(known[0].name, 40)} has the most: {known[0].value}"
    worst = weakest(measure, known)
    if worst is None:
        return f"No {noun} is worse than all rows together"
    over = f", {measure.text(whole.value)} over all rows" if whole.value is not None else ""
    verb = "is the weakest" if worst.clear or not worst.note else "looks weakest, within chance"
    return f"{words.shortened(worst.name, 30)} {verb}{'' if 'chance' in verb else f' {noun}'}: {worst.value}{over}"


def _hidden(rows: Sequence[Row], measure: Measure) -> str:
    small = sum(1 for row in rows if row.is_small)
    return f"{small} under {LEAST_ROWS} {measure.rows}s hidden." if small else ""


def _all_measures(subject: Subject, known: dict[str, Measure], chosen: Choice) -> list[Worst]:
    """The worst by each leading measure, from what is stored; with `every` what is not is asked for."""
    pairs = [
        (one, listed(subject, one, _kept(subject, one, chosen), chosen.most))
        for one in measures.leading(subject, known)
    ]
    asked = [one.question(subject, segment) for one, found in pairs for segment in (None, *found)]
    if chosen.every:
        subject.shelf.read(asked[:MOST_ASKED])
    subject.shelf.peek(asked)
    return [_worst(subject, one, found, chosen) for one, found in pairs if found]


def _kept(subject: Subject, measure: Measure, chosen: Choice) -> str:
    """The chosen attribute, where this kind of monitoring is kept by it; else all."""
    return chosen.attribute if chosen.attribute in attributes(subject, measure.kind) else ""


def _worst(subject: Subject, measure: Measure, segments: Sequence[Segment], chosen: Choice) -> Worst:
    rows = ranked(subject, measure, segments, _kept(subject, measure, chosen))
    whole = measure.reading(subject, None)
    return Worst(
        measure,
        address(subject, replace(chosen, measure=measure, every=False)),
        weakest(measure, large(rows)),
        measure.text(whole.value if whole else None),
        sum(row.reading is not None for row in rows),
        len(rows),
        len(large(rows)),
    )


# --- Addresses and words ------------------------------------------------------------------------------------------


def _pairs(chosen: Choice, **changes: str) -> str:
    found = {
        "by": chosen.measure.key,
        "attribute": chosen.attribute,
        "values": "all" if chosen.most > USUAL_VALUES else "",
    }
    return urlencode({name: value for name, value in (found | changes).items() if value or name == "attribute"})


def address(subject: Subject, chosen: Choice, **changes: str) -> str:
    """The tab with another choice."""
    return f"{subject.url('segments')}{'&' if subject.query else '?'}{_pairs(chosen, **changes)}"


def _more(
    subject: Subject, known: dict[str, Measure], chosen: Choice, rows: Sequence[Row], table: Sequence[Worst]
) -> dict[str, object]:
    counts = {name: len(values(subject, name)) for name in attributes(subject, chosen.measure.kind)}
    asked = {chosen.attribute} if chosen.attribute else set(counts)
    cut = [
        f"{min(chosen.most, n)} of {n} values of {name}"
        for name, n in counts.items()
        if name in asked and n > chosen.most
    ]
    lacking = sum(one.of - one.known for one in table)
    return {
        "rows": rows,
        "measure": chosen.measure,
        "attribute": chosen.attribute,
        "table": table,
        "cut": words.listed(cut),
        "all_href": address(subject, chosen, values="all") if cut and chosen.most < ALL_VALUES else "",
        "lacking": lacking if not chosen.every else 0,
        "every_href": address(subject, chosen, every="1"),
        "measure_switch": _measure_switch(subject, known, chosen),
        "attribute_switch": _attribute_switch(subject, counts, chosen),
        "whole": chosen.measure.text((chosen.measure.reading(subject, None) or Reading()).value),
        "labelled": chosen.measure.kind == ACCURACY,
    }


def _measure_switch(subject: Subject, known: dict[str, Measure], chosen: Choice) -> str:
    first = measures.leading(subject, known)[:4]
    first = first if chosen.measure in first else [*first[:3], chosen.measure]

    def option(one: Measure) -> tuple[str, str, bool]:
        return one.word, address(subject, replace(chosen, measure=one)), one.key == chosen.measure.key

    return switch("Measure", [option(one) for one in first], [option(one) for one in known.values()])


def _attribute_switch(subject: Subject, counts: dict[str, int], chosen: Choice) -> str:
    options = [("Every attribute", address(subject, replace(chosen, attribute="")), not chosen.attribute)]
    options += [(name, address(subject, replace(chosen, attribute=name)), name == chosen.attribute) for name in counts]
    return switch("Attribute", options)


def _off(subject: Subject) -> str:
    """What would be here, and why it is not."""
    analysis = subject.settings.segment_analysis
    off = analysis is not None and analysis.enabled is False
    why = "Segment analysis is switched off at the source" if off else "The source tells no attribute to segment by"
    return f"Here stand the values of an attribute, worst first, by every measure. {why}; it counts from then on only."


def _example(subject: Subject) -> Example:
    """How to switch it on."""
    wanted = {"enabled": True, "attributes": ["ATTRIBUTE"]}
    label = "Follow the segments of a categorical column, in place of ATTRIBUTE"
    return examples.settings(subject.watched, label, segmentAnalysis=wanted)
