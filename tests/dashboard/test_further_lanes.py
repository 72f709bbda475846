"""Lanes of the overview and tabs of areas that not every deployment has."""

from __future__ import annotations

import re

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from monitoring.models import Area, Watched
from tests.dashboard import lens_source as lens
from tests.dashboard import world as worlds
from tests.dashboard.test_deployment import figures
from tests.dashboard.world import World


def overview(client: Client, label: str) -> str:
    response = client.get(reverse("overview", args=[Watched.objects.get(label=label).pk]))
    assert response.status_code == 200
    return response.content.decode()


def test_fairness_and_custom_metrics_have_lanes_where_they_are_on(lenses: World, client: Client) -> None:
    overview(client, lens.WATCHED.label)
    worlds.answer_waiting(lenses)
    content = overview(client, lens.WATCHED.label)
    assert {"overview-fairness", "overview-custom"} < set(figures(content))
    watched = Watched.objects.get(label=lens.WATCHED.label)
    for area, name, tab in ((Area.FAIRNESS, "Fairness", "fairness"), (Area.CUSTOM_METRICS, "Custom metrics", "custom")):
        lane = re.search(rf'<section class="lane" aria-label="{name}">.*?</section>', content, re.DOTALL)
        assert lane is not None
        assert watched.area_health(area)["reason"] in lane.group().replace("&lt;", "<").replace("&gt;", ">")
        assert reverse(tab, args=[watched.pk]) in lane.group()


def test_the_lane_of_fairness_draws_the_least_favoured_class(lenses: World, client: Client) -> None:
    content = overview(client, lens.WATCHED.label)
    below = re.search(r"(?:limit \d+|within the limits): (\w+) (\w+) 0\.", content)
    assert below is not None
    assert f"{below.group(1)} {below.group(2)}, of the most favoured" in content


def test_without_them_the_overview_is_as_it_was(lenses: World, client: Client) -> None:
    content = overview(client, lens.PLAIN.label)
    assert len(figures(content)) == 5


def test_tabs_of_what_is_off_stay_and_are_quiet(lenses: World, client: Client) -> None:
    def quiet(label: str) -> list[str]:
        found = re.search(r'<nav class="tabs".*?</nav>', overview(client, label), re.DOTALL)
        assert found is not None
        return re.findall(r'class="tab-off"[^>]*>([A-Z][a-z ]+)<', found.group())

    assert quiet(lens.WATCHED.label) == []
    assert quiet(lens.PLAIN.label) == ["Fairness", "Humility", "Custom metrics"]


def test_the_lanes_cost_no_further_queries(lenses: World, client: Client) -> None:
    for label in (lens.PLAIN.label, lens.WATCHED.label):
        overview(client, label)
    worlds.answer_waiting(lenses)
    counts = []
    for label in (lens.PLAIN.label, lens.WATCHED.label):
        with CaptureQueriesContext(connection) as asked:
            overview(client, label)
        counts.append(len(asked))
    assert counts[0] == counts[1]
