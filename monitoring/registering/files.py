"""Uploaded files: kept in the storage until the source has them, and what their first rows tell of the columns."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

import polars as pl
from django.core.files import File
from django.core.files.storage import default_storage

from monitoring.models import Registration

ROLES = {"training": "Training data", "holdout": "Holdout", "artifact": "ONNX model"}
TABLES = {".csv": "text/csv", ".ndjson": "application/x-ndjson", ".parquet": "application/vnd.apache.parquet"}
ARTIFACT = ".onnx"
LOOKED_AT = 2000
"""Rows that kinds are guessed from."""
MOST_COLUMNS = 2000
FEW = 10
LONG_TEXT_WORDS = 4


class Unreadable(ValueError):
    """A file that cannot be taken; the text says why, with line and column where the reader knows them."""


def media_type(name: str) -> str:
    """The media type of a table by the end of its name; Unreadable for others."""
    suffix = PurePosixPath(name.lower()).suffix
    if suffix not in TABLES:
        raise Unreadable(f"{name}: a CSV, NDJSON or Parquet file is needed (.csv, .ndjson, .parquet).")
    return TABLES[suffix]


def keep(row: Registration, role: str, upload: Any) -> None:
    """Stores an upload for the worker; the row has to be saved afterwards."""
    name = PurePosixPath(str(upload.name)).name[:200]
    if role == "artifact" and not name.lower().endswith(ARTIFACT):
        raise Unreadable(f"{name}: an ONNX file (.onnx) is needed.")
    if role != "artifact":
        media_type(name)
    if not upload.size:
        raise Unreadable(f"{name} is empty.")
    path = default_storage.save(f"registrations/{secrets.token_hex(8)}/{name}", File(upload))
    row.files = {**row.files, role: {"name": name, "path": path, "bytes": upload.size}}


def release(row: Registration) -> None:
    """Takes the files away: the source has them, or nobody wants them any more. Harmless when done twice."""
    for entry in row.files.values():
        if path := entry.get("path"):
            default_storage.delete(path)
            entry["path"] = ""


def forget_old(limit: datetime) -> tuple[int, dict[str, int]]:
    """Drops registrations that were begun before, with their files; what the source has of them stays there."""
    old = Registration.objects.filter(asked_at__lt=limit)
    for row in old:
        release(row)
    return old.delete()


def head(name: str, file: Any, rows: int | None = LOOKED_AT) -> pl.DataFrame:
    """The first rows of a table. Raises Unreadable with what the reader says."""
    try:
        kind = media_type(name)
        if kind == TABLES[".csv"]:
            return pl.read_csv(file, n_rows=rows, infer_schema_length=rows, try_parse_dates=True)
        if kind == TABLES[".ndjson"]:
            return pl.read_ndjson(file, n_rows=rows)
        return pl.read_parquet(file, n_rows=rows)
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        if isinstance(error, Unreadable):
            raise
        raise Unreadable(f"{name} cannot be read: {str(error).splitlines()[0][:300]}") from None


def columns_of(name: str, file: Any) -> list[dict[str, Any]]:
    """Name, guessed kind and role, examples of every column, from the first rows."""
    table = head(name, file)
    if not table.width or not table.height:
        raise Unreadable(f"{name} has no rows.")
    if table.width > MOST_COLUMNS:
        raise Unreadable(f"{name} has {table.width} columns; at most {MOST_COLUMNS} are taken.")
    return [_described(table[column]) for column in table.columns]


def _described(values: pl.Series) -> dict[str, Any]:
    known = values.drop_nulls()
    distinct = known.n_unique()
    shown = known.unique(maintain_order=True).head(3).to_list()
    return {
        "name": values.name,
        "kind": kind_of(known),
        "distinct": distinct,
        "missing": len(values) - len(known),
        "unique": distinct == len(values) and len(values) > FEW,
        "examples": [str(value)[:40] for value in shown],
        "values": sorted(str(value) for value in known.unique().to_list()) if distinct <= FEW else [],
    }


def kind_of(known: pl.Series) -> str:
    """Numeric, Categorical, Text, Date or Geospatial, of the values that are there."""
    if known.dtype.is_temporal():
        return "Date"
    if known.dtype.is_numeric():
        return "Numeric"
    words = known.cast(pl.String).head(200)
    if not len(words):
        return "Categorical"
    if bool(words.str.contains(r"^(-?\d{1,2}(\.\d+)?\s*,\s*-?\d{1,3}(\.\d+)?|POINT \(.+\))$").all()):
        return "Geospatial"
    if bool(words.str.contains(r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}.*)?$").all()):
        return "Date"
    mean = words.str.split(" ").list.len().mean()
    long = isinstance(mean, float) and mean >= LONG_TEXT_WORDS
    return "Text" if long and words.n_unique() > len(words) / 2 else "Categorical"


def guessed_target(columns: list[Mapping[str, Any]]) -> tuple[str, str]:
    """Which column is probably the target, and of which type: by its name, else the last column."""
    named = [one for one in columns if one["name"].lower() in {"target", "label", "y", "class", "outcome", "actual"}]
    usable = [one for one in columns if not one["name"].lower().startswith("prediction")]
    chosen = (named or usable or list(columns))[-1]
    return str(chosen["name"]), target_type(chosen)


def target_type(column: Mapping[str, Any]) -> str:
    """Two values: Binary; few, or words: Multiclass; else Regression."""
    if column["distinct"] == 2:
        return "Binary"
    return "Regression" if column["kind"] == "Numeric" and column["distinct"] > FEW else "Multiclass"
