"""The digest: how the team stands, worst first, and what happened over a day, a week or a month."""

from __future__ import annotations

from monitoring.mail.addressee import Addressee
from monitoring.mail.bulletin import LISTED, Bulletin, loosened_words, open_rows, resolved_rows, silence_words
from monitoring.mail.envelope import Composed, stable_id
from monitoring.mail.letter import letter
from monitoring.mail.periods import Period
from monitoring.mail.words import day
from monitoring.models import DigestPace, Status


def digest(bulletin: Bulletin, pace: DigestPace, period: Period, to: Addressee) -> Composed:
    """One mail a person and period."""
    zone = to.zone
    trouble = len(bulletin.open)
    found = f"{trouble} open" if trouble else "all is well"
    words = {
        "subject": f"[{pace.value.upper()}] {to.team.name}: {found}",
        "status": _worst(bulletin),
        "title": f"{to.team.name}, {day(bulletin.start, zone)} to {day(bulletin.end, zone)}",
        "summary": bulletin.summary,
        "open": open_rows(bulletin, zone),
        "more": max(0, trouble - LISTED),
        "resolved": resolved_rows(bulletin, zone),
        "loosened": [loosened_words(one, zone) for one in bulletin.loosened],
        "silences": [silence_words(one, zone) for one in bulletin.silences],
        "pace": pace.value,
        "because": f"you chose a {pace.value} digest",
    }
    payload = {"kind": "digest", "at": bulletin.end.isoformat(), "brief": bulletin.summary}
    return letter("digest", to, words, message_id=stable_id("digest", to.key, period.key), payload=payload)


def _worst(bulletin: Bulletin) -> Status:
    """The bar of the mail: the worst that is open."""
    statuses = {line.incident.status for line in bulletin.open}
    return next((one for one in (Status.FAILING, Status.WARNING) if one in statuses), Status.PASSING)
