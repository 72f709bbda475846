"""What is stored can be read as it was known then; what nobody polled is asked for once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from monitoring import compaction, packing, retention, snapshots
from monitoring import questions as q
from monitoring.models import Answer, PendingQuestion, SeriesChunk, TopicState, Watched, WorkState
from monitoring.poll import pending
from monitoring.poll.fetch import Outcome
from monitoring.poll.plan import ask_of
from monitoring.poll.store import save
from monitoring.questions import Between, Last, Question
from tests.monitoring.factories import NOW, make_source, make_watched
from tests.monitoring.far_side import FarSide, Remote, json

pytestmark = pytest.mark.django_db
SETTINGS = q.settings()


def answered(watched: Watched, question: Question, payload: object, at: datetime = NOW) -> None:
    ask = ask_of((question,), question.period(at))
    save([Outcome(watched.pk, ask, TopicState.OK, payload)], now=at, lags={})


def test_an_equal_answer_writes_only_when_it_was_checked() -> None:
    watched = make_watched()
    answered(watched, SETTINGS, {"a": 1, "b": 2})
    answered(watched, SETTINGS, {"b": 2, "a": 1}, NOW + timedelta(hours=1))
    view = snapshots.answer(watched, SETTINGS)
    assert view is not None
    assert (view.known_at, view.checked_at) == (NOW, NOW + timedelta(hours=1))
    assert Answer.objects.count() == 1


def test_a_period_that_slides_makes_no_new_answer() -> None:
    watched = make_watched()
    question = q.accuracy(Last("P7D"))
    answered(watched, question, {"metrics": {}, "period": {"start": "a", "end": "b"}})
    answered(watched, question, {"metrics": {}, "period": {"start": "b", "end": "c"}}, NOW + timedelta(hours=1))
    assert Answer.objects.count() == 1


def test_an_answer_can_be_read_as_of_any_moment() -> None:
    watched = make_watched()
    answered(watched, SETTINGS, {"a": 1})
    answered(watched, SETTINGS, {"a": 2}, NOW + timedelta(hours=2))
    then = snapshots.answer(watched, SETTINGS, as_of=NOW + timedelta(hours=1))
    assert then is not None
    assert then.payload == {"a": 1}
    assert snapshots.answer(watched, SETTINGS, as_of=NOW - timedelta(hours=1)) is None


def test_a_failure_leaves_what_is_known() -> None:
    watched = make_watched()
    answered(watched, SETTINGS, {"a": 1})
    failed = Outcome(watched.pk, ask_of((SETTINGS,), None), TopicState.FAILED, problem="The source failed (500)")
    save([failed], now=NOW + timedelta(hours=1), lags={})
    view = snapshots.answer(watched, SETTINGS)
    assert view is not None
    assert (view.payload, view.state, view.checked_at) == ({"a": 1}, TopicState.FAILED, NOW)


def test_many_questions_cost_two_statements() -> None:
    watched = make_watched()
    wanted = [q.service_over_time(metric, Last("P30D")) for metric in ("totalRequests", "responseTime", "peakLoad")]
    for question in wanted:
        answered(watched, question, {"buckets": [{"period": _day(1), "value": 1}]})
    answered(watched, SETTINGS, {})
    with CaptureQueriesContext(
        connection,
    ) as queries:
        found = snapshots.read(watched, [*wanted, SETTINGS, q.capabilities()], now=NOW)
    assert len(queries) == 2
    assert found.answer(SETTINGS) is not None
    assert found.state(q.capabilities()) is TopicState.NEW


def test_two_windows_of_one_series_share_its_buckets() -> None:
    watched = make_watched()
    month = q.predictions_over_time(Last("P30D"))
    answered(watched, month, {"buckets": [{"period": _day(day), "rowCount": day} for day in (10, 20, 30)]})
    week = q.predictions_over_time(Last("P7D"))
    found = snapshots.many_series(watched, [month, week], now=NOW)
    assert [point.number("rowCount") for point in found[month].points] == [10, 20, 30]  # type: ignore[union-attr]
    assert [point.number("rowCount") for point in found[week].points] == [30]  # type: ignore[union-attr]


def test_a_range_that_was_never_fetched_is_named() -> None:
    watched = make_watched()
    answered(watched, q.predictions_over_time(Last("P7D")), {"buckets": []})
    quarter = snapshots.series(watched, q.predictions_over_time(Last("P90D")), now=NOW)
    assert quarter is not None
    assert quarter.missing == ((datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 4, 25, tzinfo=UTC)),)


def test_asked_by_ten_people_a_question_is_fetched_once() -> None:
    source, far = make_source(), FarSide(Remote("d1"))
    watched = make_watched(source)
    question = q.accuracy(Last("P90D"))
    assert all(snapshots.want(watched, question, now=NOW) for _ in range(10))
    assert snapshots.waiting(watched, [question, SETTINGS]) == {question}
    assert pending.sources_with_questions(NOW) == [source.pk]
    run = pending.answer_pending(source, NOW, transport=far)
    assert run is not None
    assert (run.asked, run.answered) == (1, 1)
    assert snapshots.answer(watched, question) is not None
    assert not snapshots.want(watched, question, now=NOW + timedelta(minutes=1))
    assert pending.answer_pending(source, NOW, transport=far) is None


def test_an_older_range_of_a_series_is_fetched_without_leaving_a_hole() -> None:
    source, far = make_source(), FarSide(Remote("d1"))
    watched = make_watched(source)
    answered(watched, q.predictions_over_time(Last("P7D")), {"buckets": []})
    old = q.predictions_over_time(Between(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 5, tzinfo=UTC)))
    snapshots.want(watched, old, now=NOW)
    pending.answer_pending(source, NOW, transport=far)
    whole = snapshots.series(watched, q.predictions_over_time(Last("P60D")), now=NOW)
    assert whole is not None
    assert len(whole.points) == 53  # 3 March to 24 April; the rest was answered empty
    assert whole.missing == ()


@pytest.mark.parametrize(
    ("status", "expected"), [(403, WorkState.REFUSED), (422, WorkState.REFUSED), (500, WorkState.PENDING)]
)
def test_a_question_that_cannot_be_answered_says_why(status: int, expected: WorkState) -> None:
    source, far = make_source(), FarSide(Remote("d1"))
    watched = make_watched(source)
    far.odd["accuracy/"] = lambda request: json({"message": "Not for this target."}, status)
    snapshots.want(watched, q.accuracy(Last("P90D")), now=NOW)
    pending.answer_pending(source, NOW, transport=far)
    row = PendingQuestion.objects.get()
    assert row.state == expected
    assert "Not for this target." in row.problem


def test_pruning_forgets_old_snapshots_but_never_the_newest() -> None:
    watched = make_watched()
    answered(watched, SETTINGS, {"a": 1})
    answered(watched, SETTINGS, {"a": 2}, NOW + timedelta(hours=1))
    assert Answer.objects.count() == 2
    retention.prune(NOW + timedelta(days=800))
    assert Answer.objects.count() == 1
    view = snapshots.answer(watched, SETTINGS)
    assert view is not None
    assert view.payload == {"a": 2}


def stored(watched: Watched) -> list[tuple[int, datetime]]:
    rows = SeriesChunk.objects.filter(topic__watched=watched).order_by("known_at")
    return [(sum(1 for _ in packing.unpack_buckets(row.payload)), row.known_at) for row in rows]


def test_within_an_hour_the_newest_version_replaces_the_one_before() -> None:
    watched, question = make_watched(), q.predictions_over_time(Last("P30D"))
    for minute in (0, 5, 10):
        buckets = [{"period": _day(20), "rowCount": minute}, {"period": _day(21), "rowCount": 7}]
        answered(watched, question, {"buckets": buckets, "frame": minute}, NOW + timedelta(minutes=minute))
    assert stored(watched) == [(2, NOW)]
    assert Answer.objects.count() == 1
    found = snapshots.series(watched, question, now=NOW)
    assert found is not None
    assert [(point.number("rowCount"), point.known_at) for point in found.points] == [
        (10, NOW + timedelta(minutes=10)),
        (7, NOW),
    ]


def test_older_hours_are_thinned_to_days_and_tell_the_same() -> None:
    watched, question = make_watched(), q.predictions_over_time(Last("P30D"))
    for hour in range(6):
        buckets = [{"period": _day(20), "rowCount": hour}, {"period": _day(10 + hour), "rowCount": 1}]
        answered(watched, question, {"buckets": buckets, "frame": hour}, NOW + timedelta(hours=hour))
    before = snapshots.series(watched, question, now=NOW)
    assert len(stored(watched)) == 6
    compaction.compact(NOW + timedelta(days=1))
    assert len(stored(watched)) == 6
    compaction.compact(NOW + timedelta(days=2))
    assert stored(watched) == [(7, NOW)]
    assert Answer.objects.count() == 1
    after = snapshots.series(watched, question, now=NOW)
    assert before is not None
    assert after is not None
    assert [(point.start, point.values, point.known_at) for point in after.points] == [
        (point.start, point.values, point.known_at) for point in before.points
    ]
    assert compaction.compact(NOW + timedelta(days=2)) == 0


def _day(day: int) -> dict[str, str]:
    start = datetime(2026, 4, day, tzinfo=UTC)
    return {"start": start.isoformat(), "end": (start + timedelta(days=1)).isoformat()}
