"""What each area of monitoring adds to a row: at the door, and in the roll-up.

The same file of 100,000 real flights with actuals, sent to deployments that differ in what is switched on.
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
from benchmarks.ingest import FILE_ROWS, NUMERIC, WORDS, _flights
from benchmarks.table import Row

PARQUET = "application/vnd.apache.parquet"
SEGMENTS = {"segmentAnalysis": {"enabled": True, "attributes": ["carrier", "origin"]}}
FAIRNESS = {
    "biasAndFairness": {
        "protectedFeatures": ["origin"],
        "preferableTargetValue": "no",
        "fairnessMetricsSet": "proportionalParity",
        "fairnessThreshold": 0.8,
    }
}
HUMILITY = {"humility": {"enabled": True}}
NOTHING: Mapping[str, Any] = {"segmentAnalysis": {"enabled": False}}
SWITCHES: Mapping[str, Mapping[str, Any]] = {
    "two segment attributes": SEGMENTS,
    "fairness of one feature": {**NOTHING, **FAIRNESS},
    "three humility rules": {**NOTHING, **HUMILITY},
    "all of these": {**SEGMENTS, **FAIRNESS, **HUMILITY},
}
RULES: tuple[Mapping[str, Any], ...] = (
    {"name": "unsure", "trigger": "uncertainPrediction", "lower": 0.45, "upper": 0.55, "action": "noOperation"},
    {"name": "far", "trigger": "outlyingInput", "feature": "distance", "lower": 0, "upper": 2000},
    {"name": "rare", "trigger": "lowObservationRegion", "feature": "dest", "values": ["LAX", "ORD", "BOS"]},
)
_numbers = itertools.count()


def run() -> list[Row]:
    """Microseconds a row, and how much more than with drift and accuracy alone."""
    ready()
    flights = _flights(FILE_ROWS)
    door, rolled = _Fed(flights, NOTHING).times()
    rows = [_row("drift and accuracy alone", door, rolled, door + rolled)]
    for name, settings in SWITCHES.items():
        found = _Fed(flights, settings).times()
        rows.append(_row(f"with {name}", *found, door + rolled))
    return rows


def _row(name: str, door: float, rolled: float, alone: float) -> Row:
    ours = f"{1e6 * (door + rolled):.1f} µs/row (door {1e6 * door:.1f})"
    return Row(f"door and roll-up, {name}", ours, f"{1e6 * alone:.1f} µs/row", (door + rolled) / alone)


class _Fed:
    """A deployment with these settings, to which the flights are sent once."""

    def __init__(self, flights: pl.DataFrame, settings: Mapping[str, Any]) -> None:
        from django.contrib.auth.models import User
        from django.test import Client

        from deployments.api.authentication import issue

        self.user = User.objects.create_superuser(f"bench-areas-{next(_numbers)}")
        self.client = Client(headers={"Authorization": f"Bearer {issue(self.user, 'bench')}", "Host": "localhost"})
        self.flights, self.path = flights, ""
        self.path = f"deployments/{self._deployment()}/"
        self._json("PATCH", self.path + "settings/", settings)
        if "humility" in settings:
            self._rules()

    def times(self) -> tuple[float, float]:
        """Seconds a row at the door and in the roll-up."""
        from django.utils import timezone

        from deployments.models import Deployment
        from deployments.rollups import fill

        pk = Deployment.objects.get(public_id=self.path.split("/")[1]).pk
        began = time.perf_counter()
        self._file("predictionInputs/fromFile/", self.flights)
        door = time.perf_counter() - began
        happened = ((pl.int_range(pl.len()) * 31) % 3 == 0).alias("actual_value")
        self._file("actuals/fromFile/", self.flights.select("association_id", happened))
        began = time.perf_counter()
        assert fill.run(pk, timezone.now())
        return door / FILE_ROWS, (time.perf_counter() - began) / FILE_ROWS

    def _deployment(self) -> str:
        late = ((pl.int_range(pl.len()) * 31) % 3 == 0).alias("late")
        training = self.flights.head(20_000).drop("timestamp", "association_id", "prediction").with_columns(late)
        dataset = self._file("datasets/fromFile/?name=training.parquet", training)["id"]
        kinds = [{"name": n, "type": "Numeric"} for n in NUMERIC] + [{"name": n, "type": "Categorical"} for n in WORDS]
        body = {
            "name": "bench",
            "target": {"name": "late", "type": "Binary", "classNames": ["no", "yes"]},
            "features": kinds,
            "trainingDatasetId": dataset,
            "segmentAttributes": ["carrier", "origin"],
        }
        package = self._json("POST", "modelPackages/", body)["id"]
        made = self._json("POST", "deployments/fromModelPackage/", {"modelPackageId": package, "label": "bench"})
        return str(made["id"])

    def _rules(self) -> None:
        from deployments.models import Deployment, HumilityRule

        deployment = Deployment.objects.get(public_id=self.path.split("/")[1])
        for position, rule in enumerate(RULES):
            fields: dict[str, Any] = {"action": "noOperation", **rule}
            HumilityRule.objects.create(deployment=deployment, position=position, **fields)

    def _json(self, method: str, path: str, body: Any) -> Any:
        answer = self.client.generic(method, f"/api/v2/{path}", orjson.dumps(body), content_type="application/json")
        assert answer.status_code < 300, answer.content
        return orjson.loads(answer.content)

    def _file(self, path: str, rows: pl.DataFrame) -> Any:
        out = io.BytesIO()
        rows.write_parquet(out)
        where = path if path.startswith("datasets/") else self.path + path
        answer = self.client.post(f"/api/v2/{where}", out.getvalue(), content_type=PARQUET)
        assert answer.status_code < 300, answer.content
        return orjson.loads(answer.content)
