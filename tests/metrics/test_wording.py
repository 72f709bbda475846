"""Numbers in sentences."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest

from metrics import wording
from metrics.wording import MINUS, NARROW


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.7541, "0.754"), (-0.2, f"{MINUS}0.200"), (41.2, "41.20"), (512.34, "512.3"), (12345.6, "12,346"), (None, "–")],
)
def test_a_metric_shows_what_its_size_deserves(number: float | None, text: str) -> None:
    assert wording.score(number) == text


def test_undefined_is_a_dash() -> None:
    assert wording.score(math.nan) == wording.score(math.inf) == "–"


@pytest.mark.parametrize(("number", "text"), [(0.0, "0.00"), (0.001, f"<{NARROW}0.01"), (0.312, "0.31"), (4.0, "4.00")])
def test_a_small_drift_is_not_shown_as_none(number: float, text: str) -> None:
    assert wording.drift(number) == text


@pytest.mark.parametrize(("number", "text"), [(0.0, "0.0"), (0.0001, f"<{NARROW}0.1"), (0.058, "5.8"), (1.0, "100.0")])
def test_a_small_share_is_not_shown_as_none(number: float, text: str) -> None:
    assert wording.share(number) == f"{text}{NARROW}%"


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(0), "0_s"),
        (timedelta(seconds=-5), "0_s"),
        (timedelta(seconds=90), "1_min 30_s"),
        (timedelta(hours=1, minutes=30), "1_h 30_min"),
        (timedelta(hours=1, seconds=5), "1_h"),
        (timedelta(hours=24), "1_d"),
        (timedelta(hours=26), "26_h"),
        (timedelta(days=3), "3_d"),
        (timedelta(days=3, hours=2, minutes=9), "3_d 2_h"),
    ],
)
def test_a_duration_has_at_most_two_units(length: timedelta, text: str) -> None:
    assert wording.duration(length) == text.replace("_", NARROW)


def test_counts_and_lists() -> None:
    assert wording.plural(1, "batch", "batches") == "1 batch"
    assert wording.plural(2000, "batch", "batches") == "2,000 batches"
    assert wording.whole(-1500) == f"{MINUS}1,500"
    assert wording.some_of(["a", "b"]) == "a, b"
    assert wording.some_of(list("abcde")) == "a, b, c and 2 more"
    assert wording.percent(-5.84) == f"{MINUS}5.8{NARROW}%"
