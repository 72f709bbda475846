"""The operations of the Deployments API reference, as facts that tests walk and documentation is checked against.

One row an operation, in the reference's order within each area. `keys` are the top-level keys of the answer that the
reference shows; `query` holds their parameters, with what a good value of each is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import Any

from deployments.models import Role

OWNER, USER, CONSUMER = Role.OWNER, Role.USER, Role.CONSUMER
ONE = "deployments/{deploymentId}/"


class Kind(Enum):
    """What a query parameter must be."""

    HOUR = auto()  # the top of an hour
    MOMENT = auto()  # any time
    DURATION = auto()
    RATIO = auto()  # 0 to 1
    COUNT = auto()  # a whole number from 0
    FLAG = auto()
    CHOICE = auto()  # one of, or several of, a fixed set of words
    TEXT = auto()
    WORDS = auto()  # any words
    MODEL = auto()  # a model of the deployment
    PACKAGE = auto()  # the package of a model of the deployment
    CLASS = auto()  # a class of its target
    FEATURE = auto()  # a feature of the model
    ONE_FEATURE = auto()  # the target, or a feature that is counted by place
    ATTRIBUTE = auto()  # a followed segment attribute; counts only with a value


@dataclass(frozen=True)
class Operation:
    """One operation. `role` is the weakest that may call it, None where any token will do."""

    method: str
    path: str
    role: Role | None = CONSUMER
    status: int = 200
    keys: str = ""
    query: Mapping[str, Kind] = field(default_factory=dict)
    example: Mapping[str, Any] = field(default_factory=dict)
    # texts like "{datasetId}" stand for the ids of real things, as in the path
    body: Mapping[str, Any] | None = None
    # for administrators only
    admin: bool = False
    # answers a file, not JSON
    is_file: bool = False
    of_text: bool = False  # asked of a deployment that generates text
    # a part of the path, and the thing that stands there instead of the usual one
    instead: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """`GET deployments/{deploymentId}/accuracy/`, for example."""
        return f"{self.method} {self.path}"


def get(path: str, keys: str, *parts: Mapping[str, Kind], example: Mapping[str, Any] | None = None) -> Operation:
    """A GET of one deployment."""
    query = {name: kind for part in parts for name, kind in part.items()}
    return Operation("GET", ONE + path, CONSUMER, 200, keys, query, example or {})


def of_text(path: str, keys: str, *parts: Mapping[str, Kind], example: Mapping[str, Any]) -> Operation:
    """A GET of a deployment that generates text."""
    return replace(get(path, keys, *parts, example=example), of_text=True)


def change(
    method: str, path: str, role: Role, status: int, body: Mapping[str, Any] | None = None, keys: str = ""
) -> Operation:
    """An operation of one deployment that changes something."""
    return Operation(method, ONE + path, role, status, keys, body=body)


PAGE = "count data next previous"
TOTAL = f"{PAGE} totalCount"
SEGMENTED = "segmentAttribute segmentValue"
WINDOW = {"offset": Kind.COUNT, "limit": Kind.COUNT}
PERIOD = {"start": Kind.HOUR, "end": Kind.HOUR}
BUCKETS = PERIOD | {"bucketSize": Kind.DURATION}
SEGMENT = {"segmentAttribute": Kind.ATTRIBUTE, "segmentValue": Kind.TEXT}
MODEL = {"modelId": Kind.MODEL}
BATCHES = {"batchId": Kind.WORDS}
METRIC = {"metric": Kind.CHOICE}
CLASSES = {"targetClass": Kind.CLASS}
ALL_CLASSES = CLASSES | {"targetClasses": Kind.CLASS}
FEATURES = {"featureNames": Kind.FEATURE}
PLACE = {"geoFeatureName": Kind.ATTRIBUTE}
SPACE = "geoFeatureName modelId period"
PERCENTILES = {"includePercentiles": Kind.FLAG}
QUANTILES = {"executionTimeQuantile": Kind.RATIO, "responseTimeQuantile": Kind.RATIO}
SLOW = {"slowRequestsThreshold": Kind.COUNT}
ONE_METRIC = METRIC | {"quantile": Kind.RATIO, "threshold": Kind.COUNT}
LIST_FILTERS = {
    **dict.fromkeys(("serviceHealth", "modelHealth", "accuracyHealth", "role", "status", "importance"), Kind.CHOICE),
    **dict.fromkeys(("fairnessHealth", "customMetricsHealth"), Kind.CHOICE),
    **dict.fromkeys(("predictionsTimelinessHealth", "actualsTimelinessHealth"), Kind.CHOICE),
    **dict.fromkeys(("orderBy", "buildEnvironmentType", "executionEnvironmentType"), Kind.CHOICE),
    **dict.fromkeys(("predictionEnvironmentPlatform", "championModelExecutionType"), Kind.CHOICE),
    **dict.fromkeys(("lastPredictionTimestampStart", "lastPredictionTimestampEnd"), Kind.MOMENT),
    **dict.fromkeys(("predictionUsageDailyAvgGreaterThan", "predictionUsageDailyAvgLessThan"), Kind.COUNT),
    **dict.fromkeys(("search", "createdBy", "championModelTargetType"), Kind.TEXT),
    **dict.fromkeys(("defaultPredictionServerId", "tagKeys", "tagValues"), Kind.WORDS),
    "createdByMe": Kind.FLAG,
}
BATCH_FILTERS = {
    **dict.fromkeys(("createdAfter", "createdBefore", "startAfter", "endBefore"), Kind.MOMENT),
    "createdBy": Kind.TEXT,
    "search": Kind.TEXT,
    "orderBy": Kind.CHOICE,
}
ONE_FEATURE = {"featureNames": "age"}

DEPLOYMENT = (
    "accuracyHealth approvalStatus capabilities createdAt defaultPredictionServer description governance hasError id "
    "importance label model modelHealth modelPackage modelPackageInitialDownload openedChangeRequests owners "
    "permissions predictionEnvironment predictionUsage scoringCodeInitialDownload serviceHealth settings status tags "
    "userProvidedId fairnessHealth customMetricsHealth predictionsTimelinessHealth actualsTimelinessHealth"
)
SETTINGS = (
    "associationId automaticActuals biasAndFairness challengerModels featureDrift humility predictionIntervals "
    "predictionWarning predictionsByForecastDate predictionsDataCollection processingLimits segmentAnalysis targetDrift"
)
HEALTH = "accuracy actualsTimeliness customMetrics dataDrift fairness predictionsTimeliness service"
BATCH = (
    "batchPredictionJobId batchPredictionJobStatus createdAt createdBy description earliestPredictionTimestamp "
    "externalContextUrl id isLocked latestPredictionTimestamp name predictionsCount serviceHealth"
)
ACCURACY = f"batchIds metrics modelId period {SEGMENTED} targetClasses"
ACCURACY_BY_TIME = f"baseline baselines buckets metric modelId {SEGMENTED} summary"
OVER = f"baselines buckets {SEGMENTED}"
DRIFT = f"batchId metric modelId period {SEGMENTED}"
TARGET_DRIFT = f"{DRIFT} baselineSampleSize driftScore sampleSize targetName type"
MANY_DRIFT = f"{DRIFT} {PAGE}"
SERVICE = f"metrics modelId period {SEGMENTED}"
CUSTOM = (
    "baselineValues createdAt createdBy description directionality displayChart id isModelSpecific name sampleCount "
    "timeStep timestamp type units value"
)
CUSTOM_JOB = (
    "baselineValues createdAt deployment description directionality id isModelSpecific name sampleCount schedule "
    "timeStep timestamp type units value"
)
ACTUALS_EXPORT = "createdAt createdBy data error id modelId onlyMatchedPredictions period status"
EXPORT = "associationIds augmentationType batches createdAt createdBy data error id modelId period status"
POLICY = (
    "action autopilotOptions description featureListStrategy id latestRun modelSelectionStrategy name projectOptions "
    "projectOptionsStrategy timeSeriesOptions trigger"
)
RUN = "challengerId errorMessage finishTime id modelPackageId projectId registeredModelId startTime status"
CHALLENGER = "id model modelPackage name predictionEnvironment"
CHAMPION = (
    "buildStatus capabilities datasets id importMeta isArchived isDeprecated mlpkgFileContents modelDescription "
    "modelExecutionType modelId modelKind name sourceMeta target timeseries updatedBy userProvidedId"
)
SECONDARY = (
    "created creatorFullName creatorUserId credentialIds featurelistId isDefault isDeleted name projectId "
    "secondaryDatasetConfigId secondaryDatasets"
)
FAIRNESS = "buckets fairnessThreshold favorableTargetOutcome modelId modelPackageId protectedFeature summary"
BATCH_MODEL = "batchId endTime modelId predictionsCount startTime"
ACTUALS_DATASET = {"datasetId": "{datasetId}", "actualValueColumn": "bought", "associationIdColumn": "row"}
ACTUALS = {"data": [{"associationId": "row-1", "actualValue": "yes"}]}

DEPLOYMENTS = [
    Operation("GET", "deployments/", None, 200, TOTAL, WINDOW | LIST_FILTERS),
    get("", DEPLOYMENT),
    change("PATCH", "", OWNER, 204, {"label": "Another label"}),
    change("DELETE", "", OWNER, 204),
    get("capabilities/", "data"),
    change("PATCH", "status/", OWNER, 202, {"status": "inactive"}),
    get("settings/", SETTINGS),
    change("PATCH", "settings/", OWNER, 202, {"featureDrift": {"enabled": False}}),
    get("healthSettings/", HEALTH),
    change("PATCH", "healthSettings/", OWNER, 200, {"dataDrift": {"driftThreshold": 0.2}}),
    get("healthSettings/defaults/", HEALTH),
    get(
        "features/",
        TOTAL,
        WINDOW,
        {"includeNonPredictionFeatures": Kind.FLAG, "forSegmentedAnalysis": Kind.FLAG},
        {"search": Kind.TEXT, "orderBy": Kind.CHOICE},
    ),
    get("segmentAttributes/", "data monitoringType", {"monitoringType": Kind.CHOICE}),
    get("segmentValues/", TOTAL, WINDOW, {"segmentAttribute": Kind.ATTRIBUTE, "search": Kind.TEXT}),
    change("POST", "actuals/fromJSON/", USER, 202, ACTUALS),
    change("POST", "actuals/fromDataset/", USER, 202, ACTUALS_DATASET),
    change("POST", "predictionInputs/fromDataset/", USER, 202, {"datasetId": "{datasetId}"}),
]

BATCH_OPERATIONS = [
    get("monitoringBatches/", TOTAL, WINDOW, BATCH_FILTERS),
    change("POST", "monitoringBatches/", USER, 200, {"batchName": "May"}, BATCH),
    get("monitoringBatches/{monitoringBatchId}/", BATCH),
    change("PATCH", "monitoringBatches/{monitoringBatchId}/", USER, 200, {"description": "Late"}, BATCH),
    change("DELETE", "monitoringBatches/{monitoringBatchId}/", OWNER, 200),
    get("monitoringBatchLimits/", "batchesPerDayLimit"),
    get("monitoringBatches/{monitoringBatchId}/models/", TOTAL, WINDOW, {"modelId": Kind.TEXT}),
    get("monitoringBatches/{monitoringBatchId}/models/{modelId}/", BATCH_MODEL),
    change(
        *("PATCH", "monitoringBatches/{monitoringBatchId}/models/{modelId}/", USER, 200),
        *({"endTime": "2026-01-02T03:04:05Z", "startTime": "2026-01-01T00:00:00Z"}, BATCH_MODEL),
    ),
]

MONITORING = [
    get("accuracy/", ACCURACY, PERIOD, MODEL, BATCHES, SEGMENT, ALL_CLASSES),
    get("accuracyOverBatch/", "baselines buckets", SEGMENT, MODEL, BATCHES, METRIC),
    get("accuracyOverSpace/", f"{SPACE} baselines buckets metric", PERIOD, MODEL, METRIC, PLACE),
    get("accuracyOverTime/", ACCURACY_BY_TIME, BUCKETS, MODEL, METRIC, SEGMENT, ALL_CLASSES),
    get(
        "fairnessScoresOverTime/",
        FAIRNESS,
        BUCKETS,
        MODEL,
        WINDOW,
        dict.fromkeys(("fairnessMetric", "orderBy"), Kind.CHOICE),
        dict.fromkeys(("includePrivilegedClass", "onlyStatisticallySignificant"), Kind.FLAG),
        {"protectedFeature": Kind.ATTRIBUTE},
    ),
    get("featureDrift/", MANY_DRIFT, PERIOD, MODEL, METRIC, WINDOW, SEGMENT, BATCHES),
    get(
        "featureDriftOverBatch/",
        "buckets driftMetric",
        *(SEGMENT, BATCHES, FEATURES, MODEL, {"driftMetric": Kind.CHOICE}),
        example=ONE_FEATURE,
    ),
    get(
        "featureDriftOverSpace/",
        "data featureName geoFeatureName period",
        *(PERIOD, MODEL, METRIC, PLACE, {"featureName": Kind.ONE_FEATURE}),
    ),
    get(
        "featureDriftOverTime/",
        "buckets features metric summaries",
        *(BUCKETS, MODEL, FEATURES, METRIC, SEGMENT),
        example=ONE_FEATURE,
    ),
    get("humilityStats/", f"data modelId period {SEGMENTED}", BUCKETS, MODEL, SEGMENT),
    get("humilityStatsOverTime/", f"buckets modelId {SEGMENTED} summary", BUCKETS, MODEL, SEGMENT),
    get("predictionsOverBatch/", OVER, SEGMENT, BATCHES, MODEL, PERCENTILES),
    get("predictionsOverSpace/", f"{SPACE} baselines buckets", PERIOD, MODEL, PLACE, CLASSES),
    get("predictionsOverTime/", OVER, BUCKETS, SEGMENT, MODEL, CLASSES, PERCENTILES),
    get("predictionsVsActualsOverBatch/", OVER, SEGMENT, MODEL, BATCHES, CLASSES),
    get("predictionsVsActualsOverSpace/", f"{SPACE} baselines buckets summary", PERIOD, MODEL, PLACE, CLASSES),
    get("predictionsVsActualsOverTime/", f"{OVER} summary", BUCKETS, SEGMENT, MODEL, CLASSES),
    get("batchServiceStats/", f"batches metrics {SEGMENTED}", QUANTILES, SLOW, SEGMENT, BATCHES, MODEL),
    get("serviceStats/", SERVICE, PERIOD, QUANTILES, SLOW, SEGMENT, MODEL),
    get("serviceStatsOverBatch/", f"buckets metric {SEGMENTED}", SEGMENT, BATCHES, MODEL, ONE_METRIC),
    get("serviceStatsOverTime/", f"buckets metric modelId {SEGMENTED} summary", BUCKETS, ONE_METRIC, SEGMENT, MODEL),
    get("targetDrift/", TARGET_DRIFT, PERIOD, MODEL, METRIC, SEGMENT, BATCHES),
]

SCHEDULE = {name: ["*"] for name in ("minute", "hour", "dayOfMonth", "month", "dayOfWeek")}
VALIDATION = "checks message status"
ONE_POLICY = "retrainingPolicies/{retrainingPolicyId}/"
NEW_POLICY = {
    "name": "Every month",
    "action": "create_model_package",
    "featureListStrategy": "informative_features",
}
CONSUMER_ROLE = {"role": "CONSUMER", "shareRecipientType": "user", "username": "{username}"}
MODELS = [
    change("PATCH", "model/", OWNER, 202, {"modelPackageId": "{packageId}", "reason": "ACCURACY"}, VALIDATION),
    change("POST", "model/validation/", OWNER, 200, {"modelPackageId": "{packageId}"}, VALIDATION),
    get("championModelPackage/", CHAMPION),
    get("challengers/", "data"),
    change("POST", "challengers/", OWNER, 202, {"modelPackageId": "{packageId}", "name": "Another"}),
    get("challengers/{challengerId}/", CHALLENGER),
    change("PATCH", "challengers/{challengerId}/", OWNER, 200, {"name": "Renamed"}, CHALLENGER),
    change("DELETE", "challengers/{challengerId}/", OWNER, 204),
    change("POST", "challengerPredictions/", OWNER, 202, {"timestamp": "2026-01-02T03:04:05Z"}),
    get("challengerReplaySettings/", "enabled schedule"),
    change("PATCH", "challengerReplaySettings/", OWNER, 200, {"enabled": True, "schedule": SCHEDULE}),
    get("retrainingSettings/", "dataset predictionEnvironment retrainingUser"),
    change("PATCH", "retrainingSettings/", OWNER, 200, {"datasetId": None}),
    get("retrainingPolicies/", TOTAL, WINDOW),
    change("POST", "retrainingPolicies/", OWNER, 200, NEW_POLICY, POLICY),
    get(ONE_POLICY, POLICY),
    change("PATCH", ONE_POLICY, OWNER, 200, {"description": "Weekly"}, POLICY),
    change("DELETE", ONE_POLICY, OWNER, 200),
    get(f"{ONE_POLICY}runs/", TOTAL, WINDOW),
    replace(change("POST", f"{ONE_POLICY}runs/", OWNER, 200, keys=RUN), instead={"retrainingPolicyId": "idlePolicyId"}),
    get(f"{ONE_POLICY}runs/{{runId}}/", RUN),
    change("PATCH", f"{ONE_POLICY}runs/{{runId}}/", OWNER, 200, {"status": "cancelled"}, RUN),
    get(
        "sharedRoles/",
        TOTAL,
        *(WINDOW, {"id": Kind.TEXT, "name": Kind.TEXT, "shareRecipientType": Kind.CHOICE}),
    ),
    change("PATCH", "sharedRoles/", OWNER, 204, {"operation": "updateRoles", "roles": [CONSUMER_ROLE]}),
]

CANCEL = {"status": "CANCELLED"}
EXPORTS = [
    get("actualsDataExports/", TOTAL, WINDOW, {"status": Kind.CHOICE}),
    change("POST", "actualsDataExports/", USER, 202, {"onlyMatchedPredictions": False}, ACTUALS_EXPORT),
    change("DELETE", "actualsDataExports/{exportId}/", USER, 204),
    get("actualsDataExports/{exportId}/", ACTUALS_EXPORT),
    change("PATCH", "actualsDataExports/{exportId}/", USER, 204, CANCEL),
    get("predictionDataExports/", TOTAL, WINDOW, MODEL, {"status": Kind.CHOICE, "batch": Kind.FLAG}),
    change("POST", "predictionDataExports/", USER, 202, {"augmentationType": "ACTUALS"}, EXPORT),
    get("predictionDataExports/{exportId}/", EXPORT),
    change("PATCH", "predictionDataExports/{exportId}/", USER, 204, CANCEL),
    get("trainingDataExports/", TOTAL, WINDOW, MODEL),
    change("POST", "trainingDataExports/", USER, 202, {"modelId": None}),
    change("POST", "monitoringDataDeletions/", OWNER, 200, {"modelId": "{championId}"}),
    get("trainingDataExports/{exportId}/", "createdAt createdBy data id modelId modelPackageId"),
]

ONE_CUSTOM = "customMetrics/{customMetricId}/"
OF_MODEL = MODEL | {"modelPackageId": Kind.PACKAGE} | SEGMENT
NEW_METRIC = {"name": "Minutes saved", "type": "sum", "directionality": "higherIsBetter"}
SUMMARY_OF = (PERIOD, OF_MODEL, BATCHES)

CUSTOM_METRICS = [
    get("customMetrics/", TOTAL, WINDOW),
    change("POST", "customMetrics/", OWNER, 201, NEW_METRIC, CUSTOM),
    change("DELETE", ONE_CUSTOM, OWNER, 204),
    get(ONE_CUSTOM, CUSTOM),
    change("PATCH", ONE_CUSTOM, OWNER, 200, {"description": "Another"}, CUSTOM),
    get(f"{ONE_CUSTOM}batchSummary/", "metric", *SUMMARY_OF),
    change("POST", f"{ONE_CUSTOM}fromDataset/", USER, 202, {"datasetId": "{datasetId}"}),
    change("POST", f"{ONE_CUSTOM}fromJSON/", USER, 202, {"buckets": [{"value": 3, "timestamp": "{hour}"}]}, CUSTOM),
    get(f"{ONE_CUSTOM}summary/", "metric period", *SUMMARY_OF),
    get(f"{ONE_CUSTOM}valuesOverBatch/", "buckets metric", OF_MODEL, BATCHES),
    get(f"{ONE_CUSTOM}valuesOverTime/", "buckets metric summary", BUCKETS, OF_MODEL),
    get("customMetricsBatchSummary/", "metrics", *SUMMARY_OF),
    get("customMetricsSummary/", "details metrics period", *SUMMARY_OF),
]

PATTERNS = dict.fromkeys(("predictionPattern", "promptPattern", "actualPattern"), Kind.TEXT)
BY_METRIC = {"orderMetric": Kind.TEXT, "filterMetric": Kind.TEXT, "filterValue": Kind.TEXT}
MOMENTS = {"start": Kind.MOMENT, "end": Kind.MOMENT}

ROWS = [
    of_text(
        "dataQualityView/",
        TOTAL,
        *(WINDOW, MOMENTS, MODEL, PATTERNS, {"orderBy": Kind.CHOICE}, BY_METRIC),
        example={"start": "2026-01-01T00:00:00Z", "end": "2026-01-02T00:00:00Z"},
    ),
    get(
        "predictionResults/",
        f"associationIdColumnNames {PAGE}",
        *(WINDOW, MODEL, MOMENTS, BATCHES, {"actualsPresent": Kind.FLAG}),
    ),
]

SERVING = [
    get("model/secondaryDatasetConfiguration/", SECONDARY),
    change(
        "PATCH", "model/secondaryDatasetConfiguration/", OWNER, 204, {"secondaryDatasetConfigId": "{secondaryConfigId}"}
    ),
    get("model/secondaryDatasetConfigurationHistory/", PAGE, WINDOW),
    get("runtimeParameters/", TOTAL, WINDOW, {"orderBy": Kind.CHOICE}, example={"orderBy": "createdAt"}),
    change("PUT", "runtimeParameters/", OWNER, 200, {"runtimeParameterValues": "[]"}, TOTAL),
    Operation(
        "GET",
        f"{ONE}scoringCode/",
        USER,
        query=dict.fromkeys(
            ("sourceCode", "includeAgent", "includePe", "includePredictionExplanations", "includePredictionIntervals"),
            Kind.FLAG,
        ),
        is_file=True,
    ),
    change(
        "POST",
        "customMetrics/fromCustomJob/",
        OWNER,
        201,
        {"customJobId": "{customJobId}", "name": "Missing"},
        CUSTOM_JOB,
    ),
    change("POST", "onDemandReports/", USER, 200, {"id": "{reportId}"}),
    change("POST", "scoringCodeBuilds/", USER, 200, {"includeAgent": True}),
]

OUTSIDE = [
    Operation("GET", "deletedDeployments/", None, 200, PAGE, WINDOW, admin=True),
    Operation(
        "PATCH",
        "deletedDeployments/",
        None,
        202,
        body={"action": "PermanentlyErase", "deploymentIds": ["{deletedDeploymentId}"]},
        admin=True,
    ),
    Operation(
        "POST",
        "deployments/fromLearningModel/",
        None,
        202,
        "id",
        body={"modelId": "{ownModelId}", "label": "By its model", "status": "inactive"},
    ),
    Operation("GET", "predictionServers/", None, 200, PAGE, WINDOW),
]


OPERATIONS: list[Operation] = [
    *DEPLOYMENTS,
    *BATCH_OPERATIONS,
    *MONITORING,
    *MODELS,
    *EXPORTS,
    *CUSTOM_METRICS,
    *ROWS,
    *SERVING,
    *OUTSIDE,
]
