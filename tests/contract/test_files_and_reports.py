"""Files, jobs, parameters, secondary datasets and reports: from a form to what stands at the real service."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from deployments import jobs
from deployments.models import (
    CustomJob,
    CustomMetric,
    Dataset,
    IngestRequest,
    Job,
    ModelPackage,
    ReportRun,
    RetrainingPolicy,
    RuntimeValue,
    ScheduledMetric,
    ScheduledReport,
    SecondaryConfiguration,
    SecondaryUse,
)
from deployments.runtime import Definition
from monitoring import commands
from monitoring.commands import files
from monitoring.models import Command, CommandKind, WorkState
from tests.contract.test_acts import Desk, api, desk

__all__ = ["api", "desk"]


def csv(text: str, name: str = "rows.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, text.encode(), "text/csv")


def predicted(rows: int = 3) -> SimpleUploadedFile:
    """Predictions of the desk's model."""
    hour = (timezone.now() - timedelta(hours=5)).strftime("%Y-%m-%dT%H:00:00Z")
    lines = [f"{hour},a{number},{number},0.25,0.75" for number in range(rows)]
    return csv("\n".join(["timestamp,associationId,x,no,yes", *lines, ""]))


def failed(desk: Desk) -> Command:
    """The last command, worked at until its job has failed."""
    command = Command.objects.latest("pk")
    for _ in range(4):
        desk.now += timedelta(seconds=40)
        commands.run_due(desk.now, transport=desk.api)
        for job in Job.objects.filter(state="INITIALIZED"):
            jobs.run(job.pk)
    command.refresh_from_db()
    return command


def kept() -> list[str]:
    return default_storage.listdir(files.HOME)[1] if default_storage.exists(files.HOME) else []


def taken_in() -> QuerySet[IngestRequest]:
    return IngestRequest.objects.order_by("pk")


def test_predictions_and_then_actuals_come_from_files(desk: Desk) -> None:
    before = kept()
    command = desk.do(CommandKind.PREDICTIONS_DATASET, file=predicted())
    assert command.body.keys() == {"datasetId"}
    assert Dataset.objects.get(public_id=command.body["datasetId"]).row_count == 3
    assert taken_in().get().rows == 3
    actuals = csv("flight,was late\na0,yes\na1,no\n", "actuals.csv")
    columns = {"association_column": "flight", "value_column": "was late", "keep": "on"}
    desk.do(CommandKind.ACTUALS_DATASET, file=actuals, **columns)
    assert [row.rows for row in taken_in()] == [3, 2]
    assert kept() == before


def test_a_dataset_that_the_source_has_is_sent_without_a_file(desk: Desk) -> None:
    first = desk.do(CommandKind.PREDICTIONS_DATASET, file=predicted())
    command = desk.do(CommandKind.PREDICTIONS_DATASET, dataset=first.body["datasetId"])
    assert command.body == first.body
    assert Dataset.objects.count() == 1


def test_what_is_wrong_in_a_file_is_told_by_line_and_nothing_is_taken_in(desk: Desk) -> None:
    desk.do(CommandKind.PREDICTIONS_DATASET, file=predicted())
    rows = csv("associationId,actualValue\na0,yes\na1,perhaps\na2,never\n")
    columns = {"association_column": "associationId", "value_column": "actualValue"}
    assert desk.post(CommandKind.ACTUALS_DATASET, file=rows, **columns).status_code == 302
    command = failed(desk)
    assert command.state == WorkState.FAILED
    assert taken_in().count() == 1
    page = desk.see()
    assert "2 places are wrong" in page
    for line in (3, 4):
        assert f"line {line}, actualValue" in page


def test_a_file_whose_upload_was_cut_off_is_sent_again_and_one_that_is_gone_is_said(desk: Desk) -> None:
    assert desk.post(CommandKind.PREDICTIONS_DATASET, file=predicted()).status_code == 302
    command = Command.objects.get()
    default_storage.delete(files.path_of(command.key))
    assert failed(desk).problem == "The file is no longer here: choose it again."
    assert "Ask again" not in desk.see()


def test_a_metric_works_itself_out_and_takes_values_from_a_file(desk: Desk) -> None:
    desk.client.get(desk.url(CommandKind.METRIC_FROM_JOB))
    desk.answer()
    form = desk.client.get(desk.url(CommandKind.METRIC_FROM_JOB)).content.decode()
    assert "Missing rate: The share of missing values" in form
    job = CustomJob.objects.get(built_in="missingRate").public_id
    desk.do(CommandKind.METRIC_FROM_JOB, job=job, name="Missing", hour="6", minute="10", baseline="0.1")
    scheduled = ScheduledMetric.objects.select_related("metric").get()
    assert (scheduled.metric.name, scheduled.metric.baseline_values) == ("Missing", [0.1])
    assert (scheduled.schedule["minute"], scheduled.schedule["hour"]) == ([10], [6])
    desk.see()
    desk.do(CommandKind.METRIC_JOB_RUN, scheduled.metric.public_id)
    hour = (timezone.now() - timedelta(hours=3)).strftime("%Y-%m-%dT%H:00:00Z")
    metric = {"name": "Saved", "type": "sum", "directionality": "higherIsBetter"}
    desk.do(CommandKind.METRIC_CREATE, **metric)
    saved = CustomMetric.objects.get(name="Saved")
    rows = csv(f"hour,minutes\n{hour},5\n{hour},7\n")
    columns = {"value_column": "minutes", "time_column": "hour"}
    desk.do(CommandKind.METRIC_DATASET, saved.public_id, file=rows, **columns)
    assert taken_in().latest("pk").rows == 2


def test_runtime_parameters_are_set_taken_back_and_not_set_over_somebody_else(desk: Desk) -> None:
    wanted = [
        {"fieldName": "retries", "type": "numeric", "defaultValue": 3, "minValue": 0, "maxValue": 10},
        {"fieldName": "strict", "type": "boolean", "defaultValue": False},
        {"fieldName": "key", "type": "credential"},
    ]
    rows = msgspec.to_builtins(msgspec.convert(wanted, list[Definition]))
    ModelPackage.objects.update(runtime_parameters=rows)
    assert "retries" in desk.see()
    far = desk.post(CommandKind.RUNTIME, p_retries="11")
    assert "less than or equal to 10" in far.content.decode()
    desk.do(CommandKind.RUNTIME, p_retries="5", p_strict="true", p_key="hunter2")
    values = {row.name: row.value for row in RuntimeValue.objects.all()}
    assert (values["retries"], values["strict"], values["key"]) == (5, True, None)
    desk.do(CommandKind.RUNTIME, p_retries="", p_strict="", back_p_key="on")
    assert not RuntimeValue.objects.exists()
    desk.see()
    RuntimeValue.objects.create(deployment=desk.deployment, name="retries", kind="numeric", value=7)
    assert desk.post(CommandKind.RUNTIME, p_retries="9").status_code == 302
    command = failed(desk)
    assert command.state == WorkState.CONFLICT
    page = desk.see()
    assert "Decide again" in page
    assert RuntimeValue.objects.get().value == 7


def test_a_set_of_secondary_datasets_is_made_used_and_deleted(desk: Desk) -> None:
    dataset = desk.do(CommandKind.PREDICTIONS_DATASET, file=predicted()).body["datasetId"]
    half = desk.post(CommandKind.SECONDARY_CREATE, name="Winter", identifier1="weather", identifier2="airports")
    assert "A name and a dataset go together" in half.content.decode() or "required" in half.content.decode()
    for name in ("Winter", "Summer"):
        desk.do(CommandKind.SECONDARY_CREATE, name=name, identifier1="weather", dataset1=dataset, policy1="specified")
    winter = SecondaryConfiguration.objects.get(name="Winter")
    assert winter.datasets[0]["catalogId"] == dataset
    desk.see()
    desk.do(CommandKind.SECONDARY_USE, winter.public_id)
    assert SecondaryUse.objects.get().configuration == winter
    assert "in use" in desk.see()
    summer = SecondaryConfiguration.objects.get(name="Summer")
    desk.do(CommandKind.SECONDARY_DELETE, summer.public_id, typed="Summer")
    summer.refresh_from_db()
    assert summer.is_deleted


def test_a_report_is_made_changed_run_shown_with_its_page_and_deleted(desk: Desk) -> None:
    form = {"name": "Weekly", "days": "7", "when": "schedule", "day": "1", "hour": "6", "enabled": "on"}
    wrong = desk.post(CommandKind.REPORT_CREATE, **form, recipients="ada@example.org\nnobody")
    assert "nobody is no e-mail address." in wrong.content.decode()
    desk.do(CommandKind.REPORT_CREATE, **form, recipients="ada@example.org")
    row = ScheduledReport.objects.get()
    assert (row.name, row.recipients, row.days) == ("Weekly", ["ada@example.org"], 7)
    assert list(row.deployments.all()) == [desk.deployment]
    assert row.schedule["dayOfWeek"] == [1]
    assert "every Monday at 06:00 UTC" in desk.see()
    desk.do(CommandKind.REPORT_UPDATE, row.public_id, **{**form, "when": "demand", "days": "14", "recipients": ""})
    row.refresh_from_db()
    assert (row.schedule, row.days, row.recipients) == ({}, 14, [])
    desk.do(CommandKind.REPORT_RUN, row.public_id)
    made = ReportRun.objects.get().dataset
    assert made is not None
    desk.see()
    page = desk.see()
    assert reverse("download", args=[desk.watched.pk, "reports", made.public_id]) in page
    desk.do(CommandKind.REPORT_DELETE, row.public_id, typed="Weekly")
    assert not ScheduledReport.objects.exists()


def test_a_policy_has_a_metric_and_parts_of_its_own_and_goes_back_to_the_usual_ones(desk: Desk) -> None:
    form = {
        "name": "Mondays",
        "cause": "manual",
        "day": "*",
        "hour": "6",
        "action": "create_challenger",
        "features": "informative_features",
        "selection": "autopilot_recommended",
        "mode": "quick",
        "own": "override_champion",
        "metric": "AUC",
        "partition": "StratifiedCV",
        "validation": "CV",
        "reps": "4",
    }
    desk.do(CommandKind.POLICY_CREATE, **form, holdout_pct="20", actuals="on", blend="on")
    row = RetrainingPolicy.objects.get()
    kept = row.options["projectOptions"]
    assert (kept["metric"], kept["cvMethod"], kept["reps"], kept["holdoutPct"]) == ("AUC", "StratifiedCV", 4, 20.0)
    assert (row.options["useActuals"], row.options["autopilotOptions"]["blendBestModels"]) == (True, False)
    desk.see()
    usual = {**form, "own": "same_as_champion", "metric": "", "reps": "4"}
    desk.do(CommandKind.POLICY_UPDATE, row.public_id, **usual)
    row.refresh_from_db()
    assert (row.options["projectOptionsStrategy"], row.options["useActuals"]) == ("same_as_champion", False)
    assert row.options.get("projectOptions", {}).get("metric") is None


@pytest.mark.parametrize("file_id", ["0" * 24, "program"])
def test_only_pages_of_its_own_reports_come_through_a_deployment(desk: Desk, file_id: str) -> None:
    desk.see()
    assert desk.client.get(reverse("download", args=[desk.watched.pk, "reports", file_id])).status_code == 404
