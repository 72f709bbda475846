"""Models of time series: registration, forecasts by distance and date, automatic actuals, against plain arithmetic."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from deployments import datasets, health, registration, registry, segments
from deployments.api.authentication import issue
from deployments.ingest.errors import Refused
from deployments.models import Deployment, DeploymentRole, ModelPackage, Role
from deployments.registration import PackageSpec
from deployments.rollups import fill
from deployments.rollups.read import Scope, accuracy_over
from deployments.settings_schema import Settings, parse
from tests.deployments.factories import make_deployment, make_user

pytestmark = pytest.mark.django_db
AIRPORTS = ("EWR", "JFK")
DISTANCES = (1, 2, 3)
DAY = timedelta(days=1)
NEAR = 1e-9


def today() -> datetime:
    return datetime.combine(timezone.now().astimezone(UTC).date(), datetime.min.time(), UTC)


def delay(airport: str, day: datetime) -> float:
    """What happened: a made-up but fixed number for each airport and day."""
    return 10.0 + 3.0 * AIRPORTS.index(airport) + float(day.toordinal() % 7)


def forecast(airport: str, day: datetime, distance: int) -> float:
    """What was foretold: the further ahead, the worse."""
    return delay(airport, day) + 0.5 * distance * (1 if airport == "EWR" else -1)


def training() -> pl.DataFrame:
    rows = [
        (today() - back * DAY, airport, distance)
        for back in range(60, 30, -1)
        for airport in AIRPORTS
        for distance in DISTANCES
    ]
    return pl.DataFrame(
        {
            "day": [day for day, _, _ in rows],
            "origin": [airport for _, airport, _ in rows],
            "forecast_distance": [distance for _, _, distance in rows],
            "lag": [delay(airport, day - DAY) for day, airport, _ in rows],
            "delay": [delay(airport, day) for day, airport, _ in rows],
            "prediction": [forecast(airport, day, distance) for day, airport, distance in rows],
        }
    )


def spec(user: User, **overrides: Any) -> PackageSpec:
    out = io.BytesIO()
    training().write_parquet(out)
    dataset = datasets.store(out.getvalue(), "days.parquet", "", user).public_id
    series = {"datetimeColumn": "day", "seriesIdColumns": ["origin"], "forecastDistances": list(DISTANCES)}
    body = {
        "name": "Delays of the next days",
        "target": {"name": "delay", "type": "Regression"},
        "features": [{"name": "lag", "type": "Numeric"}],
        "trainingDatasetId": dataset,
        "holdoutDatasetId": dataset,
        "timeSeries": series | overrides,
    }
    return msgspec.convert(body, PackageSpec)


@pytest.fixture
def user() -> User:
    return make_user()


def deployed(user: User, **settings: Any) -> Deployment:
    package = registration.register(spec(user), user)
    chosen = {"segmentAnalysis": {"enabled": True, "attributes": []}, **settings}
    deployment = registry.create_deployment(package, "Delays", user, settings=chosen, started_at=today() - 90 * DAY)
    deployment.attributes.update(since=today() - 90 * DAY)
    return deployment


AUTOMATIC = {"automaticActuals": {"enabled": True}, "predictionsByForecastDate": {"enabled": True}}


class Door:
    """The JSON door of a deployment."""

    def __init__(self, deployment: Deployment, user: User) -> None:
        self.deployment = deployment
        self.path = f"/api/v2/deployments/{deployment.public_id}/"
        self.client = Client(headers={"Authorization": f"Bearer {issue(user, 'test')}"})

    def send(self, features: Mapping[str, Sequence[Any]], predictions: Sequence[Any], **more: Any) -> Any:
        columns = [{"name": name, "values": list(values)} for name, values in features.items()]
        item = {"features": columns, "predictions": list(predictions), **more}
        return self.client.post(self.path + "predictionInputs/fromJSON/", {"data": [item]}, "application/json")

    def forecast(self, point: datetime, history: int = 0, **more: Any) -> Any:
        """What a client sends after the day `point`: some days of history, then the next days of each airport."""
        rows = [(point - back * DAY, airport) for back in reversed(range(history)) for airport in AIRPORTS]
        ahead = [(point + distance * DAY, airport) for distance in DISTANCES for airport in AIRPORTS]
        features: dict[str, list[Any]] = {
            "day": [day.isoformat() for day, _ in rows + ahead],
            "origin": [airport for _, airport in rows + ahead],
            "lag": [delay(airport, day - DAY) for day, airport in rows + ahead],
            "delay": [delay(airport, day) for day, airport in rows] + [None] * len(ahead),
            "forecast_point": [point.isoformat()] * len(rows + ahead),
        }
        made = [forecast(airport, day, (day - point).days) for day, airport in ahead]
        answer = self.send(features, [None] * len(rows) + made, **more)
        assert answer.status_code == 202, answer.content
        return answer

    def roll_up(self) -> None:
        assert fill.run(self.deployment.pk, timezone.now())
        self.deployment.refresh_from_db()

    def ask(self, tail: str) -> Any:
        answer = self.client.get(self.path + tail)
        assert answer.status_code == 200, answer.content
        return answer.json()


def window(first: datetime, days: int) -> str:
    return f"start={first:%Y-%m-%dT%H:00:00Z}&end={first + days * DAY:%Y-%m-%dT%H:00:00Z}&bucketSize=P1D"


def test_later_history_becomes_the_actuals_of_every_forecast_of_its_date(user: User) -> None:
    door = Door(deployed(user, **AUTOMATIC), user)
    first = today() - 10 * DAY
    for back in range(6):
        door.forecast(first + back * DAY, history=2 if back else 0)
    door.roll_up()
    answer = door.ask(f"accuracyOverTime/?metric=MAE&{window(first, 10)}")
    # Day k after the first point was foretold from each of the points 0 … 5 that lie 1 to 3 days before it.
    told = {k: [k - p for p in range(6) if 1 <= k - p <= 3] for k in range(10)}
    known = range(6)  # the last history is of the day of the last forecast point
    for k, bucket in enumerate(answer["buckets"]):
        distances = told[k] if k in known else []
        assert bucket["sampleSize"] == 2 * len(distances), k
        wanted = np.mean([0.5 * d for d in distances]) if distances else None
        assert bucket["value"] == (None if wanted is None else pytest.approx(wanted, abs=NEAR))
    versus = door.ask(f"predictionsVsActualsOverTime/?{window(first, 10)}")
    assert versus["summary"] == {
        "rowCountTotal": 36,
        "rowCountWithActual": sum(2 * len(told[k]) for k in known),
    }


@pytest.mark.parametrize("distance", DISTANCES)
def test_distance_and_series_are_segments_without_being_named(user: User, distance: int) -> None:
    door = Door(deployed(user, **AUTOMATIC), user)
    first = today() - 10 * DAY
    for back in range(6):
        door.forecast(first + back * DAY, history=2)
    door.roll_up()
    attributes = door.ask("segmentAttributes/?monitoringType=accuracy")["data"]
    assert attributes[1:] == ["Forecast Distance", "series id"]
    asked = f"{window(first, 10)}&segmentAttribute=Forecast Distance&segmentValue={distance}"
    answer = door.ask(f"accuracyOverTime/?metric=MAE&{asked}")
    assert answer["summary"]["value"] == pytest.approx(0.5 * distance, abs=NEAR)
    assert answer["baselines"][0]["value"] == pytest.approx(0.5 * distance, abs=NEAR)
    assert answer["summary"]["sampleSize"] == 2 * (6 - distance)
    asked = f"{window(first, 10)}&segmentAttribute=series id&segmentValue=JFK"
    predictions = door.ask(f"predictionsOverTime/?{asked}")["buckets"]
    assert sum(bucket["rowCount"] for bucket in predictions) == 18
    values = door.ask("segmentValues/?segmentAttribute=series id")["data"]
    assert [row["value"] for row in values] == ["EWR", "JFK"]


def test_by_default_forecasts_count_when_they_were_made(user: User) -> None:
    door = Door(deployed(user), user)
    point = today() - 5 * DAY
    door.forecast(point, timestamp=point.isoformat())
    door.roll_up()
    counts = [bucket["rowCount"] for bucket in door.ask(f"predictionsOverTime/?{window(point, 4)}")["buckets"]]
    assert counts == [6, 0, 0, 0]
    assert door.deployment.last_prediction_at == point


def test_forecasts_of_days_to_come_count_on_those_days(user: User) -> None:
    door = Door(deployed(user, **AUTOMATIC), user)
    door.forecast(today())
    door.roll_up()
    counts = [bucket["rowCount"] for bucket in door.ask(f"predictionsOverTime/?{window(today(), 4)}")["buckets"]]
    assert counts == [0, 2, 2, 2]
    assert door.deployment.last_prediction_at is not None
    assert door.deployment.last_prediction_at <= timezone.now()


def test_one_actual_scores_each_distance_once_and_the_latest_of_a_distance(user: User) -> None:
    door = Door(deployed(user), user)
    at = today() - 4 * DAY
    for hour, values in ((0, [1.0, 2.0]), (5, [3.0, 4.0]), (5, [7.0, 8.0])):
        moment = (at + timedelta(hours=hour)).isoformat()
        answer = door.send(
            {"origin": ["EWR", "EWR"]}, values, timestamp=moment, associationIds=["a", "a"], forecastDistances=[1, 2]
        )
        assert answer.status_code == 202, answer.content
    body = {"data": [{"associationId": "a", "actualValue": 5.0}]}
    assert door.client.post(door.path + "actuals/fromJSON/", body, "application/json").status_code == 202
    door.roll_up()
    assert door.deployment.champion is not None
    state = accuracy_over(Scope(door.deployment, door.deployment.champion), [(at, at + DAY)])[0]
    assert (state.n_total, state.n_actual, state.n_duplicates) == (6, 2, 4)
    assert state.sum_predicted == 7.0 + 8.0


@pytest.mark.parametrize(
    ("more", "distances"),
    [
        ({"forecastDistances": [1, 2], "forecastPoint": "2026-01-05T00:00:00Z"}, ["1", "2"]),
        ({"forecastDistances": [1, 3], "seriesIds": ["EWR", "JFK"]}, ["1", "3"]),
    ],
)
def test_distances_may_be_given_beside_the_features(user: User, more: dict[str, Any], distances: list[str]) -> None:
    door = Door(deployed(user), user)
    assert door.send({"lag": [1.0, 2.0]}, [3.0, 4.0], **more).status_code == 202
    door.roll_up()
    values = door.ask("segmentValues/?segmentAttribute=Forecast Distance")["data"]
    assert [row["value"] for row in values] == distances


def moments(*hours: int) -> list[str]:
    return [(today() + timedelta(hours=hour)).isoformat() for hour in hours]


@pytest.mark.parametrize(
    ("features", "more", "place"),
    [
        ({"lag": [1.0]}, {}, "data[0].features[forecast_distance][0]"),
        ({"lag": [1.0]}, {"forecastDistances": [9]}, "data[0].features[forecast_distance][0]"),
        ({"lag": [1.0]}, {"forecastDistances": [1, 2]}, "data[0].predictions"),
        ({"forecast_distance": [1.5]}, {}, "data[0].features[forecast_distance][0]"),
        ({"day": ["soon"]}, {"forecastDistances": [1]}, "data[0].features[day][0]"),
        ({"day": moments(36), "forecast_point": moments(0)}, {}, "data[0].features[forecast_distance][0]"),
        ({"lag": [1.0]}, {"forecastDistances": [1], "forecastPoint": "soon"}, "data[0].forecastPoint"),
    ],
)
def test_a_wrong_forecast_is_refused_by_its_place(
    user: User, features: dict[str, Any], more: dict[str, Any], place: str
) -> None:
    answer = Door(deployed(user), user).send(features, [1.0], **more)
    assert answer.status_code == 422, answer.content
    assert place in answer.json()["errors"]


def test_by_date_every_forecast_needs_its_date(user: User) -> None:
    door = Door(deployed(user, predictionsByForecastDate={"enabled": True}), user)
    answer = door.send({"day": [None]}, [1.0], forecastDistances=[1])
    assert answer.status_code == 202, "the date follows from the time of the row and the distance"
    late = door.send({"day": [(today() + 500 * DAY).isoformat()]}, [1.0], forecastDistances=[1])
    assert late.status_code == 422


def test_a_file_of_forecasts_gives_the_same_figures(user: User) -> None:
    by_json, by_file = Door(deployed(user, **AUTOMATIC), user), Door(deployed(user, **AUTOMATIC), user)
    first = today() - 10 * DAY
    rows: list[tuple[Any, ...]] = []
    for back in range(4):
        point = first + back * DAY
        by_json.forecast(point, history=1)
        for airport in AIRPORTS:
            rows.append((point, airport, point, delay(airport, point), None))
            rows += [(point + d * DAY, airport, point, None, forecast(airport, point + d * DAY, d)) for d in DISTANCES]
    names = ("day", "origin", "forecast_point", "delay", "prediction")
    table = pl.DataFrame(rows, schema=list(names), orient="row")
    answer = by_file.client.post(by_file.path + "predictionInputs/fromFile/", table.write_csv(), "text/csv")
    assert answer.status_code == 202, answer.content
    for door in (by_json, by_file):
        door.roll_up()
    tail = f"accuracyOverTime/?metric=RMSE&{window(first, 8)}"
    known = [(bucket["value"], bucket["sampleSize"]) for bucket in by_json.ask(tail)["buckets"]]
    assert known == [(bucket["value"], bucket["sampleSize"]) for bucket in by_file.ask(tail)["buckets"]]
    assert sum(size for _, size in known) == 2 * (3 + 2 + 1)


def test_a_bad_file_of_forecasts_tells_the_rows(user: User) -> None:
    door = Door(deployed(user), user)
    csv = "forecast_distance,prediction\n1,2.0\n9,2.0\n1.5,2.0\n,2.0\n"
    answer = door.client.post(door.path + "predictionInputs/fromFile/", csv, "text/csv")
    assert answer.status_code == 422
    assert set(answer.json()["errors"]) == {f"forecast_distance[{row}]" for row in (1, 2, 3)}


def test_a_time_series_needs_no_hundred_rows_for_a_verdict(user: User) -> None:
    door = Door(deployed(user, **AUTOMATIC), user)
    first = today() - 3 * DAY
    for back in range(3):
        door.forecast(first + back * DAY, history=1)
    door.roll_up()
    health.refresh(door.deployment.pk, timezone.now())
    door.deployment.refresh_from_db()
    assert door.deployment.accuracy_status in ("passing", "warning", "failing")


@pytest.mark.parametrize(
    ("series", "place"),
    [
        ({"forecastDistances": []}, "timeSeries.forecastDistances"),
        ({"forecastDistances": [1, 1]}, "timeSeries.forecastDistances"),
        ({"forecastDistances": [-1]}, "timeSeries.forecastDistances"),
        ({"datetimeColumn": "when"}, "timeSeries.datetimeColumn"),
        ({"seriesIdColumns": ["who"]}, "timeSeries.seriesIdColumns[0]"),
    ],
)
def test_a_wrong_registration_is_refused_by_its_place(user: User, series: dict[str, Any], place: str) -> None:
    with pytest.raises(Refused) as refused:
        registration.register(spec(user, **series), user)
    assert place in refused.value.errors
    assert not ModelPackage.objects.exists()


def patch(deployment: Deployment, user: User, body: dict[str, Any]) -> Any:
    client = Client(headers={"Authorization": f"Bearer {issue(user, 'test')}"})
    return client.patch(f"/api/v2/deployments/{deployment.public_id}/settings/", body, "application/json")


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"automaticActuals": {"enabled": True}}, "automaticActuals.enabled"),
        ({"predictionsByForecastDate": {"enabled": True}}, "predictionsByForecastDate.columnName"),
        ({"predictionsByForecastDate": {"enabled": True, "columnName": "age"}}, "predictionsByForecastDate.columnName"),
    ],
)
def test_other_models_have_no_settings_of_forecasts(user: User, body: dict[str, Any], place: str) -> None:
    deployment = make_deployment()
    DeploymentRole.objects.create(deployment=deployment, user=user, role=Role.OWNER)
    answer = patch(deployment, user, body)
    assert answer.status_code == 422
    assert place in answer.json()["errors"]


def test_the_axis_of_time_cannot_be_changed_once_there_are_predictions(user: User) -> None:
    door = Door(deployed(user), user)
    body = {"predictionsByForecastDate": {"enabled": True, "columnName": "day"}}
    assert patch(door.deployment, user, body).status_code == 202
    door.forecast(today() - DAY)
    door.roll_up()
    refused = patch(door.deployment, user, {"predictionsByForecastDate": {"enabled": False}})
    assert refused.status_code == 422
    assert parse(Settings, door.deployment.settings).predictions_by_forecast_date.enabled


def test_dates_are_read_in_the_format_of_the_settings(user: User) -> None:
    by_date = {"enabled": True, "columnName": "day", "datetimeFormat": "%d.%m.%Y"}
    door = Door(deployed(user, predictionsByForecastDate=by_date), user)
    day = today() - 3 * DAY
    answer = door.send({"day": [f"{day:%d.%m.%Y}"]}, [1.0], forecastDistances=[1])
    assert answer.status_code == 202, answer.content
    assert door.send({"day": ["2026-01-05"]}, [1.0], forecastDistances=[1]).status_code == 422
    door.roll_up()
    assert door.ask(f"predictionsOverTime/?{window(day, 1)}")["buckets"][0]["rowCount"] == 1


def test_actuals_of_time_series_count_once_for_each_distance(user: User, settings: Any) -> None:
    settings.ACTUALS_PER_HOUR = 5
    door = Door(deployed(user), user)
    body = {"data": [{"associationId": f"a{i}", "actualValue": 1.0} for i in range(2)]}
    assert door.client.post(door.path + "actuals/fromJSON/", body, "application/json").status_code == 429


def test_the_package_shows_its_time_series(user: User) -> None:
    deployment = deployed(user)
    assert deployment.champion is not None
    assert segments.automatic(deployment.champion.package) == ("Forecast Distance", "series id")
    client = Client(headers={"Authorization": f"Bearer {issue(user, 'test')}"})
    shown = client.get(f"/api/v2/modelPackages/{deployment.champion.package.public_id}/").json()
    assert shown["timeSeries"]["forecastDistances"] == [1, 2, 3]
