"""The settings tab: what is shown, asked for, refused, in conflict and confirmed; and what a limit would have done."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from dashboard.acting import new_nonce
from monitoring import backtest, snapshots
from monitoring import questions as q
from monitoring.client import HealthSettings
from monitoring.configuration.fields import SECTIONS
from monitoring.models import Area, Command, CommandKind, SettingsChange, TopicState
from monitoring.noise import TRIED_DAYS
from monitoring.poll.facts import shaped
from monitoring.poll.fetch import Outcome
from monitoring.poll.plan import ask_of
from monitoring.poll.store import save
from tests.dashboard.hidden import carried, hidden
from tests.dashboard.world import World

LIMIT, COUNT = "dataDrift.driftThreshold", "dataDrift.highImportanceFailingCount"


def address(world: World, section: str = "drift") -> str:
    return reverse("settings", args=[world.watched().pk]) + f"?section={section}"


def form_at(client: Client, world: World, section: str = "drift") -> dict[str, str]:
    """The hidden fields of the form of a section."""
    return carried(client, address(world, section))


def post(client: Client, world: World, section: str = "drift", /, **fields: Any) -> Any:
    """What the form of a section sends: a nonce, what was seen, and the given fields."""
    data = form_at(client, world, section) | fields
    return client.post(reverse("settings-save", args=[world.watched().pk, section]), data)


def tell(world: World, **groups: Any) -> None:
    """Somebody changes health settings at the source, and the watcher sees it."""
    watched = world.watched()
    found = snapshots.answer(watched, q.health_settings())
    assert found is not None
    payload = {name: {**value, **groups.get(name, {})} for name, value in found.payload.items()}
    ask = ask_of((q.health_settings(),), None)
    save([Outcome(watched.pk, ask, TopicState.OK, payload)], now=world.now, lags={})


def test_every_section_shows_its_fields_with_the_present_values(world: World, inside: Client) -> None:
    for section in SECTIONS:
        page = inside.get(address(world, section.slug)).content.decode()
        for field in section.fields:
            assert field.word in page.replace("&#x27;", "'"), field.name
            assert f'name="{field.name}' in page, field.name
    page = inside.get(address(world)).content.decode()
    assert re.search(r'name="dataDrift.driftThreshold" value="0.15"', page)


def test_a_reader_sees_values_and_no_form(world: World, client: Client) -> None:
    client.force_login(world.reader)
    page = client.get(address(world)).content.decode()
    assert "0.15" in page
    assert "Owners and managers of the team change settings." in page
    assert "Save for this deployment" not in page
    assert post(client, world, **{LIMIT: "0.1"}).status_code == 403
    assert not Command.objects.filter(kind=CommandKind.HEALTH_SETTINGS).exists()


def test_a_tighter_limit_is_asked_for_with_what_was_seen(world: World, inside: Client) -> None:
    response = post(inside, world, **{LIMIT: "0.1"})
    assert response.status_code == 302
    command = Command.objects.get(kind=CommandKind.HEALTH_SETTINGS)
    assert command.asked_by == world.owner
    assert command.body["dataDrift"]["driftThreshold"] == 0.1
    assert command.read["dataDrift"]["driftThreshold"] == 0.15
    assert command.read["dataDrift"]["importanceThreshold"] == 0.5
    assert "accuracy" not in command.body


def test_the_same_form_sent_twice_asks_once(world: World, inside: Client) -> None:
    data = form_at(inside, world) | {LIMIT: "0.1"}
    for _ in range(2):
        assert inside.post(reverse("settings-save", args=[world.watched().pk, "drift"]), data).status_code == 302
    assert Command.objects.filter(kind=CommandKind.HEALTH_SETTINGS).count() == 1


def test_a_form_that_changes_nothing_asks_for_nothing(world: World, inside: Client) -> None:
    assert post(inside, world, **{LIMIT: "0.15"}).status_code == 302
    assert post(inside, world).status_code == 302
    assert not Command.objects.filter(kind=CommandKind.HEALTH_SETTINGS).exists()


def test_a_looser_limit_is_asked_about_first_and_says_what_it_does(world: World, inside: Client) -> None:
    looser: dict[str, Any] = {LIMIT: "0.4", "dataDrift.excludedFeatures": ["", "pressure"]}
    response = post(inside, world, **looser)
    page = response.content.decode()
    assert response.status_code == 422
    assert "This loosens the watch." in page
    assert "A feature has drifted above: 0.4 instead of 0.15." in page
    assert "pressure is left out of the verdict" in page
    assert not Command.objects.filter(kind=CommandKind.HEALTH_SETTINGS).exists()
    again = post(inside, world, confirmed="1", **looser)
    assert again.status_code == 302
    command = Command.objects.get(kind=CommandKind.HEALTH_SETTINGS)
    assert command.body["dataDrift"]["excludedFeatures"] == ["pressure"]


def test_switching_an_area_off_says_what_stops(world: World, inside: Client) -> None:
    response = post(inside, world, "tracking", **{"featureDrift.enabled": ""})
    assert response.status_code == 422
    assert "Drift of the features stops" in response.content.decode()
    assert post(inside, world, "tracking", confirmed="1", **{"featureDrift.enabled": ""}).status_code == 302
    command = Command.objects.get(kind=CommandKind.SETTINGS)
    assert command.body == {"featureDrift": {"enabled": False}}


@pytest.mark.parametrize(
    ("section", "field", "value", "said"),
    [
        ("drift", LIMIT, "2", "Must lie between 0 and 1."),
        ("drift", LIMIT, "", "A value is needed here."),
        ("drift", "dataDrift.excludedFeatures.add", "nonsense", "Not a feature of this model: nonsense."),
        ("accuracy", "accuracy.metric", "Beauty", "Must be one of:"),
        ("timeliness", "predictionsTimeliness.expectedFrequency", "often", "A duration such as PT1H"),
        ("predictions", "predictionWarning.customBoundaries.lower", "x", "Both boundaries are numbers"),
        ("about", "label", "", "A value is needed here."),
    ],
)
def test_a_bad_value_is_told_at_its_field_and_what_was_typed_stays(
    world: World, inside: Client, section: str, field: str, value: str, said: str
) -> None:
    fields = {field: value} | ({"dataDrift.excludedFeatures": ""} if field.endswith(".add") else {})
    response = post(inside, world, section, **fields)
    page = response.content.decode()
    assert response.status_code == 422
    assert said in page
    assert page.count("field-wrong") == 1
    assert not Command.objects.exclude(kind=CommandKind.TEST_SOURCE).exists()


def test_a_form_whose_note_of_what_was_seen_is_missing_forged_or_of_another_form_asks_for_nothing(
    world: World, inside: Client
) -> None:
    other = world.watched("Departure delayed, Newark")
    elsewhere = carried(inside, reverse("settings", args=[other.pk]) + "?section=drift")["seen"]
    own = form_at(inside, world)["seen"]
    page = ""
    forged = ("", "{", '{"dataDrift": 3}', own[:-1], f"x{own}", elsewhere, form_at(inside, world, "accuracy")["seen"])
    for one in forged:
        response = post(inside, world, seen=one, **{LIMIT: "0.1"})
        assert response.status_code == 422, one
        page = response.content.decode()
        assert "came back without what it had shown you" in page
        assert 'name="dataDrift.driftThreshold" value="0.1"' in page  # what was typed stays
    assert not Command.objects.filter(kind=CommandKind.HEALTH_SETTINGS).exists()
    again = hidden(page) | {LIMIT: "0.1"}
    assert inside.post(reverse("settings-save", args=[world.watched().pk, "drift"]), again).status_code == 302


def test_a_forged_form_is_refused(world: World) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.owner)
    url = reverse("settings-save", args=[world.watched().pk, "drift"])
    assert client.post(url, {LIMIT: "0.1"}).status_code == 403


def test_what_changed_at_the_source_meanwhile_is_shown_beside_what_is_wanted(world: World, inside: Client) -> None:
    data = form_at(inside, world) | {LIMIT: "0.1"}
    tell(world, dataDrift={"driftThreshold": 0.25})
    response = inside.post(reverse("settings-save", args=[world.watched().pk, "drift"]), data)
    page = response.content.decode()
    assert response.status_code == 409
    assert "Changed at the source while you were here." in page
    assert "now <b>0.25</b>, yours <b>0.1</b>" in page
    assert not Command.objects.filter(kind=CommandKind.HEALTH_SETTINGS).exists()
    assert post(inside, world, **{LIMIT: "0.1"}).status_code == 302
    assert Command.objects.get(kind=CommandKind.HEALTH_SETTINGS).read["dataDrift"]["driftThreshold"] == 0.25


def test_an_address_can_propose_values(world: World, inside: Client) -> None:
    page = inside.get(address(world) + f"&{LIMIT}=0.31").content.decode()
    assert re.search(r'name="dataDrift.driftThreshold" value="0.31"', page)
    assert "was 0.15" in page
    assert not Command.objects.filter(kind=CommandKind.HEALTH_SETTINGS).exists()


def test_the_replay_says_what_the_engine_computes(world: World, inside: Client) -> None:
    watched = world.watched()
    past = backtest.past_of(watched, world.now, length=TRIED_DAYS)
    known = snapshots.answer(watched, q.health_settings())
    assert known is not None
    raised = {**known.payload, "dataDrift": {**known.payload["dataDrift"], "highImportanceFailingCount": 9}}
    found = backtest.compare(past, shaped(HealthSettings, raised))
    response = inside.post(reverse("settings-tried", args=[watched.pk, "drift"]), {COUNT: "9"})
    page = response.content.decode()
    current, proposed = (one.areas[Area.DRIFT] for one in (found.current, found.proposed))
    assert len(current.failing_days) > len(proposed.failing_days)
    assert f"Failing on {len(proposed.failing_days)} of the last" in page
    assert f"instead of {len(current.failing_days)};" in page
    assert "This loosens the alarm." in page
    assert not Command.objects.filter(kind=CommandKind.HEALTH_SETTINGS).exists()


def test_the_replay_of_a_value_that_cannot_be_says_so(world: World, inside: Client) -> None:
    response = inside.post(reverse("settings-tried", args=[world.watched().pk, "drift"]), {LIMIT: "7"})
    assert "Cannot be tried as it stands" in response.content.decode()


def test_the_page_costs_a_fixed_number_of_queries(world: World, inside: Client) -> None:
    inside.get(address(world))
    pk = world.watched().pk
    with CaptureQueriesContext(connection) as page:
        inside.get(reverse("settings", args=[pk]))
    with CaptureQueriesContext(connection) as tried:
        inside.post(reverse("settings-tried", args=[pk, "drift"]), {LIMIT: "0.2"})
    assert (len(page), len(tried)) == (16, 15)


# --- What was changed ---------------------------------------------------------------------------------------------


def test_a_change_at_the_source_is_compared_and_put_back_by_one_click(world: World, inside: Client) -> None:
    tell(world, dataDrift={"driftThreshold": 0.25})
    change = SettingsChange.objects.get()
    page = inside.get(address(world, "changes")).content.decode()
    assert "1 change of settings seen" in page
    assert "<td>0.15</td>" in page
    assert "at the source" in page
    assert "0.25 instead of 0.15" in page
    for _ in range(2):
        response = inside.post(reverse("settings-restore", args=[world.watched().pk, change.pk]), hidden(page))
        assert response.status_code == 302
    command = Command.objects.get(kind=CommandKind.HEALTH_SETTINGS)
    assert command.body["dataDrift"]["driftThreshold"] == 0.15
    assert command.read["dataDrift"]["driftThreshold"] == 0.25


def test_putting_back_a_looser_value_is_asked_about_first(world: World, inside: Client) -> None:
    tell(world, dataDrift={"driftThreshold": 0.05})
    change = SettingsChange.objects.get()
    fields = carried(inside, address(world, "changes"))
    response = inside.post(reverse("settings-restore", args=[world.watched().pk, change.pk]), fields)
    assert response.status_code == 422
    assert "This loosens the watch." in response.content.decode()
    assert not Command.objects.filter(kind=CommandKind.HEALTH_SETTINGS).exists()


def test_a_former_value_is_not_put_over_one_that_came_after_the_page(world: World, inside: Client) -> None:
    tell(world, dataDrift={"driftThreshold": 0.25})
    change = SettingsChange.objects.get()
    url = reverse("settings-restore", args=[world.watched().pk, change.pk])
    old = carried(inside, address(world, "changes"))
    tell(world, dataDrift={"driftThreshold": 0.2})
    response = inside.post(url, old)
    page = response.content.decode()
    assert response.status_code == 409
    assert "now <b>0.2</b>, yours <b>0.15</b>" in page
    for forged in ("", old["seen"][:-1]):
        refused = inside.post(url, old | {"seen": forged})
        assert refused.status_code == 422
        assert "came back without what it had shown you" in refused.content.decode()
    assert not Command.objects.filter(kind=CommandKind.HEALTH_SETTINGS).exists()


def test_the_form_tells_its_last_change(world: World, inside: Client) -> None:
    tell(world, dataDrift={"driftThreshold": 0.25})
    page = inside.get(address(world)).content.decode()
    assert "at the source: a feature has drifted above from 0.15 to 0.25." in page
    assert "Last change" not in inside.get(address(world, "accuracy")).content.decode()


def test_a_change_of_another_deployment_is_not_to_be_had_here(world: World, inside: Client) -> None:
    tell(world, dataDrift={"driftThreshold": 0.25})
    other = world.watched("Departure delayed, Newark")
    url = reverse("settings-restore", args=[other.pk, SettingsChange.objects.get().pk])
    assert inside.post(url).status_code == 404


def test_a_change_at_the_source_stands_in_the_history_and_on_the_charts(world: World, inside: Client) -> None:
    tell(world, dataDrift={"driftThreshold": 0.25})
    SettingsChange.objects.update(seen_at=world.now - timedelta(days=2))
    watched = world.watched()
    page = inside.get(reverse("history", args=[watched.pk])).content.decode()
    assert "A feature has drifted above: 0.15 to 0.25" in page
    assert "settings loosened" in inside.get(reverse("drift", args=[watched.pk])).content.decode()


def test_a_conflict_decided_again_leaves_what_others_changed_beside_it(world: World, inside: Client) -> None:
    post(inside, world, **{LIMIT: "0.1"})
    command = Command.objects.get(kind=CommandKind.HEALTH_SETTINGS)
    present = {"dataDrift": {**command.read["dataDrift"], "driftThreshold": 0.3, "importanceThreshold": 0.9}}
    Command.objects.filter(pk=command.pk).update(
        state="conflict", finished_at=timezone.now(), result={"present": present}, problem="It was changed."
    )
    page = inside.get(address(world)).content.decode()
    assert 'A feature has drifted above</td><td class="value">0.1</td><td class="value">0.3' in page
    assert 'It is important from</td><td class="value">as it is</td><td class="value">0.9' in page
    url = reverse("command-again", args=[world.watched().pk, command.pk])
    inside.post(url, {"nonce": new_nonce(world.owner)})
    fresh = Command.objects.exclude(pk=command.pk).get(kind=CommandKind.HEALTH_SETTINGS)
    assert fresh.body["dataDrift"]["driftThreshold"] == 0.1
    assert fresh.body["dataDrift"]["importanceThreshold"] == 0.9
    assert fresh.read["dataDrift"]["driftThreshold"] == 0.3
