"""Questions about what a source is at work on, and about single models beside the champion."""

from __future__ import annotations

from monitoring.questions.question import PAGE, Question, Segment, Window, params_of


def jobs() -> Question:
    """The newest jobs of a deployment: kind, state, progress, who, when; an extension that only our service answers."""
    return Question("jobs/", params_of(("limit", PAGE)))


def accuracy_summary(
    metric: str, window: Window, *, model_id: str | None = None, segment: Segment | None = None
) -> Question:
    """One metric over a whole period: `summary` with its value and on how many labelled rows it stands."""
    return Question("accuracyOverTime/", params_of(("metric", metric), model_id=model_id, segment=segment), window)
