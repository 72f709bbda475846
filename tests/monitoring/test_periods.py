"""When digests and hand-overs are due, as a table; wall-clock times through changes of clocks."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.mail.periods import LATE, digest_due, shift_due
from monitoring.models import DigestPace

LONDON, TOKYO = ZoneInfo("Europe/London"), ZoneInfo("Asia/Tokyo")
D, W, M, N = DigestPace.DAILY, DigestPace.WEEKLY, DigestPace.MONTHLY, DigestPace.NEVER


def at(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


CASES = [
    # never
    (N, 8, LONDON, at(5, 4, 7, 30), None),
    # daily at eight in London is seven in UTC in summer
    (D, 8, LONDON, at(5, 1, 6, 59), None),
    (D, 8, LONDON, at(5, 1, 7, 0), ("daily.2026-05-01", at(4, 30, 7), at(5, 1, 7))),
    (D, 8, LONDON, at(5, 1, 18, 59), ("daily.2026-05-01", at(4, 30, 7), at(5, 1, 7))),
    # too late: it is in the next one
    (D, 8, LONDON, at(5, 1, 19, 0), None),
    # the clocks went forward on 29 March: that day has 23 hours
    (D, 8, LONDON, at(3, 29, 7), ("daily.2026-03-29", at(3, 28, 8), at(3, 29, 7))),
    # weekly on Monday, in Tokyo already
    (W, 8, TOKYO, at(5, 3, 23), ("weekly.2026-05-04", at(4, 26, 23), at(5, 3, 23))),
    (W, 8, TOKYO, at(5, 5, 23), None),
    # monthly on the first
    (M, 0, LONDON, at(4, 30, 23, 5), ("monthly.2026-05-01", at(3, 31, 23), at(4, 30, 23))),
]


@pytest.mark.parametrize(("pace", "hour", "zone", "now", "expected"), CASES)
def test_digest_due(
    pace: DigestPace, hour: int, zone: ZoneInfo, now: datetime, expected: tuple[str, datetime, datetime] | None
) -> None:
    found = digest_due(pace, hour, zone, now)
    assert (found and (found.key, found.start, found.end)) == expected


@given(
    st.sampled_from([D, W, M]),
    st.integers(0, 23),
    st.sampled_from([LONDON, TOKYO]),
    st.datetimes(datetime(2026, 1, 5), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_periods_follow_each_other_without_gap_or_overlap(
    pace: DigestPace, hour: int, zone: ZoneInfo, now: datetime
) -> None:
    found = digest_due(pace, hour, zone, now)
    if found is not None:
        before = digest_due(pace, hour, zone, found.start + timedelta(minutes=5))
        assert found.start < found.end <= now < found.end + LATE
        assert before is not None
        assert before.end == found.start
        assert before.key != found.key


SHIFTS = [
    ([], at(5, 1, 7, 0), "2026-05-01.0800"),
    ([], at(5, 1, 8, 59), "2026-05-01.0800"),
    ([], at(5, 1, 9, 0), None),
    ([], at(5, 1, 6, 59), None),
    ([4], at(5, 1, 7, 30), "2026-05-01.0800"),
    ([0, 1], at(5, 1, 7, 30), None),
]


@pytest.mark.parametrize(("days", "now", "key"), SHIFTS)
def test_shift_due(days: list[int], now: datetime, key: str | None) -> None:
    found = shift_due(days, time(8), LONDON, now)
    assert (found and found.key) == key
