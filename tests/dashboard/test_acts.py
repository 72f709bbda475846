"""Every act with every role, ours and another team's: who may, who may not, and that nothing is asked for by others."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from dashboard.acting import new_nonce
from dashboard.acts.case import Case
from dashboard.acts.forms import PolicyForm
from dashboard.acts.rows import ACTS, OPTIONAL_THING, Act
from dashboard.acts.sections import SECTIONS
from dashboard.acts.table import ELSEWHERE, elsewhere, markdown
from dashboard.filters import View
from dashboard.reader import Reader, zone
from dashboard.shelf import Shelf
from monitoring import questions as q
from monitoring.commands import KINDS, files, id_of
from monitoring.commands.sealing import opened
from monitoring.models import AuditEntry, Command, CommandKind, Role, Source, TopicState
from monitoring.poll.fetch import Outcome
from monitoring.poll.plan import ask_of
from monitoring.poll.store import save
from tests.dashboard.hidden import carried, hidden
from tests.dashboard.world import World, person
from tests.deployments.operations import ONE, OPERATIONS

RUN = {"id": "r1", "status": "running"}
LISTS: dict[str, list[dict[str, Any]]] = {
    q.batches().key: [{"id": "b1", "name": "January", "predictionsCount": 500, "isLocked": False}],
    q.custom_metrics().key: [{"id": "m1", "name": "Saved", "type": "sum", "isModelSpecific": False}],
    q.humility_rules().key: [{"id": "h1", "name": "Unsure", "trigger": {"type": "uncertainPrediction"}, "action": {}}],
    q.challengers().key: [{"id": "c1", "name": "February", "model": {"id": "m9"}, "modelPackage": {"id": "p9"}}],
    q.retraining_policies().key: [{"id": "y1", "name": "Mondays", "latestRun": RUN, "action": "create_challenger"}],
    q.prediction_exports().key: [{"id": "e1", "status": "CREATED", "period": {}, "data": []}],
    q.actuals_exports().key: [{"id": "e2", "status": "SUCCEEDED", "period": {}, "data": [{"id": "d1"}]}],
    q.training_exports().key: [],
    q.shared_roles().key: [{"id": "u1", "name": "ada", "role": "USER", "shareRecipientType": "user"}],
    q.scheduled_reports().key: [],
    q.runtime_parameters().key: [{"fieldName": "retries", "type": "numeric", "defaultValue": 3, "maxValue": 10}],
    q.secondary_sets().key: [{"secondaryDatasetConfigId": "s1", "name": "Weather", "secondaryDatasets": []}],
    q.secondary_in_use().key: [],
    q.prediction_servers().key: [{"id": "v1", "url": "https://predict.example", "batchPredictions": {"queued": 2}}],
    q.details().key: [],
    q.datasets().key: [{"id": "d7", "name": "rows.csv", "rowCount": 12}],
    q.custom_jobs().key: [{"id": "j1", "name": "Missing rate", "description": "The share.", "isBuiltIn": True}],
    q.replay_settings().key: [],
    q.retraining_settings().key: [],
}
#: What is filled in where a form needs something; the rest is only confirmed.
FILLED: dict[CommandKind, dict[str, str]] = {
    CommandKind.BATCH_CREATE: {"batch_name": "March"},
    CommandKind.BATCH_UPDATE: {"batch_name": "March"},
    CommandKind.METRIC_CREATE: {"name": "Lost", "type": "sum", "directionality": "lowerIsBetter"},
    CommandKind.METRIC_UPDATE: {"name": "Lost", "type": "sum", "directionality": "lowerIsBetter"},
    CommandKind.METRIC_VALUES: {"rows": "2026-01-05T09:00:00Z, 5"},
    CommandKind.RULE_CREATE: {"name": "Odd", "trigger": "uncertainPrediction", "action": "noOperation"},
    CommandKind.RULE_UPDATE: {"name": "Odd", "trigger": "uncertainPrediction", "action": "noOperation"},
    CommandKind.CHALLENGER_CREATE: {"package": "p2", "name": "March"},
    CommandKind.CHALLENGER_RENAME: {"name": "Feb"},
    CommandKind.REPLAY_SETTINGS: {"enabled": "on", "day": "1", "hour": "6"},
    CommandKind.MODEL_CHECK: {"package": "p2"},
    CommandKind.EXPORT_PREDICTIONS: {"start_at": "2026-01-01T00:00", "end_at": "2026-01-02T00:00"},
    CommandKind.EXPORT_ACTUALS: {"start_at": "2026-01-01T00:00", "end_at": "2026-01-02T00:00"},
    CommandKind.SHARE: {"kind": "user", "name": "ada", "role": "USER"},
    CommandKind.DETAILS: {"label": "Delays", "importance": "HIGH"},
    CommandKind.POLICY_CREATE: {
        "name": "Tuesdays",
        "cause": "manual",
        "day": "*",
        "hour": "6",
        "action": "create_challenger",
        "features": "same_as_champion",
        "selection": "autopilot_recommended",
        "mode": "auto",
    },
}
FILLED |= {
    CommandKind.BATCH_TIMES: {"start_at": "2026-01-05T09:30"},
    CommandKind.METRIC_DATASET: {"dataset": "d7"},
    CommandKind.METRIC_FROM_JOB: {"job": "j1", "name": "Missing", "hour": "*", "minute": "5"},
    CommandKind.PREDICTIONS_DATASET: {"dataset": "d7"},
    CommandKind.ACTUALS_DATASET: {"dataset": "d7", "association_column": "id", "value_column": "late"},
    CommandKind.RUNTIME: {"p_retries": "5"},
    CommandKind.SECONDARY_CREATE: {"name": "Winter", "identifier1": "weather", "dataset1": "d7"},
    CommandKind.REPORT_CREATE: {"name": "Weekly", "days": "7", "when": "schedule", "day": "1", "hour": "6"},
}
FILLED[CommandKind.REPORT_UPDATE] = FILLED[CommandKind.REPORT_CREATE]
FILLED[CommandKind.POLICY_CREATE]["own"] = "same_as_champion"
FILLED[CommandKind.POLICY_UPDATE] = FILLED[CommandKind.POLICY_CREATE]
ROLES = {Role.OWNER: True, Role.MANAGER: True, Role.MEMBER: False, Role.READONLY: False}


@pytest.fixture
def stocked(world: World) -> World:
    """The installation, in which the source has told one thing of each kind."""
    watched = world.watched()
    outcomes = []
    report = {"id": "t1", "name": "Weekly", "deploymentIds": [watched.remote_id], "recipients": ["ada@example.org"]}
    LISTS[q.scheduled_reports().key] = [report]
    asked = {one for builder in SECTIONS.values() for one in builder.asks}
    for make in asked | {q.datasets(), q.custom_jobs()}:
        payload = {"data": LISTS[make.key], "count": len(LISTS[make.key]), "enabled": False}
        outcomes.append(Outcome(watched.pk, ask_of((make,), None), TopicState.OK, payload))
    save(outcomes, now=timezone.now(), lags={})
    return world


def address(world: World, act: Act) -> str:
    ids = {"batches": "b1", "metrics": "m1", "humility": "h1", "challengers": "c1", "retraining": "y1"}
    ids |= {"reports": "t1", "secondary": "s1"}
    ids |= {"exports": "e1" if act.kind is CommandKind.CANCEL_PREDICTIONS else "e2"}
    thing = "r1" if act.of is not None else ids.get(act.section, "") if act.things is not None else ""
    query = f"?{urlencode({'thing': thing})}" if thing else ""
    return reverse("act-on", args=[world.watched().pk, act.kind.value]) + query


def form(world: World, act: Act, user: Any) -> dict[str, str]:
    filled = dict(FILLED.get(act.kind, {}))
    if act.kind in {CommandKind.EXPORT_PREDICTIONS, CommandKind.EXPORT_ACTUALS, CommandKind.EXPORT_TRAINING}:
        filled["model"] = world.watched().model_id
    if act.kind == CommandKind.BATCH_TIMES:
        filled["model"] = world.watched().model_id
    if act.typed:
        filled["typed"] = world.watched().label
        for rows in LISTS.values():
            for one in rows:
                if act.things is not None and f"thing={id_of(one)}" in address(world, act):
                    filled["typed"] = one["name"]
    return {**filled, "nonce": new_nonce(user)}


def carried_by(client: Client, url: str) -> dict[str, str]:
    """What the form at an address tells of what it showed; nothing where there is no form."""
    return {name: value for name, value in carried(client, url).items() if name == "seen"}


def test_every_kind_of_command_can_be_asked_for_somewhere() -> None:
    elsewhere = {"test_source", "health_settings", "model_replace", "data_delete", "settings"}
    assert set(KINDS) - elsewhere == set(ACTS)
    assert set(OPTIONAL_THING) <= set(ACTS)


@pytest.mark.parametrize("role", [*ROLES, None])
def test_every_act_is_for_owners_and_managers_of_the_team_and_nobody_else(
    stocked: World, client: Client, role: Role | None
) -> None:
    user = person("kim", stocked.team if role else None, role or Role.MEMBER)
    client.force_login(user)
    for slug, act in ACTS.items():
        url, may = address(stocked, act), role is not None and ROLES[role]
        hidden = 404 if role is None else 403
        before = Command.objects.count()
        assert client.get(url).status_code == (200 if may else hidden), slug
        posted = client.post(url, form(stocked, act, user) | carried_by(client, url))
        told = posted.content.decode() if posted.status_code == 200 else ""
        assert posted.status_code == (302 if may else hidden), f"{slug} {told}"
        assert Command.objects.count() == before + may, slug


def test_the_same_form_posted_twice_asks_once_whatever_the_act(stocked: World, inside: Client) -> None:
    for slug, act in ACTS.items():
        url = address(stocked, act)
        data = form(stocked, act, stocked.owner) | carried_by(inside, url)
        assert inside.post(url, data).status_code == 302, slug
        first = Command.objects.count()
        assert inside.post(url, data).status_code == 302, slug
        assert Command.objects.count() == first, slug


def test_only_a_form_that_looks_for_changes_promises_to(stocked: World, inside: Client) -> None:
    pk = stocked.watched().pk
    for kind, promised in ((CommandKind.RULE_CREATE, False), (CommandKind.DETAILS, True)):
        page = inside.get(reverse("act-on", args=[pk, kind.value])).content.decode()
        assert ("If somebody changed it there meanwhile" in page) is promised
        assert "in your name and recorded." in page


def test_a_source_without_another_model_says_what_to_do_first(stocked: World, inside: Client) -> None:
    url = reverse("act-on", args=[stocked.watched().pk, CommandKind.CHALLENGER_CREATE.value])
    watched, champion = stocked.watched(), (q.champion_package(), {"id": "p1"})
    for listed, said in (([], "register one first"), ([{"id": "p2", "name": "Buyers, April"}], "Buyers, April")):
        told = (champion, (q.model_packages(), {"data": listed, "count": len(listed)}))
        outcomes = [Outcome(watched.pk, ask_of((one,), None), TopicState.OK, payload) for one, payload in told]
        save(outcomes, now=timezone.now(), lags={})
        assert said in inside.get(url).content.decode()


def test_a_post_without_the_token_of_the_session_or_of_the_form_asks_nothing(stocked: World) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(stocked.owner)
    lenient = Client()
    lenient.force_login(stocked.owner)
    for act in ACTS.values():
        url = address(stocked, act)
        data = form(stocked, act, stocked.owner) | carried_by(lenient, url)
        assert client.post(url, data).status_code == 403
        refused = lenient.post(url, {**data, "nonce": "1.forged:forged"})
        assert refused.status_code == 400
        assert "The form was not made by this page." in refused.content.decode()
    assert not Command.objects.exists()


NEW = ("retries", "now 3", "Weather", "https://predict.example", "Weekly", "Scoring code")


def test_the_page_shows_all_there_is_and_buttons_only_to_who_may(stocked: World, inside: Client) -> None:
    url = reverse("manage", args=[stocked.watched().pk])
    page = inside.get(url).content.decode()
    for told in (
        "Saved",
        "Unsure",
        "February",
        "Mondays",
        "ada",
        "Send values",
        "Cancel the run",
        "/files/actuals/d1/",
        *NEW,
    ):
        assert told in page
    client = Client()
    client.force_login(stocked.reader)
    seen = client.get(url).content.decode()
    assert "Saved" in seen
    assert "Send values" not in seen
    assert "Owners and managers of the team change things" in seen


def test_what_the_source_does_not_support_is_not_offered_and_says_why(stocked: World, inside: Client) -> None:
    watched = stocked.watched()
    told = [{"name": "supportsRetraining", "supported": False, "messages": ["No trainer here."]}]
    outcome = Outcome(watched.pk, ask_of((q.capabilities(),), None), TopicState.OK, {"data": told})
    save([outcome], now=timezone.now(), lags={})
    page = inside.get(reverse("manage", args=[watched.pk])).content.decode()
    assert 'title="Not supported at the source: No trainer here."' in page
    refused = inside.get(reverse("act-on", args=[watched.pk, "policy_create"]))
    assert refused.status_code == 403
    assert "No trainer here." in refused.content.decode()


def test_the_price_of_the_page_does_not_grow_with_what_stands_on_it(stocked: World, inside: Client) -> None:
    url = reverse("manage", args=[stocked.watched().pk])
    inside.get(url)
    with CaptureQueriesContext(connection) as few:
        inside.get(url)
    watched = stocked.watched()
    many = [{"id": f"m{number}", "name": f"Saved {number}", "type": "sum"} for number in range(40)]
    outcome = Outcome(watched.pk, ask_of((q.custom_metrics(),), None), TopicState.OK, {"data": many})
    save([outcome], now=timezone.now(), lags={})
    with CaptureQueriesContext(connection) as more:
        assert "Saved 39" in inside.get(url).content.decode()
    assert len(more) == len(few) <= 30


def test_the_documentation_tells_who_may_do_what() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "operations.md").read_text()
    assert markdown() in text


def test_a_thing_can_be_changed_where_it_stands(stocked: World, inside: Client) -> None:
    batch = stocked.watched("Departure delayed by batch")
    page = inside.get(reverse("batches", args=[batch.pk])).content.decode()
    assert reverse("act-on", args=[batch.pk, "batch_create"]) in page
    assert f"{reverse('act-on', args=[batch.pk, 'batch_delete'])}?thing=" in page
    client = Client()
    client.force_login(stocked.reader)
    assert "batch_delete" not in client.get(reverse("batches", args=[batch.pk])).content.decode()


DECLINE = {"cause": "data_drift_decline", "declines": ["statusDeclinesToFailing"]}


def test_every_field_of_a_form_that_depends_on_a_choice_says_so_in_the_page_and_in_the_style(
    stocked: World, inside: Client
) -> None:
    style = (Path(__file__).resolve().parents[2] / "static/css/acts.css").read_text()
    asked = 0
    for slug, act in ACTS.items():
        page = inside.get(address(stocked, act)).content.decode() if act.form.only else ""
        for name, among in act.form.only.items():
            if f'name="{name}"' not in page:
                continue
            asked += 1
            assert f'data-only="{" ".join(among)}"' in page, slug
            for other in {one.partition("=")[0] for one in among}:
                for value, chosen in _choices(page, other):
                    if f"{other}={value}" not in among:
                        assert f':has({chosen}) [data-only*="{other}="]' in style, (slug, name)
    assert asked > 15


def _choices(page: str, name: str) -> list[tuple[str, str]]:
    """(value, how the style asks whether it is chosen) of each choice that a field has."""
    select = re.search(rf'<select name="{name}".*?</select>', page, re.S)
    if select is None:
        return [("off", f"[name={name}]:not(:checked)")]
    values = re.findall(r'value="([^"]+)"', select[0])
    return [(value, f"[name={name}] > option[value={value}]:checked") for value in values]


def test_what_does_not_belong_to_the_chosen_trigger_neither_hinders_a_rule_nor_is_sent(
    stocked: World, inside: Client
) -> None:
    url = reverse("act-on", args=[stocked.watched().pk, "rule_create"])
    rule = {"name": "Odd", "trigger": "lowObservationRegion", "feature": "carrier", "values": "UA\nDL", "lower": "0.6"}
    form = {**rule, "upper": "0.4", "action": "noOperation", "override": "0", "nonce": new_nonce(stocked.owner)}
    assert inside.post(url, form).status_code == 302
    assert Command.objects.get().body == {
        "name": "Odd",
        "trigger": {"type": "lowObservationRegion", "featureName": "carrier", "values": ["UA", "DL"]},
        "action": {"type": "noOperation"},
    }


def test_a_policy_on_decline_can_wait_between_its_runs(stocked: World, inside: Client) -> None:
    pk = stocked.watched().pk
    form = {**FILLED[CommandKind.POLICY_CREATE], **DECLINE, "nonce": new_nonce(stocked.owner)}
    inside.post(reverse("act-on", args=[pk, "policy_create"]), {**form, "interval": "P7D"})
    assert Command.objects.get().body["trigger"]["minIntervalBetweenRuns"] == "P7D"
    url = reverse("act-on", args=[pk, "policy_update"]) + "?thing=y1"
    inside.post(url, {**form, "interval": ""} | carried(inside, url))
    assert Command.objects.latest("pk").body["trigger"]["minIntervalBetweenRuns"] is None


def test_an_interval_that_the_form_does_not_offer_is_kept(stocked: World, inside: Client) -> None:
    watched = stocked.watched()
    shelf = Shelf(watched, View.parse({}, timezone.now(), zone("UTC")), timezone.now())
    trigger = {"type": "data_drift_decline", "minIntervalBetweenRuns": "P3D"}
    case = Case(Reader.load(stocked.owner), watched, shelf, timezone.now(), {"id": "y1", "trigger": trigger})
    form = PolicyForm({**FILLED[CommandKind.POLICY_UPDATE], **DECLINE, "interval": "P3D"}, case=case)
    assert form.is_valid(), form.errors
    assert form.body()["trigger"]["minIntervalBetweenRuns"] == "P3D"


def test_every_write_operation_of_the_reference_can_be_had_from_a_page_or_says_why_not() -> None:
    asked = {(kind.method.value.split(",")[0], _places(kind.path)) for kind in KINDS.values()}
    below = {(one.method, _places(one.path.removeprefix(ONE))) for one in OPERATIONS if one.method != "GET"}
    assert {f"{method} {path}" for method, path in below - asked} == set(ELSEWHERE)
    text = (Path(__file__).resolve().parents[2] / "docs" / "operations.md").read_text()
    assert elsewhere() in text


def _places(path: str) -> str:
    """A path without the names of its ids: `customMetrics/{}/fromDataset/`."""
    return re.sub(r"\{\w+\}", "{}", path)


def test_project_options_of_a_policy_are_sent_and_what_the_trainer_refuses_is_shown(
    stocked: World, inside: Client
) -> None:
    Source.objects.update(built_in=True)
    url = reverse("act-on", args=[stocked.watched().pk, "policy_create"])
    page = inside.get(url).content.decode()
    assert "Refused: Models are not blended here." in page
    own = {"own": "override_champion", "metric": "AUC", "partition": "StratifiedCV", "validation": "TVH"}
    form = {**FILLED[CommandKind.POLICY_CREATE], **own, "validation_pct": "20", "holdout_pct": "15", "blend": "on"}
    told = inside.post(url, {**form, "reps": "5", "nonce": new_nonce(stocked.owner)}).content.decode()
    assert "Only by folds" in told
    assert inside.post(url, {**form, "nonce": new_nonce(stocked.owner)}).status_code == 302
    body = Command.objects.get().body
    assert body["projectOptions"] == {
        "cvMethod": "StratifiedCV",
        "validationType": "TVH",
        "validationPct": 20.0,
        "holdoutPct": 15.0,
        "metric": "AUC",
    }
    assert (body["projectOptionsStrategy"], body["useActuals"]) == ("override_champion", False)
    assert body["autopilotOptions"] == {"mode": "auto"}


def test_a_secret_of_the_runtime_parameters_is_never_written_down(stocked: World, inside: Client) -> None:
    watched = stocked.watched()
    secret = {"fieldName": "key", "type": "credential", "overrideValue": "********"}
    outcome = Outcome(watched.pk, ask_of((q.runtime_parameters(),), None), TopicState.OK, {"data": [secret]})
    save([outcome], now=timezone.now(), lags={})
    url = reverse("act-on", args=[watched.pk, "runtime"])
    lost = inside.post(url, carried(inside, url)).content.decode()
    assert "it cannot be kept unseen" in lost
    assert inside.post(url, hidden(lost) | {"p_key": "hunter2 "}).status_code == 302
    command = Command.objects.get()
    assert "hunter2" not in str(command.body)
    assert "hunter2" not in str(list(AuditEntry.objects.values_list("detail", flat=True)))
    assert opened(command.body)["runtimeParameterValues"] == [
        {"fieldName": "key", "type": "credential", "value": "hunter2 "}
    ]


@pytest.mark.parametrize(
    ("content", "name", "told"),
    [
        (b"", "rows.csv", "empty"),
        (b"id,late\n", "rows.csv", "has no rows"),
        (b"id,late\na,1\n", "rows.txt", "CSV, NDJSON or Parquet"),
        (b"a,b\n1,2\n", "rows.csv", "There is no column &#x27;id&#x27;; there is a, b."),
        (b"PAR1nothing", "rows.parquet", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_before_anything_is_kept(
    stocked: World, inside: Client, content: bytes, name: str, told: str
) -> None:
    url = reverse("act-on", args=[stocked.watched().pk, "actuals_dataset"])
    form = {"association_column": "id", "value_column": "late", "nonce": new_nonce(stocked.owner)}
    page = inside.post(url, {**form, "file": SimpleUploadedFile(name, content)}).content.decode()
    assert told in page
    assert not Command.objects.exists()


def test_a_file_is_kept_once_however_often_the_form_is_sent_and_goes_when_nothing_waits_for_it(
    stocked: World, inside: Client
) -> None:
    url = reverse("act-on", args=[stocked.watched().pk, "predictions_dataset"])
    nonce = new_nonce(stocked.owner)
    for _ in range(2):
        file = SimpleUploadedFile("rows.csv", b"id,late\na,1\n")
        assert inside.post(url, {"nonce": nonce, "file": file}).status_code == 302
    command = Command.objects.get()
    assert command.body["file"] == {"name": "rows.csv", "bytes": 12, "mediaType": "text/csv"}
    assert default_storage.exists(files.path_of(command.key))
    both = {"nonce": new_nonce(stocked.owner), "dataset": "d7", "file": SimpleUploadedFile("rows.csv", b"id\na\n")}
    assert "one of them" in inside.post(url, both).content.decode()
    files.keep("abandoned", SimpleUploadedFile("rows.csv", b"id\na\n"))
    later = timezone.now() + timedelta(days=2)
    assert files.forget_left_over(later) == 1
    assert default_storage.exists(files.path_of(command.key))
    Command.objects.update(finished_at=later)
    assert files.forget_left_over(later) == 1
    assert not default_storage.exists(files.path_of(command.key))


def test_before_anybody_sent_a_file_nothing_is_left_over(settings: Any, tmp_path: Path) -> None:
    """In a bucket there is no folder before its first file, nor after."""
    folder = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "default": folder}
    assert files.forget_left_over(timezone.now()) == 0


def test_a_value_of_a_parameter_that_is_gone_reaches_no_other(stocked: World, inside: Client) -> None:
    watched = stocked.watched()
    url = reverse("act-on", args=[watched.pk, "runtime"])
    form = carried(inside, url) | {"p_gone": "7", "p_retries": "5"}
    assert inside.post(url, form).status_code == 302
    assert Command.objects.get().body["runtimeParameterValues"] == [
        {"fieldName": "retries", "type": "numeric", "value": 5.0}
    ]


def test_a_file_whose_id_fits_no_address_has_no_link_and_breaks_no_page(stocked: World, inside: Client) -> None:
    watched = stocked.watched()
    odd = {"id": "e9", "status": "SUCCEEDED", "period": {}, "data": [{"id": "a.b/c", "name": "odd.csv"}]}
    save(
        [Outcome(watched.pk, ask_of((q.prediction_exports(),), None), TopicState.OK, {"data": [odd]})],
        now=timezone.now(),
        lags={},
    )
    for name in ("manage", "data"):
        assert inside.get(reverse(name, args=[watched.pk])).status_code == 200


def test_an_address_cannot_fill_in_a_file(stocked: World, inside: Client) -> None:
    url = reverse("act-on", args=[stocked.watched().pk, "actuals_dataset"]) + "?file=x"
    fields = {**FILLED[CommandKind.ACTUALS_DATASET], "dataset": "", "file-clear": "on"}
    page = inside.post(url, {"nonce": new_nonce(stocked.owner), **fields})
    assert page.status_code == 200
    assert "Choose a file, or a dataset" in page.content.decode()
    assert not Command.objects.exists()


GUARDED = [act for act in ACTS.values() if act.guarded]


def test_what_depends_on_what_was_shown_is_every_change_and_deletion_that_its_source_can_show() -> None:
    assert {act.kind.value for act in GUARDED} == {
        *("batch_update", "batch_delete", "metric_update", "metric_delete", "rule_update", "rule_delete"),
        *("challenger_rename", "challenger_delete", "replay_settings", "policy_update", "policy_delete"),
        *("retraining_settings", "runtime", "report_update", "report_delete"),
        *("details", "deactivate", "deployment_delete", "share"),
    }


def test_a_form_without_what_it_showed_or_with_that_of_another_is_refused_whatever_the_act(
    stocked: World, inside: Client
) -> None:
    shown = {act.kind: carried(inside, address(stocked, act))["seen"] for act in GUARDED}
    for act, other in zip(GUARDED, [*GUARDED[1:], GUARDED[0]], strict=True):
        url, own = address(stocked, act), shown[act.kind]
        data = form(stocked, act, stocked.owner)
        for forged in (None, "", "{}", own[:-1], f"x{own}", shown[other.kind]):
            posted = inside.post(url, data if forged is None else data | {"seen": forged})
            assert posted.status_code == 422, (act.kind, forged)
            assert "came back without what it had shown you" in posted.content.decode()
    assert not Command.objects.exists()


def test_what_somebody_else_changed_meanwhile_is_not_taken_for_what_was_seen(stocked: World, inside: Client) -> None:
    watched = stocked.watched()
    act = ACTS["batch_update"]
    url = address(stocked, act)
    old = form(stocked, act, stocked.owner) | carried_by(inside, url)
    moved = [{**LISTS[q.batches().key][0], "name": "January, again"}]
    save(
        [Outcome(watched.pk, ask_of((q.batches(),), None), TopicState.OK, {"data": moved})], now=timezone.now(), lags={}
    )
    assert "January, again" in inside.get(url).content.decode()
    wrong = inside.post(url, old | {"batch_name": ""})
    assert inside.post(url, old | carried_by(inside, url) | hidden(wrong.content.decode())).status_code == 302
    assert Command.objects.get().read["name"] == "January"


def test_what_an_address_proposes_is_sent_even_though_nobody_touches_it(stocked: World, inside: Client) -> None:
    Source.objects.update(built_in=True)
    url = reverse("act-on", args=[stocked.watched().pk, "details"]) + "?label=Renamed"
    assert 'value="Renamed"' in inside.get(url).content.decode()
    fields = {"label": "Renamed", "description": "", "importance": stocked.watched().importance}
    assert inside.post(url, fields | carried(inside, url)).status_code == 302
    assert Command.objects.get().body["label"] == "Renamed"
