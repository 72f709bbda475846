"""Changes at a source that people ask for on a page: a row, carried out by a worker, shown as pending and then as done.

The source's token is used, so only members who manage the team may ask. Before a change is sent the present value is
read: if it is not what the person saw, nothing is sent and the command ends in conflict.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from monitoring import conf, sources
from monitoring import questions as q
from monitoring.client import AnswerError, DeploymentsClient, Refused, SourceError, Unauthorised
from monitoring.models import Command, CommandKind, Membership, Source, TopicState, Watched, WorkState
from monitoring.poll.fetch import Outcome
from monitoring.poll.plan import ask_of
from monitoring.poll.store import save
from monitoring.sources import MakeTransport

#: What a command of each kind reads before and changes by PATCH, below the deployment.
PATHS = {CommandKind.HEALTH_SETTINGS: q.health_settings(), CommandKind.DETAILS: q.details()}
ATTEMPTS = 5


class NotAllowed(Exception):
    """The person may not change things at this source."""


def ask(
    user: Any,
    kind: CommandKind,
    source: Source,
    now: datetime,
    *,
    watched: Watched | None = None,
    body: Mapping[str, Any] | None = None,
    read: Mapping[str, Any] | None = None,
) -> Command:
    """Queues a command. `read`: the fields as the person saw them. Raises NotAllowed unless they manage the team."""
    membership = Membership.objects.filter(team=source.team_id, user=user).first()
    if membership is None or not membership.may_change:
        raise NotAllowed("Only owners and managers of the team may change this.")
    return Command.objects.create(
        source=source,
        watched=watched,
        kind=kind,
        body=dict(body or {}),
        read=dict(read or {}),
        asked_by=user,
        asked_at=now,
    )


def run_due(now: datetime, *, limit: int = 20, transport: MakeTransport | None = None) -> int:
    """Carries out what waits, oldest first, and returns how many were finished."""
    finished = 0
    for _ in range(limit):
        command = _claim(now)
        if command is None:
            break
        finished += _run(command, now, transport)
    return finished


def _claim(now: datetime) -> Command | None:
    lost = Q(state=WorkState.RUNNING, claimed_until__lte=now)
    with transaction.atomic():
        rows = Command.objects.select_for_update(skip_locked=True, of=("self",))
        free = Q(claimed_until__isnull=True) | Q(claimed_until__lte=now)
        waiting = rows.filter(Q(state=WorkState.PENDING) | lost).filter(free)
        command = waiting.select_related("source", "watched").order_by("asked_at", "pk").first()
        if command is not None:
            command.state, command.claimed_until = WorkState.RUNNING, now + conf.LEASE
            command.attempts += 1
            command.save(update_fields=["state", "claimed_until", "attempts"])
    return command


def _run(command: Command, now: datetime, transport: MakeTransport | None) -> bool:
    """A change that may have arrived is not repeated blindly: the next attempt reads first and finds it done."""
    try:
        state, problem, result = asyncio.run(_carry_out(command, transport))
    except (Refused, Unauthorised) as error:
        state, problem, result = WorkState.REFUSED, str(error), {"error": type(error).__name__}
    except AnswerError as error:
        state, problem, result = WorkState.FAILED, str(error), {"error": type(error).__name__}
    except SourceError as error:
        given_up = command.attempts >= ATTEMPTS or command.kind == CommandKind.TEST_SOURCE
        state, problem = (WorkState.FAILED if given_up else WorkState.PENDING), str(error)
        result = {"error": type(error).__name__}
    if state is WorkState.DONE and command.watched is not None and result:
        _remember(command, command.watched, result, now)
    command.state, command.problem, command.result = state, problem[:500], result
    waiting = state is WorkState.PENDING
    command.claimed_until = now + sources.pause_after(command.attempts) if waiting else None
    command.finished_at = None if waiting else now
    command.save(update_fields=["state", "problem", "result", "claimed_until", "finished_at"])
    return not waiting


async def _carry_out(command: Command, transport: MakeTransport | None) -> tuple[WorkState, str, dict[str, Any]]:
    async with sources.client_of(command.source, transport) as client:
        return await _KINDS[CommandKind(command.kind)](client, command)


async def _change(client: DeploymentsClient, command: Command) -> tuple[WorkState, str, dict[str, Any]]:
    question = PATHS[CommandKind(command.kind)]
    if command.watched is None:
        return WorkState.REFUSED, "The command names no deployment.", {}
    remote_id = command.watched.remote_id
    present = await client.ask(remote_id, question.path)
    present = present if isinstance(present, dict) else {}
    if includes(present, command.body):
        return WorkState.DONE, "", present
    if not includes(present, command.read):
        return WorkState.CONFLICT, "It was changed at the source since this page was read.", {"present": present}
    await client.patch(f"deployments/{remote_id}/{question.path}", command.body)
    after = await client.ask(remote_id, question.path)
    return WorkState.DONE, "", after if isinstance(after, dict) else {}


async def _test(client: DeploymentsClient, command: Command) -> tuple[WorkState, str, dict[str, Any]]:
    version = await client.version()
    first = (await client.get("deployments/", [("limit", "1")])).data
    total = first.get("totalCount", first.get("count")) if isinstance(first, dict) else None
    return WorkState.DONE, "", {"version": version, "deployments": total}


_Kind = Callable[[DeploymentsClient, Command], Coroutine[Any, Any, tuple[WorkState, str, dict[str, Any]]]]
_KINDS: dict[CommandKind, _Kind] = {
    CommandKind.HEALTH_SETTINGS: _change,
    CommandKind.DETAILS: _change,
    CommandKind.TEST_SOURCE: _test,
}


def includes(present: Any, wanted: Any) -> bool:
    """Whether every field of `wanted` stands so in `present`, however deep; lists must be equal."""
    if isinstance(wanted, Mapping):
        return isinstance(present, Mapping) and all(
            name in present and includes(present[name], value) for name, value in wanted.items()
        )
    return bool(present == wanted)


def _remember(command: Command, watched: Watched, payload: dict[str, Any], now: datetime) -> None:
    """What the source shows after the change is known at once; the verdicts follow with the next poll, due now."""
    ask_ = ask_of((PATHS[CommandKind(command.kind)],), None)
    save([Outcome(watched.pk, ask_, TopicState.OK, payload)], now=now, lags={})
    Watched.objects.filter(pk=watched.pk).update(due_at=now, moved_at=now)


__all__ = ["NotAllowed", "ask", "includes", "run_due"]
