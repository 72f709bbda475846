"""What a setting is: its path, its shape, and the section in which it is edited."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from monitoring.models import Area, CommandKind

Path = tuple[str, ...]


class Shape(Enum):
    """How a value is written and checked."""

    NUMBER = "number"
    COUNT = "count"
    CHOICE = "choice"
    SWITCH = "switch"
    NAMES = "names"
    PERCENTILES = "percentiles"
    CONDITIONS = "conditions"
    RANGE = "range"
    DURATION = "duration"
    TEXT = "text"
    LONG_TEXT = "long text"
    SCALAR = "scalar"


@dataclass(frozen=True)
class Field:
    """One setting. `off`: what stops when it is switched off; `known`: where the names to choose from come from."""

    path: Path
    word: str
    shape: Shape
    unit: str = ""
    hint: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[tuple[str, str], ...] = ()
    required: bool = False
    most: int = 0
    known: str = ""
    off: str = ""

    @property
    def name(self) -> str:
        """The path with dots: the name in forms, messages and documents."""
        return ".".join(self.path)


@dataclass(frozen=True)
class Section:
    """Fields that are edited together. `area`: whose verdict they decide; `replayed`: a backtest can tell."""

    slug: str
    word: str
    about: str
    kind: CommandKind
    fields: tuple[Field, ...]
    area: Area | None = None
    replayed: bool = False

    @property
    def groups(self) -> tuple[str, ...]:
        """The first parts of the paths, in order; () for fields that lie at the top."""
        return tuple(dict.fromkeys(field.path[0] for field in self.fields if len(field.path) > 1))


OPERATORS = (("lt", "below"), ("lte", "at most"), ("gt", "above"), ("gte", "at least"))


def switch(group: str, word: str, off: str, hint: str = "") -> Field:
    """The switch of a group."""
    return Field((group, "enabled"), word, Shape.SWITCH, off=off, hint=hint)
