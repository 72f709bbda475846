"""How a message is put together: the two templates of its name, the headers, and what a webhook posts."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string

from monitoring.mail.addressee import Addressee
from monitoring.mail.envelope import Composed, headers
from monitoring.mail.look import TONES
from monitoring.models import Status

CHART_ID, ICON_ID = "chart", "icon"


def letter(
    name: str,
    to: Addressee,
    words: Mapping[str, Any],
    *,
    message_id: str,
    payload: Mapping[str, Any],
    thread: str = "",
    pictures: Mapping[str, bytes | None] | None = None,
) -> Composed:
    """Renders `emails/<name>.txt` and `.html`. `thread` is the Message-ID of the first message of the story."""
    drawn = {key: png for key, png in (pictures or {}).items() if png is not None}
    context = {
        "tone": TONES[Status(words.get("status", Status.UNKNOWN))],
        "team": to.team.name,
        "zone": to.zone.key,
        "settings_url": to.settings_url,
        "unsubscribe_url": to.unsubscribe_url,
        "is_channel": to.channel is not None,
        "home_url": settings.PUBLIC_URL,
        "chart_id": CHART_ID if CHART_ID in drawn else "",
        "icon_id": ICON_ID if ICON_ID in drawn else "",
        **words,
    }
    return Composed(
        subject=str(words["subject"])[:300],
        text=render_to_string(f"emails/{name}.txt", context),
        html=render_to_string(f"emails/{name}.html", context),
        headers=headers(to, thread=thread if thread != message_id else ""),
        pictures={key: base64.b64encode(png).decode() for key, png in drawn.items()},
        message_id=message_id,
        payload={"version": 1, "team": to.team.name, "subject": str(words["subject"]), **payload},
    )
