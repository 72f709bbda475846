"""Every act with every role, ours and another team's: who may, who may not, and that nothing is asked for by others."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
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
from dashboard.acts.table import markdown
from dashboard.filters import View
from dashboard.reader import Reader, zone
from dashboard.shelf import Shelf
from monitoring import questions as q
from monitoring.commands import KINDS
from monitoring.models import Command, CommandKind, Role, TopicState
from monitoring.poll.fetch import Outcome
from monitoring.poll.plan import ask_of
from monitoring.poll.store import save
from tests.dashboard.world import World, person

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
FILLED[CommandKind.POLICY_UPDATE] = FILLED[CommandKind.POLICY_CREATE]
ROLES = {Role.OWNER: True, Role.MANAGER: True, Role.MEMBER: False, Role.READONLY: False}


@pytest.fixture
def stocked(world: World) -> World:
    """The installation, in which the source has told one thing of each kind."""
    watched = world.watched()
    outcomes = []
    for make in {one for builder in SECTIONS.values() for one in builder.asks}:
        payload = {"data": LISTS[make.key], "count": len(LISTS[make.key]), "enabled": False}
        outcomes.append(Outcome(watched.pk, ask_of((make,), None), TopicState.OK, payload))
    save(outcomes, now=timezone.now(), lags={})
    return world


def address(world: World, act: Act) -> str:
    ids = {"batches": "b1", "metrics": "m1", "humility": "h1", "challengers": "c1", "retraining": "y1"}
    ids |= {"exports": "e1" if act.kind is CommandKind.CANCEL_PREDICTIONS else "e2"}
    thing = "r1" if act.of is not None else ids.get(act.section, "") if act.things is not None else ""
    query = f"?{urlencode({'thing': thing})}" if thing else ""
    return reverse("act-on", args=[world.watched().pk, act.kind.value]) + query


def form(world: World, act: Act, user: Any) -> dict[str, str]:
    filled = dict(FILLED.get(act.kind, {}))
    if act.kind in {CommandKind.EXPORT_PREDICTIONS, CommandKind.EXPORT_ACTUALS, CommandKind.EXPORT_TRAINING}:
        filled["model"] = world.watched().model_id
    if act.typed:
        filled["typed"] = world.watched().label
        for rows in LISTS.values():
            for one in rows:
                if act.things is not None and f"thing={one['id']}" in address(world, act):
                    filled["typed"] = one["name"]
    return {**filled, "nonce": new_nonce(user)}


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
        posted = client.post(url, form(stocked, act, user))
        told = posted.content.decode() if posted.status_code == 200 else ""
        assert posted.status_code == (302 if may else hidden), f"{slug} {told}"
        assert Command.objects.count() == before + may, slug


def test_the_same_form_posted_twice_asks_once_whatever_the_act(stocked: World, inside: Client) -> None:
    for slug, act in ACTS.items():
        data, url = form(stocked, act, stocked.owner), address(stocked, act)
        assert inside.post(url, data).status_code == 302, slug
        first = Command.objects.count()
        assert inside.post(url, data).status_code == 302, slug
        assert Command.objects.count() == first, slug


def test_a_post_without_the_token_of_the_session_or_of_the_form_asks_nothing(stocked: World) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(stocked.owner)
    lenient = Client()
    lenient.force_login(stocked.owner)
    for act in ACTS.values():
        url = address(stocked, act)
        data = form(stocked, act, stocked.owner)
        assert client.post(url, data).status_code == 403
        assert lenient.post(url, {**data, "nonce": "1.forged:forged"}).status_code == 400
    assert not Command.objects.exists()


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


def test_a_policy_on_decline_can_wait_between_its_runs(stocked: World, inside: Client) -> None:
    pk = stocked.watched().pk
    form = {**FILLED[CommandKind.POLICY_CREATE], **DECLINE, "nonce": new_nonce(stocked.owner)}
    inside.post(reverse("act-on", args=[pk, "policy_create"]), {**form, "interval": "P7D"})
    assert Command.objects.get().body["trigger"]["minIntervalBetweenRuns"] == "P7D"
    form["nonce"] = new_nonce(stocked.owner)
    inside.post(reverse("act-on", args=[pk, "policy_update"]) + "?thing=y1", {**form, "interval": ""})
    assert Command.objects.latest("pk").body["trigger"]["minIntervalBetweenRuns"] is None


def test_an_interval_that_the_form_does_not_offer_is_kept(stocked: World, inside: Client) -> None:
    watched = stocked.watched()
    shelf = Shelf(watched, View.parse({}, timezone.now(), zone("UTC")), timezone.now())
    trigger = {"type": "data_drift_decline", "minIntervalBetweenRuns": "P3D"}
    case = Case(Reader.load(stocked.owner), watched, shelf, timezone.now(), {"id": "y1", "trigger": trigger})
    form = PolicyForm({**FILLED[CommandKind.POLICY_UPDATE], **DECLINE, "interval": "P3D"}, case=case)
    assert form.is_valid(), form.errors
    assert form.body()["trigger"]["minIntervalBetweenRuns"] == "P3D"
