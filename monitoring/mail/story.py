"""What every copy of a message about an incident shares: read once a notice, whoever hears it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from metrics.wording import duration
from monitoring.incidents.actions import name_of
from monitoring.mail import chart as charts
from monitoring.mail import further
from monitoring.mail.chart import MailChart, Verdict
from monitoring.mail.look import TONES
from monitoring.mail.words import area_words, deployment_url, value_and_limit, when
from monitoring.models import AreaHealth, Incident, IncidentKind, IncidentNotice, NoticeKind, Status, Watched

#: Of a fleet incident's deployments and of what else is red, as many are listed; the rest are counted.
LISTED, ALSO = 25, 6


@dataclass(frozen=True, slots=True)
class Affected:
    """One deployment of a fleet incident or of a silent source."""

    watched: Watched
    area: str
    status: Status
    reason: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Story:
    """An incident as of one notice."""

    notice: IncidentNotice
    incident: Incident
    now: datetime
    affected: Sequence[Affected]
    size: int
    also: Sequence[tuple[AreaHealth, str]]
    changed: tuple[str, datetime] | None
    chart: MailChart | None
    picture: bytes | None
    icon: bytes | None

    @property
    def kind(self) -> NoticeKind:
        return NoticeKind(self.notice.kind)

    @property
    def status(self) -> Status:
        """What the bar and the badge show: passing once it is over."""
        return Status.PASSING if self.kind is NoticeKind.RESOLVED else Status(self.notice.status)

    @property
    def lasted(self) -> timedelta:
        """From its beginning to its end, or to the notice."""
        ended = self.incident.resolved_at if self.kind is NoticeKind.RESOLVED else None
        return (ended or self.notice.at) - self.incident.began_at

    @property
    def watched(self) -> list[Watched]:
        """The deployments that it is about."""
        return [self.incident.watched] if self.incident.watched is not None else [one.watched for one in self.affected]


def gather(notice: IncidentNotice, now: datetime) -> Story:
    """Reads what the message says beside the notice itself, and draws its pictures: a fixed number of statements."""
    incident = notice.incident
    affected, size = _affected(incident, ended=notice.kind == NoticeKind.RESOLVED)
    found = None
    if incident.watched is not None:
        verdict = Verdict(incident.watched, incident.area, notice.status, notice.evidence, notice.at)
        found = further.chart_of(verdict, now) or charts.chart_of(verdict, now)
    ended = notice.kind == NoticeKind.RESOLVED
    return Story(
        notice=notice,
        incident=incident,
        now=now,
        affected=affected,
        size=size,
        also=_also(incident, now),
        changed=_changed(incident.watched),
        chart=found,
        picture=charts.draw(found) if found is not None else None,
        icon=charts.draw_icon(Status.PASSING if ended else notice.status),
    )


def _affected(incident: Incident, *, ended: bool) -> tuple[list[Affected], int]:
    """Members of a fleet incident, worst first; a reminder and a change name only those that are still open."""
    if incident.kind == IncidentKind.SOURCE:
        listed = Watched.objects.filter(source=incident.source_id, gone_at__isnull=True)
        rows = listed.select_related("source").order_by("-severity", "label")
        shown = [Affected(one, "", Status(one.worst), "", one.seen_at) for one in rows[:LISTED]]
        return shown, listed.count()
    if incident.kind != IncidentKind.FLEET:
        return [], 1
    members = Incident.objects.filter(parent=incident.pk, watched__isnull=False)
    if not ended:
        members = members.open()
    rows_ = members.select_related("watched__source").order_by("-severity", "opened_at", "pk")
    return [_member(one) for one in rows_[:LISTED]], members.count()


def _member(one: Incident) -> Affected:
    assert one.watched is not None
    return Affected(one.watched, one.area, Status(one.status), one.reason, one.began_at)


def _also(incident: Incident, now: datetime) -> list[tuple[AreaHealth, str]]:
    """What else of the team does not pass, worst first, with a word on what is done about it."""
    rows = AreaHealth.objects.filter(
        watched__source__team=incident.team_id, status__in=[Status.FAILING, Status.WARNING], watched__gone_at=None
    )
    if incident.watched_id is not None:
        rows = rows.exclude(watched=incident.watched_id, area=incident.area)
    if incident.kind == IncidentKind.FLEET:
        rows = rows.exclude(watched__incidents__parent=incident.pk)
    worst_first = sorted(rows.select_related("watched"), key=lambda one: (-Status(one.status).severity, one.since))
    shown = worst_first[:ALSO]
    open_ones = Incident.objects.open().filter(watched__in=[one.watched_id for one in shown])
    known = {(one.watched_id, one.area): one for one in open_ones}
    return [(one, _handled(known.get((one.watched_id, one.area)), now)) for one in shown]


def _handled(incident: Incident | None, now: datetime) -> str:
    if incident is None:
        return ""
    if incident.is_snoozed(now):
        return "snoozed"
    return "acknowledged" if incident.acknowledged_at is not None else ""


def _changed(watched: Watched | None) -> tuple[str, datetime] | None:
    """The last replacement of the model: the first suspect."""
    if watched is None:
        return None
    stays = list(watched.models_seen.order_by("-since")[:2])
    return (stays[0].name or stays[0].model_id, stays[0].since) if len(stays) == 2 else None


# --- Rows of the table ---------------------------------------------------------------------------------------------


def facts(story: Story, zone: ZoneInfo) -> list[tuple[str, str]]:
    """What is known, nothing else."""
    incident, evidence = story.incident, story.notice.evidence
    rows = [("Value, limit", value_and_limit(incident.area, evidence) if incident.watched is not None else "")]
    if story.kind is NoticeKind.RESOLVED:
        rows.append(("Lasted", f"{duration(story.lasted)}, from {when(incident.began_at, zone)}"))
    else:
        rows.append(("Since", f"{when(incident.began_at, zone)} ({duration(story.lasted)})"))
    rows += [
        ("Predictions affected", _predictions(incident)),
        ("Judged", _judged(evidence)),
        ("Labels", _labels(evidence)),
        ("Changed before", f"{when(story.changed[1], zone)}, {story.changed[0]} went live" if story.changed else ""),
        ("Handled by", _handled_by(incident, zone)),
    ]
    return [(name, value) for name, value in rows if value]


def _predictions(incident: Incident) -> str:
    watched = incident.watched
    daily = f"{watched.predictions_per_day:,.0f} a day" if watched is not None and watched.predictions_per_day else ""
    if incident.predictions_affected < 1:
        return f"about {daily}" if daily else ""
    return f"≈ {incident.predictions_affected:,.0f} since it began" + (f"; {daily}" if daily else "")


def _judged(evidence: Any) -> str:
    rows = evidence.get("predictions") or evidence.get("rows")
    return f"{rows:,.0f} predictions of the window" if isinstance(rows, int | float) and rows else ""


def _labels(evidence: Any) -> str:
    lag = evidence.get("labelLagHours")
    if not isinstance(lag, int | float):
        return ""
    return f"complete after {duration(timedelta(hours=lag))}; younger ones are left out"


def _handled_by(incident: Incident, zone: ZoneInfo) -> str:
    parts = []
    if incident.assignee is not None:
        parts.append(name_of(incident.assignee))
    if incident.acknowledged_at is not None:
        parts.append(f"acknowledged by {name_of(incident.acknowledged_by)} {when(incident.acknowledged_at, zone)}")
    return ", ".join(parts)


def affected_rows(story: Story, zone: ZoneInfo) -> list[dict[str, Any]]:
    """The listed deployments as templates show them."""
    return [
        {
            "label": f"{one.watched.label}, {area_words(one.area)}" if one.area else one.watched.label,
            "status": one.status,
            "tone": TONES[one.status],
            "reason": one.reason,
            "since": f"Since {when(one.since, zone)} ({duration(story.notice.at - one.since)})." if one.area else "",
            "url": deployment_url(one.watched, one.area),
        }
        for one in story.affected
    ]


def also_rows(story: Story, zone: ZoneInfo) -> list[dict[str, Any]]:
    """What else is red, as templates show it."""
    return [
        {
            "label": f"{one.watched.label}, {area_words(one.area)}",
            "status": Status(one.status),
            "tone": TONES[Status(one.status)],
            "reason": one.reason,
            "since": f"Since {when(one.since, zone)}{f', {handled}' if handled else ''}.",
            "url": deployment_url(one.watched, one.area),
        }
        for one, handled in story.also
    ]
