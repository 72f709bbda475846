"""A week of hourly answers from the states of a million predictions a day with fifty features.

Cost must not depend on how many rows an hour had, and grow no faster than the number of buckets. The state of one hour
is counted from real rows by the code of the roll-up and stands for every hour of the week.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from benchmarks.environment import best_of, ready
from benchmarks.table import Row

FEATURES = 50
HOURS = 7 * 24
END = datetime(2026, 1, 12, tzinfo=UTC)
MANY, FEW = 1_000_000, 100_000
_names = itertools.count()

QUESTIONS = {
    "drift of two features": ("featureDriftOverTime/", {"featureNames": "x0,x1"}),
    "AUC": ("accuracyOverTime/", {"metric": "AUC"}),
    "predictions with percentiles": ("predictionsOverTime/", {"includePercentiles": "true"}),
}


def run() -> list[Row]:
    """Each question of a week by the hour: by rows, and by buckets."""
    ready()
    many, few = _Week(MANY), _Week(FEW)
    rows: list[Row] = []
    for name, (path, query) in QUESTIONS.items():
        week = best_of(lambda: many.ask(path, HOURS, query), 5)  # noqa: B023
        of_few = best_of(lambda: few.ask(path, HOURS, query), 5)  # noqa: B023
        day = best_of(lambda: many.ask(path, 24, query), 5)  # noqa: B023
        rows.append(_row(f"a week by the hour, {name}: {MANY:,} rows a day against {FEW:,}", week, of_few, 2.5))
        rows.append(_row(f"{name}: 168 hourly buckets against 24", week, day, 1.2 * HOURS / 24))
    return rows


def _row(name: str, ours: float, reference: float, most: float) -> Row:
    ratio = ours / reference
    return Row(name, f"{ours * 1000:.0f} ms", f"{reference * 1000:.0f} ms", ratio, f"≤ {most:.3g}×", ok=ratio <= most)


@dataclass(frozen=True)
class _Hour:
    """The rows of one hour: a probability, what happened, and the features."""

    table: pl.DataFrame
    actuals: pl.DataFrame

    @classmethod
    def of(cls, n: int) -> _Hour:
        rng = np.random.default_rng(0)
        p = rng.beta(2, 5, n)
        ids = [str(row) for row in range(n)]
        features = {f"f:x{k}": rng.normal(k, 1 + k / 10, n) for k in range(FEATURES)}
        table = pl.DataFrame({"at": np.zeros(n, np.int64), "id": ids, "p": p, **features})
        happened = np.where(rng.random(n) < p, "yes", "no")
        actuals = pl.DataFrame({"place": np.zeros(n, np.int64), "id": ids, "y": happened, "seq": np.zeros(n, np.int64)})
        return cls(table, actuals)


class _Week:
    """A deployment whose states of a week are there, and a client to ask it."""

    def __init__(self, rows_a_day: int) -> None:
        from django.contrib.auth.models import User
        from django.test import Client

        from deployments import registry
        from deployments.api.authentication import issue

        user = User.objects.create_superuser(f"bench-reads-{next(_names)}")
        self.client = Client(headers={"Authorization": f"Bearer {issue(user, 'bench')}", "Host": "localhost"})
        settings = {"segmentAnalysis": {"enabled": False, "attributes": []}}
        self.deployment = registry.create_deployment(_package(), "A week", user, settings=settings)
        self._fill(_Hour.of(rows_a_day // 24))

    def ask(self, path: str, hours: int, query: dict[str, str]) -> Any:
        times = {"start": (END - timedelta(hours=hours)).isoformat(), "end": END.isoformat(), "bucketSize": "PT1H"}
        found = self.client.get(f"/api/v2/deployments/{self.deployment.public_id}/{path}", times | query)
        assert found.status_code == 200, found.content
        return found

    def _fill(self, hour: _Hour) -> None:
        """Count the hour once, and write its states for every hour of the week."""
        from deployments.models import Area, Grain
        from deployments.rollups import compute, scoring
        from deployments.rollups.cuts import by_bucket
        from deployments.rollups.piece import Piece
        from deployments.rollups.write import replace_states

        model = self.deployment.champion
        assert model is not None
        place = np.zeros(hour.table.height, np.int64)
        piece = Piece(model, Grain.HOUR, hour.table, place, place, [0], hour.actuals)
        counted, cuts = piece.counted, [by_bucket(place, [0])]
        scored = scoring.match(hour.table, place, hour.actuals, counted.target)
        last = int(END.timestamp()) // 3600
        numbers = list(range(last - HOURS, last))
        for area, payload in (
            (Area.PREDICTIONS, compute.predictions(piece.columns, cuts, counted)[0][0]),
            (Area.ACCURACY, compute.accuracy(scored, cuts, counted)[0][0]),
        ):
            assert payload is not None
            replace_states(model, area, Grain.HOUR, numbers, [], [(0, 0, number, payload) for number in numbers])


def _package() -> Any:
    """A model of fifty numeric features with bins of their own."""
    from deployments.models import Feature, ModelPackage
    from metrics import fit_numeric

    package = ModelPackage.objects.create(
        name="Fifty features",
        target_name="late",
        target_type="Binary",
        class_names=["no", "yes"],
        positive_class="yes",
        training_rows=1000,
    )
    rng = np.random.default_rng(1)
    for k in range(FEATURES):
        values = rng.normal(k, 1 + k / 10, 1000)
        bins = fit_numeric(values)
        counts = bins.tally(values, np.zeros(1000, np.int64), 1)[0]
        Feature.objects.create(
            package=package,
            position=k,
            name=f"x{k}",
            kind="Numeric",
            tracked=True,
            bins=bins.to_dict(),
            baseline={"counts": counts.tolist(), "segments": {}},
        )
    return package
