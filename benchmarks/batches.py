"""Batches of 2.5 and 10 million predictions with actuals: how fast they are rolled up, and in how much memory."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import numpy as np
import polars as pl

from benchmarks.environment import ready
from benchmarks.exports import BLOCK, FEATURES, START, measured
from benchmarks.table import Row

FEW, MANY = 2_500_000, 10_000_000
ALLOWED_MB = 200


def run() -> list[Row]:
    """The states of a small and of a large batch from their blocks, matched with an actual for every second row."""
    ready()
    few, many = (_deployment(size) for size in (FEW, MANY))
    small = measured(partial(_recompute, few))
    large = measured(partial(_recompute, many))
    return [
        Row(
            f"roll-up of a batch of {MANY:,} rows: memory beyond that of {FEW:,}",
            f"{large.peak_mb:.0f} MB",
            f"{small.peak_mb:.0f} MB",
            large.peak_mb / small.peak_mb,
            f"≤ {ALLOWED_MB} MB more",
            ok=large.peak_mb - small.peak_mb <= ALLOWED_MB,
        ),
        Row(
            "roll-up of that batch, rows a second",
            f"{MANY / large.seconds / 1000:.0f} k rows/s",
            f"{FEW / small.seconds / 1000:.0f} k rows/s",
            MANY / large.seconds / (FEW / small.seconds),
        ),
    ]


def _deployment(n_rows: int) -> Any:
    from django.contrib.auth.models import User
    from django.db import connection

    from deployments import partitions, registry
    from deployments.ingest import store
    from deployments.ingest.prepared import Prepared
    from deployments.models import BlockKind, BlockState, Feature, ModelPackage

    user = User.objects.create_user(f"bench-batch-{n_rows}")
    package = ModelPackage.objects.create(
        name="bench", target_name="y", target_type="Binary", class_names=["no", "yes"], positive_class="yes"
    )
    for place, name in enumerate(FEATURES):
        Feature.objects.create(package=package, position=place, name=name, kind="Numeric")
    deployment = registry.create_deployment(package, "bench", user, started_at=START)
    assert deployment.champion is not None
    batch = deployment.batches.create(name="large")
    partitions.ensure([START.date() + timedelta(days=day) for day in range(60)])
    with connection.cursor() as cursor:
        for number in range(n_rows // BLOCK):
            rows = _block(number)
            part = Prepared(BlockKind.PREDICTIONS, deployment.champion.pk, batch.pk, rows)
            store.insert(cursor, deployment.pk, part, rows, START, None, state=BlockState.ROLLED)
            _insert_actuals(cursor, deployment.pk, batch.pk, rows, number)
    return deployment


def _block(number: int) -> pl.DataFrame:
    random = np.random.default_rng(number)
    return pl.DataFrame(
        {
            "at": int(START.timestamp() * 1e6) + np.arange(BLOCK) + number * BLOCK,
            "id": [f"{number}-{row}" for row in range(BLOCK)],
            "p": random.uniform(size=BLOCK),
            **{f"f:{name}": random.normal(size=BLOCK) for name in FEATURES},
        }
    )


def _insert_actuals(cursor: Any, deployment_id: int, batch_id: int, rows: pl.DataFrame, number: int) -> None:
    from deployments.blocks import encode
    from deployments.models import Grain

    ids = rows["id"].gather_every(2)
    late = pl.Series(np.random.default_rng(number).random(len(ids)) < 0.3)
    nothing = pl.Series([None] * len(ids), dtype=pl.Int64)
    given = pl.DataFrame(
        {
            "id": ids,
            "y": late.replace_strict({True: "yes", False: "no"}, return_dtype=pl.String),
            "acted": nothing.cast(pl.Boolean),
            "given": nothing,
            "hour": pl.repeat(-1, len(ids), dtype=pl.Int64, eager=True),
            "seq": pl.repeat(number, len(ids), dtype=pl.Int64, eager=True),
        }
    )
    cursor.execute(
        "INSERT INTO deployments_actualblock (deployment_id, day, grain, bucket, rows, payload) "
        "VALUES (%s, %s, %s, %s, %s, %s)",
        [deployment_id, START.date(), int(Grain.BATCH), batch_id, given.height, encode(given)],
    )


def _recompute(deployment: Any) -> None:
    from django.utils import timezone

    from deployments.models import Area, Grain
    from deployments.rollups import fill
    from deployments.rollups.marks import mark

    batch = deployment.batches.get()
    areas = (Area.PREDICTIONS, Area.ACCURACY)
    mark(deployment.pk, [(int(area), int(Grain.BATCH), deployment.champion.pk, batch.pk) for area in areas])
    assert fill.run(deployment.pk, timezone.now())
