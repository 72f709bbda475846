"""The service's figures for operation, against what was sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from deployments import gauges
from deployments.models import IngestRequest, Job, JobState
from tests.deployments.factories import NOW, make_deployment, roll_up, send_predictions

pytestmark = pytest.mark.django_db


def told(now: datetime) -> dict[str, float]:
    """Figures without labels by name, the others by name and their first label."""
    return {
        f"{name}:{labels[0][1]}" if labels else name: value
        for name, _, samples in gauges.read(now)
        for labels, value in samples
    }


def test_what_comes_in_is_counted_by_the_second_and_waits_until_it_is_rolled_up() -> None:
    deployment = make_deployment()
    send_predictions(deployment, [[0.4, 0.6]] * 30)
    IngestRequest.objects.update(received_at=datetime.now(UTC) - timedelta(minutes=1))
    now = datetime.now(UTC)
    rows = IngestRequest.objects.get().rows
    before = told(now)
    assert before["vitals_deployments"] == 1
    assert before["vitals_ingest_rows_per_second"] == pytest.approx(rows / 300)
    assert before["vitals_ingest_requests_per_second"] == pytest.approx(1 / 300)
    assert before["vitals_rollup_pending_blocks"] > 0
    assert before["vitals_rollup_lag_seconds"] >= 0
    roll_up(deployment)
    after = told(now)
    assert after["vitals_rollup_pending_blocks"] == 0
    assert after["vitals_rollup_dirty_buckets"] == 0
    assert after["vitals_rollup_lag_seconds"] == 0


def test_the_lag_is_that_of_the_oldest_block_also_where_not_all_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    deployment = make_deployment()
    for hours in (1, 3, 2):
        send_predictions(deployment, [[0.4, 0.6]] * hours, received=NOW - timedelta(hours=hours))
    monkeypatch.setattr(gauges, "COUNTED", 1)
    found = told(NOW)
    assert found["vitals_rollup_pending_blocks"] == 1
    assert found["vitals_rollup_lag_seconds"] == pytest.approx(3 * 3600)


def test_what_came_long_ago_is_no_rate() -> None:
    send_predictions(make_deployment(), [[0.4, 0.6]] * 3)
    assert told(datetime.now(UTC) + timedelta(hours=1))["vitals_ingest_rows_per_second"] == 0


def test_jobs_are_counted_by_what_they_do() -> None:
    now = datetime.now(UTC)
    for state, finished in (
        (JobState.INITIALIZED, None),
        (JobState.RUNNING, None),
        (JobState.ERROR, now - timedelta(hours=1)),
        (JobState.ERROR, now - timedelta(days=3)),
        (JobState.COMPLETED, now),
    ):
        Job.objects.create(kind="export", state=state, finished_at=finished)
    Job.objects.filter(state=JobState.INITIALIZED).update(created_at=now - timedelta(minutes=10))
    found = told(now)
    assert (found["vitals_jobs:waiting"], found["vitals_jobs:running"], found["vitals_jobs:failed"]) == (1, 1, 1)
    assert found["vitals_jobs_oldest_waiting_seconds"] == pytest.approx(600, abs=1)
