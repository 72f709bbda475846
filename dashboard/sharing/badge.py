"""Badges: the state of a deployment or of a team's fleet in one word, honest about what is not known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from html import escape

from dashboard.charts import words
from dashboard.charts.theme import LIGHT, css_name
from dashboard.frame import heard
from monitoring import conf
from monitoring.fleet import listed, standing
from monitoring.models import ShareLink, Source, Status, Watched

#: Text beside the mark is measured roughly: 6.2 px a letter in 11 px Verdana-like type.
LETTER, PAD = 6.3, 8


@dataclass(frozen=True)
class Badge:
    """`label: message`. `status` is the colour; `stale`: the verdict is old, and the message says so."""

    label: str
    message: str
    status: Status
    stale: bool = False
    known_at: datetime | None = None


GONE = Badge("vitals", "link ended", Status.UNAVAILABLE)


def badge_of(link: ShareLink, now: datetime) -> Badge:
    """What the badge says now."""
    return of_deployment(link.watched, now) if link.watched is not None else of_team(link, now)


def of_deployment(watched: Watched, now: datetime) -> Badge:
    """The verdict; unknown where it is gone or was never judged, `stale` where its source is silent."""
    if watched.gone_at is not None or watched.judged_at is None:
        return Badge(watched.label, "unknown", Status.UNKNOWN, known_at=watched.judged_at)
    status = Status(watched.worst)
    word = str(status.label).lower()
    seen = max(moment for moment in (watched.seen_at, watched.polled_at) if moment is not None)
    if watched.source.silent_since is not None or watched.is_stale(now, conf.STALE_AFTER):
        return Badge(watched.label, f"stale, was {word} {words.duration(now - seen)} ago", Status.UNKNOWN, True, seen)
    return Badge(watched.label, word, status, known_at=seen)


def of_team(link: ShareLink, now: datetime) -> Badge:
    """`3 failing, 1 at risk`, `all passing`; stale when no source of the team has answered for ten minutes."""
    sources = list(Source.objects.filter(team=link.team_id, enabled=True))
    counts = standing(listed(sources)).counts
    newest, stale = heard(sources, now)
    total, passing = sum(counts.values()), counts.get(Status.PASSING, 0)
    named = [(status, counts.get(status, 0)) for status in (Status.FAILING, Status.WARNING)]
    bad = [f"{n:,} {status.label.lower()}" for status, n in named if n]
    status = next(
        (status for status, n in named if n), Status.PASSING if passing == total and total else Status.UNKNOWN
    )
    message = ", ".join(bad) or (f"all {total:,} passing" if passing == total else f"{passing:,} of {total:,} passing")
    if not total or newest is None:
        return Badge(link.team.name, "unknown", Status.UNKNOWN, known_at=newest)
    if stale:
        return Badge(link.team.name, f"stale, was {message}", Status.UNKNOWN, True, newest)
    return Badge(link.team.name, message, status, known_at=newest)


def svg(badge: Badge) -> str:
    """Two fields, 20 px high; the text carries the meaning, so that no colour has to."""
    label, message = badge.label[:40], badge.message[:60]
    left, right = (round(len(text) * LETTER + 2 * PAD) for text in (label, message))
    colour = LIGHT[f"{css_name(badge.status.value)}-text"]
    title = escape(f"{label}: {message}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" aria-label="{title}">'
        f"<title>{title}</title>"
        f'<path fill="{LIGHT["text2"]}" d="M4 0h{left - 4}v20H4a4 4 0 0 1-4-4V4a4 4 0 0 1 4-4Z"/>'
        f'<path fill="{colour}" d="M{left} 0h{right - 4}a4 4 0 0 1 4 4v12a4 4 0 0 1-4 4H{left}Z"/>'
        f'<g fill="{LIGHT["surface"]}" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11"'
        ' text-anchor="middle">'
        f"{_text(label, left / 2, left)}{_text(message, left + right / 2, right)}</g></svg>"
    )


def _text(words: str, middle: float, width: int) -> str:
    fit = f'textLength="{width - 2 * PAD}" lengthAdjust="spacingAndGlyphs"'
    return f'<text x="{middle:g}" y="14" {fit}>{escape(words)}</text>'


def as_json(badge: Badge) -> dict[str, object]:
    """The shape that shields.io reads (`schemaVersion` 1), with our status, staleness and age beside it."""
    return {
        "schemaVersion": 1,
        "label": badge.label,
        "message": badge.message,
        "color": LIGHT[f"{css_name(badge.status.value)}-text"].lstrip("#"),
        "isError": badge.status in (Status.FAILING, Status.UNAVAILABLE),
        "status": badge.status.value,
        "stale": badge.stale,
        "knownAt": badge.known_at.isoformat() if badge.known_at is not None else None,
        "cacheSeconds": 60,
    }
