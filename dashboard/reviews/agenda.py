"""The column at the left of a meeting: what is to be discussed, not watched, unchanged; and how far the meeting is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.charts import words
from dashboard.charts.theme import STATUS_WORDS
from monitoring.models import AgendaSection, Review, ReviewItem, Status


@dataclass(frozen=True)
class Row:
    """One deployment of the column."""

    item: ReviewItem
    reason: str
    chosen: bool

    @property
    def verdict(self) -> str:
        return self.item.get_verdict_display() if self.item.verdict else ""


@dataclass(frozen=True)
class Column:
    """The whole column. `place` counts from 1; 0 when no item is chosen."""

    discuss: tuple[Row, ...]
    blind: tuple[Row, ...]
    decided: int
    total: int
    place: int
    before: ReviewItem | None
    after: ReviewItem | None
    calm: str
    calm_statuses: tuple[str, ...]
    missing: int

    @property
    def undecided_blind(self) -> int:
        return sum(1 for row in self.blind if not row.item.verdict)


def column(review: Review, items: Sequence[ReviewItem], chosen: ReviewItem | None) -> Column:
    """The items in their order; `items` are all of the review."""
    rows = [Row(item, _reason(item), chosen is not None and item.pk == chosen.pk) for item in items]
    place = next((i for i, row in enumerate(rows) if row.chosen), -1)
    undecided = sum(1 for item in items if not item.verdict)
    return Column(
        discuss=tuple(row for row in rows if row.item.section == AgendaSection.DISCUSS),
        blind=tuple(row for row in rows if row.item.section == AgendaSection.BLIND),
        decided=len(items) - undecided,
        total=len(items),
        place=place + 1,
        before=items[place - 1] if place > 0 else None,
        after=items[place + 1] if 0 <= place < len(items) - 1 else None,
        calm=calm_words(review),
        calm_statuses=tuple(one["worst"] for one in review.calm[:40]),
        missing=undecided + (0 if review.calm_accepted else len(review.calm)),
    )


def calm_words(review: Review) -> str:
    """`8 unchanged: 6 passing, 1 at risk, 1 unknown`; empty when nothing is calm."""
    if not review.calm:
        return ""
    counts = Counter(Status(one["worst"]) for one in review.calm)
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], -pair[0].severity))
    told = ", ".join(f"{n:,} {STATUS_WORDS[status.value].lower()}" for status, n in ordered)
    return f"{len(review.calm):,} unchanged: {told}"


def headline(items: Sequence[ReviewItem], missing: int) -> str:
    """`3 failing, 3 at risk, 3 without a verdict.`"""
    counts = Counter(item.status for item in items)
    told = [f"{counts[status]:,} {STATUS_WORDS[status.value].lower()}" for status in (Status.FAILING, Status.WARNING)]
    told.append(f"{words.count(missing, 'verdict')} missing" if missing else "every verdict is there")
    return ", ".join(told) + "."


def verdict_counts(items: Sequence[ReviewItem], review: Review) -> list[tuple[str, int]]:
    """How often each verdict was given, what is calm apart, and what is open."""
    counts = Counter(item.verdict for item in items)
    told = [(label, counts[name]) for name, label in (("act", "Act"), ("watch", "Watch"), ("accept", "Accept"))]
    told.append(("Healthy", counts["healthy"]))
    if review.calm:
        told.append(("Unchanged, accepted" if review.calm_accepted else "Unchanged, open", len(review.calm)))
    return [*told, ("Open", counts[""])]


def _reason(item: ReviewItem) -> str:
    return str(item.reasons[0]["text"]) if item.reasons else ""
