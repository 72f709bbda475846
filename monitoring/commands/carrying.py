"""One command at its source: read, decide, send, follow. Every way that it can end is an `End`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from monitoring.client import DeploymentsError, Malformed, Overloaded, Refused, Reply, Unauthorised
from monitoring.commands import files
from monitoring.commands.kinds import Kind, Method, Repeat
from monitoring.commands.matching import id_of
from monitoring.commands.sealing import opened
from monitoring.commands.wire import Wire
from monitoring.models import Command, WorkState

#: How long a source may take to show what it was sent; after that its answer is in doubt.
DOUBT_AFTER = timedelta(minutes=1)
#: How long a job is followed.
FOLLOWED_FOR = timedelta(hours=24)
#: Where jobs stand, below the API's address.
JOBS = "status/"
#: As much is kept of what a job says of itself: the bad lines of a file, say.
LONGEST_REPORT = 20_000
_OVER = {
    "COMPLETED": WorkState.DONE,
    "ERROR": WorkState.FAILED,
    "ABORTED": WorkState.REFUSED,
    "EXPIRED": WorkState.FAILED,
}


@dataclass(frozen=True)
class End:
    """How an attempt ended; RUNNING: a job goes on at `location`; PENDING: to be looked at again."""

    state: WorkState
    problem: str = ""
    result: Mapping[str, Any] = field(default_factory=dict)
    location: str = ""
    progress: float | None = None
    message: str = ""


def carry_out(wire: Wire, command: Command, kind: Kind, now: datetime) -> End:
    """One attempt. Raises what the client raises; what was sent is on the row before it is sent."""
    if kind.method is Method.TEST:
        return _test(wire)
    if command.watched is None:
        return End(WorkState.REFUSED, "The command names no deployment.")
    if command.location:
        return _follow(wire, command, now)
    if kind.uploads and files.waits(command) and not files.send(wire, command):
        return End(WorkState.FAILED, "The file is no longer here: choose it again.")
    return _METHODS[kind.method](wire, command, kind, now)


def _change(wire: Wire, command: Command, kind: Kind, now: datetime) -> End:
    """A change that may have arrived is not repeated blindly: the next attempt reads first and finds it done."""
    present = _present(wire, command, kind)
    if kind.matches(present, command.body):
        return End(WorkState.DONE, result=present, message="" if command.sent_at else "It stood so already.")
    if not kind.stands(present, command.read):
        return _conflict("It was changed at the source since this page was read.", present)
    reply = _send(wire, command, kind.method.value, _path(command, kind.path), present, now)
    return _replied(wire, reply, command, kind, lambda: _present(wire, command, kind))


def _remove(wire: Wire, command: Command, kind: Kind, now: datetime) -> End:
    """What is gone already is done."""
    try:
        present = _present(wire, command, kind)
        if not kind.stands(present, command.read):
            return _conflict("It was changed at the source since this page was read.", present)
        reply = _send(wire, command, "DELETE", _path(command, kind.path), present, now)
    except Refused as refused:
        if refused.status != 404:
            raise
        return End(WorkState.DONE, message="" if command.sent_at else "It was gone already.")
    return _replied(wire, reply, command, kind, dict)


def _create(wire: Wire, command: Command, kind: Kind, now: datetime) -> End:
    """What is to be made is looked for first: a lost answer never makes it twice."""
    entries = _entries(wire, command, kind)
    if command.sent_at is None:
        twin = next((one for one in entries if kind.named and kind.matches(one, command.body)), None)
        if twin is not None:
            return _conflict("There is one of this name already.", twin)
    else:
        known = command.before.get("ids") or ()
        made = [one for one in entries if id_of(one) not in known and kind.matches(one, command.body)]
        if made:
            return End(WorkState.DONE, result=made[0], message="The answer was lost, and it was found at the source.")
        if not _repeatable(kind, command):
            return _doubtful(command, now)
    before = {"ids": [id_of(one) for one in entries]}
    reply = _send(wire, command, "POST", _path(command, kind.path), before, now)
    return _replied(wire, reply, command, kind, lambda: reply.data)


def _consult(wire: Wire, command: Command, kind: Kind, now: datetime) -> End:
    """A question that is asked by POST."""
    reply = wire.send("POST", _path(command, kind.path), command.body, command.key)
    if not isinstance(reply.data, dict):
        raise Malformed("The answer is not an object.")
    return End(WorkState.DONE, result=reply.data)


def _test(wire: Wire) -> End:
    version = wire.version()
    first = wire.get("deployments/?limit=1").data
    total = first.get("totalCount", first.get("count")) if isinstance(first, dict) else None
    return End(WorkState.DONE, result={"version": version, "deployments": total})


_METHODS: dict[Method, Callable[[Wire, Command, Kind, datetime], End]] = {
    Method.CHANGE: _change,
    Method.REPLACE: _change,
    Method.REMOVE: _remove,
    Method.CREATE: _create,
    Method.CONSULT: _consult,
}


def _replied(wire: Wire, reply: Reply, command: Command, kind: Kind, after: Callable[[], Any]) -> End:
    """A job to be followed where the answer names one; done where it does not."""
    location = wire.path_of(reply.location) if reply.location else ""
    if location.startswith(JOBS):
        data = reply.data if isinstance(reply.data, dict) else {}
        return End(WorkState.RUNNING, result=data, location=location, progress=0.0)
    try:
        found = after()
    except DeploymentsError:  # the change was answered; how it looks now is seen by the next poll
        found = {}
    return End(WorkState.DONE, result=found if isinstance(found, dict) else {})


def _follow(wire: Wire, command: Command, now: datetime) -> End:
    """One look at the job. A job that the source no longer knows, or that never ends, is in doubt."""
    try:
        reply = wire.get(command.location)
    except Refused as refused:
        if refused.status not in {404, 410}:
            raise
        return End(WorkState.IN_DOUBT, "The source no longer knows this job.", command.result, command.location)
    data = reply.data if isinstance(reply.data, dict) else {}
    state = WorkState.DONE if reply.status == 303 else _OVER.get(str(data.get("status")).upper(), WorkState.RUNNING)
    report = str(data.get("message") or "")[:LONGEST_REPORT]
    message = report[:500]
    if state is WorkState.RUNNING and command.sent_at is not None and now - command.sent_at > FOLLOWED_FOR:
        return End(WorkState.IN_DOUBT, "The job has been running for a day; it is no longer followed.", command.result)
    if state in {WorkState.FAILED, WorkState.REFUSED}:
        told = "The job was stopped at the source." if state is WorkState.REFUSED else "The job failed at the source."
        return End(state, message or told, {**command.result, "report": report}, command.location)
    progress = 1.0 if state is WorkState.DONE else _share(data.get("progress"))
    return End(state, "", command.result, command.location, progress, message)


def _share(value: Any) -> float | None:
    """Progress as a share: some sources count to 1, some to 100."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        return None
    return min(float(value) if value <= 1 else value / 100, 1.0)


def _repeatable(kind: Kind, command: Command) -> bool:
    return kind.repeat is Repeat.SAFE or (kind.repeat is Repeat.KEYED and command.source.built_in)


def _doubtful(command: Command, now: datetime) -> End:
    assert command.sent_at is not None
    if now - command.sent_at < DOUBT_AFTER:
        return End(WorkState.PENDING, "The answer was lost; the source is asked whether it arrived.")
    return End(
        WorkState.IN_DOUBT,
        "The answer was lost and the source shows nothing new. It may have begun all the same: look there before you "
        "ask again.",
    )


def _conflict(problem: str, present: Mapping[str, Any]) -> End:
    return End(WorkState.CONFLICT, problem, {"present": dict(present)})


def _send(wire: Wire, command: Command, method: str, path: str, before: Mapping[str, Any], now: datetime) -> Reply:
    """Sends the change. That it may have happened is on the row before, whatever becomes of this process.

    A source that refuses it, or asks to wait, has done nothing of it; whether an earlier attempt has is another matter,
    so that is forgotten only where there was none.
    """
    first = command.sent_at is None
    if first:
        _note_sent(command, now, before)
    body = None if method == Method.REMOVE.value else opened(command.body)
    try:
        return wire.send(method, path, body, command.key)
    except (Refused, Unauthorised, Overloaded):
        if first:
            _note_sent(command, None, {})
        raise


def _note_sent(command: Command, at: datetime | None, before: Mapping[str, Any]) -> None:
    command.sent_at, command.before = at, dict(before)
    command.save(update_fields=["sent_at", "before"])


def _present(wire: Wire, command: Command, kind: Kind) -> dict[str, Any]:
    """What the source shows now; {} where nothing does."""
    if kind.reads is None:
        return {}
    path = _path(command, kind.reads)
    try:
        data = wire.pages(path) if kind.paged else wire.get(path).data
    except Refused as refused:
        if not kind.may_lack or refused.status != 404:
            raise
        return {}
    return data if isinstance(data, dict) else {}


def _entries(wire: Wire, command: Command, kind: Kind) -> list[dict[str, Any]]:
    """The list on which what is created will stand."""
    rows = _present(wire, command, kind).get("data")
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _path(command: Command, tail: str) -> str:
    assert command.watched is not None
    filled = tail.format(*command.ids)
    return filled[1:] if filled.startswith("/") else f"deployments/{command.watched.remote_id}/{filled}"
