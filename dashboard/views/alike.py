"""The change that was just asked for one deployment, offered to those like it: what it would do to each, then done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from dashboard import seen
from dashboard.acting import nonce_of
from dashboard.charts import words
from dashboard.pages import page, part, render
from dashboard.reader import PageRequest
from monitoring import alike, backtest, bulk
from monitoring.client import HealthSettings
from monitoring.configuration.edits import Edit, applied
from monitoring.configuration.plan import Step
from monitoring.configuration.values import words as setting_words
from monitoring.incidents.policy import policy_of
from monitoring.models import AlertPolicy, Command, CommandKind, Watched
from monitoring.noise import TRIED_DAYS
from monitoring.poll.facts import shaped

#: The pasts of so many are replayed in one go; the page asks for the next by itself.
CHUNK = 4


@dataclass(frozen=True)
class Line:
    """One deployment of the list. `loosens`: what lets more pass there, in words."""

    watched: Watched
    changes: tuple[tuple[str, str, str], ...]
    loosens: tuple[str, ...]


@page
@require_http_methods(["GET", "HEAD", "POST"])
def show(request: PageRequest, pk: int, command_pk: int) -> HttpResponse:
    """What the same change would do to each; posted, it is asked for each that was chosen."""
    watched, command = _asked(request, pk, command_pk)
    now = timezone.now()
    changes, own = alike.carriable(command)
    found = alike.carried(CommandKind(command.kind), changes, alike.like(watched)[: alike.MOST], now)
    moved = request.method == "POST" and request.POST.get("agreed") != found.digest
    picked = [step for step in found.steps if str(step.watched.pk) in request.POST.getlist("picked")]
    if request.method == "POST" and picked and not moved:
        return _carry(request, picked, found, now)
    context = {
        "nav": "deployment",
        "watched": watched,
        "command": command,
        "wishes": [_words(one) for one in changes],
        "own": [one.field.word for one in own],
        "lines": [_line(step) for step in found.steps],
        "left": found.left,
        "agreed": found.digest,
        "moved": moved,
        "none_picked": request.method == "POST" and not picked and not moved,
        "tags": words.listed(_tags(watched), 4),
        "replayed": command.kind == CommandKind.HEALTH_SETTINGS and bool(found.steps),
    }
    return render(request, "dashboard/alike.html", context, around=pk, status=409 if moved else 200)


def _carry(request: PageRequest, picked: Sequence[Step], found: alike.Carried, now: datetime) -> HttpResponse:
    """One command a deployment, together in one run that a page follows."""
    count = words.count(len(picked), "deployment")
    told = (
        f"{', '.join(one.field.word.lower() for one in picked[0].edits[:3])} changed for {count}, as for one like them."
    )
    row = bulk.run(
        request.reader.user,
        bulk.ALIKE,
        [step.watched for step in picked],
        {"steps": {step.watched.pk: step for step in picked}},
        now,
        nonce_of(request),
        words=f"{told[:1].upper()}{told[1:]}"[:300],
        left=[(one.label, why) for one, why in found.left],
    )
    return redirect("bulk-progress", row.pk)


@page
def tried(request: PageRequest, pk: int, command_pk: int) -> HttpResponse:
    """The past of the next few under the change, added to what was replayed before. Changes nothing."""
    watched, command = _asked(request, pk, command_pk)
    now = timezone.now()
    left, done, totals = _so_far(request.GET.get("so_far", ""), command)
    steps, left = _next_of(watched, command, left, now)
    policy = policy_of(AlertPolicy.objects.filter(team=watched.source.team_id).first())
    rows = []
    for step in steps:
        past = backtest.past_of(step.watched, now, length=TRIED_DAYS)
        compared = backtest.compare(past, shaped(HealthSettings, applied(step.present, step.edits)), policy=policy)
        pairs = (
            compared.current.incidents,
            compared.proposed.incidents,
            compared.current.notices,
            compared.proposed.notices,
        )
        rows.append((step.watched, pairs))
        totals = [total + one for total, one in zip(totals, pairs, strict=True)]
    done += len(rows)
    context = {
        "watched": watched,
        "command": command,
        "rows": rows,
        "incidents": totals[:2],
        "mails": totals[2:],
        "done": done,
        "of": done + len(left),
        "days": TRIED_DAYS,
        "so_far": seen.sealed([left, done, totals], *_sum_of(command)) if left else "",
    }
    return part(request, "dashboard/_alike_tried.html", context)


def _next_of(
    watched: Watched, command: Command, left: list[int] | None, now: datetime
) -> tuple[Sequence[Step], list[int]]:
    """The next few steps, and the deployments after them. Who comes is settled once; each step is worked out once."""
    kind, (changes, _) = CommandKind(command.kind), alike.carriable(command)
    rows = alike.like(watched)
    if left is None:
        steps = alike.carried(kind, changes, rows[: alike.MOST], now).steps
        return steps[:CHUNK], [step.watched.pk for step in steps[CHUNK:]]
    return alike.carried(kind, changes, rows.filter(pk__in=left[:CHUNK]), now).steps, left[CHUNK:]


def _so_far(text: str, command: Command) -> tuple[list[int] | None, int, list[int]]:
    """Which are left (None before the first), how many were replayed, and what that came to, as we signed it."""
    if not text:
        return None, 0, [0, 0, 0, 0]
    try:
        left, done, totals = seen.opened(text, *_sum_of(command))
    except seen.NotSeen:
        raise SuspiciousOperation("This sum was not made by the page of this change: open it again.") from None
    return left, done, totals


def _sum_of(command: Command) -> tuple[str, int]:
    return "alike", command.pk


def _asked(request: PageRequest, pk: int, command_pk: int) -> tuple[Watched, Command]:
    """The deployment and the command that changed it. 404 for what is not the reader's, 403 for who may not change."""
    watched = request.reader.watched_or_404(pk)
    command = watched.commands.filter(pk=command_pk, kind__in=alike.KINDS).first()
    if command is None:
        raise Http404("There is no such change.")
    role = request.reader.role_in(watched.source.team_id)
    if role is None or not role.may_change:
        raise PermissionDenied("Only owners and managers of the team change settings at its sources.")
    return watched, command


def _line(step: Step) -> Line:
    return Line(step.watched, tuple(_words(one) for one in step.edits), tuple(one.words for one in step.loosens))


def _words(one: Edit) -> tuple[str, str, str]:
    """(field, before, after)."""
    return one.field.word, setting_words(one.field, one.before), setting_words(one.field, one.after)


def _tags(watched: Watched) -> list[str]:
    found = watched.tags if isinstance(watched.tags, list) else []
    return [
        f"{one['name']}={one.get('value', '')}".rstrip("=")
        for one in found
        if isinstance(one, dict) and one.get("name")
    ]
