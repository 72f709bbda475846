"""The fleet in groups, against the same groups counted row by row."""

from __future__ import annotations

from collections import Counter

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from monitoring.fleet import Filters, fleet, listed, narrow
from monitoring.groups import PLAIN, Grouping, groups, plain_groups
from monitoring.models import Source, Status, Watched
from tests.monitoring.factories import NOW, make_source, make_watched

pytestmark = pytest.mark.django_db

OWNERS: tuple[list[str], ...] = (["Ines Moreau"], ["Jonas, Weber", "Ines Moreau"], [])
TAGS: tuple[list[dict[str, str | None]], ...] = (
    [{"name": "risk", "value": "1"}],
    [{"name": "risk", "value": None}, {"name": "eu", "value": None}],
    [],
)
STATUSES = (Status.PASSING, Status.FAILING, Status.WARNING, Status.UNKNOWN)


def a_fleet() -> Source:
    """Twelve deployments in every combination of three owners and four statuses."""
    source = make_source()
    for i in range(12):
        worst = STATUSES[i % 4]
        make_watched(
            source,
            remote_id=f"d{i}",
            label=f"Model {i:02}",
            worst=worst,
            severity=worst.severity,
            owners=OWNERS[i % 3],
            tags=TAGS[i % 3],
            importance=("CRITICAL", "")[i % 2],
            target_type="Binary",
            predictions_per_day=None if i == 0 else float(i),
        )
    return source


@pytest.mark.parametrize("by", Grouping)
def test_each_group_counts_what_its_own_filter_finds(by: Grouping) -> None:
    source = a_fleet()
    for one in groups(listed([source]), by).shown:
        narrowing = _filters(by, one.key)
        found = fleet([source.team_id], narrowing, now=NOW, size=200)
        assert found.counts == one.counts, one.label
        assert one.worst == max((row.status for row in found.rows), key=lambda status: status.severity)
        assert one.rate == sum(row.watched.predictions_per_day or 0.0 for row in found.rows)


def test_what_has_few_values_is_grouped_at_once_as_it_is_one_by_one() -> None:
    source, other = a_fleet(), make_source(name="Other")
    make_watched(other, remote_id="x", importance="LOW", target_type="", predictions_per_day=0.5)
    everything = listed([source, other])
    with CaptureQueriesContext(connection) as queries:
        found = plain_groups(everything)
    assert len(queries) == 1
    assert found == {by: groups(everything, by) for by in PLAIN}
    assert {one.key for one in found[Grouping.SOURCE].shown} == {str(source.pk), str(other.pk)}


def _filters(by: Grouping, key: str) -> Filters:
    if not key:
        return Filters(lacking=(by.value,))
    return {
        Grouping.TEAM: lambda: Filters(teams=(int(key),)),
        Grouping.SOURCE: lambda: Filters(sources=(int(key),)),
        Grouping.TAG: lambda: Filters(tags=(key,)),
        Grouping.OWNER: lambda: Filters(owners=(key,)),
        Grouping.IMPORTANCE: lambda: Filters(importances=(key,)),
        Grouping.TYPE: lambda: Filters(target_types=(key,)),
    }[by]()


def test_a_deployment_with_two_owners_stands_in_both_groups_and_one_without_in_its_own() -> None:
    source = a_fleet()
    expected = Counter(owner for row in Watched.objects.all() for owner in (row.owners or [""]))
    found = {one.key: one.size for one in groups(listed([source]), Grouping.OWNER).shown}
    assert found == expected
    assert found["Jonas, Weber"] == 4


def test_a_tag_with_a_value_is_a_group_of_its_own() -> None:
    found = groups(listed([a_fleet()]), Grouping.TAG).shown
    assert {one.label for one in found} == {"risk: 1", "risk", "eu", "No tag"}


def test_the_worst_group_stands_first_and_then_the_one_with_most_in_trouble() -> None:
    source = make_source()
    for i, (owner, worst) in enumerate(
        [("calm", "passing"), ("one", "failing"), ("two", "failing"), ("two", "failing"), ("risky", "warning")]
    ):
        status = Status(worst)
        make_watched(source, remote_id=f"d{i}", owners=[owner], worst=status, severity=status.severity)
    assert [one.key for one in groups(listed([source]), Grouping.OWNER).shown] == ["two", "one", "risky", "calm"]


@pytest.mark.parametrize("by", Grouping)
def test_groups_cost_one_statement_whatever_the_size(by: Grouping) -> None:
    source = a_fleet()
    with CaptureQueriesContext(connection) as queries:
        groups(narrow(listed([source]), Filters(search="Model")), by)
    assert len(queries) == 1


def test_unknown_traffic_stands_behind_busy_deployments_of_the_same_severity() -> None:
    source = make_source()
    for label, rate in (("unknown", None), ("calm", 1.0), ("busy", 900.0), ("idle", 0.0)):
        make_watched(source, remote_id=label, label=label, predictions_per_day=rate)
    for order in ("worst", "activity"):
        rows = fleet([source.team_id], None, order, now=NOW).rows
        assert [row.watched.label for row in rows] == ["busy", "calm", "idle", "unknown"], order


def test_the_order_of_the_fleet_is_that_of_its_index() -> None:
    """Thirty rows of ten thousand are read, not sorted."""
    source = make_source()
    Watched.objects.bulk_create(
        Watched(source=source, remote_id=f"d{i}", label=f"{i}", first_seen_at=NOW, seen_at=NOW, severity=i % 6)
        for i in range(2000)
    )
    from monitoring.fleet import ORDERS

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE monitoring_watched")
    plan = listed([source]).order_by(*ORDERS["worst"]).values_list("pk")[:30].explain()
    assert "monitoring_fleet_worst" in plan
    assert "Sort" not in plan
