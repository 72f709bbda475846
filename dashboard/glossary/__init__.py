"""The glossary: every metric, status and word of the pages, explained once. Pure data and look-ups."""

from __future__ import annotations

from dashboard.glossary import accuracy, drift, fairness, others, service, verdicts, watching
from dashboard.glossary.entry import Entry, slug_of, spoken

__all__ = ["ENTRIES", "Entry", "by_group", "find", "slug_of"]

ENTRIES: tuple[Entry, ...] = (
    *verdicts.ENTRIES,
    *service.ENTRIES,
    *drift.ENTRIES,
    *accuracy.ENTRIES,
    *fairness.ENTRIES,
    *others.ENTRIES,
    *watching.ENTRIES,
)


def _index() -> dict[str, Entry]:
    """Names before other labels, so that a word always finds the entry that carries it as its name."""
    found: dict[str, Entry] = {}
    for entry in ENTRIES:
        found.setdefault(spoken(entry.name), entry)
        found.setdefault(entry.slug, entry)
    for entry in ENTRIES:
        for label in entry.also:
            found.setdefault(spoken(label), entry)
    return found


_INDEX = _index()


def find(label: str) -> Entry | None:
    """The entry for a name, an address, an API name or a label as a page shows it; None where there is none."""
    return _INDEX.get(spoken(label)) if label else None


def by_group() -> dict[str, list[Entry]]:
    """All entries under their headings, in the order of the list."""
    found: dict[str, list[Entry]] = {}
    for entry in ENTRIES:
        found.setdefault(entry.group, []).append(entry)
    return found
