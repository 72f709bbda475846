"""PNG without a browser: charts and icons of mails."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta

import pytest

from dashboard.charts import mail
from dashboard.charts.accuracy import ACCURACY
from dashboard.charts.raster import font_files, png
from dashboard.charts.theme import LIGHT, STATUSES
from monitoring.mail.chart import Limit, MailChart
from tests.dashboard.charts import flights

START = datetime(2026, 7, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def size(picture: bytes) -> tuple[int, int]:
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", picture[16:24])
    return width, height


def chart() -> MailChart:
    return MailChart(
        "AUC",
        "AUC by UTC day",
        "failing",
        (START, START + DAY, START + 3 * DAY),
        (0.8, 0.75, 0.7),
        (False, False, True),
        0.8,
        (Limit("failing", 0.72, above=False),),
    )


def test_a_chart_becomes_a_picture_at_twice_the_density() -> None:
    points = flights.accuracy_points()
    picture = png(ACCURACY.svg(points, LIGHT, 552), 552)
    assert size(picture) == (1104, 2 * ACCURACY.plot(points).height)


def test_the_font_is_really_there_and_text_is_drawn_with_it() -> None:
    assert len(font_files()) == 3
    head = '<svg xmlns="http://www.w3.org/2000/svg" width="80" height="20" viewBox="0 0 80 20">'
    blank, text = f"{head}</svg>", f'{head}<text x="2" y="15" font-size="14">AUC 0.754</text></svg>'
    assert png(text, 80) != png(blank, 80)


def test_what_is_no_drawing_is_refused() -> None:
    with pytest.raises(ValueError):
        png("no svg", 10)


def test_a_mail_has_its_chart_on_an_even_clock() -> None:
    points = mail.mail_points(chart())
    assert points.series[0].values == [0.8, 0.75, None, 0.7]
    assert points.series[0].immature == {3}
    assert size(mail.draw(chart()))[0] == 1104


def test_a_limit_that_is_no_status_keeps_its_name() -> None:
    assert mail.limit_of("drifted", 0.15, True).words == "drifted > 0.15"
    assert mail.limit_of("warning", 0.15, True).words == ""


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_has_its_own_icon(status: str) -> None:
    assert size(mail.icon(status)) == (28, 28)
    assert len({mail.icon(s) for s in STATUSES}) == len(STATUSES)
