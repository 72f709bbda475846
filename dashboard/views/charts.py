"""The numbers of one chart as a file: what is drawn, nothing more and nothing less."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from io import StringIO

from django.http import Http404, HttpResponse
from django.utils.text import slugify

from dashboard.charts.heat import heat_columns, heat_rows
from dashboard.pages import page
from dashboard.reader import PageRequest
from dashboard.tabs.parts import Tab
from dashboard.tabs.registry import TABS
from dashboard.views.deployment import load

FORMULA = ("=", "+", "-", "@", "\t", "\r")


@page
def csv_file(request: PageRequest, pk: int, tab: str, name: str) -> HttpResponse:
    """One chart's table twin as CSV; the same view parameters as the page."""
    if tab not in TABS:
        raise Http404("There is no such tab.")
    subject, content = load(request, request.reader.watched_or_404(pk), tab)
    response = HttpResponse(text(table_of(content, name)), content_type="text/csv; charset=utf-8")
    filename = f"{slugify(subject.watched.label) or pk}-{tab}-{name}.csv"
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


def table_of(content: Tab, name: str) -> list[Sequence[str]]:
    """Heads and rows of a chart, or of the heat table."""
    if name == "heat" and "heat_points" in content.more:
        points = content.more["heat_points"]
        return [heat_columns(points), *heat_rows(points)]
    if name in content.charts:
        return [content.charts[name].columns, *content.charts[name].rows]
    raise Http404("There is no such chart, or it has nothing to show yet.")


def text(rows: Iterable[Sequence[str]]) -> str:
    """RFC 4180. A text that a spreadsheet would take for a formula gets an apostrophe in front; numbers stay."""
    out = StringIO()
    writer = csv.writer(out)
    for row in rows:
        writer.writerow([_safe(str(cell)) for cell in row])
    return out.getvalue()


def _safe(cell: str) -> str:
    if not cell.startswith(FORMULA):
        return cell
    try:
        float(cell)
    except ValueError:
        return f"'{cell}"
    return cell
