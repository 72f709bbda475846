"""Every operation, in the order of the reference; then the extensions, which are marked so in the OpenAPI document."""

from __future__ import annotations

from django.urls import URLPattern, path, re_path
from drf_spectacular.views import SpectacularJSONAPIView

from deployments.api import (
    accuracy,
    artifacts,
    batches,
    challengers,
    custom_metrics,
    custom_values,
    datasets,
    deletions,
    deployments,
    drift,
    exports,
    fairness,
    features,
    humility,
    humility_rules,
    ingest,
    predictions,
    registry,
    replacement,
    rows,
    service,
    settings,
    sharing,
    space,
)
from deployments.api.errors import not_found
from deployments.api.jobs import JobsView, StatusView
from deployments.api.platform import ProjectsView, VersionView
from deployments.api.views import ApiView, not_served, not_served_anywhere

ONE = "deployments/<str:deployment_id>/"


def one(tail: str, view: type[ApiView]) -> URLPattern:
    """A path below one deployment."""
    return path(ONE + tail, view.as_view())


def later(tail: str, *methods: str) -> URLPattern:
    """An operation of the reference that this version answers with 501, by the methods that the reference has."""
    return one(tail, not_served(*methods))


reference: list[URLPattern] = [
    path("deletedDeployments/", deletions.DeletedDeploymentsView.as_view()),
    path("deployments/", deployments.DeploymentListView.as_view()),
    path("deployments/fromLearningModel/", not_served_anywhere("POST").as_view()),
    one("", deployments.DeploymentDetailView),
    one("accuracy/", accuracy.AccuracyView),
    one("accuracyOverBatch/", accuracy.AccuracyOverBatchView),
    one("accuracyOverSpace/", space.AccuracyOverSpaceView),
    one("accuracyOverTime/", accuracy.AccuracyOverTimeView),
    later("actuals/fromDataset/", "POST"),
    one("actualsDataExports/", exports.ActualsExportsView),
    one("actualsDataExports/<str:export_id>/", exports.ActualsExportView),
    one("batchServiceStats/", service.BatchServiceStatsView),
    one("capabilities/", settings.CapabilitiesView),
    one("challengerPredictions/", challengers.ChallengerPredictionsView),
    one("challengerReplaySettings/", challengers.ReplaySettingsView),
    one("challengers/", challengers.ChallengersView),
    one("challengers/<str:challenger_id>/", challengers.ChallengerView),
    one("championModelPackage/", replacement.ChampionPackageView),
    one("customMetrics/", custom_metrics.CustomMetricsView),
    later("customMetrics/fromCustomJob/", "POST"),
    one("customMetrics/<str:custom_metric_id>/", custom_metrics.CustomMetricView),
    one("customMetrics/<str:custom_metric_id>/batchSummary/", custom_values.CustomBatchSummaryView),
    one("customMetrics/<str:custom_metric_id>/fromDataset/", custom_metrics.ValuesFromDatasetView),
    one("customMetrics/<str:custom_metric_id>/fromJSON/", custom_metrics.ValuesFromJsonView),
    one("customMetrics/<str:custom_metric_id>/summary/", custom_values.CustomSummaryView),
    one("customMetrics/<str:custom_metric_id>/valuesOverBatch/", custom_values.CustomOverBatchView),
    one("customMetrics/<str:custom_metric_id>/valuesOverTime/", custom_values.CustomOverTimeView),
    one("customMetricsBatchSummary/", custom_values.CustomBatchSummariesView),
    one("customMetricsSummary/", custom_values.CustomSummariesView),
    one("dataQualityView/", rows.DataQualityView),
    one("fairnessScoresOverTime/", fairness.FairnessOverTimeView),
    one("featureDrift/", drift.FeatureDriftView),
    one("featureDriftOverBatch/", drift.FeatureDriftOverBatchView),
    one("featureDriftOverSpace/", space.DriftOverSpaceView),
    one("featureDriftOverTime/", drift.FeatureDriftOverTimeView),
    one("features/", features.FeaturesView),
    one("healthSettings/", settings.HealthSettingsView),
    one("healthSettings/defaults/", settings.HealthDefaultsView),
    one("humilityStats/", humility.HumilityStatsView),
    one("humilityStatsOverTime/", humility.HumilityStatsOverTimeView),
    one("model/", replacement.ModelView),
    later("model/secondaryDatasetConfiguration/", "GET", "PATCH"),
    later("model/secondaryDatasetConfigurationHistory/", "GET"),
    one("model/validation/", replacement.ModelValidationView),
    later("monitoringBatchLimits/", "GET"),
    one("monitoringBatches/", batches.BatchesView),
    one("monitoringBatches/<str:batch_id>/", batches.BatchView),
    later("monitoringBatches/<str:batch_id>/models/", "GET"),
    later("monitoringBatches/<str:batch_id>/models/<str:model_id>/", "GET", "PATCH"),
    one("monitoringDataDeletions/", deletions.MonitoringDataDeletionsView),
    later("onDemandReports/", "POST"),
    one("predictionDataExports/", exports.PredictionExportsView),
    one("predictionDataExports/<str:export_id>/", exports.PredictionExportView),
    later("predictionInputs/fromDataset/", "POST"),
    one("predictionResults/", rows.PredictionResultsView),
    one("predictionsOverBatch/", predictions.PredictionsOverBatchView),
    one("predictionsOverSpace/", space.PredictionsOverSpaceView),
    one("predictionsOverTime/", predictions.PredictionsOverTimeView),
    one("predictionsVsActualsOverBatch/", predictions.VersusOverBatchView),
    one("predictionsVsActualsOverSpace/", space.VersusOverSpaceView),
    one("predictionsVsActualsOverTime/", predictions.VersusOverTimeView),
    later("retrainingPolicies/", "GET", "POST"),
    later("retrainingPolicies/<str:policy_id>/", "DELETE", "GET", "PATCH"),
    later("retrainingPolicies/<str:policy_id>/runs/", "GET", "POST"),
    later("retrainingPolicies/<str:policy_id>/runs/<str:run_id>/", "GET", "PATCH"),
    later("retrainingSettings/", "GET", "PATCH"),
    later("runtimeParameters/", "GET", "PUT"),
    later("scoringCode/", "GET"),
    later("scoringCodeBuilds/", "POST"),
    one("segmentAttributes/", features.SegmentAttributesView),
    one("segmentValues/", features.SegmentValuesView),
    one("serviceStats/", service.ServiceStatsView),
    one("serviceStatsOverBatch/", service.ServiceStatsOverBatchView),
    one("serviceStatsOverTime/", service.ServiceStatsOverTimeView),
    one("settings/", settings.SettingsView),
    one("sharedRoles/", sharing.SharedRolesView),
    one("status/", deployments.StatusChangeView),
    one("targetDrift/", drift.TargetDriftView),
    one("trainingDataExports/", exports.TrainingExportsView),
    one("trainingDataExports/<str:export_id>/", exports.TrainingExportView),
    path("predictionServers/", not_served_anywhere("GET").as_view()),
]

# Not part of the reference: what clients need to begin, and the doors through which data comes in.
extensions: list[URLPattern] = [
    path("version/", VersionView.as_view()),
    path("projects/", ProjectsView.as_view()),
    path("status/<str:job_id>/", StatusView.as_view()),
    one("jobs/", JobsView),
    path("datasets/", datasets.DatasetListView.as_view()),
    path("datasets/fromFile/", datasets.DatasetUploadView.as_view()),
    path("datasets/<str:dataset_id>/", datasets.DatasetView.as_view()),
    path("datasets/<str:dataset_id>/file/", datasets.DatasetFileView.as_view()),
    path("modelPackages/", registry.PackageListView.as_view()),
    path("modelPackages/<str:package_id>/", registry.PackageView.as_view()),
    path("modelPackages/<str:package_id>/artifact/", artifacts.ArtifactView.as_view()),
    path("deployments/fromModelPackage/", registry.FromModelPackageView.as_view()),
    one("predictionInputs/fromJSON/", ingest.PredictionsView),
    one("predictionInputs/fromFile/", ingest.PredictionsFileView),
    one("predictionRequests/fromJSON/", ingest.ServiceEventsView),
    one("predictionRequests/fromFile/", ingest.ServiceFileView),
    one("actuals/fromJSON/", ingest.ActualsView),
    one("actuals/fromFile/", ingest.ActualsFileView),
    one("modelHistory/", replacement.ModelHistoryView),
    one("featureDistributions/", drift.FeatureDistributionsView),
    one("humilityRules/", humility_rules.HumilityRulesView),
    one("humilityRules/<str:rule_id>/", humility_rules.HumilityRuleView),
    path("openapi.json", SpectacularJSONAPIView.as_view(authentication_classes=(), permission_classes=())),
]

# Extensions first: "deployments/fromModelPackage/" would otherwise be taken for a deployment's id.
urlpatterns = [*extensions, *reference, re_path(r"^.*$", not_found)]
