"""The addressees of a team and its rules, read from their rows for `hears`: a fixed number of statements."""

from __future__ import annotations

from dataclasses import dataclass, field

from monitoring.incidents.policy import AreaPolicy, areas_of
from monitoring.mail.addressee import Addressee, zone_named
from monitoring.mail.hears import Happening, Hearer, Hours, Rule
from monitoring.models import (
    AlertPolicy,
    Breaks,
    Channel,
    Delivery,
    Incident,
    IncidentKind,
    IncidentNotice,
    Membership,
    NoticeKind,
    NotificationRule,
    Role,
    Severity,
    Status,
    Subscription,
    UserPreference,
    Watched,
    Wish,
)


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom a team's messages may reach, and by which rules."""

    addressees: dict[str, Addressee]
    hearers: list[Hearer]
    rules: list[Rule]
    areas: dict[str, AreaPolicy] = field(default_factory=dict)


def audience_of(team_id: int) -> Audience:
    """Members with an address who are active, then channels that are switched on: six statements."""
    members = list(
        Membership.objects.filter(team=team_id, user__is_active=True)
        .exclude(user__email="")
        .select_related("user__preference", "team")
        .order_by("pk")
    )
    channels = list(Channel.objects.filter(team=team_id, enabled=True).select_related("team").order_by("pk"))
    areas = areas_of(AlertPolicy.objects.filter(team=team_id).first())
    wishes = Subscription.objects.filter(user__in=[member.user_id for member in members])
    by_user: dict[tuple[int, str], set[int]] = {}
    for user_id, watched_id, wish in wishes.values_list("user_id", "watched_id", "wish"):
        by_user.setdefault((user_id, wish), set()).add(watched_id)
    found = [Addressee(member=member) for member in members] + [Addressee(channel=channel) for channel in channels]
    return Audience({one.key: one for one in found}, [_hearer(one, by_user) for one in found], rules_of(team_id), areas)


def _hearer(one: Addressee, wishes: dict[tuple[int, str], set[int]]) -> Hearer:
    member = one.member
    if member is None:
        return Hearer(one.key, answers=True, is_channel=True)
    preference = getattr(member.user, "preference", None)
    return Hearer(
        one.key,
        wants=member.wants_mail,
        answers=member.wants_mail and Role(member.role).may_change,
        muted=frozenset(wishes.get((member.user_id, Wish.NOTHING), ())),
        subscribed=frozenset(wishes.get((member.user_id, Wish.ALL), ())),
        hours=hours_of(preference),
        breaks_through=Breaks(preference.breaks_through) if preference is not None else Breaks.FAILING,
    )


def hours_of(row: NotificationRule | UserPreference | None) -> Hours | None:
    """The hours that a rule or a person set; None where none are."""
    if row is None:
        return None
    times = (row.from_time, row.to_time) if row.from_time is not None and row.to_time is not None else None
    if not row.days and times is None:
        return None
    days = frozenset(day for day in row.days if isinstance(day, int))
    return Hours(zone_named(row.time_zone), days, *(times or ()))


def rules_of(team_id: int) -> list[Rule]:
    """The team's rules that are switched on, in their order."""
    rows = NotificationRule.objects.filter(team=team_id, enabled=True).prefetch_related("members", "channels")
    return [_rule(row) for row in rows.order_by("position", "pk")]


def _rule(row: NotificationRule) -> Rule:
    keys = {f"m{one.pk}" for one in row.members.all()} | {f"c{one.pk}" for one in row.channels.all()}
    return Rule(
        name=row.name,
        importances=frozenset(row.importances),
        areas=frozenset(row.areas),
        tags=frozenset(row.tags),
        only_failing=row.only_failing,
        escalation=row.escalation,
        delivery=Delivery(row.delivery),
        names=None if row.everybody else frozenset(keys),
        hours=hours_of(row),
    )


def happening_of(notice: IncidentNotice, about: list[Watched]) -> Happening:
    """What the notice means to the rules; `about` are the deployments it is about, several for a fleet incident."""
    incident = notice.incident
    importances = {one.importance for one in about}
    return Happening(
        status=worst_told(notice),
        severity=Severity(incident.severity),
        importance=_weightiest(importances) if importances else "",
        area=incident.area if incident.kind != IncidentKind.SOURCE else "",
        tags=frozenset(tag for one in about for tag in tags_of(one)),
        watched=frozenset(one.pk for one in about),
        escalation=notice.kind == NoticeKind.ESCALATED,
    )


def worst_told(notice: IncidentNotice) -> Status:
    """Failing if the incident ever was in this round, so that its end reaches whom its worst reached."""
    incident: Incident = notice.incident
    ended = notice.kind in (NoticeKind.RESOLVED, NoticeKind.BETTER)
    return Status(incident.worst) if ended else Status(notice.status)


def tags_of(watched: Watched) -> set[str]:
    """`name` and `name=value` of each tag."""
    tags = watched.tags if isinstance(watched.tags, list) else []
    named = [tag for tag in tags if isinstance(tag, dict) and tag.get("name")]
    return {str(tag["name"]) for tag in named} | {f"{tag['name']}={tag.get('value', '')}" for tag in named}


def _weightiest(importances: set[str]) -> str:
    """The weightiest of several; unset counts as high."""
    order = ("CRITICAL", "", "HIGH", "MODERATE", "LOW")
    return min(importances, key=lambda one: order.index(one) if one in order else 1)
