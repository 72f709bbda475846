"""A search in the list of incidents: by deployment, by a member of a fleet incident, by a silent source."""

from __future__ import annotations

import pytest

from monitoring.incidents import listing
from monitoring.incidents.listing import Narrowed, Show
from monitoring.models import Incident, IncidentKind
from tests.monitoring.factories import NOW, make_incident, make_source, make_watched

pytestmark = pytest.mark.django_db


def found(search: str, show: Show = Show.RESOLVED, watched_id: int | None = None) -> set[int]:
    rows = listing.of_teams(Incident.objects.values_list("team", flat=True))
    return set(
        listing.narrowed(rows, Narrowed(show, search, watched_id=watched_id), 1, NOW).values_list("pk", flat=True)
    )


@pytest.mark.parametrize("few", [1, 200])
def test_a_name_is_found_in_its_incidents_those_it_is_part_of_and_those_of_its_source(
    few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "FEW", few)  # with few names and with many there are two ways
    source = make_source(name="Loans of the north")
    loan, churn = make_watched(source, label="Loan default"), make_watched(source, remote_id="d2", label="Churn")
    second = make_incident(make_watched(source, remote_id="d3", label="Loan return"), resolved_at=NOW)
    over = {"resolved_at": NOW}
    own, other = make_incident(loan, **over), make_incident(churn, **over)
    fleet = make_incident(churn, kind=IncidentKind.FLEET, watched=None, area="", cause="x", **over)
    for number in range(2):
        make_incident(loan, area="accuracy" if number else "service", parent=fleet, **over)
    silent = make_incident(churn, kind=IncidentKind.SOURCE, watched=None, area="", **over)
    still_open = make_incident(loan, area="fairness")
    expected = {
        "LOAN DEF": {own.pk, fleet.pk},
        "loan": {own.pk, second.pk, fleet.pk, silent.pk},
        "churn": {other.pk},
        "north": {silent.pk},
        "nobody": set(),
    }
    assert {search: found(search) for search in expected} == expected
    assert found("loan", Show.OPEN) == {still_open.pk}
    assert found("", watched_id=loan.pk) == {own.pk, fleet.pk}
