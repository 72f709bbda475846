"""What the demo shows beside its flights: one module an area, added once the first page is up.

Each extra goes through HTTP like everything else, looks first whether it is there already, and may be cut off and run
again. It runs while people already look at the pages, so nothing here keeps the first page waiting.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from demo.extras import answers, challenger, digests, measures, reviews, rows, time_series
from demo.sending import Sender

Say = Callable[[str], None]


@dataclass(frozen=True)
class Extra:
    """One addition: what is said while it runs, and the function that makes it."""

    says: str
    add: Callable[[Sender], None]
    again: bool = False
    """Looked at once more when the whole year is loaded: it waits for what the watcher does meanwhile."""


EXTRAS: tuple[Extra, ...] = (
    Extra("Exporting, reporting, measuring: jobs of the service", rows.add),
    Extra("Measuring the flights: custom metrics and timeliness", measures.add),
    Extra("Training a challenger and replaying it", challenger.add),
    Extra("Answering questions about Python: a model that generates text", answers.add),
    Extra("Forecasting the departures of the next seven days", time_series.add),
    Extra("Holding last week's review and opening this week's", reviews.add, again=True),
    Extra("Asking for a digest a day", digests.add),
)


LABELS = (answers.LABEL, time_series.LABEL)
PACKAGES = (answers.PACKAGE, time_series.MODEL)
"""What extras deploy and register beside the stories, so that it can be taken away again."""


def add_all(sender: Sender, say: Say, extras: Sequence[Extra] = EXTRAS) -> None:
    """Make what is missing, in the order of the list."""
    for extra in extras:
        say(extra.says)
        extra.add(sender)
