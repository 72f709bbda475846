"""Everything that happened to a deployment within the range of a page, by kind."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.db.models import OuterRef, Q, Subquery
from django.urls import reverse

from dashboard.charts import words
from dashboard.incidents import area_words, person
from monitoring import questions as q
from monitoring.clock import parse_time
from monitoring.configuration.changes import field_of, settings_changes
from monitoring.configuration.values import words as setting_words
from monitoring.incidents import silences
from monitoring.models import (
    Area,
    Command,
    CommandKind,
    EventKind,
    Incident,
    IncidentEvent,
    Note,
    SettingsChange,
    Silence,
    SilenceKind,
    Status,
    Transition,
    WorkState,
)
from monitoring.questions import Question

if TYPE_CHECKING:
    from dashboard.tabs.subject import Subject

MOST = 200
"""Of each kind, the newest."""


CHANGES_FIELDS = frozenset(
    {
        CommandKind.HEALTH_SETTINGS,
        CommandKind.SETTINGS,
        CommandKind.DETAILS,
        CommandKind.REPLAY_SETTINGS,
        CommandKind.RETRAINING_SETTINGS,
    }
)
"""Changes that name the fields of what they change."""
MOVES = frozenset(
    {
        CommandKind.HEALTH_SETTINGS,
        CommandKind.SETTINGS,
        CommandKind.DATA_DELETE,
        CommandKind.ACTIVATE,
        CommandKind.DEACTIVATE,
    }
)
"""Changes after which numbers may be others."""


class Kind(StrEnum):
    """What can happen, in the order in which the filters stand."""

    MODEL = "model"
    SETTINGS = "settings"
    INCIDENT = "incident"
    VERDICT = "verdict"
    RETRAINING = "retraining"
    BATCH = "batch"
    SILENCE = "silence"
    NOTE = "note"

    @property
    def label(self) -> str:
        return LABELS[self]


LABELS: Mapping[Kind, str] = {
    Kind.MODEL: "Models",
    Kind.SETTINGS: "Changes",
    Kind.INCIDENT: "Incidents",
    Kind.VERDICT: "Verdicts",
    Kind.RETRAINING: "Retraining",
    Kind.BATCH: "Batches",
    Kind.SILENCE: "Silences",
    Kind.NOTE: "Notes",
}


@dataclass(frozen=True)
class Entry:
    """One thing that happened. `word`: as short as a label on a chart. `until`: of what lasted, its known end."""

    at: datetime
    kind: Kind
    fact: str
    detail: str = ""
    word: str = ""
    status: str = ""
    by: str = ""
    href: str = ""
    until: datetime | None = None
    note: Note | None = None
    reconstructed: bool = False


def questions() -> list[Question]:
    """Stored answers that tell of what happened; read where they are there, never asked for by charts."""
    return [q.retraining_policies()]


def entries(subject: Subject, kinds: Collection[Kind] = tuple(Kind)) -> list[Entry]:
    """What happened in the page's range, newest first: one statement a kind, of changes two."""
    found = [entry for kind in kinds for entry in GATHER[kind](subject)]
    return sorted(found, key=lambda entry: (entry.at, entry.fact), reverse=True)


def _within(subject: Subject, moment: datetime | None) -> bool:
    """In the range, and not after the moment at which the page looks back."""
    return moment is not None and subject.view.start <= moment < subject.view.end and moment <= subject.anchor


def models(subject: Subject) -> list[Entry]:
    """Champions that took over, as the watcher saw them and as the source tells it."""
    told = {row.get("modelId"): row for row in subject.shelf.entries(q.model_history())}
    found = []
    for before, after in zip((None, *subject.models), subject.models, strict=False):
        if not _within(subject, after.since) or (before is not None and before.model_id == after.model_id):
            continue
        name = after.name or f"model {after.model_id[-6:]}"
        found.append(
            Entry(
                after.since,
                Kind.MODEL,
                f"{name} {'took over' if before else 'went live'}",
                _replaced(before.name if before else "", told.get(after.model_id)),
                word=f"{name} took over" if before else "",
            )
        )
    return found


def _replaced(before: str, told: Mapping[str, Any] | None) -> str:
    reason = str((told or {}).get("replacementReason") or "").replace("_", " ").lower()
    parts = [f"Took over from {before}." if before else "", f"Reason: {reason}." if reason else ""]
    return " ".join(part for part in parts if part)


def commanded(subject: Subject) -> list[Entry]:
    """Changes that were asked for here and that the source took; on charts those that may move a number."""
    rows = Command.objects.filter(
        watched=subject.watched,
        state=WorkState.DONE,
        finished_at__gte=subject.view.start,
        finished_at__lt=min(subject.view.end, subject.anchor),
    )
    rows = rows.exclude(kind__in=(CommandKind.TEST_SOURCE, CommandKind.MODEL_CHECK))
    return [_command(row) for row in rows.select_related("asked_by").order_by("-finished_at")[:MOST]]


def _command(row: Command) -> Entry:
    label = CommandKind(row.kind).label if row.kind in CommandKind.values else row.kind
    changed = row.kind in CHANGES_FIELDS
    fields = sorted(row.body) if changed and isinstance(row.body, dict) else []
    return Entry(
        row.finished_at or row.asked_at,
        Kind.SETTINGS,
        f"{label} changed" if changed else f"{label}: {row.name}" if row.name else label,
        words.listed(fields, 4),
        word=(f"{label.lower()} changed" if changed else label.lower()) if row.kind in MOVES else "",
        by=person(row.asked_by),
    )


def changed(subject: Subject) -> list[Entry]:
    """What was asked for here, and what else was seen to change at the source."""
    end = min(subject.view.end, subject.anchor)
    seen = [row for row in settings_changes(subject.watched, subject.view.start, end) if row.command_id is None]
    return [*commanded(subject), *(_seen(row) for row in seen[-MOST:])]


def _seen(row: SettingsChange) -> Entry:
    field = field_of(row)
    name = field.word if field is not None else row.path
    before, after = (setting_words(field, value) if field is not None else value for value in (row.before, row.after))
    return Entry(
        row.seen_at,
        Kind.SETTINGS,
        f"{name}: {before} to {after}",
        row.words or "Changed at the source.",
        word="settings loosened" if row.loosens else "settings changed",
        status=Status.WARNING.value if row.loosens else "",
        by="at the source",
        href=reverse("settings", args=[row.watched_id]) + "?section=changes",
    )


def incidents(subject: Subject) -> list[Entry]:
    """Beginnings and ends of trouble; an end that came after the page's moment is not known there."""
    start, end = subject.view.start, subject.view.end
    touched = Q(began_at__gte=start, began_at__lt=end) | Q(resolved_at__gte=start, resolved_at__lt=end)
    opened = IncidentEvent.objects.filter(incident=OuterRef("pk"), kind=EventKind.OPENED).order_by("at", "pk")
    rows = Incident.objects.filter(touched, watched=subject.watched, opened_at__lte=subject.anchor)
    found = []
    for row in rows.annotate(at_first=Subquery(opened.values("text")[:1])).order_by("-opened_at")[:MOST]:
        area, href = area_words(row.area), reverse("incident", args=[row.pk])
        ended = row.resolved_at if row.resolved_at and row.resolved_at <= subject.anchor else None
        worst, first = Status(row.worst), row.at_first  # type: ignore[attr-defined]
        if _within(subject, row.began_at):
            found.append(
                Entry(
                    row.began_at,
                    Kind.INCIDENT,
                    f"Incident #{row.pk} began: {area} {worst.label.lower()}",
                    f"When it was opened: {first}" if first else "",
                    word=f"{area} {worst.label.lower()}",
                    status=row.worst,
                    href=href,
                    until=ended,
                    reconstructed=row.reconstructed,
                )
            )
        if ended is not None and _within(subject, ended):
            fact = f"Incident #{row.pk} ended: {area} after {words.duration(ended - row.began_at)}"
            passing = Status.PASSING.value
            found.append(Entry(ended, Kind.INCIDENT, fact, word=f"{area} over", status=passing, href=href))
    return found


def verdicts(subject: Subject) -> list[Entry]:
    """Every change of a verdict."""
    rows = Transition.objects.filter(
        watched=subject.watched, at__gte=subject.view.start, at__lt=subject.view.end, at__lte=subject.anchor
    )
    return [
        Entry(
            row.at,
            Kind.VERDICT,
            f"{Area(row.area).label}: {Status(row.old).label.lower()} to {Status(row.new).label.lower()}",
            row.reason,
            status=row.new,
            reconstructed=row.reconstructed,
        )
        for row in rows.order_by("-at", "-pk")[:MOST]
    ]


def retraining(subject: Subject) -> list[Entry]:
    """Runs that the source told of, with what came out of them."""
    found: dict[str, Entry] = {}
    for policy in subject.shelf.entries(q.retraining_policies()):
        newest = policy.get("latestRun")
        listed = subject.shelf.entries(q.retraining_runs(str(policy.get("id") or "")))
        for run in [*listed, *([newest] if isinstance(newest, dict) else [])]:
            at = parse_time(run.get("startTime"))
            if at is not None and _within(subject, at):
                found[str(run.get("id"))] = _run(subject, policy, run, at)
    return list(found.values())[:MOST]


def _run(subject: Subject, policy: Mapping[str, Any], run: Mapping[str, Any], at: datetime) -> Entry:
    name, state = str(policy.get("name") or "a policy"), str(run.get("status") or "")
    failed = state == "failed"
    ended = parse_time(run.get("finishTime"))
    made = "A challenger came out of it." if run.get("challengerId") else ""
    if not made and run.get("modelPackageId"):
        made = "A model package came out of it."
    return Entry(
        at,
        Kind.RETRAINING,
        f"Retraining by {name}: {state}" if state else f"Retraining by {name}",
        str(run.get("errorMessage") or "") or made,
        word=f"retraining {'failed' if failed else 'run'}",
        status=Status.FAILING.value if failed else "",
        until=ended,
    )


def batches(subject: Subject) -> list[Entry]:
    """Batches that the source lists, by when they were made."""
    rows = subject.shelf.entries(q.batches())
    found = []
    for row in rows:
        at = parse_time(row.get("createdAt"))
        if at is not None and _within(subject, at):
            n = row.get("predictionsCount")
            detail = f"{words.number(n, 0)} predictions" if isinstance(n, int | float) else ""
            found.append(Entry(at, Kind.BATCH, f"Batch {row.get('name') or row.get('id')}", detail))
    return sorted(found, key=lambda entry: entry.at, reverse=True)[:MOST]


def silenced(subject: Subject) -> list[Entry]:
    """Silences and maintenance windows that covered the deployment, each from its start."""
    watched, source = subject.watched, subject.watched.source
    narrowed = Q(watched=watched) | Q(watched__isnull=True)
    rows = Silence.objects.filter(
        narrowed,
        team=source.team_id,
        created_at__lte=subject.anchor,
        starts_at__lt=subject.view.end,
        ends_at__gte=subject.view.start,
    )
    found = []
    for row in rows.select_related("owner").order_by("-starts_at")[:MOST]:
        if not silences.covers(row, watched, source.pk, row.area):
            continue
        for span in silences.spans(row, subject.view.start, subject.view.end):
            if _within(subject, span.start):
                word = "Maintenance" if row.kind == SilenceKind.MAINTENANCE else "Silence"
                over = f" of {area_words(row.area)}" if row.area else ""
                found.append(
                    Entry(span.start, Kind.SILENCE, f"{word}{over}", row.reason, by=person(row.owner), until=span.end)
                )
    return found[:MOST]


def notes(subject: Subject) -> list[Entry]:
    """What people wrote, at the time that it is about."""
    rows = Note.objects.filter(
        watched=subject.watched,
        at__gte=subject.view.start,
        at__lt=subject.view.end,
        written_at__lte=subject.anchor,
    )
    return [
        Entry(row.at, Kind.NOTE, row.text, word=row.text.splitlines()[0], by=person(row.author), note=row)
        for row in rows.select_related("author", "edited_by").order_by("-at", "-pk")[:MOST]
    ]


GATHER: Mapping[Kind, Callable[[Any], Iterable[Entry]]] = {
    Kind.MODEL: models,
    Kind.SETTINGS: changed,
    Kind.INCIDENT: incidents,
    Kind.VERDICT: verdicts,
    Kind.RETRAINING: retraining,
    Kind.BATCH: batches,
    Kind.SILENCE: silenced,
    Kind.NOTE: notes,
}
