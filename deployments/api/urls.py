"""Every operation, in the order of the reference; then the extensions, which are marked so in the OpenAPI document."""

from __future__ import annotations

from django.urls import URLPattern, path, re_path
from drf_spectacular.views import SpectacularJSONAPIView

from deployments.api import (
    accuracy,
    artifacts,
    batch_models,
    batches,
    challengers,
    custom_jobs,
    custom_metrics,
    custom_values,
    datasets,
    deletions,
    deployments,
    drift,
    exports,
    fairness,
    features,
    from_dataset,
    humility,
    humility_rules,
    ingest,
    predictions,
    registry,
    replacement,
    reporting,
    retraining,
    rows,
    runtime,
    scoring_code,
    secondary,
    servers,
    service,
    settings,
    sharing,
    space,
)
from deployments.api.errors import not_found
from deployments.api.jobs import JobsView, StatusView
from deployments.api.platform import ProjectsView, VersionView
from deployments.api.views import ApiView, not_served

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
    path("deployments/fromLearningModel/", servers.FromLearningModelView.as_view()),
    one("", deployments.DeploymentDetailView),
    one("accuracy/", accuracy.AccuracyView),
    one("accuracyOverBatch/", accuracy.AccuracyOverBatchView),
    one("accuracyOverSpace/", space.AccuracyOverSpaceView),
    one("accuracyOverTime/", accuracy.AccuracyOverTimeView),
    one("actuals/fromDataset/", from_dataset.ActualsFromDatasetView),
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
    one("customMetrics/fromCustomJob/", custom_jobs.FromCustomJobView),
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
    one("model/secondaryDatasetConfiguration/", secondary.SecondaryConfigurationView),
    one("model/secondaryDatasetConfigurationHistory/", secondary.SecondaryHistoryView),
    one("monitoringBatchLimits/", batch_models.LimitsView),
    one("model/validation/", replacement.ModelValidationView),
    one("monitoringBatches/", batches.BatchesView),
    one("monitoringBatches/<str:batch_id>/", batches.BatchView),
    one("monitoringBatches/<str:batch_id>/models/", batch_models.BatchModelsView),
    one("monitoringBatches/<str:batch_id>/models/<str:model_id>/", batch_models.BatchModelView),
    one("monitoringDataDeletions/", deletions.MonitoringDataDeletionsView),
    one("onDemandReports/", reporting.OnDemandReportsView),
    one("predictionInputs/fromDataset/", from_dataset.PredictionsFromDatasetView),
    one("predictionDataExports/", exports.PredictionExportsView),
    one("predictionDataExports/<str:export_id>/", exports.PredictionExportView),
    one("predictionResults/", rows.PredictionResultsView),
    one("predictionsOverBatch/", predictions.PredictionsOverBatchView),
    one("predictionsOverSpace/", space.PredictionsOverSpaceView),
    one("predictionsOverTime/", predictions.PredictionsOverTimeView),
    one("predictionsVsActualsOverBatch/", predictions.VersusOverBatchView),
    one("predictionsVsActualsOverSpace/", space.VersusOverSpaceView),
    one("predictionsVsActualsOverTime/", predictions.VersusOverTimeView),
    one("retrainingPolicies/", retraining.PoliciesView),
    one("retrainingPolicies/<str:policy_id>/", retraining.PolicyView),
    one("retrainingPolicies/<str:policy_id>/runs/", retraining.RunsView),
    one("retrainingPolicies/<str:policy_id>/runs/<str:run_id>/", retraining.RunView),
    one("retrainingSettings/", retraining.RetrainingSettingsView),
    one("runtimeParameters/", runtime.RuntimeParametersView),
    one("scoringCode/", scoring_code.ScoringCodeView),
    one("scoringCodeBuilds/", scoring_code.ScoringCodeBuildsView),
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
    path("predictionServers/", servers.PredictionServersView.as_view()),
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
    path("predictionServers/<str:server_id>/", servers.PredictionServerView.as_view()),
    path("modelPackages/<str:package_id>/scoringCode/", scoring_code.PackageScoringCodeView.as_view()),
    one("secondaryDatasetConfigurations/", secondary.SecondarySetsView),
    one("secondaryDatasetConfigurations/<str:config_id>/", secondary.SecondarySetView),
    path("customJobs/", custom_jobs.CustomJobsView.as_view()),
    path("customJobs/<str:job_id>/", custom_jobs.CustomJobView.as_view()),
    one("customMetrics/<str:custom_metric_id>/customJobRuns/", custom_jobs.CustomJobRunsView),
    path("scheduledReports/", reporting.ScheduledReportsView.as_view()),
    path("scheduledReports/<str:report_id>/", reporting.ScheduledReportView.as_view()),
    path("scheduledReports/<str:report_id>/runs/", reporting.ReportRunsView.as_view()),
    path("openapi.json", SpectacularJSONAPIView.as_view(authentication_classes=(), permission_classes=())),
]

# Extensions first: "deployments/fromModelPackage/" would otherwise be taken for a deployment's id.
urlpatterns = [*extensions, *reference, re_path(r"^.*$", not_found)]
