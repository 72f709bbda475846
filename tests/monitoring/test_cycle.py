"""A source from first sight to the hundredth poll."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from monitoring import questions as q
from monitoring import snapshots
from monitoring.models import (
    CORE_AREAS,
    Area,
    HealthDay,
    PollRun,
    Source,
    Status,
    Topic,
    TopicState,
    Transition,
    Watched,
)
from monitoring.poll import cycle
from monitoring.poll.facts import facts_of
from monitoring.poll.standing import Facts
from monitoring.questions import Bucket, Last
from tests.monitoring.factories import NOW, make_source
from tests.monitoring.far_side import FarSide, Remote, json

pytestmark = pytest.mark.django_db

A_MONTH = q.service_over_time("totalRequests", Last("P30D"))


def run(source: Source, far: FarSide, now: datetime = NOW) -> PollRun:
    """What beat does: read the list, then poll what is due."""
    far.now = now
    source.refresh_from_db()
    cycle.discover(source, now, far)
    return cycle.poll(source, cycle.claim_due(source, now, 100), now, far)


def test_first_sight_leaves_snapshots_verdicts_and_strips() -> None:
    source, far = make_source(), FarSide(Remote("d1"))
    done = run(source, far)
    assert (done.failed, done.deployments) == (0, 1)
    watched = Watched.objects.get()
    assert watched.worst == Status.PASSING
    assert {area.area: area.status for area in watched.areas.all()} == dict.fromkeys(CORE_AREAS, Status.PASSING)
    view = snapshots.series(watched, q.service_over_time("totalRequests", Last("P30D")), now=NOW)
    assert view is not None
    assert len(view.points) == 30
    assert view.missing == ()
    assert HealthDay.objects.filter(reconstructed=True, area=Area.SERVICE).count() == 29
    assert HealthDay.objects.filter(reconstructed=False, day=NOW.date()).count() == 3


def test_an_unchanged_deployment_is_not_asked_again() -> None:
    source, far = make_source(), FarSide(Remote("d1"))
    run(source, far)
    far.asked.clear()
    run(source, far, NOW + timedelta(minutes=2))
    assert far.asked == ["GET deployments/"]


def test_a_moved_deployment_is_asked_only_for_what_may_have_changed() -> None:
    remote = Remote("d1")
    source, far = make_source(), FarSide(remote)
    run(source, far)
    far.asked.clear()
    remote.last += timedelta(minutes=2)
    run(source, far, NOW + timedelta(minutes=2))
    assert far.count("serviceStatsOverTime") == 0
    assert far.count("featureDrift/") == 1
    assert 5 <= len(far.asked) <= 10


def test_closed_buckets_are_never_fetched_again_within_the_day() -> None:
    remote = Remote("d1")
    source, far = make_source(), FarSide(remote)
    run(source, far)
    remote.last += timedelta(hours=1)
    starts: list[str] = []

    def note(request: httpx.Request) -> httpx.Response:
        starts.append(request.url.params["start"])
        path = request.url.path.removeprefix("/api/v2/")
        return far.answer(request, path, {name: [value] for name, value in request.url.params.items()})

    far.odd["serviceStatsOverTime/"] = note
    run(source, far, NOW + timedelta(hours=1))
    # hours from the open one; days from yesterday, since no source takes a period shorter than its bucket
    assert set(starts) == {"2026-04-30T00:00:00Z", "2026-05-01T10:00:00Z"}


def test_an_older_bucket_that_changed_is_fetched_again_in_every_series() -> None:
    remote = Remote("d1")
    source, far = make_source(), FarSide(remote)
    run(source, far)
    remote.last, remote.rows_a_day = remote.last + timedelta(minutes=2), 3000
    run(source, far, NOW + timedelta(minutes=2))
    watched = Watched.objects.get()
    assert watched.restated_from == (NOW - timedelta(days=29)).replace(hour=0, minute=0)
    far.asked.clear()
    run(source, far, NOW + timedelta(minutes=4))
    assert far.count("serviceStatsOverTime") == 26
    watched.refresh_from_db()
    assert watched.restated_from is None


def test_a_restated_bucket_is_stored_beside_the_old_one() -> None:
    remote = Remote("d1")
    source, far = make_source(), FarSide(remote)
    run(source, far)
    remote.last, remote.rows_a_day = remote.last + timedelta(hours=1), 3000
    later = NOW + timedelta(hours=1)
    run(source, far, later)
    watched, question = Watched.objects.get(), q.predictions_over_time(Last("P30D"), Bucket.DAY)
    now_known = snapshots.series(watched, question, now=later)
    then_known = snapshots.series(watched, question, as_of=NOW + timedelta(minutes=1), now=later)
    assert now_known is not None
    assert then_known is not None
    assert (now_known.points[3].number("rowCount"), now_known.points[3].restated) == (3000, True)
    assert (then_known.points[3].number("rowCount"), then_known.points[3].restated) == (2000, False)


def test_the_same_poll_twice_stores_nothing_new() -> None:
    source, far = make_source(), FarSide(Remote("d1"))
    run(source, far)
    watched = Watched.objects.get()
    Watched.objects.update(due_at=None, backfilled_at=None)
    again = cycle.poll(source, [watched.pk], NOW, far)
    assert again.stored == 0
    assert Transition.objects.count() == 0


def test_a_change_of_verdict_is_one_transition_however_often_it_is_seen() -> None:
    remote = Remote("d1")
    source, far = make_source(), FarSide(remote)
    run(source, far)
    remote.server_errors, remote.last = 0.003, remote.last + timedelta(minutes=5)
    run(source, far, NOW + timedelta(minutes=5))
    remote.last += timedelta(minutes=5)
    run(source, far, NOW + timedelta(minutes=10))
    change = Transition.objects.get()
    assert (change.area, change.old, change.new) == (Area.SERVICE, Status.PASSING, Status.FAILING)
    assert "3 server errors" in change.reason
    watched = Watched.objects.get()
    assert (watched.worst, watched.severity) == (Status.FAILING, 5)
    assert watched.worst_since == NOW + timedelta(minutes=5)


def test_a_source_that_fails_keeps_the_last_snapshot_and_is_left_alone() -> None:
    source, far = make_source(), FarSide(Remote("d1"))
    run(source, far)
    far.odd["deployments/"] = lambda request: json({"message": "down"}, 500)
    later = NOW + timedelta(minutes=20)
    cycle.discover(source, later, far)
    source.refresh_from_db()
    assert source.silent_since == NOW
    assert source.is_open(later + timedelta(seconds=10))
    assert Watched.objects.get().worst == Status.PASSING
    assert PollRun.objects.latest("pk").problem.startswith("The source failed (500)")


def test_a_good_answer_ends_the_silence() -> None:
    source, far = make_source(), FarSide(Remote("d1"))
    far.odd["deployments/"] = lambda request: json({"message": "down"}, 500)
    cycle.discover(source, NOW, far)
    far.odd.clear()
    source.refresh_from_db()
    cycle.discover(source, NOW + timedelta(minutes=2), far)
    source.refresh_from_db()
    assert (source.silent_since, source.failures, source.last_error) == (None, 0, "")


def test_one_question_that_fails_does_not_stop_the_others() -> None:
    source, far = make_source(), FarSide(Remote("d1"))
    far.odd["featureDrift/"] = lambda request: json({"data": [{"driftScore": "high"}]})
    run(source, far)
    watched = Watched.objects.get()
    drift = watched.areas.get(area=Area.DRIFT)
    assert drift.status == Status.UNKNOWN
    assert "$.data[0].driftScore" in drift.reason
    assert watched.areas.get(area=Area.SERVICE).status == Status.PASSING


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-04-24T00:00:00Z", "2026-05-01T00:00:00Z"),  # a week where days were asked
        ("2026-04-30T10:20:00Z", "2026-05-01T10:20:00Z"),  # a day that begins at some minute
        ("2026-04-30T00:00:00Z", "2026-04-30T00:00:00Z"),
        ("2026-05-01T00:00:00Z", "2026-04-30T00:00:00Z"),
    ],
)
def test_buckets_that_nobody_asked_for_are_not_shown_as_days(start: str, end: str) -> None:
    source, far = make_source(), FarSide(Remote("d1"))
    bucket = {"period": {"start": start, "end": end}, "value": 7000}
    far.odd["serviceStatsOverTime/"] = lambda request: json({"buckets": [bucket], "summary": {}})
    run(source, far)
    view = snapshots.series(Watched.objects.get(), A_MONTH, now=NOW)
    assert view is None or view.points == ()
    topic = Topic.objects.get(key=A_MONTH.key)
    assert topic.state == TopicState.MALFORMED
    assert "not one of those that were asked for (P1D)" in topic.problem


@pytest.mark.parametrize(("twin", "points"), [(1000, 30), (1, 0)], ids=["equal", "different"])
def test_buckets_in_any_order_are_one_series_and_twins_that_differ_are_none(twin: int, points: int) -> None:
    source, far = make_source(), FarSide(Remote("d1"))
    plain = far.on_serviceStatsOverTime

    def shaken(remote: Remote, query: dict[str, list[str]]) -> dict[str, Any]:
        answer = plain(remote, query)
        first = {**answer["buckets"][0], "value": twin}
        return (
            {**answer, "buckets": [first, *reversed(answer["buckets"])]}
            if query["metric"] == ["totalRequests"]
            else answer
        )

    far.on_serviceStatsOverTime = shaken  # type: ignore[method-assign]
    run(source, far)
    view = snapshots.series(Watched.objects.get(), A_MONTH, now=NOW)
    found = [] if view is None else [point.start for point in view.points]
    assert len(found) == points
    assert found == sorted(set(found))
    topic = Topic.objects.get(key=A_MONTH.key)
    assert topic.state == (TopicState.OK if points else TopicState.MALFORMED)


def test_what_is_not_enabled_at_the_source_is_unavailable_and_does_not_colour_the_deployment() -> None:
    source, far = make_source(), FarSide(Remote("d1"))
    far.odd["accuracy/"] = lambda request: json({"message": "Accuracy is not enabled."}, 403)
    run(source, far)
    watched = Watched.objects.get()
    assert watched.areas.get(area=Area.ACCURACY).status == Status.UNAVAILABLE
    assert watched.worst == Status.PASSING


def test_two_workers_never_claim_the_same_deployment() -> None:
    source, far = make_source(), FarSide(*(Remote(f"d{number}") for number in range(5)))
    cycle.discover(source, NOW, far)
    first, second = cycle.claim_due(source, NOW, 3), cycle.claim_due(source, NOW, 3)
    assert len(first) == 3
    assert len(second) == 2
    assert not set(first) & set(second)


def test_a_batch_deployment_is_judged_by_its_last_batch() -> None:
    remote = Remote("d1", batch=True, log_loss=0.5)
    source, far = make_source(), FarSide(remote)
    run(source, far)
    Watched.objects.update(due_at=None)
    run(source, far, NOW + timedelta(minutes=61))
    watched = Watched.objects.get()
    assert watched.areas.get(area=Area.SERVICE).status == Status.PASSING
    assert watched.areas.get(area=Area.ACCURACY).status == Status.FAILING
    assert far.count("OverTime") == 0


def test_batches_are_judged_one_by_one_where_a_source_does_not_add_them_up() -> None:
    source, far = make_source(), FarSide(Remote("d1", batch=True, server_errors=0.01))
    far.odd["batchServiceStats/"] = lambda request: json({"message": "not served"}, 501)
    run(source, far)
    Watched.objects.update(due_at=None)
    run(source, far, NOW + timedelta(minutes=61))
    service = Watched.objects.get().areas.get(area=Area.SERVICE)
    assert service.status == Status.FAILING
    assert service.reason == "10 server errors in the last batch, 1.0\u202f% of 1,000 requests; limit 1."


@pytest.mark.parametrize(("labelled", "expected"), [(1.0, Status.PASSING), (0.0, Status.UNAVAILABLE)])
def test_labels_that_came_count_though_no_association_column_is_named(labelled: float, expected: Status) -> None:
    source, far = make_source(), FarSide(Remote("d1", labelled=labelled))
    far.odd["/settings/"] = lambda request: json({"associationId": {"columnNames": []}})
    run(source, far)
    assert Watched.objects.get().areas.get(area=Area.ACCURACY).status == expected


def test_the_token_goes_nowhere_but_into_the_header() -> None:
    source, far = make_source(), FarSide(Remote("d1"))
    run(source, far)
    assert far.tokens == {"Bearer secret-token"}
    assert b"secret-token" not in bytes(source.token_encrypted)


def test_a_deployment_whose_answers_cannot_be_read_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(row: Watched, known: snapshots.Snapshot, now: datetime) -> Facts:
        if row.remote_id == "d1" and known.topics:
            raise KeyError("id")
        return facts_of(row, known, now)

    monkeypatch.setattr("monitoring.poll.cycle.facts_of", broken)
    source, far = make_source(), FarSide(Remote("d1"), Remote("d2"))
    run(source, far)
    assert Watched.objects.get(remote_id="d2").worst == Status.PASSING
    assert Watched.objects.get(remote_id="d1").polled_at == NOW


def test_questions_about_long_names_are_kept_apart_and_asked() -> None:
    source, far = make_source(), FarSide(Remote("d1"))
    run(source, far)
    watched = Watched.objects.get()
    names = [f"{letter * 90}{number}" for number, letter in enumerate("abcdefghij")]
    asked = [q.distributions([*names[:9], last], Last("P7D")) for last in (names[9], "another")]
    assert len({question.key for question in asked}) == 2
    assert all(snapshots.want(watched, question, now=NOW) for question in asked)
    assert watched.pending_questions.count() == 2
