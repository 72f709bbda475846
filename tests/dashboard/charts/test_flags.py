"""Words of changes on charts: placed so that they never collide, at any width of the page."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from dashboard.charts.flags import NARROW, ROOMY, WIDEST, Change, Flag, detailed, flags
from dashboard.charts.plot import Upright
from dashboard.charts.scales import text_width
from dashboard.charts.timeline import Series, TimePoints, panel, quiet_frame

START = datetime(2024, 6, 25, tzinfo=UTC)
KINDS = ("model", "incident", "note", "settings", "retraining")
texts = st.text("abcdefghij klm", max_size=60)


def change(words: str = "v2 took over", days: float = 0, kind: str = "model", detail: str = "") -> Change:
    return Change(START + timedelta(days=days), words, kind, detail=detail)


def extent(flag: Flag, width: float) -> tuple[float, float]:
    """Where the words of a flag stand, in px."""
    at, long = flag.share * width, text_width(flag.words)
    return (at - 6 - long, at - 6) if flag.left else (at + 6, at + 6 + long)


@given(
    st.lists(st.tuples(st.floats(0, 1), texts, st.sampled_from(KINDS)), max_size=30),
    texts,
    st.floats(0, 1),
    st.integers(1, 2),
    st.floats(NARROW, WIDEST),
)
def test_words_never_touch_each_other_the_caption_or_the_edge(
    placed: list[tuple[float, str, str]], caption: str, silent: float, rows: int, width: float
) -> None:
    changes = [change(words, share, kind) for share, words, kind in placed]
    shares = [share for share, _, _ in placed]
    found = flags(changes, shares, caption=caption, words_at=[(silent, "no data 3 d")], rows=rows)
    assert sorted(one.at for flag in found for one in flag.changes) == sorted(one.at for one in changes)
    spoken = [flag for flag in found if flag.words and (flag.room == "wide" or width >= ROOMY)]
    half = text_width("no data 3 d") / 2
    fixed = [(silent * width - half, silent * width + half), (4.0, 4 + text_width(caption))]
    for row in range(rows):
        boxes = [extent(flag, width) for flag in spoken if flag.row == row]
        others = [*boxes, *(fixed if row == 0 else [])]
        for i, (first, last) in enumerate(boxes):
            assert all(last <= lo or hi <= first for j, (lo, hi) in enumerate(others) if j != i)
    assert all(first >= 0 and last <= width for first, last in (extent(flag, width) for flag in spoken))


def test_a_change_on_the_first_day_stands_beside_the_caption() -> None:
    (flag,) = flags([change("began", kind="incident")], [0.02], caption="PSI against training")
    assert flag.words == "began"
    assert flag.row == 1, "the first line is the caption's"
    (alone,) = flags([change("began", kind="incident")], [0.5], caption="PSI against training")
    assert (alone.row, alone.left) == (0, False)


def test_at_the_end_words_stand_left_of_their_line() -> None:
    (flag,) = flags([change()], [0.98])
    assert (flag.left, flag.room) == (True, "wide")


def test_a_crowd_shares_a_line_and_is_counted() -> None:
    crowd = [change("one", 10, "note"), change("two", 10.1, "note"), change("v2 took over", 20)]
    first, second = flags(crowd, [0.333, 0.337, 0.667])
    assert (first.words, second.words) == ("2 notes", "v2 took over")
    mixed = flags([change("one", 10, "note"), change("v2", 10.1)], [0.333, 0.337])
    assert [flag.words for flag in mixed] == ["2 changes"]


def test_without_room_the_words_of_models_stay_and_the_rest_is_told_by_the_hover() -> None:
    many = [change(f"note number {i}", i, "note") for i in range(30)]
    found = flags([*many, change("v2 took over", 15.2)], [i / 30 for i in range(30)] + [15.5 / 30])
    spoken = {flag.words for flag in found if flag.words}
    assert any("changes" in words or "v2" in words for words in spoken)
    assert sum(len(flag.changes) for flag in found) == 31
    assert all(flag.told for flag in found)


def test_the_hover_tells_the_first_few_in_whole_sentences() -> None:
    assert detailed([change("v2 took over", detail="Version 2 took over from version 1.")]) == (
        "Version 2 took over from version 1."
    )
    told = detailed([change(f"n{i}") for i in range(6)])
    assert told == "n0; n1; n2; n3; 2 more"


def test_a_chart_has_headroom_for_two_lines_of_words_and_further_panels_are_silent() -> None:
    days = timedelta(days=1)
    crowd = tuple(change(f"note {i}", 10 + i, "note") for i in range(3))
    one = TimePoints(START, days, (Series("PSI", [0.1] * 30),), caption="PSI", height=200, changes=crowd[:1])
    three = replace(one, changes=crowd)
    assert panel(three).y.hi > panel(one).y.hi
    uprights = [mark for mark in panel(three).marks if isinstance(mark, Upright)]
    assert {mark.row for mark in uprights} == {0, 1}
    assert all(mark.words for mark in uprights)
    assert {(mark.words, mark.told) for mark in quiet_frame(three) if isinstance(mark, Upright)} == {("", "")}
    assert all(mark.row == 0 for mark in panel(replace(three, height=104)).marks if isinstance(mark, Upright))
