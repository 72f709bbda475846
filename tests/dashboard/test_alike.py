"""The same change for deployments like the one it was made for: which they are, what it does to each, then done."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from dashboard import seen
from dashboard.acting import new_nonce
from monitoring import alike, backtest, snapshots
from monitoring import questions as q
from monitoring.client import HealthSettings
from monitoring.configuration.edits import applied
from monitoring.models import Bulk, Command, CommandKind, TopicState, Watched, WorkState
from monitoring.noise import TRIED_DAYS
from monitoring.poll.facts import shaped
from monitoring.poll.fetch import Outcome
from monitoring.poll.plan import ask_of
from monitoring.poll.store import save
from tests.dashboard.test_settings_tab import COUNT, LIMIT, address, post
from tests.dashboard.world import World

KIND = CommandKind.HEALTH_SETTINGS


def like_it(world: World) -> list[Watched]:
    """All but the pattern and the one that predicts a number."""
    return list(Watched.objects.exclude(pk=world.watched().pk).filter(target_type="Binary").order_by("label"))


def saved(world: World, inside: Client, **fields: Any) -> tuple[Command, str]:
    """The command of the pattern, and the page of those like it."""
    response = post(inside, world, alike="alike", **(fields or {LIMIT: "0.1"}))
    command = Command.objects.get(kind=KIND, group="")
    assert response["Location"] == reverse("settings-alike", args=[world.watched().pk, command.pk])
    return command, inside.get(response["Location"]).content.decode()


def settings_of(watched: Watched) -> dict[str, Any]:
    found = snapshots.answer(watched, q.health_settings())
    assert found is not None
    payload: dict[str, Any] = found.payload
    return payload


def tell(world: World, watched: Watched, **drift: Any) -> None:
    """The watcher sees other health settings of a deployment."""
    payload = settings_of(watched)
    payload = {**payload, "dataDrift": {**payload["dataDrift"], **drift}}
    save([Outcome(watched.pk, ask_of((q.health_settings(),), None), TopicState.OK, payload)], now=world.now, lags={})


def carry(inside: Client, world: World, command: Command, picked: list[int], agreed: str, nonce: str = "") -> Any:
    form = {"picked": picked, "agreed": agreed, "nonce": nonce or new_nonce(world.owner)}
    return inside.post(reverse("settings-alike", args=[world.watched().pk, command.pk]), form)


def agreed_in(page: str) -> str:
    return str(re.findall(r'name="agreed" value="([^"]*)"', page)[0])


def test_the_form_says_for_how_many_it_can_be_saved(world: World, inside: Client) -> None:
    assert f"Save for this and {len(like_it(world))} like it" in inside.get(address(world)).content.decode()
    shared = [{"name": "tier", "value": "1"}]
    Watched.objects.filter(pk__in=[world.watched().pk, like_it(world)[0].pk]).update(tags=shared)
    assert "Save for this and 1 like it" in inside.get(address(world)).content.decode()
    Watched.objects.filter(pk=like_it(world)[0].pk).update(gone_at=world.now)
    assert "like it" not in inside.get(address(world)).content.decode()


def test_a_name_of_a_deployment_is_not_offered_to_others(world: World, inside: Client) -> None:
    assert "like it" not in inside.get(address(world, "about")).content.decode()


def test_each_is_listed_with_what_would_change_and_the_others_with_why_not(world: World, inside: Client) -> None:
    first, second, *rest = like_it(world)
    tell(world, first, driftThreshold=0.1)
    tell(world, second, driftThreshold=0.05)
    _, page = saved(world, inside)
    assert page.count('name="picked"') == len(rest) + 1
    assert f'{first.label} <span class="muted small">it is so already' in page
    assert '0.05 → <b class="ink">0.1</b>' in page
    assert "0.1 instead of 0.05" in page  # there it loosens, and says so
    assert Command.objects.filter(kind=KIND).count() == 1


def test_one_command_a_deployment_for_those_chosen_and_once(world: World, inside: Client) -> None:
    command, page = saved(world, inside)
    chosen = like_it(world)[:2]
    nonce = new_nonce(world.owner)
    picked = [one.pk for one in chosen]
    carry(inside, world, command, picked, agreed_in(page), nonce)
    response = carry(inside, world, command, picked, agreed_in(page), nonce)
    made = list(Command.objects.filter(kind=KIND).exclude(group="").order_by("watched__label"))
    assert [one.watched for one in made] == chosen
    for one in made:
        assert one.body["dataDrift"]["driftThreshold"] == 0.1
        assert one.read["dataDrift"]["driftThreshold"] == 0.15
    run = Bulk.objects.get()
    assert response["Location"] == reverse("bulk-progress", args=[run.pk])
    Command.objects.filter(pk=made[0].pk).update(state=WorkState.REFUSED, problem="Not in this plan.")
    progress = inside.get(response["Location"]).content.decode()
    assert "Not in this plan." in progress
    assert all(one.label.replace(">", "&gt;") in progress for one in chosen)


def test_what_changed_while_somebody_looked_sends_nothing(world: World, inside: Client) -> None:
    command, page = saved(world, inside)
    other = like_it(world)[0]
    tell(world, other, driftThreshold=0.12)
    response = carry(inside, world, command, [other.pk], agreed_in(page))
    assert response.status_code == 409
    assert "Something changed while you looked" in response.content.decode()
    assert Command.objects.filter(kind=KIND).count() == 1


def test_without_a_choice_nothing_is_sent(world: World, inside: Client) -> None:
    command, page = saved(world, inside)
    assert "None was chosen" in carry(inside, world, command, [], agreed_in(page)).content.decode()
    assert not Bulk.objects.exists()


def test_of_a_list_of_features_only_the_change_is_carried(world: World, inside: Client) -> None:
    other = like_it(world)[0]
    tell(world, other, excludedFeatures=["humid"])
    command, _ = saved(world, inside, confirmed="alike", **{"dataDrift.excludedFeatures": ["", "pressure"]})
    changes, own = alike.carriable(command)
    found = alike.carried(KIND, changes, [other], world.now)
    assert own == ()
    assert found.steps[0].edits[0].after == ["humid", "pressure"]
    save(
        [Outcome(other.pk, ask_of((q.features(),), None), TopicState.OK, {"data": [{"name": "humid"}]})],
        now=world.now,
        lags={},
    )
    ((watched, why),) = alike.carried(KIND, changes, [other], world.now).left
    assert (watched, why) == (other, "its model has no feature pressure")


def test_the_replay_adds_up_the_incidents_and_mails_of_all(world: World, inside: Client) -> None:
    off = {"dataDrift.lowImportanceWarningCount": ""}
    command, page = saved(world, inside, **{LIMIT: "0.9", COUNT: "9", "confirmed": "alike"}, **off)
    changes, _ = alike.carriable(command)
    steps = alike.carried(KIND, changes, like_it(world), world.now).steps
    sums = [0, 0, 0, 0]
    for step in steps:
        past = backtest.past_of(step.watched, world.now, length=TRIED_DAYS)
        found = backtest.compare(past, shaped(HealthSettings, applied(step.present, step.edits)))
        both = (found.current, found.proposed)
        pair = [*(one.incidents for one in both), *(one.notices for one in both)]
        sums = [total + one for total, one in zip(sums, pair, strict=True)]
    assert sums[3] < sums[2]
    url = reverse("settings-alike-tried", args=[world.watched().pk, command.pk])
    assert url in page
    part = inside.get(url).content.decode()
    while more := re.search(r'hx-get="([^"]+)"', part):
        part = inside.get(more[1]).content.decode()
    mails = "1 mail " if sums[3] == 1 else f"{sums[3]} mails "
    assert f"{mails}instead of {sums[2]}" in part
    assert f"Over all {len(steps)} deployments" in part


def test_a_sum_that_we_did_not_make_is_refused(world: World, inside: Client) -> None:
    command, _ = saved(world, inside)
    watched = world.watched()
    url = reverse("settings-alike-tried", args=[watched.pk, command.pk])
    of_another = seen.sealed([[], 1, [0, 0, 0, 0]], "alike", command.pk + 1)
    own = seen.sealed([[like_it(world)[0].pk], 1, [0, 0, 0, 0]], "alike", command.pk)
    assert inside.get(url, {"so_far": own}).status_code == 200
    for forged in ("WzEsMCwwLDAsMF0", own[:-1], f"x{own}", of_another):
        refused = inside.get(url, {"so_far": forged})
        assert refused.status_code == 400
        assert "This sum was not made by the page of this change" in refused.content.decode()


def test_each_step_of_a_replay_is_worked_out_once(
    world: World, inside: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.views.alike.CHUNK", 1)
    command, _ = saved(world, inside)
    url = reverse("settings-alike-tried", args=[world.watched().pk, command.pk])
    pieces = [inside.get(url).content.decode()]
    while more := re.search(r'hx-get="([^"]+)"', pieces[-1]):
        pieces.append(inside.get(unescape(more[1])).content.decode())
    replayed = [re.findall(r'id="incidents-(\d+)"', piece) for piece in pieces]
    assert replayed == [[str(one.pk)] for one in like_it(world)]
    assert [f"of {len(replayed)} deployments" in piece for piece in pieces] == [True] * (len(pieces) - 1) + [False]


@pytest.mark.parametrize("kind", [CommandKind.DETAILS, CommandKind.BATCH_LOCK])
def test_other_commands_are_not_carried(world: World, inside: Client, kind: CommandKind) -> None:
    command = Command.objects.create(
        source=world.source, watched=world.watched(), kind=kind, asked_at=world.now, asked_by=world.owner
    )
    assert inside.get(reverse("settings-alike", args=[world.watched().pk, command.pk])).status_code == 404
