"""Durations as sources write them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from monitoring.clock import LONGEST, duration_or, parse_duration


@pytest.mark.parametrize(
    ("text", "expected"),
    [("P7D", timedelta(days=7)), ("PT36H", timedelta(hours=36)), ("P1M", timedelta(days=30)), ("P36525D", LONGEST)],
)
def test_a_duration_is_read(text: str, expected: timedelta) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize("text", ["", "weekly", "P", "P36526D", "P999999999999999D", "PT99999999999999999999H"])
def test_what_is_none_or_leads_out_of_the_calendar_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|longer"):
        parse_duration(text)
    assert duration_or(text, timedelta(days=1)) == timedelta(days=1)
