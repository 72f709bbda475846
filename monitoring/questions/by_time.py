"""Questions about settings, service health, drift, accuracy and predictions over time."""

from __future__ import annotations

from monitoring.questions.question import FEATURES_PAGE, PAGE, Bucket, Question, Segment, Window, params_of


def details() -> Question:
    return Question("")


def settings() -> Question:
    return Question("settings/")


def health_settings() -> Question:
    return Question("healthSettings/")


def health_defaults() -> Question:
    return Question("healthSettings/defaults/")


def capabilities() -> Question:
    return Question("capabilities/")


def features() -> Question:
    return Question("features/", params_of(("limit", PAGE)), paged=True)


def segment_attributes(monitoring_type: str) -> Question:
    """`monitoring_type`: serviceHealth, dataDrift, accuracy, humility or customMetrics."""
    return Question("segmentAttributes/", params_of(("monitoringType", monitoring_type)))


def segment_values(attribute: str) -> Question:
    return Question("segmentValues/", params_of(("limit", PAGE), ("segmentAttribute", attribute)), paged=True)


def service_stats(
    window: Window,
    *,
    quantile: float | None = None,
    slow_ms: int | None = None,
    model_id: str | None = None,
    segment: Segment | None = None,
) -> Question:
    """All service metrics of one period; `quantile` holds for response and execution time (default 0.5)."""
    pairs = (
        ("executionTimeQuantile", quantile),
        ("responseTimeQuantile", quantile),
        ("slowRequestsThreshold", slow_ms),
    )
    return Question("serviceStats/", params_of(*pairs, model_id=model_id, segment=segment), window)


def service_over_time(
    metric: str,
    window: Window,
    bucket: str = Bucket.DAY,
    *,
    quantile: float | None = None,
    slow_ms: int | None = None,
    model_id: str | None = None,
    segment: Segment | None = None,
) -> Question:
    """One service metric by bucket: `value` each."""
    pairs = (("metric", metric), ("quantile", quantile), ("threshold", slow_ms))
    return Question("serviceStatsOverTime/", params_of(*pairs, model_id=model_id, segment=segment), window, bucket)


def accuracy(window: Window, *, model_id: str | None = None, segment: Segment | None = None) -> Question:
    """The default accuracy metrics of one period with baseline and percent change."""
    return Question("accuracy/", params_of(model_id=model_id, segment=segment), window)


def accuracy_over_time(
    metric: str,
    window: Window,
    bucket: str = Bucket.DAY,
    *,
    model_id: str | None = None,
    segment: Segment | None = None,
) -> Question:
    """One accuracy metric by bucket: `value`, `sampleSize`; the frame holds `baselines`."""
    return Question(
        "accuracyOverTime/", params_of(("metric", metric), model_id=model_id, segment=segment), window, bucket
    )


def target_drift(
    window: Window, *, metric: str | None = None, model_id: str | None = None, segment: Segment | None = None
) -> Question:
    return Question("targetDrift/", params_of(("metric", metric), model_id=model_id, segment=segment), window)


def feature_drift(
    window: Window, *, metric: str | None = None, model_id: str | None = None, segment: Segment | None = None
) -> Question:
    """Drift of every feature over one period, all pages put together under `data`."""
    params = params_of(("limit", FEATURES_PAGE), ("metric", metric), model_id=model_id, segment=segment)
    return Question("featureDrift/", params, window, paged=True)


def feature_drift_over_time(
    feature: str,
    window: Window,
    bucket: str = Bucket.DAY,
    *,
    metric: str | None = None,
    model_id: str | None = None,
    segment: Segment | None = None,
) -> Question:
    """Drift of one feature by bucket: `driftScore`, `sampleSize`. Two features share one request when polled."""
    params = params_of(("featureNames", feature), ("metric", metric), model_id=model_id, segment=segment)
    return Question("featureDriftOverTime/", params, window, bucket)


def predictions_over_time(
    window: Window, bucket: str = Bucket.DAY, *, model_id: str | None = None, segment: Segment | None = None
) -> Question:
    params = params_of(("includePercentiles", "true"), model_id=model_id, segment=segment)
    return Question("predictionsOverTime/", params, window, bucket)


def predictions_vs_actuals_over_time(
    window: Window, bucket: str = Bucket.DAY, *, model_id: str | None = None, segment: Segment | None = None
) -> Question:
    return Question("predictionsVsActualsOverTime/", params_of(model_id=model_id, segment=segment), window, bucket)
