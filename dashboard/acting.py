"""How a page asks for a change at a source: once a form, only by those who may, and shown until it is decided.

`act_on` is all that a view needs; the page shows the command by `templates/dashboard/_commands.html` on every tab.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.core import signing
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.utils import timezone

from dashboard.charts import words
from dashboard.incidents import person
from dashboard.reader import PageRequest, Reader
from dashboard.shelf import objects
from monitoring import commands
from monitoring.commands import KINDS, BadTarget, Method, NotAllowed
from monitoring.configuration.edits import chosen
from monitoring.configuration.fields import FIELDS
from monitoring.configuration.present import QUESTIONS
from monitoring.configuration.values import value_at
from monitoring.configuration.values import words as setting_words
from monitoring.models import Command, CommandKind, Watched, WorkState

_SIGNER = signing.Signer(salt="vitals.form")
_STATUS = re.compile(r"^422: ")
#: As many differing fields are told of a conflict.
MOST_FIELDS = 6
#: As many bad places of a file are listed.
MOST_PLACES = 200


def new_nonce(user: User) -> str:
    """What makes a form count once: random, and signed for one person."""
    return _SIGNER.sign(f"{user.pk}.{secrets.token_hex(8)}")


def nonce_of(request: PageRequest) -> str:
    """The nonce of a posted form. Raises SuspiciousOperation (400) for one that this person was not given."""
    try:
        told = _SIGNER.unsign(request.POST.get("nonce", ""))
    except signing.BadSignature:
        raise SuspiciousOperation("The form was not made by this page.") from None
    owner, _, _ = told.partition(".")
    if owner != str(request.reader.user.pk):
        raise SuspiciousOperation("The form was made for somebody else.")
    return told


def act_on(
    request: PageRequest,
    watched: Watched,
    kind: CommandKind | str,
    body: Mapping[str, Any] | None = None,
    read: Mapping[str, Any] | None = None,
    *,
    target: str = "",
    name: str = "",
    once: str = "",
    key: str = "",
) -> Command:
    """Asks for a change in the reader's name; the same form sent twice asks once.

    `once`: what may be asked a single time whatever the form, such as the repetition of one command.

    `key`: under which the file that goes with it was kept.

    `body`: what is sent. `read`: the fields as the page showed them. `target`, `name`: the thing below the deployment.
    Answers 403 for who may not, 400 for a forged form or a thing that is not named by an id.
    """
    nonce = nonce_of(request)
    try:
        return commands.ask(
            request.reader.user,
            kind,
            watched.source,
            timezone.now(),
            watched=watched,
            target=target,
            name=name,
            body=body,
            read=read,
            nonce=once or nonce,
            key=key,
        )
    except NotAllowed as refused:
        raise PermissionDenied(str(refused)) from None
    except BadTarget as bad:
        raise SuspiciousOperation(str(bad)) from None


@dataclass(frozen=True)
class Field:
    """One field of a conflict: what was read, what was wanted, what stands there now."""

    name: str
    wanted: str
    present: str


@dataclass(frozen=True)
class Shown:
    """One command as a page shows it."""

    pk: int
    sentence: str
    state: WorkState
    tone: str
    who: str
    when: str
    text: str
    percent: int | None = None
    fields: tuple[Field, ...] = ()
    may_repeat: bool = False
    places: tuple[str, ...] = ()
    word: str = ""
    at_work: bool = False
    checks: tuple[tuple[str, str, str], ...] = ()
    kind: str = ""

    @property
    def is_open(self) -> bool:
        return self.state in {WorkState.PENDING, WorkState.RUNNING}

    @property
    def is_conflict(self) -> bool:
        return self.state == WorkState.CONFLICT


_TONES = {
    WorkState.DONE: "passing",
    WorkState.REFUSED: "failing",
    WorkState.FAILED: "failing",
    WorkState.CONFLICT: "warning",
    WorkState.IN_DOUBT: "warning",
}


def shown_of(reader: Reader, watched: Watched, now: datetime) -> list[Shown]:
    """The commands of a deployment that its pages show; no query while nothing was asked for."""
    role = reader.role_in(watched.source.team_id)
    may = role is not None and role.may_change
    return [shown(command, reader, now, may_change=may) for command in commands.shown(watched, now)]


def shown(command: Command, reader: Reader, now: datetime, *, may_change: bool) -> Shown:
    """One command in words."""
    kind, state = KINDS.get(command.kind), WorkState(command.state)
    sentence = kind.sentence(command.name, done=state is WorkState.DONE) if kind else command.word
    fields = _differences(command) if state is WorkState.CONFLICT else ()
    ended = state not in {WorkState.PENDING, WorkState.RUNNING, WorkState.DONE}
    creates = kind is not None and kind.method is Method.CREATE
    return Shown(
        pk=command.pk,
        sentence=sentence,
        state=state,
        tone=_TONES.get(state, ""),
        who=person(command.asked_by) or "somebody",
        when=words.stamp(command.asked_at, reader.zone, now),
        text=_text(command, state),
        percent=round(command.progress * 100) if command.progress is not None and state is WorkState.RUNNING else None,
        fields=fields,
        at_work=state is WorkState.RUNNING and bool(command.location),
        may_repeat=may_change
        and ended
        and not (creates and state is WorkState.CONFLICT)
        and "file" not in command.body,
        places=_places(command)[:MOST_PLACES],
        word="Stopped" if _stopped(command, state) else state.label,
        kind=command.kind,
    )


def _stopped(command: Command, state: WorkState) -> bool:
    """Whether what the source had begun was stopped there: nobody refused it."""
    return state is WorkState.REFUSED and bool(command.location)


def _places(command: Command) -> tuple[str, ...]:
    """The lines of a failed job's report about a file, if it has more than one: what is wrong, place by place."""
    kind = KINDS.get(command.kind)
    if kind is None or not kind.uploads:
        return ()
    report = command.result.get("report") if isinstance(command.result, dict) else None
    lines = report.splitlines() if isinstance(report, str) else []
    return tuple(line.removeprefix("Nothing was taken in. ") for line in lines) if len(lines) > 1 else ()


def _text(command: Command, state: WorkState) -> str:
    if state is WorkState.PENDING and not command.source.enabled:
        return "The source is paused: it waits until somebody lets it go on."
    if state is WorkState.PENDING:
        return f"{command.problem} Tried again soon." if command.problem else "Waiting for the source."
    if state is WorkState.RUNNING:
        return command.message or command.problem or "Under way at the source."
    if places := _places(command):
        most = f"More than {MOST_PLACES}" if len(places) > MOST_PLACES else str(len(places))
        return f"{command.problem.splitlines()[0].split('. ')[0]}. {most} places are wrong:"
    if _stopped(command, state):
        return "The job was stopped at the source." if command.problem == "Cancelled." else _problem(command)
    return command.message if state is WorkState.DONE else _problem(command)


def _problem(command: Command) -> str:
    """What went wrong; a setting is named as on its form, not as in the body that was sent."""
    text: str = command.problem
    if command.kind not in QUESTIONS:
        return text
    for (kind, path), one in FIELDS.items():
        if kind == command.kind:
            text = text.replace(f"{'.'.join(path)}: ", f"{one.word}: ")
    return _STATUS.sub("", text)


def _differences(command: Command) -> tuple[Field, ...]:
    """What was wanted against what stands there now, field by field."""
    present = command.result.get("present") if isinstance(command.result, dict) else None
    found = present if isinstance(present, dict) else {}
    if command.kind in QUESTIONS:
        return _settings(CommandKind(command.kind), command, found)
    if command.kind == CommandKind.RUNTIME:
        return _parameters(command, found)[:MOST_FIELDS]
    if command.kind == CommandKind.SHARE:
        return _role(command, found)
    names = [*command.body, *(name for name in command.read if name not in command.body)]
    rows = [Field(name, _value(command.body.get(name)), _value(found.get(name))) for name in names if name in found]
    return tuple(row for row in rows if row.wanted != row.present)[:MOST_FIELDS]


def _parameters(command: Command, present: Mapping[str, Any]) -> tuple[Field, ...]:
    """The parameters that stand otherwise than the person saw them."""
    wanted = {one["fieldName"]: one for one in command.body.get("runtimeParameterValues", ())}
    before = {one.get("fieldName"): one for one in command.read.get("data", ()) if isinstance(one, dict)}
    rows = [
        one for one in present.get("data") or () if isinstance(one, dict) and one != before.get(one.get("fieldName"))
    ]
    return tuple(
        Field(str(one.get("fieldName")), _parameter(wanted.get(one.get("fieldName"))), _value(one.get("overrideValue")))
        for one in rows
    )


def _role(command: Command, present: Mapping[str, Any]) -> tuple[Field, ...]:
    """The role of the one whose role somebody else changed meanwhile."""
    wanted: Mapping[str, Any] = next(iter(command.body.get("roles", ())), {})
    now = next((one for one in objects(present.get("data")) if one.get("id") == wanted.get("id")), {})
    rows = [Field(name, _value(wanted.get(name)), _value(now.get(name))) for name in ("role", "canShare")]
    return tuple(row for row in rows if row.wanted != row.present)


def _parameter(asked: Mapping[str, Any] | None) -> str:
    """A value that was asked for; a secret stays one."""
    if asked is None:
        return "as the package says"
    return "a secret" if isinstance(asked.get("value"), dict) else _value(asked.get("value"))


def _settings(kind: CommandKind, command: Command, present: Mapping[str, Any]) -> tuple[Field, ...]:
    """The settings that the person changed, and those that were changed at the source meanwhile."""
    wishes = {one.field.path: one for one in chosen(kind, command.body, command.read)}
    mine = [
        Field(one.field.word, setting_words(one.field, one.after), setting_words(one.field, value_at(present, path)))
        for path, one in wishes.items()
    ]
    moved = [
        Field(one.field.word, "as it is", setting_words(one.field, one.after))
        for one in chosen(kind, present, command.read)
        if one.field.path not in wishes and one.before is not None
    ]
    return tuple([*mine, *moved][:MOST_FIELDS])


def _value(value: Any) -> str:
    """A value of a setting in a few words."""
    if value is None:
        return words.NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return words.shortened(text, 80)
