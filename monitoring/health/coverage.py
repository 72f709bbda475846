"""What is watched of a deployment, and why the rest is not: one code for each column of the blind-spot map. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from monitoring import client
from monitoring import questions as q
from monitoring.health.accuracy import accuracy_rule
from monitoring.health.drift import drift_rule
from monitoring.models import Area, TopicState
from monitoring.poll.facts import shaped
from monitoring.poll.standing import DAYS, Facts
from monitoring.snapshots import Snapshot

HUMILITY, HEARD = "humility", "heard"
#: The columns of the map, in its order. `heard`: whether anybody gets mail about it.
COLUMNS: tuple[str, ...] = (*(area.value for area in Area), HUMILITY, HEARD)


class Watch(StrEnum):
    """The four states of a cell, and that nobody has looked yet."""

    WATCHED = "watched"
    UNLIMITED = "unlimited"
    OFF = "off"
    CANNOT = "cannot"
    UNASKED = "unasked"


@dataclass(frozen=True, slots=True)
class Why:
    """What a code means. `blind`: it counts as a blind spot; what nobody needs, or nobody could mend, does not."""

    state: Watch
    words: str
    blind: bool = True


CODES: Mapping[str, Why] = {
    "watched": Why(Watch.WATCHED, "Watched, with a limit", blind=False),
    "counted": Why(Watch.UNLIMITED, "Counted; no verdict is made of it", blind=False),
    "no_limit": Why(Watch.UNLIMITED, "No limit is set: it can never turn red"),
    "no_condition": Why(Watch.UNLIMITED, "No condition on any custom metric"),
    "off": Why(Watch.OFF, "Switched off"),
    "none": Why(Watch.OFF, "None is defined", blind=False),
    "unused": Why(Watch.OFF, "Switched off", blind=False),
    "nobody": Why(Watch.OFF, "Nobody gets mail about it"),
    "no_association": Why(Watch.CANNOT, "No association id: actuals cannot find their predictions"),
    "no_actuals": Why(Watch.CANNOT, "No actual has arrived in the last 30 days"),
    "no_training": Why(Watch.CANNOT, "No training data to compare with"),
    "no_protected": Why(Watch.CANNOT, "No protected feature is chosen"),
    "not_binary": Why(Watch.CANNOT, "Fairness is defined for binary targets only", blind=False),
    "no_metric": Why(Watch.CANNOT, "There is no accuracy metric for this kind of target", blind=False),
    "by_batch": Why(Watch.CANNOT, "Watched by batch: there is no clock to be late by", blind=False),
    "refused": Why(Watch.CANNOT, "The source does not offer it", blind=False),
    "unasked": Why(Watch.UNASKED, "Not looked at yet", blind=False),
}


def coverage_questions() -> list[q.Question]:
    """What `coverage` reads beside what the verdicts read."""
    return [q.settings(), q.health_settings(), q.capabilities(), q.predictions_vs_actuals_over_time(DAYS)]


def coverage(known: Snapshot, facts: Facts, *, readers: int) -> dict[str, str]:
    """A code of `CODES` for each of `COLUMNS`; everything is unasked until the settings were read."""
    if not known.payload(q.settings()) or not known.payload(q.health_settings()):
        return dict.fromkeys(COLUMNS, "unasked") | {HEARD: "watched" if readers else "nobody"}
    rules = shaped(client.HealthSettings, known.payload(q.health_settings()))
    return {
        Area.SERVICE.value: "refused" if _refused(known, q.service_stats(q.Last("P1D"))) else "watched",
        Area.DRIFT.value: _drift(known, facts, rules),
        Area.ACCURACY.value: _accuracy(known, facts, rules),
        Area.FAIRNESS.value: _fairness(facts, rules),
        Area.CUSTOM_METRICS.value: _custom(facts),
        Area.PREDICTIONS_TIMELINESS.value: _timely(facts, facts.areas.predictions_every),
        Area.ACTUALS_TIMELINESS.value: _timely(facts, facts.areas.actuals_every, labels=True),
        HUMILITY: "counted" if facts.areas.humility_on else "unused",
        HEARD: "watched" if readers else "nobody",
    }


def blind(codes: Mapping[str, str]) -> int:
    """How many of the columns are blind spots."""
    return sum(CODES[code].blind for code in codes.values() if code in CODES)


def written(codes: Mapping[str, str]) -> str:
    """One word a column, in the order of the map: short enough to be read from an index."""
    return " ".join(codes.get(name, "unasked") for name in COLUMNS)


def read(text: str) -> dict[str, str]:
    """The codes of a stored text; what is missing, or was written by another version, is unasked."""
    words = text.split()
    known = [word if word in CODES else "unasked" for word in words]
    return dict(zip(COLUMNS, [*known, *["unasked"] * len(COLUMNS)], strict=False))


def _drift(known: Snapshot, facts: Facts, rules: client.HealthSettings) -> str:
    if facts.drift_on is False and facts.target_drift_on is False:
        return "off"
    if _unsupported(known, "supportsFeatureDriftTracking") and _unsupported(known, "supportsTargetDriftTracking"):
        return "no_training"
    rule = drift_rule(rules)
    counts = (
        *(rule.high_importance_failing_count, rule.high_importance_warning_count),
        *(rule.low_importance_failing_count, rule.low_importance_warning_count),
    )
    return "no_limit" if all(count is None for count in counts) else "watched"


def _accuracy(known: Snapshot, facts: Facts, rules: client.HealthSettings) -> str:
    if not facts.judged_metric:
        return "no_metric"
    if facts.has_association is False:
        return "no_association"
    if not facts.batch and not _labelled(known):
        return "no_actuals"
    rule = accuracy_rule(rules, facts.judged_metric)
    unlimited = rule.warning_threshold is None and rule.failing_threshold is None
    return "no_limit" if unlimited else "watched"


def _fairness(facts: Facts, rules: client.HealthSettings) -> str:
    if facts.target_type != "Binary":
        return "not_binary"
    if not facts.areas.protected:
        return "no_protected"
    limits = rules.fairness
    if limits is None:
        return "watched"  # by the reference's own counts
    unlimited = limits.protected_class_failing_count is None and limits.protected_class_warning_count is None
    return "no_limit" if unlimited else "watched"


def _custom(facts: Facts) -> str:
    if facts.areas.custom_judged:
        return "watched"
    return "no_condition" if facts.areas.custom else "none"


def _timely(facts: Facts, every: str, *, labels: bool = False) -> str:
    if facts.batch:
        return "by_batch"
    if labels and not facts.judged_metric:
        return "no_metric"
    if labels and facts.has_association is False:
        return "no_association"
    return "watched" if every else "off"


def _labelled(known: Snapshot) -> bool:
    view = known.series(q.predictions_vs_actuals_over_time(DAYS))
    return view is not None and any(point.number("rowCountWithActual") for point in view.points)


def _unsupported(known: Snapshot, name: str) -> bool:
    """True where the source says so; what it does not speak of may work."""
    data = known.payload(q.capabilities()).get("data")
    listed = [one for one in data if isinstance(one, dict)] if isinstance(data, list) else []
    return any(one.get("name") == name and one.get("supported") is False for one in listed)


def _refused(known: Snapshot, question: q.Question) -> bool:
    return known.state(question) is TopicState.REFUSED
