"""Exports at 2.5 and 10 million rows: how fast, and how much memory the second needs beyond the first."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks.environment import ready
from benchmarks.table import Row

BLOCK = 200_000
FEW, MANY = 2_500_000, 10_000_000
FEATURES = [f"x{number}" for number in range(5)]
START = datetime(2026, 3, 2, tzinfo=UTC)
ALLOWED_MB = 100


def run() -> list[Row]:
    """Predictions as CSV and as Parquet, each from a small and a large deployment."""
    ready()
    few, many = _deployment(FEW), _deployment(MANY)
    rows = []
    for kind in ("csv", "parquet"):
        measured(partial(_export, few, kind))
        small = measured(partial(_export, few, kind))
        large = measured(partial(_export, many, kind))
        rows.append(
            Row(
                f"export of {MANY:,} rows as {kind}: memory beyond that of {FEW:,}",
                f"{large.peak_mb:.0f} MB",
                f"{small.peak_mb:.0f} MB",
                large.peak_mb / small.peak_mb,
                f"≤ {ALLOWED_MB} MB more",
                ok=large.peak_mb - small.peak_mb <= ALLOWED_MB,
            )
        )
        rows.append(
            Row(f"export as {kind}", f"{MANY / large.seconds / 1000:.0f} k rows/s", "–", large.seconds, unit="s")
        )
    return rows


@dataclass(frozen=True)
class Cost:
    """What a piece of work took at most."""

    seconds: float
    peak_mb: float


def measured(work: Callable[[], None]) -> Cost:
    """How long a piece of work takes, and the most memory that the process holds meanwhile."""
    peak, done = [0.0], threading.Event()

    def watch() -> None:
        while not done.wait(0.02):
            peak[0] = max(peak[0], _resident_mb())

    watcher = threading.Thread(target=watch)
    watcher.start()
    began = time.perf_counter()
    try:
        work()
    finally:
        done.set()
        watcher.join()
    return Cost(time.perf_counter() - began, peak[0])


def _resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20


def _deployment(n_rows: int) -> Any:
    from django.contrib.auth.models import User
    from django.db import connection

    from deployments import partitions, registry
    from deployments.ingest import store
    from deployments.ingest.prepared import Prepared
    from deployments.models import BlockKind, BlockState, Feature, ModelPackage

    user = User.objects.create_user(f"bench-{n_rows}")
    package = ModelPackage.objects.create(
        name="bench", target_name="y", target_type="Binary", class_names=["no", "yes"], positive_class="yes"
    )
    for place, name in enumerate(FEATURES):
        Feature.objects.create(package=package, position=place, name=name, kind="Numeric")
    deployment = registry.create_deployment(package, "bench", user, started_at=START)
    assert deployment.champion is not None
    partitions.ensure([START.date() + timedelta(days=day) for day in range(60)])
    with connection.cursor() as cursor:
        for number in range(n_rows // BLOCK):
            rows = _block(number)
            part = Prepared(BlockKind.PREDICTIONS, deployment.champion.pk, None, rows)
            store.insert(cursor, deployment.pk, part, rows, START, None, state=BlockState.ROLLED)
    return deployment


def _block(number: int) -> pl.DataFrame:
    random = np.random.default_rng(number)
    day = int(START.timestamp() * 1e6) + number * 86_400_000_000
    return pl.DataFrame(
        {
            "at": day + np.arange(BLOCK) * 400_000,
            "id": [f"{number}-{row}" for row in range(BLOCK)],
            "p": random.uniform(size=BLOCK),
            **{f"f:{name}": random.normal(size=BLOCK) for name in FEATURES},
        }
    )


def _export(deployment: Any, kind: str) -> None:
    from deployments import jobs
    from deployments.exports import work
    from deployments.models import ExportKind, ExportStatus

    made = work.start(work.make(ExportKind.PREDICTIONS, deployment, deployment.champion, format=kind))
    assert made.job is not None
    jobs.run(made.job.pk)
    made.refresh_from_db()
    assert made.status == ExportStatus.SUCCEEDED, made.error
    work.delete(made)
