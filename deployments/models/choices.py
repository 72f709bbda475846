"""The words and numbers that rows of the service use. Stored values never change."""

from __future__ import annotations

from django.db import models


class Role(models.TextChoices):
    """What a person may do with a deployment, strongest first."""

    OWNER = "OWNER", "Owner"
    USER = "USER", "User"
    CONSUMER = "CONSUMER", "Consumer"


class TokenScope(models.TextChoices):
    """What a token may be used for."""

    READ = "read", "Read"
    WRITE = "write", "Write"


class Importance(models.TextChoices):
    """How much depends on a deployment."""

    CRITICAL = "CRITICAL", "Critical"
    HIGH = "HIGH", "High"
    MODERATE = "MODERATE", "Moderate"
    LOW = "LOW", "Low"


class DeploymentStatus(models.TextChoices):
    """The life of a deployment."""

    ACTIVE = "active", "Active"
    ARCHIVED = "archived", "Archived"
    ERRORED = "errored", "Errored"
    INACTIVE = "inactive", "Inactive"
    LAUNCHING = "launching", "Launching"
    REPLACING_MODEL = "replacingModel", "Replacing Model"
    STOPPING = "stopping", "Stopping"


class ModelRole(models.TextChoices):
    """What a model is, or was, to a deployment."""

    CHAMPION = "champion", "Champion"
    CHALLENGER = "challenger", "Challenger"
    FORMER = "former", "Former"
    REMOVED = "removed", "Removed"  # a challenger whose rows are being deleted


class BlockKind(models.IntegerChoices):
    """What the rows of a block are."""

    PREDICTIONS = 1
    ACTUALS = 2
    SERVICE = 3
    CUSTOM_METRICS = 4  # of a request only: its values are rows of their own


class BlockState(models.IntegerChoices):
    """How far a block is."""

    PENDING = 1
    ROLLED = 2
    WAITING = 3  # actuals whose predictions have not come yet


class Grain(models.IntegerChoices):
    """What a bucket is: an hour or day since 1970 in UTC, or a batch's key."""

    HOUR = 1
    DAY = 2
    BATCH = 3


class Area(models.IntegerChoices):
    """Which part of the state; actual-dependent state stands alone, so that late actuals touch only it."""

    SERVICE = 1
    PREDICTIONS = 2
    ACCURACY = 3
    FAIRNESS = 4
    HUMILITY = 5
    SPACE = 6  # predictions by cell
    SPACE_ACCURACY = 7
