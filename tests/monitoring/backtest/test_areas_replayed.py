"""Fairness and custom metrics under other limits: what the watcher stored of a far side, judged again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from monitoring import backtest
from monitoring.backtest import Past
from monitoring.client import HealthSettings, parse
from monitoring.models import Area, Status, Watched
from monitoring.poll import cycle
from tests.monitoring.factories import NOW, make_source
from tests.monitoring.far_side import FarSide, Remote

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=2)


def past_of(remote: Remote) -> Past:
    """The past that two polls have stored: the first one finds the custom metrics, the next one asks for their days."""
    source, far = make_source(), FarSide(remote)
    cycle.discover(source, NOW, far)
    for now in (NOW, LATER):
        Watched.objects.update(due_at=None, moved_at=now)
        while ids := cycle.claim_due(source, now, 20):
            cycle.poll(source, ids, now, far)
    return backtest.past_of(Watched.objects.get(), LATER)


def condition(operator: str, threshold: float) -> dict[str, Any]:
    one = {"metricId": "id-revenue", "compareOperator": operator, "threshold": threshold}
    return {"customMetrics": {"failingConditions": [one]}}


def test_another_condition_on_a_custom_metric_is_tried_on_every_day_that_has_a_value() -> None:
    past = past_of(Remote("d1", custom={"revenue": 5.0}, health_settings=condition("lt", 4)))
    found = backtest.compare(past, parse(HealthSettings, condition("lt", 6)))
    now, proposed = (one.areas[Area.CUSTOM_METRICS] for one in (found.current, found.proposed))
    assert (len(now.failing_days), len(now.incidents)) == (0, 0)
    assert len(proposed.failing_days) == len(proposed.days) > 25
    assert len(proposed.incidents) == 1
    assert "revenue" in proposed.incidents[0].reason
    assert not proposed.exact


def test_other_counts_of_classes_are_tried_on_the_stored_scores() -> None:
    fair = {"sex": {"male": 1.0, "female": 0.62, "other": 0.9}}
    bias = {"biasAndFairness": {"protectedFeatures": ["sex"], "fairnessThreshold": 0.8}}
    past = past_of(Remote("d1", fairness=fair, settings=bias))
    stricter = {"fairness": {"protectedClassFailingCount": 1, "protectedClassWarningCount": None}}
    found = backtest.compare(past, parse(HealthSettings, stricter))
    now, proposed = (one.areas[Area.FAIRNESS] for one in (found.current, found.proposed))
    assert set(now.days.values()) == {Status.WARNING}
    assert set(proposed.days.values()) == {Status.FAILING}
    assert len(proposed.failing_days) == len(now.warning_days) > 25


def test_an_area_that_nothing_is_stored_of_has_no_replay() -> None:
    past = past_of(Remote("d1"))
    found = backtest.compare(past, parse(HealthSettings, condition("lt", 6)))
    assert Area.CUSTOM_METRICS not in found.proposed.areas
