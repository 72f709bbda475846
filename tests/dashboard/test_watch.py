"""The watcher's own page: its figures, what they mean, and who sees those of the whole installation."""

from __future__ import annotations

from datetime import timedelta

from django.test import Client
from django.urls import reverse

from dashboard import watching
from dashboard.tabs.parts import Tile
from monitoring.models import Command, MailState, Message, NotifyReason, PollRun, Watched
from tests.dashboard.world import World


def by_name(world: World) -> dict[str, Tile]:
    """The tiles of the page by their term."""
    return {tile.term or tile.label: tile for tile in watching.tiles([world.team.pk], world.now)}


def message(world: World, state: MailState, number: int, minutes: int = 0) -> Message:
    due = world.now - timedelta(minutes=minutes)
    return Message.objects.create(
        team=world.team,
        why=NotifyReason.OPENED,
        recipient="ines@example.org",
        message_id=f"<{number}@vitals>",
        state=state,
        created_at=due,
        not_before=due,
    )


def test_a_polled_installation_is_covered_and_fresh(world: World) -> None:
    tiles = by_name(world)
    assert tiles["Deployments watched"].value == str(Watched.objects.count())
    assert tiles["Without fresh data"].value == "0"
    assert tiles["Poll coverage"].unit == "%"
    assert float(tiles["Poll coverage"].value) > 99
    assert not any(tile.status for name, tile in tiles.items() if name.startswith(("Age", "Poll", "Changes")))


def test_old_data_and_failed_polls_are_called_out(world: World) -> None:
    old = world.now - timedelta(hours=2)
    Watched.objects.update(seen_at=old, polled_at=old, due_at=old)
    PollRun.objects.create(
        source=world.source, kind="poll", started_at=world.now, asked=1_000_000, answered=1, failed=9
    )
    tiles = by_name(world)
    assert tiles["Without fresh data"].value == str(Watched.objects.count())
    assert (tiles["Age of the data"].value, tiles["Age of the data"].unit) == ("2", "h")
    assert tiles["Age of the data"].status == tiles["Poll lag"].status == tiles["Poll coverage"].status == "warning"


def test_messages_in_doubt_given_up_and_overdue_are_told_apart(world: World) -> None:
    message(world, MailState.SENT, 1)
    message(world, MailState.IN_DOUBT, 2, minutes=20)
    tiles = by_name(world)
    assert tiles["Messages, last day"].note == "1 in doubt, 1 sent"
    assert tiles["Messages, last day"].status == "warning"
    assert (tiles["Oldest waiting message"].value, tiles["Oldest waiting message"].unit) == ("20", "min")
    assert tiles["Oldest waiting message"].status == "warning"
    message(world, MailState.FAILED, 3)
    assert by_name(world)["Messages, last day"].status == "failing"


def test_a_change_that_nobody_carries_out_is_seen(world: World) -> None:
    Command.objects.create(source=world.source, kind="details", asked_at=world.now - timedelta(minutes=5))
    tile = by_name(world)["Changes waiting"]
    assert (tile.value, tile.note, tile.status) == ("1", "oldest asked 5\u202fmin ago", "warning")


def test_sources_are_listed_slowest_first_with_their_breaker(world: World) -> None:
    world.source.failures, world.source.open_until = 5, world.now + timedelta(minutes=1)
    world.source.save()
    (pace,) = watching.slowest([world.team.pk], world.now)
    assert pace.polls > 0
    assert pace.seconds is not None
    assert pace.longest is not None
    assert pace.longest >= pace.seconds
    assert pace.breaker


def test_every_figure_says_what_it_means_and_what_to_do(world: World) -> None:
    from dashboard.glossary import find

    for tile in watching.tiles([world.team.pk], world.now):
        entry = find(tile.term or tile.label)
        assert entry is not None, tile.label
        assert entry.do, tile.label


def test_figures_of_the_installation_are_for_those_who_run_it(world: World, inside: Client) -> None:
    assert "This installation" not in inside.get(reverse("watch")).content.decode()
    world.owner.is_superuser = True
    world.owner.save()
    page = inside.get(reverse("watch")).content.decode()
    assert "This installation" in page
    for name in ("vitals_database_bytes", "vitals_queue_length", "vitals_rollup_dirty_buckets"):
        assert f"<code>{name}</code>" in page


def test_another_teams_figures_are_not_told(world: World) -> None:
    tiles = {tile.label: tile for tile in watching.tiles([], world.now)}
    assert tiles["Deployments watched"].value == "0"
    assert tiles["Messages, last day"].value == "0"


def test_the_page_takes_a_fixed_number_of_queries(inside: Client, django_assert_num_queries: object) -> None:
    inside.get(reverse("watch"))
    with django_assert_num_queries(20):  # type: ignore[operator]
        inside.get(reverse("watch"))
