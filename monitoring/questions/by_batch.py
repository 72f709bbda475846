"""Questions about batches: the same areas without a time axis."""

from __future__ import annotations

from collections.abc import Sequence

from monitoring.questions.question import FEATURES_PAGE, PAGE, Question, Segment, params_of


def batches() -> Question:
    """The newest batches."""
    return Question("monitoringBatches/", params_of(("limit", PAGE), ("orderBy", "-createdAt")))


def service_over_batch(
    metric: str, *, quantile: float | None = None, batch_ids: Sequence[str] = (), segment: Segment | None = None
) -> Question:
    pairs = [("batchId", batch) for batch in batch_ids]
    return Question(
        "serviceStatsOverBatch/", params_of(("metric", metric), ("quantile", quantile), *pairs, segment=segment)
    )


def accuracy_over_batch(
    metric: str | None = None,
    *,
    batch_ids: Sequence[str] = (),
    model_id: str | None = None,
    segment: Segment | None = None,
) -> Question:
    pairs = [("batchId", batch) for batch in batch_ids]
    return Question("accuracyOverBatch/", params_of(("metric", metric), *pairs, model_id=model_id, segment=segment))


def feature_drift_over_batch(
    feature: str,
    *,
    batch_ids: Sequence[str] = (),
    metric: str | None = None,
    model_id: str | None = None,
    segment: Segment | None = None,
) -> Question:
    pairs = [("batchId", batch) for batch in batch_ids]
    params = params_of(("driftMetric", metric), ("featureNames", feature), *pairs, model_id=model_id, segment=segment)
    return Question("featureDriftOverBatch/", params)


def batch_service_stats(batch_ids: Sequence[str], *, quantile: float | None = None) -> Question:
    """All service metrics over the named batches."""
    pairs = [("batchId", batch) for batch in batch_ids]
    return Question("batchServiceStats/", params_of(("responseTimeQuantile", quantile), *pairs))


def batch_feature_drift(
    batch_ids: Sequence[str], *, metric: str | None = None, model_id: str | None = None
) -> Question:
    """Drift of every feature over the named batches."""
    pairs = [("batchId", batch) for batch in batch_ids]
    return Question(
        "featureDrift/", params_of(("limit", FEATURES_PAGE), ("metric", metric), *pairs, model_id=model_id), paged=True
    )


def batch_accuracy(batch_ids: Sequence[str], *, model_id: str | None = None) -> Question:
    return Question("accuracy/", params_of(*[("batchId", batch) for batch in batch_ids], model_id=model_id))


def predictions_over_batch(*, batch_ids: Sequence[str] = (), segment: Segment | None = None) -> Question:
    pairs = [("batchId", batch) for batch in batch_ids]
    return Question("predictionsOverBatch/", params_of(("includePercentiles", "true"), *pairs, segment=segment))


def predictions_vs_actuals_over_batch(*, batch_ids: Sequence[str] = (), segment: Segment | None = None) -> Question:
    pairs = [("batchId", batch) for batch in batch_ids]
    return Question("predictionsVsActualsOverBatch/", params_of(*pairs, segment=segment))
