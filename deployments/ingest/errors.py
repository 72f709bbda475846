"""The one error of ingest: what is wrong, by place; the first hundred places are told."""

from __future__ import annotations

from collections.abc import Mapping

MOST_PLACES = 100


class Refused(ValueError):
    """Nothing of the request was stored. `errors` is the text by place, such as `data[3].timestamp`."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        self.errors = dict(list(errors.items())[:MOST_PLACES])
        super().__init__("; ".join(f"{place}: {text}" for place, text in self.errors.items()))


class TooMuch(ValueError):
    """More rows or bytes than a setting allows; the message names it."""


class Clash(ValueError):
    """The request id was used before, for another body."""


class Problems:
    """Collects what is wrong, and raises it all at once."""

    def __init__(self) -> None:
        self.errors: dict[str, str] = {}

    def add(self, place: str, text: str) -> None:
        if len(self.errors) < MOST_PLACES:
            self.errors.setdefault(place, text)

    def check(self) -> None:
        if self.errors:
            raise Refused(self.errors)
