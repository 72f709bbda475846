"""Tables from files: CSV, NDJSON and Parquet, read as data with bounded size; and their columns as typed series."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from enum import StrEnum

import polars as pl
from django.conf import settings

from deployments.ingest.errors import Refused, TooMuch

Reader = Callable[[pl.Series], pl.Series]
MOST_WRONG = 100
LONGEST_TOLD = 80


class Format(StrEnum):
    """The kinds of file that are taken."""

    CSV = "csv"
    NDJSON = "ndjson"
    PARQUET = "parquet"


MEDIA_TYPES: Mapping[str, Format] = {
    "text/csv": Format.CSV,
    "application/csv": Format.CSV,
    "application/x-ndjson": Format.NDJSON,
    "application/ndjson": Format.NDJSON,
    "application/jsonl": Format.NDJSON,
    "application/vnd.apache.parquet": Format.PARQUET,
    "application/x-parquet": Format.PARQUET,
}
SUFFIXES: Mapping[str, Format] = {
    "csv": Format.CSV,
    "ndjson": Format.NDJSON,
    "jsonl": Format.NDJSON,
    "parquet": Format.PARQUET,
}


def format_of(media_type: str, name: str = "") -> Format | None:
    """The format by Content-Type, else by the file's ending; None if neither is known."""
    by_type = MEDIA_TYPES.get(media_type.partition(";")[0].strip().lower())
    return by_type or SUFFIXES.get(name.rpartition(".")[2].lower())


def read_table(content: bytes, kind: Format) -> pl.DataFrame:
    """All rows of a file. Raises Refused if it is not such a file, TooMuch beyond MAX_COLUMNS or MAX_FILE_ROWS."""
    source = io.BytesIO(content)
    try:
        if kind is Format.CSV:
            table = _read_csv(content)
        elif kind is Format.NDJSON:
            table = pl.read_ndjson(source, infer_schema_length=None)
        else:
            table = pl.read_parquet(source)
    except (pl.exceptions.PolarsError, OSError, ValueError, BaseExceptionGroup) as error:
        raise Refused({"file": f"Not a readable {kind} file: {str(error).splitlines()[0][:300]}"}) from None
    if table.width > settings.MAX_COLUMNS:
        raise TooMuch(f"At most {settings.MAX_COLUMNS} columns (MAX_COLUMNS).")
    if table.height > settings.MAX_FILE_ROWS:
        raise TooMuch(f"At most {settings.MAX_FILE_ROWS} rows (MAX_FILE_ROWS).")
    return table


def _read_csv(content: bytes) -> pl.DataFrame:
    """A column that changes its kind after many rows is looked at as a whole, and is text if its rows differ."""
    try:
        return pl.read_csv(io.BytesIO(content), infer_schema_length=10_000, null_values=[""])
    except pl.exceptions.ComputeError:
        return pl.read_csv(io.BytesIO(content), infer_schema_length=None, null_values=[""])


class BadColumn(ValueError):
    """A column does not hold what it should; `row` counts from 0, -1 when no single row is to blame.

    `wrong`: what is wrong with each of the first MOST_WRONG bad rows, in their order.
    """

    def __init__(self, text: str, wrong: Mapping[int, str] | None = None) -> None:
        super().__init__(text)
        self.wrong = dict(wrong or {})
        self.row = next(iter(self.wrong), -1)

    @classmethod
    def at(cls, column: pl.Series, bad: pl.Series, text: str) -> BadColumn:
        """For the rows where `bad` is true; `text` has a `{value}` in it."""
        rows = bad.fill_null(False).arg_true().head(MOST_WRONG).to_list()
        wrong = {row: text.format(value=shortened(column[row])) for row in rows}
        return cls(next(iter(wrong.values())), wrong)


def shortened(value: object) -> str:
    """A value as it is told to people."""
    return repr(value) if len(repr(value)) <= LONGEST_TOLD else repr(value)[:LONGEST_TOLD] + "…"


def as_numbers(column: pl.Series) -> pl.Series:
    """A numeric column as Float64. Raises BadColumn for text that was meant to be a number and for anything else."""
    if column.dtype.is_numeric() or column.dtype in (pl.Boolean, pl.Null) or column.null_count() == len(column):
        return column.cast(pl.Float64)
    if column.dtype == pl.String:
        given = column.is_not_null()
        text = given & column.cast(pl.Float64, strict=False).is_null()
        raise BadColumn.at(column, text if text.any() else given, "Expected a number, got the text {value}.")
    raise BadColumn(f"Expected numbers, got {column.dtype}.")


def as_flags(column: pl.Series) -> pl.Series:
    """A column of yes and no as Boolean: true, false, 1 and 0, also as text. Raises BadColumn."""
    if column.dtype in (pl.Boolean, pl.Null):
        return column.cast(pl.Boolean)
    words = as_words(column).str.to_lowercase()
    flags = words.replace_strict({"true": True, "false": False, "1": True, "0": False}, default=None)
    bad = flags.is_null() & column.is_not_null()
    if bad.any():
        raise BadColumn.at(column, bad, "Expected true or false, got {value}.")
    return flags.cast(pl.Boolean)


def as_words(column: pl.Series) -> pl.Series:
    """A categorical or text column as String, spelled the same whatever the file's format.

    Booleans become `true` and `false`, whole numbers have no decimal point.
    """
    if column.dtype == pl.String:
        return column
    if column.dtype == pl.Boolean:
        return pl.Series(column.name, ["false", "true"]).gather(column.cast(pl.UInt32))
    if column.dtype.is_float():
        whole = ((column == column.floor()) | column.is_null()).all() and (column.abs() < 2**53).all()
        return column.cast(pl.Int64).cast(pl.String) if whole else column.cast(pl.String)
    if column.dtype.is_numeric() or column.dtype in (pl.Null, pl.Date, pl.Categorical, pl.Enum):
        return column.cast(pl.String)
    if isinstance(column.dtype, pl.Datetime):
        return column.dt.to_string("iso:strict")
    raise BadColumn(f"Expected words, got {column.dtype}.")


def as_times(column: pl.Series) -> pl.Series:
    """Times as microseconds since 1970 (Int64); naive ones are UTC. Raises BadColumn naming the first bad row."""
    if isinstance(column.dtype, pl.Datetime):
        utc = column.dt.convert_time_zone("UTC") if column.dtype.time_zone else column
        return utc.dt.cast_time_unit("us").to_physical()
    if column.dtype == pl.Date:
        return column.cast(pl.Datetime("us")).to_physical()
    if column.dtype == pl.Null:
        return column.cast(pl.Int64)
    if column.dtype != pl.String:
        raise BadColumn("Expected RFC 3339 times.")
    aware = column.str.to_datetime("%+", time_unit="us", time_zone="UTC", strict=False)
    naive = column.str.replace("T", " ", literal=True).str.to_datetime("%F %T%.f", time_unit="us", strict=False)
    dates = column.str.to_datetime("%F", time_unit="us", strict=False)
    found = aware.to_physical().fill_null(naive.to_physical()).fill_null(dates.to_physical())
    bad = found.is_null() & column.is_not_null()
    if bad.any():
        raise BadColumn.at(column, bad, "{value} is not an RFC 3339 time.")
    return found
