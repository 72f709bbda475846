"""All rows of the service."""

from deployments.models.access import ApiToken, AuditEntry, DeploymentRole, Organisation
from deployments.models.batch import BatchModel, MonitoringBatch
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
from deployments.models.custom_job import CustomJob, ScheduledMetric
from deployments.models.dataset import Dataset
from deployments.models.deployment import HEALTH_AREAS, DeployedModel, Deployment, severity
from deployments.models.export import Augmentation, DataExport, ExportKind, ExportStatus
from deployments.models.humility import HumilityAction, HumilityRule, Trigger
from deployments.models.job import Job, JobState
from deployments.models.package import Feature, FeatureType, ModelPackage, PlaceBaseline, TargetType
from deployments.models.reporting import ReportMail, ReportMailState, ReportRun, ScheduledReport
from deployments.models.retraining import (
    UNFINISHED_RUNS,
    RetrainingPolicy,
    RetrainingRun,
    RetrainingSettings,
    RunStatus,
)
from deployments.models.serving import (
    PredictionServer,
    RuntimeValue,
    ScoringCode,
    ScoringCodeBuild,
    SecondaryConfiguration,
    SecondaryUse,
)
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
    "UNFINISHED_RUNS",
    "ActualBlock",
    "ApiToken",
    "Area",
    "AuditEntry",
    "Augmentation",
    "BatchModel",
    "Block",
    "BlockKind",
    "BlockState",
    "Challenger",
    "CustomJob",
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
    "PredictionServer",
    "Reign",
    "ReplaySettings",
    "ReportMail",
    "ReportMailState",
    "ReportRun",
    "RetrainingPolicy",
    "RetrainingRun",
    "RetrainingSettings",
    "Role",
    "RunStatus",
    "RuntimeValue",
    "ScheduledMetric",
    "ScheduledReport",
    "ScoringCode",
    "ScoringCodeBuild",
    "SecondaryConfiguration",
    "SecondaryUse",
    "SegmentAttribute",
    "SegmentValue",
    "State",
    "TargetType",
    "TokenScope",
    "Trigger",
    "WaitingKey",
    "severity",
]
