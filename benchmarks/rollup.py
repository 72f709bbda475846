"""Rows to hourly states beside a numpy pass written by hand, and states to answers beside a bare read of their bytes.

A year of real flights: 336,776 rows, seven numeric and three categorical features, two segment attributes off.
"""

from __future__ import annotations

import datetime as dt
import io
import itertools
import resource
from typing import Any

import numpy as np
import orjson
import polars as pl

from benchmarks.environment import best_of, best_of_each, ready
from benchmarks.ingest import NUMERIC, WORDS
from benchmarks.table import Row

YEAR = 365
HOUR_US = 3_600_000_000


def run() -> list[Row]:
    """Roll-up of a year, then a year of daily drift and accuracy over HTTP."""
    ready()
    year = _Year()
    rows = year.table.height
    hours = year.decoded()
    works = (year.recompute, lambda: year.count(hours), lambda: _by_hand(year.table))
    whole, ours, by_hand = (rows / seconds for seconds in best_of_each(works))
    drift = best_of(lambda: year.get("featureDriftOverTime/", featureNames=f"{NUMERIC[0]},{WORDS[0]}"), 3)
    accuracy = best_of(lambda: year.get("accuracyOverTime/", metric="AUC"), 3)
    bare = best_of(year.bare_read, 3)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        Row(
            "roll-up, decoded columns to stored hours, against numpy by hand in memory",
            f"{ours / 1000:.0f} k rows/s",
            f"{by_hand / 1000:.0f} k rows/s",
            ours / by_hand,
            "≥ 0.4×",
            ok=ours >= 0.4 * by_hand,
        ),
        Row(
            "the same from compressed blocks, days and marks included",
            f"{whole / 1000:.0f} k rows/s",
            f"{by_hand / 1000:.0f} k rows/s",
            whole / by_hand,
        ),
        Row("peak memory of the process", f"{peak:.0f} MB", "–", peak / 1024, unit="GB"),
        _answer("a year of daily drift over HTTP against a bare read of the hours", drift, bare),
        _answer("a year of daily AUC over HTTP against a bare read of the hours", accuracy, bare),
    ]


def _answer(name: str, ours: float, bare: float) -> Row:
    return Row(name, f"{ours * 1000:.0f} ms", f"{bare * 1000:.0f} ms", ours / bare, "≤ 2×", ok=ours <= 2 * bare)


class _Year:
    """A deployment with a year of flights, their predictions and actuals."""

    def __init__(self) -> None:
        from django.contrib.auth.models import User
        from django.test import Client

        from deployments.api.authentication import issue
        from deployments.models import Deployment

        user = User.objects.create_superuser(f"bench-{next(itertools.count())}-rollup")
        token = issue(user, "bench")
        self.client = Client(headers={"Authorization": f"Bearer {token}", "Host": "localhost"})
        self.table = _flights()
        public_id = self._deployment()
        Deployment.objects.filter(public_id=public_id).update(keep_rows_days=YEAR + 60)
        self.deployment = Deployment.objects.get(public_id=public_id)
        self._send("predictionInputs/fromFile/", self.table.drop("late"))
        actuals = self.table.select("association_id", actual_value=pl.col("late"))
        self._send("actuals/fromFile/", actuals)
        self._run()

    def _deployment(self) -> str:
        training = self.table.head(27_000)
        holdout = self.table.slice(27_000, 9_000).select("late", "prediction")
        kinds = [{"name": n, "type": "Numeric"} for n in NUMERIC] + [{"name": n, "type": "Categorical"} for n in WORDS]
        package = self._post_json(
            "modelPackages/",
            {
                "name": "year",
                "target": {"name": "late", "type": "Binary", "classNames": ["no", "yes"]},
                "features": kinds,
                "trainingDatasetId": self._upload(training),
                "holdoutDatasetId": self._upload(holdout),
            },
        )
        body = {"modelPackageId": package["id"], "label": "year"}
        return str(self._post_json("deployments/fromModelPackage/", body)["id"])

    def _upload(self, table: pl.DataFrame) -> str:
        return str(self._post("datasets/fromFile/?name=rows.parquet", _parquet(table))["id"])

    def _send(self, tail: str, table: pl.DataFrame) -> None:
        self._post(f"deployments/{self.deployment.public_id}/{tail}?name=rows.parquet", _parquet(table))

    def _post(self, path: str, content: bytes) -> Any:
        answer = self.client.post(f"/api/v2/{path}", content, content_type="application/vnd.apache.parquet")
        assert answer.status_code < 300, answer.content
        return answer.json()

    def _post_json(self, path: str, body: Any) -> Any:
        answer = self.client.post(f"/api/v2/{path}", orjson.dumps(body), content_type="application/json")
        assert answer.status_code < 300, answer.content
        return answer.json()

    def _run(self) -> None:
        from django.utils import timezone

        from deployments.rollups import fill

        assert fill.run(self.deployment.pk, timezone.now())

    def recompute(self) -> None:
        """Every hour again, from its rows."""
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO deployments_dirtybucket (deployment_id, area, grain, model_id, bucket)"
                " SELECT DISTINCT deployment_id, area, grain, model_id, bucket FROM deployments_state"
                " WHERE deployment_id = %s AND grain = 1 AND attribute_id = 0",
                [self.deployment.pk],
            )
        self._run()

    def decoded(self) -> list[tuple[Any, ...]]:
        """The rows of the year in memory, by area, as the engine hands them to its areas."""
        from deployments.models import Area, Grain
        from deployments.rollups import loading, recompute
        from deployments.rollups.declarations import ROLLUPS

        model = self.deployment.models.select_related("package", "deployment").get()
        found = []
        for area in (Area.PREDICTIONS, Area.ACCURACY):
            rollup = ROLLUPS[area]
            days = sorted({int(at) // 24 for at in self.hours()})
            table = loading.of_days(model, rollup, days, self.hours())
            rows = loading.Rows(table, loading.actuals(model, Grain.DAY, days))
            aims = recompute._aims(model, [rollup], table)
            found.append((model, Grain.HOUR, rows, recompute._hour_numbers(table), self.hours(), aims))
        return found

    def hours(self) -> list[int]:
        """The hours with rows."""
        return sorted(set((self.table["timestamp"].dt.epoch("us") // HOUR_US).to_list()))

    def count(self, decoded: list[tuple[Any, ...]]) -> None:
        """Count and store every hour anew."""
        from django.db import transaction

        from deployments.rollups import recompute

        with transaction.atomic():
            for arguments in decoded:
                recompute._write(*arguments)

    def get(self, tail: str, **query: str) -> Any:
        """A year by day."""
        end = dt.datetime.now(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        start = end - dt.timedelta(days=YEAR)
        asked = {"start": start.isoformat(), "end": end.isoformat(), "bucketSize": "P1D"} | query
        answer = self.client.get(f"/api/v2/deployments/{self.deployment.public_id}/{tail}", asked)
        assert answer.status_code == 200, answer.content
        found = answer.json()
        assert len(found["buckets"]) >= YEAR
        return found

    def bare_read(self) -> int:
        """The bytes of all hourly states, as numpy sees them."""
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT payload FROM deployments_state WHERE deployment_id = %s AND grain = 1 AND area = 2"
                " AND attribute_id = 0 ORDER BY bucket",
                [self.deployment.pk],
            )
            return sum(int(np.frombuffer(row[0], np.uint8).sum()) for row in cursor.fetchall())


def _flights() -> pl.DataFrame:
    from demo import data

    table = data.load().sort("scheduled")
    shift = dt.datetime.now(dt.UTC).replace(minute=0, second=0, microsecond=0) - table["scheduled"].max()  # type: ignore[operator]
    delay = pl.col("origin_recent_delay").fill_null(0)
    late = (pl.col("arr_delay").fill_null(0) > 15).replace_strict({True: "yes", False: "no"}, return_dtype=pl.String)
    return table.select(
        (pl.col("scheduled") + shift).alias("timestamp"),
        pl.format("{}", pl.int_range(pl.len())).alias("association_id"),
        *(pl.col(name).cast(pl.Float64) for name in NUMERIC),
        *(pl.col(name).cast(pl.String) for name in WORDS),
        (1 / (1 + (-(delay - 15) / 30).exp())).round(6).alias("prediction"),
        late.alias("late"),
    )


def _parquet(table: pl.DataFrame) -> bytes:
    out = io.BytesIO()
    table.write_parquet(out)
    return out.getvalue()


def _by_hand(table: pl.DataFrame) -> None:
    """Counts of ten features by hour, log loss by hour, and the exact AUC of each hour."""
    at = table["timestamp"].dt.epoch("us").to_numpy() // HOUR_US
    hours, group = np.unique(at, return_inverse=True)
    n = len(hours)
    for name in NUMERIC:
        values = table[name].to_numpy()
        edges = np.nanquantile(values[:27_000], np.arange(0.1, 1, 0.1))
        np.bincount(group * 13 + np.searchsorted(edges, values), minlength=n * 13)
    for name in WORDS:
        codes = table[name].rank("dense").fill_null(0).to_numpy().astype(np.int64) % 28
        np.bincount(group * 28 + codes, minlength=n * 28)
    p, y = table["prediction"].to_numpy().clip(1e-15, 1 - 1e-15), (table["late"] == "yes").to_numpy()
    np.bincount(group, np.where(y, -np.log(p), -np.log(1 - p)), n)
    order = np.lexsort((p, group))
    ranks = np.empty(len(p))
    ranks[order] = np.arange(len(p))
    positives = np.bincount(group, y, n)
    np.bincount(group, ranks * y, n) / np.maximum(positives, 1)
