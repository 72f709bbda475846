"""The fleet read: worst first, narrowed, counted, in a bounded number of statements."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from monitoring.fleet import Filters, fleet
from monitoring.models import Area, HealthDay, Source, Status, Team, Watched
from monitoring.strips import DayBar, strips
from monitoring.watch import pulse
from tests.monitoring.factories import NOW, make_source, make_team, make_watched

pytestmark = pytest.mark.django_db


def make(source: Source, number: int, worst: Status = Status.PASSING, **fields: object) -> Watched:
    health = {Area.DRIFT.value: {"status": worst.value, "reason": f"why {number}", "metric": "PSI", "value": 0.3}}
    defaults = {
        "remote_id": f"d{number}",
        "label": f"Model {number:02}",
        "worst": worst,
        "severity": worst.severity,
        "health": health,
    }
    return make_watched(source, **{**defaults, **fields})


def labels(source: Source, filters: Filters | None = None, order: str = "worst") -> list[str]:
    page = fleet([source.team_id], filters, order, now=NOW)
    return [row.watched.label for row in page.rows]


def test_worst_first_then_by_importance_and_traffic() -> None:
    source = make_source()
    make(source, 1)
    make(source, 2, Status.FAILING, importance="LOW", predictions_per_day=9e6)
    make(source, 3, Status.UNKNOWN)
    make(source, 4, Status.FAILING, importance="CRITICAL", predictions_per_day=5.0)
    make(source, 5, Status.WARNING)
    assert labels(source) == ["Model 04", "Model 02", "Model 05", "Model 03", "Model 01"]


def test_filters_narrow_and_counts_stay_over_the_whole() -> None:
    source = make_source()
    make(source, 1, Status.FAILING, description="credit risk", tags=[{"name": "risk", "value": "1"}])
    make(source, 2, Status.PASSING, importance="HIGH")
    page = fleet([source.team_id], Filters(statuses=("failing",)), now=NOW)
    assert (page.total, page.all_count, page.counts["passing"]) == (1, 2, 1)
    assert labels(source, Filters(search="CREDIT")) == ["Model 01"]
    assert labels(source, Filters(tags=("risk",))) == ["Model 01"]
    assert labels(source, Filters(importances=("HIGH",))) == ["Model 02"]
    assert labels(source, Filters(areas=((Area.DRIFT, Status.FAILING),))) == ["Model 01"]


def test_the_row_leads_with_the_area_that_is_worst() -> None:
    source = make_source()
    make(source, 7, Status.FAILING)
    row = fleet([source.team_id], now=NOW).rows[0]
    assert (row.lead.area, row.lead.reason, row.lead.value) == (Area.DRIFT, "why 7", 0.3)
    assert row.cell(Area.SERVICE).status is Status.UNKNOWN


def test_a_strip_has_thirty_days_and_gaps_where_nothing_is_known() -> None:
    source = make_source()
    watched = make(source, 1)
    HealthDay.objects.create(watched=watched, area=Area.DRIFT, day=NOW.date() - timedelta(days=2), status="failing")
    strip = fleet([source.team_id], now=NOW).rows[0].cell(Area.DRIFT).strip
    assert len(strip) == 30
    assert [bar.status for bar in strip[-3:]] == [Status.FAILING, None, None]


def test_a_strip_says_of_each_day_what_was_stored_of_it() -> None:
    source = make_source()
    rows = [make(source, number) for number in range(3)]
    last = NOW.date()
    for i, status in enumerate(Status):
        for number, watched in enumerate(rows):
            day = last - timedelta(days=3 * i + number)
            HealthDay.objects.create(watched=watched, area="fairness", day=day, status=status, value=i / 7 or None)
    HealthDay.objects.create(watched=rows[0], area=Area.DRIFT, day=last - timedelta(days=30), status="failing")
    found = strips([row.pk for row in rows], until=last)
    days = [last - timedelta(days=back) for back in range(29, -1, -1)]
    for watched in rows:
        stored = {one.day: one for one in HealthDay.objects.filter(watched=watched, area="fairness")}
        told = [
            DayBar(day, *((Status(stored[day].status), stored[day].value) if day in stored else (None,)))
            for day in days
        ]
        assert list(found[watched.pk, "fairness"]) == told
        assert found[watched.pk, "drift"] == tuple(DayBar(day, None) for day in days)
    assert ("humility" in {area for _, area in found}) is False


def test_pages_are_bounded_and_out_of_range_pages_are_the_last() -> None:
    source = make_source()
    for number in range(5):
        make(source, number)
    page = fleet([source.team_id], page=99, size=2, now=NOW)
    assert (page.page, page.pages, len(page.rows)) == (3, 3, 1)


def test_another_team_sees_nothing() -> None:
    make(make_source(), 1)
    assert fleet([Team.objects.create(name="Other").pk], now=NOW).all_count == 0


def test_what_is_gone_at_the_source_is_not_listed() -> None:
    source = make_source()
    make(source, 1, gone_at=NOW)
    assert labels(source) == []


@pytest.mark.parametrize("size", [1, 40])
def test_the_fleet_costs_four_statements_whatever_its_size(size: int) -> None:
    source = make_source()
    for number in range(size):
        make(source, number)
    with CaptureQueriesContext(connection) as queries:
        fleet([source.team_id], now=NOW)
    assert len(queries) == 4


def test_staleness_is_a_mark_and_leaves_the_status() -> None:
    source = make_source()
    make(source, 1, seen_at=NOW - timedelta(hours=3))
    row = fleet([source.team_id], now=NOW).rows[0]
    assert (row.stale, row.status) == (True, Status.PASSING)


def test_predictions_served_while_failing_are_added_up_over_the_fleet() -> None:
    source = make_source()
    make(source, 1, Status.FAILING, served_failing=150.0)
    make(source, 2, Status.FAILING, served_failing=20.5)
    make(source, 3)
    assert fleet([source.team_id], Filters(search="01"), now=NOW).served_while_failing == 170.5


def test_the_pulse_tells_coverage_and_silence() -> None:
    source = make_source(silent_since=NOW - timedelta(hours=1))
    make(source, 1, seen_at=NOW - timedelta(hours=1))
    source.runs.create(kind="poll", started_at=NOW, asked=20, answered=15, refused=1, failed=4)
    found = pulse([make_team().pk], NOW)
    assert (found.coverage, found.silent, found.stale) == (0.8, ("ops-east",), 1)
