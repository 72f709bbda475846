"""The charts in a real browser: live figures take the place of the drawings, under a strict policy, without a jump."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.dashboard.charts.gallery import ROOT, gallery_html

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

POLICY = (
    "default-src 'none'; script-src 'self'; style-src-elem 'self'; style-src-attr 'unsafe-inline'; "
    "img-src 'self' data: blob:; connect-src 'self'"
)
TYPES = {".css": "text/css", ".js": "text/javascript"}
pytestmark = pytest.mark.browser


@dataclass
class Shown:
    page: Page
    said: list[str] = field(default_factory=list)

    def go_live(self) -> None:
        """Scrolls through the page until every chart is live."""
        for key in self.page.evaluate("[...document.querySelectorAll('.chart')].map(c => c.id)"):
            self.page.locator(f"#{key}").scroll_into_view_if_needed()
            self.page.wait_for_selector(f"#{key}.is-live")

    def boxes(self) -> list[Any]:
        script = "[...document.querySelectorAll('.chart')].map(c => [c.offsetTop, c.offsetHeight])"
        found: list[Any] = self.page.evaluate(script)
        return found


def plotly_file() -> Path:
    spec = find_spec("plotly")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "package_data" / "plotly.min.js"


def serve(route: Route, theme: str) -> None:
    path = route.request.url.split("vitals.test", 1)[1].split("?")[0]
    if path == "/":
        html = gallery_html(theme)
        return route.fulfill(body=html, content_type="text/html", headers={"Content-Security-Policy": POLICY})
    source = plotly_file() if path.endswith("plotly.min.js") else ROOT / path.lstrip("/")
    if source.is_file():
        return route.fulfill(body=source.read_bytes(), content_type=TYPES[source.suffix])
    return route.fulfill(status=404, body="")


def shown(browser: Browser, width: int, theme: str) -> Shown:
    page = browser.new_context(viewport={"width": width, "height": 900}).new_page()
    made = Shown(page)
    page.on("console", lambda message: made.said.append(message.text))
    page.on("pageerror", lambda error: made.said.append(str(error)))
    page.route("**/*", lambda route: serve(route, theme))
    page.goto("http://vitals.test/")
    return made


@pytest.fixture(params=[(1440, "light"), (390, "dark")], ids=["desk", "phone"])
def gallery(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Shown]:
    width, theme = request.param
    made = shown(browser, width, theme)
    yield made
    made.page.context.close()


def test_live_figures_replace_the_drawings_without_a_jump_and_without_a_word_in_the_console(gallery: Shown) -> None:
    before = gallery.boxes()
    assert len(before) == 13
    gallery.go_live()
    assert gallery.boxes() == before
    assert gallery.said == []
    assert gallery.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_live_figure_stands_where_its_drawing_stood(gallery: Shown) -> None:
    found = "[...document.querySelectorAll('#lane-accuracy {} text')]"
    places = found + ".map(t => [t.textContent, Math.round(t.getBoundingClientRect().y)])"
    drawn = dict(gallery.page.evaluate(places.format(".plot-first")))
    gallery.page.locator("#lane-accuracy").scroll_into_view_if_needed()
    gallery.page.wait_for_selector("#lane-accuracy.is-live")
    offset = gallery.page.evaluate("document.querySelector('#lane-accuracy .plot-live').getBoundingClientRect().y")
    first = gallery.page.evaluate("document.querySelector('#lane-accuracy .plot-first').getBoundingClientRect().y")
    assert abs(offset - first) <= 1
    live = dict(gallery.page.evaluate(places.format(".plot-live")))
    again = dict(gallery.page.evaluate(places.format(".plot-first")))
    shared = drawn.keys() & live.keys()
    assert len(shared) >= 6
    assert all(abs(live[text] - again[text]) <= 3 for text in shared)


def test_another_theme_recolours_live_figures(browser: Browser) -> None:
    gallery = shown(browser, 1440, "light")
    gallery.page.wait_for_selector("#lane-accuracy.is-live")
    line = "#lane-accuracy .plot-live .js-line[style*='stroke-width: 2px']"
    ink = f'document.querySelector("{line}").style.stroke'
    light = gallery.page.evaluate(ink)
    gallery.page.evaluate(
        "document.documentElement.dataset.theme = 'dark'; document.dispatchEvent(new CustomEvent('vitals:theme'))"
    )
    gallery.page.wait_for_function(f"(light) => {ink} !== light", arg=light)
    assert gallery.page.evaluate(ink) == "rgb(143, 177, 255)"
    gallery.page.context.close()


def test_a_drag_asks_for_whole_hours_in_the_address(browser: Browser) -> None:
    gallery = shown(browser, 1440, "light")
    gallery.page.wait_for_selector("#lane-accuracy.is-live")
    gallery.page.evaluate("document.querySelector('#lane-accuracy').scrollIntoView({block: 'center'})")
    box = gallery.page.locator("#lane-accuracy .plot-live .nsewdrag").first.bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    gallery.page.mouse.move(box["x"] + box["width"] * 0.25, y)
    gallery.page.mouse.down()
    gallery.page.mouse.move(box["x"] + box["width"] * 0.5, y, steps=8)
    with gallery.page.expect_navigation():
        gallery.page.mouse.up()
    query = gallery.page.evaluate("Object.fromEntries(new URLSearchParams(location.search))")
    assert query["start"].startswith("2013-07-02T")
    assert query["end"].startswith("2013-07-10T")
    assert query["start"].endswith(":00:00Z")
    gallery.page.context.close()


def test_the_table_twin_opens_and_its_csv_is_the_same(browser: Browser) -> None:
    gallery = shown(browser, 1440, "light")
    chart = gallery.page.locator("#importance")
    chart.get_by_role("button", name="Table").click()
    assert chart.locator(".chart-table").is_visible()
    rows = chart.locator(".chart-table tr").count()
    with gallery.page.expect_download() as download:
        chart.get_by_role("button", name="CSV").click()
    text = Path(download.value.path()).read_text()
    assert len(text.strip().splitlines()) == rows
    assert text.splitlines()[0].startswith("Feature,Importance,PSI")
    gallery.page.context.close()


def test_arrow_keys_read_the_values_and_a_picture_can_be_taken_along(browser: Browser) -> None:
    gallery = shown(browser, 1440, "light")
    chart = gallery.page.locator("#lead")
    chart.scroll_into_view_if_needed()
    gallery.page.wait_for_selector("#lead.is-live")
    chart.locator(".plot-live").press("ArrowRight")
    assert chart.locator("[aria-live]").inner_text().startswith("2013-06-25 00:00, 0.79")
    chart.locator(".plot-live").press("ArrowLeft")
    chart.locator(".hoverlayer .legend").wait_for(state="attached")
    with gallery.page.expect_download() as download:
        chart.get_by_role("button", name="PNG").click()
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")
    assert gallery.said == []
    gallery.page.context.close()


def test_without_plotly_the_drawing_stays(browser: Browser) -> None:
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.route("**/*", lambda r: r.fulfill(status=404, body="") if "plotly" in r.request.url else serve(r, "light"))
    page.goto("http://vitals.test/")
    assert page.locator("#lead .plot-first > svg").is_visible()
    assert page.locator(".chart.is-live").count() == 0
    page.context.close()
