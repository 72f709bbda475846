"""A page of ours made fit for strangers: no link into the app, no call to the source, no form, nothing marked private.

The tabs were written for members. Instead of teaching each of them to be silent, the finished page is read once more,
and only what is known to be harmless is let through.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from html import escape
from html.parser import HTMLParser
from typing import Any

#: Attributes that act or point somewhere. `data-help` and `data-term` fetch the glossary, which is inside the app.
_ACTING = re.compile(
    r"^(hx-.*|on.*|href|xlink:href|src|srcset|action|formaction|poster|ping|data-(href|help|key|copy|neighbour|api|url).*)$"
)
_LOUD = re.compile(r"\s*((https?:)?//|/(?!static/))", re.IGNORECASE)
#: Left out with everything in them.
_DROPPED = frozenset({"form", "iframe", "object", "embed", "template", "noscript", "base"})
#: What the foot of a chart may still do.
_BUTTONS = frozenset({"table", "png"})
_VOID = frozenset({"area", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})

Rewrite = Callable[[str], str]


def purify(html: str, secrets: Iterable[str], csv: Rewrite | None = None) -> str:
    """The page without what leads or leaks. `secrets` are blotted out wherever they stand in text or data.

    `csv` turns the address of a chart's file into the public one; without it there are no files.
    """
    cleaner = _Cleaner(csv)
    cleaner.feed(html)
    cleaner.close()
    text = "".join(cleaner.out)
    for secret in sorted({word for word in secrets if len(word) >= 6}, key=len, reverse=True):
        for spelling in (secret, escape(secret), json.dumps(secret)[1:-1]):
            text = text.replace(spelling, "…")
    return text


class _Cleaner(HTMLParser):
    """Writes out again what it reads; `skipping` is the element that is being left out, with its depth."""

    def __init__(self, csv: Rewrite | None) -> None:
        super().__init__(convert_charrefs=False)
        self.out: list[str] = []
        self.csv = csv
        self.skipping, self.depth = "", 0
        self.links: list[str] = []
        self.drawn = 0
        self.figure = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self.skipping:
            self.depth += tag == self.skipping
            return
        known = dict(attrs)
        if tag in _DROPPED or "data-private" in known or self._is_idle(tag, known):
            if tag not in _VOID:
                self.skipping, self.depth = tag, 1
            return
        self.drawn += tag == "svg"
        self.figure = tag == "script" and known.get("type") == "application/json"
        self.out.append(self._link(known) if tag == "a" else self._start(tag, attrs))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if not self.skipping and tag not in _DROPPED and "data-private" not in dict(attrs):
            self.out.append(self._start(tag, attrs, "/>"))

    def handle_endtag(self, tag: str) -> None:
        if self.skipping:
            self.depth -= tag == self.skipping
            if not self.depth:
                self.skipping = ""
            return
        self.drawn -= tag == "svg"
        self.figure = False
        if tag == "a":
            tag = self.links.pop() if self.links else "span"
        if tag not in _DROPPED:
            self.out.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self.skipping:
            self.out.append(_quiet_figure(data) if self.figure else data)

    def handle_entityref(self, name: str) -> None:
        if not self.skipping:
            self.out.append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        if not self.skipping:
            self.out.append(f"&#{name};")

    def handle_decl(self, decl: str) -> None:
        self.out.append(f"<!{decl}>")

    def _is_idle(self, tag: str, known: dict[str, str | None]) -> bool:
        """Help cards, scripts that are not ours to keep, and buttons that would act."""
        if tag == "a":
            return "help" in (known.get("class") or "").split() or "data-help" in known
        if tag == "script":
            return known.get("type") != "application/json" and not (known.get("src") or "").startswith("/static/")
        if tag == "button":
            allowed = _BUTTONS | ({"csv"} if self.csv is not None else set())
            return known.get("data-chart") not in allowed
        return False

    def _link(self, known: dict[str, str | None]) -> str:
        """Links lose their target and become plain words; places on the page and files of charts keep theirs."""
        href = known.get("href") or ""
        kept = href if href.startswith("#") else ""
        if self.csv is not None and href.split("?")[0].endswith(".csv"):
            kept = self.csv(href)
        name = known.get("class")
        form = f' class="{escape(name)}"' if name else ""
        word = "a" if kept else "g" if self.drawn else "span"  # a span would end the drawing
        self.links.append(word)
        return f'<a{form} href="{escape(kept)}">' if kept else f"<{word}{form}>"

    def _start(self, tag: str, attrs: list[tuple[str, str | None]], end: str = ">") -> str:
        raw = self.get_starttag_text() or ""
        ours = tag in ("link", "script", "img")
        kept = [(name, value) for name, value in attrs if self._harmless(name, value or "", ours=ours)]
        if len(kept) == len(attrs):
            return raw
        shown = "".join(
            f" {_spelled(raw, name)}" + (f'="{escape(value)}"' if value is not None else "") for name, value in kept
        )
        return f"<{tag}{shown}{end}"

    def _harmless(self, name: str, value: str, *, ours: bool) -> bool:
        if ours and name in ("href", "src"):
            return value.startswith(("/static/", "data:image/"))
        if _ACTING.match(name):
            return value.startswith("#") and name in ("href", "xlink:href")
        return name.startswith("xmlns") or not _LOUD.match(value)


def _spelled(raw: str, name: str) -> str:
    """An attribute as it was written: `viewBox` is not `viewbox`."""
    found = re.search(rf"\s({re.escape(name)})(?=[\s=>/])", raw, re.IGNORECASE)
    return found[1] if found else name


def _quiet_figure(data: str) -> str:
    """A chart's data without addresses: points are no links, and a drag asks for no other range."""
    if not data.strip():
        return data
    try:
        figure = json.loads(data)
    except ValueError:
        return "{}"
    text = json.dumps(_quiet(figure), ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _quiet(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: False if key == "zoom" else _quiet(one) for key, one in value.items() if key != "clicks"}
    if isinstance(value, list):
        return value if value and isinstance(value[0], int | float) else [_quiet(one) for one in value]
    if isinstance(value, str) and _LOUD.match(value):
        return ""
    return value
