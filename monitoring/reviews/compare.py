"""Two reviews side by side: what got better, what got worse, what became of the verdicts. Pure.

Works on records and on open meetings alike: both give `Standing`s.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from monitoring.models import Review, ReviewItem, Status

#: A measure that moved by less than this share of its value is said to be the same.
SAME = 0.005


@dataclass(frozen=True, slots=True)
class Standing:
    """One deployment in one review."""

    watched_id: int | None
    label: str
    worst: Status
    areas: Mapping[str, Status] = field(default_factory=dict)
    measures: Sequence[Mapping[str, Any]] = ()
    verdict: str = ""


@dataclass(frozen=True, slots=True)
class Moved:
    """One number then and now; `better` is +1, −1 or 0 (no better or worse)."""

    key: str
    name: str
    metric: str
    then: float | None
    now: float | None
    better: int
    detail: str = ""

    @property
    def change(self) -> float | None:
        """The difference; None where one of the two is not known."""
        return self.now - self.then if self.then is not None and self.now is not None else None

    @property
    def share(self) -> float | None:
        """The difference as a share of the value before; None for a value of 0."""
        return self.change / abs(self.then) if self.change is not None and self.then else None

    @property
    def tone(self) -> str:
        """`passing` when better, `failing` when worse, "" when the same or neither."""
        if self.change is None or self.then is None or abs(self.change) <= SAME * abs(self.then):
            return ""
        good = self.change * self.better
        return "passing" if good > 0 else "failing" if good < 0 else ""


@dataclass(frozen=True, slots=True)
class Pair:
    """One deployment in both reviews; one side is None where it was in the other only."""

    then: Standing | None
    now: Standing | None

    @property
    def label(self) -> str:
        found = self.now or self.then
        return found.label if found is not None else ""

    @property
    def direction(self) -> int:
        """−1 worse, +1 better, 0 the same or not to be compared: by severity of the worst verdict, then by area."""
        if self.then is None or self.now is None:
            return 0
        if self.then.worst is not self.now.worst:
            return 1 if self.now.worst.severity < self.then.worst.severity else -1
        before, after = self._severities(self.then), self._severities(self.now)
        return 0 if before == after else 1 if after < before else -1

    @staticmethod
    def _severities(standing: Standing) -> int:
        return sum(status.severity for status in standing.areas.values() if status.is_verdict)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What became of everything; `matrix` counts areas by status then and now."""

    worse: tuple[Pair, ...]
    better: tuple[Pair, ...]
    same: tuple[Pair, ...]
    came: tuple[Pair, ...]
    went: tuple[Pair, ...]
    matrix: Mapping[tuple[Status, Status], int]

    def words(self) -> str:
        """`2 got worse, 1 got better, 13 did not change`."""
        told = [f"{len(self.worse)} got worse", f"{len(self.better)} got better", f"{len(self.same)} did not change"]
        told += [f"{len(self.came)} new"] if self.came else []
        told += [f"{len(self.went)} gone"] if self.went else []
        return ", ".join(told)


def compare(then: Iterable[Standing], now: Iterable[Standing]) -> Comparison:
    """Pairs by deployment, worst first within each group."""
    before = {one.watched_id: one for one in then}
    after = {one.watched_id: one for one in now}
    pairs = [Pair(before.get(pk), after.get(pk)) for pk in dict.fromkeys([*after, *before])]
    both = [pair for pair in pairs if pair.then is not None and pair.now is not None]
    matrix = Counter(
        (pair.then.areas[name], status)
        for pair in both
        if pair.then is not None and pair.now is not None
        for name, status in pair.now.areas.items()
        if name in pair.then.areas
    )
    return Comparison(
        worse=_sorted(pair for pair in both if pair.direction < 0),
        better=_sorted(pair for pair in both if pair.direction > 0),
        same=_sorted(pair for pair in both if pair.direction == 0),
        came=_sorted(pair for pair in pairs if pair.then is None),
        went=_sorted(pair for pair in pairs if pair.now is None),
        matrix=dict(matrix),
    )


def moves(then: Mapping[str, Any] | None, now: Mapping[str, Any]) -> list[Moved]:
    """The measures of two kept figures side by side, in the order of the newer ones."""
    before = {one["key"]: one for one in (then or {}).get("measures", ())}
    after = {one["key"]: one for one in now.get("measures", ())}
    found = []
    for key in dict.fromkeys([*after, *before]):
        old, new = before.get(key), after.get(key)
        named = new or old or {}
        same_metric = old is None or new is None or old.get("metric") == new.get("metric")
        found.append(
            Moved(
                key,
                str(named.get("name", "")),
                str(named.get("metric", "")),
                _number(old) if same_metric else None,
                _number(new),
                int(named.get("better", 0)),
                str(named.get("detail", "")),
            )
        )
    return found


def standings(review: Review) -> list[Standing]:
    """Every deployment of a review: from the record once it is signed, else from the open agenda."""
    if review.is_signed:
        items = [_standing(one["watched"], one["label"], one["figures"], one["verdict"]) for one in _items(review)]
        return items + [calm_standing(one) for one in review.record.get("calm", ())]
    return open_standings(review.items.all(), review.calm)


def open_standings(items: Iterable[ReviewItem], calm: Iterable[Mapping[str, Any]]) -> list[Standing]:
    """The same of a meeting that goes on."""
    found = [_standing(item.watched_id, item.label, item.figures, item.verdict) for item in items]
    return found + [calm_standing(one) for one in calm]


def calm_standing(one: Mapping[str, Any]) -> Standing:
    areas = {name: Status(status) for name, status in one.get("areas", {}).items()}
    return Standing(one["id"], one["label"], Status(one["worst"]), areas, (), "calm")


def _items(review: Review) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = review.record.get("items", [])
    return found


def _standing(pk: int | None, label: str, figures: Mapping[str, Any], verdict: str) -> Standing:
    areas = {name: Status(one["status"]) for name, one in figures.get("areas", {}).items()}
    worst = Status(figures.get("worst", Status.UNKNOWN))
    return Standing(pk, label, worst, areas, figures.get("measures", ()), verdict)


def _number(one: Mapping[str, Any] | None) -> float | None:
    value = one.get("value") if one is not None else None
    return float(value) if isinstance(value, int | float) else None


def _sorted(pairs: Iterable[Pair]) -> tuple[Pair, ...]:
    def severity(pair: Pair) -> int:
        found = pair.now or pair.then
        return found.worst.severity if found is not None else 0

    return tuple(sorted(pairs, key=lambda pair: (-severity(pair), pair.label)))
