"""What messages were worth, by rule (area, metric, deployment) over a month; and a quieter limit for the worst."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q

from monitoring.backtest import Proposal, past_of, propose
from monitoring.incidents.policy import policy_of
from monitoring.models import AlertPolicy, Area, Carrier, Message, NoticeKind, Vote, Watched

#: What news a rule makes; reminders and recoveries follow from them.
_NEWS = (NoticeKind.OPENED, NoticeKind.REOPENED, NoticeKind.WORSE, NoticeKind.FLAPPING)


@dataclass(frozen=True, slots=True)
class NoiseRow:
    """One rule: how often it spoke, and what people thought of it."""

    watched: Watched
    area: str
    metric: str
    notices: int
    mails: int
    useful: int
    noise: int

    @property
    def share(self) -> float | None:
        """Noise of all votes; None where nobody voted."""
        votes = self.useful + self.noise
        return self.noise / votes if votes else None


def noise_table(team_ids: Iterable[int], start: datetime, end: datetime) -> list[NoiseRow]:
    """Rules that spoke in [start, end), the noisiest first: by votes for noise, then by mails. Three statements."""
    mails = Message.objects.filter(
        team__in=list(team_ids), created_at__gte=start, created_at__lt=end, notice__isnull=False, watched__isnull=False
    )
    by = ("watched", "incident__area", "notice__evidence__metric")
    counts = mails.filter(carrier=Carrier.EMAIL).values_list(*by).order_by()
    news = Count("notice", filter=Q(notice__kind__in=_NEWS), distinct=True)
    found = {
        (pk, area, metric or ""): (notices, n)
        for pk, area, metric, notices, n in counts.annotate(news=news, n=Count("pk"))
    }
    votes = _votes(found, start, end)
    watched = Watched.objects.in_bulk({pk for pk, _, _ in found})
    rows = [
        NoiseRow(watched[pk], area, metric, notices, n, *votes.get((pk, area, metric), (0, 0)))
        for (pk, area, metric), (notices, n) in found.items()
    ]
    return sorted(rows, key=lambda row: (-row.noise, -(row.share or 0.0), -row.mails, row.watched.label, row.area))


def _votes(
    found: Iterable[tuple[int, str, str]], start: datetime, end: datetime
) -> dict[tuple[int, str, str], tuple[int, int]]:
    watched = {pk for pk, _, _ in found}
    votes = Vote.objects.filter(notice__incident__watched__in=watched, notice__at__gte=start, notice__at__lt=end)
    by = ("notice__incident__watched", "notice__incident__area", "notice__evidence__metric")
    useful, noise = Count("pk", filter=Q(useful=True)), Count("pk", filter=Q(useful=False))
    rows = votes.values_list(*by).order_by().annotate(good=useful, bad=noise)
    return {(pk, area, metric or ""): (good, bad) for pk, area, metric, good, bad in rows}


#: Days of the past on which a quieter limit is tried.
TRIED_DAYS = 90


def quieter(watched: Watched, area: Area, now: datetime) -> Proposal | None:
    """The least change of a limit that halves the messages of the last 90 days and keeps all that was called useful."""
    useful = Vote.objects.filter(
        useful=True,
        notice__incident__watched=watched,
        notice__incident__area=area,
        notice__at__gte=now - timedelta(days=TRIED_DAYS),
    )
    policy = policy_of(AlertPolicy.objects.filter(team=watched.source.team_id).first())
    keep = useful.values_list("notice__at", flat=True)
    return propose(past_of(watched, now, length=TRIED_DAYS), area, policy=policy, keep=list(keep))
