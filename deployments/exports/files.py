"""Tables that are written piece by piece: CSV, and Parquet with a row group for each piece."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import polars as pl
from polars.io.plugins import register_io_source

from deployments.ingest.tables import Format

FORMATS = (Format.CSV, Format.PARQUET)
ROW_GROUP = 100_000
AHEAD = 2
"""Pieces that may wait for the writer."""
TIMES = "%Y-%m-%dT%H:%M:%S%.6fZ"


class Writer(Protocol):
    """Takes the pieces of a table, all of the schema that it was opened with."""

    def write(self, piece: pl.DataFrame) -> None:
        """Append the rows."""


@contextmanager
def opened(path: Path, kind: Format, schema: pl.Schema) -> Iterator[Writer]:
    """A writer of a new file, complete once the block is left without an exception."""
    if kind is Format.CSV:
        with path.open("wb") as file:
            schema.to_frame().write_csv(file)
            yield _Csv(file)
        return
    writer = _Parquet(path, schema)
    try:
        yield writer
    except BaseException:
        writer.give_up()
        raise
    writer.close()


class _Csv:
    def __init__(self, file: Any) -> None:
        self._file = file

    def write(self, piece: pl.DataFrame) -> None:
        piece.write_csv(self._file, include_header=False, datetime_format=TIMES)


class _GivenUp(Exception):
    """The one who makes the pieces stopped."""


class _Parquet:
    """Polars pulls its rows, we push ours: a thread pulls from a short queue, so that rows are read in the caller's."""

    def __init__(self, path: Path, schema: pl.Schema) -> None:
        self._pieces: queue.Queue[pl.DataFrame | None] = queue.Queue(AHEAD)
        self._failure: Exception | None = None
        self._stopped = False
        self._thread = threading.Thread(target=self._run, args=(path, schema), daemon=True)
        self._thread.start()

    def write(self, piece: pl.DataFrame) -> None:
        self._put(piece)

    def close(self) -> None:
        self._put(None)
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def give_up(self) -> None:
        self._stopped = True
        while self._thread.is_alive():
            try:
                self._pieces.put(None, timeout=0.1)
            except queue.Full:
                continue
            break
        self._thread.join()

    def _put(self, piece: pl.DataFrame | None) -> None:
        while True:
            if self._failure is not None:
                raise self._failure
            try:
                self._pieces.put(piece, timeout=0.5)
            except queue.Full:
                continue
            return

    def _run(self, path: Path, schema: pl.Schema) -> None:
        def pulled(*_wishes: object) -> Iterator[pl.DataFrame]:
            while (piece := self._pieces.get()) is not None:
                yield piece
            if self._stopped:
                raise _GivenUp

        try:
            source = register_io_source(pulled, schema=schema)
            source.sink_parquet(path, row_group_size=ROW_GROUP, maintain_order=True)
        except Exception as failure:
            self._failure = failure
