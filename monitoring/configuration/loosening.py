"""Which changes let more trouble pass unnoticed: a limit loosened, a feature left out, an area switched off. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from metrics.accuracy import ACCURACY_METRICS
from metrics.wording import plural
from monitoring.clock import parse_duration
from monitoring.configuration.edits import Edit, Payload
from monitoring.configuration.fields import Path, Shape
from monitoring.configuration.values import plain, value_at, words
from monitoring.models import Area, CommandKind, Loosens


@dataclass(frozen=True)
class Loosening:
    """One change that lets more pass. `area`: whose verdict; "" where it is none of them alone."""

    path: Path
    way: Loosens
    words: str
    area: str = ""


AREAS = {
    "dataDrift": Area.DRIFT,
    "accuracy": Area.ACCURACY,
    "service": Area.SERVICE,
    "fairness": Area.FAIRNESS,
    "customMetrics": Area.CUSTOM_METRICS,
    "predictionsTimeliness": Area.PREDICTIONS_TIMELINESS,
    "actualsTimeliness": Area.ACTUALS_TIMELINESS,
    "targetDrift": Area.DRIFT,
    "featureDrift": Area.DRIFT,
    "associationId": Area.ACCURACY,
    "biasAndFairness": Area.FAIRNESS,
}
#: More of it lets more pass; null switches the rule off.
_HIGHER_IS_LOOSER = frozenset({"driftThreshold", "importanceThreshold"})
_LOWER_IS_LOOSER = frozenset({"fairnessThreshold"})


def loosenings(kind: CommandKind, before: Payload, changes: Iterable[Edit]) -> tuple[Loosening, ...]:
    """The changes that loosen, in their order; `before` is the whole answer that they start from."""
    if kind is CommandKind.DETAILS:
        return ()
    found = []
    for change in changes:
        for way, said in _of(change, before):
            found.append(Loosening(change.field.path, way, said, AREAS.get(change.field.path[0], "")))
    return tuple(found)


Found = Iterable[tuple[Loosens, str]]


def _of(change: Edit, before: Payload) -> Found:
    name = change.field.path[-1]
    shape = change.field.shape
    if shape is Shape.SWITCH and name == "enabled":
        return _switched(change)
    if shape is Shape.NAMES:
        return _listed(change)
    if shape is Shape.CONDITIONS:
        return _conditions(change)
    if shape is Shape.DURATION:
        return _later(change)
    if shape is Shape.COUNT:
        return _raised(change, higher=True)
    if change.field.path[0] == "accuracy" and name in ("warningThreshold", "failingThreshold"):
        return _raised(change, higher=_accuracy_is_looser_above(before))
    if name in _HIGHER_IS_LOOSER or name in _LOWER_IS_LOOSER:
        return _raised(change, higher=name in _HIGHER_IS_LOOSER)
    return ()


def _switched(change: Edit) -> Found:
    if change.before and not change.after:
        yield Loosens.OFF, f"{change.field.word}: off. {change.field.off}".strip()


def _listed(change: Edit) -> Found:
    before, after = _names(change.before), _names(change.after)
    name = change.field.path[-1]
    if name == "excludedFeatures" and (more := [one for one in after if one not in before]):
        verb = "is" if len(more) == 1 else "are"
        yield Loosens.EXCLUDED, f"{', '.join(more)} {verb} left out of the verdict: their drift turns nothing red."
    if name == "protectedFeatures" and after and (gone := [one for one in before if one not in after]):
        yield Loosens.EXCLUDED, f"Fairness to {', '.join(gone)} is no longer judged."
    if name in ("protectedFeatures", "columnNames") and before and not after:
        yield Loosens.OFF, f"{change.field.word}: none. {change.field.off}".strip()


def _names(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


def _raised(change: Edit, *, higher: bool) -> Found:
    before, after = _number(change.before), _number(change.after)
    if before is None:
        return
    said = f"{change.field.word}: {words(change.field, change.after)} instead of {plain(change.before)}"
    if after is None:
        yield Loosens.LIMIT, f"{said}; this rule is no longer applied."
    elif after > before if higher else after < before:
        yield Loosens.LIMIT, f"{said}."


def _accuracy_is_looser_above(before: Payload) -> bool:
    """A percentage is looser when larger; so is a value, unless more of the metric is better."""
    if value_at(before, ("accuracy", "measurement")) != "value":
        return True
    metric = ACCURACY_METRICS.get(str(value_at(before, ("accuracy", "metric"))))
    return metric is None or metric.direction.sign < 0


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _later(change: Edit) -> Found:
    try:
        later = parse_duration(str(change.after)) > parse_duration(str(change.before))
    except ValueError:
        later = False
    if later:
        yield Loosens.LIMIT, f"{change.field.word}: {change.after} instead of {change.before}."


def _conditions(change: Edit) -> Found:
    """A condition that is gone, or whose threshold moved to where fewer values meet it."""
    before, after = _by_metric(change.before), _by_metric(change.after)
    gone = [key for key, limits in before.items() if len(after.get(key, [])) < len(limits)]
    if gone:
        yield Loosens.LIMIT, f"{change.field.word}: {plural(len(gone), 'condition')} fewer."
    for (metric, operator), limits in before.items():
        others = after.get((metric, operator), [])
        if not others:
            continue
        was, now = (min(limits), min(others)) if operator.startswith("g") else (max(limits), max(others))
        if now > was if operator.startswith("g") else now < was:
            yield Loosens.LIMIT, f"{change.field.word}: {plain(now)} instead of {plain(was)}."


def _by_metric(value: Any) -> dict[tuple[str, str], list[float]]:
    found: dict[tuple[str, str], list[float]] = {}
    for one in value if isinstance(value, list) else []:
        limit = _number(one.get("threshold")) if isinstance(one, Mapping) else None
        if limit is not None:
            found.setdefault((str(one.get("metricId")), str(one.get("compareOperator"))), []).append(limit)
    return found
