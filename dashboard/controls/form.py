"""One section of settings as a form: its fields with present and wanted values, read from what was posted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict

from monitoring.configuration.edits import Edit, Payload, edits
from monitoring.configuration.fields import OPERATORS, Field, Path, Section, Shape
from monitoring.configuration.values import Known, Wrong, checked, plain, same, unknown_names, value_at, words

#: Empty rows for further conditions.
SPARE = 2


@dataclass(frozen=True)
class Entry:
    """One field as shown. `value` is what stands in the input: what was typed, where that is no value yet."""

    field: Field
    present: Any
    value: Any
    known: Known
    problem: str = ""

    @property
    def id(self) -> str:
        return "f-" + self.field.name.replace(".", "-")

    @property
    def shape(self) -> str:
        return self.field.shape.value

    @property
    def text(self) -> str:
        if self.field.shape is Shape.PERCENTILES and isinstance(self.value, list):
            return ", ".join(map(str, self.value))
        return plain(self.value)

    @property
    def was(self) -> str:
        """The present value in words; "" where nothing is changed."""
        return "" if same(self.present, self.value) else words(self.field, self.present, self.known)

    @property
    def present_text(self) -> str:
        """The present value as it stands in the input, for the script that marks changes."""
        if self.field.shape is Shape.SWITCH:
            return "on" if self.present else ""
        if self.field.shape is Shape.PERCENTILES and isinstance(self.present, list):
            return ", ".join(map(str, self.present))
        return plain(self.present)

    @property
    def present_words(self) -> str:
        return words(self.field, self.present, self.known)

    @property
    def value_words(self) -> str:
        return words(self.field, self.value, self.known)

    @property
    def options(self) -> tuple[tuple[str, str], ...]:
        """What can be chosen; a present value that is no choice of ours stays one."""
        found = self.field.choices
        if self.field.path == ("accuracy", "metric") and self.known.accuracy_metrics:
            found = tuple((name, name) for name in self.known.accuracy_metrics)
        text = plain(self.present)
        return found if text in dict(found) or not text else ((text, text), *found)

    @property
    def names(self) -> list[str]:
        """The chosen names, and after them those that were just taken out, so that they can be put back."""
        chosen = self.value if isinstance(self.value, list) else []
        before = self.present if isinstance(self.present, list) else []
        return [*map(str, chosen), *(str(one) for one in before if one not in chosen)]

    @property
    def chosen(self) -> list[str]:
        return [str(one) for one in self.value] if isinstance(self.value, list) else []

    @property
    def suggestions(self) -> tuple[str, ...]:
        return self.known.names(self.field)

    @property
    def conditions(self) -> list[dict[str, Any]]:
        rows = [one for one in self.value if isinstance(one, Mapping)] if isinstance(self.value, list) else []
        shown = [{**one, "threshold": plain(one.get("threshold"))} for one in rows]
        return [*shown, *({} for _ in range(SPARE))]

    @property
    def operators(self) -> tuple[tuple[str, str], ...]:
        return OPERATORS

    @property
    def lower(self) -> str:
        return plain(self.value.get("lower")) if isinstance(self.value, Mapping) else ""

    @property
    def upper(self) -> str:
        return plain(self.value.get("upper")) if isinstance(self.value, Mapping) else ""


@dataclass(frozen=True)
class SectionForm:
    """A section with what was posted. `edits` are against what the source showed last; `seen`: what it showed then."""

    section: Section
    present: Payload
    seen: Payload
    entries: tuple[Entry, ...]
    edits: tuple[Edit, ...] = field(default=())

    @property
    def problems(self) -> dict[str, str]:
        return {entry.field.name: entry.problem for entry in self.entries if entry.problem}

    @property
    def shown(self) -> Payload:
        """What the fields of the section were filled from."""
        tops = dict.fromkeys(field.path[0] for field in self.section.fields)
        return {name: self.seen[name] for name in tops if name in self.seen}

    @property
    def moved(self) -> tuple[Edit, ...]:
        """What was changed at the source since the person opened the form."""
        return edits(
            self.section.fields,
            self.seen,
            {field.path: value_at(self.present, field.path) for field in self.section.fields},
        )


def section_form(
    section: Section,
    present: Payload,
    known: Known,
    data: QueryDict | Mapping[str, Any] | None = None,
    seen: Payload | None = None,
) -> SectionForm:
    """The form with the present values; with `data`, with what was posted or proposed over what was `seen`."""
    posted = data if isinstance(data, QueryDict) else QueryDict()
    entries, wanted = [], {}
    for one in section.fields:
        entry = _entry(one, value_at(present, one.path), posted, known)
        entries.append(entry)
        if not entry.problem:
            wanted[one.path] = entry.value
    seen = present if seen is None else seen
    return SectionForm(section, present, seen, tuple(entries), edits(section.fields, present, wanted))


def form_with(section: Section, now: Payload, known: Known, wanted: Mapping[Path, Any]) -> SectionForm:
    """The form with some values filled in: a proposal, or a former value."""
    entries = tuple(
        Entry(one, value_at(now, one.path), wanted.get(one.path, value_at(now, one.path)), known)
        for one in section.fields
    )
    return SectionForm(section, now, now, entries, edits(section.fields, now, wanted))


def _entry(one: Field, present: Any, posted: QueryDict, known: Known) -> Entry:
    given, raw = _raw(one, posted)
    if not given or (isinstance(raw, str) and raw.strip() == plain(present)):
        return Entry(one, present, present, known)
    if isinstance(raw, str):
        raw = raw.strip()
    try:
        value = checked(one, raw, known)
    except Wrong as wrong:
        return Entry(one, present, raw, known, str(wrong))
    if same(present, value):
        return Entry(one, present, present, known)
    strange = unknown_names(one, value, known, present if isinstance(present, list) else ())
    kind = "categorical feature" if one.known == "categorical" else "feature"
    problem = f"Not a {kind} of this model: {', '.join(strange)}." if strange else ""
    return Entry(one, present, value, known, problem)


def _raw(one: Field, posted: QueryDict) -> tuple[bool, Any]:
    """Whether the field was posted at all, and what: a forged post that leaves fields out changes nothing in them."""
    if one.shape is Shape.RANGE:
        ends = {end: posted.get(f"{one.name}.{end}", "").strip() for end in ("lower", "upper")}
        return f"{one.name}.lower" in posted or f"{one.name}.upper" in posted, ends
    if one.name not in posted:
        return False, None
    if one.shape is Shape.SWITCH:
        return True, "on" if "on" in posted.getlist(one.name) else "off"
    if one.shape is Shape.NAMES:
        added = posted.get(f"{one.name}.add", "").split(",")
        return True, [name.strip() for name in (*posted.getlist(one.name), *added) if name.strip()]
    if one.shape is Shape.CONDITIONS:
        return True, _conditions(one, posted)
    return True, posted.get(one.name, "")


def _conditions(one: Field, posted: QueryDict) -> list[dict[str, Any]]:
    """A row without a threshold is none: emptying it takes the condition away."""
    columns = [posted.getlist(f"{one.name}.{part}") for part in ("metricId", "compareOperator", "threshold")]
    rows = zip(*columns, strict=False)
    return [
        {"metricId": metric.strip(), "compareOperator": operator.strip(), "threshold": threshold.strip()}
        for metric, operator, threshold in rows
        if threshold.strip()
    ]
