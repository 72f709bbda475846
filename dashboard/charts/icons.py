"""Icons as inline SVG: status shapes (viewBox 16) and the few signs of the frame.

Colours are presentation attributes, never ``style``, so a strict Content-Security-Policy lets them
through. ``theme`` decides whether they are CSS variables (pages) or hex codes (mail).
"""

from __future__ import annotations

from functools import cache
from html import escape

from dashboard.charts.theme import CSS, STATUS_WORDS, Theme, css_name

_OCTAGON = ((5.2, 1.2), (10.8, 1.2), (14.8, 5.2), (14.8, 10.8), (10.8, 14.8), (5.2, 14.8), (1.2, 10.8), (1.2, 5.2))
_TRIANGLE = ((8.0, 1.6), (15.0, 14.0), (1.0, 14.0))
_SHAPES = {"failing": _OCTAGON, "warning": _TRIANGLE}

UI_ICONS = {
    "fleet": "M2 4h12M2 8h12M2 12h8",
    "incidents": "M8 2.2 14.6 13.6H1.4ZM8 6.4v3.4M8 11.7v.1",
    "reviews": "M3.5 2.2h9v11.6h-9ZM5.8 5.6h4.4M5.8 8.2h4.4M5.8 10.8h2.6",
    "watch": "M1.4 8.4h2.8l2-5 3.2 9.4 2-4.4h3.2",
    "settings": "M8 5.7a2.3 2.3 0 1 0 0 4.6 2.3 2.3 0 0 0 0-4.6ZM8 1.6v2M8 12.4v2M1.6 8h2M12.4 8h2"
    "M3.5 3.5l1.4 1.4M11.1 11.1l1.4 1.4M12.5 3.5l-1.4 1.4M4.9 11.1l-1.4 1.4",
    "search": "M7 2.6a4.4 4.4 0 1 0 0 8.8 4.4 4.4 0 0 0 0-8.8ZM10.3 10.3l3.4 3.4",
    "export": "M8 10V2.4M5 5.2 8 2.2l3 3M2.6 9.6v4h10.8v-4",
    "refresh": "M13.4 8A5.4 5.4 0 1 1 11.6 4M13.4 2.4v3.2h-3.2",
    "chevron": "M4.6 6.4 8 9.8l3.4-3.4",
    "next": "M6.2 4.4 9.8 8l-3.6 3.6",
    "back": "M9.8 4.4 6.2 8l3.6 3.6",
    "close": "M4.4 4.4l7.2 7.2M11.6 4.4l-7.2 7.2",
    "check": "M3.4 8.4l3 3 6.2-6.6",
    "more": "M3.4 8h.1M8 8h.1M12.6 8h.1",
    "wall": "M2 3h12v8H2ZM6 14h4M8 11v3",
    "user": "M8 2.4a2.6 2.6 0 1 0 0 5.2 2.6 2.6 0 0 0 0-5.2ZM3 13.8c.4-2.8 2.4-4.2 5-4.2s4.6 1.4 5 4.2",
    "mail": "M1.8 3.6h12.4v8.8H1.8ZM1.8 4.4 8 8.8l6.2-4.4",
    "theme": "M8 2.2a5.8 5.8 0 1 0 0 11.6ZM8 2.2a5.8 5.8 0 0 1 0 11.6",
    "link": "M6.6 9.4a2.7 2.7 0 0 0 3.8 0l2.4-2.4a2.7 2.7 0 0 0-3.8-3.8l-.8.8"
    "M9.4 6.6a2.7 2.7 0 0 0-3.8 0L3.2 9a2.7 2.7 0 0 0 3.8 3.8l.8-.8",
    "plus": "M8 3v10M3 8h10",
    "star": "M8 1.9l1.9 3.9 4.2.6-3 3 .7 4.2L8 11.6l-3.8 2 .7-4.2-3-3 4.2-.6Z",
    "lock": "M3.6 7.2h8.8v6.2H3.6ZM5.4 7.2V5a2.6 2.6 0 0 1 5.2 0v2.2",
    "bell": "M3.4 11.4h9.2c-1-1.2-1.2-2.4-1.2-4.4a3.4 3.4 0 0 0-6.8 0c0 2-.2 3.2-1.2 4.4ZM6.6 13.4h2.8",
    "muted": "M3.4 11.4h9.2c-1-1.2-1.2-2.4-1.2-4.4a3.4 3.4 0 0 0-6.8 0c0 2-.2 3.2-1.2 4.4ZM2.4 2.4l11.2 11.2",
    "flag": "M4 14.2V2.2M4 3h8.4L10.4 6l2 3H4",
    "blind": "M1.6 8c1.6-2.8 3.8-4.2 6.4-4.2s4.8 1.4 6.4 4.2c-1.6 2.8-3.8 4.2-6.4 4.2S3.2 10.8 1.6 8ZM3 13 13 3",
    "clock": "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2ZM8 4.8V8l2.2 1.6",
}


def _points(corners: tuple[tuple[float, float], ...]) -> str:
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in corners) + "Z"


@cache
def stripes(status: str, pitch: float = 3.0) -> str:
    """The path of 45° stripes (1.5 on, 1.5 off) inside the shape of a status; its interior for the ring shapes."""
    corners = _SHAPES.get(status, ((3.4, 3.4), (12.6, 3.4), (12.6, 12.6), (3.4, 12.6)))
    parts = []
    offset = 4.0
    while offset < 32:
        cut = _cut(corners, offset)
        if len(cut) == 2 and abs(cut[0][0] - cut[1][0]) > 0.3:
            (ax, ay), (bx, by) = cut
            parts.append(f"M{ax:.1f} {ay:.1f}L{bx:.1f} {by:.1f}")
        offset += pitch * 2**0.5
    return "".join(parts)


def _cut(corners: tuple[tuple[float, float], ...], total: float) -> list[tuple[float, float]]:
    """Where the line x + y = total meets a convex outline: no point or two."""
    found: list[tuple[float, float]] = []
    for (ax, ay), (bx, by) in zip(corners, (*corners[1:], corners[0]), strict=True):
        a, b = ax + ay - total, bx + by - total
        if (a < 0) != (b < 0):
            share = a / (a - b)
            found.append((ax + (bx - ax) * share, ay + (by - ay) * share))
    return found


def _body(status: str, theme: Theme, ground: str) -> str:
    mark = theme[css_name(status)]
    ring = f'fill="none" stroke="{mark}" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round"'
    glyph = f'fill="none" stroke="{ground}" stroke-width="1.6" stroke-linecap="round"'
    bodies = {
        "passing": f'<g {ring}><circle cx="8" cy="8" r="6.4"/><path d="M5 8.3l2.1 2.1L11 6.1"/></g>',
        "warning": f'<path d="M8 1.6 15 14H1Z" fill="{mark}" stroke="{mark}" stroke-width="1" stroke-linejoin="round"/>'
        f'<path d="M8 6v3.6" {glyph}/><circle cx="8" cy="11.9" r="1" fill="{ground}"/>',
        "failing": f'<path d="M5.2 1.2h5.6l4 4v5.6l-4 4H5.2l-4-4V5.2Z" fill="{mark}"/>'
        f'<path d="M5.5 5.5l5 5m0-5l-5 5" {glyph}/>',
        "unknown": f'<g {ring}><circle cx="8" cy="8" r="6.4" stroke-dasharray="2.4 1.62" stroke-linecap="butt"/>'
        f'<path d="M6.1 6.4a1.95 1.95 0 1 1 2.7 1.8c-.6.25-.8.6-.8 1.2"/></g>'
        f'<circle cx="8" cy="11.5" r=".95" fill="{mark}"/>',
        "not_started": f'<circle cx="8" cy="8" r="5.6" {ring}/>',
        "unavailable": f'<g {ring}><circle cx="8" cy="8" r="5.4"/><path d="M2.2 13.8 13.8 2.2"/></g>',
    }
    return bodies[status]


def _striped(status: str, theme: Theme) -> str:
    mark = theme[css_name(status)]
    outline = _points(_SHAPES[status]) if status in _SHAPES else ""
    edge = f'd="{outline}"' if outline else 'd="M8 1.6a6.4 6.4 0 1 1 0 12.8a6.4 6.4 0 1 1 0-12.8Z"'
    paint = f'fill="none" stroke="{mark}" stroke-width="1.5" stroke-linejoin="round"'
    return f'<g {paint}><path {edge}/><path d="{stripes(status)}"/></g>'


@cache
def status_svg(
    status: str,
    size: int = 14,
    *,
    snoozed: bool = False,
    label: str | None = None,
    theme: Theme = CSS,
    ground: str = "",
) -> str:
    """The icon of a status. Without ``label`` it is hidden from screen readers: the word stands beside it."""
    status = str(status)
    body = _striped(status, theme) if snoozed else _body(status, theme, ground or theme["surface"])
    role = f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'
    box = f'class="icon" width="{size}" height="{size}" viewBox="0 0 16 16"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {box} {role}>{body}</svg>'


def status_words(status: str, *, snoozed: bool = False) -> str:
    """``Failing, snoozed``."""
    return STATUS_WORDS[str(status)] + (", snoozed" if snoozed else "")


@cache
def ui_svg(name: str, size: int = 16) -> str:
    """A sign of the frame, drawn in the colour of its text; always beside a word or an ``aria-label``."""
    return (
        f'<svg class="icon" width="{size}" height="{size}" viewBox="0 0 16 16" fill="none" stroke="currentColor" '
        f'stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">'
        f'<path d="{UI_ICONS[name]}"/></svg>'
    )


MARK = (
    '<svg class="mark" width="{w}" height="{h}" viewBox="0 0 26 16" aria-hidden="true">'
    '<path fill="var(--text1)" d="M0 12h3v4H0ZM4.6 12h3v4h-3ZM9.2 9h3v7h-3ZM18.4 12h3v4h-3ZM23 12h3v4h-3Z"/>'
    '<path fill="var(--failing)" d="M13.8 1h3v15h-3Z"/></svg>'
)


def brand_svg(height: int = 16) -> str:
    """The mark of the product: a row of low bars and one that stands up."""
    return MARK.format(w=round(26 * height / 16), h=height)
