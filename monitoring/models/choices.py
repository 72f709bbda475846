"""The words that rows of the watcher use. Stored values never change; labels are what people read."""

from __future__ import annotations

from django.db import models


class Role(models.TextChoices):
    """What a member may do in a team, strongest first."""

    OWNER = "owner", "Owner"
    MANAGER = "manager", "Manager"
    MEMBER = "member", "Member"
    READONLY = "readonly", "Read only"

    @property
    def may_change(self) -> bool:
        """May change settings at a source, add sources, change members."""
        return self in {Role.OWNER, Role.MANAGER}

    @property
    def may_act(self) -> bool:
        """May star, note and ask questions that cost the source a request."""
        return self is not Role.READONLY


class Status(models.TextChoices):
    """The six statuses of the reference."""

    PASSING = "passing", "Passing"
    WARNING = "warning", "At risk"
    FAILING = "failing", "Failing"
    UNKNOWN = "unknown", "Unknown"
    NOT_STARTED = "not_started", "Not started"
    UNAVAILABLE = "unavailable", "Unavailable"

    @property
    def severity(self) -> int:
        """5 (failing) … 0 (passing): grey never hides red, and never passes as good."""
        return SEVERITY[self]

    @property
    def is_verdict(self) -> bool:
        """True where data were judged; the greys only say why nothing was."""
        return self in {Status.PASSING, Status.WARNING, Status.FAILING}


SEVERITY: dict[str, int] = {
    Status.FAILING: 5,
    Status.WARNING: 4,
    Status.UNAVAILABLE: 3,
    Status.UNKNOWN: 2,
    Status.NOT_STARTED: 1,
    Status.PASSING: 0,
}


class Area(models.TextChoices):
    """What is judged of a deployment."""

    SERVICE = "service", "Service health"
    DRIFT = "drift", "Data drift"
    ACCURACY = "accuracy", "Accuracy"
    FAIRNESS = "fairness", "Fairness"
    CUSTOM_METRICS = "custom_metrics", "Custom metrics"
    PREDICTIONS_TIMELINESS = "predictions_timeliness", "Timeliness of predictions"
    ACTUALS_TIMELINESS = "actuals_timeliness", "Timeliness of actuals"

    @property
    def is_core(self) -> bool:
        """True for the areas that every deployment shows; the others appear only where they are switched on."""
        return self in CORE_AREAS


CORE_AREAS = (Area.SERVICE, Area.DRIFT, Area.ACCURACY)


class DeploymentStatus(models.TextChoices):
    """Life of a deployment at its source, as the reference names it."""

    ACTIVE = "active", "Active"
    ARCHIVED = "archived", "Archived"
    ERRORED = "errored", "Errored"
    INACTIVE = "inactive", "Inactive"
    LAUNCHING = "launching", "Launching"
    REPLACING = "replacingModel", "Replacing model"
    STOPPING = "stopping", "Stopping"


class Importance(models.TextChoices):
    CRITICAL = "CRITICAL", "Critical"
    HIGH = "HIGH", "High"
    MODERATE = "MODERATE", "Moderate"
    LOW = "LOW", "Low"


class TopicState(models.TextChoices):
    """How the last attempt to answer a question ended."""

    NEW = "new", "Not asked yet"
    OK = "ok", "Answered"
    REFUSED = "refused", "Not enabled at the source"
    FAILED = "failed", "The source failed"
    MALFORMED = "malformed", "The answer could not be read"


class RunKind(models.TextChoices):
    DISCOVERY = "discovery", "Deployment list"
    POLL = "poll", "Poll"
    QUESTIONS = "questions", "Questions"
    TEST = "test", "Connection test"


class WorkState(models.TextChoices):
    """State of a row that a worker carries out."""

    PENDING = "pending", "Pending"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    REFUSED = "refused", "Refused"
    CONFLICT = "conflict", "Conflict"
    FAILED = "failed", "Failed"
    IN_DOUBT = "in_doubt", "In doubt"


class CommandKind(models.TextChoices):
    """What may be asked of a source; `monitoring.commands.kinds` says how each is done."""

    TEST_SOURCE = "test_source", "Connection test"
    HEALTH_SETTINGS = "health_settings", "Health settings"
    SETTINGS = "settings", "Monitoring settings"
    DETAILS = "details", "Label, description, importance"
    BATCH_CREATE = "batch_create", "New batch"
    BATCH_UPDATE = "batch_update", "Batch"
    BATCH_LOCK = "batch_lock", "Lock a batch"
    BATCH_UNLOCK = "batch_unlock", "Unlock a batch"
    BATCH_DELETE = "batch_delete", "Delete a batch"
    BATCH_TIMES = "batch_times", "When a model's data in a batch begins and ends"
    METRIC_CREATE = "metric_create", "New custom metric"
    METRIC_UPDATE = "metric_update", "Custom metric"
    METRIC_DELETE = "metric_delete", "Delete a custom metric"
    METRIC_VALUES = "metric_values", "Values of a custom metric"
    METRIC_DATASET = "metric_dataset", "Values of a custom metric from a file"
    METRIC_FROM_JOB = "metric_from_job", "Custom metric that works itself out"
    METRIC_JOB_RUN = "metric_job_run", "Run of a custom metric's job"
    RULE_CREATE = "rule_create", "New humility rule"
    RULE_UPDATE = "rule_update", "Humility rule"
    RULE_DELETE = "rule_delete", "Remove a humility rule"
    CHALLENGER_CREATE = "challenger_create", "New challenger"
    CHALLENGER_RENAME = "challenger_rename", "Rename a challenger"
    CHALLENGER_DELETE = "challenger_delete", "Delete a challenger"
    REPLAY = "replay", "Replay of challengers"
    REPLAY_SETTINGS = "replay_settings", "When challengers are replayed"
    MODEL_CHECK = "model_check", "Check of a replacement"
    MODEL_REPLACE = "model_replace", "Model replacement"
    POLICY_CREATE = "policy_create", "New retraining policy"
    POLICY_UPDATE = "policy_update", "Retraining policy"
    POLICY_DELETE = "policy_delete", "Delete a retraining policy"
    RUN_START = "run_start", "Retraining run"
    RUN_CANCEL = "run_cancel", "Cancel a retraining run"
    RETRAINING_SETTINGS = "retraining_settings", "Retraining settings"
    EXPORT_PREDICTIONS = "export_predictions", "Export of predictions"
    EXPORT_ACTUALS = "export_actuals", "Export of actuals"
    EXPORT_TRAINING = "export_training", "Export of training data"
    CANCEL_PREDICTIONS = "cancel_predictions", "Cancel an export of predictions"
    CANCEL_ACTUALS = "cancel_actuals", "Cancel an export of actuals"
    EXPORT_DELETE = "export_delete", "Delete an export of actuals"
    DATA_DELETE = "data_delete", "Delete monitoring data"
    PREDICTIONS_DATASET = "predictions_dataset", "Predictions from a file"
    ACTUALS_DATASET = "actuals_dataset", "Actuals from a file"
    RUNTIME = "runtime", "Runtime parameters"
    SECONDARY_USE = "secondary_use", "Secondary datasets in use"
    SECONDARY_CREATE = "secondary_create", "New set of secondary datasets"
    SECONDARY_DELETE = "secondary_delete", "Delete a set of secondary datasets"
    REPORT_CREATE = "report_create", "New report"
    REPORT_UPDATE = "report_update", "Report"
    REPORT_DELETE = "report_delete", "Delete a report"
    REPORT_RUN = "report_run", "Report on demand"
    SCORING_CODE = "scoring_code", "Build of scoring code"
    ACTIVATE = "activate", "Activate"
    DEACTIVATE = "deactivate", "Deactivate"
    DEPLOYMENT_DELETE = "deployment_delete", "Delete the deployment"
    SHARE = "share", "Sharing"


class Loosens(models.TextChoices):
    """In which way a change of settings lets more trouble pass unnoticed."""

    LIMIT = "limit", "Limit loosened"
    EXCLUDED = "excluded", "Left out"
    OFF = "off", "Switched off"


class MailState(models.TextChoices):
    """Life of a message. `in doubt`: handed over, but the answer was never seen; `dropped`: waited for somebody's
    hours and was overtaken by a newer one."""

    PENDING = "pending", "Waiting"
    SENDING = "sending", "Being sent"
    SENT = "sent", "Sent"
    IN_DOUBT = "in_doubt", "In doubt"
    KEPT = "kept", "Kept here (no mail server set)"
    FAILED = "failed", "Given up"
    BOUNCED = "bounced", "Bounced"
    DROPPED = "dropped", "Overtaken"


class Carrier(models.TextChoices):
    """By which way a message leaves."""

    EMAIL = "email", "E-mail"
    WEBHOOK = "webhook", "Signed webhook"
    SERVICE = "service", "Chat or paging service"


class NotifyReason(models.TextChoices):
    """Why a message was written. The first ones are kinds of notices, under the same values."""

    OPENED = "opened", "New trouble"
    REOPENED = "reopened", "In trouble again"
    WORSE = "worse", "Got worse"
    BETTER = "better", "Got better, not yet well"
    STILL = "still", "Still in trouble"
    ESCALATED = "escalated", "Nobody answered"
    FLAPPING = "flapping", "Flapping"
    RESOLVED = "resolved", "Resolved"
    DIGEST = "digest", "Digest"
    SILENCE = "silence", "A silence ends"
    HANDOVER = "handover", "Hand-over"
    REVIEWED = "reviewed", "Review signed"
    REVIEW_DUE = "review_due", "Review due"
    OVERDUE = "overdue", "Action items overdue"
    LOOSENED = "loosened", "Watch loosened"
    TEST = "test", "Test message"
    INVITED = "invited", "Invitation"
    PASSWORD = "password", "New password"
    FIRST = "first", "First mail about it"


class Delivery(models.TextChoices):
    NOW = "now", "At once"
    DIGEST = "digest", "In the digest"
    NEVER = "never", "Not at all"


class Whom(models.TextChoices):
    """Whom the alerts of an area reach where no rule decides."""

    EVERYBODY = "everybody", "Every member and channel"
    ANSWERING = "answering", "Owners, managers and channels"
    MEMBERS = "members", "Members, no channel"
    CHANNELS = "channels", "Channels, no member"


class Wish(models.TextChoices):
    """A person's own word about one deployment."""

    ALL = "all", "Hear everything at once"
    NOTHING = "nothing", "Hear nothing"


class DigestPace(models.TextChoices):
    NEVER = "never", "Never"
    DAILY = "daily", "Daily"
    WEEKLY = "weekly", "Weekly, on Mondays"
    MONTHLY = "monthly", "Monthly, on the first"


class Breaks(models.TextChoices):
    """What reaches a person outside the own hours."""

    FAILING = "failing", "Whatever is failing"
    CRITICAL = "critical", "Only what is critical"
    NOTHING = "nothing", "Nothing"


class Theme(models.TextChoices):
    SYSTEM = "system", "As the system"
    LIGHT = "light", "Light"
    DARK = "dark", "Dark"


class IncidentKind(models.TextChoices):
    DEPLOYMENT = "deployment", "Deployment"
    FLEET = "fleet", "Several deployments"
    SOURCE = "source", "Source"


class IncidentState(models.TextChoices):
    """What an incident is in, derived from its facts and the time; never stored."""

    OPEN = "open", "Open"
    ACKNOWLEDGED = "acknowledged", "Acknowledged"
    SNOOZED = "snoozed", "Snoozed"
    RECOVERING = "recovering", "Recovering"
    RESOLVED = "resolved", "Resolved"


class Severity(models.IntegerChoices):
    """How much an incident matters: its status, weighed by the importance of the deployment."""

    LOW = 1, "Low"
    MODERATE = 2, "Moderate"
    HIGH = 3, "High"
    CRITICAL = 4, "Critical"


class EventKind(models.TextChoices):
    """Steps of a timeline."""

    OPENED = "opened", "Opened"
    REOPENED = "reopened", "Reopened"
    WORSE = "worse", "Got worse"
    BETTER = "better", "Got better"
    RECOVERING = "recovering", "Passing, not yet for long enough"
    RELAPSED = "relapsed", "In trouble again"
    FLAPPING = "flapping", "Flapping"
    CALM = "calm", "No longer flapping"
    DARK = "dark", "No data"
    LIGHT = "light", "Data again"
    JOINED = "joined", "Joined"
    ACKNOWLEDGED = "acknowledged", "Acknowledged"
    ASSIGNED = "assigned", "Assigned"
    NOTE = "note", "Note"
    SNOOZED = "snoozed", "Snoozed"
    UNSNOOZED = "unsnoozed", "Snooze ended"
    SILENCED = "silenced", "Alerts held back"
    TOLD = "told", "Told"
    ESCALATED = "escalated", "Escalated"
    RESOLVED = "resolved", "Resolved"


class NoticeKind(models.TextChoices):
    """What is to be told about an incident."""

    OPENED = "opened", "New trouble"
    REOPENED = "reopened", "In trouble again"
    WORSE = "worse", "Got worse"
    BETTER = "better", "Got better, not yet well"
    STILL = "still", "Still in trouble"
    ESCALATED = "escalated", "Nobody answered"
    FLAPPING = "flapping", "Flapping"
    RESOLVED = "resolved", "Resolved"


class Held(models.TextChoices):
    """What keeps a notice from going out."""

    FLEET = "fleet", "Told by its fleet incident"
    SILENCE = "silence", "Silenced"
    SNOOZE = "snooze", "Snoozed"
    SOURCE = "source", "Its source cannot be reached"
    CHANGING = "changing", "The deployment is being changed"


class SilenceKind(models.TextChoices):
    SILENCE = "silence", "Silence"
    MAINTENANCE = "maintenance", "Maintenance window"


class ShareKind(models.TextChoices):
    """What a share link shows."""

    DEPLOYMENT = "deployment", "Tab of a deployment"
    FLEET = "fleet", "Fleet"
    WALL = "wall", "Wall screen"
    INCIDENT = "incident", "Incident"
    BADGE = "badge", "Badge"
