"""A source, spoken to step by step: the row is written between two requests, so that a kill leaves a true record."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from types import TracebackType
from typing import Any, Self

from django.core.files.storage import default_storage

from monitoring import sources
from monitoring.client import Reply
from monitoring.client.client import Query
from monitoring.models import Source
from monitoring.poll.fetch import Job, Outcome, fetch
from monitoring.sources import MakeTransport

SECONDS = 30
#: Of a file, in bytes.
PIECE = 1024 * 1024


class Wire:
    """One client in one event loop; use as `with`."""

    def __init__(self, source: Source, transport: MakeTransport | None = None, *, timeout: float | None = None) -> None:
        self._client = sources.client_of(source, transport, timeout=timeout)
        self._runner = asyncio.Runner()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._runner.run(self._client.close())
        self._runner.close()

    def get(self, path: str, query: Query = ()) -> Reply:
        return self._runner.run(self._client.get(path, query))

    def deployments(self) -> list[dict[str, Any]]:
        return self._runner.run(self._client.deployments())

    def pages(self, path: str) -> dict[str, Any]:
        return self._runner.run(self._client.pages(path, [("limit", "100")]))

    def send(self, method: str, path: str, body: Any, key: str = "") -> Reply:
        return self._runner.run(self._client.change(method, path, body, key=key))

    def upload(self, path: str, query: Query, pieces: AsyncIterable[bytes], size: int, media_type: str) -> Reply:
        """A file of `size` bytes, streamed."""
        return self._runner.run(self._client.upload(path, query, pieces, size, media_type))

    def version(self) -> str:
        return self._runner.run(self._client.version())

    def path_of(self, location: str) -> str:
        return self._client.path_of(location)

    def fetch(self, jobs: Sequence[Job]) -> list[Outcome]:
        """The outcomes of some questions; failures among them."""
        return self._runner.run(fetch(self._client, jobs, seconds=SECONDS)).outcomes


async def pieces(path: str) -> AsyncIterator[bytes]:
    """A stored file, piece by piece, for `Wire.upload`."""
    with default_storage.open(path) as file:
        while piece := await asyncio.to_thread(file.read, PIECE):
            yield piece
