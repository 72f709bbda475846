"""The tabs of a deployment, one row each, in the order in which they are shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from django.http import QueryDict

from dashboard.tabs import (
    accuracy,
    batches,
    challengers,
    custom,
    data,
    drift,
    fairness,
    history,
    humility,
    jobs,
    manage,
    overview,
    predictions,
    segments,
    service,
    settings,
)
from dashboard.tabs import map as map_tab
from dashboard.tabs.parts import Tab
from dashboard.tabs.subject import Subject
from monitoring.models import Area

Builder = Callable[[Subject, QueryDict], Tab]


@dataclass(frozen=True)
class TabRow:
    """One tab.

    `areas`: whose verdicts lead here; the worst one's icon stands at the word. `kept`: query names of its own that the
    bar keeps. `by_time` and `by_batch`: for which deployments it is shown; a deployment watched by batch has no time
    axis.
    """

    slug: str
    word: str
    build: Builder
    areas: tuple[Area, ...] = ()
    kept: tuple[str, ...] = ()
    by_time: bool = True
    by_batch: bool = False
    is_on: Callable[[Subject], bool] = lambda subject: True
    """Whether the source has it switched on: a tab of what is off stays, and is quiet."""

    def shown_for(self, subject: Subject) -> bool:
        return self.by_batch if subject.watched.batch_monitoring else self.by_time


ROWS = (
    TabRow("overview", "Overview", lambda subject, query: overview.build(subject)),
    TabRow("service", "Service", service.build, (Area.SERVICE,), ("quantile", "slow", "show")),
    TabRow(
        "drift",
        "Drift",
        lambda subject, query: drift.build(
            subject, query.get("feature", ""), query.get("scale") == "linear", query.get("measure", "")
        ),
        (Area.DRIFT,),
        ("feature", "scale", "measure"),
    ),
    TabRow(
        "accuracy",
        "Accuracy",
        lambda subject, query: accuracy.build(subject, query.get("metric", ""), query.get("beside") == "challengers"),
        (Area.ACCURACY,),
        ("metric", "beside"),
    ),
    TabRow(
        "predictions",
        "Predictions",
        lambda subject, query: predictions.build(subject, query.get("class", "")),
        (Area.PREDICTIONS_TIMELINESS, Area.ACTUALS_TIMELINESS),
        ("class",),
    ),
    TabRow(
        "fairness",
        "Fairness",
        lambda subject, query: fairness.build(
            subject, query.get("feature", ""), query.get("metric", ""), query.get("class", "")
        ),
        (Area.FAIRNESS,),
        ("feature", "metric", "class"),
        by_batch=True,
        is_on=lambda subject: not subject.watched.batch_monitoring and fairness.is_on(subject),
    ),
    TabRow(
        "humility",
        "Humility",
        lambda subject, query: humility.build(subject),
        by_batch=True,
        is_on=lambda subject: not subject.watched.batch_monitoring and humility.is_on(subject),
    ),
    TabRow(
        "custom",
        "Custom metrics",
        lambda subject, query: custom.build(subject, query.get("metric", "")),
        (Area.CUSTOM_METRICS,),
        ("metric",),
        by_batch=True,
        is_on=custom.is_on,
    ),
    TabRow(
        "batches",
        "Batches",
        lambda subject, query: batches.build(subject, query.get("left", ""), query.get("right", "")),
        (Area.DRIFT, Area.ACCURACY, Area.SERVICE),
        ("left", "right"),
        by_time=False,
        by_batch=True,
    ),
    TabRow("segments", "Segments", segments.build, kept=("by", "attribute", "values"), by_batch=True),
    TabRow("map", "Map", map_tab.build, kept=("by", "place", "cell")),
    TabRow(
        "data", "Data", data.build, kept=("stretch", "labels", "batch", "prompt", "response", "sort"), by_batch=True
    ),
    TabRow(
        "challengers",
        "Challengers",
        lambda subject, query: challengers.build(subject, query.get("metric", "")),
        kept=("metric",),
    ),
    TabRow(
        "jobs",
        "Jobs",
        lambda subject, query: jobs.build(subject, query.get("state", "")),
        kept=("state",),
        by_batch=True,
    ),
    TabRow(
        "history",
        "History",
        lambda subject, query: history.build(subject, query.get("kind", ""), query.get("text", "")),
        kept=("kind", "text"),
        by_batch=True,
    ),
    TabRow("settings", "Settings", settings.build, kept=("section",), by_batch=True),
    TabRow("manage", "Manage", lambda subject, query: manage.build(subject), by_batch=True),
)
TABS = {row.slug: row for row in ROWS}
KEPT = frozenset(name for row in ROWS for name in row.kept)


@cache
def leads_to(area: str, *, batch: bool) -> str:
    """The tab that explains the verdict of an area; the main tab where none does."""
    shown = [row for row in ROWS if (row.by_batch if batch else row.by_time)]
    return next((row.slug for row in shown if area in row.areas), "batches" if batch else shown[0].slug)
