"""What belongs on the agenda, as a table; and the laws of its order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.models import AgendaSection, Area, Importance, Status
from monitoring.reviews.agenda import Why, agenda, consequence, worsening
from monitoring.reviews.facts import AreaNow, DayValue, Facts, IncidentFact, Promise, SilenceFact

NOW = datetime(2026, 5, 14, 9, tzinfo=UTC)
SINCE = NOW - timedelta(days=7)
P, W, F, U = Status.PASSING, Status.WARNING, Status.FAILING, Status.UNKNOWN


def days(*statuses: Status, values: Sequence[float | None] | None = None) -> tuple[DayValue, ...]:
    """One verdict a day up to today."""
    first = NOW.date() - timedelta(days=len(statuses) - 1)
    numbers = values or [None] * len(statuses)
    return tuple(DayValue(first + timedelta(days=i), status, numbers[i]) for i, status in enumerate(statuses))


def area(status: Status = P, history: tuple[DayValue, ...] = (), **fields: object) -> AreaNow:
    return AreaNow(status, "", None, days=history or days(*[status] * 20), **fields)  # type: ignore[arg-type]


def facts(worst: Status = P, **fields: object) -> Facts:
    values = {
        "areas": {Area.DRIFT: area(worst)},
        "importance": "HIGH",
        "predictions_per_day": 1000.0,
        "visited_at": NOW - timedelta(days=2),
    }
    return Facts(1, "Loan default", worst, **{**values, **fields})  # type: ignore[arg-type]


def incident(number: int = 31, hours: float = 72, **fields: object) -> IncidentFact:
    return IncidentFact(number, "drift", NOW - timedelta(hours=hours), **fields)  # type: ignore[arg-type]


CALM = facts()
CASES = [
    # what is well, watched and known is not on the agenda
    (CALM, []),
    # it got worse since the last review
    (
        facts(F, areas={Area.DRIFT: area(F, days(*[P] * 15, *[F] * 5))}),
        [(Why.WORSE, "Data drift went from passing to failing")],
    ),
    # it recovered: said too
    (
        facts(P, areas={Area.DRIFT: area(P, days(*[F] * 15, *[P] * 5))}),
        [(Why.BETTER, "Data drift went from failing to passing")],
    ),
    # it failed and recovered in between
    (
        facts(P, areas={Area.DRIFT: area(P, days(*[P] * 15, F, F, P, P, P))}),
        [(Why.BETTER, "Data drift was failing on 2 days in between")],
    ),
    # from failing to at risk is better, and still on the agenda
    (
        facts(W, areas={Area.DRIFT: area(W, days(*[F] * 15, *[W] * 5))}),
        [(Why.BETTER, "Data drift went from failing to at risk")],
    ),
    # it goes on as before
    (facts(F), [(Why.STILL, "Data drift failing for 19\u202fd")]),
    # that was accepted last time
    (facts(F, accepted=frozenset({"still:drift:failing"})), []),
    # what was accepted at risk is not accepted when it fails
    (facts(F, accepted=frozenset({"still:drift:warning"})), [(Why.STILL, "Data drift failing for 19\u202fd")]),
    # an open incident says more than the verdict
    (
        facts(F, incidents=(incident(),)),
        [(Why.INCIDENT, "Incident 31 (data drift) open for 3\u202fd, nobody acknowledged")],
    ),
    (
        facts(F, incidents=(incident(assignee="Ines Moreau"),)),
        [(Why.INCIDENT, "Incident 31 (data drift) open for 3\u202fd, Ines Moreau")],
    ),
    (facts(F, incidents=(incident(answered=True),)), [(Why.INCIDENT, "Incident 31 (data drift) open for 3\u202fd")]),
    # three closed ones in a month are a pattern
    (
        facts(incidents=tuple(incident(n, 100.0 * n, closed_at=NOW - timedelta(hours=90)) for n in (1, 2, 3))),
        [(Why.REPEATED, "3 incidents of data drift in 30\u202fd")],
    ),
    (facts(incidents=tuple(incident(n, 100.0 * n, closed_at=NOW - timedelta(hours=90)) for n in (1, 2, 9))), []),
    # the model or the settings changed
    (facts(models=(("v3", NOW - timedelta(days=2)),)), [(Why.REPLACED, "v3 took over")]),
    (facts(models=(("v3", NOW - timedelta(days=8)),)), []),
    (
        facts(settings=(("Health settings changed: drift threshold 0.2 to 0.15", NOW - timedelta(days=2)),)),
        [(Why.SETTINGS, "Health settings changed: drift threshold 0.2 to 0.15")],
    ),
    # a silence that ends soon; one that does not
    (
        facts(silences=(SilenceFact(4, NOW + timedelta(hours=26), reason="storm season"),)),
        [(Why.SILENCE, "Silence ends in 26\u202fh (storm season)")],
    ),
    (facts(silences=(SilenceFact(4, NOW + timedelta(days=20)),)), []),
    # promises come back until they are kept
    (
        facts(promises=(Promise(9, "Retrain with July data", date(2026, 5, 12), "Ines"),)),
        [(Why.CARRIED, "Promised by Ines: Retrain with July data (overdue by 2 days)")],
    ),
    (facts(promises=(Promise(9, "Retrain", date(2026, 5, 15)),)), [(Why.CARRIED, "Promised: Retrain (due in 1 day)")]),
    # blind spots, unless they were accepted
    (facts(blind_spots=("Nobody gets mail",)), [(Why.BLIND, "Nobody gets mail")]),
    (facts(blind_spots=("Nobody gets mail",), accepted=frozenset({"blind:Nobody gets mail"})), []),
    (facts(visited_at=None), [(Why.NEVER_OPENED, "Nobody of the team has opened it")]),
    (facts(silent_since=NOW - timedelta(hours=3)), [(Why.STALE, "Its source does not answer: what is shown is old")]),
    # switched off or on is a setting, no verdict that changed
    (facts(areas={Area.DRIFT: area(P, days(*[Status.UNAVAILABLE] * 15, *[P] * 5))}), []),
    # its number moved though the verdict did not
    (
        facts(areas={Area.ACCURACY: area(P, days(*[P] * 16, values=[0.8] * 8 + [0.7] * 8), metric="AUC", better=1)}),
        [(Why.TREND, "Accuracy: AUC went down by 12.5\u202f% on average")],
    ),
]


@pytest.mark.parametrize(("one", "expected"), CASES)
def test_why_a_deployment_is_on_the_agenda(one: Facts, expected: list[tuple[Why, str]]) -> None:
    found = agenda([one], SINCE, NOW)
    assert [(reason.why, reason.text) for entry in found.entries for reason in entry.reasons] == expected
    assert found.calm == (() if expected else (one,))


def test_only_blind_spots_make_a_section_of_their_own() -> None:
    found = agenda([facts(blind_spots=("Nobody gets mail",)), replace(facts(F), watched_id=2)], SINCE, NOW)
    assert [entry.section for entry in found.entries] == [AgendaSection.DISCUSS, AgendaSection.BLIND]


def test_failing_with_a_blind_spot_is_to_be_discussed() -> None:
    one = facts(F, blind_spots=("Nobody gets mail",), accepted=frozenset({"still:drift:failing"}))
    assert [entry.section for entry in agenda([one], SINCE, NOW).entries] == [AgendaSection.DISCUSS]


def test_the_worst_by_consequence_comes_first() -> None:
    critical = replace(facts(F), watched_id=1, label="a", importance="CRITICAL")
    low = replace(facts(F), watched_id=2, label="b", importance="LOW")
    busy = replace(facts(F), watched_id=3, label="c", importance="CRITICAL", predictions_per_day=1e6)
    at_risk = replace(facts(W), watched_id=4, label="d", importance="CRITICAL")
    waiting = replace(facts(F), watched_id=5, label="e", importance="CRITICAL", incidents=(incident(hours=24 * 20),))
    found = agenda([low, at_risk, critical, busy, waiting], SINCE, NOW)
    assert [entry.facts.watched_id for entry in found.entries] == [5, 3, 1, 4, 2]


@pytest.mark.parametrize(
    ("values", "better", "expected"),
    [
        ([0.8] * 8 + [0.72] * 8, 1, 0.1),
        ([0.8] * 8 + [0.72] * 8, -1, 0.0),
        ([0.1] * 8 + [0.2] * 8, -1, 1.0),
        ([0.8] * 8 + [None] * 6 + [0.1] * 2, 1, 0.0),  # two days are no trend
        ([0.0] * 8 + [0.2] * 8, -1, 0.0),  # nothing to take a share of
        ([None] * 8 + [0.2] * 8, -1, 0.0),
    ],
)
def test_a_trend_is_the_share_by_which_the_mean_got_worse(
    values: list[float | None], better: int, expected: float
) -> None:
    history = days(*[P] * 16, values=values)
    assert worsening(history, better, SINCE) == pytest.approx(expected)


positive = st.floats(0, 1e7)


@given(st.integers(0, 5), st.sampled_from(Importance.values), positive, st.floats(0, 1000), positive)
def test_more_of_anything_never_weighs_less(
    severity: int, importance: str, predictions: float, hours: float, more: float
) -> None:
    waiting = timedelta(hours=hours)
    base = consequence(severity, importance, predictions, waiting)
    assert consequence(severity + 1, importance, predictions, waiting) >= base
    assert consequence(severity, Importance.CRITICAL, predictions, waiting) >= base
    assert consequence(severity, importance, predictions + more, waiting) >= base
    assert consequence(severity, importance, predictions, waiting + timedelta(hours=1)) >= base


statuses = st.lists(st.sampled_from([P, W, F, U]), min_size=1, max_size=30)


@given(st.lists(statuses, min_size=1, max_size=8))
def test_every_deployment_is_either_on_the_agenda_or_calm_whatever_the_order(histories: list[list[Status]]) -> None:
    everything = [
        replace(facts(h[-1]), watched_id=i, areas={Area.DRIFT: area(h[-1], days(*h))}) for i, h in enumerate(histories)
    ]
    found = agenda(everything, SINCE, NOW)
    told = [entry.facts.watched_id for entry in found.entries]
    assert sorted(told + [one.watched_id for one in found.calm]) == list(range(len(histories)))
    assert all(entry.reasons for entry in found.entries)
    again = agenda(list(reversed(everything)), SINCE, NOW)
    assert [entry.facts.label for entry in again.entries] == [entry.facts.label for entry in found.entries]
    assert {one.worst for one in found.calm} & {W, F} == set()
