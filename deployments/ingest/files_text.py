"""Generated text in files: prompts under the model's own name, and the passages that an answer stood on."""

from __future__ import annotations

import msgspec
import polars as pl

from deployments.blocks import CONTEXTS
from deployments.ingest.bodies import Passage
from deployments.ingest.columns import Columns, passages_json
from deployments.ingest.reading import Part
from deployments.ingest.shape import Shape

Passages = list[Passage | str] | None
_PASSAGES = msgspec.json.Decoder(Passages)


def text_columns(part: Part, shape: Shape, columns: Columns) -> Part:
    """Takes the contexts out, and gives the prompts their own name."""
    rows = part.rows
    if part.has(CONTEXTS):
        columns.contexts = _contexts(part)
        rows = rows.drop(CONTEXTS)
    if "prompt" in rows.columns and shape.prompt not in rows.columns:
        rows = rows.rename({"prompt": shape.prompt})
    return Part(rows, part.problems)


def _contexts(part: Part) -> pl.Series:
    """Lists of passages, as lists or as their JSON; bad rows are noted."""
    found: list[str | None] = []
    for row, given in enumerate(part.rows[CONTEXTS].to_list()):
        rows: Passages = None
        try:
            rows = _PASSAGES.decode(given) if isinstance(given, str) else msgspec.convert(given, Passages)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            part.problems.add(int(part.numbers[row]), CONTEXTS, f"Expected a list of passages: {error}")
        found.append(None if rows is None else passages_json(rows))
    return pl.Series(CONTEXTS, found, pl.String)
