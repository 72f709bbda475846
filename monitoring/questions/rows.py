"""Questions about stored rows themselves: asked when somebody looks, kept for a day, never polled."""

from __future__ import annotations

from collections.abc import Sequence

from monitoring.questions.question import Between, Question, Segment, Window, params_of

RESULTS, TEXTS = "predictionResults/", "dataQualityView/"
ROW_PATHS = (RESULTS, TEXTS)
"""Answers that hold rows of people: they are forgotten soon."""
MOST_NAMES = 10
"""Features of one question about distributions."""


def prediction_results(
    window: Between | None,
    *,
    limit: int,
    batch_id: str = "",
    model_id: str | None = None,
    labelled: bool | None = None,
) -> Question:
    """Rows in the order of time: `predicted`, `actual`, `associationId`; `next` where there are more than `limit`."""
    pairs = (
        ("actualsPresent", None if labelled is None else str(labelled).lower()),
        ("batchId", batch_id or None),
        ("limit", limit),
    )
    return Question(RESULTS, params_of(*pairs, model_id=model_id), window)


def generated_texts(
    window: Window,
    *,
    limit: int,
    offset: int = 0,
    model_id: str | None = None,
    prompt: str = "",
    prediction: str = "",
    metric: str = "",
    ascending: bool = False,
) -> Question:
    """Prompts with their responses, newest first, or sorted by a custom metric; words that each of them must hold."""
    order = "customMetrics" if metric else "timestamp"
    pairs = (
        ("limit", limit),
        ("offset", offset or None),
        ("orderBy", order if ascending else f"-{order}"),
        ("orderMetric", metric or None),
        ("predictionPattern", prediction or None),
        ("promptPattern", prompt or None),
    )
    return Question(TEXTS, params_of(*pairs, model_id=model_id), window)


def distributions(
    names: Sequence[str],
    window: Window | None,
    bucket: str | None = None,
    *,
    batch_id: str = "",
    model_id: str | None = None,
    segment: Segment | None = None,
) -> Question:
    """The bins of at most MOST_NAMES features, live and in training: an extension, refused by other sources."""
    pairs = [("featureNames", name) for name in names] + ([("batchId", batch_id)] if batch_id else [])
    return Question("featureDistributions/", params_of(*pairs, model_id=model_id, segment=segment), window, bucket)
