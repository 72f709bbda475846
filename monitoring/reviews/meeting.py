"""What people do in a review: open it, decide, promise, sign. Each function is one step, safe against a second person.

A decision is saved by a conditional update on its `version`: who has not seen the newest one gets it shown instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, F, Max

from monitoring.models import (
    ActionItem,
    ActionState,
    AgendaSection,
    Message,
    PageVisit,
    Review,
    ReviewItem,
    ReviewPlan,
    ReviewPresence,
    ReviewState,
    ReviewVerdict,
    SignedReview,
    Watched,
)
from monitoring.reviews import mails, records, schedule
from monitoring.reviews.agenda import Entry, agenda
from monitoring.reviews.facts import Facts
from monitoring.reviews.figures import compact, figures
from monitoring.reviews.gather import gather, in_scope

NOTE_LENGTH, TEXT_LENGTH = 4000, 500


class Conflict(Exception):
    """Somebody else saved meanwhile; `item` is what is stored now."""

    def __init__(self, item: ReviewItem) -> None:
        super().__init__("Somebody else has saved this meanwhile.")
        self.item = item


class Unfinished(Exception):
    """A review cannot be signed while verdicts are missing."""

    def __init__(self, missing: int) -> None:
        super().__init__(f"{missing} verdict{'' if missing == 1 else 's'} missing.")
        self.missing = missing


# --- Opening ------------------------------------------------------------------------------------------------------


def open_review(plan: ReviewPlan, user: Any, now: datetime, as_of: datetime | None = None) -> Review:
    """The open review of the plan; a new one with its agenda if there is none. `as_of` holds a meeting of the past."""
    moment = as_of or now
    with transaction.atomic():
        locked = ReviewPlan.objects.select_for_update().get(pk=plan.pk)
        current = locked.reviews.filter(state=ReviewState.OPEN).first()
        if current is not None:
            return current
        previous = locked.reviews.filter(state=ReviewState.SIGNED).order_by("-number").first()
        review = Review.objects.create(
            plan=locked,
            number=(locked.reviews.aggregate(last=Max("number"))["last"] or 0) + 1,
            due_at=schedule.last_due(locked, moment) or moment,
            opened_at=moment,
            opened_by=user,
            since=previous.known_at if previous is not None else moment - schedule.period(locked),
            known_at=moment,
            previous=previous,
        )
        _build(review, now)
    return review


def rebuild(review: Review, now: datetime) -> None:
    """The agenda as of now. What was decided already stays as it was decided, with its figures."""
    with transaction.atomic():
        locked = _open(review)
        locked.known_at, locked.calm_accepted = now, False
        locked.items.filter(version=0).delete()
        _build(locked, now)
        locked.save(update_fields=["known_at", "calm_accepted"])


def _build(review: Review, now: datetime) -> None:
    facts = gather(review.plan, review.since, now, review.known_at)
    found = agenda(facts, review.since, review.known_at)
    rows = {row.pk: row for row in in_scope(review.plan)}
    sent = _mails(list(rows), review.since, review.known_at)
    kept = set(review.items.values_list("watched_id", flat=True))
    start = len(kept)
    fresh = [entry for entry in found.entries if entry.facts.watched_id not in kept]
    ReviewItem.objects.bulk_create(
        _item(review, entry, rows[entry.facts.watched_id], start + place, sent) for place, entry in enumerate(fresh)
    )
    review.calm = [compact(one) for one in found.calm if one.watched_id not in kept]
    review.save(update_fields=["calm"])


def _item(review: Review, entry: Entry, row: Watched, position: int, sent: Mapping[int, int]) -> ReviewItem:
    return ReviewItem(
        review=review,
        watched=row,
        label=entry.facts.label,
        section=entry.section,
        position=position,
        consequence=entry.consequence,
        reasons=[{"why": one.why.value, "text": one.text, "key": one.key} for one in entry.reasons],
        figures=figures(entry.facts, row, review.since, review.known_at, sent.get(row.pk, 0)),
    )


def _mails(ids: Sequence[int], since: datetime, until: datetime) -> dict[int, int]:
    rows = Message.objects.filter(watched__in=ids, created_at__gt=since, created_at__lte=until)
    return {pk: n for pk, n in rows.values_list("watched").annotate(n=Count("pk")).order_by() if pk is not None}


def discuss(review: Review, watched_id: int, now: datetime) -> ReviewItem | None:
    """Takes a calm deployment onto the agenda after all; None if it is none of the calm ones."""
    with transaction.atomic():
        locked = _open(review)
        found = next((one for one in locked.calm if one["id"] == watched_id), None)
        row = in_scope(locked.plan).filter(pk=watched_id).first() if found else None
        if row is None:
            return None
        facts = [one for one in gather(locked.plan, locked.since, now, locked.known_at) if one.watched_id == watched_id]
        item = _asked_for(locked, row, facts)
        locked.calm = [one for one in locked.calm if one["id"] != watched_id]
        locked.save(update_fields=["calm"])
    return item


def _asked_for(review: Review, row: Watched, facts: Sequence[Facts]) -> ReviewItem:
    last = review.items.aggregate(last=Max("position"))["last"]
    return ReviewItem.objects.create(
        review=review,
        watched=row,
        label=row.label,
        position=0 if last is None else last + 1,
        reasons=[{"why": "asked", "text": "Taken up in the meeting", "key": ""}],
        figures=figures(facts[0], row, review.since, review.known_at) if facts else {},
    )


# --- Deciding -----------------------------------------------------------------------------------------------------


def decide(item: ReviewItem, user: Any, version: int, verdict: str, note: str, now: datetime) -> ReviewItem:
    """Saves verdict and note if `version` is the newest. Raises `Conflict` with what is stored, or `SignedReview`."""
    chosen = ReviewVerdict(verdict).value if verdict else ""
    with transaction.atomic():
        _open(item.review)
        rows = ReviewItem.objects.filter(pk=item.pk, version=version)
        changed = rows.update(
            verdict=chosen, note=note[:NOTE_LENGTH], version=F("version") + 1, saved_by=user, saved_at=now
        )
    stored = ReviewItem.objects.select_related("saved_by", "watched").get(pk=item.pk)
    if not changed and (stored.verdict, stored.note) != (chosen, note[:NOTE_LENGTH]):
        raise Conflict(stored)
    return stored


def accept_calm(review: Review) -> None:
    """Everything that asks for no attention is accepted as it is."""
    with transaction.atomic():
        locked = _open(review)
        locked.calm_accepted = True
        locked.save(update_fields=["calm_accepted"])


def accept_blind(review: Review, user: Any, now: datetime) -> int:
    """The blind spots that nobody decided about are accepted as they are."""
    with transaction.atomic():
        rows = _open(review).items.filter(section=AgendaSection.BLIND, verdict="")
        return rows.update(verdict=ReviewVerdict.ACCEPT, version=F("version") + 1, saved_by=user, saved_at=now)


def promise(
    review: Review, item: ReviewItem | None, text: str, owner: Any, due_on: date, user: Any, now: datetime
) -> ActionItem:
    """An action item of the meeting, about one deployment or about the team."""
    with transaction.atomic():
        locked = _open(review)
        return ActionItem.objects.create(
            team_id=locked.plan.team_id,
            review=locked,
            watched=item.watched if item is not None else None,
            label=item.label if item is not None else "",
            text=" ".join(text.split())[:TEXT_LENGTH],
            owner=owner,
            due_on=due_on,
            created_by=user,
            created_at=now,
        )


def close_action(action: ActionItem, state: ActionState, user: Any, now: datetime) -> None:
    """Marks an action item as done, dropped, or open again."""
    closed = state is not ActionState.OPEN
    ActionItem.objects.filter(pk=action.pk).exclude(state=state).update(
        state=state, closed_by=user if closed else None, closed_at=now if closed else None
    )


def missing_verdicts(review: Review) -> int:
    """How many verdicts are still needed; the calm ones count together until they are accepted."""
    undecided = review.items.filter(verdict="").count()
    return undecided + (0 if review.calm_accepted else len(review.calm))


# --- Signing ------------------------------------------------------------------------------------------------------


def sign(review: Review, user: Any, now: datetime) -> Review:
    """Freezes the record and writes it to the team's mail, both or neither.

    Raises `Unfinished` while verdicts are missing, `SignedReview` when it is signed already.
    """
    with transaction.atomic():
        locked = _open(review)
        missing = missing_verdicts(locked)
        if missing:
            raise Unfinished(missing)
        locked.content, locked.content_hash = records.write(locked, user, now)
        locked.state, locked.signed_at, locked.signed_by = ReviewState.SIGNED, now, user
        locked.save(update_fields=["content", "content_hash", "state", "signed_at", "signed_by"])
        mails.tell_signed(locked, now)
    return locked


def _open(review: Review) -> Review:
    """The review, locked; nobody signs while somebody saves."""
    locked = Review.objects.select_for_update(of=("self",)).select_related("plan__team").get(pk=review.pk)
    if locked.is_signed:
        raise SignedReview
    return locked


# --- Being there --------------------------------------------------------------------------------------------------


def attend(review: Review, user: Any, now: datetime) -> None:
    """Notes that somebody takes part."""
    ReviewPresence.objects.bulk_create(
        [ReviewPresence(review=review, user=user, first_at=now, seen_at=now)],
        update_conflicts=True,
        unique_fields=["review", "user"],
        update_fields=["seen_at"],
    )


#: A person's visits to one deployment are noted at most this often.
VISIT_EVERY = timedelta(hours=1)


def visit(user_id: int, watched_id: int, now: datetime) -> None:
    """Notes that somebody opened a deployment's page."""
    PageVisit.objects.bulk_create(
        [PageVisit(user_id=user_id, watched_id=watched_id, at=now)],
        update_conflicts=True,
        unique_fields=["watched", "user"],
        update_fields=["at"],
    )


def open_actions(team_id: int) -> list[ActionItem]:
    """The promises of a team that are not kept yet, the most overdue first."""
    rows = ActionItem.objects.filter(team=team_id, state=ActionState.OPEN)
    return list(rows.select_related("owner", "watched", "review__plan").order_by("due_on", "pk"))
