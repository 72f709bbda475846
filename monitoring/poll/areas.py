"""Fairness, humility, custom metrics, timeliness and space: which of them are on, and what is asked then. Pure.

An area that is off costs no request. Whether custom metrics exist is told by their list alone, which is asked with the
hourly details of a deployment that moved, and daily.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from metrics.fairness import FAIRNESS_METRIC_SETS
from monitoring import questions as q
from monitoring.client import HealthSettings, Settings
from monitoring.poll.pace import Pace
from monitoring.questions import Last, Question
from monitoring.snapshots import Snapshot

#: Of how many custom metrics and protected features series are polled.
MOST_METRICS = 12
MOST_FEATURES = 10
_DEFAULT_SET = "proportionalParity"
IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{1,64}")
_GEOSPATIAL = frozenset({"geospatial", "location"})
_DAYS = Last("P30D")


@dataclass(frozen=True, slots=True)
class AreaFacts:
    """What is on. `fairness_metrics`: "" leaves the choice to the source. `…_every`: as written, "" = off."""

    protected: tuple[str, ...] = ()
    fairness_metrics: tuple[str, ...] = ("",)
    humility_on: bool = False
    custom: tuple[str, ...] = ()
    custom_judged: bool = False
    predictions_every: str = ""
    actuals_every: str = ""
    places: tuple[str, ...] = ()


def area_fact_questions() -> list[Question]:
    """What `area_facts` reads beside the settings."""
    return [q.custom_metrics(), q.features()]


def area_facts(settings: Settings, health: HealthSettings, known: Snapshot) -> AreaFacts:
    """Facts from the snapshot; what the source has not said is off."""
    fairness, custom = settings.bias_and_fairness, health.custom_metrics
    timely, labelled = health.predictions_timeliness, health.actuals_timeliness
    followed = settings.segment_analysis.attributes or [] if settings.segment_analysis else []
    return AreaFacts(
        protected=tuple(dict.fromkeys((fairness.protected_features or []) if fairness else [])),
        fairness_metrics=fairness_metrics(fairness.fairness_metrics_set if fairness else None),
        humility_on=bool(settings.humility and settings.humility.enabled),
        custom=tuple(custom_ids(_entries(known.payload(q.custom_metrics())))),
        custom_judged=bool(custom and (custom.failing_conditions or custom.warning_conditions)),
        predictions_every=(timely.expected_frequency or "P1D") if timely and timely.enabled else "",
        actuals_every=(labelled.expected_frequency or "P1D") if labelled and labelled.enabled else "",
        places=tuple(name for name in geospatial(known.payload(q.features())) if name in followed),
    )


def fairness_metrics(chosen: str | None) -> tuple[str, ...]:
    """The metrics of the set; for a set that only the source knows, its own choice."""
    found = FAIRNESS_METRIC_SETS.get(chosen or _DEFAULT_SET)
    return tuple(metric.value for metric in found) if found is not None else ("",)


def _entries(payload: dict[str, Any]) -> list[dict[str, Any]]:
    data = payload.get("data")
    return [one for one in data if isinstance(one, dict)] if isinstance(data, list) else []


def plain_ids(entries: Iterable[dict[str, Any]]) -> list[str]:
    """The ids of what a source lists. An id becomes part of an address, so that only plain ones are taken."""
    found = (str(one.get("id") or "") for one in entries)
    return [one for one in found if IDENTIFIER.fullmatch(one)]


def custom_ids(entries: Iterable[dict[str, Any]]) -> list[str]:
    """Custom metrics, those that are to be drawn first."""
    return plain_ids(sorted(entries, key=lambda one: one.get("displayChart") is False))


def geospatial(payload: dict[str, Any]) -> list[str]:
    """The names of the geospatial features in an answer of `features/`."""
    found = [one for one in _entries(payload) if str(one.get("featureType")).lower() in _GEOSPATIAL]
    return [str(one["name"]) for one in found if one.get("name")]


# --- Questions ----------------------------------------------------------------------------------------------------


def judged_fairness(facts: AreaFacts, interval: str) -> list[tuple[str, Question]]:
    """(protected feature, question) of everything that the verdict on fairness rests on."""
    return [
        (feature, q.fairness(Last(interval), feature, metric or None))
        for feature in facts.protected[:MOST_FEATURES]
        for metric in facts.fairness_metrics
    ]


def judged_custom(interval: str, batches: Sequence[str], *, batch: bool) -> Question | None:
    """The summary that the verdict on custom metrics rests on; None while there is no batch."""
    if not batch:
        return q.custom_summary(Last(interval))
    return q.custom_batch_summary(batches) if batches else None


def area_questions(
    facts: AreaFacts, interval: str, batches: Sequence[str], *, batch: bool
) -> list[tuple[Question, Pace]]:
    """The standing questions of the areas that are on."""
    found = [(q.custom_metrics(), Pace.HOURLY)]
    found += [(question, Pace.QUIET) for _, question in judged_fairness(facts, interval)]
    summary = judged_custom(interval, batches, batch=batch)
    if summary is not None and (facts.custom or facts.custom_judged):
        found.append((summary, Pace.FAST if facts.custom_judged else Pace.HOURLY))
    if batch:
        return found + [(q.custom_over_batch(one), Pace.HOURLY) for one in facts.custom[:MOST_METRICS]]
    found += [(question, Pace.HOURLY) for question in _series(facts)]
    if facts.humility_on:
        found += [(question, Pace.HOURLY) for question in (q.humility(Last(interval)), q.humility_rules())]
    found += [(q.predictions_over_space(_DAYS, place), Pace.HOURLY) for place in facts.places[:1]]
    return found


def _series(facts: AreaFacts) -> list[Question]:
    metric = facts.fairness_metrics[0] or None
    asked = [q.fairness_over_time(name, _DAYS, metric=metric) for name in facts.protected[:MOST_FEATURES]]
    asked += [q.custom_over_time(one, _DAYS) for one in facts.custom[:MOST_METRICS]]
    return asked + ([q.humility_over_time(_DAYS)] if facts.humility_on else [])
