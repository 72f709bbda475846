"""A file that a source made, passed on to a person: with the source's token, piece by piece, and never kept here.

The one place where somebody waits for a source, because a file of any size can neither be stored as an answer nor be
fetched without the token. It is bounded in size, in time and in how many are under way in a process, so that pages go
on meanwhile.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Self

from django.conf import settings

from monitoring import sources
from monitoring.client import DeploymentsClient, DeploymentsError, FileLimits, Refused, RemoteFile, open_file
from monitoring.models import Source
from monitoring.sources import MakeTransport

#: As many at a time in one web process; the rest of its threads answer pages.
AT_ONCE = 2
#: Types that browsers only ever save; anything else is passed on as bytes without a meaning.
KNOWN_TYPES = frozenset(
    {
        "application/java-archive",
        "application/json",
        "application/pdf",
        "application/vnd.apache.parquet",
        "application/x-ndjson",
        "application/zip",
        "text/csv",
    }
)
OTHER_TYPE = "application/octet-stream"
_slots = threading.BoundedSemaphore(AT_ONCE)


class Unavailable(Exception):
    """The file cannot be had; the text says why, for people."""


class Download:
    """A file under way: iterate over its bytes, then `close`, which may be called at any time and twice."""

    def __init__(self, source: Source, path: str, name: str, transport: MakeTransport | None = None) -> None:
        self._runner = asyncio.Runner()
        self._client: DeploymentsClient | None = None
        self._file: RemoteFile | None = None
        self._open = True
        try:
            self._file = self._runner.run(self._begin(source, path, transport))
        except BaseException:
            self.close()
            raise
        self.size = self._file.size
        self.name = clean_name(name or self._file.name)
        self.media_type = self._file.media_type if self._file.media_type in KNOWN_TYPES else OTHER_TYPE

    async def _begin(self, source: Source, path: str, transport: MakeTransport | None) -> RemoteFile:
        limits = FileLimits(settings.MAX_DOWNLOAD_BYTES, settings.DOWNLOAD_SECONDS)
        self._client = sources.client_of(source, transport, timeout=limits.idle)
        return await open_file(self._client, path, limits)

    def __iter__(self) -> Iterator[bytes]:
        """Raises where the file breaks off: the connection to the browser then breaks too, and no half file looks
        whole."""
        assert self._file is not None
        pieces = self._file.pieces()
        try:
            while self._open and (piece := self._runner.run(anext(pieces, None))) is not None:
                yield piece
        finally:
            self.close()

    def close(self) -> None:
        """Gives the connection and the place back."""
        if not self._open:
            return
        self._open = False
        try:
            if self._file is not None:
                self._runner.run(self._file.close())
            if self._client is not None:
                self._runner.run(self._client.close())
            self._runner.close()
        finally:
            _slots.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def begin(source: Source, path: str, name: str = "", transport: MakeTransport | None = None) -> Download:
    """Opens a file of a source; `name` is what it is called, "" to take the source's word.

    Raises Unavailable where the source is paused, refuses, no longer has it, or cannot be reached, where the file is
    too large, and while too many are under way.
    """
    if not source.enabled:
        raise Unavailable(f"{source.name} is paused: let it go on first.")
    if not _slots.acquire(blocking=False):
        raise Unavailable("Other files are being fetched just now: try again in a moment.")
    try:
        return Download(source, path, name, transport)
    except DeploymentsError as error:
        raise Unavailable(_told(source, error)) from None


def clean_name(name: str) -> str:
    """A file name without folders and control characters, at most 150 characters; `file` where nothing is left."""
    last = PurePosixPath(name.replace("\\", "/")).name
    kept = "".join(letter for letter in last if letter.isprintable()).strip(". ")
    stem, dot, ending = kept.rpartition(".")
    if len(kept) > 150:
        kept = f"{stem[: 149 - len(ending)]}{dot}{ending}" if dot and len(ending) < 20 else kept[:150]
    return kept or "file"


def _told(source: Source, error: DeploymentsError) -> str:
    status = error.status if isinstance(error, Refused) else None
    if status in {404, 410}:
        return f"{source.name} no longer has this file: let it be made again."
    if status == 403:
        return f"{source.name} does not let its token read this file: it may have been made for somebody else. {error}"
    return f"The file could not be fetched from {source.name}. {error}"
