"""Why is it red, and as it was known: the head of a deployment."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from dashboard.why import Piece, cut
from monitoring.models import Area, AreaHealth, HealthDay, Incident, Status, Transition
from tests.dashboard import world as worlds
from tests.dashboard.world import World
from tests.monitoring.factories import make_incident


def test_words_of_a_sentence_become_links_and_the_sentence_stays_whole() -> None:
    found = cut("3 features above 0.15: a 0.31, b 0.20.", iter([("a 0.31", "/a"), ("b 0.20", "/b"), ("c 9", "/c")]))
    assert found == (
        *(Piece("3 features above 0.15: "), Piece("a 0.31", "/a"), Piece(", ")),
        *(Piece("b 0.20", "/b"), Piece(".")),
    )


WORDS = st.text(alphabet="ab 1.", max_size=8)


@given(st.text(alphabet="ab 1.", max_size=40), st.lists(st.tuples(WORDS, st.just("/x")), max_size=6))
def test_the_pieces_always_join_to_the_sentence(sentence: str, links: list[tuple[str, str]]) -> None:
    assert "".join(piece.text for piece in cut(sentence, iter(links))) == sentence


def test_each_number_of_the_head_leads_to_the_view_that_shows_it(world: World, inside: Client) -> None:
    page = inside.get(reverse("overview", args=[world.watched().pk]))
    links = {piece.text: piece.href for one in page.context["why"] for piece in one.pieces if piece.href}
    assert links
    for text, href in links.items():
        assert inside.get(href.split("#")[0]).status_code == 200, text
        worlds.answer_waiting(world)
        shown = inside.get(href.split("#")[0])
        assert f'id="{href.split("#")[1]}"' in shown.content.decode(), href


def test_a_drifted_feature_leads_to_its_own_distribution_over_the_judged_window(world: World, inside: Client) -> None:
    row = AreaHealth.objects.get(watched=world.watched(), area=Area.DRIFT)
    name = row.evidence["highImportance"][0]["name"]
    page = inside.get(reverse("overview", args=[world.watched().pk]))
    links = [piece.href for one in page.context["why"] for piece in one.pieces if f"feature={name}" in piece.href]
    assert links == [reverse("drift", args=[world.watched().pk]) + f"?range=7d&feature={name}#drift-distribution"]


@pytest.fixture
def changed(world: World) -> World:
    """Drift that was passing until two hours ago, with an incident since."""
    watched = world.watched()
    Transition.objects.filter(watched=watched).delete()
    HealthDay.objects.filter(watched=watched).delete()
    Incident.objects.filter(watched=watched).delete()
    at = world.now - timedelta(hours=2)
    Transition.objects.create(
        watched=watched, area=Area.DRIFT, old=Status.PASSING, new=Status.FAILING, at=at, reason="PSI 3.43 since noon."
    )
    AreaHealth.objects.filter(watched=watched).exclude(area=Area.DRIFT).update(
        status=Status.PASSING, since=at - timedelta(days=3)
    )
    make_incident(watched, began_at=at, opened_at=at)
    return world


def test_the_head_tells_the_verdict_of_then(changed: World, inside: Client) -> None:
    url = reverse("overview", args=[changed.watched().pk])
    before = inside.get(url, {"as_of": (changed.now - timedelta(hours=3)).isoformat()})
    assert before.context["watched"].worst == Status.PASSING
    assert [one.status for one in before.context["why"]] == ["passing"] * 3
    assert before.context["incidents"] == []
    assert "As known on" in before.content.decode()
    assert "Back to now" in before.content.decode()
    after = inside.get(url, {"as_of": (changed.now - timedelta(hours=1)).isoformat()})
    assert [(one.area, one.status, one.reason) for one in after.context["why"]] == [
        ("Data drift", "failing", "PSI 3.43 since noon.")
    ]
    assert len(after.context["incidents"]) == 1
    changed.watched().refresh_from_db()
    assert changed.watched().worst == Status.FAILING


def test_the_fleet_and_the_incidents_tell_of_then_too(changed: World, inside: Client) -> None:
    then = (changed.now - timedelta(hours=3)).isoformat()
    label = changed.watched().label.replace(">", "&gt;")
    page = inside.get("/", {"as_of": then, "status": "failing"}).content.decode()
    assert f">{label}</a>" not in page
    later = inside.get("/", {"as_of": (changed.now - timedelta(hours=1)).isoformat(), "status": "failing"})
    assert f">{label}</a>" in later.content.decode()
    assert "Back to now" in later.content.decode()
    one = Incident.objects.get(watched=changed.watched())
    assert f"#{one.pk} " not in inside.get(reverse("incidents"), {"as_of": then}).content.decode()
    assert f"#{one.pk} " in inside.get(reverse("incidents")).content.decode()
    assert inside.get(reverse("incident", args=[one.pk]), {"as_of": then}).status_code == 404


def test_going_back_costs_no_more_than_one_statement_for_verdicts(changed: World, inside: Client) -> None:
    url = reverse("overview", args=[changed.watched().pk])
    asked = {"as_of": (changed.now - timedelta(hours=1)).isoformat()}
    inside.get(url, asked)
    with CaptureQueriesContext(connection) as past:
        inside.get(url, asked)
    with CaptureQueriesContext(connection) as now:
        inside.get(url)
    assert len(past) <= len(now) + 2
