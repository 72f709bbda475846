"""Questions about fairness, humility, custom metrics and space."""

from __future__ import annotations

from collections.abc import Sequence

from monitoring.questions.question import PAGE, Bucket, Question, Segment, Window, params_of

WORST_FIRST = "relativeFairnessScore"


def fairness(window: Window, feature: str, metric: str | None = None, *, model_id: str | None = None) -> Question:
    """The classes of one protected feature over a whole period: read its `summary`, the least favoured class first.

    Without a bucket size it is kept as a whole answer; a series keeps no summary.
    """
    pairs = (("fairnessMetric", metric), ("limit", PAGE), ("orderBy", WORST_FIRST), ("protectedFeature", feature))
    return Question("fairnessScoresOverTime/", params_of(*pairs, model_id=model_id), window)


def fairness_over_time(
    feature: str, window: Window, bucket: str = Bucket.DAY, *, metric: str | None = None, model_id: str | None = None
) -> Question:
    """The classes of one protected feature by bucket: `scores`, each with `label`, `value`, `sampleSize`."""
    pairs = (("fairnessMetric", metric), ("limit", PAGE), ("protectedFeature", feature))
    return Question("fairnessScoresOverTime/", params_of(*pairs, model_id=model_id), window, bucket)


def humility(window: Window, *, model_id: str | None = None, segment: Segment | None = None) -> Question:
    """How often each rule applied in a period: `data`, each with `ruleId`, `ruleName`, `value`."""
    return Question("humilityStats/", params_of(model_id=model_id, segment=segment), window)


def humility_over_time(
    window: Window, bucket: str = Bucket.DAY, *, model_id: str | None = None, segment: Segment | None = None
) -> Question:
    """How often each rule applied by bucket: `values`, each with `ruleId`, `ruleName`, `value`."""
    return Question("humilityStatsOverTime/", params_of(model_id=model_id, segment=segment), window, bucket)


def custom_metrics() -> Question:
    """The definitions of all custom metrics."""
    return Question("customMetrics/", params_of(("limit", PAGE)), paged=True)


def custom_summary(window: Window, *, model_id: str | None = None, segment: Segment | None = None) -> Question:
    """All custom metrics over one period: `metrics`, each with value, baseline and percent change."""
    return Question("customMetricsSummary/", params_of(model_id=model_id, segment=segment), window)


def custom_batch_summary(batch_ids: Sequence[str], *, model_id: str | None = None) -> Question:
    """All custom metrics over the named batches."""
    pairs = [("batchId", batch) for batch in batch_ids]
    return Question("customMetricsBatchSummary/", params_of(*pairs, model_id=model_id))


def custom_over_time(
    metric_id: str,
    window: Window,
    bucket: str = Bucket.DAY,
    *,
    model_id: str | None = None,
    segment: Segment | None = None,
) -> Question:
    """One custom metric by bucket: `value`, `sampleSize`, `categories`; the frame holds its definition."""
    params = params_of(model_id=model_id, segment=segment)
    return Question(f"customMetrics/{metric_id}/valuesOverTime/", params, window, bucket)


def custom_over_batch(metric_id: str, *, batch_ids: Sequence[str] = (), model_id: str | None = None) -> Question:
    """One custom metric by batch."""
    pairs = [("batchId", batch) for batch in batch_ids]
    return Question(f"customMetrics/{metric_id}/valuesOverBatch/", params_of(*pairs, model_id=model_id))


def predictions_over_space(window: Window, place: str, *, model_id: str | None = None) -> Question:
    """Counts, means and classes of predictions by H3 cell of the geospatial feature `place`."""
    return Question("predictionsOverSpace/", params_of(("geoFeatureName", place), model_id=model_id), window)


def accuracy_over_space(
    window: Window, place: str, metric: str | None = None, *, model_id: str | None = None
) -> Question:
    """One accuracy metric by H3 cell."""
    pairs = (("geoFeatureName", place), ("metric", metric))
    return Question("accuracyOverSpace/", params_of(*pairs, model_id=model_id), window)


def feature_drift_over_space(
    window: Window, place: str, feature: str, metric: str | None = None, *, model_id: str | None = None
) -> Question:
    """The drift of one feature by H3 cell. `metric` is spelled as there: psi, klDivergence …"""
    pairs = (("featureName", feature), ("geoFeatureName", place), ("metric", metric))
    return Question("featureDriftOverSpace/", params_of(*pairs, model_id=model_id), window)


def batch_models(batch_id: str) -> Question:
    """The models that predicted in a batch."""
    return Question(f"monitoringBatches/{batch_id}/models/", params_of(("limit", PAGE)), paged=True)
