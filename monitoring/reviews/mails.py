"""Mail about reviews: the record to the team, a reminder before one is due, and what a person has not done in time.

Each has an id that follows from what it is about, for whom and for which period: written twice, it is one message.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string

from metrics.wording import plural
from monitoring.mail.addressee import Addressee
from monitoring.mail.envelope import Composed, headers, put, row_of, stable_id
from monitoring.mail.look import TONES
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
    held = when(review.known_at, to)
    return _composed(
        to,
        subject=f"[REVIEW] {_line(record['plan'])}, {_line(record['team'])}: {counts}",
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
        waiting = ActionItem.objects.filter(team=plan.team_id, state=ActionState.OPEN).count()
        mails = [(one, due_soon(plan, due, waiting, one)) for one in addressees(plan)]
        written += put(row_of(mail, one, now, why=NotifyReason.REVIEW_DUE) for one, mail in mails)
    return written


def due_soon(plan: ReviewPlan, due: datetime, waiting: int, to: Addressee) -> Composed:
    """That a review comes, and what is still promised."""
    promised = f"{plural(waiting, 'action item is', 'action items are')} still open." if waiting else ""
    return _composed(
        to,
        subject=f"[REVIEW DUE] {_line(plan.name)}, {_line(plan.team.name)}: {when(due, to)}",
        title=f"{plan.name}, {plan.team.name}",
        lead=f"Due {when(due, to)}. Its agenda builds itself when it is opened. {promised}".strip(),
        rows=[],
        url=f"{settings.PUBLIC_URL}/reviews/",
        button="Open the reviews",
        tone=Status.UNKNOWN,
        kind="review.due",
        message_id=stable_id("review-due", plan.pk, due.isoformat(), to.key),
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
    found = [(Addressee(member=one), by_person.get((one.team_id, one.user_id), [])) for one in members]
    mails = [(to, overdue(rows, week, now, to)) for to, rows in found if rows]
    return put(row_of(mail, to, now, why=NotifyReason.OVERDUE) for to, mail in mails)


def overdue(rows: Sequence[ActionItem], week: str, now: datetime, to: Addressee) -> Composed:
    """A person's late action items, the latest first."""
    n = plural(len(rows), "action item")
    return _composed(
        to,
        subject=f"[OVERDUE] {n} in {_line(to.team.name)}",
        title=f"{n} overdue",
        lead="What you promised in a review and nobody has marked as done. It comes back on the next agenda.",
        rows=[_late(row, now.date()) for row in rows[:20]],
        url=f"{settings.PUBLIC_URL}/reviews/actions/?show=mine",
        button="Open your action items",
        tone=Status.WARNING,
        kind="review.overdue",
        message_id=stable_id("overdue", week, to.key),
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
    listed = list(rows)
    words = {
        "subject": subject,
        "title": title,
        "lead": lead,
        "rows": listed,
        "url": url,
        "button": button,
        "tone": TONES[tone],
        "team": to.team.name,
        "zone": to.zone.key,
        "settings_url": to.settings_url,
        "unsubscribe_url": to.unsubscribe_url,
    }
    root = stable_id(thread)
    return Composed(
        subject=subject,
        text=render_to_string("emails/review.txt", words),
        html=render_to_string("emails/review.html", words),
        headers=headers(to, thread=root),
        pictures={},
        message_id=message_id,
        payload={"kind": kind, "subject": subject, "brief": f"{title}. {lead} {url}", "url": url, "team": to.team.name},
    )


def when(moment: datetime, to: Addressee) -> str:
    """`Thu 25 Jul 09:00` in the reader's zone."""
    local = moment.astimezone(to.zone)
    return f"{local:%a} {local.day} {local:%b %H:%M}"


def _day(action: dict[str, Any]) -> str:
    due = date.fromisoformat(action["due_on"])
    return f"{due:%a} {due.day} {due:%b}"


def _line(text: str) -> str:
    """What people typed, fit for a subject."""
    return " ".join(text.split())[:80]
