"""The watcher's client against the real service: whoever changes one side learns here what the other expects."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from django.contrib.auth.models import User

from deployments import registration, registry
from deployments.models import CustomMetric, Deployment, SegmentAttribute
from deployments.registration import PackageSpec
from metrics.accuracy import TargetType
from monitoring import sources
from monitoring.client import Unauthorised, problem_of
from monitoring.models import Area, Source, Status, Topic, TopicState, Watched
from monitoring.poll import cycle
from tests.contract.in_process import InProcess

NOW = datetime(2026, 5, 1, 10, 20, tzinfo=UTC)


def deploy(user: User, kind: TargetType, *, batch: bool = False) -> Deployment:
    classes = {TargetType.BINARY: ["no", "yes"], TargetType.MULTICLASS: ["a", "b", "c"]}.get(kind)
    target = {"name": "target", "type": kind.value} | ({"classNames": classes} if classes else {})
    body = {"name": f"{kind} model", "target": target, "features": [{"name": "x", "type": "Numeric"}]}
    package = registration.register(msgspec.convert(body, PackageSpec), user)
    return registry.create_deployment(package, f"{kind} deployment", user, batch_monitoring=batch)


def poll(source: Source, api: InProcess) -> Watched:
    cycle.discover(source, NOW, api)
    run = cycle.poll(source, cycle.claim_due(source, NOW, 10), NOW, api)
    assert run.failed == 0, run.problem
    return Watched.objects.get()


@pytest.mark.parametrize("kind", list(TargetType))
@pytest.mark.parametrize("batch", [False, True])
def test_every_standing_question_is_answered_in_the_shape_that_the_client_expects(
    user: User, source: Source, api: InProcess, kind: TargetType, batch: bool
) -> None:
    deployment = deploy(user, kind, batch=batch)
    watched = poll(source, api)
    assert (watched.remote_id, watched.target_type) == (deployment.public_id, kind.value)
    odd = Topic.objects.exclude(state=TopicState.OK).values_list("key", "state", "problem")
    assert [row for row in odd if "batchServiceStats" not in row[0]] == []


def test_what_moved_on_the_same_day_is_asked_in_a_period_that_the_service_takes(
    user: User, source: Source, api: InProcess
) -> None:
    deploy(user, TargetType.BINARY)
    watched, later = poll(source, api), NOW + timedelta(minutes=70)
    Watched.objects.update(moved_at=later - timedelta(minutes=1), due_at=None)
    run = cycle.poll(source, [watched.pk], later, api)
    assert (run.asked > 0, run.refused, run.failed) == (True, 0, 0)


def test_a_deployment_without_data_is_grey_and_never_green(user: User, source: Source, api: InProcess) -> None:
    deploy(user, TargetType.BINARY)
    watched = poll(source, api)
    statuses = {area.area: area.status for area in watched.areas.all()}
    assert statuses[Area.SERVICE] == Status.NOT_STARTED
    assert not any(Status(status).is_verdict for status in statuses.values())


def test_an_unknown_token_is_named(source: Source, api: InProcess) -> None:
    source.token = "wrong"
    source.save()
    cycle.discover(source, NOW, api)
    source.refresh_from_db()
    assert source.last_error_kind == Unauthorised.__name__


def test_the_version_is_read(source: Source, api: InProcess) -> None:
    async def ask() -> str:
        async with sources.client_of(source, api) as client:
            return await client.version()

    assert asyncio.run(ask()).startswith("2.")


def test_the_list_entry_fits(user: User, source: Source, api: InProcess) -> None:
    deploy(user, TargetType.REGRESSION)

    async def ask() -> list[dict[str, object]]:
        async with sources.client_of(source, api) as client:
            return await client.deployments()

    entries = asyncio.run(ask())
    assert [problem_of("", entry) for entry in entries] == [""]


def test_the_areas_that_are_switched_on_are_answered_in_the_shape_that_the_client_expects(
    user: User, source: Source, api: InProcess
) -> None:
    deployment = deploy(user, TargetType.BINARY)
    metric = CustomMetric.objects.create(
        deployment=deployment,
        public_id="6" * 24,
        name="saved",
        kind="average",
        directionality="higherIsBetter",
        is_model_specific=False,
    )
    SegmentAttribute.objects.create(deployment=deployment, name="x", since=NOW, protected_since=NOW)
    condition = {"metricId": metric.public_id, "compareOperator": "lt", "threshold": 5}
    every_day = {"enabled": True, "expectedFrequency": "P1D"}
    Deployment.objects.filter(pk=deployment.pk).update(
        settings={
            "associationId": {"columnNames": ["id"]},
            "biasAndFairness": {"protectedFeatures": ["x"]},
            "humility": {"enabled": True},
        },
        health_settings={
            "customMetrics": {"failingConditions": [condition]},
            "predictionsTimeliness": every_day,
            "actualsTimeliness": every_day,
        },
    )
    watched = poll(source, api)
    Watched.objects.update(due_at=None, backfilled_at=None)
    cycle.poll(source, [watched.pk], NOW, api)  # the list of custom metrics is known now
    odd = Topic.objects.exclude(state=TopicState.OK).values_list("key", "state", "problem")
    assert list(odd) == []
    paths = " ".join(Topic.objects.values_list("key", flat=True))
    for path in ("fairnessScoresOverTime/", "humilityStats/", "humilityStatsOverTime/", "customMetricsSummary/"):
        assert path in paths
    assert f"customMetrics/{metric.public_id}/valuesOverTime/" in paths
    found = {area.area: area for area in watched.areas.all()}
    assert found[Area.CUSTOM_METRICS].status == Status.NOT_STARTED
    assert found[Area.FAIRNESS].status in {Status.NOT_STARTED, Status.UNKNOWN}
    assert found[Area.PREDICTIONS_TIMELINESS].status == Status.NOT_STARTED
