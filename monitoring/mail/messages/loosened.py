"""Settings at a source let more trouble pass: what, by whom, and where to put it back."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings

from metrics.wording import plural
from monitoring.incidents.actions import name_of
from monitoring.mail.addressee import Addressee
from monitoring.mail.envelope import Composed, stable_id
from monitoring.mail.letter import letter
from monitoring.mail.look import TONES
from monitoring.mail.words import when
from monitoring.models import SettingsChange, Status


def loosened(changes: Sequence[SettingsChange], to: Addressee) -> Composed:
    """One message for what was seen of one deployment at one time."""
    first = changes[0]
    watched, url = first.watched, f"{settings.PUBLIC_URL}/deployments/{first.watched_id}/settings/?section=changes"
    who = f"by {name_of(first.by)}" if first.by is not None else "at the source"
    what = plural(len(changes), "setting") + (" lets" if len(changes) == 1 else " let") + " more pass now"
    rows = [
        {
            "label": one.get_loosens_display(),
            "status": Status.WARNING,
            "tone": TONES[Status.WARNING],
            "reason": one.words,
            "since": "",
            "url": url,
        }
        for one in changes
    ]
    words = {
        "subject": f"[LOOSENED] {watched.label[:120]}: {what}",
        "status": Status.WARNING,
        "title": f"{watched.label}: {what}",
        "summary": f"Changed {who}{_between(first, to)}. What was judged and kept before stays as it is.",
        "open": rows,
        "open_title": "What changed",
        "action_url": url,
        "action_word": "Compare and restore",
        "because": "you hear about this deployment",
    }
    payload = {
        "kind": "loosened",
        "at": first.seen_at.isoformat(),
        "brief": f"{watched.label}: {' '.join(one.words for one in changes)}",
        "deployment": watched.remote_id,
        "changes": [{"path": one.path, "before": one.before, "after": one.after} for one in changes],
    }
    identity = stable_id("loosened", first.pk, to.key)
    return letter("digest", to, words, message_id=identity, payload=payload)


def _between(change: SettingsChange, to: Addressee) -> str:
    seen = when(change.seen_at, to.zone)
    return f", seen {seen}" if change.since is None else f" between {when(change.since, to.zone)} and {seen}"
