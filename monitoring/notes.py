"""Notes of people about deployments: who may write, change and remove them."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction

from monitoring.models import Note, Role, Watched

LONGEST = 2000
#: A note may be about something that is planned.
AHEAD = timedelta(days=366)


class BadNote(ValueError):
    """What a note cannot be; `field` names the form field at fault."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def check(text: str, at: datetime, now: datetime) -> str:
    """The text as it is kept. Raises BadNote for an empty or overlong one, and for a time too far ahead."""
    text = text.strip()
    if not text:
        raise BadNote("text", "Write something.")
    if len(text) > LONGEST:
        raise BadNote("text", f"At most {LONGEST} characters.")
    if "\x00" in text:
        raise BadNote("text", "Null characters cannot be kept.")
    if at > now + AHEAD:
        raise BadNote("at", f"At most {AHEAD.days} days ahead.")
    return text


def write(watched: Watched, user: User, text: str, at: datetime, now: datetime) -> Note:
    """A new note. Raises BadNote."""
    return Note.objects.create(watched=watched, author=user, text=check(text, at, now), at=at, written_at=now)


def may_change(note: Note, user: User, role: Role | None) -> bool:
    """Its author while they may act in the team, and those who may change things there."""
    return role is not None and role.may_act and (note.author_id == user.pk or role.may_change)


@transaction.atomic
def change(note: Note, user: User, text: str, at: datetime, now: datetime) -> Note:
    """Another text or time. Raises BadNote; a note that is gone is not made again."""
    row = Note.objects.select_for_update(of=("self",)).get(pk=note.pk)
    row.text, row.at = check(text, at, now), at
    row.edited_at, row.edited_by = now, user
    row.save(update_fields=["text", "at", "edited_at", "edited_by"])
    return row
