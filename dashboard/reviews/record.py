"""The signed record as a page: what was decided with the figures known then, and what is known now beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from dashboard.charts import words
from dashboard.reader import Reader
from dashboard.reviews.restated import restated
from dashboard.reviews.standing import AreaLine, area_lines, days_between, figures_of, value
from monitoring.clock import parse_time
from monitoring.models import ActionItem, Review, ReviewVerdict, Status, Watched
from monitoring.reviews.compare import Moved, moves
from monitoring.reviews.facts import Facts
from monitoring.reviews.figures import figures
from monitoring.reviews.gather import areas_of


@dataclass(frozen=True)
class Number:
    """One measure: `0.810 when reviewed, 0.770 now`."""

    name: str
    detail: str
    before: str
    then: str
    again: str
    """The same hours as they are known now, where later labels changed them."""
    now: str
    tone: str


@dataclass(frozen=True)
class Entry:
    """One deployment of a record."""

    watched_id: int | None
    listed: bool
    label: str
    worst: str
    now: str
    verdict: str
    verdict_word: str
    note: str
    by: str
    at: datetime | None
    reasons: tuple[str, ...]
    areas: tuple[AreaLine, ...]
    numbers: tuple[Number, ...]
    actions: tuple[Mapping[str, Any], ...]
    figures: Mapping[str, Any]


def entries(reader: Reader, review: Review, now: datetime, *, live: bool = True) -> list[Entry]:
    """The items of the record; `live` puts what is known now beside them, in four statements."""
    listed: list[Mapping[str, Any]] = review.record.get("items", [])
    ids = [one["watched"] for one in listed if one["watched"] is not None]
    rows = {row.pk: row for row in reader.watched().filter(pk__in=ids)} if live else {}
    kept = {rows[one["watched"]]: one["figures"] for one in listed if one["watched"] in rows}
    again = restated(reader, kept, now) if live else {}
    actions = _actions(review) if live else {}
    return [_entry(review, one, rows.get(one["watched"]), again, actions, now) for one in listed]


def _entry(
    review: Review,
    one: Mapping[str, Any],
    row: Watched | None,
    again: Mapping[int, float],
    actions: Mapping[int, ActionItem],
    now: datetime,
) -> Entry:
    kept = one["figures"]
    before = figures_of(review.previous, one["watched"])
    return Entry(
        watched_id=one["watched"],
        listed=row is not None and row.gone_at is None,
        label=one["label"],
        worst=kept.get("worst", Status.UNKNOWN.value),
        now=row.worst if row is not None else "",
        verdict=one["verdict"],
        verdict_word=ReviewVerdict(one["verdict"]).label if one["verdict"] else "",
        note=one["note"],
        by=one["decided_by"],
        at=parse_time(one["decided_at"]),
        reasons=tuple(reason["text"] for reason in one["reasons"]),
        areas=tuple(area_lines(kept, before, days_between(review))),
        numbers=tuple(_numbers(kept, before, row, again.get(one["watched"] or 0), now)),
        actions=tuple(action_line(action, actions, now.date()) for action in one["actions"]),
        figures=kept,
    )


def _numbers(
    kept: Mapping[str, Any],
    before: Mapping[str, Any] | None,
    row: Watched | None,
    again: float | None,
    now: datetime,
) -> list[Number]:
    today = {one.key: one for one in moves(kept, current(row, now))} if row is not None else {}
    found = []
    for one in moves(before, kept):
        if one.now is None:
            continue
        fresh = today.get(one.key)
        shown = value(fresh, fresh.now) if fresh is not None and one.key in {"accuracy", "drift"} else ""
        late = value(one, again) if one.key == "accuracy" and again is not None else ""
        then = value(one, one.now)
        found.append(
            Number(
                _name(one),
                one.detail,
                value(one, one.then) if one.then is not None else "",
                then,
                late if late != then else "",
                shown,
                fresh.tone if fresh is not None and shown else "",
            )
        )
    return found


def current(row: Watched, now: datetime) -> dict[str, Any]:
    """The figures of a deployment as its row has them now, without its days."""
    areas = areas_of(row, {}, past=False)
    facts = Facts(row.pk, row.label, Status(row.worst), areas, row.importance, row.predictions_per_day)
    return figures(facts, row, now, now)


def action_line(action: Mapping[str, Any], known: Mapping[int, ActionItem], today: date) -> dict[str, Any]:
    """A promise as it was recorded, and what became of it."""
    row = known.get(action["id"])
    due = date.fromisoformat(action["due_on"])
    state = row.state if row is not None else action.get("state", "")
    late = row is not None and state == "open" and due < today
    return dict(action) | {"due": words.day(datetime(due.year, due.month, due.day)), "state": state, "late": late}  # noqa: DTZ001


def _actions(review: Review) -> dict[int, ActionItem]:
    return {row.pk: row for row in review.actions.all()}


def team_actions(review: Review, today: date) -> list[dict[str, Any]]:
    """Promises of the meeting that are about no single deployment."""
    known = _actions(review)
    return [action_line(one, known, today) for one in review.record.get("actions", ())]


def promises(review: Review) -> Sequence[Mapping[str, Any]]:
    """What had been promised in the meeting before, as it stood when this one was signed."""
    listed: list[dict[str, Any]] = review.record.get("promises", [])
    found = []
    for one in listed:
        due = date.fromisoformat(one["due_on"])
        signed = review.signed_at.date() if review.signed_at else due
        state = "overdue" if one["state"] == "open" and due < signed else one["state"]
        found.append(one | {"state": state, "due": words.day(datetime(due.year, due.month, due.day))})  # noqa: DTZ001
    return found


def calm_lines(review: Review) -> list[tuple[str, list[str]]]:
    """The deployments that were calm, by status: `passing`: their names."""
    by_status: dict[str, list[str]] = {}
    for one in review.record.get("calm", ()):
        by_status.setdefault(one["worst"], []).append(one["label"])
    return sorted(by_status.items(), key=lambda pair: -Status(pair[0]).severity)


def _name(one: Moved) -> str:
    return f"{one.name}, {one.metric}" if one.metric and one.metric != one.name else one.name
