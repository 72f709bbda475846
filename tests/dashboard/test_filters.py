"""The bar's state: what an address means, and that it says so when it cannot be read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.filters import Bin, Preset, Segment, View
from metrics.buckets import DAILY, HOURLY, WEEKLY
from monitoring.questions import Between, Last

NOW = datetime(2026, 11, 23, 18, 50, tzinfo=UTC)


def view(**query: str) -> View:
    return View.parse(query, NOW)


def test_nothing_asked_is_the_last_thirty_days_by_day() -> None:
    found = view()
    assert (found.start, found.end) == (datetime(2026, 10, 25, tzinfo=UTC), datetime(2026, 11, 23, 19, tzinfo=UTC))
    assert found.bucket == DAILY
    assert found.window == Last("P30D")
    assert found.query() == ""
    assert found.is_default


def test_a_day_is_shown_by_hours_up_to_the_running_one() -> None:
    found = view(range="24h")
    assert found.bucket == HOURLY
    assert found.end == datetime(2026, 11, 23, 19, tzinfo=UTC)
    assert found.end - found.start == timedelta(hours=24)


def test_presets_stay_relative_in_the_address() -> None:
    assert view(range="7d").query() == "?range=7d"


def test_a_custom_range_is_absolute_and_snapped_to_whole_hours() -> None:
    found = view(start="2026-11-01T10:20", end="2026-11-02T09:40")
    assert found.window == Between(datetime(2026, 11, 1, 10, tzinfo=UTC), datetime(2026, 11, 2, 10, tzinfo=UTC))
    assert "snapped to whole hours" in found.notes


def test_times_without_an_offset_are_the_readers_own() -> None:
    found = View.parse({"start": "2026-11-01T10:00", "end": "2026-11-02T10:00"}, NOW, ZoneInfo("America/New_York"))
    assert found.start == datetime(2026, 11, 1, 15, tzinfo=UTC)


def test_a_range_by_day_grows_to_whole_utc_days() -> None:
    found = view(start="2026-10-01T10:00Z", end="2026-10-20T10:00Z")
    assert found.bucket == DAILY
    assert (found.start, found.end) == (datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 10, 21, tzinfo=UTC))


def test_a_range_never_ends_after_the_running_hour() -> None:
    assert view(start="2026-11-01", end="2030-01-01").end == datetime(2026, 11, 23, 19, tzinfo=UTC)


def test_weeks_start_on_monday() -> None:
    found = view(start="2026-09-02", end="2026-11-02", bin="7d")
    assert found.bucket == WEEKLY
    assert found.start.weekday() == 0


def test_too_many_bins_fall_back_to_a_size_that_can_be_drawn() -> None:
    found = view(start="2020-01-01", end="2026-01-01", bin="1h")
    assert found.bin is Bin.AUTO
    assert any("would be more than" in note for note in found.notes)


@pytest.mark.parametrize(
    ("query", "note"),
    [
        ({"range": "5y"}, "there is no range"),
        ({"bin": "x"}, "there is no bin size"),
        ({"start": "yesterday", "end": "today"}, "the range could not be read"),
        ({"as_of": "when"}, "the as-of time could not be read"),
        ({"batches": "many"}, "the number of batches"),
    ],
)
def test_what_cannot_be_read_falls_back_and_is_said(query: dict[str, str], note: str) -> None:
    found = View.parse(query, NOW)
    assert found.preset is Preset.MONTH
    assert any(note in one for one in found.notes)


def test_going_back_moves_the_range_with_the_clock() -> None:
    found = view(as_of="2026-11-10T09:00Z")
    assert found.as_of == datetime(2026, 11, 10, 9, tzinfo=UTC)
    assert found.end == datetime(2026, 11, 10, 9, tzinfo=UTC)
    assert view(as_of="2030-01-01T00:00Z").as_of is None


def test_an_empty_segment_value_means_missing() -> None:
    assert view(segment="carrier:").segment == Segment("carrier", "")
    assert view(segment="carrier").segment is None


@given(
    st.sampled_from(["", "24h", "7d", "90d"]),
    st.sampled_from(["", "1h", "1d", "7d"]),
    st.sampled_from(["", "carrier:UA", "a b:c&d=e"]),
    st.sampled_from(["", "64f1"]),
)
def test_an_address_made_of_a_view_gives_the_view_again(preset: str, size: str, segment: str, model: str) -> None:
    pairs = {"range": preset, "bin": size, "segment": segment, "model": model}
    found = View.parse({name: value for name, value in pairs.items() if value}, NOW)
    again = View.parse(dict(parse_qsl(found.query().lstrip("?"))), NOW)
    assert again == View.parse({**dict(parse_qsl(found.query().lstrip("?")))}, NOW)
    assert (again.start, again.end, again.bucket, again.segment) == (
        found.start,
        found.end,
        found.bucket,
        found.segment,
    )


@given(
    st.dictionaries(
        st.sampled_from(["range", "bin", "start", "end", "as_of", "segment", "batches"]), st.text(max_size=30)
    )
)
def test_no_address_breaks_a_page(query: dict[str, str]) -> None:
    found = View.parse(query, NOW)
    assert found.start < found.end
