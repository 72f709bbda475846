"""The verdict on a deployment: stored answers and health settings in, one verdict an area out. Pure.

The rules are those of `metrics.health`; here the answers are read into them. Labels that are not complete yet are left
out of accuracy, which is where we and a source may disagree.
"""

from __future__ import annotations

from monitoring import questions as q
from monitoring.health.accuracy import accuracy, accuracy_rule, baseline_of, judge_accuracy_of
from monitoring.health.areas import custom_metrics, fairness, fairness_rule, judged_area_questions
from monitoring.health.coverage import coverage, coverage_questions
from monitoring.health.drift import bins_of, drift, drift_rule, features_of, judge_drift_features
from monitoring.health.parts import Judged
from monitoring.health.service import SERVICE_WINDOW, judge_service_numbers, service
from monitoring.health.timeliness import actuals_timeliness, predictions_timeliness, timeliness_questions
from monitoring.models import Area, Watched
from monitoring.poll.standing import BATCH_SERVICE, DAYS, Facts
from monitoring.questions import Last, Mature, Question
from monitoring.snapshots import Snapshot

__all__ = [
    "SERVICE_WINDOW",
    "Judged",
    "accuracy_rule",
    "baseline_of",
    "bins_of",
    "blind_spots",
    "coverage",
    "drift_rule",
    "fairness_rule",
    "features_of",
    "judge",
    "judge_accuracy_of",
    "judge_drift_features",
    "judge_service_numbers",
    "judged_questions",
]


def judged_questions(facts: Facts) -> list[Question]:
    """The questions whose answers `judge` reads."""
    further = [*judged_area_questions(facts), *timeliness_questions(facts)]
    if facts.batch:
        asked = [q.settings(), q.health_settings(), q.batches()]
        asked += [q.batch_service_stats(facts.service_batches)] if facts.service_batches else []
        asked += [q.service_over_batch(metric) for metric in BATCH_SERVICE]
        asked += [q.batch_feature_drift(facts.drift_batches)] if facts.drift_batches else []
        asked += [q.batch_accuracy(facts.accuracy_batches)] if facts.accuracy_batches else []
        asked += [q.accuracy_over_batch(facts.judged_metric)] if facts.judged_metric else []
        return asked + further
    window = Last(facts.interval)
    asked = [
        *(q.settings(), q.health_settings(), q.service_stats(SERVICE_WINDOW)),
        *(q.feature_drift(window), q.target_drift(window), q.accuracy(Mature(facts.interval, 0))),
        *(q.predictions_vs_actuals_over_time(DAYS), *further),
    ]
    return asked + ([q.accuracy_over_time(facts.judged_metric, DAYS)] if facts.judged_metric else [])


def judge(watched: Watched, known: Snapshot, facts: Facts) -> dict[Area, Judged]:
    """One verdict an area from what is stored; unavailable for those that are off."""
    return {
        Area.SERVICE: service(watched, known, facts),
        Area.DRIFT: drift(watched, known, facts),
        Area.ACCURACY: accuracy(watched, known, facts),
        Area.FAIRNESS: fairness(watched, known, facts),
        Area.CUSTOM_METRICS: custom_metrics(watched, known, facts),
        Area.PREDICTIONS_TIMELINESS: predictions_timeliness(watched, known, facts),
        Area.ACTUALS_TIMELINESS: actuals_timeliness(watched, known, facts),
    }


#: What `blind_spots` and `coverage` read beside the facts.
BLIND_SPOT_QUESTIONS = (q.health_defaults(), *coverage_questions())


def blind_spots(known: Snapshot, facts: Facts, *, readers: int) -> list[str]:
    """What is not watched, in words: switched off, not set up, or heard by nobody."""
    found = []
    if facts.drift_on is False and facts.target_drift_on is False:
        found.append("Drift tracking is off")
    if facts.has_association is False:
        found.append("No association id: accuracy cannot be computed")
    if facts.areas.custom and not facts.areas.custom_judged:
        found.append("No condition on custom metrics")
    defaults, chosen = known.payload(q.health_defaults()), known.payload(q.health_settings())
    if chosen and defaults and chosen == defaults:
        found.append("Thresholds still default")
    if not readers:
        found.append("Nobody gets mail")
    return found
