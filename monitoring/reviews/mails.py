"""Mail about reviews: the record to the team, a reminder before one is due, and what a person has not done in time.

Each has an id that follows from what it is about, for whom and for which period: written twice, it is one message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings

from metrics.wording import plural
from monitoring.mail.addressee import Addressee
from monitoring.mail.envelope import Composed, put, row_of, stable_id, unwritten
from monitoring.mail.letter import letter
from monitoring.mail.words import one_line, when
from monitoring.models import (
    ActionItem,
    ActionState,
    Membership,
    NotifyReason,
    Review,
    ReviewPlan,
    ReviewState,
    ReviewVerdict,
    Status,
)
from monitoring.reviews import schedule
from monitoring.reviews.gather import name_of

#: How long before a review is due its people are reminded.
LEAD = timedelta(hours=24)
_WORST = {"act": Status.FAILING, "watch": Status.WARNING}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a mail: a name, a word beside it, and what there is to say."""

    name: str
    word: str
    lines: tuple[str, ...] = ()


# --- Who ----------------------------------------------------------------------------------------------------------


def addressees(plan: ReviewPlan) -> list[Addressee]:
    """The attendees, or the whole team where nobody was chosen; only who has an address and wants mail."""
    found = _reachable(Membership.objects.filter(team=plan.team_id))
    chosen = set(plan.attendees.values_list("pk", flat=True))
    return [Addressee(member=one) for one in found if not chosen or one.user_id in chosen]


def _reachable(members: Any) -> list[Membership]:
    wanted = members.filter(wants_mail=True, user__is_active=True).exclude(user__email="")
    return list(wanted.select_related("user__preference", "team").order_by("pk"))


# --- The record ---------------------------------------------------------------------------------------------------


def tell_signed(review: Review, now: datetime) -> int:
    """Writes the record's mail to everybody; called in the transaction that signs."""
    to = addressees(review.plan)
    return put(row_of(signed(review, one), one, now, why=NotifyReason.REVIEWED) for one in to)


def signed(review: Review, to: Addressee) -> Composed:
    """What was decided, deployment by deployment."""
    record = review.record
    counts = verdict_words(record)
    worst = next((status for name, status in _WORST.items() if f" {name}" in f" {counts}"), Status.PASSING)
    rows = [_decided(one) for one in record["items"]]
    if record["calm"]:
        rows.append(Row(plural(len(record["calm"]), "deployment"), "Unchanged"))
    held = when(review.known_at, to.zone)
    return _composed(
        to,
        subject=f"[REVIEW] {one_line(record['plan'])}, {one_line(record['team'])}: {counts}",
        title=f"{record['plan']} of {held}",
        lead=f"Signed by {record['signed_by'] or 'nobody'}. {counts[:1].upper()}{counts[1:]}. The record is frozen.",
        rows=rows,
        url=f"{settings.PUBLIC_URL}/reviews/{review.pk}/",
        button="Open the record",
        tone=worst,
        kind="review.signed",
        message_id=stable_id("review", review.pk, to.key),
        thread=f"review.{review.plan_id}",
    )


def verdict_words(record: dict[str, Any]) -> str:
    """`1 act, 2 watch, 8 unchanged`."""
    counts = {name: sum(one["verdict"] == name for one in record["items"]) for name in ("act", "watch", "accept")}
    counts["healthy"] = sum(one["verdict"] == "healthy" for one in record["items"])
    told = [f"{n} {name}" for name, n in counts.items() if n]
    told += [f"{len(record['calm'])} unchanged"] if record["calm"] else []
    return ", ".join(told) or "nothing to decide"


def _decided(one: dict[str, Any]) -> Row:
    reason = one["reasons"][0]["text"] if one["reasons"] else ""
    lines = [text for text in (reason, one["note"]) if text]
    lines += [
        f"→ {action['text']} ({action['owner'] or 'nobody yet'}, due {_day(action)})" for action in one["actions"]
    ]
    return Row(one["label"], ReviewVerdict(one["verdict"]).label if one["verdict"] else "", tuple(lines))


# --- Reminders ----------------------------------------------------------------------------------------------------


def remind(now: datetime) -> int:
    """All reminders that are due; returns how many messages were written. May run as often as one likes."""
    return remind_due(now) + remind_overdue(now)


def remind_due(now: datetime) -> int:
    """Once before each meeting, a day ahead; nothing for a plan whose review is open already."""
    written = 0
    for plan in ReviewPlan.objects.filter(active=True).select_related("team"):
        due = schedule.next_due(plan, now)
        if due - now > LEAD or plan.reviews.filter(state=ReviewState.OPEN).exists():
            continue
        new = _not_told(addressees(plan), partial(_due_id, plan, due))
        if not new:
            continue
        waiting = ActionItem.objects.filter(team=plan.team_id, state=ActionState.OPEN).count()
        written += put(row_of(due_soon(plan, due, waiting, one), one, now, why=NotifyReason.REVIEW_DUE) for one in new)
    return written


def _not_told(to: Iterable[Addressee], id_of: Callable[[Addressee], str]) -> list[Addressee]:
    """To whom the message is still to be written; asked before it is composed, since this runs again and again."""
    by_id = {id_of(one): one for one in to}
    return [by_id[one] for one in unwritten(by_id)]


def _due_id(plan: ReviewPlan, due: datetime, to: Addressee) -> str:
    return stable_id("review-due", plan.pk, due.isoformat(), to.key)


def due_soon(plan: ReviewPlan, due: datetime, waiting: int, to: Addressee) -> Composed:
    """That a review comes, and what is still promised."""
    promised = f"{plural(waiting, 'action item is', 'action items are')} still open." if waiting else ""
    return _composed(
        to,
        subject=f"[REVIEW DUE] {one_line(plan.name)}, {one_line(plan.team.name)}: {when(due, to.zone)}",
        title=f"{plan.name}, {plan.team.name}",
        lead=f"Due {when(due, to.zone)}. Its agenda builds itself when it is opened. {promised}".strip(),
        rows=[],
        url=f"{settings.PUBLIC_URL}/reviews/",
        button="Open the reviews",
        tone=Status.UNKNOWN,
        kind="review.due",
        message_id=_due_id(plan, due, to),
        thread=f"review.{plan.pk}",
    )


def remind_overdue(now: datetime) -> int:
    """Once a week and team: what a person has promised and not done in time."""
    late = ActionItem.objects.filter(state=ActionState.OPEN, due_on__lt=now.date())
    by_person: dict[tuple[int, int], list[ActionItem]] = {}
    for row in late.select_related("owner").order_by("due_on", "pk"):
        person = row.owner_id or row.created_by_id
        if person is not None:
            by_person.setdefault((row.team_id, person), []).append(row)
    members = _reachable(Membership.objects.filter(team__in={team for team, _ in by_person}))
    week = f"{now.isocalendar().year}-{now.isocalendar().week}"
    found = {Addressee(member=one): by_person.get((one.team_id, one.user_id), []) for one in members}
    new = _not_told((to for to, rows in found.items() if rows), partial(_late_id, week))
    return put(row_of(overdue(found[to], week, now, to), to, now, why=NotifyReason.OVERDUE) for to in new)


def _late_id(week: str, to: Addressee) -> str:
    return stable_id("overdue", week, to.key)


def overdue(rows: Sequence[ActionItem], week: str, now: datetime, to: Addressee) -> Composed:
    """A person's late action items, the latest first."""
    n = plural(len(rows), "action item")
    return _composed(
        to,
        subject=f"[OVERDUE] {n} in {one_line(to.team.name)}",
        title=f"{n} overdue",
        lead="What you promised in a review and nobody has marked as done. It comes back on the next agenda.",
        rows=[_late(row, now.date()) for row in rows[:20]],
        url=f"{settings.PUBLIC_URL}/reviews/actions/?show=mine",
        button="Open your action items",
        tone=Status.WARNING,
        kind="review.overdue",
        message_id=_late_id(week, to),
        thread=f"actions.{to.key}",
    )


def _late(row: ActionItem, today: date) -> Row:
    days = (today - row.due_on).days
    owner = "" if row.owner_id else f", without an owner, made by {name_of(row.created_by)}"
    return Row(row.text, f"{plural(days, 'day')} late", (f"{row.label}{owner}",) if row.label or owner else ())


# --- Composing ----------------------------------------------------------------------------------------------------


def _composed(
    to: Addressee,
    *,
    subject: str,
    title: str,
    lead: str,
    rows: Iterable[Row],
    url: str,
    button: str,
    tone: Status,
    kind: str,
    message_id: str,
    thread: str,
) -> Composed:
    words = {
        "subject": subject,
        "status": tone,
        "title": title,
        "lead": lead,
        "rows": list(rows),
        "url": url,
        "button": button,
    }
    payload = {"kind": kind, "brief": f"{title}. {lead} {url}", "url": url}
    return letter("review", to, words, message_id=message_id, payload=payload, thread=stable_id(thread))


def _day(action: dict[str, Any]) -> str:
    due = date.fromisoformat(action["due_on"])
    return f"{due:%a} {due.day} {due:%b}"
