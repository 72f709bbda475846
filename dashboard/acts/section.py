"""One section of the manage tab: its lines, its buttons, and how it is read and built."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from dashboard.acts.buttons import Button
from dashboard.acts.case import Case, entries
from dashboard.acts.rows import ACTS, Act
from monitoring import commands
from monitoring.models import CommandKind as C
from monitoring.questions import Question

#: Nobody polls these lists: one that is older is asked for again.
OLD = timedelta(minutes=5)


@dataclass(frozen=True)
class Line:
    """One thing of a list."""

    name: str
    facts: tuple[str, ...] = ()
    buttons: tuple[Button, ...] = ()
    tag: str = ""


@dataclass(frozen=True)
class Section:
    """A list of things with what can be done. `known`: whether the source has told the list yet."""

    slug: str
    title: str
    text: str = ""
    lines: tuple[Line, ...] = ()
    buttons: tuple[Button, ...] = ()
    empty: str = ""
    known: bool = True
    refused: str = ""
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Builder:
    """How a section is read and built."""

    asks: tuple[Question, ...]
    build: Callable[[Case], Section]
    by_batch_only: bool = False


def button(case: Case, kind: C, thing: dict[str, Any] | None = None, word: str = "") -> Button | None:
    """The button of an act; None for who may not change anything, a reason where the source does not support it."""
    act: Act = ACTS[kind.value]
    if case.role is None or not case.role.may_change or case.watched.gone_at is not None:
        return None
    href = reverse("act-on", args=[case.watched.pk, kind.value])
    if thing is not None:
        href += "?" + urlencode({"thing": thing["id"]})
    why = commands.obstacle(case.role, act.command, case.capabilities)
    return Button(word or act.word, href, act.at_once, act.typed, why)


def buttons(case: Case, *kinds: C, thing: dict[str, Any] | None = None) -> tuple[Button, ...]:
    return tuple(one for kind in kinds if (one := button(case, kind, thing)) is not None)


def told(case: Case, question: Question) -> tuple[bool, str]:
    """Whether the source has told it yet, and why it never will; "" where it may."""
    known = bool(case.shelf.payload(question))
    return known, "" if known or question.path not in case.shelf.refused() else "The source does not offer this."


def listed(
    case: Case, question: Question, slug: str, title: str, line: Callable[[Case, dict[str, Any]], Line], **more: Any
) -> Section:
    """A section around one list."""
    lines = tuple(line(case, one) for one in entries(case.shelf, question))
    known, refused = told(case, question)
    return Section(slug, title, lines=lines, known=known, refused=refused, **more)
