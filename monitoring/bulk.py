"""One thing done with many deployments: what there is, who may, and doing it once.

What only we know of (stars, silences, what is left unwatched) is done in the transaction that stores the row. What
stands at a source becomes one command a deployment: each ends by itself, and the page of the row tells how many did.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from monitoring import audit, commands, marks, snapshots
from monitoring import questions as q
from monitoring.configuration.edits import patch
from monitoring.incidents import silences
from monitoring.models import AuditAction, Bulk, CommandKind, Role, Silence, SilenceKind, Watched

#: As many deployments are taken on at a time.
MOST = 500
#: Of health settings only this is carried over: the rest names features and metrics of one deployment.
CARRIED = ("service", "dataDrift", "accuracy", "predictionsTimeliness", "actualsTimeliness")
OWN = {"dataDrift": ("excludedFeatures", "starredFeatures")}
Args = Mapping[str, Any]
Do = Callable[[Any, Sequence[Watched], Args, datetime, Bulk], None]


class TooMany(ValueError):
    """More than can be taken on at a time."""


@dataclass(frozen=True)
class BulkAct:
    """`word`: of the button; `says`: what will happen, with the number. `changes`: needs a manager of the team."""

    slug: str
    word: str
    says: str
    changes: bool
    do: Do
    at_source: bool = False


def _star(on: bool) -> Do:
    def do(user: Any, rows: Sequence[Watched], args: Args, now: datetime, bulk: Bulk) -> None:
        marks.star(user, [row.pk for row in rows], on=on)

    return do


def _silence(user: Any, rows: Sequence[Watched], args: Args, now: datetime, bulk: Bulk) -> None:
    made = []
    for row in rows:
        one = Silence(
            team_id=row.source.team_id,
            kind=SilenceKind.SILENCE,
            watched=row,
            reason=args["reason"],
            owner=user,
            starts_at=now,
            ends_at=args["until"],
            time_zone="UTC",
            created_at=now,
        )
        silences.check(one)
        made.append(one)
    Silence.objects.bulk_create(made)
    for row, one in zip(rows, made, strict=True):
        detail = {"after": audit.facts(one, *silences.TOLD)}
        audit.note(AuditAction.SILENCED, user, team=row.source.team, about=row.label, detail=detail)


def _leave_out(user: Any, rows: Sequence[Watched], args: Args, now: datetime, bulk: Bulk) -> None:
    marks.leave_out(user, [row.pk for row in rows], args["reason"], now)


def _watch_again(user: Any, rows: Sequence[Watched], args: Args, now: datetime, bulk: Bulk) -> None:
    marks.watch_again(user, [row.pk for row in rows], now)


def _importance(user: Any, rows: Sequence[Watched], args: Args, now: datetime, bulk: Bulk) -> None:
    body = {"importance": args["importance"]}
    for row in rows:
        _ask(user, row, CommandKind.DETAILS, body, {"importance": row.importance or None}, now, bulk)


def _health(user: Any, rows: Sequence[Watched], args: Args, now: datetime, bulk: Bulk) -> None:
    body = carried(args["pattern"])
    for row in rows:
        if row.pk != args["pattern"].pk:
            _ask(user, row, CommandKind.HEALTH_SETTINGS, body, {}, now, bulk)


def _carry(user: Any, rows: Sequence[Watched], args: Args, now: datetime, bulk: Bulk) -> None:
    for row in rows:
        step = args["steps"][row.pk]
        body, read = patch(step.kind, step.present, step.edits)
        _ask(user, row, step.kind, body, read, now, bulk)


def _ask(user: Any, row: Watched, kind: CommandKind, body: Args, read: Args, now: datetime, bulk: Bulk) -> None:
    more: dict[str, Any] = {
        "name": row.label,
        "body": body,
        "read": read,
        "nonce": f"{bulk.pk}.{row.pk}",
        "group": str(bulk.pk),
    }
    commands.ask(user, kind, row.source, now, watched=row, **more)


def carried(pattern: Watched) -> dict[str, Any]:
    """The health settings of a deployment, as far as they make sense for others; {} where they are not known."""
    found = snapshots.answer(pattern, q.health_settings())
    payload = found.payload if found is not None and isinstance(found.payload, dict) else {}
    body = {}
    for name in CARRIED:
        rule = payload.get(name)
        if isinstance(rule, dict):
            body[name] = {key: value for key, value in rule.items() if key not in OWN.get(name, ())}
    return body


_ROWS = (
    BulkAct("star", "Star", "{n} get your star; nobody else sees it.", False, _star(True)),
    BulkAct("unstar", "Take the star off", "{n} lose your star.", False, _star(False)),
    BulkAct("silence", "Silence", "Alerts of {n} are held back for the whole team until then.", False, _silence),
    BulkAct("importance", "Set importance", "{n} are changed at their sources.", True, _importance, at_source=True),
    BulkAct(
        *("health", "Health settings as in …"),
        "The health settings of {n} are replaced at their sources, whatever stands there now.",
        True,
        _health,
        at_source=True,
    ),
    BulkAct(
        *("leave_out", "Leave unwatched"),
        "{n} are no longer polled, judged or told of, for the whole team. Their incidents end; their history stays.",
        True,
        _leave_out,
    ),
    BulkAct("watch_again", "Watch again", "{n} are watched again from now on.", True, _watch_again),
)
BULKS = {row.slug: row for row in _ROWS}
#: Asked for beside the settings of one deployment (`monitoring.alike`), not on the fleet.
ALIKE = BulkAct("alike", "The same change", "{n} are changed at their sources.", True, _carry, at_source=True)


def parted(
    act: BulkAct, rows: Sequence[Watched], roles: Mapping[int, Role]
) -> tuple[list[Watched], list[tuple[str, str]]]:
    """(those it is done with, (label, why not) of the others). Raises TooMany beyond MOST."""
    if len(rows) > MOST:
        raise TooMany(f"At most {MOST} deployments at a time: narrow the list first.")
    may, left = [], []
    for row in rows:
        why = _obstacle(act, row, roles.get(row.source.team_id))
        if why:
            left.append((row.label, why))
        else:
            may.append(row)
    return may, left


def _obstacle(act: BulkAct, row: Watched, role: Role | None) -> str:
    if role is None or not role.may_act:
        return "your role is read only"
    if act.changes and not role.may_change:
        return "only owners and managers of its team may"
    if act.slug == "watch_again":
        return "" if row.left_out_at is not None else "it is watched"
    if act.slug in {"star", "unstar"}:
        return ""
    return "" if row.gone_at is None else "it is not watched"


def run(user: Any, act: BulkAct, rows: Sequence[Watched], args: Args, now: datetime, nonce: str, **told: Any) -> Bulk:
    """Does it, all in one transaction; the same form sent again returns what it made the first time."""
    try:
        with transaction.atomic():
            bulk = Bulk.objects.create(
                user=user, act=act.slug, at=now, nonce=nonce, picked=[row.pk for row in rows], **told
            )
            act.do(user, rows, args, now, bulk)
    except IntegrityError:
        return Bulk.objects.get(nonce=nonce)
    return bulk
