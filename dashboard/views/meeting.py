"""The meeting: one deployment at a time, with its verdict, its note and what is promised. Several people take part."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from dashboard.noting import noted
from dashboard.pages import page, part, render
from dashboard.reader import PageRequest
from dashboard.reviews import agenda as columns
from dashboard.reviews import charts as pictures
from dashboard.reviews import standing
from dashboard.reviews.access import acting, may_act, review_or_404
from dashboard.reviews.forms import PromiseForm, today
from dashboard.reviews.restated import restated
from dashboard.views import record
from monitoring.audit import facts
from monitoring.models import (
    ActionItem,
    AuditAction,
    Review,
    ReviewItem,
    ReviewPresence,
    ReviewVerdict,
    SignedReview,
)
from monitoring.reviews import compare, meeting, records

#: Somebody who looked within this time takes part.
PRESENT = timedelta(minutes=2)
DUE_IN = timedelta(days=7)


@page
def show(request: PageRequest, pk: int) -> HttpResponse:
    """The record of a signed review; an open one at its first item without a verdict."""
    review = review_or_404(request, pk)
    if review.is_signed:
        return record.show(request, review)
    items = list(review.items.all())
    first = next((item for item in items if not item.verdict), items[0] if items else None)
    return _meeting(request, review, items, first)


@page
def item(request: PageRequest, pk: int, item_pk: int) -> HttpResponse:
    """The meeting at one item."""
    review = review_or_404(request, pk)
    if review.is_signed:
        return redirect("review", pk)
    items = list(review.items.select_related("saved_by"))
    chosen = next((one for one in items if one.pk == item_pk), None)
    if chosen is None:
        raise Http404("This deployment is not on the agenda any more.")
    return _meeting(request, review, items, chosen)


def _meeting(request: PageRequest, review: Review, items: list[ReviewItem], chosen: ReviewItem | None) -> HttpResponse:
    now = timezone.now()
    reader = request.reader
    meeting.attend(review, reader.user, now)
    column = columns.column(review, items, chosen)
    context: dict[str, Any] = {
        "nav": "reviews",
        "review": review,
        "now": now,
        "column": column,
        "headline": columns.headline(items, column.missing),
        "may_act": may_act(request, review),
        "verdict_counts": columns.verdict_counts(items, review),
        "present": present(review, now),
        "promises": records.promises_of(review.previous),
        "today": today(now, reader),
        "item": chosen,
    }
    if review.previous is not None:
        found = compare.compare(compare.standings(review.previous), compare.open_standings(items, review.calm))
        context["compared"] = found.words()
    if chosen is not None:
        context |= _chosen(request, review, chosen, now)
    return render(request, "dashboard/meeting.html", context, neighbours=False)


def _chosen(request: PageRequest, review: Review, chosen: ReviewItem, now: datetime) -> dict[str, Any]:
    """Everything about the one deployment that is talked about."""
    reader = request.reader
    watched = reader.watched().filter(pk=chosen.watched_id or 0).first()
    then = standing.figures_of(review.previous, chosen.watched_id)
    last = review.previous.known_at if review.previous is not None else None
    drawn = pictures.charts(reader, watched, last, review.known_at, now) if watched else None
    sparks = pictures.sparks(watched, review.known_at) if watched else {}
    again = restated(reader, {watched: then}, now) if watched and then else {}
    return {
        "watched": watched,
        "areas": standing.area_lines(chosen.figures, then, standing.days_between(review)),
        "numbers": standing.number_lines(chosen.figures, then, again.get(chosen.watched_id or 0), sparks),
        "leads": drawn.leads if drawn else (),
        "lanes": drawn.lanes if drawn else (),
        "last_time": standing.verdict_of(review.previous, chosen.watched_id),
        "verdicts": ReviewVerdict.choices,
        "actions": _actions(review, chosen),
        "form": _promise_form(request, review, now),
    }


@page
@require_POST
def save(request: PageRequest, pk: int, item_pk: int) -> HttpResponse:
    """Verdict and note; by htmx while people type, or as a plain form that goes on to the next item."""
    review, chosen = _acting_on(request, pk, item_pk)
    version, verdict = request.POST.get("version", ""), request.POST.get("verdict", "")
    if verdict and verdict not in ReviewVerdict.values:
        raise Http404("There is no such verdict.")
    number = int(version) if version.isdecimal() and len(version) < 10 else -1
    conflict = None
    try:
        chosen = meeting.decide(
            chosen, request.reader.user, number, verdict, request.POST.get("note", ""), timezone.now()
        )
    except meeting.Conflict as found:
        conflict = found.item
    except SignedReview as signed:
        if (chosen.verdict, chosen.note) != (verdict, request.POST.get("note", "")):
            messages.error(request, str(signed), extra_tags="failing")
        return _go(request, review)
    if request.htmx:
        return _saved(request, review, chosen, conflict)
    if conflict is not None:
        told = f"{conflict.saved_by or 'Somebody'} has saved this meanwhile; nothing of yours was stored."
        messages.error(request, told, extra_tags="failing")
        return redirect("review-item", pk, item_pk)
    following = review.items.filter(position__gt=chosen.position).first() if "next" in request.POST else chosen
    return redirect("review-item", pk, (following or chosen).pk)


def _saved(request: PageRequest, review: Review, chosen: ReviewItem, conflict: ReviewItem | None) -> HttpResponse:
    items = list(review.items.all())
    column = columns.column(review, items, chosen)
    context = {
        "review": review,
        "item": conflict or chosen,
        "conflict": conflict,
        "mine": {"verdict": request.POST.get("verdict", ""), "note": request.POST.get("note", "")},
        "now": timezone.now(),
        "column": column,
        "headline": columns.headline(items, column.missing),
        "may_act": True,
        "verdict_counts": columns.verdict_counts(items, review),
        "oob": True,
    }
    return part(request, "dashboard/_meeting_saved.html", context)


@page
def agenda(request: PageRequest, pk: int) -> HttpResponse:
    """The column and who is there, asked for every few seconds while the meeting is open."""
    review = review_or_404(request, pk)
    if review.is_signed:
        return _go(request, review)
    now = timezone.now()
    items = list(review.items.all())
    at = request.GET.get("item", "")
    chosen = next((one for one in items if str(one.pk) == at), None)
    meeting.attend(review, request.reader.user, now)
    column = columns.column(review, items, chosen)
    context = {
        "review": review,
        "now": now,
        "column": column,
        "headline": columns.headline(items, column.missing),
        "item": chosen,
        "may_act": may_act(request, review),
        "verdict_counts": columns.verdict_counts(items, review),
        "present": present(review, now),
        "oob": True,
    }
    return part(request, "dashboard/_meeting_agenda.html", context)


@page
@require_POST
def promise(request: PageRequest, pk: int, item_pk: int) -> HttpResponse:
    """A new action item about the deployment."""
    review, chosen = _acting_on(request, pk, item_pk)
    now = timezone.now()
    form = _promise_form(request, review, now, request.POST)
    if form.is_valid():
        cleaned = form.cleaned_data
        try:
            with transaction.atomic():
                made = meeting.promise(
                    review, chosen, cleaned["text"], cleaned["owner"], cleaned["due_on"], request.reader.user, now
                )
                told = facts(made, "text", "owner", "due_on", "label")
                noted(request, AuditAction.ACTION_PROMISED, made.text, team=review.plan.team, after=told)
        except SignedReview as signed:
            messages.error(request, str(signed), extra_tags="failing")
            return _go(request, review)
        form = _promise_form(request, review, now)
    elif not request.htmx:
        messages.error(request, " ".join(str(text) for errors in form.errors.values() for text in errors))
    if not request.htmx:
        return redirect("review-item", pk, item_pk)
    context = {"review": review, "item": chosen, "actions": _actions(review, chosen), "form": form, "may_act": True}
    return part(request, "dashboard/_meeting_actions.html", context)


@page
@require_POST
def accept(request: PageRequest, pk: int) -> HttpResponse:
    """Everything calm, or every blind spot without a verdict, is accepted as it is."""
    review = acting(request, pk)
    try:
        with transaction.atomic():
            blind = request.POST.get("section") == "blind"
            if blind:
                meeting.accept_blind(review, request.reader.user, timezone.now())
            else:
                meeting.accept_calm(review)
            _noted(request, AuditAction.REVIEW_ACCEPTED, review, what="blind spots" if blind else "calm ones")
    except SignedReview as signed:
        messages.error(request, str(signed), extra_tags="failing")
    return _back(request, review)


@page
@require_POST
def discuss(request: PageRequest, pk: int) -> HttpResponse:
    """A calm deployment is taken up after all."""
    review = acting(request, pk)
    chosen = request.POST.get("watched", "")
    number = int(chosen) if chosen.isdecimal() and len(chosen) < 19 else 0
    try:
        with transaction.atomic():
            taken = meeting.discuss(review, number, timezone.now())
            if taken is not None:
                _noted(request, AuditAction.REVIEW_TAKEN_UP, review, deployment=taken.label)
    except SignedReview as signed:
        messages.error(request, str(signed), extra_tags="failing")
        return _go(request, review)
    return redirect("review-item", pk, taken.pk) if taken is not None else _go(request, review)


@page
@require_POST
def rebuild(request: PageRequest, pk: int) -> HttpResponse:
    """The agenda as of now; decisions stay."""
    review = acting(request, pk)
    try:
        with transaction.atomic():
            meeting.rebuild(review, timezone.now())
            _noted(request, AuditAction.REVIEW_REBUILT, review)
    except SignedReview as signed:
        messages.error(request, str(signed), extra_tags="failing")
    return _go(request, review)


@page
@require_POST
def sign(request: PageRequest, pk: int) -> HttpResponse:
    """Freezes the record and tells the team."""
    review = acting(request, pk)
    try:
        with transaction.atomic():
            signed = meeting.sign(review, request.reader.user, timezone.now())
            _noted(request, AuditAction.REVIEW_SIGNED, review, hash=signed.content_hash)
    except (meeting.Unfinished, SignedReview) as refused:
        messages.error(request, str(refused), extra_tags="failing")
        return _go(request, review)
    messages.success(request, "Signed. The record is frozen, and the team gets it by mail.", extra_tags="passing")
    return _go(request, review)


# --- Shared -------------------------------------------------------------------------------------------------------


def present(review: Review, now: datetime) -> list[tuple[ReviewPresence, bool]]:
    """Who takes part or took part, and whether they are here now."""
    rows = review.present.select_related("user")
    return [(row, now - row.seen_at < PRESENT) for row in rows]


def _noted(request: PageRequest, action: AuditAction, review: Review, **more: Any) -> None:
    noted(request, action, str(review), team=review.plan.team, told={"review": review.pk, **more})


def _acting_on(request: PageRequest, pk: int, item_pk: int) -> tuple[Review, ReviewItem]:
    review = acting(request, pk)
    chosen = review.items.select_related("saved_by", "watched").filter(pk=item_pk).first()
    if chosen is None:
        raise Http404("This deployment is not on the agenda any more.")
    return review, chosen


def _actions(review: Review, chosen: ReviewItem) -> list[ActionItem]:
    return list(review.actions.filter(watched=chosen.watched_id).select_related("owner").order_by("pk"))


def _promise_form(request: PageRequest, review: Review, now: datetime, data: Any = None) -> PromiseForm:
    first = today(now, request.reader)
    initial = {"due_on": (first + DUE_IN).isoformat(), "owner": request.reader.user.pk}
    return PromiseForm(data, team_id=review.plan.team_id, first=first, initial=initial)


def _go(request: PageRequest, review: Review) -> HttpResponse:
    """To the review's own page, also from a piece of it."""
    if request.htmx:
        return HttpResponse(headers={"HX-Redirect": reverse("review", args=[review.pk])})
    return redirect("review", review.pk)


def _back(request: PageRequest, review: Review) -> HttpResponse:
    at = request.POST.get("item", "")
    if at.isdecimal() and len(at) < 19 and review.items.filter(pk=int(at)).exists():
        return redirect("review-item", review.pk, int(at))
    return redirect("review", review.pk)
