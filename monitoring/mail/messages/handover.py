"""The hand-over note: what the next one has to know, on one page."""

from __future__ import annotations

from monitoring.mail.addressee import Addressee
from monitoring.mail.bulletin import Bulletin, open_rows, resolved_rows, silence_words
from monitoring.mail.envelope import Composed, stable_id
from monitoring.mail.letter import letter
from monitoring.mail.words import when


def handover(bulletin: Bulletin, to: Addressee, *, key: str, by: str = "", note: str = "") -> Composed:
    """Open incidents with their notes, what ended, which silences end on the watch, a word of the one who leaves."""
    zone = to.zone
    words = {
        "subject": f"[HAND-OVER] {to.team.name}: {bulletin.open_count} open",
        "status": bulletin.worst,
        "title": f"Hand-over of {to.team.name}, {when(bulletin.end, zone)}",
        "summary": bulletin.summary,
        "by": by,
        "note": note,
        "open": open_rows(bulletin, zone),
        "more": bulletin.more,
        "resolved": resolved_rows(bulletin, zone),
        "silences": [silence_words(one, zone) for one in bulletin.silences],
        "because": f"{by} hands over to you" if by else "your shift begins",
    }
    lines = [bulletin.summary, *([f"{by}: {note}"] if note else [])]
    lines += [f"• {one['label']}: {one['status'].label}" for one in open_rows(bulletin, zone)[:8]]
    payload = {"kind": "handover", "at": bulletin.end.isoformat(), "note": note, "brief": "\n".join(lines)}
    return letter("digest", to, words, message_id=stable_id("handover", to.key, key), payload=payload)
