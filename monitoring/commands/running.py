"""The worker's side: claims commands one by one and writes down how each attempt ended."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from django.db import transaction
from django.db.models import Q

from monitoring import sources
from monitoring.client import (
    AnswerError,
    DeploymentsError,
    Malformed,
    Overloaded,
    Refused,
    SourceError,
    TooLarge,
    Unauthorised,
)
from monitoring.commands import files
from monitoring.commands.asking import OPEN_STATES
from monitoring.commands.carrying import FOLLOWED_FOR, End, carry_out
from monitoring.commands.kinds import KINDS, Kind, Method
from monitoring.commands.wire import Wire
from monitoring.models import Command, CommandKind, Watched, WorkState
from monitoring.poll.fetch import Job
from monitoring.poll.plan import ask_of
from monitoring.poll.store import save
from monitoring.sources import MakeTransport

logger = logging.getLogger(__name__)
ATTEMPTS = 5
#: How long to wait between two looks at a job; grows with its age.
FIRST_LOOK, LONGEST_LOOK = timedelta(seconds=2), timedelta(seconds=30)


def run_due(now: datetime, *, limit: int = 20, transport: MakeTransport | None = None) -> int:
    """Carries out what waits, oldest first, and returns how many were finished.

    A source that fails is left alone for the rest of the run: one that is down holds nobody else up.
    """
    finished, down, began = 0, set[int](), monotonic()
    for _ in range(limit):
        # A lease counts from its own claim: those before it may have taken minutes.
        moment = now + timedelta(seconds=int(monotonic() - began))
        command = _claim(moment, down)
        if command is None:
            break
        over = _run(command, moment, transport)
        finished += over
        if not over and command.problem:
            down.add(command.source_id)
    return finished


def _claim(now: datetime, down: Collection[int]) -> Command | None:
    """The oldest one that is free. What is asked of a paused source, or of one that polls leave alone, waits; tests of
    a connection do not."""
    callable_ = Q(kind=CommandKind.TEST_SOURCE) | Q(source__in=sources.callable_now(now))
    with transaction.atomic():
        rows = Command.objects.select_for_update(skip_locked=True, of=("self",))
        free = Q(state=WorkState.PENDING, claimed_until__isnull=True) | Q(claimed_until__lte=now)
        waiting = rows.filter(free, callable_, state__in=OPEN_STATES).exclude(source__in=down)
        command = waiting.select_related("source", "watched").order_by("asked_at", "pk").first()
        if command is not None:
            command.state, command.claimed_until = WorkState.RUNNING, now + files.lease_of(command)
            command.attempts += not command.location  # looking after a job is no attempt
            command.save(update_fields=["state", "claimed_until", "attempts"])
    return command


def _run(command: Command, now: datetime, transport: MakeTransport | None) -> bool:
    kind = KINDS.get(command.kind)
    if kind is None:
        end = End(WorkState.FAILED, "This version no longer knows this kind of command.")
    else:
        try:
            end = _attempt(command, kind, now, transport)
        except Exception:  # whatever it is, it ends this attempt and neither the run nor the row
            logger.exception("Command %s failed in an unforeseen way.", command.pk)
            end = _again(command, "Something unforeseen went wrong here; it stands in the log.", now)
    _write(command, end, now)
    return end.state not in OPEN_STATES


def _attempt(command: Command, kind: Kind, now: datetime, transport: MakeTransport | None) -> End:
    try:
        with Wire(command.source, transport, timeout=files.timeout_of(command)) as wire:
            end = carry_out(wire, command, kind, now)
            begun = kind.at_work and bool(end.location) and not command.location
            if end.state is WorkState.DONE or begun:
                _show(wire, command, kind, now)
            return end
    except (Refused, Unauthorised) as error:
        return _refused(command, kind, error, now)
    except (Malformed, TooLarge) as error:
        # The source did answer; what it answered to a change cannot be read, so the next attempt looks.
        return _again(command, str(error), now) if command.sent_at else _failed(command, kind, error)
    except AnswerError as error:
        return _failed(command, kind, error)
    except SourceError as error:
        if kind.method is Method.TEST:
            return _failed(command, kind, error)
        told = kind.why.get(429, "") if isinstance(error, Overloaded) else ""
        return _again(command, f"{error} {told}".strip(), now)


def _refused(command: Command, kind: Kind, error: Refused | Unauthorised, now: datetime) -> End:
    """What was refused. A look that is refused says nothing about what was sent before it."""
    if command.location:
        return _again(command, str(error), now)
    if command.sent_at is not None:
        return End(WorkState.IN_DOUBT, f"It may have arrived; looking for it was refused: {error}")
    told = kind.why.get(error.status, "") if isinstance(error, Refused) else ""
    return End(WorkState.REFUSED, f"{error} {told}".strip(), _with_error(command, kind, error))


def _failed(command: Command, kind: Kind, error: DeploymentsError) -> End:
    return End(WorkState.FAILED, str(error), _with_error(command, kind, error))


def _with_error(command: Command, kind: Kind, error: DeploymentsError) -> Mapping[str, Any]:
    """A failed test keeps the kind of the error, by which pages say what can be done."""
    return {"error": type(error).__name__} if kind.method is Method.TEST else command.result


def _again(command: Command, problem: str, now: datetime) -> End:
    """Waits for the next attempt. Given up after the last one; in doubt if it may have arrived."""
    if command.location:
        late = command.sent_at is not None and now - command.sent_at > FOLLOWED_FOR
        return End(
            WorkState.IN_DOUBT if late else WorkState.RUNNING,
            problem,
            command.result,
            command.location,
            command.progress,
            command.message,
        )
    if command.attempts < ATTEMPTS:
        return End(WorkState.PENDING, problem)
    return End(WorkState.IN_DOUBT if command.sent_at else WorkState.FAILED, problem)


def _write(command: Command, end: End, now: datetime) -> None:
    lease = command.claimed_until
    command.state, command.problem, command.result = end.state, end.problem[:500], dict(end.result)
    command.location, command.progress, command.message = end.location[:300], end.progress, end.message[:500]
    command.claimed_until = _pause(command, end, now)
    command.finished_at = None if end.state in OPEN_STATES else now
    names = ("state", "problem", "result", "location", "progress", "message", "claimed_until", "finished_at")
    # Only while the claim is still ours: who took it over meanwhile knows better.
    held = Command.objects.filter(pk=command.pk, state=WorkState.RUNNING, claimed_until=lease)
    mine = held.update(**{name: getattr(command, name) for name in names})
    if mine and end.state not in OPEN_STATES:
        files.release(command)


def _pause(command: Command, end: End, now: datetime) -> datetime | None:
    if end.state is WorkState.PENDING:
        return now + sources.pause_after(command.attempts)
    if end.state is WorkState.RUNNING:
        age = now - (command.sent_at or now)
        return now + max(FIRST_LOOK, min(age / 10, LONGEST_LOOK))
    return None


def _named(command: Command) -> list[str]:
    """The id of the thing, where it goes in the body and not in the path."""
    named = command.body.get("id")
    return [named] if isinstance(named, str) else []


def _show(wire: Wire, command: Command, kind: Kind, now: datetime) -> None:
    """What pages show of it is known at once; the verdicts follow with the next poll, due now."""
    watched = command.watched
    if watched is None:
        return
    jobs = [
        Job(watched.pk, watched.remote_id, ask_of((question,), question.period(now)))
        for question in kind.asks_again(command.ids or _named(command), batch=watched.batch_monitoring)
    ]
    if jobs:
        save(wire.fetch(jobs), now=now, lags={})
    Watched.objects.filter(pk=watched.pk).update(due_at=now, moved_at=now)
