"""The command palette: what it finds, for whom, and at what cost."""

from __future__ import annotations

from django.test import Client
from django.urls import reverse

from dashboard import palette
from dashboard.reader import Reader
from dashboard.tabs.registry import ROWS
from monitoring.models import Watched
from tests.dashboard.world import World


def found(world: World, text: str, at: int | None = None, *, outsider: bool = False) -> dict[str, list[str]]:
    """Words by group."""
    reader = Reader.load(world.outsider if outsider else world.owner)
    shown: dict[str, list[str]] = {}
    for entry in palette.entries(reader, text, at):
        shown.setdefault(entry.group, []).append(entry.word)
    return shown


def test_without_words_pages_and_actions_are_offered(world: World) -> None:
    shown = found(world, "")
    assert set(shown) == {"Pages", "Actions"}
    assert "Register a model" in shown["Actions"]


def test_a_deployment_is_found_by_any_part_of_its_name_worst_first(world: World) -> None:
    shown = found(world, "delayed")["Deployments"]
    assert len(shown) > 1
    ranked = list(Watched.objects.filter(label__in=shown).order_by("-severity").values_list("severity", flat=True))
    by_label = dict(Watched.objects.values_list("label", "severity"))
    assert [by_label[label] for label in shown] == ranked


def test_the_tabs_of_the_open_deployment_come_first(world: World) -> None:
    watched = world.watched()
    shown = found(world, "drift", watched.pk)
    assert next(iter(shown)) == watched.label
    assert shown[watched.label] == ["Drift"]
    every = found(world, "", watched.pk)[watched.label]
    assert every == [row.word for row in ROWS if row.by_time]


def test_another_teams_deployments_are_never_named(world: World) -> None:
    assert found(world, "delayed", world.watched().pk, outsider=True).keys() <= {"Pages", "Actions"}


def test_a_reader_is_offered_no_action_that_is_refused(world: World) -> None:
    words = [entry.word for entry in palette.entries(Reader.load(world.reader), "", None) if entry.group == "Actions"]
    assert words == []


def test_odd_words_find_nothing_and_break_nothing(inside: Client) -> None:
    for text in ("%", "\x00", "a" * 5000, "'; drop", "\\"):
        assert inside.get(reverse("palette"), {"q": text, "at": "1e5"}).status_code == 200


def test_every_page_and_action_of_the_palette_opens(inside: Client) -> None:
    for name, *_ in (*palette.PAGES, *palette.ACTIONS):
        assert inside.get(reverse(name)).status_code == 200, name


def test_typing_costs_a_fixed_number_of_queries(
    inside: Client, world: World, django_assert_num_queries: object
) -> None:
    with django_assert_num_queries(5):  # type: ignore[operator]
        inside.get(reverse("palette"), {"q": "a", "at": str(world.watched().pk)})
