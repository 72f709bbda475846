"""The rows of the fleet's table as HTML: one function a column.

A page shows thirty rows of forty values each; through the language of templates they cost more than everything else of
the page together, written here a tenth of it. Whatever a source or a person wrote goes through `escape`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from html import escape
from urllib.parse import quote

from django.utils.safestring import SafeString, mark_safe

from dashboard.addresses import address
from dashboard.charts import icons, strips, words
from dashboard.fleet import Cell, Row
from dashboard.incidents import Line
from dashboard.templatetags.vitals import age, delta, local_day
from dashboard.toggles import toggle_html
from monitoring.models import Importance, Status

TOLD = {one.value: str(one.label) for one in (Importance.CRITICAL, Importance.HIGH)}
SPOTS = 2


@dataclass(frozen=True)
class Table:
    """What the rows of a table share.

    `heard`: the deployments that the person hears of. `stamp`: the moment of the past that is shown; empty for now.
    `nested`: the rows of an opened group, which are neither found by their key nor ticked.
    """

    now: datetime
    heard: Collection[int]
    token: str
    stamp: str = ""
    nested: bool = False

    @property
    def query(self) -> str:
        """What links to a deployment add, to stay in the same moment."""
        return f"?as_of={quote(self.stamp)}" if self.stamp else ""


def rows_html(rows: Iterable[Row], table: Table) -> SafeString:
    """The table's body."""
    return mark_safe("".join(_row(item, table) for item in rows))  # noqa: S308 - every column escapes


def _row(item: Row, table: Table) -> str:
    pk = item.row.watched.pk
    named = "" if table.nested else f' id="row-{pk}"'
    kinds = f"{'group-end ' if item.group_end else ''}{'tall' if item.tall else ''}{' snoozed' if item.snoozed else ''}"
    return (
        f'<tr{named} class="{kinds}" data-href="{address("overview", pk)}{table.query}">'
        f'{_pick(item, table)}<td class="col-icon fold-icon">{_icon(item.row.status, 16, snoozed=item.snoozed)}</td>'
        f'<td class="fold-main col-name">{_name(item, table)}<p class="reason">{_reason(item, table)}</p></td>'
        f"{''.join(_cell(cell) for cell in item.cells)}{_numbers(item, table)}"
        f'<td class="under col-since">{_since(item, table)}</td></tr>\n'
    )


def _icon(status: str, size: int, *, snoozed: bool = False) -> str:
    return icons.status_svg(status, size, snoozed=snoozed, label=icons.status_words(status, snoozed=snoozed))


def _pick(item: Row, table: Table) -> str:
    if table.nested or table.stamp:
        return ""
    one = item.row.watched
    label = f'aria-label="Tick {escape(one.label)}"'
    return f'<td class="col-pick"><input type="checkbox" form="pick" name="pk" value="{one.pk}" {label}></td>'


def _name(item: Row, table: Table) -> str:
    one = item.row.watched
    tag = f' <span class="tag">{TOLD[one.importance]}</span>' if one.importance in TOLD else ""
    star = "" if table.stamp else toggle_html("star", one.pk, one.label, on=item.row.is_star, token=table.token)
    bell = toggle_html("bell", one.pk, one.label, on=one.pk in table.heard, token=table.token)
    return (
        f'<a class="name" href="{address("overview", one.pk)}{table.query}">{escape(one.label)}</a>{tag} '
        f'<span class="toggles">{star}{bell}</span>'
    )


def _reason(item: Row, table: Table) -> str:
    """Why it is not calm, and the tab that shows it; of what is calm the kind of target and what is not watched."""
    one, lead = item.row.watched, item.row.lead
    if item.row.status is not Status.PASSING:
        href = f"{address(item.leads_to, one.pk)}{table.query}"
        return f'<a class="plain" href="{href}"><b>{lead.area.label}:</b></a> {escape(lead.reason)}'
    spots = (spot.get("short") or spot if isinstance(spot, dict) else spot for spot in one.blind_spots[:SPOTS])
    told = "".join(f' <span class="tag tag-blind">{escape(str(spot))}</span>' for spot in spots)
    return f"{escape(one.target_type)}{told}"


def _cell(cell: Cell) -> str:
    change = f" {delta(cell.delta, cell.tone)}" if cell.delta is not None else ""
    return (
        f'<td class="col-area" title="{escape(cell.title)}"><div class="health">{_icon(cell.status, 12)}{cell.strip}'
        f'<span class="health-number">{escape(cell.number)}{change}</span></div></td>'
    )


def _numbers(item: Row, table: Table) -> str:
    """Traffic, the last prediction, the age of the model."""
    one = item.row.watched
    aged = " aged" if item.row.stale else ""
    return (
        f'<td class="num col-rate"><span class="rate">{strips.sparkline_svg(item.row.sparkline)}'
        f'<span class="live value">{words.number(one.predictions_per_day, 0)}</span></span></td>'
        f'<td class="nowrap live{aged} fold-end">{age(one.last_prediction_at, table.now)}</td>'
        f'<td class="nowrap">{age(one.model_deployed_at, table.now)}</td>'
    )


def _since(item: Row, table: Table) -> str:
    """Since when, and who has answered."""
    old = age(item.row.watched.polled_at, table.now)
    stale = f'<span class="aged"> data {old} old</span>' if item.row.stale else ""
    return f"{_incident(item.incident) if item.incident else escape(item.since[len('since ') :])}{stale}"


def _incident(line: Line) -> str:
    until = line.incident.snoozed_until
    when = f"snoozed to {local_day(until)}" if line.snoozed else f"since {line.since} ({line.lasting})"
    link = f'<a class="plain ink" href="{address("incident", line.number)}">#{line.number} {escape(line.words)}</a>'
    return f"{link}<br>{when}"
