"""What changed about a deployment: verdicts, champions and mails in one line of time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dashboard.tabs.subject import Subject
from monitoring.models import Message, Transition

EVENTS = 12


@dataclass(frozen=True)
class Event:
    """One line of what changed. Status changes have an icon, everything else a dot."""

    at: datetime
    fact: str
    detail: str = ""
    status: str = ""
    reconstructed: bool = False


def events(subject: Subject) -> list[Event]:
    """Verdicts that changed, models that took over and mails that went out, newest first: two queries."""
    changes = Transition.objects.filter(watched=subject.watched, at__lte=subject.anchor).order_by("-at", "-pk")[:EVENTS]
    found = [_transition(change) for change in changes]
    mails = Message.objects.filter(watched=subject.watched, created_at__lte=subject.anchor).order_by("-created_at")[:4]
    found += [
        Event(mail.created_at, f"Mail to {mail.recipient}", mail.subject)
        for mail in mails.only("created_at", "recipient", "subject")
    ]
    for before, after in zip((None, *subject.models), subject.models, strict=False):
        if after.since <= subject.anchor:
            found.append(
                Event(
                    after.since,
                    f"{after.name or 'A model'} went live",
                    f"Took over from {before.name}." if before and before.name else "",
                )
            )
    return sorted(found, key=lambda event: event.at, reverse=True)[:EVENTS]


def _transition(change: Transition) -> Event:
    fact = f"{change.get_area_display()}: {change.get_old_display().lower()} to {change.get_new_display().lower()}"
    return Event(change.at, fact, change.reason, change.new, change.reconstructed)
