"""What fairness, humility with warnings, and space each add to a row that comes in and is rolled up.

Processor time of this process (`time.process_time`), so that other work on the machine does not count; the database
server's own time is left out. The same real flights each time: 60,000 rows with an actual each, seven numeric and three
categorical features, and where each flight went to.
"""

from __future__ import annotations

import io
import itertools
import time
from collections.abc import Mapping
from typing import Any

import orjson
import polars as pl

from benchmarks.environment import ready
from benchmarks.ingest import NUMERIC, WORDS
from benchmarks.table import Row

ROWS = 60_000
TIMES = 3
NUMBERS = itertools.count()
PARQUET = "application/vnd.apache.parquet"

FAIRNESS = {"biasAndFairness": {"protectedFeatures": ["carrier", "origin"], "preferableTargetValue": "no"}}
HUMILITY = {"humility": {"enabled": True}}
SPACE = {"segmentAnalysis": {"enabled": True, "attributes": ["destination"]}}
SEGMENTS = {"segmentAnalysis": {"enabled": True, "attributes": ["carrier", "origin"]}}
SEGMENTS_AND_SPACE = {"segmentAnalysis": {"enabled": True, "attributes": ["carrier", "origin", "destination"]}}
RULES = (
    {"type": "uncertainPrediction", "lower": 0.45, "upper": 0.55},
    {"type": "outlyingInput", "featureName": "temp", "lower": 20, "upper": 80},
    {"type": "lowObservationRegion", "featureName": "carrier", "values": ["UA", "B6", "EV", "DL", "AA"]},
)


def run() -> list[Row]:
    """Microseconds a row at the door and in the roll-up, beside the same deployment without the area."""
    ready()
    bench = _Bench()
    plain = bench.cost({})
    segments = bench.cost(SEGMENTS)
    return [
        _row("the core: drift, accuracy, predictions", plain, (0.0, 0.0)),
        _row("two segment attributes", segments, plain),
        # protected features are segments too, so fairness is set beside a deployment that has them
        _row("fairness of two protected features", bench.cost(SEGMENTS | FAIRNESS), segments),
        _row("humility, three rules", bench.cost(HUMILITY), plain),
        _row("space, one geospatial feature", bench.cost(SPACE), plain),
        _row("all of them", bench.cost(SEGMENTS_AND_SPACE | FAIRNESS | HUMILITY), plain),
    ]


def _row(name: str, own: tuple[float, float], base: tuple[float, float]) -> Row:
    door, rolled = (1e6 * (mine - before) / ROWS for mine, before in zip(own, base, strict=True))
    whole = sum(own) / sum(base) if sum(base) else 1.0
    return Row(f"added a row by {name}", f"door {door:.2f} µs, roll-up {rolled:.2f} µs", "without it", whole)


class _Bench:
    """One model, and a new deployment of it for every measurement."""

    def __init__(self) -> None:
        from django.contrib.auth.models import User
        from django.test import Client

        from deployments.api.authentication import issue

        user = User.objects.create_superuser(f"bench-{next(NUMBERS)}-costs")
        self.client = Client(headers={"Authorization": f"Bearer {issue(user, 'bench')}", "Host": "localhost"})
        self.flights = _flights()
        self.rows = _parquet(self.flights.drop("late"))
        self.actuals = _parquet(self.flights.select("association_id", actual_value=pl.col("late")))
        self.package = self._package()

    def cost(self, settings: Mapping[str, Any]) -> tuple[float, float]:
        """Seconds at the door and in the roll-up; the least of several."""
        found = [self._once(settings) for _ in range(TIMES)]
        return min(door for door, _ in found), min(rolled for _, rolled in found)

    def _once(self, settings: Mapping[str, Any]) -> tuple[float, float]:
        from django.utils import timezone

        from deployments.models import Deployment
        from deployments.rollups import fill

        public_id = self._deployment(settings)
        started = time.process_time()
        self._send("POST", f"deployments/{public_id}/predictionInputs/fromFile/", self.rows, PARQUET)
        door = time.process_time() - started
        self._send("POST", f"deployments/{public_id}/actuals/fromFile/", self.actuals, PARQUET)
        started = time.process_time()
        assert fill.run(Deployment.objects.get(public_id=public_id).pk, timezone.now())
        rolled = time.process_time() - started
        self._send("DELETE", f"deployments/{public_id}/", b"", "application/json")
        return door, rolled

    def _package(self) -> str:
        training = self._send(
            "POST", "datasets/fromFile/?name=rows.parquet", _parquet(self.flights.head(9_000)), PARQUET
        )
        features = [
            *({"name": name, "type": "Numeric"} for name in NUMERIC),
            *({"name": name, "type": "Categorical"} for name in WORDS),
            {"name": "destination", "type": "Geospatial"},
        ]
        target = {"name": "late", "type": "Binary", "classNames": ["no", "yes"]}
        body = {"name": "costs", "target": target, "features": features}
        body |= {"trainingDatasetId": training["id"], "holdoutDatasetId": training["id"]}
        return str(self._json("POST", "modelPackages/", body)["id"])

    def _deployment(self, settings: Mapping[str, Any]) -> str:
        body = {"modelPackageId": self.package, "label": f"costs {next(NUMBERS)}"}
        public_id = str(self._json("POST", "deployments/fromModelPackage/", body)["id"])
        if settings:
            self._json("PATCH", f"deployments/{public_id}/settings/", settings)
        for number, trigger in enumerate(RULES if "humility" in settings else ()):
            rule = {"name": f"rule {number}", "trigger": trigger, "action": {"type": "noOperation"}}
            self._json("POST", f"deployments/{public_id}/humilityRules/", rule)
        return public_id

    def _json(self, method: str, path: str, body: Any) -> Any:
        return self._send(method, path, orjson.dumps(body), "application/json")

    def _send(self, method: str, path: str, content: bytes, media_type: str) -> Any:
        answer = self.client.generic(method, f"/api/v2/{path}", content, content_type=media_type)
        assert answer.status_code < 300, answer.content
        return orjson.loads(answer.content) if answer.content else None


def _flights() -> pl.DataFrame:
    """Flights of the last ten days, one every few seconds, with the places that they went to."""
    import datetime as dt

    from demo import data

    table = data.load().head(ROWS)
    began = dt.datetime.now(dt.UTC).replace(minute=0, second=0, microsecond=0) - dt.timedelta(days=10)
    late = (pl.col("arr_delay").fill_null(0) > 15).replace_strict({True: "yes", False: "no"}, return_dtype=pl.String)
    return table.select(
        (pl.lit(began) + pl.duration(milliseconds=pl.int_range(pl.len()) * (9 * 86_400_000 // ROWS))).alias(
            "timestamp"
        ),
        pl.format("flight-{}", pl.int_range(pl.len())).alias("association_id"),
        *(pl.col(name).cast(pl.Float64) for name in NUMERIC),
        *(pl.col(name).cast(pl.String) for name in WORDS),
        pl.col(data.DESTINATION),
        ((pl.int_range(pl.len()) * 37 % 997) / 997).alias("prediction"),
        late.alias("late"),
    )


def _parquet(table: pl.DataFrame) -> bytes:
    out = io.BytesIO()
    table.write_parquet(out)
    return out.getvalue()
