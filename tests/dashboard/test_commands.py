"""Changes at a source on the pages: shown while they wait, told how they ended, decided again, never made twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from dashboard.acting import act_on, new_nonce
from dashboard.reader import Reader
from monitoring import commands
from monitoring.models import Command, CommandKind, Watched, WorkState
from tests.dashboard.world import World


def ask(world: World, **more: Any) -> Command:
    fields = {"body": {"label": "Late"}, "read": {"label": "Flight delayed > 15 min"}, "name": "Flight delayed", **more}
    return commands.ask(
        world.owner, CommandKind.DETAILS, world.source, timezone.now(), watched=world.watched(), **fields
    )


def end(command: Command, state: WorkState, **more: Any) -> None:
    Command.objects.filter(pk=command.pk).update(state=state, finished_at=timezone.now(), **more)


def overview(world: World, client: Client) -> str:
    return client.get(reverse("overview", args=[world.watched().pk])).content.decode()


def test_what_waits_stands_on_every_tab_and_asks_for_itself_again(world: World, inside: Client) -> None:
    ask(world)
    for tab in ("overview", "service", "accuracy"):
        page = inside.get(reverse(tab, args=[world.watched().pk])).content.decode()
        assert "Change Flight delayed" in page
        assert f'hx-get="{reverse("commands", args=[world.watched().pk])}?open=1&amp;begun=0"' in page


def test_a_page_without_commands_asks_nothing_about_waiting_ones(world: World, inside: Client) -> None:
    with CaptureQueriesContext(
        connection,
    ) as caught:
        overview(world, inside)
    about = [
        query["sql"] for query in caught.captured_queries if "monitoring_command" in query["sql"].split("WHERE")[0]
    ]
    assert [sql for sql in about if '"finished_at" >=' not in sql] == [], (
        "only the marks on the charts ask, of the past"
    )


def test_what_was_begun_and_then_stopped_was_not_refused(world: World, inside: Client) -> None:
    command = ask(world)
    end(command, WorkState.REFUSED, problem="Cancelled.", location="status/1/")
    page = overview(world, inside)
    assert "<b>Stopped</b>" in page
    assert "The job was stopped at the source." in page
    end(command, WorkState.REFUSED, problem="Not in this plan.", location="")
    page = overview(world, inside)
    assert "<b>Refused</b>" in page
    assert "Not in this plan." in page


@pytest.mark.parametrize(("lines", "told"), [(3, "3 places are wrong:"), (300, "More than 200 places are wrong:")])
def test_only_a_report_about_a_file_is_told_place_by_place(world: World, inside: Client, lines: int, told: str) -> None:
    command = ask(world)
    report = "\n".join(
        ["Nothing was taken in. Line 1: no time.", *(f"Line {n}: no time." for n in range(2, lines + 1))]
    )
    fields = {"problem": report[:500], "result": {"report": report}, "location": "status/1/"}
    end(command, WorkState.FAILED, **fields, kind=CommandKind.ACTUALS_DATASET)
    page = overview(world, inside)
    assert told in page
    assert f"<summary>{min(lines, 200)} places</summary>" in page
    Command.objects.filter(pk=command.pk).update(kind=CommandKind.REPLAY)
    page = overview(world, inside)
    assert "places are wrong" not in page
    assert "Line 2: no time." in page


def test_what_is_done_is_told_and_the_tab_below_is_drawn_again(world: World, inside: Client) -> None:
    command = ask(world)
    end(command, WorkState.DONE)
    response = inside.get(reverse("commands", args=[world.watched().pk]) + "?open=1")
    assert response["HX-Trigger"] == "acted"
    page = response.content.decode()
    assert "Changed Flight delayed" in page
    assert "hx-trigger" not in page.split("</article>")[0].split("<article")[0]


def test_a_conflict_shows_both_values_and_is_decided_again_on_what_stands_there(world: World, inside: Client) -> None:
    command = ask(world)
    end(command, WorkState.CONFLICT, result={"present": {"label": "Delays"}}, problem="It was changed.")
    page = overview(world, inside)
    for told in ("It was changed.", "Delays", "Late", "Decide again"):
        assert told in page
    url = reverse("command-again", args=[world.watched().pk, command.pk])
    inside.post(url, {"nonce": new_nonce(world.owner)})
    fresh = Command.objects.exclude(pk=command.pk).get()
    assert (fresh.body, fresh.read) == ({"label": "Late"}, {"label": "Delays"})
    command.refresh_from_db()
    assert command.dismissed_at is not None


def test_asking_again_in_two_tabs_asks_once(world: World, inside: Client) -> None:
    command = ask(world)
    end(command, WorkState.FAILED)
    url = reverse("command-again", args=[world.watched().pk, command.pk])
    for _ in range(2):
        inside.post(url, {"nonce": new_nonce(world.owner)})
    assert Command.objects.exclude(pk=command.pk).count() == 1


def test_progress_is_a_bar_with_its_number(world: World, inside: Client) -> None:
    command = ask(world)
    Command.objects.filter(pk=command.pk).update(state=WorkState.RUNNING, progress=0.37, message="3700 of 10000 rows")
    page = overview(world, inside)
    assert '<progress max="100" value="37">' in page
    assert "3700 of 10000 rows" in page


def test_done_leaves_by_itself_and_trouble_stays_until_it_is_taken_off(world: World, inside: Client) -> None:
    done, lost = ask(world), ask(world, name="the other")
    end(done, WorkState.DONE)
    end(lost, WorkState.IN_DOUBT, problem="It may have begun.")
    Command.objects.update(finished_at=timezone.now() - timedelta(minutes=30))
    page = overview(world, inside)
    assert "Changed Flight delayed" not in page
    assert "It may have begun." in page
    inside.post(reverse("command-dismiss", args=[world.watched().pk, lost.pk]))
    assert "It may have begun." not in overview(world, inside)


def test_what_is_open_cannot_be_taken_off_or_asked_again(world: World, inside: Client) -> None:
    command = ask(world)
    inside.post(reverse("command-dismiss", args=[world.watched().pk, command.pk]))
    command.refresh_from_db()
    assert command.dismissed_at is None
    url = reverse("command-again", args=[world.watched().pk, command.pk])
    assert inside.post(url, {"nonce": new_nonce(world.owner)}).status_code == 404


@pytest.mark.parametrize("forged", ["", "abc", "1.abcdef:xyz"])
def test_a_form_that_the_page_did_not_make_does_nothing(world: World, inside: Client, forged: str) -> None:
    command = ask(world)
    end(command, WorkState.FAILED)
    url = reverse("command-again", args=[world.watched().pk, command.pk])
    assert inside.post(url, {"nonce": forged}).status_code == 400
    assert Command.objects.count() == 1


def test_a_form_of_somebody_else_does_nothing(world: World, inside: Client) -> None:
    command = ask(world)
    end(command, WorkState.FAILED)
    url = reverse("command-again", args=[world.watched().pk, command.pk])
    assert inside.post(url, {"nonce": new_nonce(world.reader)}).status_code == 400


def test_the_same_form_posted_twice_asks_once(world: World) -> None:
    request: Any = RequestFactory().post("/", {"nonce": new_nonce(world.owner)})
    request.reader = Reader.load(world.owner)
    watched = Watched.objects.select_related("source").get(pk=world.watched().pk)
    first = act_on(request, watched, CommandKind.DETAILS, {"label": "Late"})
    assert act_on(request, watched, CommandKind.DETAILS, {"label": "Late"}) == first
    assert Command.objects.count() == 1
