"""One term of the glossary: what a word or number on a page means, where it stands."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """`how`: the formula or rule in words. `span`: lowest and highest value. `better`: which way is good.

    `edge`: when there is no value, and what else surprises. `do`: what to do when it is not as it should be.
    `section`: the heading of docs/semantics.md that says the rest. `also`: other labels under which pages show it.
    """

    name: str
    meaning: str
    how: str = ""
    unit: str = ""
    span: str = ""
    better: str = ""
    edge: str = ""
    section: str = ""
    group: str = ""
    also: tuple[str, ...] = ()
    do: str = ""

    @property
    def slug(self) -> str:
        """The name in an address: lower case, words parted by hyphens."""
        return slug_of(self.name)

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """What is known beside the meaning, as pairs of head and text; heads without a text are left out."""
        pairs = (
            ("How", self.how),
            ("Unit", self.unit),
            ("Range", self.span),
            ("Better", self.better),
            ("Mind", self.edge),
            ("To do", self.do),
        )
        return tuple((head, text) for head, text in pairs if text)


def slug_of(name: str) -> str:
    """The address of a name: `Rate@Top10%` is `rate-top10`."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def spoken(label: str) -> str:
    """A label as it is looked up: lower case, without what follows a comma and without surplus space."""
    return " ".join(label.lower().replace("\u202f", " ").split(",")[0].split())
