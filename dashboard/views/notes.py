"""Writing, changing and removing notes about a deployment."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from dashboard.noting import noted
from dashboard.pages import page, render
from dashboard.reader import PageRequest, Reader
from dashboard.views.incidents import moment
from monitoring import notes
from monitoring.audit import facts
from monitoring.models import AuditAction as A
from monitoring.models import Note, Watched
from monitoring.notes import BadNote

TOLD = ("text", "at")


class NoteForm(forms.Form):
    """A text, and the time that it is about."""

    text = forms.CharField(max_length=notes.LONGEST, widget=forms.Textarea(attrs={"rows": 4}))
    at = forms.CharField(required=False)

    def __init__(self, *args: Any, reader: Reader, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.reader, self.now = reader, now

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or self.cleaned_data
        given = cleaned.get("at", "").strip()
        at = moment(given, self.reader) if given else self.now
        if at is None:
            self.add_error("at", "Give a day and a time.")
            return cleaned
        cleaned["at"] = at
        if "text" in cleaned:
            try:
                notes.check(cleaned["text"], at, self.now)
            except BadNote as bad:
                self.add_error(bad.field, str(bad))
        return cleaned


@page
@require_http_methods(["GET", "POST"])
def add(request: PageRequest, pk: int) -> HttpResponse:
    """A new note about a deployment."""
    watched, now = request.reader.watched_or_404(pk), timezone.now()
    role = request.reader.role_in(watched.source.team_id)
    if role is None or not role.may_act:
        raise PermissionDenied("Your role is read only: somebody else has to write it down.")
    form = NoteForm(request.POST or None, reader=request.reader, now=now, initial={"at": _local(now, request.reader)})
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            note = notes.write(watched, request.reader.user, form.cleaned_data["text"], form.cleaned_data["at"], now)
            noted(request, A.NOTE_WRITTEN, watched.label, team=watched.source.team, after=facts(note, *TOLD))
        messages.success(request, "Noted. It stands on every chart of the deployment.", extra_tags="passing")
        return _back(watched)
    return _form(request, watched, form, None)


@page
@require_http_methods(["GET", "POST"])
def change(request: PageRequest, pk: int) -> HttpResponse:
    """Another text or time."""
    note, now = _note(request, pk), timezone.now()
    initial = {"text": note.text, "at": _local(note.at, request.reader)}
    form = NoteForm(request.POST or None, reader=request.reader, now=now, initial=initial)
    if request.method == "POST" and form.is_valid():
        watched, before = note.watched, facts(note, *TOLD)
        try:
            with transaction.atomic():
                new = notes.change(note, request.reader.user, form.cleaned_data["text"], form.cleaned_data["at"], now)
                after = facts(new, *TOLD)
                noted(request, A.NOTE_CHANGED, watched.label, team=watched.source.team, before=before, after=after)
        except Note.DoesNotExist:
            raise Http404("The note was removed meanwhile.") from None
        return _back(note.watched)
    return _form(request, note.watched, form, note)


@page
@require_POST
def remove(request: PageRequest, pk: int) -> HttpResponse:
    """Takes a note away."""
    note = _note(request, pk)
    watched = note.watched
    with transaction.atomic():
        noted(request, A.NOTE_REMOVED, watched.label, team=watched.source.team, before=facts(note, *TOLD))
        note.delete()
    messages.success(request, "The note is gone.", extra_tags="passing")
    return _back(note.watched)


def _note(request: PageRequest, pk: int) -> Note:
    """The note, for those who may change it."""
    reader = request.reader
    found = Note.objects.filter(watched__source__team__in=reader.team_ids, pk=pk).select_related(
        "watched__source__team"
    )
    note = found.first()
    if note is None:
        raise Http404("There is no such note, or none that your teams may see.")
    if not notes.may_change(note, reader.user, reader.role_in(note.watched.source.team_id)):
        raise PermissionDenied("Only its author and the team's owners and managers may change a note.")
    return note


def _form(request: PageRequest, watched: Watched, form: NoteForm, note: Note | None) -> HttpResponse:
    context = {"nav": "deployment", "watched": watched, "form": form, "note": note, "longest": notes.LONGEST}
    return render(request, "dashboard/note_form.html", context, around=watched.pk)


def _back(watched: Watched) -> HttpResponse:
    return redirect(reverse("history", args=[watched.pk]) + "#list")


def _local(at: datetime, reader: Reader) -> str:
    return at.astimezone(reader.zone).strftime("%Y-%m-%dT%H:%M")
