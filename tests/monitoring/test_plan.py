"""When and what to ask: pure tables, with the clock as an argument."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from monitoring import questions as q
from monitoring.kept_buckets import Point
from monitoring.poll.facts import learn_lag
from monitoring.poll.pace import Pace, pace_of
from monitoring.poll.plan import GRACE, UNKNOWN_LAG, Stored, asks, closed_until, due, long_enough, without_hole
from monitoring.poll.standing import DAYS, HOURS, Facts, Standing, accuracy_metrics, standing
from monitoring.questions import Between, Bucket, Last, Mature, Question, from_json

NOW = datetime(2026, 5, 1, 10, 20, tzinfo=UTC)
SLOW = timedelta(hours=1)


def ago(**lengths: int) -> datetime:
    return NOW - timedelta(**lengths)


PACES = [
    # never seen before
    ({"backfilled_at": None, "polled_at": None, "slow_polled_at": None, "moved_at": ago(minutes=1)}, Pace.FIRST),
    # the first look at a new UTC day
    ({"polled_at": ago(hours=11), "slow_polled_at": ago(hours=11), "moved_at": None}, Pace.DAILY),
    # moved, and a new hour has begun since the last slow poll
    ({"polled_at": ago(minutes=2), "slow_polled_at": ago(minutes=30), "moved_at": ago(minutes=1)}, Pace.HOURLY),
    # moved within the hour
    ({"polled_at": ago(minutes=2), "slow_polled_at": ago(minutes=10), "moved_at": ago(minutes=1)}, Pace.FAST),
    # moved before the last poll: nothing new
    ({"polled_at": ago(minutes=2), "slow_polled_at": ago(minutes=10), "moved_at": ago(minutes=5)}, None),
    # did not move for an hour: only what the list does not show
    ({"polled_at": ago(hours=1), "slow_polled_at": ago(hours=1), "moved_at": ago(hours=5)}, Pace.QUIET),
    # did not move, hour not over
    ({"polled_at": ago(minutes=40), "slow_polled_at": ago(minutes=40), "moved_at": ago(hours=5)}, None),
]


@pytest.mark.parametrize(("given", "expected"), PACES)
def test_pace(given: dict[str, datetime | None], expected: Pace | None) -> None:
    assert pace_of(now=NOW, slow=SLOW, **{"backfilled_at": ago(days=3), **given}) is expected


def test_a_poll_asks_the_questions_of_its_pace_and_of_all_faster_ones() -> None:
    every = standing(Facts("Binary"))
    sizes = [len(due(every, pace)) for pace in (Pace.FAST, Pace.QUIET, Pace.HOURLY, Pace.DAILY, Pace.FIRST)]
    assert sizes == sorted(sizes)
    assert sizes[0] < 10
    assert sizes[-1] == len(every)


def test_no_question_stands_twice() -> None:
    keys = [one.question.key for one in standing(Facts("Binary", judged_metric="LogLoss", features=("a", "b", "c")))]
    assert len(keys) == len(set(keys))


def test_two_features_share_one_request() -> None:
    chosen = [Standing(q.feature_drift_over_time(name, DAYS), Pace.HOURLY) for name in "abc"]
    found = asks(chosen, {}, Pace.FIRST, NOW)
    assert [len(ask.questions) for ask in found] == [2, 1]
    assert [value for name, value in found[0].query if name == "featureNames"] == ["a", "b"]


def period(stored: Stored, pace: Pace = Pace.HOURLY, restated: datetime | None = None) -> list[str]:
    question = q.service_over_time("totalRequests", HOURS, Bucket.HOUR)
    ask = asks([Standing(question, Pace.HOURLY)], {question.key: stored}, pace, NOW, restated)[0]
    assert ask.period is not None
    return [moment.isoformat(timespec="hours") for moment in ask.period]


def test_of_a_series_only_open_buckets_are_asked() -> None:
    stored = Stored(open_from=ago(days=8), closed_until=datetime(2026, 5, 1, 9, tzinfo=UTC))
    assert period(stored) == ["2026-05-01T09+00:00", "2026-05-01T11+00:00"]


def test_a_restated_bucket_widens_what_is_asked() -> None:
    stored = Stored(open_from=ago(days=8), closed_until=datetime(2026, 5, 1, 9, tzinfo=UTC))
    assert period(stored, restated=datetime(2026, 4, 29, tzinfo=UTC))[0] == "2026-04-29T00+00:00"


@pytest.mark.parametrize(
    ("stored", "pace"),
    [
        (Stored(), Pace.HOURLY),
        (Stored(ago(days=2), ago(hours=2)), Pace.HOURLY),
        (Stored(ago(days=9), ago(hours=2)), Pace.DAILY),
    ],
)
def test_the_whole_range_is_asked_at_first_when_it_is_not_covered_and_once_a_day(stored: Stored, pace: Pace) -> None:
    assert period(stored, pace) == ["2026-04-24T11+00:00", "2026-05-01T11+00:00"]


def test_buckets_that_await_labels_close_later() -> None:
    plain = q.service_over_time("totalRequests", HOURS, Bucket.HOUR)
    labelled = q.accuracy_over_time("AUC", HOURS, Bucket.HOUR)
    assert closed_until(plain, NOW, None) == (NOW - GRACE).replace(minute=0)
    assert closed_until(labelled, NOW, timedelta(hours=5)) == datetime(2026, 5, 1, 5, tzinfo=UTC)
    assert closed_until(labelled, NOW, None) == (NOW - GRACE - UNKNOWN_LAG).replace(minute=0)


def test_what_is_covered_stays_one_piece() -> None:
    a, b, c, d = (datetime(2026, 5, day, tzinfo=UTC) for day in (1, 2, 3, 4))
    assert without_hole((a, b), c, d) == (a, c)
    assert without_hole((c, d), a, b) == (b, d)
    assert without_hole((a, b), None, None) == (a, b)


# --- Questions ----------------------------------------------------------------------------------------------------


def test_day_buckets_of_a_moving_window_start_at_midnight_utc() -> None:
    start, end = q.predictions_over_time(Last("P30D")).period(NOW) or (None, None)
    assert (start, end) == (datetime(2026, 4, 2, tzinfo=UTC), datetime(2026, 5, 1, 11, tzinfo=UTC))


def test_a_shared_series_has_one_key_whatever_its_window() -> None:
    week, month = (q.predictions_over_time(Last(length)) for length in ("P7D", "P30D"))
    assert week.key == month.key
    assert q.accuracy(Last("P7D")).key != q.accuracy(Last("P30D")).key


def test_day_buckets_that_do_not_start_at_midnight_are_another_question() -> None:
    shifted = q.predictions_over_time(Between(NOW.replace(minute=0), NOW.replace(minute=0) + timedelta(days=3)))
    assert not shifted.is_series
    assert "start=" in shifted.key


def test_the_label_lag_is_no_part_of_the_key_but_moves_the_window() -> None:
    early, late = q.accuracy(Mature("P7D", 0)), q.accuracy(Mature("P7D", 30))
    assert early.key == late.key
    periods = [question.period(NOW) for question in (early, late)]
    assert periods[0] is not None
    assert periods[1] is not None
    assert periods[0][1] - periods[1][1] == timedelta(hours=30)


@pytest.mark.parametrize(
    "question",
    [
        q.details(),
        q.feature_drift(Last("P7D"), model_id="m1", segment=("region", "")),
        q.accuracy(Mature("P7D", 3)),
        q.service_over_time("responseTime", Between(NOW, NOW + timedelta(days=1)), Bucket.HOUR, quantile=0.95),
        q.batch_accuracy(["b1", "b2"]),
    ],
)
def test_a_question_survives_the_queue(question: Question) -> None:
    assert from_json(question.to_json()) == question


def test_the_judged_metric_leads_and_nothing_is_asked_twice() -> None:
    assert accuracy_metrics(Facts("Binary", judged_metric="AUC")) == ("AUC", "LogLoss")
    assert accuracy_metrics(Facts("TextGeneration")) == ()


# --- Label lag ----------------------------------------------------------------------------------------------------


def hours(*shares: float) -> list[Point]:
    first = NOW.replace(minute=0) - timedelta(hours=len(shares))
    return [
        Point(
            first + timedelta(hours=index),
            first + timedelta(hours=index + 1),
            {"rowCountTotal": 100, "rowCountWithActual": 100 * share},
            NOW,
        )
        for index, share in enumerate(shares)
    ]


LAGS = [
    # labels of the last four hours are still coming; the last hour ended 20 minutes ago
    (hours(0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.6, 0.4, 0.2, 0.0), timedelta(hours=4, minutes=20)),
    # all labels at once
    (hours(*[1.0] * 10), timedelta(minutes=20)),
    # a gap among the old ones does not count
    (hours(0.9, 0.1, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.3), timedelta(hours=1, minutes=20)),
    # nor does one among the newer ones that never filled up
    (hours(0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.7, 0.9, 0.9, 0.3), timedelta(hours=1, minutes=20)),
    # one full bucket among unfinished ones is luck
    (hours(0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.6, 0.4, 0.9, 0.1), timedelta(hours=4, minutes=20)),
    # none at all, or too few buckets
    (hours(*[0.0] * 10), None),
    (hours(1.0, 1.0), None),
    ([], None),
]


@pytest.mark.parametrize(("points", "expected"), LAGS)
def test_the_label_lag_is_learned_from_coverage(points: list[Point], expected: timedelta | None) -> None:
    assert learn_lag(points, NOW) == expected


@pytest.mark.parametrize(
    ("period", "bucket", "expected"),
    [
        # this day alone is shorter than its bucket: the day before is asked along
        ((datetime(2026, 5, 1, tzinfo=UTC), NOW), Bucket.DAY, (datetime(2026, 4, 30, tzinfo=UTC), NOW)),
        ((datetime(2026, 4, 30, tzinfo=UTC), NOW), Bucket.DAY, (datetime(2026, 4, 30, tzinfo=UTC), NOW)),
        ((NOW - timedelta(hours=1), NOW), Bucket.HOUR, (NOW - timedelta(hours=1), NOW)),
        (None, Bucket.DAY, None),
    ],
)
def test_no_period_is_shorter_than_its_bucket(
    period: tuple[datetime, datetime] | None, bucket: str, expected: tuple[datetime, datetime] | None
) -> None:
    assert long_enough(period, bucket) == expected
