"""Rows of the watcher; other packages import them from here."""

from monitoring.models.channels import Channel
from monitoring.models.choices import (
    Area,
    Carrier,
    CommandKind,
    DeploymentStatus,
    Importance,
    MailState,
    NotifyReason,
    Role,
    RunKind,
    Status,
    Theme,
    TopicState,
    WorkState,
)
from monitoring.models.commands import Command
from monitoring.models.health import AreaHealth, HealthDay, Transition
from monitoring.models.outbox import Message
from monitoring.models.snapshots import Answer, PendingQuestion, SeriesChunk, Topic
from monitoring.models.sources import PollRun, Source
from monitoring.models.teams import Membership, Team, UserPreference
from monitoring.models.watched import ModelSeen, Watched

__all__ = [
    "Answer",
    "Area",
    "AreaHealth",
    "Carrier",
    "Channel",
    "Command",
    "CommandKind",
    "DeploymentStatus",
    "HealthDay",
    "Importance",
    "MailState",
    "Membership",
    "Message",
    "ModelSeen",
    "NotifyReason",
    "PendingQuestion",
    "PollRun",
    "Role",
    "RunKind",
    "SeriesChunk",
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
