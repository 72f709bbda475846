"""The one door for commands: who may ask for what, once a form, and what pages show of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from monitoring import audit
from monitoring.commands.kinds import KINDS, Kind, Method
from monitoring.models import AuditAction, Command, CommandKind, Membership, Role, Source, Watched, WorkState
from monitoring.models.commands import new_key

OPEN_STATES = (WorkState.PENDING, WorkState.RUNNING)
TROUBLE = (WorkState.REFUSED, WorkState.CONFLICT, WorkState.FAILED, WorkState.IN_DOUBT)
#: How long a page shows what is done, and what is not well unless somebody takes it off.
DONE_SHOWN, TROUBLE_SHOWN = timedelta(minutes=10), timedelta(days=7)
MOST_SHOWN = 8
_TARGET = re.compile(r"[A-Za-z0-9_-]{1,64}(/[A-Za-z0-9_-]{1,64})?")


class NotAllowed(Exception):
    """The person may not do this; the text says why."""


class BadTarget(ValueError):
    """The thing is not named by an id."""


def obstacle(role: Role | None, kind: Kind, capabilities: Iterable[Mapping[str, Any]] = ()) -> str:
    """Why this may not be asked for; "" if it may. The only place that decides it.

    `capabilities`: what the source says it supports, as in `capabilities/`; silence is no objection.
    """
    if role is None:
        return "You are not in the team that watches this."
    if not role.may_change:
        return "Only owners and managers of the team may change this."
    for one in capabilities:
        if kind.capability and one.get("name") == kind.capability and one.get("supported") is False:
            told = [text for text in one.get("messages") or () if isinstance(text, str)]
            return f"Not supported at the source: {' '.join(told)}" if told else "Not supported at the source."
    return ""


def ask(
    user: Any,
    kind: CommandKind | str,
    source: Source,
    now: datetime,
    *,
    watched: Watched | None = None,
    target: str = "",
    name: str = "",
    body: Mapping[str, Any] | None = None,
    read: Mapping[str, Any] | None = None,
    nonce: str = "",
    group: str = "",
    key: str = "",
) -> Command:
    """Queues a command. `read`: the fields as the person saw them. `nonce`: of the form; the same form sent again
    returns the command that it made the first time. `key`: under which its file was kept, if it has one.

    Raises NotAllowed unless they manage the team, BadTarget for ids that do not fit the kind's path.
    """
    row = KINDS[CommandKind(kind).value]
    if (refused := obstacle(role_of(user, source), row)) != "":
        raise NotAllowed(refused)
    _check_target(row, target)
    command = Command(
        source=source,
        watched=watched,
        kind=row.slug,
        target=target,
        name=name[:300],
        body=dict(body or {}),
        read=dict(read or {}),
        asked_by=user,
        asked_at=now,
        nonce=nonce or None,
        group=group,
        key=key or new_key(),
    )
    try:
        with transaction.atomic():
            command.save()
            _note(command, row)
            if watched is not None:
                Watched.objects.filter(pk=watched.pk).update(commands_until=now + TROUBLE_SHOWN)
    except IntegrityError:
        return Command.objects.get(nonce=nonce, source=source)
    return command


def _note(command: Command, kind: Kind) -> None:
    """Onto the record of who did what; connection tests change nothing."""
    if kind.method is Method.TEST:
        return
    label = f" ({command.watched.label})" if command.watched is not None else ""
    detail = {"command": command.pk, "target": command.target, "body": command.body, "read": command.read}
    about = kind.sentence(command.name, done=False) + label
    audit.note(AuditAction.CHANGE_ASKED, command.asked_by, team=command.source.team, about=about, detail=detail)


def role_of(user: Any, source: Source) -> Role | None:
    """The person's role in the team of the source."""
    found = Membership.objects.filter(team=source.team_id, user=user).values_list("role", flat=True).first()
    return Role(found) if found is not None else None


def shown(watched: Watched, now: datetime) -> list[Command]:
    """What a page shows: all that is open, what was done lately, and trouble that nobody took off; newest first."""
    if watched.commands_until is None or watched.commands_until <= now:
        return []
    lately = Q(state=WorkState.DONE, finished_at__gt=now - DONE_SHOWN)
    trouble = Q(state__in=TROUBLE, finished_at__gt=now - TROUBLE_SHOWN)
    rows = watched.commands.filter(Q(state__in=OPEN_STATES) | lately | trouble, dismissed_at=None)
    return list(rows.select_related("asked_by", "source").order_by("-asked_at", "-pk")[:MOST_SHOWN])


def open_commands(watched: Watched) -> QuerySet[Command]:
    """What still waits or runs."""
    return watched.commands.filter(state__in=OPEN_STATES)


def dismiss(command: Command, now: datetime) -> bool:
    """Takes a finished command off the page; the row stays. False if it was taken off before, or is not finished."""
    finished = Command.objects.filter(pk=command.pk, dismissed_at=None).exclude(state__in=OPEN_STATES)
    return bool(finished.update(dismissed_at=now))


def _check_target(kind: Kind, target: str) -> None:
    """A target is put into a path: it holds ids and nothing else, as many as the path has places."""
    places = kind.path.count("{")
    if places == 0 and not target:
        return
    if not _TARGET.fullmatch(target) or target.count("/") + 1 != places:
        raise BadTarget(f"{kind.slug.label}: the thing is not named by its id.")
