"""Deleting monitoring data and erasing deployments: afterwards it is as if the rows had never come."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from deployments import batches, erasure, jobs, registry
from deployments.deletions import work
from deployments.exports import work as exports
from deployments.models import (
    AuditEntry,
    BatchModel,
    Block,
    Deployment,
    DirtyBucket,
    ExportKind,
    IngestRequest,
    Job,
    JobState,
    MonitoringBatch,
    PredictionKey,
    SegmentAttribute,
    SegmentValue,
    State,
    WaitingKey,
)
from deployments.rollups import fill
from deployments.rollups.read import layout_of
from deployments.rollups.states import decode_accuracy, decode_predictions, decode_service
from tests.deployments.factories import (
    HOUR,
    NOW,
    make_deployment,
    make_package,
    roll_up,
    send_actuals,
    send_predictions,
    send_service,
)
from tests.deployments.killing import kill

START, END = HOUR - timedelta(hours=10), HOUR - timedelta(hours=4)
IDS = [f"id{number}" for number in range(8)]


def delete(deployment: Deployment, start: Any = START, end: Any = END) -> Job:
    assert deployment.champion is not None
    assert deployment.created_by is not None
    job = work.start(deployment.champion, start, end, deployment.created_by)
    assert jobs.run(job.pk)
    job.refresh_from_db()
    assert job.state == JobState.COMPLETED, job.message
    deployment.refresh_from_db()
    return job


def states(deployment: Deployment) -> dict[tuple[Any, ...], Any]:
    """Every state of the deployment in words, as numbers that can be compared."""
    attributes = dict(SegmentAttribute.objects.filter(deployment=deployment).values_list("pk", "name"))
    values = dict(SegmentValue.objects.filter(deployment_id=deployment.pk).values_list("pk", "text"))
    names = dict(MonitoringBatch.objects.filter(deployment=deployment).values_list("pk", "name"))
    models = {model.pk: model for model in deployment.models.select_related("package")}
    order = {pk: place for place, pk in enumerate(sorted(models))}
    found = {}
    for row in State.objects.filter(deployment_id=deployment.pk):
        place = names[row.bucket] if row.grain == 3 else row.bucket
        who = (attributes.get(row.attribute_id), values.get(row.value_id), order[row.model_id])
        found[row.area, row.grain, place, *who] = _numbers(row, models[row.model_id])
    return found


def _numbers(row: State, model: Any) -> Any:
    if row.area == 1:
        service = decode_service(row.payload)
        return np.round(service.sums, 9).tolist(), service.response.encode(), service.load.encode()
    if row.area == 2:
        made = decode_predictions(row.payload, layout_of(model))
        counts = {name: counted.tolist() for name, counted in made.feature_counts.items()}
        median = None if made.quantiles is None else round(float(made.quantiles.quantile(0.5)), 9)
        return (
            made.n_rows,
            made.n_predicted,
            counts,
            made.class_counts.tolist(),
            np.round(made.sums, 9).tolist(),
            median,
        )
    if row.area == 3:
        scored = decode_accuracy(row.payload)
        auc = scored.scores[0].auc() if scored.scores and 0 < scored.actual_class_counts[1] < scored.n_actual else None
        # hours without any id have no state, so a day that is added up from hours counts fewer rows in all
        total = scored.n_total if row.grain != 2 else None
        return total, scored.n_actual, scored.n_duplicates, np.round(scored.sums, 9).tolist(), auc
    return bytes(row.payload)


Row = tuple[float, int, str | None, float, str]
_row = st.tuples(
    st.floats(0.01, 0.99).map(lambda p: round(p, 3)),
    st.integers(-40, 3),
    st.one_of(st.none(), st.sampled_from(IDS)),
    st.floats(15, 80),
    st.sampled_from(["Oslo", "Bergen"]),
)


def is_doomed(row: Row) -> bool:
    return START <= HOUR + timedelta(hours=row[1]) < END


def spared(rows: list[Row]) -> list[Row]:
    return [row for row in rows if not is_doomed(row)]


def send(deployment: Deployment, rows: list[Row], **more: Any) -> None:
    if rows:
        send_predictions(
            deployment,
            [[1 - row[0], row[0]] for row in rows],
            at=[HOUR + timedelta(hours=row[1], minutes=7) for row in rows],
            ids=[row[2] for row in rows],
            ages=[row[3] for row in rows],
            towns=[row[4] for row in rows],
            **more,
        )


def serve(deployment: Deployment, hours: list[int]) -> None:
    for hour in hours:
        at = HOUR + timedelta(hours=hour, minutes=3)
        send_service(deployment, [{"timestamp": at.isoformat(), "numPredictions": 2, "responseTime": 60.0 + hour}])


@pytest.mark.django_db(transaction=True)
@hypothesis_settings(
    max_examples=10, deadline=None, phases=(Phase.explicit, Phase.generate), suppress_health_check=list(HealthCheck)
)
@given(
    rows=st.lists(_row, min_size=1, max_size=25),
    in_batch=st.lists(_row, max_size=10),
    rival=st.lists(_row, max_size=8),
    events=st.lists(st.integers(-40, 3), max_size=6),
    early=st.sets(st.sampled_from(IDS)),
    late=st.sets(st.sampled_from(IDS)),
    rolled_first=st.booleans(),
)
def test_afterwards_the_states_are_those_of_a_deployment_that_never_had_the_rows(
    rows: list[Row],
    in_batch: list[Row],
    rival: list[Row],
    events: list[int],
    early: set[str],
    late: set[str],
    rolled_first: bool,
) -> None:
    had, never = (make_deployment(segments=True, batch_monitoring=True) for _ in range(2))
    for deployment in (had, never):
        assert deployment.created_by is not None
        assert deployment.champion is not None
        former = deployment.champion
        other = registry.replace_model(deployment, make_package(), NOW - timedelta(days=50), "OTHER")
        registry.replace_model(deployment, former.package, NOW - timedelta(days=49), "OTHER")
        batch = batches.create(deployment, deployment.created_by, {"name": "May"})
        part = list if deployment is had else spared
        if early:
            send_actuals(deployment, dict.fromkeys(sorted(early), "yes"))
        half = len(rows) // 2
        send(deployment, part(rows[:half]))
        if rolled_first:
            roll_up(deployment)
        send(deployment, part(rows[half:]))
        send(deployment, part(in_batch), batchId=batch.public_id)
        send(deployment, rival, modelId=other.public_id)
        serve(deployment, [row[1] for row in part([(0.0, hour, None, 0.0, "") for hour in events])])
        if late:
            send_actuals(deployment, {name: "no" if number % 2 else "yes" for number, name in enumerate(sorted(late))})
        roll_up(deployment)
    delete(had)
    roll_up(never)
    assert states(had) == states(never)
    for field in ("first_prediction_at", "last_prediction_at", "last_request_at"):
        assert getattr(had, field) == getattr(never, field), field
    assert _batch(had) == _batch(never)
    assert _keys(had) == _keys(never)
    assert not DirtyBucket.objects.filter(deployment_id=had.pk).exists()
    # and what is sent afterwards meets the same actuals
    for deployment in (had, never):
        send(deployment, [row for row in rows if is_doomed(row)])
        roll_up(deployment)
    assert states(had) == states(never)


def _batch(deployment: Deployment) -> Any:
    fields = ("earliest_prediction_at", "latest_prediction_at", "predictions_count")
    by_model = BatchModel.objects.filter(batch__deployment=deployment).order_by("pk")
    parts = list(by_model.values_list("start_at", "end_at", "predictions_count"))
    return deployment.batches.values_list(*fields).get(), parts


def _keys(deployment: Deployment) -> Any:
    order = {pk: place for place, pk in enumerate(sorted(deployment.models.values_list("pk", flat=True)))}
    batch = deployment.batches.get().pk
    rows = PredictionKey.objects.filter(deployment_id=deployment.pk)
    found = rows.values_list("key", "grain", "bucket", "model_id", "superseded")
    waiting = WaitingKey.objects.filter(deployment_id=deployment.pk).values_list("key", flat=True)
    return (
        {
            (key, grain, -1 if bucket == batch and grain == 3 else bucket, order[m], s)
            for key, grain, bucket, m, s in found
        },
        set(waiting),
    )


@pytest.mark.django_db
def test_without_limits_everything_of_the_model_goes() -> None:
    deployment = make_deployment(segments=True)
    send(deployment, [(0.4, hour, f"x{hour}", 30.0, "Oslo") for hour in range(-30, 2)])
    send_actuals(deployment, {"x-1": "yes"})
    roll_up(deployment)
    job = delete(deployment, None, None)
    assert job.message == "32 rows deleted"
    assert not State.objects.filter(deployment_id=deployment.pk).exists()
    assert not PredictionKey.objects.filter(deployment_id=deployment.pk).exists()
    assert deployment.first_prediction_at is None
    assert Block.objects.filter(deployment_id=deployment.pk).count() == 1  # the actual waits again
    assert deployment.champion is not None
    told = AuditEntry.objects.get(deployment=deployment, action="monitoringData.deleted")
    assert told.after == {"modelId": deployment.champion.public_id}


@pytest.mark.django_db
def test_states_whose_rows_were_pruned_go_by_hours_and_whole_days() -> None:
    deployment = make_deployment()
    send(deployment, [(0.4, hour, None, 30.0, "Oslo") for hour in range(-40, 3)])
    roll_up(deployment)
    Block.objects.filter(deployment_id=deployment.pk).delete()
    kept = {key: value for key, value in states(deployment).items() if key[1] == 1}
    delete(deployment)
    first, end = (int(at.timestamp()) // 3600 for at in (START, END))
    left = states(deployment)
    assert {key: value for key, value in left.items() if key[1] == 1} == {
        key: value for key, value in kept.items() if not first <= key[2] < end
    }
    assert sum(value[0] for key, value in left.items() if key[1] == 2 and key[0] == 2) == 43 - 6


WORKER = """
from deployments import jobs, erasure
from deployments.deletions import work, rows, released
stop_after(*{
    "rows": (rows, "_forget"), "actuals": (released, "_file_again"), "day": (work, "_close"),
    "counting": (work, "_roll_up"), "files": (erasure, "large_tables"), "tables": (erasure, "_wait_for"),
}[sys.argv[1]])
jobs.run(int(sys.argv[2]))
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("moment", ["rows", "actuals", "day", "counting"])
def test_a_deletion_killed_in_the_middle_is_completed_after_its_lease(moment: str) -> None:
    had, never = make_deployment(segments=True), make_deployment(segments=True)
    rows: list[Row] = [(0.3, hour, IDS[hour % 8], 20.0 - hour, "Oslo") for hour in range(-40, 3)]
    for deployment in (had, never):
        send(deployment, rows if deployment is had else [row for row in rows if not is_doomed(row)])
        send_actuals(deployment, dict.fromkeys(IDS, "yes"))
        roll_up(deployment)
    assert had.champion is not None
    assert had.created_by is not None
    job = work.start(had.champion, START, END, had.created_by)
    connection.close()
    kill(WORKER, moment, str(job.pk))
    assert jobs.run(job.pk, timezone.now() + jobs.LEASE + timedelta(minutes=1))
    had.refresh_from_db()
    assert states(had) == states(never)


# --- Erasure --------------------------------------------------------------------------------------------------------


def full() -> Deployment:
    """A deployment with something in as many tables as possible, and a neighbour with the same."""
    deployment = make_deployment(segments=True, batch_monitoring=True)
    assert deployment.created_by is not None
    assert deployment.champion is not None
    batch = batches.create(deployment, deployment.created_by, {"name": "May"})
    rows: list[Row] = [(0.3, hour, f"x{hour}", 30.0, "Oslo") for hour in range(-3, 3)]
    send(deployment, rows)
    send(deployment, rows, batchId=batch.public_id)
    serve(deployment, [0, 1])
    send_actuals(deployment, {"x1": "yes", "never": "no"})
    roll_up(deployment)
    made = exports.start(exports.make(ExportKind.PREDICTIONS, deployment, deployment.champion))
    assert made.job is not None
    jobs.run(made.job.pk)
    send(deployment, rows[:1])
    return deployment


def tables_that_know(deployment_id: int) -> dict[str, int]:
    """Rows by table, of every table that names deployments by a foreign key or by a column of that name."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.table_name, c.column_name FROM information_schema.columns c "
            "JOIN information_schema.tables t USING (table_schema, table_name) "
            "WHERE t.table_type = 'BASE TABLE' AND c.table_schema = 'public' AND c.column_name = 'deployment_id' "
            "AND c.table_name LIKE 'deployments_%'"
        )
        places = cursor.fetchall()
        found = {}
        for table, column in places:
            cursor.execute(f"SELECT count(*) FROM {table} WHERE {column} = %s", [deployment_id])
            found[table] = cursor.fetchone()[0]
    return found


@pytest.mark.django_db(transaction=True)
def test_an_erased_deployment_is_in_no_table_and_no_file_and_its_neighbour_is_whole() -> None:
    gone, stays = full(), full()
    neighbours = tables_that_know(stays.pk)
    before = tables_that_know(gone.pk)
    assert sum(count > 0 for count in before.values()) >= 12
    file = erasure.files_of(gone).get()
    storage, name = file.file.storage, str(file.file.name)
    assert gone.created_by is not None
    Deployment.objects.filter(pk=gone.pk).update(deleted_at=timezone.now())
    job = erasure.start([gone], gone.created_by)
    assert jobs.run(job.pk)
    assert Job.objects.get(pk=job.pk).state == JobState.COMPLETED
    assert {table: count for table, count in tables_that_know(gone.pk).items() if count} == {}
    assert not Deployment.objects.filter(pk=gone.pk).exists()
    assert not storage.exists(name)
    assert tables_that_know(stays.pk) == neighbours
    told = AuditEntry.objects.get(action="deployment.erased")
    assert (told.before["id"], told.user) == (gone.public_id, gone.created_by)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("moment", ["files", "tables"])
def test_an_erasure_killed_in_the_middle_is_completed_after_its_lease(moment: str) -> None:
    gone = full()
    assert gone.created_by is not None
    Deployment.objects.filter(pk=gone.pk).update(deleted_at=timezone.now())
    job = erasure.start([gone], gone.created_by)
    connection.close()
    kill(WORKER, moment, str(job.pk))
    assert jobs.run(job.pk, timezone.now() + jobs.LEASE + timedelta(minutes=1))
    assert {table: count for table, count in tables_that_know(gone.pk).items() if count} == {}
    assert AuditEntry.objects.filter(action="deployment.erased").count() == 1


@pytest.mark.django_db
def test_rows_on_their_way_cannot_outlive_their_deployment() -> None:
    deployment = full()
    assert fill.waiting_deployments() == [deployment.pk]
    assert IngestRequest.objects.filter(deployment=deployment).exists()
    Deployment.objects.filter(pk=deployment.pk).update(deleted_at=timezone.now())
    assert deployment.created_by is not None
    jobs.run(erasure.start([deployment], deployment.created_by).pk)
    assert fill.waiting_deployments() == []
