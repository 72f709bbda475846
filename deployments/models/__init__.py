"""All rows of the service."""

from deployments.models.access import ApiToken, AuditEntry, DeploymentRole, Organisation
from deployments.models.batch import MonitoringBatch
from deployments.models.challenger import Challenger, Reign, ReplaySettings
from deployments.models.choices import (
    Area,
    BlockKind,
    BlockState,
    DeploymentStatus,
    Grain,
    Importance,
    ModelRole,
    Role,
    TokenScope,
)
from deployments.models.custom import CustomKinds, CustomMetric, CustomRow, CustomValue, Directionality
from deployments.models.dataset import Dataset
from deployments.models.deployment import HEALTH_AREAS, DeployedModel, Deployment, severity
from deployments.models.export import Augmentation, DataExport, ExportKind, ExportStatus
from deployments.models.humility import HumilityAction, HumilityRule, Trigger
from deployments.models.job import Job, JobState
from deployments.models.package import Feature, FeatureType, ModelPackage, PlaceBaseline, TargetType
from deployments.models.storage import (
    ActualBlock,
    Block,
    DirtyBucket,
    IngestRequest,
    PredictionKey,
    SegmentAttribute,
    SegmentValue,
    State,
    WaitingKey,
)

__all__ = [
    "HEALTH_AREAS",
    "ActualBlock",
    "ApiToken",
    "Area",
    "AuditEntry",
    "Augmentation",
    "Block",
    "BlockKind",
    "BlockState",
    "Challenger",
    "CustomKinds",
    "CustomMetric",
    "CustomRow",
    "CustomValue",
    "DataExport",
    "Dataset",
    "DeployedModel",
    "Deployment",
    "DeploymentRole",
    "DeploymentStatus",
    "Directionality",
    "DirtyBucket",
    "ExportKind",
    "ExportStatus",
    "Feature",
    "FeatureType",
    "Grain",
    "HumilityAction",
    "HumilityRule",
    "Importance",
    "IngestRequest",
    "Job",
    "JobState",
    "ModelPackage",
    "ModelRole",
    "MonitoringBatch",
    "Organisation",
    "PlaceBaseline",
    "PredictionKey",
    "Reign",
    "ReplaySettings",
    "Role",
    "SegmentAttribute",
    "SegmentValue",
    "State",
    "TargetType",
    "TokenScope",
    "Trigger",
    "WaitingKey",
    "severity",
]
