"""What is deleted when, and what outlives it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.files.base import ContentFile

from deployments import partitions, retention
from deployments.ingest.errors import Refused
from deployments.models import (
    ActualBlock,
    AuditEntry,
    Block,
    Dataset,
    PredictionKey,
    ReportMail,
    ReportRun,
    ScheduledReport,
    State,
)
from deployments.rollups.read import Scope, predictions_over
from tests.deployments.factories import HOUR, NOW, make_deployment, roll_up, send_actuals, send_predictions

pytestmark = pytest.mark.django_db


def test_rows_go_and_states_stay() -> None:
    deployment = make_deployment()
    send_predictions(deployment, [0.1, 0.2], at=[HOUR, HOUR - timedelta(days=20)], ids=["new", "old"])
    send_actuals(deployment, {"new": "yes", "old": "yes"})
    roll_up(deployment)
    retention.prune(NOW + timedelta(days=75))
    mine = {"deployment_id": deployment.pk}
    assert [block.day for block in Block.objects.filter(**mine)] == [HOUR.date()]
    assert ActualBlock.objects.filter(**mine).count() == 1
    assert PredictionKey.objects.filter(**mine).count() == 1
    assert deployment.champion is not None
    month = (HOUR - timedelta(days=30), HOUR + timedelta(hours=1))
    assert predictions_over(Scope(deployment, deployment.champion), [month])[0].n_rows == 2


def test_an_actual_for_a_pruned_hour_is_refused_and_counted() -> None:
    deployment = make_deployment()
    send_predictions(deployment, [0.1], ids=["a"])
    roll_up(deployment)
    late = NOW + timedelta(days=200)
    retention.prune(late)
    send_actuals(deployment, {"a": "yes"}, keep=False, received=late)
    roll_up(deployment)
    assert deployment.ingest_requests.get(kind=2).refused == 1


def test_a_deployment_can_keep_its_rows_longer() -> None:
    deployment = make_deployment(keep_rows_days=400)
    send_predictions(deployment, [0.1], at=HOUR - timedelta(days=300))
    retention.prune(NOW)
    assert Block.objects.filter(deployment_id=deployment.pk).count() == 1


def test_rows_older_than_what_is_kept_are_refused() -> None:
    with pytest.raises(Refused, match="no longer kept"):
        send_predictions(make_deployment(), [0.1], at=HOUR - timedelta(days=300))


def test_old_states_go_by_their_grain(settings: Any) -> None:
    deployment = make_deployment()
    send_predictions(deployment, [0.1])
    roll_up(deployment)
    grains = State.objects.filter(deployment_id=deployment.pk).values_list("grain", flat=True)
    assert set(grains) == {1, 2}
    retention.prune(NOW + timedelta(days=settings.RETENTION_HOURS_DAYS + 2))
    assert set(grains.all()) == {2}
    retention.prune(NOW + timedelta(days=settings.RETENTION_DAYS_DAYS + 2))
    assert not grains.all()


def test_months_are_made_when_needed_and_dropped_when_empty_for_ever() -> None:
    partitions.ensure([date(1999, 12, 31), date(2000, 1, 1)])
    partitions.ensure([date(2000, 1, 15)])
    months = partitions.months("deployments_block")
    assert date(1999, 12, 1) in months
    assert date(2000, 1, 1) in months
    retention.prune(NOW)
    assert date(2000, 1, 1) not in partitions.months("deployments_block")


def test_settings_that_contradict_one_another_stop_the_start(settings: Any) -> None:
    settings.RETENTION_HOURS_DAYS = settings.RETENTION_DAYS_DAYS + 1
    settings.MAX_FILE_ROWS = settings.MAX_JSON_ROWS - 1
    assert {"deployments.E001", "deployments.E002"} <= {message.id for message in run_checks()}


def test_who_changed_what_goes_after_two_years_in_steps(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setattr(retention, "CHUNK", 2)
    deployment = make_deployment()
    made = [AuditEntry.objects.create(deployment=deployment, action="settings") for _ in range(5)]
    AuditEntry.objects.exclude(pk=made[0].pk).update(at=NOW - timedelta(days=settings.RETENTION_AUDIT_DAYS + 1))
    AuditEntry.objects.filter(pk=made[0].pk).update(at=NOW)
    retention.prune(NOW)
    assert list(AuditEntry.objects.all()) == [made[0]]


def test_reports_that_were_sent_go_with_their_files_and_the_newest_stays(settings: Any) -> None:
    report = ScheduledReport.objects.create(name="Weekly")
    runs = []
    for days, state in ((900, "sent"), (800, "pending"), (700, "sent"), (1, "sent")):
        dataset = Dataset(name="page", media_type="text/html", size=3, row_count=0)
        dataset.file.save("page.html", ContentFile(b"<p>"), save=True)
        run = ReportRun.objects.create(report=report, due_at=NOW - timedelta(days=days), dataset=dataset)
        ReportMail.objects.create(run=run, recipient="ines@example.org", state=state)
        runs.append(run)
    retention.prune(NOW)
    assert [run.pk for run in ReportRun.objects.order_by("due_at")] == [runs[1].pk, runs[3].pk]
    assert Dataset.objects.filter(pk__in=[run.dataset_id for run in runs]).count() == 2
    retention.prune(NOW + timedelta(days=3650))
    assert [run.pk for run in ReportRun.objects.order_by("due_at")] == [runs[1].pk, runs[3].pk]
