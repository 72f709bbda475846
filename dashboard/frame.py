"""What stands around every page: neighbours, counts, and the foot where the product speaks of itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q

from dashboard.charts import words
from dashboard.reader import Reader
from monitoring.fleet import ORDERS, listed
from monitoring.incidents import listing
from monitoring.models import MailState, Message, Source, Status

NEIGHBOURS = 13
STALE_AFTER = timedelta(minutes=10)
"""A source that answered nothing for this long is said to be silent even if no call has failed yet."""


@dataclass(frozen=True)
class Neighbour:
    pk: int
    label: str
    status: str


@dataclass(frozen=True)
class Watching:
    """The foot of the rail: `polled 40 s ago, 15 of 16 answered, mail delivered`."""

    polled: str
    answered: str
    mail: str
    troubled: bool
    late: bool = True


@dataclass(frozen=True)
class Frame:
    """Counts by status, the worst deployments by name, and the watcher's own state."""

    total: int
    counts: dict[str, int]
    neighbours: tuple[Neighbour, ...]
    watching: Watching
    silent: tuple[Source, ...]
    incidents: int = 0
    unanswered: int = 0

    @property
    def more(self) -> int:
        return max(0, self.total - len(self.neighbours))

    @property
    def worst(self) -> str:
        """The worst verdict of the fleet, for the favicon: failing, warning or passing; unknown where none is known."""
        calm = Status.PASSING if self.total and not self.watching.late else Status.UNKNOWN
        return next((s for s in (Status.FAILING, Status.WARNING) if self.counts.get(s)), calm)


def frame(reader: Reader, now: datetime, around: int | None = None, *, neighbours: bool = True) -> Frame:
    """Six queries whatever the size of the fleet. `around` keeps the current deployment among the neighbours."""
    everything = reader.every_source
    counts = dict(reader.standing.counts)
    rows = listed(everything).order_by(*ORDERS["worst"]).values_list("pk", "label", "worst")
    shown = _around([Neighbour(*row) for row in rows[: NEIGHBOURS + 1]], around) if neighbours else ()
    sources = [source for source in everything if source.enabled]
    open_ones = _incidents(reader, now)
    return Frame(
        total=sum(counts.values()),
        counts=counts,
        neighbours=shown,
        watching=_watching(sources, _mail(reader, now), now),
        silent=tuple(source for source in sources if source.silent_since),
        incidents=open_ones["open"],
        unanswered=open_ones["unanswered"],
    )


def heard(sources: Iterable[Source], now: datetime) -> tuple[datetime | None, bool]:
    """When the last of these sources answered (None: none ever did), and whether verdicts are stale by it."""
    newest = max((source.last_ok_at for source in sources if source.last_ok_at), default=None)
    return newest, newest is None or now - newest > STALE_AFTER


def _incidents(reader: Reader, now: datetime) -> dict[str, int]:
    """How many are open, and how many of them nobody has answered."""
    found = listing.of_teams(reader.team_ids).open().order_by()
    answered = Q(acknowledged_at__isnull=False) | Q(assignee__isnull=False) | Q(snoozed_until__gt=now)
    return found.aggregate(open=Count("pk"), unanswered=Count("pk", filter=~answered))


def _around(rows: Sequence[Neighbour], around: int | None) -> tuple[Neighbour, ...]:
    """The worst; a chosen deployment further down replaces nobody, it is named by its own page."""
    shown = list(rows[:NEIGHBOURS])
    last = rows[NEIGHBOURS] if len(rows) > NEIGHBOURS else None
    if last is not None and last.pk == around:
        shown.append(last)
    return tuple(shown)


def _mail(reader: Reader, now: datetime) -> Counter[str]:
    since = now - timedelta(days=7)
    found = Message.objects.filter(team__in=reader.team_ids).filter(
        Q(created_at__gte=since) | Q(state__in=[MailState.PENDING, MailState.SENDING, MailState.IN_DOUBT])
    )
    return Counter(dict(found.values_list("state").annotate(n=Count("pk")).order_by()))


def _watching(sources: Sequence[Source], mail: Counter[str], now: datetime) -> Watching:
    if not sources:
        return Watching("no source yet", "", "", troubled=False)
    newest, late = heard(sources, now)
    silent = [s for s in sources if s.silent_since]
    polled = f"answered {words.duration(now - newest)} ago" if newest else "not answered yet"
    answered = (
        f"{words.count(len(sources), 'source')} answering"
        if not silent
        else f"{len(sources) - len(silent)} of {words.count(len(sources), 'source')} answering"
    )
    troubled = bool(silent) or late or bool(mail[MailState.FAILED])
    return Watching(polled, answered, _mail_words(mail), troubled=troubled, late=late)


def _mail_words(mail: Counter[str]) -> str:
    if mail[MailState.FAILED]:
        return f"{words.count(mail[MailState.FAILED], 'mail')} could not be sent"
    if mail[MailState.IN_DOUBT]:
        return f"{words.count(mail[MailState.IN_DOUBT], 'mail')} in doubt"
    waiting = mail[MailState.PENDING] + mail[MailState.SENDING]
    if waiting:
        return f"{words.count(waiting, 'mail')} waiting"
    if mail[MailState.SENT]:
        return "mail delivered"
    return "mail kept here" if mail[MailState.KEPT] else "no mail in 7\u202fd"
