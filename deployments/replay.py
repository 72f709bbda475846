"""Replaying challengers: the stored requests of a deployment, scored again by each of its challengers.

The unit is a block of rows. In one transaction a block is marked as replayed with a challenger and the challenger's
predictions are stored as a block of its own under its model, with the same times, association ids, features and
segments, so that the roll-up treats them as any prediction and finds the actuals. A block that bears the mark is never
scored again, so a replay that was killed goes on where it stopped and nothing is doubled. Scoring happens outside the
transaction; if the block changed meanwhile (small ones are put together), the result is thrown away.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

import polars as pl
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone

from deployments import jobs, partitions
from deployments.blocks import FEATURE, SEGMENT, decode
from deployments.ingest import store
from deployments.ingest.prepared import Prepared, microseconds
from deployments.ingest.processing import finish
from deployments.ingest.shape import Shape, shape_of
from deployments.models import BlockKind, Challenger, Deployment, Job, ModelRole
from deployments.scoring.errors import ScoringFailed
from deployments.scoring.scorer import Scorer, open_scorer
from deployments.settings_schema import Settings, parse

KIND = "challengerPredictions"
TURN_SECONDS = 480
"""After this long a replay ends its turn and is taken up again, so that other jobs get theirs."""

_SOURCE = (
    "FROM deployments_block WHERE deployment_id = %s AND kind = %s AND NOT is_replay AND collected "
    "AND model_id <> ALL(%s) AND NOT replayed_by @> %s::int[] AND last_at >= %s"
)


class NotPossible(ValueError):
    """Nothing can be replayed; the message is for people."""


class Running(Exception):
    """A replay runs already; `job` is it."""

    def __init__(self, job: Job) -> None:
        super().__init__("A replay of this deployment is running already.")
        self.job = job


@dataclass(frozen=True)
class Source:
    """The header of a block that is to be replayed."""

    day: date
    id: int
    batch_id: int | None
    rows: int


@transaction.atomic
def start(deployment: Deployment, user: User | None, since: datetime | None) -> Job:
    """Put a replay down. Raises Running if one is not finished, NotPossible where there is nothing to replay."""
    row = Deployment.objects.select_for_update(of=("self",)).get(pk=deployment.pk)
    if (known := jobs.running(KIND, row)) is not None:
        raise Running(known)
    settings = parse(Settings, row.settings)
    if not settings.challenger_models.enabled:
        raise NotPossible("Challenger models are switched off in the settings (challengerModels).")
    if not settings.predictions_data_collection.enabled:
        raise NotPossible("The collection of predictions is switched off in the settings (predictionsDataCollection).")
    if not row.challengers.exists():
        raise NotPossible("The deployment has no challengers.")
    return jobs.start(KIND, row, user, {"since": None if since is None else since.isoformat()})


@jobs.register(KIND, piecewise=True)
def replay(job: Job) -> str:
    """Score what no challenger has scored yet; returns the address of the challengers."""
    assert job.deployment is not None
    since = datetime.fromisoformat(job.args["since"]) if job.args["since"] else None
    challengers = list(_challengers(job.deployment))
    turn = Turn(job, since, time.monotonic() + TURN_SECONDS, sum(_rows_left(one, since) for one in challengers))
    failures = [failure for one in challengers if (failure := turn.take(one)) is not None]
    finish(job.deployment.pk)
    if failures:
        raise jobs.JobFailed(" ".join(failures))
    job.message = f"{turn.rows} rows scored"
    return f"/api/v2/deployments/{job.deployment.public_id}/challengers/"


@dataclass
class Turn:
    """One turn of a replay, until everything is scored or its time is up."""

    job: Job
    since: datetime | None
    until: float
    left: int
    rows: int = 0

    def take(self, challenger: Challenger) -> str | None:
        """Replay one challenger; what went wrong as a sentence, so that the others still get their turn."""
        blocks = sources(challenger, self.since)
        if not blocks:
            return None
        try:
            with open_scorer(challenger.model.package, challenger.deployment) as scorer:
                while blocks:
                    for block in blocks:
                        self._one(challenger, scorer, block)
                    blocks = sources(challenger, self.since)
        except (ScoringFailed, FileNotFoundError) as error:
            return f"{challenger.name}: {error}"
        return None

    def _one(self, challenger: Challenger, scorer: Scorer, block: Source) -> None:
        done = score_block(challenger, scorer, block)
        self.rows += done
        total = max(self.left, self.rows, 1)
        jobs.progress(self.job, self.rows / total, f"{self.rows} of {total} rows, {challenger.name}")
        if time.monotonic() > self.until:
            raise jobs.Unfinished


def score_block(challenger: Challenger, scorer: Scorer, block: Source) -> int:
    """Score one block and store the result once; returns its rows, 0 if it changed or was done meanwhile."""
    deployment_id, model = challenger.deployment_id, challenger.model
    payload, received = _payload(deployment_id, block)
    if payload is None:
        return 0
    rows = as_seen_by(decode(payload), shape_of(model), received)
    # requests that were stored without any feature cannot be scored; they only get the mark
    has_features = any(name.startswith(FEATURE) for name in rows.columns)
    if has_features:
        predicted = scorer.predict(rows)
        rows = rows.with_columns([column.alias(name) for name, column in predicted.items()])
    partitions.ensure([block.day])
    with transaction.atomic(), connection.cursor() as cursor:
        if not Challenger.objects.select_for_update().filter(pk=challenger.pk).exists():
            raise ScoringFailed("The challenger was removed.")
        cursor.execute(
            "UPDATE deployments_block SET replayed_by = array_append(replayed_by, %s) WHERE deployment_id = %s "
            "AND day = %s AND id = %s AND rows = %s AND NOT replayed_by @> %s::int[]",
            [model.pk, deployment_id, block.day, block.id, block.rows, [model.pk]],
        )
        if cursor.rowcount != 1:
            return 0
        if not has_features:
            return block.rows
        part = Prepared(BlockKind.PREDICTIONS, model.pk, block.batch_id, rows)
        store.insert(cursor, deployment_id, part, rows, timezone.now(), None, is_replay=True)
    return block.rows


def as_seen_by(rows: pl.DataFrame, shape: Shape, received: datetime) -> pl.DataFrame:
    """A block's rows for another model: without the predictions and the features that it does not know."""
    known = {FEATURE + name for name in shape.features} | {"at", "id", "skip", "received"}
    kept = [name for name in rows.columns if name in known or name.startswith(SEGMENT)]
    found = rows.select(kept)
    return found if "received" in kept else found.with_columns(received=pl.lit(microseconds(received), pl.Int64))


def sources(challenger: Challenger, since: datetime | None) -> list[Source]:
    """The blocks that the challenger has not scored, newest day first."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT day, id, batch_id, rows {_SOURCE} ORDER BY day DESC, id DESC LIMIT 500",
            _parameters(challenger, since),
        )
        return [Source(*row) for row in cursor.fetchall()]


def _rows_left(challenger: Challenger, since: datetime | None) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT coalesce(sum(rows), 0) {_SOURCE}", _parameters(challenger, since))
        return int(cursor.fetchone()[0])


def _parameters(challenger: Challenger, since: datetime | None) -> list[int | list[int] | datetime]:
    """Requests are those of champions: what was reported for a challenger is none of the deployment's."""
    others = challenger.deployment.models.filter(role__in=(ModelRole.CHALLENGER, ModelRole.REMOVED))
    apart = sorted({*others.values_list("pk", flat=True), challenger.model_id})
    first = since or datetime(1970, 1, 1, tzinfo=UTC)
    return [challenger.deployment_id, int(BlockKind.PREDICTIONS), apart, [challenger.model_id], first]


def _payload(deployment_id: int, block: Source) -> tuple[bytes | None, datetime]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT payload, received_at FROM deployments_block "
            "WHERE deployment_id = %s AND day = %s AND id = %s AND rows = %s",
            [deployment_id, block.day, block.id, block.rows],
        )
        found = cursor.fetchone()
    return (None, timezone.now()) if found is None else (bytes(found[0]), found[1])


def _challengers(deployment: Deployment) -> Iterator[Challenger]:
    rows = Challenger.objects.filter(deployment=deployment).select_related("model__package", "deployment")
    return rows.order_by("pk").iterator()
