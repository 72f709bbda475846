"""Messages about incidents: one function a kind of notice; what they share is put together in `_tell`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from metrics.wording import duration, plural
from monitoring.evidence import short
from monitoring.incidents.actions import name_of
from monitoring.mail.addressee import Addressee
from monitoring.mail.envelope import Composed, stable_id
from monitoring.mail.letter import CHART_ID, ICON_ID, letter
from monitoring.mail.links import Act, link_to
from monitoring.mail.story import Story, affected_rows, also_rows, facts
from monitoring.mail.words import area_words, deployment_url, incident_url, one_line
from monitoring.models import Area, IncidentKind, NoticeKind, Role, Severity, Status

_SNOOZES = (Act.SNOOZE_4H, Act.SNOOZE_24H, Act.SNOOZE_7D)


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy of a message: to whom, why they hear it, and which message of the story came first ("" = this one)."""

    to: Addressee
    why: str = ""
    first_id: str = ""


def opened(story: Story, copy: Copy) -> Composed:
    """New trouble."""
    return _tell(story, copy, tag=_status(story), lead="first message")


def reopened(story: Story, copy: Copy) -> Composed:
    """It had been resolved a short while ago; the incident goes on."""
    return _tell(story, copy, tag=f"{_status(story)} AGAIN", lead="had been resolved, is in trouble again")


def worse(story: Story, copy: Copy) -> Composed:
    """At risk became failing, or a fleet incident grew."""
    if story.notice.data.get("grown"):
        lead = f"has grown to {plural(story.size, 'deployment')}"
    else:
        lead = f"was {_was(story)}, got worse"
    return _tell(story, copy, tag=_status(story), lead=lead)


def better(story: Story, copy: Copy) -> Composed:
    """Failing became at risk and stayed so."""
    return _tell(story, copy, tag=_status(story), lead=f"was {_was(story)}, better but not yet well")


def still(story: Story, copy: Copy) -> Composed:
    """The reminder: what is still broken and for how long; nothing that is well again."""
    lead = "the snooze has ended, " if story.notice.data.get("snoozeEnded") else ""
    tag = f"STILL {_status(story)}, {_span(story.lasted).upper()}"
    return _tell(story, copy, tag=tag, lead=f"{lead}unchanged for {duration(story.lasted)}")


def escalated(story: Story, copy: Copy) -> Composed:
    """Nobody acknowledged it in time."""
    waited = duration(story.notice.at - story.incident.opened_at)
    return _tell(story, copy, tag=f"UNANSWERED, {_status(story)}", lead=f"nobody has answered for {waited}")


def flapping(story: Story, copy: Copy) -> Composed:
    """It comes and goes: said once, then silence until it settles."""
    return _tell(story, copy, tag="FLAPPING", lead="comes and goes; silent until it settles or ends")


def resolved(story: Story, copy: Copy) -> Composed:
    """It is over, after how long."""
    by = story.notice.data.get("by")
    lead = f"closed by {by}" if by else "well again"
    return _tell(story, copy, tag="RESOLVED", lead=f"{lead} after {duration(story.lasted)}")


MESSAGES: dict[NoticeKind, Callable[[Story, Copy], Composed]] = {
    NoticeKind.OPENED: opened,
    NoticeKind.REOPENED: reopened,
    NoticeKind.WORSE: worse,
    NoticeKind.BETTER: better,
    NoticeKind.STILL: still,
    NoticeKind.ESCALATED: escalated,
    NoticeKind.FLAPPING: flapping,
    NoticeKind.RESOLVED: resolved,
}


def identity(story: Story, to: Addressee) -> str:
    """The Message-ID: the same for the same notice to the same addressee."""
    return stable_id(story.kind.value, story.notice.key, to.key)


# --- What all of them share ---------------------------------------------------------------------------------------


def _tell(story: Story, copy: Copy, *, tag: str, lead: str) -> Composed:
    to, incident, zone = copy.to, story.incident, copy.to.zone
    tag, lead, title = _of_kind(story, tag, lead)
    subject = f"[{tag}] {one_line(title)}{_detail(story)}"
    is_open = story.kind is not NoticeKind.RESOLVED
    words: dict[str, Any] = {
        "subject": subject,
        "status": story.status,
        "status_word": "Silent" if _is_source(story) and is_open else story.status.label,
        "number": incident.pk,
        "lead": lead,
        "title": title,
        "area": area_words(incident.area),
        "reason": _reason(story),
        "facts": facts(story, zone),
        "chart": story.chart,
        "affected": affected_rows(story, zone),
        "affected_title": _affected_title(story),
        "more": story.size - len(story.affected) if story.affected else 0,
        "also": also_rows(story, zone),
        "open_url": _url(story),
        "open_word": "Open the chart" if incident.watched is not None else "Open the incident",
        "incident_url": incident_url(incident),
        "buttons": _buttons(story, to) if is_open else [],
        "votes": _votes(story, to),
        "because": copy.why,
        "next": _next(story),
    }
    return letter(
        "incident",
        to,
        words,
        message_id=identity(story, to),
        thread=copy.first_id,
        pictures={CHART_ID: story.picture, ICON_ID: story.icon},
        payload=_payload(story, words),
    )


def _of_kind(story: Story, tag: str, lead: str) -> tuple[str, str, str]:
    """Tag, lead and title for deployments, fleets and sources."""
    incident = story.incident
    if _is_source(story):
        name = incident.source.name if incident.source is not None else "A source"
        if story.kind is NoticeKind.RESOLVED:
            return "BACK", f"answers again after {duration(story.lasted)}", f"Source {name}"
        return tag.replace(_status(story), "SILENT"), lead, f"Source {name}"
    if incident.kind == IncidentKind.FLEET:
        return tag, lead, f"{plural(story.size, 'deployment')}, one cause"
    return tag, lead, incident.watched.label if incident.watched is not None else "A deployment"


def _is_source(story: Story) -> bool:
    return story.incident.kind == IncidentKind.SOURCE


def _detail(story: Story) -> str:
    """` – accuracy (AUC 0.685)` behind the title of the subject."""
    incident = story.incident
    if incident.watched is None:
        return "" if _is_source(story) else f" – {one_line(incident.reason, 100)}"
    found = short(Area(incident.area), story.notice.evidence) if incident.area in Area.values else ""
    return f" – {area_words(incident.area)}" + (f" ({one_line(found, 80)})" if found else "")


def _reason(story: Story) -> str:
    """The computed sentence; at the end what was said last is no longer true, so the last trouble is not repeated."""
    return story.notice.reason or story.incident.reason


def _affected_title(story: Story) -> str:
    if _is_source(story):
        return "Its deployments, as they were last known"
    return "Affected" if story.kind is NoticeKind.RESOLVED else "Still affected" if _repeats(story) else "Affected"


def _repeats(story: Story) -> bool:
    return story.kind in {NoticeKind.STILL, NoticeKind.ESCALATED, NoticeKind.BETTER}


def _status(story: Story) -> str:
    return Status(story.notice.status).label.upper()


def _was(story: Story) -> str:
    return Status(story.notice.was).label.lower() if story.notice.was else "well"


def _span(length: timedelta) -> str:
    """`day 3` from the second day on, hours before."""
    days = length // timedelta(days=1)
    return f"day {days + 1}" if days else duration(length)


def _url(story: Story) -> str:
    watched = story.incident.watched
    return deployment_url(watched, story.incident.area) if watched is not None else incident_url(story.incident)


def _buttons(story: Story, to: Addressee) -> list[tuple[str, str, str]]:
    """Acknowledge and snooze for a person who may; a channel is no person and gets none."""
    if to.member is None or not Role(to.member.role).may_act:
        return []
    acts = _SNOOZES if story.incident.acknowledged_at is not None else (Act.ACKNOWLEDGE, *_SNOOZES)
    return [(_word(act), act.label, link_to(act, to, story.notice)) for act in acts]


def _word(act: Act) -> str:
    """The first snooze says what the others are."""
    return act.label if act in {Act.ACKNOWLEDGE, Act.SNOOZE_4H} else act.label.removeprefix("Snooze ")


def _votes(story: Story, to: Addressee) -> dict[str, str]:
    if to.member is None:
        return {}
    return {"useful": link_to(Act.USEFUL, to, story.notice), "noise": link_to(Act.NOISE, to, story.notice)}


def _next(story: Story) -> str:
    if story.kind is NoticeKind.RESOLVED:
        return "this was the last message about it"
    return "the next one comes if it gets worse, recovers, or is still there at the next reminder"


def _payload(story: Story, words: dict[str, Any]) -> dict[str, Any]:
    """What a webhook posts, and, as `brief`, what chats and pagers show."""
    incident, notice = story.incident, story.notice
    lines = [f"{words['reason']} ({words['lead']})"]
    lines += [f"{name}: {value}" for name, value in words["facts"][:4]]
    lines += [f"• {one['label']}: {one['status'].label}" for one in words["affected"][:8]]
    if words["more"] or len(words["affected"]) > 8:
        lines.append(f"… {plural(story.size, 'deployment')} in all")
    return {
        "kind": story.kind.value,
        "at": notice.at.isoformat(),
        "thread": f"vitals-incident-{incident.pk}",
        "brief": "\n".join([*lines, words["open_url"]]),
        "status": story.status.value,
        "was": notice.was,
        "severity": Severity(incident.severity).label.lower(),
        "reason": words["reason"],
        "evidence": notice.evidence,
        "area": incident.area,
        "incident": _about(story, words),
        "deployments": [
            {"id": one.remote_id, "label": one.label, "importance": one.importance, "url": deployment_url(one)}
            for one in story.watched
        ],
        "deploymentsCount": story.size,
    }


def _about(story: Story, words: dict[str, Any]) -> dict[str, Any]:
    incident = story.incident
    ended = incident.resolved_at.isoformat() if incident.resolved_at is not None else None
    return {
        "id": incident.pk,
        "kind": incident.kind,
        "url": words["incident_url"],
        "beganAt": incident.began_at.isoformat(),
        "openedAt": incident.opened_at.isoformat(),
        "resolvedAt": ended,
        "acknowledgedBy": name_of(incident.acknowledged_by) if incident.acknowledged_at is not None else None,
        "assignee": name_of(incident.assignee) if incident.assignee is not None else None,
        "source": incident.source.name if incident.source is not None else None,
        "predictionsAffected": round(incident.predictions_affected),
    }
