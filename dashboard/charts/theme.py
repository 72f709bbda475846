"""Colours, fonts and icons: the only place in Python with a hex code.

The same list stands in ``static/css/tokens.css`` as custom properties; a test compares the two.
A ``Theme`` answers colours by token name in one of four ways:

- ``LIGHT`` and ``DARK`` give hex codes (mail, print, PNG);
- ``CSS`` gives ``var(--token)``, so that one server-drawn picture serves both themes;
- ``TOKENS`` gives ``$token`` (with opacity ``$token@0.14``), which ``charts.js`` resolves in the
  browser, so that one figure serves both themes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

FONT = (
    'system-ui, -apple-system, "Segoe UI Variable Text", "Segoe UI", Roboto, "Noto Sans", '
    '"Helvetica Neue", Arial, sans-serif'
)

STATUSES = ("passing", "warning", "failing", "unknown", "not_started", "unavailable")
SEVERITY = ("failing", "warning", "unavailable", "unknown", "not_started", "passing")
"""Worst first; grey never hides red."""

STATUS_WORDS = {
    "passing": "Passing",
    "warning": "At risk",
    "failing": "Failing",
    "unknown": "Unknown",
    "not_started": "Not started",
    "unavailable": "Unavailable",
}

_STATUS_LIGHT = {
    "passing": ("#147F58", "#0F6C4A", "#E4F3EB"),
    "warning": ("#BE7A08", "#865200", "#FCEFD6"),
    "failing": ("#BF1D24", "#A8161D", "#FCE7E5"),
    "unknown": ("#5F6786", "#515873", "#ECEEF5"),
    "not_started": ("#8A8A86", "#63635F", "#F1F1EE"),
    "unavailable": ("#35373B", "#35373B", "#E9E9EA"),
}
_STATUS_DARK = {
    "passing": ("#4FBF98", "#6FD0AD", "#10261F"),
    "warning": ("#FFC64F", "#FFCF6B", "#2B2210"),
    "failing": ("#F0524A", "#FF8A82", "#341615"),
    "unknown": ("#9F97C2", "#B7B0D4", "#201E2C"),
    "not_started": ("#6B737A", "#949BA3", "#1A1E23"),
    "unavailable": ("#E6E9F0", "#E6E9F0", "#24282E"),
}

_BASE_LIGHT = {
    "bg": "#F8F8F6",
    "surface": "#FFFFFF",
    "sunken": "#F1F1EE",
    "chosen": "#F1F1EE",
    "raised": "#FFFFFF",
    "hover": "#F5F5F2",
    "selected": "#E9EFFC",
    "accent-soft": "#E9EFFC",
    "line1": "#E8E7E3",
    "line2": "#D3D2CC",
    "line3": "#8A8984",
    "text1": "#191B1F",
    "text2": "#4B4E56",
    "text3": "#676A72",
    "accent": "#2A55C2",
    "accent-strong": "#1E419C",
    "on-accent": "#FFFFFF",
    "champion": "#2A55C2",
    "former": "#6A84C9",
    "challenger-1": "#CC4A8C",
    "challenger-2": "#097878",
    "challenger-3": "#757302",
    "challenger-4": "#755130",
    "baseline": "#4B4E56",
    "reference": "#D8D5CD",
    "reference-edge": "#8A867B",
    "actual": "#191B1F",
}
_BASE_DARK = {
    "bg": "#0B0D10",
    "surface": "#111418",
    "sunken": "#0B0D10",
    "chosen": "#1A1E23",
    "raised": "#1A1E23",
    "hover": "#171B20",
    "selected": "#18233F",
    "accent-soft": "#18233F",
    "line1": "#22272D",
    "line2": "#333A42",
    "line3": "#6E7681",
    "text1": "#ECEEF1",
    "text2": "#B3B9C1",
    "text3": "#8C939D",
    "accent": "#8FB1FF",
    "accent-strong": "#B5CBFF",
    "on-accent": "#0B0D10",
    "champion": "#8FB1FF",
    "former": "#6079B4",
    "challenger-1": "#FF93C0",
    "challenger-2": "#4FA9A3",
    "challenger-3": "#CFC768",
    "challenger-4": "#C29A7C",
    "baseline": "#B3B9C1",
    "reference": "#2F363E",
    "reference-edge": "#737C87",
    "actual": "#ECEEF1",
}

_CATEGORIES_LIGHT = ("#2A55C2", "#CC4A8C", "#097878", "#757302", "#9068F0", "#755130", "#4590B5", "#6B1D51")
_CATEGORIES_DARK = ("#8FB1FF", "#FF93C0", "#4FA9A3", "#D5CE72", "#8A6BE2", "#BC9678", "#B2E4FB", "#A0559A")
_SEQUENTIAL_LIGHT = ("#F0F5FA", "#C9E0F6", "#96C0EB", "#6293DB", "#4764BB", "#383C8C", "#261F52")
_SEQUENTIAL_DARK = ("#191F25", "#222D44", "#30406D", "#4158A1", "#5186CB", "#78BAE9", "#C8F0FD")
_DIVERGING_LIGHT = ("#773913", "#AD6123", "#D49A63", "#ECCFB0", "#F3F2F0", "#BED8F2", "#7DACE1", "#4477C2", "#244698")
_DIVERGING_DARK = ("#F4C98E", "#D29250", "#985F33", "#5A3B28", "#252729", "#314364", "#4A6FA8", "#6FA5E3", "#A9D7FC")

_SHADOW_LIGHT = "0 1px 2px rgb(25 27 31/.06), 0 8px 24px rgb(25 27 31/.10)"
_SHADOW_DARK = "0 0 0 1px #2A3037, 0 12px 32px rgb(0 0 0/.55)"


def css_name(status: str) -> str:
    """The token of a status: ``not_started`` -> ``not-started``."""
    return str(status).replace("_", "-")


def mix(first: str, second: str, share: float) -> str:
    """The hex colour at ``share`` (0 to 1) of the way from ``first`` to ``second`` in sRGB."""
    pairs = [(int(first[i : i + 2], 16), int(second[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(a + (b - a) * share):02X}" for a, b in pairs)


def _numbered(stem: str, colours: Sequence[str]) -> dict[str, str]:
    return {f"{stem}-{i}": colour for i, colour in enumerate(colours, 1)}


def _heat(ramp: Sequence[str]) -> dict[str, str]:
    """Seven classes of a score with a limit: three quiet ones up to the limit, then a jump."""
    quiet = (ramp[0], mix(ramp[0], ramp[1], 0.45), mix(ramp[0], ramp[1], 0.9))
    return _numbered("heat", (*quiet, *ramp[3:]))


def _tokens(
    base: Mapping[str, str],
    statuses: Mapping[str, tuple[str, str, str]],
    ramps: tuple[Sequence[str], Sequence[str], Sequence[str]],
) -> dict[str, str]:
    tokens = dict(base)
    for status, (mark, text, soft) in statuses.items():
        name = css_name(status)
        tokens |= {name: mark, f"{name}-text": text, f"{name}-soft": soft}
    categories, sequential, diverging = ramps
    tokens |= _numbered("cat", categories) | _numbered("seq", sequential)
    return tokens | _numbered("div", diverging) | _heat(sequential)


LIGHT_TOKENS = _tokens(_BASE_LIGHT, _STATUS_LIGHT, (_CATEGORIES_LIGHT, _SEQUENTIAL_LIGHT, _DIVERGING_LIGHT))
DARK_TOKENS = _tokens(_BASE_DARK, _STATUS_DARK, (_CATEGORIES_DARK, _SEQUENTIAL_DARK, _DIVERGING_DARK))


@dataclass(frozen=True, slots=True, eq=False)
class Theme:
    """Resolves token names. ``tokens`` is empty for the two themes that defer to the browser."""

    name: str
    tokens: Mapping[str, str]
    pattern: str = ""

    def __getitem__(self, token: str) -> str:
        """The colour of ``token``; a token that does not exist is a ``KeyError`` in every theme."""
        value = (self.tokens or LIGHT_TOKENS)[token]
        return self.pattern.format(token) if self.pattern else value

    def faded(self, token: str, opacity: float) -> str:
        """The colour of ``token`` with an opacity (0 to 1), for Plotly, which has no fill-opacity."""
        colour = self[token]
        if self.name == "tokens":
            return f"{colour}@{opacity:g}"
        if self.name == "css":
            return f"color-mix(in srgb, {colour} {opacity:.0%}, transparent)"
        red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
        return f"rgba({red},{green},{blue},{opacity:g})"


LIGHT = Theme("light", LIGHT_TOKENS)
DARK = Theme("dark", DARK_TOKENS)
CSS = Theme("css", {}, "var(--{})")
TOKENS = Theme("tokens", {}, "${}")

CATEGORIES = tuple(f"cat-{i}" for i in range(1, 9))
CHALLENGERS = tuple(f"challenger-{i}" for i in range(1, 5))


def category(index: int) -> str:
    """The token of the ``index``-th category (from 0); beyond eight everything is "other"."""
    return CATEGORIES[index] if index < len(CATEGORIES) else "line3"


def heat_token(value: float | None, limit: float) -> str:
    """The token of a score's cell in a heat table; the ramp jumps at ``limit`` (> 0). No value: ``surface``."""
    if value is None:
        return "surface"
    for step, bound in enumerate((1 / 3, 2 / 3, 1.0, 3.3, 6.7, 20.0), 1):
        if value <= bound * limit + 1e-9:
            return f"heat-{step}"
    return "heat-7"


def plotly_layout(theme: Theme) -> dict[str, Any]:
    """The layout every Plotly figure starts from (a fresh dict: callers may change it)."""
    tick = {"size": 11, "color": theme["text3"]}
    return {
        "font": {"family": FONT, "size": 12, "color": theme["text2"]},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 44, "r": 92, "t": 8, "b": 26, "pad": 0},
        "showlegend": False,
        "hovermode": "x unified",
        "dragmode": "zoom",
        "bargap": 0.35,
        "colorway": [theme[token] for token in CATEGORIES],
        "hoverlabel": {
            "bgcolor": theme["raised"],
            "bordercolor": theme["line2"],
            "font": {"family": FONT, "size": 12, "color": theme["text1"]},
        },
        "xaxis": {
            "showgrid": False,
            "zeroline": False,
            "showline": True,
            "linecolor": theme["line2"],
            "ticks": "outside",
            "ticklen": 4,
            "tickcolor": theme["line2"],
            "spikecolor": theme["line3"],
            "spikethickness": 1,
            "spikedash": "solid",
            "tickfont": tick,
        },
        "yaxis": {
            "showgrid": True,
            "gridcolor": theme["line1"],
            "zeroline": False,
            "showline": False,
            "ticks": "",
            "nticks": 5,
            "tickfont": tick,
        },
    }


def tokens_css() -> str:
    """The text of ``static/css/tokens.css``."""

    def block(tokens: Mapping[str, str], shadow: str, scheme: str, indent: str) -> str:
        lines = [f"color-scheme: {scheme};", *(f"--{name}: {value};" for name, value in tokens.items())]
        return "\n".join(indent + line for line in [*lines, f"--shadow: {shadow};"])

    light = block(LIGHT_TOKENS, _SHADOW_LIGHT, "light", "  ")
    dark = block(DARK_TOKENS, _SHADOW_DARK, "dark", "  ")
    deep = block(DARK_TOKENS, _SHADOW_DARK, "dark", "    ")
    return (
        "/* Written by `python -m dashboard.charts.theme`; the values live in dashboard/charts/theme.py. */\n"
        f":root,\n[data-theme=light] {{\n{light}\n}}\n\n[data-theme=dark] {{\n{dark}\n}}\n\n"
        "@media screen and (prefers-color-scheme: dark) {\n"
        f"  :root:not([data-theme=light], [data-theme=dark]) {{\n{deep}\n  }}\n}}\n\n"
        f"@media print {{\n  :root,\n  [data-theme] {{\n{block(LIGHT_TOKENS, 'none', 'light', '    ')}\n  }}\n}}\n"
    )


if __name__ == "__main__":
    print(tokens_css(), end="")
