"""Whole weeks, the last week again and again, and no minute twice."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from demo import clock

NOW = datetime(2026, 11, 23, 18, 50, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(now=moments)
def test_today_lies_in_the_last_week_and_keeps_its_weekday(now: datetime) -> None:
    moved = now - clock.shift_to(now)
    assert clock.LAST_WEEK <= moved < clock.END
    assert moved.weekday() == now.weekday()
    assert moved.time() == now.time()


def test_a_monday_of_2026_is_the_monday_before_new_year() -> None:
    assert NOW - clock.shift_to(NOW) == datetime(2013, 12, 30, 18, 50, tzinfo=UTC)


def test_the_first_round_reaches_back_to_the_whole_year() -> None:
    shift = clock.shift_to(NOW)
    (span,) = clock.spans(NOW - timedelta(days=100), NOW, shift)
    assert span == clock.Span(NOW - shift - timedelta(days=100), NOW - shift, shift)


def test_when_the_week_runs_out_it_starts_again() -> None:
    shift = clock.shift_to(NOW)
    turn = clock.END + shift
    before, after = clock.spans(turn - MINUTE, turn + MINUTE, shift)
    assert before == clock.Span(clock.END - MINUTE, clock.END, shift)
    assert after == clock.Span(clock.LAST_WEEK, clock.LAST_WEEK + MINUTE, shift + clock.WEEK)


def test_the_third_round_holds_the_same_week() -> None:
    shift = clock.shift_to(NOW)
    since = clock.END + shift + clock.WEEK
    (span,) = clock.spans(since, since + MINUTE, shift)
    assert span == clock.Span(clock.LAST_WEEK, clock.LAST_WEEK + MINUTE, shift + 2 * clock.WEEK)


def test_no_time_between_two_feeds_is_no_span_even_in_a_later_round() -> None:
    shift = clock.shift_to(NOW)
    later = clock.END + shift + MINUTE
    assert list(clock.spans(later, later, shift)) == []


@given(start=moments, first=st.integers(0, 40_000), second=st.integers(0, 40_000))
def test_two_feeds_one_after_the_other_cover_the_same_as_one(start: datetime, first: int, second: int) -> None:
    shift = clock.shift_to(start)
    middle = start + first * MINUTE
    end = middle + second * MINUTE
    apart = [*clock.spans(start, middle, shift), *clock.spans(middle, end, shift)]
    assert _real_time(apart) == _real_time(clock.spans(start, end, shift)) == end - start


def _real_time(spans: Iterable[clock.Span]) -> timedelta:
    total = timedelta(0)
    for span in spans:
        assert span.since < span.until <= clock.END
        total += span.until - span.since
    return total
