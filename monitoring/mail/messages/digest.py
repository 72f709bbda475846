"""The digest: how the team stands, worst first, and what happened over a day, a week or a month."""

from __future__ import annotations

from monitoring.mail.addressee import Addressee
from monitoring.mail.bulletin import Bulletin, loosened_words, open_rows, resolved_rows, silence_words
from monitoring.mail.envelope import Composed, stable_id
from monitoring.mail.letter import letter
from monitoring.mail.periods import Period
from monitoring.mail.words import day
from monitoring.models import DigestPace


def digest(bulletin: Bulletin, pace: DigestPace, period: Period, to: Addressee) -> Composed:
    """One mail a person and period."""
    zone = to.zone
    trouble = bulletin.open_count
    found = f"{trouble} open" if trouble else "all is well"
    words = {
        "subject": f"[{pace.value.upper()}] {to.team.name}: {found}",
        "status": bulletin.worst,
        "title": f"{to.team.name}, {day(bulletin.start, zone)} to {day(bulletin.end, zone)}",
        "summary": bulletin.summary,
        "open": open_rows(bulletin, zone),
        "more": bulletin.more,
        "resolved": resolved_rows(bulletin, zone),
        "loosened": [loosened_words(one, zone) for one in bulletin.loosened],
        "silences": [silence_words(one, zone) for one in bulletin.silences],
        "pace": pace.value,
        "because": f"you chose a {pace.value} digest",
    }
    payload = {"kind": "digest", "at": bulletin.end.isoformat(), "brief": bulletin.summary}
    return letter("digest", to, words, message_id=stable_id("digest", to.key, period.key), payload=payload)
