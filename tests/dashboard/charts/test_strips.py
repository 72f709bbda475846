"""Strips, sparklines, icons and the tags that put them on a page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from django.template import Context, Engine

from dashboard.charts import icons, strips
from dashboard.charts.chart import ChartView
from dashboard.charts.lane import LANE
from dashboard.charts.theme import LIGHT, STATUSES
from tests.dashboard.charts import flights
from tests.dashboard.charts.gallery import ROOT


def render(text: str, **context: Any) -> str:
    libraries = {"vitals": "dashboard.templatetags.vitals"}
    engine = Engine(dirs=[str(ROOT / "templates")], libraries=libraries)
    return engine.from_string("{% load vitals %}" + text).render(Context(context))


def test_severity_is_height() -> None:
    share = strips.HEIGHT_SHARE
    assert share["failing"] > share["warning"] > share["passing"] >= share["unknown"] > share["not_started"]


def test_a_strip_tells_its_counts_in_words() -> None:
    bars = ["not_started"] * 7 + ["failing"] * 23
    assert strips.strip_words(bars) == "30 d: 23 failing, 0 at risk, 7 not started"
    root = ElementTree.fromstring(strips.strip_svg(bars))
    assert root.get("role") == "img"
    assert root.get("aria-label") == "30 d: 23 failing, 0 at risk, 7 not started"
    assert root.get("width") == "89"


def test_a_day_without_a_verdict_is_never_shown_as_good() -> None:
    class Day:
        status = None

    assert strips.as_bars([Day()])[0].status == "not_started"


def test_a_bar_leads_to_its_bin_and_its_words_are_escaped() -> None:
    text = strips.strip_svg([strips.Bar("failing", "<b>", "/d/1/?start=2026-07-01T00:00:00Z&x=1")], "backtest")
    link = next(e for e in ElementTree.fromstring(text).iter() if e.tag.endswith("}a"))
    assert link.get("href") == "/d/1/?start=2026-07-01T00:00:00Z&x=1"


def test_no_bars_and_no_values_draw_nothing() -> None:
    assert strips.strip_svg([]) == ""
    assert strips.sparkline_svg([]) == ""
    assert strips.sparkline_svg([None, None]) == ""


def test_a_sparkline_starts_at_zero_and_keeps_its_gaps() -> None:
    runs = strips.spark_segments([100.0, 50.0, None, 100.0], 82, 20)
    assert [len(run.split(" ")) for run in runs] == [2, 1]
    heights = [float(p.split(",")[1]) for p in runs[0].split(" ")]
    assert heights == [3.0, 10.0]


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("snoozed", [False, True])
def test_icons_are_sound_and_told_apart_by_shape(status: str, snoozed: bool) -> None:
    ElementTree.fromstring(icons.status_svg(status, snoozed=snoozed))
    grey = {s: icons.status_svg(s, theme=LIGHT, snoozed=snoozed) for s in STATUSES}
    for s in STATUSES:
        grey[s] = grey[s].replace(LIGHT[s.replace("_", "-")], "grey")
    if not snoozed:
        assert len(set(grey.values())) == len(STATUSES)


def test_snoozed_keeps_the_shape_but_is_striped() -> None:
    assert icons.stripes("failing").count("M") >= 3
    assert icons.status_svg("failing", snoozed=True) != icons.status_svg("failing")


def test_a_badge_says_its_word() -> None:
    text = render("{% status_badge 'warning' %}{% status_badge 'failing' True %}")
    assert "<span>At risk</span>" in text
    assert "<span>Failing, snoozed</span>" in text
    assert "badge-failing" in text


def test_an_icon_without_a_word_beside_it_is_labelled() -> None:
    assert 'aria-label="Not started"' in render("{% status_icon 'not_started' 12 label=True %}")
    assert 'aria-hidden="true"' in render("{% status_icon 'not_started' 12 %}")


@pytest.mark.parametrize(
    ("call", "arrow", "css", "text"),
    [
        ("{% delta -0.058 'warning' %}", "M4 7", "delta-warning", "\u22125.8\u202f%"),
        ("{% delta 0.021 'passing' %}", "M4 1", "delta-passing", "+2.1\u202f%"),
        ("{% delta -0.038 '' %}", "", 'class="delta"', "\u22123.8\u202f%"),
        ("{% delta -11 'passing' 'count' %}", "M4 7", "delta-passing", "\u221211"),
        ("{% delta nothing %}", "", 'class="delta"', "–"),
    ],
)
def test_the_arrow_is_the_sign_and_the_colour_the_meaning(call: str, arrow: str, css: str, text: str) -> None:
    shown = render(call, nothing=None)
    assert css in shown
    assert text in shown
    assert arrow in shown if arrow else "<svg" not in shown


def test_filters_write_numbers_and_times() -> None:
    now = datetime(2026, 7, 25, 12, tzinfo=UTC)
    shown = render(
        "{{ n|number }} {{ n|compact }} {{ p|percent }} {{ m|ms }} "
        "{{ then|age:now }} {{ a|metric_value:'AUC' }} {{ x|number }}",
        n=20911, p=0.058, m=118.2, then=now - timedelta(hours=3), now=now, a=0.75416, x=None,
    )  # fmt: skip
    assert shown == "20,911 20,900 5.8\u202f% 118\u202fms 3\u202fh 0.754 –"


def test_a_chart_has_its_finding_its_drawing_its_figure_and_its_table() -> None:
    view = LANE.view("accuracy", flights.accuracy_time(), caption="7 d window", status="warning", api_url="/api")
    text = render("{% chart view %}", view=view)
    for part in (
        'id="figure-accuracy"',
        "tick-warning",
        "<svg",
        view.title,
        "7 d window",
        'href="/api"',
        "<td>2013-06-25 00:00</td>",
    ):
        assert part in text
    bare = ChartView(**{name: getattr(view, name) for name in ChartView.__slots__} | {"bare": True})
    assert "<h3>" not in render("{% chart view %}", view=bare)


def test_the_heat_table_has_real_cells_that_speak() -> None:
    text = render("{% heat_table points %}", points=flights.heat_points())
    assert text.count('class="cell heat-none"') == len(flights.FEATURES)
    assert text.count("heat-untracked") == 7 * len(flights.FEATURES)
    assert "pressure, Sat 13 Jul: no data" in text
    assert "style=" not in text
