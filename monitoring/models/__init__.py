"""Rows of the watcher; other packages import them from here."""

from monitoring.models.choices import (
    Area,
    CommandKind,
    DeploymentStatus,
    EventKind,
    Held,
    Importance,
    IncidentKind,
    IncidentState,
    MailState,
    NoticeKind,
    NotifyReason,
    Role,
    RunKind,
    Severity,
    SilenceKind,
    Status,
    Theme,
    TopicState,
    WorkState,
)
from monitoring.models.commands import Command
from monitoring.models.health import AreaHealth, HealthDay, Transition
from monitoring.models.incidents import Incident, IncidentEvent, IncidentNotice, IncidentTrack
from monitoring.models.outbox import Message
from monitoring.models.silences import AlertPolicy, Silence
from monitoring.models.snapshots import Answer, PendingQuestion, SeriesChunk, Topic
from monitoring.models.sources import PollRun, Source
from monitoring.models.teams import Membership, Team, UserPreference
from monitoring.models.watched import ModelSeen, Watched

__all__ = [
    "AlertPolicy",
    "Answer",
    "Area",
    "AreaHealth",
    "Command",
    "CommandKind",
    "DeploymentStatus",
    "EventKind",
    "HealthDay",
    "Held",
    "Importance",
    "Incident",
    "IncidentEvent",
    "IncidentKind",
    "IncidentNotice",
    "IncidentState",
    "IncidentTrack",
    "MailState",
    "Membership",
    "Message",
    "ModelSeen",
    "NoticeKind",
    "NotifyReason",
    "PendingQuestion",
    "PollRun",
    "Role",
    "RunKind",
    "SeriesChunk",
    "Severity",
    "Silence",
    "SilenceKind",
    "Source",
    "Status",
    "Team",
    "Theme",
    "Topic",
    "TopicState",
    "Transition",
    "UserPreference",
    "Watched",
    "WorkState",
]
