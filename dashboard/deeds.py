"""Who did what, from two lists read as one: our own audit (with how the changes asked for ended) and the service's.

Owners and managers see their teams' entries and what members did with their accounts; everybody sees their own; an
administrator sees all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Q, QuerySet

from dashboard.reader import Reader
from dashboard.service_half import Desk
from monitoring.models import AuditAction as A
from monitoring.models import AuditEntry, Command, Membership, Role, WorkState

HUMP = re.compile(r"(?<=[a-z])([A-Z])")
"""`healthSettings` is two words."""
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
KINDS: dict[str, tuple[str, frozenset[str]]] = {
    "accounts": (
        "Log-ins and accounts",
        frozenset({A.SETUP, A.LOGGED_IN, A.LOGGED_OUT, A.LOGIN_FAILED, A.PASSWORD_CHANGED, A.PASSWORD_RESET})
        | {A.FACTOR_ADDED, A.FACTOR_REMOVED, A.CODES_MADE, A.SESSION_ENDED, A.ACCOUNT_LINKED},
    ),
    "tokens": ("API tokens", frozenset({A.TOKEN_CREATED, A.TOKEN_REVOKED})),
    "members": (
        "Teams and members",
        frozenset({A.TEAM_CREATED, A.TEAM_CHANGED, A.TEAM_DELETED, A.MEMBER_INVITED, A.INVITATION_RESENT})
        | {A.INVITATION_REVOKED, A.MEMBER_JOINED, A.MEMBER_CHANGED, A.MEMBER_REMOVED, A.MEMBER_LEFT},
    ),
    "sources": ("Sources", frozenset({A.SOURCE_ADDED, A.SOURCE_CHANGED, A.SOURCE_REMOVED, A.SOURCE_TESTED})),
    "shares": ("Shared links", frozenset({A.SHARE_CREATED, A.SHARE_REVOKED})),
    "alerting": (
        "Alerts: policies, rules, channels, silences",
        frozenset({A.POLICY_CHANGED, A.RULE_ADDED, A.RULE_CHANGED, A.RULE_REMOVED, A.SILENCED, A.SILENCE_ENDED})
        | {A.CHANNEL_ADDED, A.CHANNEL_CHANGED, A.CHANNEL_SECRET, A.CHANNEL_REMOVED, A.TEST_SENT, A.MAIL_REPEATED}
        | {A.SHIFT_PLANNED, A.SHIFT_REMOVED, A.HANDED_OVER, A.HEARING_CHANGED, A.VOTED},
    ),
    "incidents": (
        "Incidents",
        frozenset({A.INCIDENT_ACKNOWLEDGED, A.INCIDENT_ASSIGNED, A.INCIDENT_NOTED, A.INCIDENT_SNOOZED})
        | {A.INCIDENT_UNSNOOZED, A.INCIDENT_RESOLVED, A.INCIDENT_REOPENED},
    ),
    "reviews": (
        "Reviews and promises",
        frozenset({A.REVIEW_PLANNED, A.REVIEW_REPLANNED, A.REVIEW_OPENED, A.REVIEW_ACCEPTED, A.REVIEW_TAKEN_UP})
        | {A.REVIEW_REBUILT, A.REVIEW_SIGNED, A.ACTION_PROMISED, A.ACTION_CHANGED},
    ),
    "notes": (
        "Notes and views",
        frozenset({A.NOTE_WRITTEN, A.NOTE_CHANGED, A.NOTE_REMOVED, A.VIEW_SAVED, A.VIEW_RENAMED, A.VIEW_REMOVED}),
    ),
    "models": (
        "Models registered",
        frozenset({A.MODEL_BEGUN, A.MODEL_DESCRIBED, A.MODEL_DEPLOYED, A.MODEL_DROPPED}),
    ),
    "commands": ("Changes asked for here", frozenset({A.CHANGE_ASKED, A.CHANGE_DISMISSED})),
    "files": ("Files downloaded", frozenset({A.DOWNLOADED})),
    "unwatched": ("Left unwatched", frozenset({A.LEFT_OUT, A.WATCHED_AGAIN})),
    "service": ("Changes at this service", frozenset()),
}


@dataclass(frozen=True)
class Deed:
    """One line: when, who, what, about what; `more` is before and after as text, `where` the half that wrote it."""

    at: datetime
    actor: str
    what: str
    about: str = ""
    team: str = ""
    more: str = ""
    address: str = ""
    where: str = "pages"


@dataclass(frozen=True)
class Asked:
    """What is looked for: `since` ≤ at < `before`."""

    before: datetime
    since: datetime = EPOCH
    kind: str = ""
    actor: str = ""
    team: int | None = None

    def wants(self, kind: str) -> bool:
        return self.kind in ("", kind)


def deeds(reader: Reader, asked: Asked, counter: Desk | None, limit: int) -> list[Deed]:
    """The newest `limit` lines, newest first: three queries at most."""
    found: list[Deed] = []
    if asked.kind != "service":
        rows = list(_audit(reader, asked)[:limit])
        ends = _ends(rows)
        found += [_ours(row, ends.get(row.detail.get("command"), "")) for row in rows]
    if asked.wants("service") and counter is not None and asked.team is None:
        span: dict[str, Any] = {"before": asked.before, "since": asked.since, "actor": asked.actor, "limit": limit}
        found += [_change(row) for row in counter.changes(reader.user, **span)]
    return sorted(found, key=lambda one: one.at, reverse=True)[:limit]


def managed(reader: Reader) -> list[int]:
    """The teams whose entries the person may read."""
    return [m.team_id for m in reader.memberships if Role(m.role).may_change]


def _audit(reader: Reader, asked: Asked) -> QuerySet[AuditEntry]:
    rows = AuditEntry.objects.filter(at__lt=asked.before, at__gte=asked.since)
    if not reader.user.is_superuser:
        teams = managed(reader)
        members = Membership.objects.filter(team__in=teams).values("user")
        rows = rows.filter(Q(team__in=teams) | Q(user=reader.user) | Q(team=None, user__in=members))
    if asked.kind:
        rows = rows.filter(action__in=KINDS[asked.kind][1])
    if asked.actor:
        rows = rows.filter(actor__icontains=asked.actor)
    if asked.team is not None:
        rows = rows.filter(team=asked.team)
    return rows.select_related("team").order_by("-at", "-pk")


def _ends(rows: Sequence[AuditEntry]) -> dict[int, str]:
    """How the changes that were asked for stand now, by the number of the command."""
    asked = [row.detail["command"] for row in rows if row.action == A.CHANGE_ASKED and "command" in row.detail]
    states = Command.objects.filter(pk__in=asked).values_list("pk", "state") if asked else []
    return {pk: str(WorkState(state).label).lower() for pk, state in states}


def _ours(row: AuditEntry, end: str) -> Deed:
    team = row.team.name if row.team is not None else ""
    about = f"{row.about}: {end}" if end else row.about
    return Deed(row.at, row.actor, row.label, about, team, _text(row.detail), row.address or "")


def _change(row: Any) -> Deed:
    more = {name: value for name, value in (("before", row.before), ("after", row.after)) if value}
    what = HUMP.sub(r" \1", row.action.replace(".", " ")).lower()
    return Deed(row.at, row.actor, what, row.about, more=_text(more), where="service")


def _text(detail: Any) -> str:
    return json.dumps(detail, ensure_ascii=False, sort_keys=True, default=str) if detail else ""
