"""PNG of a drawing, without a browser: for mail, where SVG is not shown."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import font_roboto  # type: ignore[import-untyped]
import resvg_py

from dashboard.charts.theme import LIGHT

FAMILY = "Roboto"


@cache
def font_files() -> tuple[str, ...]:
    """The font files the renderer draws text with; system fonts are left out, so every machine draws alike."""
    folder = Path(font_roboto.__file__).parent / "files"
    return tuple(str(folder / f"Roboto-{weight}.ttf") for weight in ("Regular", "Medium", "Bold"))


def png(svg: str, width: int, scale: float = 2, background: str = "") -> bytes:
    """``svg`` (drawn in px by ``Chart.svg(points, LIGHT, width)``) as PNG, ``width * scale`` px wide.

    The ground is opaque (the light surface unless given), so that a mail program may invert around it.
    Raises ``ValueError`` for what is no SVG.
    """
    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=svg,
            width=round(width * scale),
            background=background or LIGHT["surface"],
            skip_system_fonts=True,
            font_files=list(font_files()),
            font_family=FAMILY,
            sans_serif_family=FAMILY,
        )
    )
