"""The one bar, as links: each choice is the address of the same tab seen otherwise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from dashboard.charts import words
from dashboard.filters import BATCH_COUNTS, Bin, Preset, Segment, View, too_many
from dashboard.tabs.subject import ACCURACY, DRIFT, SERVICE, Subject

MOST_VALUES = 100
Href = Callable[..., str]


@dataclass(frozen=True)
class Option:
    """One entry of a menu."""

    words: str
    href: str
    chosen: bool = False
    detail: str = ""


@dataclass(frozen=True)
class Bar:
    """Everything the bar shows. A control that the page cannot use stays, with the reason."""

    model: str
    models: tuple[Option, ...]
    segment: str
    attributes: tuple[Option, ...]
    values: tuple[Option, ...]
    range: str
    range_detail: str
    presets: tuple[Option, ...]
    start: str
    end: str
    bin: str
    auto: bool
    bins: tuple[Option, ...]
    by_batch: bool
    time_href: str
    batch_href: str
    reason: str
    batches: str
    batch_counts: tuple[Option, ...]
    as_of: str
    as_of_value: str
    now_href: str
    marks: bool
    marks_href: str
    kept: tuple[tuple[str, str], ...]
    zone: str


def bar(subject: Subject, tab: str, extra: Mapping[str, str]) -> Bar:
    """The bar of a tab. `extra` are parameters of the tab itself: they survive a change in the bar."""
    view = subject.view

    def href(**changes: object) -> str:
        base = subject.url(tab, **changes)
        more = urlencode(extra)
        return base + (("&" if "?" in base else "?") + more if more else "")

    zone = subject.reader.zone
    enabled = subject.watched.batch_monitoring
    on_batches = enabled or tab == "batches"
    return Bar(
        model=words.shortened(subject.model_name(view.model) if view.model else _champion(subject), 22),
        models=_models(subject, href),
        segment=f"{view.segment.attribute} {view.segment.value or 'missing'}" if view.segment else "All rows",
        attributes=_attributes(subject, href),
        values=_values(subject, href),
        range=f"Last {view.preset.words}" if view.preset else "",
        range_detail=subject.range_words if view.preset or view.end - view.start >= 2 * _DAY else _hours(view),
        presets=tuple(Option(f"Last {p.words}", href(preset=p), view.preset is p) for p in Preset),
        start=view.start.astimezone(zone).strftime("%Y-%m-%dT%H:%M"),
        end=view.end.astimezone(zone).strftime("%Y-%m-%dT%H:%M"),
        bin=view.bucket_words,
        auto=view.bin is Bin.AUTO,
        bins=tuple(Option(_bin_words(b), href(bin=b), view.bin is b) for b in Bin if _fits(view, b)),
        by_batch=on_batches,
        time_href="" if enabled else href(),
        batch_href=href() if enabled else "",
        reason=_axis_reason(subject),
        batches=f"Last {view.batches} batches",
        batch_counts=tuple(Option(f"Last {n} batches", href(batches=n), view.batches == n) for n in BATCH_COUNTS),
        as_of=words.stamp(view.as_of, zone, subject.now) if view.as_of else "",
        as_of_value=(view.as_of or subject.now).astimezone(zone).strftime("%Y-%m-%dT%H:%M"),
        now_href=href(as_of=None),
        marks=view.marks,
        marks_href=href(marks=not view.marks),
        kept=_kept(view, extra),
        zone=subject.reader.zone_words,
    )


def _axis_reason(subject: Subject) -> str:
    if subject.watched.batch_monitoring:
        return "This deployment is watched by batch: its source keeps no time axis for it"
    return "Batch monitoring is not switched on at the source for this deployment"


def _champion(subject: Subject) -> str:
    return subject.watched.model_name or "champion"


def _models(subject: Subject, href: Href) -> tuple[Option, ...]:
    found = [Option(_champion(subject), href(model=""), not subject.view.model, "champion")]
    seen = {subject.watched.model_id}
    for model in reversed(subject.models):
        if model.model_id not in seen:
            seen.add(model.model_id)
            until = f"until {words.day(model.until)}" if model.until else "former"
            chosen = subject.view.model == model.model_id
            found.append(Option(subject.model_name(model.model_id), href(model=model.model_id), chosen, until))
    return tuple(found)


def _attributes(subject: Subject, href: Href) -> tuple[Option, ...]:
    """`All rows`, then every attribute of any kind of monitoring; choosing one asks for its values."""
    kinds = {kind: subject.attributes(kind) for kind in (DRIFT, ACCURACY, SERVICE)}
    names = list(dict.fromkeys(name for found in kinds.values() for name in found))
    chosen = subject.view.segment.attribute if subject.view.segment else ""
    options = [Option("All rows", href(segment=None), not chosen)]
    for name in names:
        only = "service only" if name in kinds[SERVICE] and name not in kinds[DRIFT] + kinds[ACCURACY] else ""
        options.append(Option(name, href(segment=Segment(name, "")), name == chosen, only))
    return tuple(options)


def _values(subject: Subject, href: Href) -> tuple[Option, ...]:
    chosen = subject.view.segment
    if chosen is None:
        return ()
    known = [value for value in subject.segment_values if value]
    return tuple(
        Option(value or "missing", href(segment=Segment(chosen.attribute, value)), value == chosen.value)
        for value in ["", *known[:MOST_VALUES]]
    )


def _fits(view: View, size: Bin) -> bool:
    bucket = size.size
    if bucket is None:
        return True
    return not too_many(view.start, view.end, bucket) and bucket.after(view.start) <= view.end


def _bin_words(size: Bin) -> str:
    return {Bin.AUTO: "Automatic", Bin.HOUR: "1\u202fhour", Bin.DAY: "1\u202fday (UTC)", Bin.WEEK: "7\u202fdays"}[size]


def _kept(view: View, extra: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Hidden fields of the forms in the bar: everything but what the form itself sets."""
    pairs = [("model", view.model), ("segment", view.segment.text if view.segment else "")]
    pairs += [("bin", "" if view.bin is Bin.AUTO else view.bin.value), *extra.items()]
    pairs.append(("marks", "" if view.marks else "off"))
    return tuple((name, value) for name, value in pairs if value)


def _hours(view: View) -> str:
    return f"{words.day(view.start)} {words.clock(view.start)} – {words.day(view.end)} {words.clock(view.end)} UTC"


_DAY = Preset.DAY.length
