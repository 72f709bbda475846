"""Mail that came back: what a provider's webhook tells, and addresses that a person has to look at."""

from __future__ import annotations

from typing import Any

from anymail.signals import EventType, tracking

from monitoring.models import MailState, Message

#: The provider did not deliver it and will not try again.
ENDS = frozenset({EventType.REJECTED, EventType.FAILED, EventType.BOUNCED, EventType.COMPLAINED})


def listen() -> None:
    """Hears what Anymail makes of the webhooks of whatever provider is set."""
    tracking.connect(note_event, dispatch_uid="monitoring.mail.bounces")


def note_event(sender: Any, event: Any, esp_name: str, **rest: Any) -> None:
    """One event of the provider; told twice it changes nothing more."""
    if event.event_type in ENDS and event.message_id:
        said = event.mta_response or event.description or event.reject_reason or event.event_type
        bounced(str(event.message_id), f"{esp_name}: {said}")


def bounced(provider_id: str, problem: str) -> bool:
    """Marks the mail of that id as come back; False where none is known."""
    mine = Message.objects.filter(provider_id=provider_id, state__in=[MailState.SENT, MailState.SENDING])
    return bool(mine.update(state=MailState.BOUNCED, problem=problem[:500]))
