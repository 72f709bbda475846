"""The few things that are drawn on charts over time: what may explain a move."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboard.charts import words
from dashboard.charts.flags import LONGEST, Change
from dashboard.story.entries import Entry, Kind, entries, models

if TYPE_CHECKING:
    from dashboard.tabs.subject import Subject

DRAWN = (Kind.MODEL, Kind.SETTINGS, Kind.INCIDENT, Kind.RETRAINING, Kind.NOTE)
"""Verdicts stand in the strips, batches and silences in the list."""
MOST = 60


def changes(subject: Subject) -> tuple[Change, ...]:
    """The marks of the range, oldest first: at most four statements. None where the reader hides them."""
    if not subject.view.marks:
        return ()
    shown = entries(subject, DRAWN)[:MOST]
    return tuple(_mark(entry) for entry in reversed(shown) if entry.word)


def replacements(subject: Subject) -> tuple[Change, ...]:
    """The models that took over within the range; without a statement."""
    found = sorted(models(subject), key=lambda entry: entry.at)
    return tuple(_mark(entry) for entry in found if entry.word)


def _mark(entry: Entry) -> Change:
    detail = entry.fact if entry.kind is not Kind.NOTE or not entry.by else f"{entry.fact} ({entry.by})"
    return Change(entry.at, words.shortened(entry.word, LONGEST), entry.kind.value, entry.status, detail)
