"""Rows of the watcher; other packages import them from here."""

from monitoring.models.choices import (
    Area,
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
from monitoring.models.reviews import (
    ActionItem,
    ActionState,
    AgendaSection,
    Cadence,
    PageVisit,
    Review,
    ReviewItem,
    ReviewPlan,
    ReviewPresence,
    ReviewState,
    ReviewVerdict,
    SignedReview,
    Weekday,
)
from monitoring.models.snapshots import Answer, PendingQuestion, SeriesChunk, Topic
from monitoring.models.sources import PollRun, Source
from monitoring.models.teams import Membership, Team, UserPreference
from monitoring.models.watched import ModelSeen, Watched

__all__ = [
    "ActionItem",
    "ActionState",
    "AgendaSection",
    "Answer",
    "Area",
    "AreaHealth",
    "Cadence",
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
    "PageVisit",
    "PendingQuestion",
    "PollRun",
    "Review",
    "ReviewItem",
    "ReviewPlan",
    "ReviewPresence",
    "ReviewState",
    "ReviewVerdict",
    "Role",
    "RunKind",
    "SeriesChunk",
    "SignedReview",
    "Source",
    "Status",
    "Team",
    "Theme",
    "Topic",
    "TopicState",
    "Transition",
    "UserPreference",
    "Watched",
    "Weekday",
    "WorkState",
]
