"""Settings as YAML and the alert policy on their pages."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from monitoring import backtest
from monitoring.configuration.document import read
from monitoring.incidents.policy import AreaPolicy, policy_of
from monitoring.models import AlertPolicy, Area, Command, CommandKind, Delivery, Status, Watched, Whom
from monitoring.noise import TRIED_DAYS
from tests.dashboard.world import World

CHANGES = {"kind": CommandKind.HEALTH_SETTINGS}


def document(client: Client, world: World) -> str:
    response = client.get(reverse("team-yaml", args=[world.team.pk]))
    assert response["Content-Disposition"] == 'attachment; filename="flight-ops-settings.yaml"'
    return response.content.decode()


def hidden(page: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(digest|nonce)" value="([^"]*)"', page))


def test_a_team_takes_out_what_it_may_see_and_puts_it_in_unchanged(world: World, inside: Client) -> None:
    text = document(inside, world)
    assert {one.label for one in read(text).wanted} == set(Watched.objects.values_list("label", flat=True))
    assert "secret-token" not in text
    page = inside.post(reverse("configuration-plan"), {"text": text}).content.decode()
    assert "Nothing would change" in page


def test_one_deployment_can_be_taken_out_alone(world: World, inside: Client) -> None:
    text = inside.get(reverse("settings-yaml", args=[world.watched().pk])).content.decode()
    assert [one.label for one in read(text).wanted] == ["Flight delayed > 15 min"]


def test_a_plan_is_shown_first_and_asked_for_once(world: World, inside: Client) -> None:
    text = document(inside, world).replace("driftThreshold: 0.15", "driftThreshold: 0.4", 1)
    file = SimpleUploadedFile("settings.yaml", text.encode())
    page = inside.post(reverse("configuration-plan"), {"file": file}).content.decode()
    assert "1 deployment would change" in page
    assert "A feature has drifted above: 0.4 instead of 0.15." in page
    assert not Command.objects.filter(**CHANGES).exists()
    for _ in range(2):
        response = inside.post(reverse("configuration-apply"), {"text": text, **hidden(page)})
        assert response.status_code == 302
    assert Command.objects.get(**CHANGES).body["dataDrift"]["driftThreshold"] == 0.4
    assert "1 pending" in inside.get(reverse("configuration")).content.decode()


def test_a_plan_that_no_longer_holds_is_shown_again(world: World, inside: Client) -> None:
    text = document(inside, world).replace("driftThreshold: 0.15", "driftThreshold: 0.1", 1)
    page = inside.post(reverse("configuration-plan"), {"text": text}).content.decode()
    other = text.replace("driftThreshold: 0.1\n", "driftThreshold: 0.9\n", 1)
    response = inside.post(reverse("configuration-apply"), {"text": other, **hidden(page)})
    assert "Something was changed since the plan was made." in response.content.decode()
    assert not Command.objects.filter(**CHANGES).exists()


def test_a_plan_cannot_be_applied_by_a_forged_post(world: World, inside: Client) -> None:
    text = document(inside, world).replace("driftThreshold: 0.15", "driftThreshold: 0.1", 1)
    page = inside.post(reverse("configuration-plan"), {"text": text}).content.decode()
    forged = {"text": text, "digest": hidden(page)["digest"], "nonce": "1.forged"}
    assert inside.post(reverse("configuration-apply"), forged).status_code == 400
    assert not Command.objects.filter(**CHANGES).exists()


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"vitals-settings: 1\ndeployments: 3\n", b"{", b""])
def test_a_file_that_cannot_be_read_is_told_with_its_lines(world: World, inside: Client, content: bytes) -> None:
    file = SimpleUploadedFile("settings.yaml", content)
    page = inside.post(reverse("configuration-plan"), {"file": file, "text": ""}).content.decode()
    assert "problem in the document" in page


def test_taking_out_costs_the_same_for_any_number_of_deployments(world: World, inside: Client) -> None:
    document(inside, world)
    with CaptureQueriesContext(connection) as found:
        document(inside, world)
    assert len(found) == 4


# --- Alert policy -------------------------------------------------------------------------------------------------


def values(**changed: Any) -> dict[str, Any]:
    """The form with the defaults."""
    start: dict[str, Any] = {"opens_at": "warning", "pending_minutes": "10 min", "recovery_minutes": "30 min"}
    start |= {"reopen_minutes": "1 d", "flap_turns": "3", "flap_minutes": "1 d", "calm_minutes": "6 h"}
    start |= {"remind_minutes": "1 d", "escalate_minutes": "4 h", "source_grace_minutes": "10 min"}
    return start | {"fleet_size": "3", "fleet_minutes": "1 h", "tell_loosened": "on"} | changed


def test_a_policy_is_saved_in_the_times_that_people_write(world: World, inside: Client) -> None:
    url = reverse("policy", args=[world.team.pk])
    changed = values(pending_minutes="2 h", remind_minutes="0", escalate_minutes="90", calm_minutes="1.5 h")
    assert inside.post(url, changed).status_code == 302
    row = AlertPolicy.objects.get(team=world.team)
    assert (row.pending_minutes, row.remind_minutes, row.escalate_minutes, row.calm_minutes) == (120, 0, 90, 90)
    assert row.tell_loosened
    page = inside.get(url).content.decode()
    assert 'value="2 h"' in page
    assert "default 10 min" in page
    assert inside.post(url, {"default": "1"}).status_code == 302
    assert not AlertPolicy.objects.filter(team=world.team).exists()


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("pending_minutes", "soon", "A time such as 10 min, 4 h or 7 d is needed here."),
        ("pending_minutes", "0.3 min", "Whole minutes are needed here."),
        ("pending_minutes", "400 d", "Must lie between 0 min and 366 d."),
        ("calm_minutes", "0", "Must lie between 1 min and 366 d."),
        ("flap_turns", "1", "greater than or equal to 2"),
        ("opens_at", "passing", "Select a valid choice"),
    ],
)
def test_a_policy_that_cannot_be_is_told_at_its_field(
    world: World, inside: Client, field: str, value: str, said: str
) -> None:
    response = inside.post(reverse("policy", args=[world.team.pk]), values(**{field: value}))
    assert response.status_code == 422
    assert said in response.content.decode()
    assert not AlertPolicy.objects.exists()


def test_a_policy_is_tried_on_the_past_of_the_worst(world: World, inside: Client) -> None:
    worst = Watched.objects.order_by("-severity", "importance_rank", "pk").select_related("source").first()
    assert worst is not None
    past = backtest.past_of(worst, world.now, length=TRIED_DAYS)
    patient = policy_of(AlertPolicy(team=world.team, opens_at="failing"))
    found = backtest.compare(past, past.settings, proposed_policy=patient)
    response = inside.post(reverse("policy-tried", args=[world.team.pk]), values(opens_at="failing"))
    page = response.content.decode()
    assert f'<td class="num">{found.current.notices}</td><td class="num value">{found.proposed.notices}</td>' in page
    assert "worst deployments" in page
    bad = inside.post(reverse("policy-tried", args=[world.team.pk]), values(flap_turns="0")).content.decode()
    assert "Cannot be tried as it stands." in bad
    assert not AlertPolicy.objects.exists()


def test_an_area_has_its_own_patience_weight_and_hearers(world: World, inside: Client) -> None:
    url = reverse("policy", args=[world.team.pk])
    own = {"drift-opens_at": "failing", "drift-pending_minutes": "2 h", "drift-severity": "-1"}
    own |= {"drift-delivery": "digest", "accuracy-whom": "channels"}
    assert inside.post(url, values(**own)).status_code == 302
    row = AlertPolicy.objects.get(team=world.team)
    policy = policy_of(row)
    drift = policy.for_area("drift")
    assert (drift.opens_at, drift.pending, drift.severity) == (Status.FAILING, timedelta(hours=2), -1)
    assert policy.for_area("service").opens_at == Status.WARNING
    assert policy.areas["drift"].delivery == Delivery.DIGEST
    assert policy.areas["accuracy"] == AreaPolicy(whom=Whom.CHANNELS)
    assert set(row.areas) == {"drift", "accuracy"}
    told = inside.get(reverse("policies")).content.decode()
    assert "Data drift: failing only, opens after 2 h, weighs one step less, told in the digest." in told
    assert "Accuracy: to channels, no member." in told
    page = inside.get(url).content.decode()
    assert '<details class="section policy-own" open>' in page
    assert 'name="drift-pending_minutes" value="2 h"' in page
    assert inside.post(url, values()).status_code == 302
    assert AlertPolicy.objects.get(team=world.team).areas == {}


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("drift-pending_minutes", "soon", "A time such as 10 min, 4 h or 7 d is needed here."),
        ("fairness-whom", "nobody", "Select a valid choice"),
        ("service-severity", "7", "Select a valid choice"),
    ],
)
def test_what_an_area_cannot_have_is_told_at_its_field(
    world: World, inside: Client, field: str, value: str, said: str
) -> None:
    response = inside.post(reverse("policy", args=[world.team.pk]), values(**{field: value}))
    assert response.status_code == 422
    assert said in response.content.decode()
    assert not AlertPolicy.objects.exists()


def test_what_an_area_has_of_its_own_is_replayed(world: World) -> None:
    worst = Watched.objects.order_by("-severity", "importance_rank", "pk").select_related("source").first()
    assert worst is not None
    past = backtest.past_of(worst, world.now, length=TRIED_DAYS)
    never = {area.value: {"pending_minutes": 366 * 24 * 60} for area in Area}
    found = backtest.compare(past, past.settings, proposed_policy=policy_of(AlertPolicy(team=world.team, areas=never)))
    # What flaps opens whatever the patience.
    assert found.proposed.incidents < found.current.incidents
