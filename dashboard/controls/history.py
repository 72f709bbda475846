"""What was changed in the settings of a deployment, compared and ready to be put back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dashboard import seen
from dashboard.controls import present
from dashboard.incidents import person
from dashboard.tabs.subject import Subject
from monitoring.configuration.changes import field_of
from monitoring.configuration.fields import SECTIONS, Section
from monitoring.configuration.values import Known, same, value_at, words
from monitoring.models import CommandKind, SettingsChange

LISTED = 100


@dataclass(frozen=True)
class Changed:
    """One change as shown. `outcome`: who was told of it, or what holds that back.

    `restorable`: the former value is known and does not stand there now. `seen`: what does, signed for the button.
    """

    pk: int
    word: str
    section: str
    before: str
    after: str
    who: str
    since: datetime | None
    seen_at: datetime
    loosens: str
    words: str
    outcome: str
    held_until: datetime | None
    restorable: bool
    seen: str


def changed(subject: Subject, known: Known, *, section: Section | None = None, limit: int = LISTED) -> list[Changed]:
    """The newest changes first; of one section if one is given. One statement; none while nothing has changed."""
    if subject.watched.settings_changed_at is None:
        return []
    rows = SettingsChange.objects.filter(watched=subject.watched, seen_at__lte=subject.anchor).select_related("by")
    if section is not None:
        rows = rows.filter(kind=section.kind, path__in=[field.name for field in section.fields])
    return [_shown(subject, row, known) for row in rows.order_by("-seen_at", "-pk")[:limit]]


def section_of(change: SettingsChange) -> Section | None:
    """The section in which the changed field is edited."""
    found = field_of(change)
    return next((one for one in SECTIONS if one.kind == change.kind and found in one.fields), None)


def about(change: SettingsChange) -> tuple[str, int]:
    """Which button it is that stood beside what somebody saw."""
    return "restore", change.pk


def _shown(subject: Subject, row: SettingsChange, known: Known) -> Changed:
    field, section = field_of(row), section_of(row)
    now = value_at(present.payload(subject, CommandKind(row.kind)), tuple(row.path.split(".")))
    restorable = section is not None and not same(now, row.before)
    return Changed(
        pk=row.pk,
        word=field.word if field is not None else row.path,
        section=section.word if section is not None else "",
        before=words(field, row.before, known) if field is not None else str(row.before),
        after=words(field, row.after, known) if field is not None else str(row.after),
        who=person(row.by) if row.by is not None else "",
        since=row.since,
        seen_at=row.seen_at,
        loosens=row.loosens,
        words=row.words,
        outcome=row.outcome if row.loosens else "",
        held_until=row.held_until,
        restorable=restorable,
        seen=seen.sealed(now, *about(row)) if restorable else "",
    )
