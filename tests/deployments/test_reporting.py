"""Health reports: one page that needs nobody, made once a due time, mailed once a recipient."""

from __future__ import annotations

import re
import smtplib
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail as django_mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from deployments import datasets, health, jobs
from deployments.ingest.errors import Refused
from deployments.models import (
    Dataset,
    Deployment,
    Job,
    JobState,
    ReportMail,
    ReportMailState,
    ReportRun,
    Role,
    ScheduledReport,
)
from deployments.reporting import facts, outbox, page, work
from deployments.rollups import fill
from tests.deployments.api.conftest import client_of, member
from tests.deployments.factories import make_deployment, make_user, send_actuals, send_predictions, send_service
from tests.deployments.killing import kill

NOW = datetime.now(UTC).replace(minute=30, second=0, microsecond=0)
REPORTS = "/api/v2/scheduledReports/"


def filled() -> Deployment:
    """Three days of predictions with actuals and requests, one of which failed."""
    deployment = make_deployment()
    for back in (1, 2, 3):
        at = NOW - timedelta(days=back)
        ids = [f"{back}-{number}" for number in range(40)]
        send_predictions(
            deployment,
            [[1 - number / 40, number / 40] for number in range(40)],
            at=at,
            ids=ids,
            ages=[20.0 + back * number / 2 for number in range(40)],
            received=NOW,
        )
        events = [{"timestamp": at.isoformat(), "numPredictions": 40}] * 9
        send_service(deployment, [*events, {"timestamp": at.isoformat(), "systemError": True}], received=NOW)
        send_actuals(
            deployment, {name: "yes" if number > 15 else "no" for number, name in enumerate(ids)}, received=NOW
        )
    assert fill.run(deployment.pk, NOW)
    health.refresh(deployment.pk, NOW)
    Deployment.objects.filter(pk=deployment.pk).update(label="Flights & <b>more</b>")
    deployment.refresh_from_db()
    return deployment


@pytest.fixture
def deployment(db: None) -> Deployment:
    return filled()


@pytest.fixture
def owner(deployment: Deployment) -> User:
    assert deployment.created_by is not None
    return deployment.created_by


@pytest.fixture
def client(owner: User) -> APIClient:
    return client_of(owner)


def body(deployment: Deployment, **more: Any) -> dict[str, Any]:
    return {
        "name": "Weekly",
        "deploymentIds": [deployment.public_id],
        "recipients": ["ada@example.org", "bob@example.org"],
        "schedule": {"minute": [0], "hour": [7], "dayOfWeek": ["mon"]},
        **more,
    }


def made(client: APIClient, deployment: Deployment, **more: Any) -> ScheduledReport:
    answer = client.post(REPORTS, body(deployment, **more), format="json")
    assert answer.status_code == 201, answer.content
    return ScheduledReport.objects.get(public_id=answer.json()["id"])


class Page(HTMLParser):
    """What a page would ask others for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            asks = name in ("src", "srcset", "data", "poster", "xlink:href") or (name == "href" and tag != "a")
            if asks and value and not value.startswith(("#", "data:")):
                self.asked.append(value)


def test_the_facts_are_those_of_the_states(deployment: Deployment) -> None:
    told = facts.gather(deployment, NOW, 7)
    series = {one.title: one for one in told.series}
    assert told.predictions == 120
    assert [value for value in series["Predictions"].values if value] == [40, 40, 40]
    assert [value for value in series["Server errors of all requests"].values if value is not None] == [0.1] * 3
    assert "PSI of age" in series
    assert any(value is not None for value in series["LogLoss"].values)
    assert {one.area: one.status for one in told.judged}["Service"] in ("failing", "unknown")


def test_the_page_stands_alone_with_charts_in_both_themes(deployment: Deployment) -> None:
    text = page.render("Weekly", [facts.gather(deployment, NOW, 7)], NOW, 7)
    read = Page()
    read.feed(text)
    assert read.asked == []
    assert "script" not in read.tags
    assert "link" not in read.tags
    assert not re.search(r"@import|url\((?!#)", text)
    assert text.count("<figure") * 2 <= read.tags.count("svg")
    assert "Flights &amp; &lt;b&gt;more&lt;/b&gt;" in text
    assert "prefers-color-scheme:dark" in text


def test_without_a_drawer_the_numbers_remain(deployment: Deployment, settings: Any) -> None:
    settings.REPORT_CHARTS = ""
    text = page.render("Weekly", [facts.gather(deployment, NOW, 7)], NOW, 7)
    assert "<svg" not in text
    assert "10.00%" in text


def test_the_worst_deployment_comes_first(deployment: Deployment) -> None:
    calm = make_deployment()
    Deployment.objects.filter(pk=calm.pk).update(label="Calm", health={"service": {"status": "passing"}})
    Deployment.objects.filter(pk=deployment.pk).update(label="Bad", health={"service": {"status": "failing"}})
    rows = Deployment.objects.select_related("champion__package").order_by("-pk")
    text = page.render("Weekly", [facts.gather(row, NOW, 1) for row in rows], NOW, 1)
    assert text.index("<h2>Bad") < text.index("<h2>Calm")


# --- Through the API ----------------------------------------------------------------------------------------------


def test_a_report_on_demand_is_made_kept_and_mailed(deployment: Deployment, client: APIClient) -> None:
    report = made(client, deployment)
    path = f"/api/v2/deployments/{deployment.public_id}/onDemandReports/"
    answer = client.post(path, {"id": report.public_id}, format="json")
    assert answer.status_code == 200
    assert jobs.run(Job.objects.get(kind=work.KIND).pk)
    done = client.get(answer["Location"])
    assert done.status_code == 303
    kept = client.get(done["Location"]).json()
    assert kept["mediaType"] == "text/html"
    file = client.get(f"/api/v2/datasets/{kept['id']}/file/")
    assert b"Weekly" in b"".join(file.streaming_content)  # type: ignore[attr-defined]
    assert outbox.send_due(timezone.now()) == 2
    assert outbox.send_due(timezone.now()) == 0
    assert {message.to[0] for message in django_mail.outbox} == {"ada@example.org", "bob@example.org"}
    attached = django_mail.outbox[0].attachments[0]
    assert attached[2] == "text/html"
    assert "<svg" in str(attached[1])
    runs = client.get(f"{REPORTS}{report.public_id}/runs/").json()["data"]
    assert runs[0]["datasetId"] == kept["id"]
    assert [mail["state"] for mail in runs[0]["mails"]] == ["sent", "sent"]


def test_a_report_is_made_once_a_due_time(deployment: Deployment, client: APIClient) -> None:
    report = made(client, deployment)
    assert report.next_at is not None
    assert not work.run_due(report.next_at - timedelta(minutes=1))
    ScheduledReport.objects.update(next_at=NOW)
    assert work.run_due(NOW) == 1
    assert work.run_due(NOW) == 0
    again = work.start(report, NOW, None)
    assert again.pk == ReportRun.objects.get().job_id
    for _ in range(2):
        jobs.run(again.pk)
    assert (Dataset.objects.filter(media_type=work.HTML).count(), ReportMail.objects.count()) == (1, 2)


def test_reports_are_changed_and_deleted(deployment: Deployment, client: APIClient) -> None:
    report = made(client, deployment)
    one = f"{REPORTS}{report.public_id}/"
    changed = client.patch(one, {"schedule": None, "days": 30, "recipients": []}, format="json").json()
    assert (changed["schedule"], changed["nextAt"], changed["days"], changed["recipients"]) == (None, None, 30, [])
    assert [row["id"] for row in client.get(REPORTS).json()["data"]] == [report.public_id]
    assert client_of(make_user()).get(one).status_code == 404
    assert member(deployment, Role.CONSUMER).get(one).status_code == 200
    assert client.delete(one).status_code == 204
    assert client.get(one).status_code == 404


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"recipients": ["nobody"]}, "recipients[0]"),
        ({"deploymentIds": ["0" * 24]}, "deploymentIds[0]"),
        ({"deploymentIds": []}, "deploymentIds"),
        ({"schedule": {"minute": ["*"]}}, "schedule.minute"),
        ({"days": 91}, "days"),
        ({"name": ""}, "name"),
    ],
)
def test_a_wrong_report_is_refused_by_its_place(
    deployment: Deployment, client: APIClient, change: dict[str, Any], place: str
) -> None:
    refused = client.post(REPORTS, body(deployment, **change), format="json")
    assert (refused.status_code, list(refused.json()["errors"])) == (422, [place])


def test_who_only_reads_a_deployment_makes_no_reports_on_it(deployment: Deployment) -> None:
    refused = member(deployment, Role.CONSUMER).post(REPORTS, body(deployment), format="json")
    assert (refused.status_code, list(refused.json()["errors"])) == (422, ["deploymentIds[0]"])


def test_a_page_is_no_table(deployment: Deployment, client: APIClient) -> None:
    report = made(client, deployment)
    assert jobs.run(work.start(report, NOW, report.created_by).pk)
    with pytest.raises(Refused):
        datasets.read(Dataset.objects.get(media_type=work.HTML))


# --- Mail that meets trouble --------------------------------------------------------------------------------------


@pytest.fixture
def waiting(deployment: Deployment, client: APIClient) -> ReportMail:
    report = made(client, deployment, recipients=["ada@example.org"])
    assert jobs.run(work.start(report, NOW, report.created_by).pk)
    return ReportMail.objects.get()


def failing_with(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: EmailBackend, messages: Any) -> int:
        raise error

    monkeypatch.setattr(EmailBackend, "send_messages", fail)


def test_a_server_that_cannot_be_reached_is_tried_again(waiting: ReportMail, monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()
    with monkeypatch.context() as broken:
        failing_with(ConnectionRefusedError("no"), broken)
        assert outbox.send_due(now) == 0
    waiting.refresh_from_db()
    assert (waiting.state, waiting.attempts) == (ReportMailState.PENDING, 1)
    assert outbox.send_due(now) == 0
    assert outbox.send_due(now + timedelta(minutes=2)) == 1


def test_a_refused_recipient_is_given_up(waiting: ReportMail, monkeypatch: pytest.MonkeyPatch) -> None:
    failing_with(smtplib.SMTPRecipientsRefused({"ada@example.org": (550, b"no")}), monkeypatch)
    assert outbox.send_due(timezone.now()) == 0
    waiting.refresh_from_db()
    assert waiting.state == ReportMailState.FAILED


def test_what_is_in_doubt_goes_out_once_more_under_the_same_id(waiting: ReportMail) -> None:
    now = timezone.now()
    claimed = outbox._claim(now)
    assert claimed is not None
    assert outbox.send_due(now) == 0
    later = now + outbox.CLAIM + timedelta(seconds=1)
    assert outbox.send_due(later) == 1
    assert str(waiting.message_id) in django_mail.outbox[0].extra_headers["Message-ID"]
    ReportMail.objects.update(state=ReportMailState.SENDING, claimed_until=later, doubted=True)
    assert outbox.send_due(later + outbox.CLAIM) == 0
    waiting.refresh_from_db()
    assert waiting.state == ReportMailState.FAILED


WORKER = """
from deployments import jobs
from deployments.reporting import work
stop_after(*{"facts": (work.facts, "gather"), "page": (work.page, "render"), "kept": (work, "_keep")}[sys.argv[1]])
jobs.run(int(sys.argv[2]))
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("moment", ["facts", "page", "kept"])
def test_a_report_killed_in_the_middle_is_made_once(moment: str) -> None:
    deployment = filled()
    assert deployment.created_by is not None
    report = made(client_of(deployment.created_by), deployment)
    job = work.start(report, NOW, deployment.created_by)
    connection.close()
    kill(WORKER, moment, str(job.pk))
    assert jobs.run(job.pk, timezone.now() + jobs.LEASE + timedelta(minutes=1))
    assert Job.objects.get(pk=job.pk).state == JobState.COMPLETED
    assert Dataset.objects.filter(media_type=work.HTML).count() == 1
    assert ReportMail.objects.count() == 2
