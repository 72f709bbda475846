"""A forecast for each airport: how many flights will depart on each of the next seven days.

Fitted on the first half of the year, replayed over the recent weeks. Each evening the day that is over tells its
number, which is the actual of every forecast that was made for it, and the next seven days are foretold.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
from sklearn.ensemble import HistGradientBoostingRegressor

from demo.client import Client, Refused
from demo.clock import END
from demo.models import Replay
from demo.sending import CONFLICT, Sender
from demo.story import MIDNIGHT
from deployments.models import Deployment

LABEL = "Departures, the next seven days"
MODEL = "Departures of the next days, gradient boosting"
TARGET = "departures"
DISTANCES = tuple(range(1, 8))
DAY = timedelta(days=1)
WEEKS = 8
FEATURES = ("origin", "weekday", "last_day", "last_week", "week_before")
FITTED = (datetime(2013, 1, 15, tzinfo=UTC), datetime(2013, 6, 1, tzinfo=UTC))
HELD_OUT = (datetime(2013, 6, 1, tzinfo=UTC), datetime(2013, 8, 1, tzinfo=UTC))


def add(sender: Sender) -> None:
    """Register, deploy and replay what is missing."""
    daily = departures(sender.flights)
    model = fit(examples(daily, *FITTED))
    deployment_id = deployed(sender.client, daily, model)
    replay = Replay.objects.get()
    last = min(replay.horizon - replay.shift, END) - MIDNIGHT
    last = last.replace(hour=0, minute=0, second=0, microsecond=0)
    for week in reversed(range(WEEKS)):
        points = [last - week * 7 * DAY - back * DAY for back in range(7, 0, -1)]
        rows = asked(daily, points, model, replay.shift)
        try:
            path = f"deployments/{deployment_id}/predictionInputs/fromFile/"
            sender.client.upload(path, rows, requestId=f"demo-series-{points[0]:%Y-%m-%d}")
        except Refused as refusal:
            if refusal.status != CONFLICT:
                raise


def departures(flights: pl.DataFrame) -> pl.DataFrame:
    """How many flights departed, by day (New York) and airport."""
    day = (pl.col("scheduled") - MIDNIGHT).dt.truncate("1d").alias("day")
    return (
        flights.group_by(day, "origin")
        .agg(pl.col("dep_delay").count().cast(pl.Float64).alias(TARGET))
        .sort("origin", "day")
    )


def examples(daily: pl.DataFrame, since: datetime, until: datetime) -> pl.DataFrame:
    """Every forecast that could have been made at the end of the days of `[since, until)`, with what happened."""
    known = daily.with_columns(
        pl.col(TARGET).rolling_mean(7, min_samples=1).over("origin").alias("last_week"),
        pl.col(TARGET).alias("last_day"),
    )
    points = known.filter((pl.col("day") >= since) & (pl.col("day") < until))
    points = points.select(pl.col("day").alias("forecast_point"), "origin", "last_day", "last_week")
    distances = pl.DataFrame({"forecast_distance": list(DISTANCES)}, schema={"forecast_distance": pl.Int64})
    wanted = points.join(distances, how="cross").with_columns(
        day=pl.col("forecast_point") + pl.duration(days=pl.col("forecast_distance"))
    )
    before = daily.select(pl.col("day") + 7 * DAY, "origin", pl.col(TARGET).alias("week_before"))
    happened = daily.select("day", "origin", TARGET)
    found = wanted.join(happened, on=["day", "origin"], how="inner").join(before, on=["day", "origin"], how="left")
    return found.with_columns(weekday=pl.col("day").dt.weekday().cast(pl.Float64)).sort(
        "forecast_point", "origin", "day"
    )


def fit(rows: pl.DataFrame) -> HistGradientBoostingRegressor:
    """The model; the airport is a category, the distance a feature like any other."""
    chosen = HistGradientBoostingRegressor(
        max_iter=120, learning_rate=0.04, max_depth=3, min_samples_leaf=60, random_state=0
    )
    return chosen.fit(_inputs(rows), rows[TARGET].to_numpy())


def predicted(model: HistGradientBoostingRegressor, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with the model's forecasts."""
    return rows.with_columns(pl.Series("prediction", model.predict(_inputs(rows)) if rows.height else [], pl.Float64))


def _inputs(rows: pl.DataFrame) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    airports = rows["origin"].replace_strict({"EWR": 0.0, "JFK": 1.0, "LGA": 2.0}, return_dtype=pl.Float64)
    columns = [airports, *(rows[name] for name in FEATURES[1:]), rows["forecast_distance"]]
    return np.column_stack([column.cast(pl.Float64).to_numpy() for column in columns])


def asked(
    daily: pl.DataFrame, points: list[datetime], model: HistGradientBoostingRegressor, shift: timedelta
) -> pl.DataFrame:
    """A week of requests: of each evening the number of that day, and the forecasts of the next seven."""
    foretold = predicted(model, examples(daily, points[0], points[-1] + DAY)).drop(TARGET)
    told = daily.filter(pl.col("day").is_in(points)).select(
        "day", "origin", TARGET, pl.col("day").alias("forecast_point")
    )
    rows = pl.concat([told, foretold], how="diagonal")
    moved = [pl.col(name) + shift for name in ("day", "forecast_point")]
    evening = (pl.col("forecast_point") + DAY).alias("timestamp")
    return rows.with_columns(moved).with_columns(evening).sort("forecast_point", "day", "origin")


def deployed(client: Client, daily: pl.DataFrame, model: HistGradientBoostingRegressor) -> str:
    """The id of the deployment, which is made if it is not there."""
    for row in client.all("deployments/", search=LABEL):
        if row["label"] == LABEL:
            return str(row["id"])
    package_id = next((row["id"] for row in client.all("modelPackages/") if row["name"] == MODEL), None)
    body = {
        "modelPackageId": package_id or registered(client, daily, model),
        "label": LABEL,
        "description": "How many flights leave each airport on each day, foretold one to seven days ahead.",
        "importance": "MODERATE",
    }
    made = client.send("POST", "deployments/fromModelPackage/", body)
    settings = {
        "predictionsByForecastDate": {"enabled": True},
        "automaticActuals": {"enabled": True},
        "segmentAnalysis": {"enabled": True, "attributes": []},
    }
    client.send("PATCH", f"deployments/{made['id']}/settings/", settings)
    began = Replay.objects.get().horizon - timedelta(days=7 * WEEKS + 1)
    Deployment.objects.get(public_id=made["id"]).models.update(started_at=began)
    return str(made["id"])


def registered(client: Client, daily: pl.DataFrame, model: HistGradientBoostingRegressor) -> str:
    """The id of the package, with its baselines from training and holdout."""
    tables = {"training": examples(daily, *FITTED), "holdout": predicted(model, examples(daily, *HELD_OUT))}
    ids = {
        kind: client.upload("datasets/fromFile/", rows, name=f"{MODEL}, {kind}.parquet")["id"]
        for kind, rows in tables.items()
    }
    features = [{"name": name, "type": "Categorical" if name == "origin" else "Numeric"} for name in FEATURES]
    body = {
        "name": MODEL,
        "target": {"name": TARGET, "type": "Regression"},
        "features": features,
        "trainingDatasetId": ids["training"],
        "holdoutDatasetId": ids["holdout"],
        "timeSeries": {
            "datetimeColumn": "day",
            "seriesIdColumns": ["origin"],
            "forecastDistances": list(DISTANCES),
            "forecastUnit": "DAY",
        },
    }
    return str(client.send("POST", "modelPackages/", body)["id"])
