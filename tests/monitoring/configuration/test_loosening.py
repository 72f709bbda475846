"""Which changes let more pass: the rule is the table."""

from __future__ import annotations

from typing import Any

import pytest

from monitoring.configuration.edits import differences
from monitoring.configuration.loosening import loosenings
from monitoring.models import CommandKind, Loosens

HEALTH, SETTINGS = CommandKind.HEALTH_SETTINGS, CommandKind.SETTINGS
AUC = {"metric": "AUC", "measurement": "value"}
LOSS = {"metric": "LogLoss", "measurement": "value"}


def drift(**fields: Any) -> dict[str, Any]:
    return {"dataDrift": {"driftThreshold": 0.15, "highImportanceFailingCount": 1, **fields}}


def one(path: str, value: Any) -> dict[str, Any]:
    """A payload with one value: "fairness.protectedClassFailingCount"."""
    group, name = path.split(".")
    return {group: {name: value}}


def accuracy(limit: float | None, **fields: Any) -> dict[str, Any]:
    return {"accuracy": {"measurement": "percent", "metric": "AUC", "failingThreshold": limit, **fields}}


def custom(operator: str, *limits: float) -> dict[str, Any]:
    rows = [{"metricId": "m", "compareOperator": operator, "threshold": limit} for limit in limits]
    return {"customMetrics": {"failingConditions": rows}}


def both(kind: CommandKind, path: str, before: Any, after: Any, way: Loosens | None) -> list[tuple[Any, ...]]:
    """The row for a change of one value."""
    return [(kind, one(path, before), one(path, after), way)]


@pytest.mark.parametrize(
    ("kind", "before", "after", "way"),
    [
        # A higher limit of drift lets more pass, a lower one less.
        (HEALTH, drift(), drift(driftThreshold=0.2), Loosens.LIMIT),
        (HEALTH, drift(), drift(driftThreshold=0.1), None),
        # More features are needed, or the rule is gone; a rule that was off can only tighten.
        (HEALTH, drift(), drift(highImportanceFailingCount=2), Loosens.LIMIT),
        (HEALTH, drift(), drift(highImportanceFailingCount=None), Loosens.LIMIT),
        (HEALTH, drift(), drift(lowImportanceFailingCount=9), None),
        # A feature left out; taking one back in tightens; a star changes no limit.
        (HEALTH, drift(), drift(excludedFeatures=["age"]), Loosens.EXCLUDED),
        (HEALTH, drift(excludedFeatures=["age"]), drift(excludedFeatures=[]), None),
        (HEALTH, drift(), drift(starredFeatures=["age"]), None),
        # A percentage is looser when larger; a value by the direction of its metric.
        (HEALTH, accuracy(10), accuracy(12), Loosens.LIMIT),
        (HEALTH, accuracy(10), accuracy(None), Loosens.LIMIT),
        (HEALTH, accuracy(10), accuracy(8), None),
        (HEALTH, accuracy(0.8, **AUC), accuracy(0.7, **AUC), Loosens.LIMIT),
        (HEALTH, accuracy(0.8, **AUC), accuracy(0.9, **AUC), None),
        (HEALTH, accuracy(0.4, **LOSS), accuracy(0.5, **LOSS), Loosens.LIMIT),
        (HEALTH, accuracy(0.4, **LOSS), accuracy(0.3, **LOSS), None),
        # Conditions: one fewer, or a threshold that fewer values meet.
        (HEALTH, custom("lt", 5, 3), custom("lt", 5), Loosens.LIMIT),
        (HEALTH, custom("lt", 5), custom("lt", 4), Loosens.LIMIT),
        (HEALTH, custom("gt", 5), custom("gt", 6), Loosens.LIMIT),
        (HEALTH, custom("gt", 5), custom("gt", 4), None),
        # Timeliness: off, or expected less often.
        *both(HEALTH, "predictionsTimeliness.enabled", True, False, Loosens.OFF),
        *both(HEALTH, "actualsTimeliness.expectedFrequency", "P1D", "P7D", Loosens.LIMIT),
        *both(HEALTH, "fairness.protectedClassFailingCount", 2, 3, Loosens.LIMIT),
        # Areas that are switched off at the source.
        *both(SETTINGS, "featureDrift.enabled", True, False, Loosens.OFF),
        *both(SETTINGS, "featureDrift.enabled", False, True, None),
        *both(SETTINGS, "associationId.columnNames", ["id"], [], Loosens.OFF),
        *both(SETTINGS, "biasAndFairness.protectedFeatures", ["sex", "age"], ["sex"], Loosens.EXCLUDED),
        *both(SETTINGS, "biasAndFairness.protectedFeatures", ["sex"], [], Loosens.OFF),
        *both(SETTINGS, "biasAndFairness.fairnessThreshold", 0.8, 0.7, Loosens.LIMIT),
        (CommandKind.DETAILS, {"label": "a"}, {"label": "b"}, None),
    ],
)
def test_the_table_of_what_loosens(
    kind: CommandKind, before: dict[str, Any], after: dict[str, Any], way: Loosens | None
) -> None:
    found = loosenings(kind, before, differences(kind, before, after))
    assert [one.way for one in found] == ([] if way is None else [way])
    assert all(one.words for one in found)


def test_a_change_and_its_reverse_never_both_loosen() -> None:
    for before, after in (
        (drift(), drift(driftThreshold=0.3)),
        (custom("lt", 5), custom("lt", 4)),
        (accuracy(5), accuracy(9)),
    ):
        there = loosenings(HEALTH, before, differences(HEALTH, before, after))
        back = loosenings(HEALTH, after, differences(HEALTH, after, before))
        assert bool(there) != bool(back)
