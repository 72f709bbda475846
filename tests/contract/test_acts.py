"""From a form on a page to the real service: what a person fills in is what stands there afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from dashboard.acting import new_nonce
from deployments import humility, jobs, registration, registry
from deployments.api.authentication import issue
from deployments.models import (
    Challenger,
    CustomMetric,
    DataExport,
    Deployment,
    DeploymentRole,
    Job,
    MonitoringBatch,
    RetrainingPolicy,
)
from deployments.registration import PackageSpec
from monitoring import commands
from monitoring.models import (
    Command,
    CommandKind,
    Membership,
    PendingQuestion,
    Role,
    Source,
    Team,
    Topic,
    Watched,
    WorkState,
)
from monitoring.poll import cycle, pending
from tests.contract.in_process import InProcess
from tests.dashboard.hidden import carried

SCORED = "https://models.example.org/score"
#: The form of a retraining policy that runs on Mondays at four.
POLICY = {
    "name": "Mondays",
    "cause": "schedule",
    "day": "1",
    "hour": "4",
    "action": "create_challenger",
    "features": "informative_features",
    "selection": "autopilot_recommended",
    "mode": "quick",
}


@dataclass
class Desk:
    """A manager at a page, the source behind it, and the worker between them."""

    client: Client
    user: User
    source: Source
    deployment: Deployment
    api: InProcess
    now: datetime

    @property
    def watched(self) -> Watched:
        return Watched.objects.get()

    def url(self, kind: CommandKind, thing: str = "", **more: str) -> str:
        query = urlencode(more | ({"thing": thing} if thing else {}))
        return reverse("act-on", args=[self.watched.pk, kind.value]) + (f"?{query}" if query else "")

    def answer(self) -> None:
        """What pages asked for is fetched."""
        pending.answer_pending(self.source, timezone.now(), transport=self.api)

    def see(self, name: str = "manage") -> str:
        """A page once everything that it asks for has come."""
        url = reverse(name, args=[self.watched.pk])
        self.client.get(url)
        self.answer()
        return self.client.get(url).content.decode()

    def post(self, kind: CommandKind, thing: str = "", /, **form: Any) -> Any:
        """Opens the form, lets come what it asks for, fills it in."""
        url = self.url(kind, thing)
        self.client.get(url)
        self.answer()
        return self.send(url, self.show(url), **form)

    def show(self, url: str) -> dict[str, str]:
        """What the form at an address carries."""
        return carried(self.client, url)

    def send(self, url: str, shown: dict[str, str], /, **form: Any) -> Any:
        """The filled form, as it was shown."""
        return self.client.post(url, shown | {"nonce": new_nonce(self.user), **form})

    def work(self) -> None:
        """The worker carries out what waits."""
        self.now += timedelta(minutes=10)
        commands.run_due(self.now, transport=self.api)

    def do(self, kind: CommandKind, thing: str = "", /, **form: Any) -> Command:
        """Posts the form, and works until the command is over."""
        response = self.post(kind, thing, **form)
        assert response.status_code == 302, response.content.decode()
        command = Command.objects.latest("pk")
        for _ in range(6):
            self.now += timedelta(seconds=40)
            commands.run_due(self.now, transport=self.api)
            for job in Job.objects.filter(state="INITIALIZED"):
                jobs.run(job.pk)
            command.refresh_from_db()
            if command.state not in commands.OPEN_STATES:
                break
        assert command.state == WorkState.DONE, command.problem
        return command


@pytest.fixture
def api(transactional_db: None) -> Iterator[InProcess]:
    running = InProcess()
    yield running
    running.stop()


def package(user: User, name: str) -> Any:
    target = {"name": "late", "type": "Binary", "classNames": ["no", "yes"]}
    body = {
        "name": name,
        "target": target,
        "features": [{"name": "x", "type": "Numeric"}],
        "scoringAddress": {"url": SCORED, "modelName": "late"},
    }
    return registration.register(msgspec.convert(body, PackageSpec), user)


@pytest.fixture
def desk(user: User, source: Source, api: InProcess) -> Desk:
    made = registry.create_deployment(package(user, "Late, January"), "Late flights", user, batch_monitoring=True)
    Deployment.objects.filter(pk=made.pk).update(settings={"challengerModels": {"enabled": True}})
    Membership.objects.create(team=Team.objects.get(), user=user, role=Role.MANAGER)
    cycle.discover(source, timezone.now(), api)
    client = Client()
    client.force_login(user)
    return Desk(client, user, source, made, api, timezone.now())


def test_a_batch_is_made_changed_locked_and_deleted_from_the_page(desk: Desk) -> None:
    desk.do(CommandKind.BATCH_CREATE, batch_name="January", description="First", context="https://jobs.example.org/1")
    row = MonitoringBatch.objects.get()
    assert (row.name, row.description, row.external_context_url) == ("January", "First", "https://jobs.example.org/1")
    page = desk.see()
    for word in ("January", "Lock", "New batch"):
        assert word in page
    desk.do(CommandKind.BATCH_UPDATE, row.public_id, batch_name="Jan", description="", context="")
    desk.do(CommandKind.BATCH_LOCK, row.public_id)
    row.refresh_from_db()
    assert (row.name, row.description, row.is_locked) == ("Jan", "", True)
    desk.do(CommandKind.BATCH_UNLOCK, row.public_id)
    desk.do(CommandKind.BATCH_DELETE, row.public_id, typed="Jan")
    assert not MonitoringBatch.objects.exists()


def test_what_cannot_be_undone_needs_its_name_typed(desk: Desk) -> None:
    desk.do(CommandKind.BATCH_CREATE, batch_name="January")
    pk = MonitoringBatch.objects.get().public_id
    response = desk.post(CommandKind.BATCH_DELETE, pk, typed="Januar")
    assert response.status_code == 200
    page = response.content.decode()
    assert "This is not its name" in page
    assert "It cannot be undone" in page
    assert Command.objects.filter(kind=CommandKind.BATCH_DELETE).count() == 0


def test_a_custom_metric_is_made_with_all_its_fields_fed_changed_and_deleted(desk: Desk) -> None:
    form = {
        "name": "Minutes saved",
        "type": "sum",
        "directionality": "higherIsBetter",
        "units": "min",
        "description": "Waiting spared",
        "baseline": "120",
        "display_chart": "on",
        "value_column": "saved",
        "time_column": "hour",
        "time_format": "%m/%d/%Y %H:%M",
    }
    desk.do(CommandKind.METRIC_CREATE, **form)
    row = CustomMetric.objects.get()
    assert (row.name, row.kind, row.units, row.baseline_values) == ("Minutes saved", "sum", "min", [120.0])
    assert (row.value_column, row.timestamp_column, row.timestamp_format) == ("saved", "hour", "%m/%d/%Y %H:%M")
    assert row.is_model_specific is False
    hour = (timezone.now() - timedelta(hours=3)).strftime("%Y-%m-%dT%H:00:00Z")
    desk.do(CommandKind.METRIC_VALUES, row.public_id, rows=f"{hour}, 5, 2\n{hour}, 7\n")
    change = {**form, "name": "Saved", "baseline": "", "value_column": "", "time_column": "", "time_format": ""}
    desk.do(CommandKind.METRIC_UPDATE, row.public_id, **change)
    row.refresh_from_db()
    assert (row.name, row.baseline_values, row.value_column, row.timestamp_column) == ("Saved", [], "", "")
    desk.do(CommandKind.METRIC_DELETE, row.public_id, typed="Saved")
    assert not CustomMetric.objects.exists()


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ("yesterday, 5", "Line 1: &#x27;yesterday&#x27; is not a time"),
        ("2026-01-05T09:00:00Z, five", "is not a number"),
        ("2026-01-05T09:00:00Z, inf", "must be finite"),
        ("2026-01-05T09:00:00Z", "a time, a value"),
        ("2026-01-05T09:00:00Z, 5, 0", "whole number from 1 on"),
    ],
)
def test_values_that_cannot_be_read_are_named_by_their_line(desk: Desk, rows: str, told: str) -> None:
    form = {"name": "Saved", "type": "sum", "directionality": "higherIsBetter"}
    desk.do(CommandKind.METRIC_CREATE, **form)
    response = desk.post(CommandKind.METRIC_VALUES, CustomMetric.objects.get().public_id, rows=rows)
    assert response.status_code == 200
    assert told in response.content.decode()


def test_a_humility_rule_is_made_changed_and_removed(desk: Desk) -> None:
    rule = {"name": "Unsure", "trigger": "uncertainPrediction", "lower": "0.4", "upper": "0.6", "action": "noOperation"}
    desk.do(CommandKind.RULE_CREATE, **rule)
    row = humility.rules_of(desk.deployment).get()
    assert (row.name, row.trigger, row.lower, row.upper, row.action) == (
        "Unsure",
        "uncertainPrediction",
        0.4,
        0.6,
        "noOperation",
    )
    assert "prediction between 0.4" in desk.see()
    changed = {**rule, "trigger": "outlyingInput", "feature": "x", "lower": "-1", "upper": "1", "action": "throwError"}
    desk.do(CommandKind.RULE_UPDATE, row.public_id, **changed)
    row.refresh_from_db()
    assert (row.trigger, row.feature, row.lower, row.action) == ("outlyingInput", "x", -1.0, "throwError")
    desk.do(CommandKind.RULE_DELETE, row.public_id)
    assert not humility.rules_of(desk.deployment).exists()


def test_a_challenger_is_added_renamed_and_deleted(desk: Desk) -> None:
    other = package(desk.user, "Late, February")
    desk.do(CommandKind.CHALLENGER_CREATE, package=other.public_id, name="February")
    row = Challenger.objects.get()
    assert (row.name, row.model.package_id) == ("February", other.pk)
    assert "February" in desk.see()
    desk.do(CommandKind.CHALLENGER_RENAME, row.public_id, name="Feb")
    row.refresh_from_db()
    assert row.name == "Feb"
    desk.do(CommandKind.CHALLENGER_DELETE, row.public_id, typed="Feb")
    assert not Challenger.objects.exists()


def test_settings_that_were_not_seen_are_not_replaced(desk: Desk) -> None:
    url = desk.url(CommandKind.REPLAY_SETTINGS)
    form = {"enabled": "on", "day": "1", "hour": "4"}
    assert "is on its way" in desk.client.get(url).content.decode()
    told = desk.client.post(url, {**form, "nonce": new_nonce(desk.user)}).content.decode()
    assert "is on its way" in told
    assert not Command.objects.exists()
    desk.answer()
    assert "Replay by itself" in desk.client.get(url).content.decode()
    desk.do(CommandKind.REPLAY_SETTINGS, **form)
    path = f"/api/v2/deployments/{desk.deployment.public_id}/challengerReplaySettings/"
    elsewhere = APIClient(headers={"Authorization": f"Bearer {issue(desk.user, 'elsewhere')}"})
    assert elsewhere.patch(path, {"enabled": False}, format="json").status_code in {200, 204}
    response = desk.send(url, desk.show(url), **{**form, "hour": "6"})
    assert response.status_code == 302
    commands.run_due(desk.now + timedelta(hours=1), transport=desk.api)
    assert Command.objects.latest("pk").state == WorkState.CONFLICT


def test_of_two_who_have_a_form_open_the_second_is_told_and_overwrites_nothing(desk: Desk) -> None:
    path = f"/api/v2/deployments/{desk.deployment.public_id}/challengerReplaySettings/"
    url = desk.url(CommandKind.REPLAY_SETTINGS)
    desk.client.get(url)
    desk.answer()
    hers, his = desk.show(url), desk.show(url)
    form = {"enabled": "on", "day": "1", "hour": "4"}
    assert desk.send(url, hers, **form).status_code == 302
    desk.work()
    assert Command.objects.get().state == WorkState.DONE
    desk.answer()  # what stands there now is known here, too: that is not what he saw
    assert desk.send(url, his, **{**form, "hour": "6"}).status_code == 302
    desk.work()
    assert Command.objects.latest("pk").state == WorkState.CONFLICT
    elsewhere = APIClient(headers={"Authorization": f"Bearer {issue(desk.user, 'elsewhere')}"})
    assert elsewhere.get(path).json()["schedule"]["hour"] == [4]


def test_a_schedule_that_he_did_not_touch_is_not_put_back_over_hers(desk: Desk) -> None:
    desk.do(CommandKind.POLICY_CREATE, **POLICY)
    row = RetrainingPolicy.objects.get()
    desk.see()
    url = desk.url(CommandKind.POLICY_UPDATE, row.public_id)
    hers, his = desk.show(url), desk.show(url)
    for shown, change in ((hers, {"hour": "5"}), (his, {"name": "Every Monday"})):
        assert desk.send(url, shown, **{**POLICY, **change}).status_code == 302
        desk.work()
    assert Command.objects.latest("pk").state == WorkState.CONFLICT
    row.refresh_from_db()
    assert (row.options["name"], row.options["trigger"]["schedule"]["hour"]) == ("Mondays", [5])


def test_the_link_of_a_batch_that_somebody_changed_meanwhile_is_kept(desk: Desk) -> None:
    desk.do(CommandKind.BATCH_CREATE, batch_name="January", context="https://jobs.example.org/1")
    row = MonitoringBatch.objects.get()
    desk.see()
    url = desk.url(CommandKind.BATCH_UPDATE, row.public_id)
    hers, his = desk.show(url), desk.show(url)
    for shown, name, link in ((hers, "January", "2"), (his, "Jan", "1")):
        fields = {"batch_name": name, "description": "", "context": f"https://jobs.example.org/{link}"}
        assert desk.send(url, shown, **fields).status_code == 302
        desk.work()
    assert Command.objects.latest("pk").state == WorkState.CONFLICT
    row.refresh_from_db()
    assert (row.name, row.external_context_url) == ("January", "https://jobs.example.org/2")


def test_a_model_that_was_just_registered_can_be_chosen(desk: Desk) -> None:
    url = desk.url(CommandKind.CHALLENGER_CREATE)
    desk.client.get(url)
    desk.answer()
    package(desk.user, "Late, February")
    assert "Late, February" not in desk.client.get(url).content.decode()
    earlier = timezone.now() - timedelta(minutes=1)
    Topic.objects.update(checked_at=earlier)
    PendingQuestion.objects.update(finished_at=earlier)
    assert "is on its way" in desk.client.get(url).content.decode()
    desk.answer()
    assert "Late, February" in desk.client.get(url).content.decode()


def test_a_model_takes_over_once_its_checks_were_seen(desk: Desk) -> None:
    other = package(desk.user, "Late, February")
    check = desk.do(CommandKind.MODEL_CHECK, package=other.public_id)
    url = reverse("act-replace", args=[desk.watched.pk, check.pk])
    Command.objects.filter(pk=check.pk).update(finished_at=timezone.now())
    page = desk.client.get(url).content.decode()
    assert len(check.result["checks"]) == 19
    for told in ("Late, February", "Not current model", "Target classes", "Make it the champion"):
        assert told in page
    unseen = desk.client.post(url, {"nonce": new_nonce(desk.user), "reason": "ACCURACY"})
    assert unseen.status_code == 422
    assert "came back without what it had shown you" in unseen.content.decode()
    desk.send(url, desk.show(url), reason="ACCURACY")
    command = Command.objects.get(kind=CommandKind.MODEL_REPLACE)
    for _ in range(4):
        desk.now += timedelta(seconds=40)
        commands.run_due(desk.now, transport=desk.api)
        for job in Job.objects.filter(state="INITIALIZED"):
            jobs.run(job.pk)
    command.refresh_from_db()
    assert command.state == WorkState.DONE, command.problem
    desk.deployment.refresh_from_db()
    assert desk.deployment.champion is not None
    assert desk.deployment.champion.package_id == other.pk


def test_a_model_that_fails_its_checks_cannot_be_sent(desk: Desk) -> None:
    champion = desk.deployment.champion
    assert champion is not None
    check = desk.do(CommandKind.MODEL_CHECK, package=champion.package.public_id)
    Command.objects.filter(pk=check.pk).update(finished_at=timezone.now())
    url = reverse("act-replace", args=[desk.watched.pk, check.pk])
    page = desk.client.post(url, {"nonce": new_nonce(desk.user), "reason": "ACCURACY"}).content.decode()
    assert "cannot replace the current one" in page
    assert not Command.objects.filter(kind=CommandKind.MODEL_REPLACE).exists()


def test_a_retraining_policy_is_made_changed_and_deleted(desk: Desk) -> None:
    desk.do(CommandKind.POLICY_CREATE, **POLICY)
    row = RetrainingPolicy.objects.get()
    assert row.options["trigger"]["schedule"]["dayOfWeek"] == [1]
    assert row.options["autopilotOptions"]["mode"] == "quick"
    desk.do(CommandKind.POLICY_UPDATE, row.public_id, **{**POLICY, "cause": "manual", "name": "By hand"})
    row.refresh_from_db()
    assert (row.options["name"], row.options["trigger"]["type"]) == ("By hand", "manual")
    desk.do(CommandKind.POLICY_DELETE, row.public_id)
    assert not RetrainingPolicy.objects.exists()


def test_actuals_are_exported_shown_with_their_file_and_deleted(desk: Desk) -> None:
    model = desk.watched.model_id
    span = {"start_at": "2026-01-01T00:00", "end_at": "2026-01-08T00:00"}
    desk.do(CommandKind.EXPORT_ACTUALS, model=model, only_matched="on", **span)
    row = DataExport.objects.get()
    assert (row.start, row.only_matched) == (datetime(2026, 1, 1, tzinfo=UTC), True)
    page = desk.see()
    assert "2026-01-01 00:00 to 2026-01-08 00:00 UTC" in page
    desk.do(CommandKind.EXPORT_DELETE, row.public_id)
    assert not DataExport.objects.exists()


def test_a_role_is_given_changed_and_taken_away(desk: Desk) -> None:
    ada = User.objects.create_user("ada", "ada@example.org", "pw")
    desk.do(CommandKind.SHARE, kind="user", name="ada", role="USER")
    row = DeploymentRole.objects.get(user=ada)
    assert row.role == "USER"
    assert "ada" in desk.see()
    desk.do(CommandKind.SHARE, f"{ada.pk:024x}", role="CONSUMER")
    row.refresh_from_db()
    assert row.role == "CONSUMER"
    desk.do(CommandKind.SHARE, f"{ada.pk:024x}", role="NO_ROLE")
    assert not DeploymentRole.objects.filter(user=ada).exists()


def test_a_role_that_somebody_else_changed_meanwhile_is_not_overwritten(desk: Desk) -> None:
    ada = User.objects.create_user("ada", "ada@example.org", "pw")
    desk.do(CommandKind.SHARE, kind="user", name="ada", role="OWNER", can_share="on")
    desk.see()
    url = desk.url(CommandKind.SHARE, f"{ada.pk:024x}")
    hers, his = desk.show(url), desk.show(url)
    assert desk.send(url, hers, role="OWNER").status_code == 302  # she only takes the right to share
    desk.work()
    row = DeploymentRole.objects.get(user=ada)
    assert (row.role, row.can_share) == ("OWNER", False)
    assert desk.send(url, his, role="CONSUMER").status_code == 302
    desk.work()
    row.refresh_from_db()
    assert (row.role, Command.objects.latest("pk").state) == ("OWNER", WorkState.CONFLICT)
    assert '<td class="value">CONSUMER</td><td class="value">OWNER' in desk.see()


def test_name_importance_and_status_change_and_the_deployment_can_be_deleted(desk: Desk) -> None:
    desk.do(CommandKind.DETAILS, label="Delays", description="", importance="HIGH")
    desk.do(CommandKind.DEACTIVATE)
    desk.deployment.refresh_from_db()
    assert (desk.deployment.label, desk.deployment.importance, desk.deployment.status) == ("Delays", "HIGH", "inactive")
    cycle.discover(desk.source, timezone.now(), desk.api)
    desk.do(CommandKind.ACTIVATE)
    desk.do(CommandKind.DEPLOYMENT_DELETE, typed="Delays")
    desk.deployment.refresh_from_db()
    assert desk.deployment.deleted_at is not None


def test_a_deletion_of_data_says_how_much_before_it_is_sent(desk: Desk) -> None:
    url = reverse("act-data", args=[desk.watched.pk])
    span = {"start_at": "2026-01-01T00:00", "end_at": "2026-01-08T00:00", "model": desk.watched.model_id}
    assert "The source is asked how many predictions that is" in desk.client.get(url, span).content.decode()
    early = desk.client.post(url, {**span, "nonce": new_nonce(desk.user), "typed": "Late flights"})
    assert early.status_code == 200
    desk.answer()
    assert "0 predictions of Late, January" in desk.client.get(url, span).content.decode()
    desk.client.post(url, {**span, "nonce": new_nonce(desk.user), "typed": "late flights"})
    assert not Command.objects.exists()
    desk.client.post(url, {**span, "nonce": new_nonce(desk.user), "typed": "Late flights"})
    command = Command.objects.get()
    assert command.body == {
        "start": "2026-01-01T00:00:00Z",
        "end": "2026-01-08T00:00:00Z",
        "modelId": desk.watched.model_id,
    }


def test_a_thing_that_is_not_on_the_list_is_not_found(desk: Desk) -> None:
    assert desk.client.get(desk.url(CommandKind.BATCH_LOCK, "0" * 24)).status_code == 404
    assert desk.client.get(reverse("act-on", args=[desk.watched.pk, "no-such-act"])).status_code == 404
