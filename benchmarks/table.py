"""One row a comparison, one table a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """A figure of ours beside the reference measured in the same run.

    `ratio` is what `goal` speaks about (for instance "≥ 0.7×"); `ok` says whether it was met, and is
    None where no goal was set.
    """

    name: str
    ours: str
    reference: str
    ratio: float
    goal: str = ""
    unit: str = "×"
    ok: bool | None = None


def render(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table."""
    head = ("what", "ours", "reference", "ratio", "goal", "met")
    body = [(r.name, r.ours, r.reference, f"{r.ratio:.3g} {r.unit}", r.goal, _verdict(r.ok)) for r in rows]
    widths = [max(len(line[i]) for line in (head, *body)) for i in range(len(head))]
    lines = [_line(head, widths), _line(tuple("-" * w for w in widths), widths)]
    return "\n".join([*lines, *(_line(cells, widths) for cells in body)])


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "| " + " | ".join(c.ljust(w) for c, w in zip(cells, widths, strict=True)) + " |"


def _verdict(ok: bool | None) -> str:
    return {True: "yes", False: "NO", None: "–"}[ok]
