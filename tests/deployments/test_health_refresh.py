"""Verdicts that grew old: which deployments, in which portions, and that none keeps another from being judged."""

from __future__ import annotations

from datetime import timedelta

import pytest

from deployments import health, tasks
from deployments.models import Deployment
from tests.deployments.factories import NOW, make_deployment

pytestmark = pytest.mark.django_db


def judged_at(deployment: Deployment) -> object:
    deployment.refresh_from_db()
    return deployment.health_at


def test_the_oldest_verdicts_come_first_and_fresh_ones_not_at_all() -> None:
    fresh, old, older, never = (make_deployment() for _ in range(4))
    for deployment, minutes in ((fresh, 1), (old, 6), (older, 60)):
        Deployment.objects.filter(pk=deployment.pk).update(health_at=NOW - timedelta(minutes=minutes))
    Deployment.objects.filter(pk=never.pk).update(health_at=None)
    assert health.stale(NOW) == [never.pk, older.pk, old.pk]
    assert health.stale(NOW, [old.pk, fresh.pk]) == [old.pk]


def test_deployments_are_judged_in_portions_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "JUDGED_TOGETHER", 2)
    made = [make_deployment().pk for _ in range(5)]
    Deployment.objects.update(health_at=None)
    portions = health.portions(NOW)
    assert [len(pks) for pks in portions] == [2, 2, 1]
    assert sorted(pk for pks in portions for pk in pks) == made
    for pks in portions:
        health.refresh_stale(pks, NOW)
    assert health.portions(NOW) == []


def test_a_deployment_that_cannot_be_judged_keeps_no_other_from_it(caplog: pytest.LogCaptureFixture) -> None:
    broken, whole = make_deployment(), make_deployment()
    Deployment.objects.filter(pk=broken.pk).update(health_settings={"dataDrift": "none"}, health_at=None)
    Deployment.objects.filter(pk=whole.pk).update(health_at=None)
    health.refresh_stale([broken.pk, whole.pk], NOW)
    assert (judged_at(broken), judged_at(whole)) == (None, NOW)
    assert f"Deployment {broken.pk} could not be judged." in caplog.text


def test_a_task_that_comes_twice_judges_once() -> None:
    deployment = make_deployment()
    Deployment.objects.update(health_at=None)
    tasks.judge([deployment.pk])
    first = judged_at(deployment)
    tasks.judge([deployment.pk])
    assert first is not None
    assert judged_at(deployment) == first
