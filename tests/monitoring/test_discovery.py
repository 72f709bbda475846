"""The list: what is new, moved, replaced, gone, or not as the reference says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from monitoring.models import Area, ModelSeen, Source, Status, Watched
from monitoring.poll import discovery
from tests.monitoring.factories import NOW, make_source
from tests.monitoring.far_side import FarSide, Remote

pytestmark = pytest.mark.django_db
INTERVAL = timedelta(minutes=1)


def entries(*remotes: Remote) -> list[dict[str, Any]]:
    far = FarSide(*remotes)
    return [far.on_details(remote, {}) for remote in remotes]


def apply(source: Source, listed: list[dict[str, Any]], minutes: int = 0) -> discovery.Discovered:
    return discovery.apply(source, listed, now=NOW + timedelta(minutes=minutes), interval=INTERVAL)


def test_a_new_deployment_is_copied_and_due_at_once() -> None:
    apply(make_source(), entries(Remote("d1", status={"modelHealth": "failing"})))
    row = Watched.objects.get()
    assert (row.label, row.target_type, row.importance) == ("Loan default", "Binary", "HIGH")
    assert row.predictions_per_day == 2000
    assert row.source_health[Area.DRIFT]["status"] == Status.FAILING
    assert row.due_at is None


@pytest.mark.parametrize(
    ("rates", "a_day"),
    [([700, 900, 30], 800), ([0, 0, 30], 10), ([30], 30), ([], None)],
)
def test_predictions_a_day_are_those_of_whole_days(rates: list[int], a_day: float | None) -> None:
    listed = entries(Remote("d1"))
    listed[0]["predictionUsage"]["dailyRates"] = rates
    apply(make_source(), listed)
    assert Watched.objects.get().predictions_per_day == a_day


def test_windows_of_health_that_only_slide_are_no_movement() -> None:
    source, listed = make_source(), entries(Remote("d1"))
    listed[0]["fairnessHealth"] = dict(listed[0]["accuracyHealth"])
    apply(source, listed)
    for name in ("serviceHealth", "modelHealth", "accuracyHealth", "fairnessHealth"):
        listed[0][name] |= {"startDate": "2026-05-01T11:00:00Z", "endDate": "2026-05-02T11:00:00Z"}
    assert apply(source, listed, 1).moved == 0


def test_a_move_brings_the_next_poll_forward_but_not_below_the_interval() -> None:
    source, remote = make_source(), Remote("d1")
    apply(source, entries(remote))
    Watched.objects.update(attempted_at=NOW, due_at=NOW + timedelta(hours=1))
    remote.last += timedelta(seconds=20)
    discovery.apply(source, entries(remote), now=NOW + timedelta(seconds=20), interval=INTERVAL)
    assert Watched.objects.get().due_at == NOW + INTERVAL


def test_a_replaced_champion_ends_one_stay_and_begins_another() -> None:
    source, remote = make_source(), Remote("d1")
    apply(source, entries(remote))
    remote.model_id = "m2"
    apply(source, entries(remote), 5)
    apply(source, entries(remote), 6)
    first, second = ModelSeen.objects.order_by("since")
    assert (first.model_id, first.until) == ("m1", NOW + timedelta(minutes=5))
    assert (second.model_id, second.until) == ("m2", None)


def test_what_is_no_longer_listed_is_marked_and_comes_back_whole() -> None:
    source = make_source()
    apply(source, entries(Remote("d1"), Remote("d2")))
    assert apply(source, entries(Remote("d1")), 1).gone == 1
    assert Watched.objects.get(remote_id="d2").gone_at == NOW + timedelta(minutes=1)
    apply(source, entries(Remote("d1"), Remote("d2")), 2)
    assert Watched.objects.get(remote_id="d2").gone_at is None
    assert Watched.objects.count() == 2


HOSTILE = [
    ({"label": 7}, "$.label"),
    ({"predictionUsage": {"dailyRates": ["many"]}}, "$.predictionUsage.dailyRates[0]"),
    ({"model": "GBM"}, "$.model"),
]


@pytest.mark.parametrize(("change", "named"), HOSTILE)
def test_an_entry_of_the_wrong_shape_is_kept_with_its_problem_and_stops_no_other(
    change: dict[str, Any], named: str
) -> None:
    listed = entries(Remote("d1"), Remote("d2"))
    listed[0] |= change
    apply(make_source(), listed)
    assert named in Watched.objects.get(remote_id="d1").problem
    assert Watched.objects.get(remote_id="d2").problem == ""


def test_a_bare_entry_is_enough() -> None:
    apply(make_source(), [{"id": "d1"}, {"label": "no id"}, {"id": "d1", "serviceHealth": None, "tags": None}])
    row = Watched.objects.get()
    assert (row.label, row.worst, row.daily_rates) == ("d1", Status.UNKNOWN, [])
    assert row.source_health[Area.SERVICE]["status"] == Status.UNKNOWN


def test_words_of_a_later_version_are_not_taken_for_ours() -> None:
    listed = entries(Remote("d1", importance="COSMIC"))
    listed[0] |= {"status": "hibernating", "serviceHealth": {"status": "splendid"}, "brandNew": {"x": 1}}
    apply(make_source(), listed)
    row = Watched.objects.get()
    assert (row.importance, row.deployment_status) == ("", "active")
    assert row.source_health[Area.SERVICE]["status"] == Status.UNKNOWN
    assert row.listing["brandNew"] == {"x": 1}


def test_an_unchanged_list_costs_the_same_however_long_it_is() -> None:
    source, listed = make_source(), entries(*(Remote(f"d{number}") for number in range(60)))
    apply(source, listed)
    with CaptureQueriesContext(connection) as queries:
        apply(source, listed, 1)
    assert len(queries) <= 6
