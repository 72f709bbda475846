"""What is watched and why the rest is not, code by code."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from monitoring import questions as q
from monitoring.blind_spots import Wanted, blind_spots
from monitoring.health.coverage import CODES, COLUMNS, blind, coverage, read, written
from monitoring.kept_buckets import Point
from monitoring.models import Watched
from monitoring.poll.areas import AreaFacts
from monitoring.poll.standing import DAYS, Facts
from monitoring.snapshots import NO_TIME, AnswerView, SeriesView, Snapshot
from tests.monitoring.factories import NOW, make_source, make_watched

SETTINGS: dict[str, Any] = {"associationId": {"columnNames": ["id"]}}
HEALTH: dict[str, Any] = {"accuracy": {"metric": "AUC", "warningThreshold": 5, "failingThreshold": 10}}
EVERYTHING = Facts(
    target_type="Binary",
    judged_metric="AUC",
    drift_on=True,
    target_drift_on=True,
    has_association=True,
    areas=AreaFacts(("sex",), ("",), True, ("m1",), True, "P1D", "P1D"),
)


def known(settings: Any = SETTINGS, health: Any = HEALTH, labels: float = 40.0, able: bool = True) -> Snapshot:
    """Answers as they are stored."""
    names = ("supportsFeatureDriftTracking", "supportsTargetDriftTracking")
    abilities = {"data": [{"name": name, "supported": able} for name in names]}
    payloads = {q.settings(): settings, q.health_settings(): health, q.capabilities(): abilities}
    found = Snapshot(now=NO_TIME + timedelta(days=60))
    for question, payload in payloads.items():
        found.answers[question.key] = AnswerView(payload, NOW, NOW)
    question = q.predictions_vs_actuals_over_time(DAYS)
    point = Point(NOW, NOW, {"rowCountWithActual": labels}, NOW)
    found.serieses[f"{question.key}|{question.period(found.now)}"] = SeriesView((point,), {}, NOW, NOW, ())
    return found


def test_a_deployment_of_which_everything_is_watched_has_no_blind_spot() -> None:
    codes = coverage(known(), EVERYTHING, readers=2)
    assert {name: code for name, code in codes.items() if code != "watched"} == {"humility": "counted"}
    assert blind(codes) == 0


AREAS = EVERYTHING.areas
CASES = [
    ("drift", "off", {"drift_on": False, "target_drift_on": False}, {}),
    ("drift", "no_training", {}, {"able": False}),
    (
        "drift",
        "no_limit",
        {},
        {"health": {"dataDrift": {"highImportanceFailingCount": None, "lowImportanceWarningCount": None}}},
    ),
    ("accuracy", "no_association", {"has_association": False}, {}),
    ("accuracy", "no_actuals", {}, {"labels": 0.0}),
    ("accuracy", "no_metric", {"judged_metric": ""}, {}),
    ("accuracy", "no_limit", {}, {"health": {"accuracy": {"warningThreshold": None, "failingThreshold": None}}}),
    ("fairness", "not_binary", {"target_type": "Regression"}, {}),
    ("fairness", "no_protected", {"areas": replace(AREAS, protected=())}, {}),
    (
        "fairness",
        "no_limit",
        {},
        {"health": {"fairness": {"protectedClassFailingCount": None, "protectedClassWarningCount": None}}},
    ),
    ("custom_metrics", "no_condition", {"areas": replace(AREAS, custom_judged=False)}, {}),
    ("custom_metrics", "none", {"areas": replace(AREAS, custom_judged=False, custom=())}, {}),
    ("predictions_timeliness", "off", {"areas": replace(AREAS, predictions_every="")}, {}),
    ("predictions_timeliness", "by_batch", {"batch": True}, {}),
    ("actuals_timeliness", "off", {"areas": replace(AREAS, actuals_every="")}, {}),
    ("actuals_timeliness", "no_association", {"has_association": False}, {}),
    ("actuals_timeliness", "no_metric", {"judged_metric": ""}, {}),
    ("humility", "unused", {"areas": replace(AREAS, humility_on=False)}, {}),
]


@pytest.mark.parametrize(("column", "code", "facts", "answers"), CASES)
def test_each_reason_has_its_own_code(column: str, code: str, facts: dict[str, Any], answers: dict[str, Any]) -> None:
    found = coverage(known(**answers), replace(EVERYTHING, **facts), readers=1)
    assert found[column] == code


def test_nobody_who_gets_mail_is_a_blind_spot_even_before_anything_was_read() -> None:
    codes = coverage(Snapshot(now=datetime(2026, 1, 1, tzinfo=UTC)), Facts(), readers=0)
    assert codes.pop("heard") == "nobody"
    assert set(codes.values()) == {"unasked"}


def test_codes_are_stored_without_loss_and_fit_their_column() -> None:
    field = Watched._meta.get_field("coverage")
    for code in CODES:
        codes = dict.fromkeys(COLUMNS, code)
        assert read(written(codes)) == codes
        assert len(written(codes)) <= (field.max_length or 0)


def test_codes_of_another_version_are_not_looked_at_rather_than_watched() -> None:
    assert read("watched nonsense")["drift"] == "unasked"
    assert read("")["service"] == "unasked"


# --- The map ------------------------------------------------------------------------------------------------------


def spot(number: int, importance: str, **codes: str) -> Watched:
    chosen = dict.fromkeys(COLUMNS, "watched") | codes
    return make_watched(
        make_source(name=f"s{number}"),
        label=f"Model {number}",
        importance=importance,
        coverage=written(chosen),
        uncovered=blind(chosen),
    )


@pytest.mark.django_db
def test_the_most_important_with_the_most_blind_spots_come_first_and_columns_narrow() -> None:
    spots = [
        spot(1, "LOW", drift="off", accuracy="no_actuals", heard="nobody"),
        spot(2, "CRITICAL", drift="off"),
        spot(3, "CRITICAL", drift="off", heard="nobody"),
        spot(4, "CRITICAL", custom_metrics="none"),
    ]
    sources = [one.source for one in spots]
    found = blind_spots(sources, Wanted())
    assert [row.watched.label for row in found.rows] == ["Model 3", "Model 2", "Model 4", "Model 1"]
    assert (found.total, found.whole, found.counts["drift"]) == (4, 1, {"off": 3, "watched": 1})
    heard = blind_spots(sources, Wanted(column="heard"))
    assert [row.watched.label for row in heard.rows] == ["Model 3", "Model 1"]
    assert [row.watched.label for row in blind_spots(sources, Wanted("3", "drift", "off")).rows] == ["Model 3"]
    assert blind_spots(sources, Wanted(column="custom_metrics")).found == 0


@pytest.mark.django_db
@pytest.mark.parametrize("size", [2, 120])
def test_the_map_costs_four_statements_whatever_its_size(size: int) -> None:
    source = make_source()
    Watched.objects.bulk_create(
        Watched(source=source, remote_id=f"d{i}", label=f"{i}", first_seen_at=NOW, seen_at=NOW) for i in range(size)
    )
    with CaptureQueriesContext(connection) as queries:
        found = blind_spots([source], Wanted(search="1"), page=2)
    assert len(queries) == 4
    assert found.unasked == size
