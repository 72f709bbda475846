"""The token lists: Python and CSS agree, text is readable, statuses stay apart for every eye."""

from __future__ import annotations

import re
from itertools import combinations, pairwise
from pathlib import Path

import pytest

from dashboard.charts import theme
from dashboard.charts.theme import CSS, DARK, LIGHT, STATUSES, TOKENS, css_name
from tests.dashboard.charts.colour import VISIONS, ciede2000, contrast, distance

ROOT = Path(__file__).resolve().parents[3]
SURFACES = ("bg", "surface", "sunken", "raised", "hover", "selected")
THEMES = pytest.mark.parametrize("shown", [LIGHT, DARK], ids=lambda t: t.name)


def blocks() -> dict[str, dict[str, str]]:
    text = (ROOT / "static/css/tokens.css").read_text()
    found = {}
    for name in ("light", "dark"):
        body = re.search(rf"\[data-theme={name}\] \{{(.*?)\}}", text, re.S)
        assert body is not None
        found[name] = dict(re.findall(r"--([\w-]+): (#[0-9A-F]{6});", body[1]))
    return found


@THEMES
def test_the_style_sheet_and_python_have_the_same_list(shown: theme.Theme) -> None:
    assert blocks()[shown.name] == dict(shown.tokens)


def test_the_style_sheet_is_what_the_module_writes() -> None:
    assert (ROOT / "static/css/tokens.css").read_text() == theme.tokens_css()


def test_both_themes_have_the_same_names() -> None:
    assert LIGHT.tokens.keys() == DARK.tokens.keys()


def test_no_other_module_of_the_dashboard_has_a_hex_code() -> None:
    others = [p for p in (ROOT / "dashboard").rglob("*.py") if p.name != "theme.py"]
    assert not [p.name for p in others if re.search(r"[\"'>=]#[0-9a-fA-F]{6}\b", p.read_text())]


def test_style_sheets_take_their_colours_from_the_tokens() -> None:
    for name in ("base", "components", "charts"):
        assert not re.search(r"#[0-9a-fA-F]{3,6}\b", (ROOT / f"static/css/{name}.css").read_text())


def test_style_sheets_use_no_unknown_token() -> None:
    known = {*LIGHT.tokens, "shadow"}
    for path in (ROOT / "static/css").glob("*.css"):
        text = path.read_text()
        local = set(re.findall(r"[{;]\s*--([\w-]+):", text))
        assert set(re.findall(r"var\(--([\w-]+)", text)) <= known | local, path.name


@THEMES
@pytest.mark.parametrize("token", ["text1", "text2", "text3", "accent", "accent-strong"])
def test_text_is_readable_on_every_surface(shown: theme.Theme, token: str) -> None:
    assert min(contrast(shown[token], shown[s]) for s in SURFACES) >= 4.5


@THEMES
@pytest.mark.parametrize("status", STATUSES)
def test_statuses_are_readable_on_every_surface_and_their_own_fill(shown: theme.Theme, status: str) -> None:
    name = css_name(status)
    grounds = [shown[s] for s in SURFACES] + [shown[f"{name}-soft"]]
    assert min(contrast(shown[name], g) for g in grounds) >= 3.0
    assert min(contrast(shown[f"{name}-text"], g) for g in grounds) >= 4.5
    assert contrast(shown["text2"], shown[f"{name}-soft"]) >= 4.5


@THEMES
def test_borders_of_controls_and_the_ink_button_are_visible(shown: theme.Theme) -> None:
    assert min(contrast(shown["line3"], shown[s]) for s in ("surface", "bg", "raised")) >= 3.0
    assert contrast(shown["surface"], shown["text1"]) >= 7
    assert contrast(shown["on-accent"], shown["accent"]) >= 4.5


@pytest.mark.parametrize(("shown", "least"), [(LIGHT, 13.4), (DARK, 16.6)], ids=["light", "dark"])
@pytest.mark.parametrize("vision", VISIONS)
def test_no_two_statuses_look_alike(shown: theme.Theme, least: float, vision: str) -> None:
    marks = [shown[css_name(s)] for s in STATUSES]
    assert min(distance(a, b, vision) for a, b in combinations(marks, 2)) >= least


@THEMES
@pytest.mark.parametrize("vision", VISIONS)
def test_models_and_categories_stay_apart(shown: theme.Theme, vision: str) -> None:
    models = [shown["champion"], *(shown[t] for t in theme.CHALLENGERS)]
    assert min(distance(a, b, vision) for a, b in combinations(models, 2)) >= 9.9
    categories = [shown[t] for t in theme.CATEGORIES]
    assert min(distance(a, b, vision) for a, b in combinations(categories, 2)) >= 9.9


def test_the_distance_agrees_with_published_pairs() -> None:
    assert ciede2000((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485)) == pytest.approx(2.0425, abs=1e-4)
    assert ciede2000((50.0, 2.5, 0.0), (73.0, 25.0, -18.0)) == pytest.approx(27.1492, abs=1e-4)
    assert ciede2000((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514)) == pytest.approx(0.9082, abs=1e-4)


def test_themes_answer_in_four_ways() -> None:
    assert LIGHT["text1"] == "#191B1F"
    assert DARK["text1"] == "#ECEEF1"
    assert CSS["text1"] == "var(--text1)"
    assert TOKENS["text1"] == "$text1"
    assert LIGHT.faded("champion", 0.14) == "rgba(42,85,194,0.14)"
    assert TOKENS.faded("champion", 0.14) == "$champion@0.14"


@pytest.mark.parametrize("shown", [LIGHT, DARK, CSS, TOKENS], ids=lambda t: t.name)
def test_an_unknown_token_is_an_error_in_every_theme(shown: theme.Theme) -> None:
    with pytest.raises(KeyError):
        shown["purple"]


@pytest.mark.parametrize(
    ("score", "token"),
    [
        (None, "surface"),
        (0.0, "heat-1"),
        (0.05, "heat-1"),
        (0.1, "heat-2"),
        (0.15, "heat-3"),
        (0.16, "heat-4"),
        (0.9, "heat-5"),
        (3.0, "heat-6"),
        (8.6, "heat-7"),
    ],
)
def test_the_heat_ramp_jumps_at_the_limit(score: float | None, token: str) -> None:
    assert theme.heat_token(score, 0.15) == token


@THEMES
def test_the_jump_at_the_limit_is_the_widest_step_of_the_heat_ramp(shown: theme.Theme) -> None:
    ramp = [shown[f"heat-{i}"] for i in range(1, 8)]
    steps = [distance(a, b) for a, b in pairwise(ramp)]
    assert max(steps[:2]) < steps[2]
