"""Tags of the fleet's table: ``{% load fleet %}``."""

from __future__ import annotations

from collections.abc import Iterable

from django import template
from django.utils.safestring import SafeString

from dashboard.fleet_rows import Table, rows_html
from dashboard.map_cells import Cell, cells_html

register = template.Library()


@register.simple_tag
def map_cells(cells: Iterable[tuple[str, Cell]]) -> SafeString:
    """The cells of one row of the blind-spot map."""
    return cells_html(cells)


@register.simple_tag(takes_context=True)
def fleet_rows(context: template.Context) -> SafeString:
    """The rows of the page, see ``dashboard.fleet_rows``; `more` is set where they belong to an opened group."""
    table = Table(
        now=context["now"],
        heard=context["heard"],
        token=str(context.get("csrf_token", "")),
        stamp=context.get("stamp") or "",
        nested=bool(context.get("more")),
    )
    return rows_html(context["rows"], table)
