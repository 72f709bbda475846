"""`/metrics`: off by default, opened by a token or a network, and every figure of it explained."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families
from pytest_django.fixtures import Settings

from config import telemetry
from dashboard.glossary import find
from tests.monitoring.factories import make_source, make_watched

pytestmark = pytest.mark.django_db
TOKEN = "for prometheus"
DOCUMENT = (Path(__file__).parent.parent.parent / "docs" / "operations.md").read_text()


def test_nothing_is_told_until_it_is_switched_on(client: Client) -> None:
    assert client.get("/metrics").status_code == 404


def test_a_token_opens_it_and_a_wrong_one_does_not(client: Client, settings: Settings) -> None:
    settings.METRICS_TOKEN = TOKEN
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer other"}).status_code == 401
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=")
    assert client.post("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 405


def test_a_network_opens_it_but_not_for_who_comes_through_a_proxy(client: Client, settings: Settings) -> None:
    settings.METRICS_NETWORKS = [ip_network("10.1.0.0/16")]
    assert client.get("/metrics", REMOTE_ADDR="10.1.2.3").status_code == 200
    assert client.get("/metrics", REMOTE_ADDR="::ffff:10.1.2.3").status_code == 200
    assert client.get("/metrics", REMOTE_ADDR="10.2.0.1").status_code == 401
    through = {"X-Forwarded-For": "203.0.113.9"}
    assert client.get("/metrics", REMOTE_ADDR="10.1.2.3", headers=through).status_code == 401
    settings.BEHIND_PROXY = True
    assert client.get("/metrics", REMOTE_ADDR="10.1.2.3", headers=through).status_code == 401
    last = {"X-Forwarded-For": "203.0.113.9, 10.1.7.7"}
    assert client.get("/metrics", REMOTE_ADDR="172.16.0.1", headers=last).status_code == 200


def test_every_figure_has_a_row_in_the_documentation_and_a_term_of_the_glossary() -> None:
    told = {name for name, _, _ in telemetry.gauges(datetime.now(UTC))}
    rows = set(re.findall(r"^\| `(vitals_\w+)` \|", DOCUMENT, re.MULTILINE))
    assert told == rows
    for name in told:
        entry = find(name)
        assert entry is not None, name
        assert entry.do, name


def test_the_answer_is_what_a_scraper_reads() -> None:
    now = datetime.now(UTC)
    source = make_source(silent_since=now - timedelta(minutes=5), last_ok_at=now - timedelta(minutes=6))
    for age in (1, 2, 60):
        seen = now - timedelta(minutes=age)
        make_watched(source, remote_id=f"d{age}", seen_at=seen, polled_at=None, due_at=now - timedelta(minutes=3))
    families = {one.name: one for one in text_string_to_metric_families(telemetry.exposition(now).decode())}
    (up,) = families["vitals_source_up"].samples
    assert up.labels["source"] == source.name
    assert up.value == 0
    assert families["vitals_source_silent_seconds"].samples[0].value == pytest.approx(300, abs=1)
    ages = {sample.labels["quantile"]: sample.value for sample in families["vitals_data_age_seconds"].samples}
    assert ages["0.5"] == pytest.approx(120, abs=1)
    assert ages["1"] == pytest.approx(3600, abs=1)
    assert families["vitals_deployments_stale"].samples[0].value == 1
    assert families["vitals_poll_lag_seconds"].samples[0].value == pytest.approx(180, abs=1)
    assert families["vitals_database_bytes"].samples[0].value > 1e6
    assert {sample.labels["queue"] for sample in families["vitals_queue_length"].samples} >= {"poll", "mail", "rollup"}


def test_figures_cost_the_same_however_many_deployments_there_are(django_assert_num_queries: object) -> None:
    now = datetime.now(UTC)
    source = make_source()
    for number in range(3):
        make_watched(source, remote_id=f"d{number}", seen_at=now)
    with django_assert_num_queries(18):  # type: ignore[operator]
        telemetry.gauges(now)


def test_an_answer_is_kept_for_some_seconds_so_that_scraping_often_costs_nothing(
    django_assert_num_queries: object,
) -> None:
    now = datetime.now(UTC)
    first = telemetry.exposition(now)
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert telemetry.exposition(now) == first
