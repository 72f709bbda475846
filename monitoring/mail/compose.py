"""One function a message: subject, text and HTML for one reader, in the reader's time zone."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.template.loader import render_to_string

from metrics.health import Measurement
from metrics.wording import duration, percent, score, share
from monitoring.evidence import drifted_features, met_condition, short, unfavoured_classes
from monitoring.mail import chart as charts
from monitoring.mail.addressee import Addressee
from monitoring.mail.chart import MailChart
from monitoring.mail.envelope import Composed, headers, host, stable_id
from monitoring.mail.look import TONES
from monitoring.models import Area, AreaHealth, NotifyReason, Status, Transition

CHART_ID, ICON_ID = "chart", "icon"


@dataclass(frozen=True, slots=True)
class Context:
    """What every addressee's copy of one message shares; read once a transition."""

    transition: Transition
    why: NotifyReason
    also: Sequence[AreaHealth]
    changed: tuple[str, datetime] | None
    chart: MailChart | None
    picture: bytes | None
    icon: bytes | None


def gather(transition: Transition, why: NotifyReason, now: datetime) -> Context:
    """Reads what the message says beside the transition itself, and draws its pictures."""
    watched = transition.watched
    also = AreaHealth.objects.filter(
        watched__source__team=watched.source.team, status__in=[Status.FAILING, Status.WARNING], watched__gone_at=None
    )
    also = also.exclude(watched=watched, area=transition.area).select_related("watched")
    worst_first = sorted(also, key=lambda area: (-Status(area.status).severity, area.since))[:6]
    stays = list(watched.models_seen.order_by("-since")[:2])
    changed = (stays[0].name or stays[0].model_id, stays[0].since) if len(stays) == 2 else None
    found = charts.chart_of(transition, now)
    picture = charts.draw(found) if found is not None else None
    return Context(transition, why, worst_first, changed, found, picture, charts.draw_icon(transition.new))


def health_changed(context: Context, to: Addressee) -> Composed:
    """The message about a changed verdict."""
    transition, watched = context.transition, context.transition.watched
    zone = to.zone
    status = Status(transition.new)
    words: dict[str, Any] = {
        "subject": subject(transition, context.why),
        "watched": watched,
        "area": Area(transition.area).label.lower(),
        "status": status,
        "tone": TONES[status],
        "was": Status(transition.old).label.lower(),
        "lead": lead(context),
        "reason": transition.reason,
        "facts": facts(context, zone),
        "chart": context.chart,
        "chart_id": CHART_ID if context.picture is not None else "",
        "icon_id": ICON_ID if context.icon is not None else "",
        "also": [_also(area, zone) for area in context.also],
        "url": f"{settings.PUBLIC_URL}/deployments/{watched.pk}/{_TABS.get(Area(transition.area), '')}",
        "preferences_url": to.settings_url,
        "unsubscribe_url": to.unsubscribe_url,
        "team": to.team.name,
        "zone": zone.key,
    }
    pictures = {CHART_ID: context.picture, ICON_ID: context.icon}
    return Composed(
        subject=words["subject"],
        text=render_to_string("emails/health_changed.txt", words),
        html=render_to_string("emails/health_changed.html", words),
        headers=headers(to, thread=f"<health.{watched.pk}.{transition.area}@{host()}>"),
        pictures={name: base64.b64encode(png).decode() for name, png in pictures.items() if png is not None},
        message_id=stable_id("transition", transition.pk, to.key),
    )


def test_message(to: Addressee, now: datetime) -> Composed:
    """Proves that mail arrives."""
    zone = to.zone
    words = {
        "subject": "[TEST] Mail from Vitals",
        "moment": when(now, zone),
        "zone": zone.key,
        "team": to.team.name,
        "url": settings.PUBLIC_URL,
        "unsubscribe_url": to.unsubscribe_url,
        "tone": TONES[Status.PASSING],
    }
    return Composed(
        subject=str(words["subject"]),
        text=render_to_string("emails/test.txt", words),
        html=render_to_string("emails/test.html", words),
        headers=headers(to),
        pictures={},
        message_id=stable_id("test", to.key, now.isoformat()),
        payload={
            "kind": "test",
            "at": now.isoformat(),
            "team": to.team.name,
            "subject": words["subject"],
            "brief": f"{to.team.name} asked for a test; messages arrive here. {settings.PUBLIC_URL}",
            "url": settings.PUBLIC_URL,
        },
    )


# --- Words --------------------------------------------------------------------------------------------------------

_TABS = {
    Area.SERVICE: "service/",
    Area.DRIFT: "drift/",
    Area.ACCURACY: "accuracy/",
    Area.PREDICTIONS_TIMELINESS: "predictions/",
    Area.ACTUALS_TIMELINESS: "predictions/",
}
_TAGS = {
    NotifyReason.RESOLVED: "RESOLVED",
    NotifyReason.BETTER: "AT RISK",
}


def subject(transition: Transition, why: NotifyReason) -> str:
    """`[FAILING] Loan default – data drift (income 0.31)`; one line whatever the label holds."""
    status = Status(transition.new)
    tag = _TAGS.get(why, status.label.upper())
    detail = short(Area(transition.area), transition.evidence)
    label = " ".join(transition.watched.label.split())[:120]
    text = f"[{tag}] {label} – {Area(transition.area).label.lower()}"
    return f"{text} ({detail})" if detail else text


def lead(context: Context) -> str:
    """What happened, in one clause."""
    transition = context.transition
    since = transition.trouble_since
    if context.why is NotifyReason.RESOLVED:
        return f"well again after {duration(transition.at - since)}" if since is not None else "well again"
    if context.why is NotifyReason.FIRST:
        return "first mail about this"
    if context.why is NotifyReason.WORSE:
        return f"was at risk for {duration(transition.at - since)}" if since is not None else "was at risk"
    return "was failing, better but not yet well"


def facts(context: Context, zone: ZoneInfo) -> list[tuple[str, str]]:
    """The rows of the table: what is known, nothing else."""
    transition, watched = context.transition, context.transition.watched
    evidence = transition.evidence
    rows = [("Value, limit", _value_and_limit(Area(transition.area), evidence))]
    since = transition.trouble_since or transition.at
    rows.append(("Since", f"{when(since, zone)}, judged {when(transition.at, zone)}"))
    affected = evidence.get("predictions") or evidence.get("rows")
    if isinstance(affected, int | float) and affected:
        daily = f"; about {watched.predictions_per_day:,.0f} a day" if watched.predictions_per_day else ""
        rows.append(("Predictions judged", f"{affected:,.0f}{daily}"))
    lag = evidence.get("labelLagHours")
    if isinstance(lag, int | float):
        rows.append(("Labels", f"complete after {duration(timedelta(hours=lag))}; younger ones are left out"))
    if context.changed is not None:
        rows.append(("Changed before", f"{when(context.changed[1], zone)}, model replaced by {context.changed[0]}"))
    return [(name, value) for name, value in rows if value]


def _value_and_limit(area: Area, evidence: Mapping[str, Any]) -> str:
    if area is Area.ACCURACY:
        return _accuracy_limit(evidence)
    if area is Area.DRIFT:
        limit = evidence.get("limit")
        counted = f", limit {limit} such feature{'s' if limit != 1 else ''}" if isinstance(limit, int) else ""
        drifted = drifted_features(evidence) or "no drifted feature"
        return f"{drifted}; drifted above PSI {evidence.get('driftThreshold', '?')}{counted}"
    if not area.is_core:
        return _further_limit(area, evidence)
    requests = evidence.get("requests")
    if not requests:
        return ""
    server, user = evidence.get("serverErrors") or 0, evidence.get("userErrors") or 0
    return f"{server:,} server and {user:,} user errors, {share((server + user) / requests)} of {requests:,}; limit 1"


def _further_limit(area: Area, evidence: Mapping[str, Any]) -> str:
    if area is Area.FAIRNESS:
        below = unfavoured_classes(evidence)
        return f"{below or 'no class'} below {evidence.get('threshold', '?')}" if evidence.get("judged") else ""
    if area is Area.CUSTOM_METRICS:
        return met_condition(evidence)
    expected, detail = evidence.get("expectedSeconds"), short(area, evidence)
    if not isinstance(expected, int):
        return ""
    return f"{detail or 'none yet'}, expected every {duration(timedelta(seconds=expected))}"


def _accuracy_limit(evidence: Mapping[str, Any]) -> str:
    value, baseline = evidence.get("value"), evidence.get("baseline")
    if not isinstance(value, int | float):
        return ""
    text = f"{evidence.get('metric', '')} {score(value)}"
    form = percent if evidence.get("measurement") == Measurement.PERCENT else score
    limits = ((Status.WARNING, "warningThreshold"), (Status.FAILING, "failingThreshold"))
    known = [(status, limit) for status, name in limits if (limit := evidence.get(name)) is not None]
    shown = [f"{status.label.lower()} from {form(limit)}" for status, limit in known]
    if isinstance(baseline, int | float):
        text += f", baseline {score(baseline)}"
    return f"{text}; {', '.join(shown)}" if shown else text


def _also(area: AreaHealth, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "label": area.watched.label,
        "area": Area(area.area).label.lower(),
        "status": Status(area.status),
        "reason": area.reason,
        "since": when(area.since, zone),
        "tone": TONES[Status(area.status)],
        "url": f"{settings.PUBLIC_URL}/deployments/{area.watched_id}/{_TABS.get(Area(area.area), '')}",
    }


def when(moment: datetime, zone: ZoneInfo) -> str:
    """`Tue 2 Jul 14:00` in the reader's zone."""
    local = moment.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b %H:%M}"
