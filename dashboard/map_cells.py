"""The cells of the blind-spot map as HTML: a page has five hundred, which as a template take half of its time."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Protocol

from django.utils.safestring import SafeString, mark_safe

from monitoring.health.coverage import Why

OFF = "Switched off"


class Cell(Protocol):
    """One area of one deployment: `href` leads to what mends it, `action` says what that is."""

    @property
    def why(self) -> Why: ...
    @property
    def word(self) -> str: ...
    @property
    def href(self) -> str: ...
    @property
    def action(self) -> str: ...


def cells_html(cells: Iterable[tuple[str, Cell]]) -> SafeString:
    """The cells of a row, each with the word of its column."""
    return mark_safe("".join(_cell(word, cell) for word, cell in cells))  # noqa: S308 - everything is escaped


def _cell(word: str, cell: Cell) -> str:
    why = escape(cell.why.words)
    kinds = f"map-{cell.why.state}{' map-blind' if cell.why.blind else ''}"
    small = f"<small>{why}</small>" if cell.why.blind and cell.why.words != OFF else ""
    return (
        f'<td data-label="{escape(word)}" class="{kinds}" title="{why}"><span class="map-mark" aria-hidden="true">'
        f"</span>{_told(cell, why)}{small}</td>"
    )


def _told(cell: Cell, why: str) -> str:
    if not cell.href:
        return f"<span>{escape(cell.word)}</span>"
    action = escape(cell.action)
    return (
        f'<a href="{escape(cell.href)}" title="{why}: {action}">{escape(cell.word)}'
        f'<span class="visually-hidden">: {why}. {action}</span></a>'
    )
