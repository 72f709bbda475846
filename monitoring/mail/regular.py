"""What goes out by the clock: digests, silences about to end, hand-overs. Each run may happen twice or be killed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F, Q

from monitoring.incidents import silences as silencing
from monitoring.mail import bulletin as bulletins
from monitoring.mail.addressee import Addressee, zone_named
from monitoring.mail.envelope import put, row_of
from monitoring.mail.messages.digest import digest
from monitoring.mail.messages.handover import handover
from monitoring.mail.messages.silence import silence_ends
from monitoring.mail.periods import digest_due, shift_due
from monitoring.models import (
    DigestPace,
    HandoverPlan,
    Incident,
    Membership,
    NotifyReason,
    PeriodDone,
    Role,
    SettingsChange,
    Silence,
    Subscription,
    UserPreference,
    Wish,
)

#: A long silence is announced a day before its end, a short one after three quarters of it.
LEAD = timedelta(days=1)


def run_regular(now: datetime) -> int:
    """Everything that is due; returns the number of messages written."""
    return send_digests(now) + tell_ending_silences(now) + run_handovers(now)


def send_digests(now: datetime) -> int:
    """One digest a person, team and period; a silent one counts as done as well."""
    wanting = Membership.objects.filter(wants_mail=True, user__is_active=True).exclude(user__email="")
    written = 0
    for member in wanting.select_related("user__preference", "team").order_by("team_id", "pk"):
        preference = getattr(member.user, "preference", None) or UserPreference(user=member.user)
        to, pace = Addressee(member=member), DigestPace(preference.digest)
        period = digest_due(pace, preference.digest_hour, to.zone, now)
        if period is None:
            continue
        with transaction.atomic():
            if not _first_time(f"digest.{member.pk}.{period.key}", now):
                continue
            muted = Subscription.objects.filter(user=member.user_id, wish=Wish.NOTHING).values_list(
                "watched", flat=True
            )
            found = bulletins.gather(member.team_id, period.start, period.end, without=frozenset(muted))
            if found.is_empty and not preference.digest_when_empty:
                continue
            written += put([row_of(digest(found, pace, period, to), to, now, why=NotifyReason.DIGEST)])
    return written


def tell_ending_silences(now: datetime) -> int:
    """Its owner, or whoever answers for the team if that person is gone, hears of it once."""
    length = F("ends_at") - F("starts_at")
    soon = Q(ends_at__lte=now + LEAD) & Q(ends_at__lte=now + length / 4)
    due = Silence.objects.filter(soon, end_told_at=None, cancelled_at=None, starts_at__lte=now, ends_at__gt=now)
    written = 0
    for silence in due.select_related("team", "owner", "watched", "source"):
        with transaction.atomic():
            if not Silence.objects.filter(pk=silence.pk, end_told_at=None).update(end_told_at=now):
                continue
            under, loosened = _under(silence), _loosened(silence, now)
            rows = [
                row_of(silence_ends(silence, under, loosened, to), to, now, why=NotifyReason.SILENCE)
                for to in _owners(silence)
            ]
            written += put(rows)
    return written


def run_handovers(now: datetime) -> int:
    """The plans whose change of shift is now."""
    written = 0
    for plan in HandoverPlan.objects.select_related("team").prefetch_related("members", "channels"):
        period = shift_due(plan.days, plan.at, zone_named(plan.time_zone), now)
        if period is None:
            continue
        with transaction.atomic():
            key = f"handover.{plan.pk}.{period.key}"
            if _first_time(key, now):
                members = plan.members.select_related("user__preference", "team").filter(user__is_active=True)
                found = [Addressee(member=one) for one in members.exclude(user__email="")]
                found += [Addressee(channel=one) for one in plan.channels.select_related("team").filter(enabled=True)]
                written += hand_over(plan.team_id, found, now, key=key, since=period.start)
    return written


def hand_over(
    team_id: int, to: Iterable[Addressee], now: datetime, *, key: str, since: datetime, by: str = "", note: str = ""
) -> int:
    """The note to each; `key` names this hand-over."""
    found = bulletins.gather(team_id, since, now)
    rows = [row_of(handover(found, one, key=key, by=by, note=note), one, now, why=NotifyReason.HANDOVER) for one in to]
    return put(rows)


def _first_time(key: str, now: datetime) -> bool:
    """Claims the period; False if somebody has. Holds until the transaction's end, with what it wrote."""
    if PeriodDone.objects.filter(key=key).exists():
        return False
    try:
        with transaction.atomic():
            PeriodDone.objects.create(key=key, at=now)
    except IntegrityError:
        return False
    return True


def _owners(silence: Silence) -> list[Addressee]:
    team = Membership.objects.filter(team=silence.team_id, user__is_active=True).exclude(user__email="")
    with_all = team.select_related("user__preference", "team").order_by("pk")
    own = list(with_all.filter(user=silence.owner_id)) if silence.owner_id is not None else []
    answering = own or [one for one in with_all if Role(one.role).may_change and one.wants_mail]
    return [Addressee(member=one) for one in answering]


def _under(silence: Silence) -> list[Incident]:
    """Open incidents that it covers, worst first."""
    rows = Incident.objects.open().filter(team=silence.team_id).select_related("watched", "source").worst_first()[:200]
    return [one for one in rows if silencing.covers(silence, one.watched, one.source_id, one.area)]


def _loosened(silence: Silence, now: datetime) -> list[SettingsChange]:
    """Loosened settings that it holds back, newest first."""
    waiting = SettingsChange.objects.filter(watched__source__team=silence.team_id, handled_at=None, held_until__gt=now)
    rows = waiting.select_related("watched").order_by("-seen_at", "-pk")[:200]
    return [one for one in rows if silencing.covers(silence, one.watched, one.watched.source_id, one.area)]
