"""Changes at a source: done, refused, in conflict, tried again."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from monitoring import commands, snapshots
from monitoring import questions as q
from monitoring.commands import NotAllowed
from monitoring.models import Command, CommandKind, Role, Source, WorkState
from tests.monitoring.factories import NOW, make_member, make_source, make_team, make_watched
from tests.monitoring.far_side import FarSide, Remote, json

pytestmark = pytest.mark.django_db
STRICTER = {"accuracy": {"metric": "LogLoss", "measurement": "percent", "warningThreshold": 2, "failingThreshold": 4}}


def ask(far: FarSide, read: dict[str, object] | None = None, role: Role = Role.MANAGER) -> Command:
    source = make_source()
    user = make_member(role=role).user
    return commands.ask(
        user,
        CommandKind.HEALTH_SETTINGS,
        source,
        NOW,
        watched=make_watched(source, remote_id=next(iter(far.remotes))),
        body=STRICTER,
        read=read or {},
    )


@pytest.mark.parametrize("role", [Role.MEMBER, Role.READONLY])
def test_only_managers_may_change_a_source(role: Role) -> None:
    with pytest.raises(NotAllowed):
        ask(FarSide(Remote("d1")), role=role)


def test_a_change_is_carried_out_and_known_at_once() -> None:
    far = FarSide(Remote("d1"))
    command = ask(far, {"accuracy": {"failingThreshold": 10}})
    assert commands.run_due(NOW, transport=far) == 1
    command.refresh_from_db()
    assert command.state == WorkState.DONE
    assert far.remotes["d1"].health_settings == STRICTER
    assert command.watched is not None
    known = snapshots.answer(command.watched, q.health_settings())
    assert known is not None
    assert known.payload["accuracy"]["failingThreshold"] == 4
    command.watched.refresh_from_db()
    assert command.watched.due_at == NOW


def test_a_setting_that_changed_since_it_was_read_is_a_conflict_and_stays() -> None:
    far = FarSide(Remote("d1"))
    command = ask(far, {"accuracy": {"failingThreshold": 99}})
    commands.run_due(NOW, transport=far)
    command.refresh_from_db()
    assert command.state == WorkState.CONFLICT
    assert far.remotes["d1"].health_settings == {}


def test_a_change_that_is_already_there_is_done_without_sending_it() -> None:
    far = FarSide(Remote("d1", health_settings=dict(STRICTER)))
    command = ask(far, {"accuracy": {"failingThreshold": 10}})
    commands.run_due(NOW, transport=far)
    command.refresh_from_db()
    assert command.state == WorkState.DONE
    assert far.count("PATCH") == 0


def test_what_the_source_refuses_is_refused_with_its_words() -> None:
    far = FarSide(Remote("d1"))
    far.odd["healthSettings/"] = lambda request: json({"message": "You may not do this."}, 403)
    command = ask(far)
    commands.run_due(NOW, transport=far)
    command.refresh_from_db()
    assert (command.state, command.problem) == (WorkState.REFUSED, "403: You may not do this.")


def test_a_source_that_is_down_is_tried_again_later_and_not_at_once() -> None:
    far = FarSide(Remote("d1"))
    far.odd["healthSettings/"] = lambda request: json({"message": "down"}, 500)
    command = ask(far)
    assert commands.run_due(NOW, transport=far) == 0
    far.odd.clear()
    assert commands.run_due(NOW + timedelta(seconds=5), transport=far) == 0
    assert commands.run_due(NOW + timedelta(minutes=1), transport=far) == 1
    command.refresh_from_db()
    assert command.state == WorkState.DONE


def test_a_connection_test_tells_the_version_and_how_many_deployments_there_are() -> None:
    source, user = make_source(), make_member().user
    command = commands.ask(user, CommandKind.TEST_SOURCE, source, NOW)
    commands.run_due(NOW, transport=FarSide(Remote("d1"), Remote("d2")))
    command.refresh_from_db()
    assert command.result == {"version": "2.36.0", "deployments": 2}


def test_a_connection_test_that_fails_says_so_at_once() -> None:
    source, user = make_source(), make_member().user
    command = commands.ask(user, CommandKind.TEST_SOURCE, source, NOW)
    far = FarSide()
    far.odd["version/"] = lambda request: json({"message": "Invalid token."}, 401)
    commands.run_due(NOW, transport=far)
    command.refresh_from_db()
    assert command.state == WorkState.REFUSED
    assert "Invalid token." in command.problem


def test_a_private_address_is_refused_by_the_worker_too() -> None:
    source, user = make_source(base_url="http://10.0.0.5/api/v2"), make_member().user
    command = commands.ask(user, CommandKind.TEST_SOURCE, source, NOW)
    commands.run_due(NOW)
    command.refresh_from_db()
    assert command.state == WorkState.FAILED
    assert "10.0.0.5 lies in a network" in command.problem


def test_a_source_that_is_down_is_asked_once_a_run_and_holds_nobody_else_up() -> None:
    far = FarSide(Remote("d1"), Remote("d2"))
    far.odd["d1/"] = lambda request: json({"message": "down"}, 500)
    down, well = make_source(name="down"), make_source(name="well")
    user = make_member().user
    for source, remote, n in ((down, "d1", 3), (well, "d2", 1)):
        watched = make_watched(source, remote_id=remote)
        for _ in range(n):
            commands.ask(user, CommandKind.HEALTH_SETTINGS, source, NOW, watched=watched, body=STRICTER)
    assert commands.run_due(NOW, transport=far) == 1
    tried = Command.objects.filter(source=down).order_by("pk").values_list("attempts", flat=True)
    assert list(tried) == [1, 0, 0]


def test_what_is_asked_of_a_paused_source_waits_and_a_test_of_its_connection_does_not() -> None:
    far = FarSide(Remote("d1"))
    command = ask(far)
    Source.objects.update(enabled=False)
    test = commands.ask(command.asked_by, CommandKind.TEST_SOURCE, command.source, NOW)
    assert commands.run_due(NOW, transport=far) == 1
    command.refresh_from_db()
    test.refresh_from_db()
    assert (command.state, test.state) == (WorkState.PENDING, WorkState.DONE)
    Source.objects.update(enabled=True)
    assert commands.run_due(NOW, transport=far) == 1


class Runs:
    """The runs of a policy at a source that loses the answer to POST; `answers` to later looks, then an empty list."""

    def __init__(self, *answers: httpx.Response) -> None:
        self.posts, self.answers = 0, list(answers)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            self.posts += 1
            raise httpx.ReadError("cut off")
        return self.answers.pop(0) if self.posts and self.answers else json({"data": [], "next": None, "count": 0})


def begin(far: FarSide, runs: Runs) -> Command:
    far.odd["runs/"] = runs
    source = make_source()
    watched = make_watched(source, remote_id="d1")
    user = make_member(role=Role.MANAGER).user
    return commands.ask(user, CommandKind.RUN_START, source, NOW, watched=watched, target="p1")


@pytest.mark.parametrize("look", [json({"message": "slow down"}, 429), json({"message": "no"}, 503)])
def test_a_run_whose_answer_was_lost_is_not_started_again_after_a_source_that_asked_to_wait(
    look: httpx.Response,
) -> None:
    far, runs = FarSide(Remote("d1")), Runs(*[look] * 9)
    command = begin(far, runs)
    for minutes in (0, 5, 60, 120, 240, 600):
        commands.run_due(NOW + timedelta(minutes=minutes), transport=far)
    command.refresh_from_db()
    assert (runs.posts, command.state) == (1, WorkState.IN_DOUBT)


def test_a_run_that_may_have_begun_is_in_doubt_where_looking_for_it_is_refused() -> None:
    far, runs = FarSide(Remote("d1")), Runs(json({"message": "no more"}, 403))
    command = begin(far, runs)
    commands.run_due(NOW, transport=far)
    commands.run_due(NOW + timedelta(minutes=5), transport=far)
    command.refresh_from_db()
    assert (runs.posts, command.state) == (1, WorkState.IN_DOUBT)


def test_a_change_that_was_answered_is_done_though_the_look_after_it_fails() -> None:
    far = FarSide(Remote("d1"))
    command, seen = ask(far), []

    def odd(request: httpx.Request) -> httpx.Response:
        seen.append(request.method)
        if "PATCH" in seen and request.method == "GET":
            return json({"message": "not now"}, 403)
        return json({} if request.method == "GET" else {"message": "ok"})

    far.odd["healthSettings/"] = odd
    commands.run_due(NOW, transport=far)
    command.refresh_from_db()
    assert (command.state, seen.count("PATCH")) == (WorkState.DONE, 1)


def test_something_unforeseen_ends_an_attempt_and_not_the_others() -> None:
    far = FarSide(Remote("d1"))
    first, user = ask(far), make_member("otto", role=Role.MANAGER, team=make_team()).user
    assert first.watched is not None
    test = commands.ask(user, CommandKind.TEST_SOURCE, make_source(name="other"), NOW + timedelta(seconds=1))
    far.odd["healthSettings/"] = lambda request: {}[request.method]  # type: ignore[index]
    commands.run_due(NOW + timedelta(seconds=2), transport=far)
    first.refresh_from_db()
    test.refresh_from_db()
    assert (first.state, test.state) == (WorkState.PENDING, WorkState.DONE)
    assert "unforeseen" in first.problem
