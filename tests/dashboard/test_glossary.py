"""Help in place: every metric and status is explained, beside its label and in the list."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from django.template import Context, Template
from django.test import Client
from django.urls import reverse

from dashboard import examples
from dashboard.glossary import ENTRIES, Entry, by_group, find
from dashboard.glossary.drift import NAMES as DRIFT_NAMES
from metrics import ACCURACY_METRICS, DriftMetric
from metrics.custom import CustomKind
from metrics.fairness import FairnessMetric
from monitoring.models import Area, Status
from monitoring.questions import ServiceMetric
from tests.dashboard.world import World

NAMES = (
    *ACCURACY_METRICS,
    *(metric.value for metric in DriftMetric),
    *(metric.value for metric in ServiceMetric),
    *(metric.value for metric in FairnessMetric),
    *(kind.value for kind in CustomKind),
    *(str(status.label) for status in Status),
    *(f"{area.label} status" for area in Area),
)
SECTIONS = set(re.findall(r"^## (.+?)(?: ✚)?$", Path("docs/semantics.md").read_text(), re.MULTILINE))


@pytest.mark.parametrize("name", NAMES)
def test_every_metric_status_and_area_is_explained(name: str) -> None:
    entry = find(name)
    assert entry is not None, name
    assert len(entry.meaning) > 20


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.slug)
def test_an_entry_is_whole_sentences_and_names_a_section_that_exists(entry: Entry) -> None:
    for text in (entry.meaning, *((entry.how,) if entry.how else ()), *((entry.edge,) if entry.edge else ())):
        assert text.endswith("."), text
    assert entry.section in SECTIONS, entry.section
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", entry.slug)


def test_direction_and_range_are_those_of_the_catalogue() -> None:
    auc, loss, squared = find("AUC"), find("LogLoss"), find("R Squared")
    assert auc is not None
    assert loss is not None
    assert squared is not None
    assert (auc.span, auc.better) == ("0 to 1", "higher; a perfect model has 1")
    assert (loss.span, loss.better) == ("0 to no upper end", "lower; a perfect model has 0")
    assert squared.span == "no lower end to 1"


def test_no_two_entries_have_one_address_and_every_one_is_listed_once() -> None:
    assert len({entry.slug for entry in ENTRIES}) == len(ENTRIES)
    assert sum(len(found) for found in by_group().values()) == len(ENTRIES)


def test_a_label_is_found_as_pages_show_it() -> None:
    assert find("AUC, judged") == find("auc")
    assert find("At risk") == find("warning")
    assert find(DRIFT_NAMES[DriftMetric.PSI]) == find("psi")
    assert find("no such word") is None
    assert find("") is None


def test_the_mark_is_a_link_with_a_name_and_stands_only_beside_known_labels() -> None:
    shown = Template('{% load vitals %}{% help "PSI" %}|{% help "Frobnication" %}').render(Context())
    mark, nothing = shown.split("|")
    assert f'href="{reverse("glossary")}#psi"' in mark
    assert 'aria-label="What is PSI?"' in mark
    assert nothing == ""


def test_a_term_opens_as_a_card_in_a_page_and_as_its_place_in_the_list_otherwise(inside: Client) -> None:
    card = inside.get(reverse("term", args=["psi"]), headers={"HX-Request": "true"})
    assert "ln(live ÷ training)" in card.content.decode()
    assert "<html" not in card.content.decode()
    assert inside.get(reverse("term", args=["psi"]))["Location"] == f"{reverse('glossary')}#psi"
    assert inside.get(reverse("term", args=["no-such-term"])).status_code == 404


def test_every_tab_explains_its_tiles_and_charts(inside: Client, world: World) -> None:
    pk = world.watched().pk
    for tab in ("overview", "service", "drift", "accuracy", "predictions"):
        page = inside.get(reverse(tab, args=[pk])).content.decode()
        tiles = re.findall(r'<span class="tile-label">(.*?)</span>\s*<span class="tile-value">', page, re.DOTALL)
        assert all('class="help"' in tile for tile in tiles), tab
        titles = re.findall(r'<figcaption class="tick.*?<h3>(.*?)</h3>', page, re.DOTALL)
        assert all('class="help"' in title for title in titles), tab
        assert 'href="/glossary/#' in page


def test_a_request_to_copy_names_the_deployment_at_its_source_and_is_one_command(world: World) -> None:
    watched = world.watched()
    for example in (
        examples.predictions(watched, "pressure"),
        examples.actuals(watched),
        examples.service_events(watched),
        examples.custom_values(watched, "m1"),
        examples.settings(watched, "Switch on", targetDrift={"enabled": True}),
    ):
        words = shlex.split(example.text)
        assert words[0] == "curl"
        assert any(word.startswith(f"{watched.source.base_url}/deployments/{watched.remote_id}/") for word in words)
        assert "Authorization: Bearer $VITALS_TOKEN" in words
        assert re.fullmatch(r"[A-Za-z][\w-]*", example.key)


def test_an_empty_page_says_what_to_send_and_shows_the_request(world: World) -> None:
    example = examples.actuals(world.watched())
    shown = Template(
        '{% load vitals %}{% empty_state "No actuals yet" "6,461 predictions wait for labels." example=one %}'
    ).render(Context({"one": example}))
    assert "6,461 predictions wait for labels." in shown
    assert f'data-copy="{example.key}"' in shown
    assert f'id="{example.key}"' in shown
    assert "actuals/fromJSON/" in shown


def test_the_list_takes_no_more_queries_than_the_frame(inside: Client, django_assert_num_queries: object) -> None:
    with django_assert_num_queries(7):  # type: ignore[operator]
        inside.get(reverse("glossary"))
