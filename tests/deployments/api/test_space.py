"""Space over HTTP is what a loop over the same rows gives, cell by cell, with the parents that h3 itself gives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import h3
import msgspec
import numpy as np
import polars as pl
import pytest
from django.contrib.auth.models import User
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient
from sklearn.metrics import accuracy_score, mean_absolute_error, roc_auc_score

from deployments import registry
from deployments.ingest.points import cells_of
from deployments.models import Deployment, Role, SegmentAttribute, State
from deployments.registration import PackageSpec, register
from deployments.rollups import piece, space
from metrics import drift_scores, fit_categorical, fit_numeric
from tests.deployments.factories import HOUR, NOW, make_deployment, roll_up, send_actuals, send_predictions
from tests.deployments.test_registry import upload

pytestmark = pytest.mark.django_db
PERIOD = "start=2026-03-02T00:00:00Z&end=2026-03-03T00:00:00Z"
TOWNS = {"Oslo": (59.91, 10.75), "Bergen": (60.39, 5.32), "Narvik": (68.44, 17.43)}


@dataclass(frozen=True)
class Trip:
    """One prediction as its sender knows it."""

    at: datetime
    town: str
    age: float
    p: float
    y: float | None
    lat: float
    lon: float

    @property
    def place(self) -> str:
        return f"{self.lat},{self.lon}"

    def cell(self, resolution: int = 7) -> str:
        return (
            str(h3.latlng_to_cell(self.lat, self.lon, 7))
            if resolution == 7
            else str(h3.cell_to_parent(h3.latlng_to_cell(self.lat, self.lon, 7), resolution))
        )


def trips(n: int, seed: int, kind: str = "Regression", spread: float = 0.0) -> list[Trip]:
    """Rows in three towns, each somewhat apart, over three hours; three in four have an actual."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        town = list(TOWNS)[int(rng.integers(3))]
        lat, lon = (round(at + float(rng.uniform(-spread, spread)), 5) for at in TOWNS[town])
        p = float(rng.random()) if kind == "Binary" else float(rng.normal(20 + 10 * len(town), 5))
        y = float(rng.random() < p) if kind == "Binary" else p + float(rng.normal(0, 3))
        age = round(float(rng.uniform(20, 70)), 1)
        known = y if rng.random() < 0.75 else None
        rows.append(Trip(HOUR + timedelta(hours=i % 3 - 1), town, age, round(p, 4), known, lat, lon))
    return rows


def made(user: User, kind: str, baseline: Sequence[Trip]) -> Deployment:
    """A deployment whose training data and holdout are the given rows."""
    y = [one.y or 0.0 for one in baseline]
    table = pl.DataFrame(
        {
            "age": [one.age for one in baseline],
            "town": [one.town for one in baseline],
            "place": [one.place for one in baseline],
            "y": ["yes" if hit else "no" for hit in y] if kind == "Binary" else y,
            "prediction": [one.p for one in baseline],
        }
    )
    dataset = upload(table, "rows.parquet", user).public_id
    features = [
        {"name": "age", "type": "Numeric", "featureImpact": 0.4},
        {"name": "town", "type": "Categorical", "featureImpact": 1.0},
        {"name": "place", "type": "Geospatial"},
    ]
    body = {"name": "trips", "target": {"name": "y", "type": kind}, "features": features}
    body |= {"trainingDatasetId": dataset, "holdoutDatasetId": dataset}
    package = register(msgspec.convert(body, PackageSpec), user)
    chosen = {"segmentAnalysis": {"enabled": True, "attributes": ["place"]}}
    deployment = registry.create_deployment(package, "Trips", user, settings=chosen, started_at=NOW - timedelta(days=9))
    deployment.attributes.update(since=NOW - timedelta(days=9))
    return deployment


def send(deployment: Deployment, rows: Sequence[Trip], kind: str = "Regression") -> None:
    ids = [f"trip-{i}" for i in range(len(rows))]
    send_predictions(
        deployment,
        [one.p for one in rows],
        at=[one.at for one in rows],
        ids=ids,
        ages=[one.age for one in rows],
        towns=[one.town for one in rows],
        places=[one.place for one in rows],
    )
    known = {key: row.y for key, row in zip(ids, rows, strict=True) if row.y is not None}
    if kind == "Binary":
        send_actuals(deployment, {key: "yes" if value else "no" for key, value in known.items()})
    else:
        send_actuals(deployment, known)
    roll_up(deployment)


def ask(client: APIClient, deployment: Deployment, tail: str, query: str = "") -> Any:
    answer = client.get(f"/api/v2/deployments/{deployment.public_id}/{tail}/?{PERIOD}&{query}")
    assert answer.status_code == 200, answer.content
    return answer.json()


def by_cell(rows: Iterable[Trip], resolution: int = 7) -> dict[str, list[Trip]]:
    found: dict[str, list[Trip]] = {}
    for row in rows:
        found.setdefault(row.cell(resolution), []).append(row)
    return found


def listed(rows: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    found = {row["hexagon"]: row for row in rows}
    assert len(found) == len(rows)
    return found


@pytest.fixture
def client(user: User, client: APIClient) -> APIClient:
    return client


def test_predictions_of_each_cell_are_those_of_its_rows(client: APIClient, user: User) -> None:
    before, rows = trips(150, 1), trips(200, 2)
    deployment = made(user, "Regression", before)
    send(deployment, rows)
    answer = ask(client, deployment, "predictionsOverSpace")
    assert answer["geoFeatureName"] == "place"
    for shown, given in (("buckets", rows), ("baselines", before)):
        cells, expected = listed(answer[shown]), by_cell(given)
        assert cells.keys() == expected.keys()
        for name, own in expected.items():
            assert cells[name]["rowCount"] == len(own)
            assert cells[name]["meanPredictedValue"] == pytest.approx(np.mean([one.p for one in own]))


def test_classes_of_each_cell_are_those_of_its_rows(client: APIClient, user: User) -> None:
    before, rows = trips(150, 3, "Binary"), trips(200, 4, "Binary")
    deployment = made(user, "Binary", before)
    send(deployment, rows, "Binary")
    predicted = ask(client, deployment, "predictionsOverSpace")
    versus = ask(client, deployment, "predictionsVsActualsOverSpace", "targetClass=yes")
    for shown, given in (("buckets", rows), ("baselines", before)):
        cells, beside = listed(predicted[shown]), listed(versus[shown])
        for name, own in by_cell(given).items():
            counts = {row["className"]: row["count"] for row in cells[name]["classDistribution"]}
            assert counts == {"no": sum(one.p <= 0.5 for one in own), "yes": sum(one.p > 0.5 for one in own)}
            means = {row["className"]: row["value"] for row in cells[name]["meanProbabilities"]}
            assert means["yes"] == pytest.approx(np.mean([one.p for one in own]))
            known = [one for one in own if one.y is not None or shown == "baselines"]
            (actual,) = beside[name]["actualClassDistribution"]
            assert (actual["className"], actual["count"]) == ("yes", sum(bool(one.y) for one in known))


def test_predicted_and_actual_means_are_those_of_the_matched_rows(client: APIClient, user: User) -> None:
    rows = trips(200, 5)
    deployment = made(user, "Regression", trips(150, 1))
    send(deployment, rows)
    answer = ask(client, deployment, "predictionsVsActualsOverSpace")
    for name, own in by_cell(rows).items():
        found, known = listed(answer["buckets"])[name], [one for one in own if one.y is not None]
        assert (found["rowCountTotal"], found["rowCountWithActual"]) == (len(own), len(known))
        assert found["meanPredictedValue"] == pytest.approx(np.mean([one.p for one in known]))
        assert found["meanActualValue"] == pytest.approx(np.mean([one.y for one in known]))
    assert answer["summary"] == {
        "rowCountTotal": 200,
        "rowCountWithActual": sum(one.y is not None for one in rows),
    }


@pytest.mark.parametrize(
    ("kind", "metric", "score"),
    [
        ("Regression", "MAE", lambda y, p: mean_absolute_error(y, p)),
        ("Binary", "AUC", lambda y, p: roc_auc_score(y, p)),
        ("Binary", "Accuracy", lambda y, p: accuracy_score(y, np.array(p) > 0.5)),
    ],
)
def test_accuracy_of_each_cell_is_what_scikit_learn_says(
    client: APIClient, user: User, kind: str, metric: str, score: Any
) -> None:
    before, rows = trips(150, 6, kind), trips(240, 7, kind)
    deployment = made(user, kind, before)
    send(deployment, rows, kind)
    answer = ask(client, deployment, "accuracyOverSpace", f"metric={metric}")
    assert answer["metric"] == metric
    for shown, given in (("buckets", rows), ("baselines", before)):
        cells = listed(answer[shown])
        for name, own in by_cell(given).items():
            known = [(one.y or 0.0, one.p) for one in own if one.y is not None or shown == "baselines"]
            y, p = zip(*known, strict=True)
            assert cells[name]["value"] == pytest.approx(score(y, p)), name
            assert cells[name]["sampleSize"] == len(known)


@pytest.mark.parametrize(("asked", "metric"), [("psi", "psi"), ("jsDivergence", "js_divergence")])
@pytest.mark.parametrize("feature", ["", "age", "town"])
def test_drift_of_a_cell_compares_with_the_same_cell_of_training(
    client: APIClient, user: User, feature: str, asked: str, metric: str
) -> None:
    before, rows = trips(300, 8), trips(300, 9)
    kept = [row for row in before if row.town != "Narvik"]  # training knows two of the three towns
    deployment = made(user, "Regression", kept)
    send(deployment, rows)
    named = f"&featureName={feature}" if feature else ""
    answer = ask(client, deployment, "featureDriftOverSpace", f"metric={asked}{named}")
    assert answer["featureName"] == (feature or "y")

    def read(one: Trip) -> Any:
        return getattr(one, feature or "p")

    values = [read(one) for one in kept]
    bins: Any = fit_categorical(values) if feature == "town" else fit_numeric(values)
    baseline, live = by_cell(kept), by_cell(rows)
    cells = listed(answer["data"])
    assert cells.keys() == live.keys()
    for name, own in live.items():
        now = bins.tally([read(one) for one in own], np.zeros(len(own), np.int64), 1)
        if name not in baseline:
            assert (cells[name]["driftScore"], cells[name]["baselineSampleSize"]) == (None, 0)
            continue
        same = [read(one) for one in baseline[name]]
        then = bins.tally(same, np.zeros(len(same), np.int64), 1)[0]
        assert cells[name]["driftScore"] == pytest.approx(float(drift_scores(metric, then, now)[0]))
        assert (cells[name]["sampleSize"], cells[name]["baselineSampleSize"]) == (len(own), len(same))


def test_too_many_cells_are_answered_by_coarser_ones(client: APIClient, user: User, monkeypatch: Any) -> None:
    rows = trips(400, 10, spread=1.0)
    deployment = made(user, "Regression", rows[:100])
    send(deployment, rows)
    fine = ask(client, deployment, "predictionsOverSpace")
    assert all(h3.get_resolution(name) == 7 for name in listed(fine["buckets"]))
    for limit in (300, 40, 5):
        monkeypatch.setattr("deployments.reports.space.MOST_CELLS", limit)
        answer = ask(client, deployment, "predictionsOverSpace")
        resolution = max(r for r in range(8) if len(by_cell(rows, r)) <= limit)
        for shown, given in (("buckets", rows), ("baselines", rows[:100])):
            found = {name: row["rowCount"] for name, row in listed(answer[shown]).items()}
            assert found == {name: len(own) for name, own in by_cell(given, resolution).items()}


def test_a_state_keeps_no_more_cells_than_an_answer_shows(client: APIClient, user: User, monkeypatch: Any) -> None:
    monkeypatch.setattr("deployments.rollups.space.MOST_CELLS", 20)
    monkeypatch.setattr("deployments.rollups.space.MOST_GROUPS", 10)
    monkeypatch.setattr("metrics.cells.fitting_resolution.__defaults__", (20,), raising=False)
    rows = trips(300, 11, spread=1.0)
    deployment = made(user, "Regression", rows[:50])
    send(deployment, rows)
    states = State.objects.filter(deployment_id=deployment.pk, area=6)
    assert states.exists()
    decoded = [space.decode(bytes(state.payload)) for state in states]
    assert all(len(cells.cells) <= 20 for cells in decoded)
    hours = [cells for state, cells in zip(states, decoded, strict=True) if state.grain == 1]
    assert sum(int(cells.counts[:, 0].sum()) for cells in hours) == 300
    answer = ask(client, deployment, "predictionsOverSpace")
    assert sum(row["rowCount"] for row in answer["buckets"]) == 300


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("59.91,10.75", (59.91, 10.75)),
        (" -59.91 , 1e1 ", (-59.91, 10.0)),
        ("POINT (10.75 59.91)", (59.91, 10.75)),
        ("point(10.75 59.91)", (59.91, 10.75)),
        ("91,0", None),
        ("0,181", None),
        ("Oslo", None),
        ("59.91", None),
        ("", None),
        (None, None),
    ],
)
def test_a_place_is_a_pair_or_a_point_and_anything_else_is_missing(
    text: str | None, place: tuple[float, float] | None
) -> None:
    (cell,) = cells_of(pl.Series([text], dtype=pl.String)).tolist()
    assert f"{cell:x}" == ("0" if place is None else h3.latlng_to_cell(*place, 7))


def test_rows_without_a_place_or_from_before_are_in_no_cell(client: APIClient, user: User) -> None:
    deployment = made(user, "Regression", trips(50, 12))
    send_predictions(deployment, [1.0, 2.0, 3.0], places=["59.91,10.75", "nowhere", None])
    roll_up(deployment)
    (cell,) = ask(client, deployment, "predictionsOverSpace")["buckets"]
    assert (cell["rowCount"], cell["meanPredictedValue"]) == (1, 1.0)
    deployment.attributes.update(since=NOW + timedelta(minutes=1))
    send_predictions(deployment, [5.0], places=["59.91,10.75"], received=NOW + timedelta(minutes=2))
    roll_up(deployment)
    (cell,) = ask(client, deployment, "predictionsOverSpace")["buckets"]
    assert (cell["rowCount"], cell["meanPredictedValue"]) == (1, 5.0)


def test_late_and_corrected_actuals_restate_their_cell(client: APIClient, user: User) -> None:
    deployment = made(user, "Regression", trips(50, 13))
    send_predictions(deployment, [10.0, 20.0], ids=["a", "b"], places=["59.91,10.75"] * 2)
    roll_up(deployment)
    for actuals, error in (({"a": 11.0}, 1.0), ({"b": 23.0}, 2.0), ({"a": 15.0}, 4.0)):
        send_actuals(deployment, actuals, received=NOW + timedelta(days=1))
        roll_up(deployment)
        (cell,) = ask(client, deployment, "accuracyOverSpace", "metric=MAE")["buckets"]
        assert cell["value"] == pytest.approx(error)


def test_the_places_of_a_piece_are_read_once_for_hours_days_and_accuracy(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment = made(user, "Regression", trips(50, 15))
    calls: list[int] = []

    def counted(places: pl.Series) -> Any:
        calls.append(len(places))
        return cells_of(places)

    monkeypatch.setattr(piece, "cells_of", counted)
    send_predictions(deployment, [1.0, 2.0], ids=["a", "b"], places=["59.91,10.75"] * 2)
    send_actuals(deployment, {"a": 1.0, "b": 1.0})
    roll_up(deployment)
    assert calls == [2], "the rows are loaded once, for predictions and for predictions with actuals"


def test_a_place_is_no_segment_and_needs_to_be_followed(client: APIClient, user: User) -> None:
    deployment = made(user, "Regression", trips(50, 14))
    one = f"/api/v2/deployments/{deployment.public_id}/"
    assert client.get(f"{one}segmentAttributes/?monitoringType=dataDrift").json()["data"] == ["DataRobot-Consumer"]
    answer = client.get(f"{one}accuracy/?segmentAttribute=place&segmentValue=x")
    assert list(answer.json()["errors"]) == ["segmentAttribute"]
    other = make_deployment(place=False)
    other.roles.create(user=user, role=Role.OWNER)
    for tail in ("predictionsOverSpace", "predictionsVsActualsOverSpace", "accuracyOverSpace", "featureDriftOverSpace"):
        answer = client.get(f"/api/v2/deployments/{other.public_id}/{tail}/")
        assert (answer.status_code, list(answer.json()["errors"])) == (422, ["geoFeatureName"])
    assert SegmentAttribute.objects.get(deployment=deployment, name="place").is_place


def test_a_question_costs_the_same_queries_whatever_the_period(
    client: APIClient, user: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    deployment = made(user, "Regression", trips(50, 15))
    send(deployment, trips(60, 16))
    ask(client, deployment, "predictionsOverSpace")
    with django_assert_num_queries(6):
        ask(client, deployment, "predictionsOverSpace")
    path = f"/api/v2/deployments/{deployment.public_id}/predictionsOverSpace/"
    with django_assert_num_queries(6):
        answer = client.get(f"{path}?start=2026-02-01T05:00:00Z&end=2026-03-03T03:00:00Z")
    assert sum(row["rowCount"] for row in answer.json()["buckets"]) == 60
    assert Counter(row["rowCount"] > 0 for row in answer.json()["buckets"]) == {True: 3}


def test_a_baseline_without_any_place_is_empty(client: APIClient, user: User) -> None:
    deployment = made(user, "Regression", [replace(one, lat=200.0) for one in trips(40, 17)])
    send(deployment, trips(40, 18))
    answer = ask(client, deployment, "predictionsOverSpace")
    assert answer["baselines"] == []
    assert len(answer["buckets"]) == 3
