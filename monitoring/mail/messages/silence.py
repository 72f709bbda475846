"""A silence is about to end: its owner hears what it covers and what will be told again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from metrics.wording import duration, plural
from monitoring.mail.addressee import Addressee
from monitoring.mail.bulletin import label_of, silence_words
from monitoring.mail.envelope import Composed, stable_id
from monitoring.mail.letter import letter
from monitoring.mail.look import TONES
from monitoring.mail.words import incident_url, when
from monitoring.models import Incident, SettingsChange, Silence, Status


def silence_ends(
    silence: Silence, under: Sequence[Incident], loosened: Sequence[SettingsChange], to: Addressee
) -> Composed:
    """`under` and `loosened`: incidents and settings that it holds back now, told once it ends if they still hold."""
    zone = to.zone
    rows = [
        {
            "label": label_of(one),
            "status": Status(one.status),
            "tone": TONES[Status(one.status)],
            "reason": one.reason,
            "since": f"Since {when(one.began_at, zone)}.",
            "url": incident_url(one),
        }
        for one in under
    ] + [_loosened(one, zone) for one in loosened]
    parts = [plural(len(under), "incident")] if under else []
    parts += [plural(len(loosened), "loosened setting")] if loosened else []
    held = f"{' and '.join(parts)} {'is' if len(rows) == 1 else 'are'} held back by it" if rows else ""
    words = {
        "subject": f"[SILENCE ENDS] {silence.reason[:120]}, {when(silence.ends_at, zone)}",
        "status": Status.UNKNOWN,
        "title": f"A silence ends {when(silence.ends_at, zone)}",
        "summary": f"It covers {silence_words(silence, zone)}; "
        f"it has held for {duration(silence.ends_at - silence.starts_at)} by then.",
        "open": rows,
        "open_title": f"{held}, and told once it has ended" if held else "",
        "empty": "" if rows else "Nothing is held back by it now.",
        "action_url": f"{settings.PUBLIC_URL}/silences/",
        "action_word": "Open the silences",
        "because": "you own this silence",
    }
    payload = {"kind": "silence", "at": silence.ends_at.isoformat(), "brief": words["summary"]}
    return letter("digest", to, words, message_id=stable_id("silence", silence.pk, to.key), payload=payload)


def _loosened(change: SettingsChange, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "label": change.watched.label,
        "status": Status.WARNING,
        "tone": TONES[Status.WARNING],
        "reason": change.words,
        "since": f"Seen {when(change.seen_at, zone)}.",
        "url": f"{settings.PUBLIC_URL}/deployments/{change.watched_id}/settings/?section=changes",
    }
