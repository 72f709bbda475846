"""Where the words of changes stand on a chart over time: never on each other, on the caption, or beyond the plot. Pure.

A plot is as wide as its page. The words of a flag are shown from the width on at which they are free, on one of ROWS
lines at either side of the flag's upright; places are checked at both ends of the widths, and since a distance grows or
shrinks linearly with the width, words that are apart at both ends are apart in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from dashboard.charts import words
from dashboard.charts.scales import text_width

LEAST, NARROW, ROOMY, WIDEST = 180, 328, 620, 2400
"""Inner widths in px: of a phone, of a chart that shows wide words at all, of one that shows all, and the widest."""
ROWS, LINE = 2, 13
CLOSE = 12
"""Changes nearer than this many px (at ROOMY) share an upright."""
LONGEST = 30
MOST_TOLD = 4
AIR = 6

NOUNS = {
    "model": "replacement",
    "settings": "change",
    "incident": "incident",
    "note": "note",
    "retraining": "retraining run",
    "": "change",
}
"""What several changes of one kind are called together."""


@dataclass(frozen=True, slots=True)
class Change:
    """Something that happened to a deployment, drawn as a line through its charts.

    `words`: a few, for the line. `kind`: one of NOUNS. `status`: of an incident. `detail`: a sentence for the table.
    """

    at: datetime
    words: str = ""
    kind: str = "model"
    status: str = ""
    detail: str = ""

    @property
    def token(self) -> str:
        """Its colour."""
        if self.kind == "incident":
            return f"{self.status}-text" if self.status else "text3"
        return "text2" if self.kind == "model" else "text3"

    @property
    def dash(self) -> str:
        """Whole lines are for models alone: everything that is measured changes with them."""
        return "" if self.kind == "model" else "3 3"


@dataclass(frozen=True, slots=True)
class Flag:
    """One upright: at `share` of the width (0 to 1). Without room anywhere it has no `words`; `told` has them always.

    `room`: "wide" where the words fit a narrow plot too, else "roomy". `low`: it begins below the caption, which it
    would cross.
    """

    share: float
    changes: tuple[Change, ...]
    told: str
    words: str = ""
    row: int = 0
    left: bool = False
    room: str = "wide"
    low: bool = False


@dataclass(frozen=True, slots=True)
class Box:
    """Words from `share · width + first` to `share · width + last` px."""

    share: float
    first: float
    last: float

    def apart(self, other: Box, width: float) -> bool:
        """Whether the two are apart at this width."""
        mine, theirs = self.share * width, other.share * width
        return mine + self.last <= theirs + other.first or theirs + other.last <= mine + self.first

    def before(self, other: Box, width: float) -> bool:
        """Whether this one ends before the other begins."""
        return self.share * width + self.last <= other.share * width + other.first


def flags(
    changes: Sequence[Change],
    shares: Sequence[float],
    *,
    caption: str = "",
    words_at: Sequence[tuple[float, str]] = (),
    rows: int = ROWS,
) -> list[Flag]:
    """A flag for each change or crowd of changes, in order of time.

    `shares`: where each change stands, 0 to 1. `words_at`: other words of the first row, with their middles.
    """
    taken: list[list[Box]] = [[] for _ in range(rows)]
    captioned = 4 + text_width(caption) + AIR if caption else 0.0
    if caption:
        taken[0].append(Box(0.0, 0.0, captioned))
    taken[0] += [Box(share, -text_width(text) / 2 - AIR, text_width(text) / 2 + AIR) for share, text in words_at]
    found = [
        Flag(share, tuple(crowd), told_of(crowd), low=share * LEAST < captioned)
        for share, crowd in crowds(changes, shares)
    ]
    order = sorted(range(len(found)), key=lambda i: (_rank(found[i]), -i))
    lines = [Box(flag.share, -1, 1) for flag in found]
    for crossing in (False, True):  # best is where no other line runs through the words
        for room, width in (("wide", NARROW), ("roomy", ROOMY)):
            for i in order:
                if found[i].told and not found[i].words:
                    others = [] if crossing else [*lines[:i], *lines[i + 1 :]]
                    found[i] = _placed(found[i], taken, others, room, width)
    return found


def crowds(changes: Sequence[Change], shares: Sequence[float]) -> list[tuple[float, list[Change]]]:
    """Changes that stand CLOSE to the one before, together at the first one's place."""
    made: list[tuple[float, list[Change]]] = []
    for share, change in sorted(zip(shares, changes, strict=True), key=lambda pair: pair[0]):
        if made and (share - made[-1][0]) * ROOMY < CLOSE:
            made[-1][1].append(change)
        else:
            made.append((share, [change]))
    return made


def told_of(crowd: Sequence[Change]) -> str:
    """`v2 took over`, `2 notes`, `3 changes`; nothing for changes that have no words."""
    spoken = [change for change in crowd if change.words]
    if len(spoken) < 2:
        return words.shortened(spoken[0].words, LONGEST) if spoken else ""
    kinds = {change.kind for change in spoken}
    return words.count(len(spoken), NOUNS.get(kinds.pop() if len(kinds) == 1 else "", "change"))


def detailed(changes: Sequence[Change]) -> str:
    """All that a flag stands for, for hovering: the first MOST_TOLD of it."""
    texts = [text for text, _ in groupby(change.detail or change.words for change in changes) if text]
    more = [f"{len(texts) - MOST_TOLD} more"] if len(texts) > MOST_TOLD else []
    return "; ".join([*(words.shortened(text, 80) for text in texts[:MOST_TOLD]), *more])


def _rank(flag: Flag) -> int:
    """Who gets a place first: models, then trouble, then the rest; later ones before earlier ones."""
    kinds = {change.kind for change in flag.changes}
    return 0 if "model" in kinds else 1 if "incident" in kinds else 2


def _placed(flag: Flag, taken: list[list[Box]], lines: list[Box], room: str, width: float) -> Flag:
    long = text_width(flag.told)
    for row, boxes in enumerate(taken):
        for left in (False, True):
            box = Box(flag.share, -AIR - long, -AIR / 2) if left else Box(flag.share, AIR / 2, AIR + long)
            if all(_inside(box, at) for at in (width, WIDEST)) and all(
                _free(box, other, width) for other in (*boxes, *lines)
            ):
                boxes.append(box)
                return replace(flag, words=flag.told, row=row, left=left, room=room)
    return flag


def _inside(box: Box, width: float) -> bool:
    return box.share * width + box.first >= 0 and box.share * width + box.last <= width


def _free(box: Box, other: Box, width: float) -> bool:
    """On the same side of the other at both widths, and so at all between."""
    sides = [(box.before(other, at), other.before(box, at)) for at in (width, WIDEST)]
    return all(first for first, _ in sides) or all(second for _, second in sides)
