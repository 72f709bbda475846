"""A file of a source, piece by piece: never more of it in memory than one piece."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email.message import Message

import httpx

from monitoring.client.client import DeploymentsClient, told_as_ours
from monitoring.client.errors import TooLarge, Unreachable

PIECE = 64 * 1024


@dataclass(frozen=True, slots=True)
class FileLimits:
    """How much and how long: bytes of the whole file, seconds for all of it, and seconds without a byte."""

    most_bytes: int
    seconds: float
    idle: float = 30.0


class RemoteFile:
    """An open file. `size`: in bytes, None where the source does not tell; `name`: as it calls it, perhaps ""."""

    def __init__(self, response: httpx.Response, limits: FileLimits) -> None:
        self._response, self._limits = response, limits
        self._until = time.monotonic() + limits.seconds
        head = response.headers
        packed = "content-encoding" in head
        declared = head.get("content-length", "")
        self.size = int(declared) if declared.isdigit() and not packed else None
        self.media_type = head.get("content-type", "").partition(";")[0].strip().lower()
        self.name = _name(head.get("content-disposition", ""))

    async def pieces(self) -> AsyncIterator[bytes]:
        """Its bytes. Raises TooLarge beyond the limit, Unreachable where it is cut off or takes too long."""
        size = 0
        stream = self._response.aiter_bytes(PIECE)
        with told_as_ours(self._limits.idle):
            while (piece := await self._next(stream)) is not None:
                size += len(piece)
                if size > self._limits.most_bytes:
                    raise too_large(self._limits)
                yield piece
        if self.size is not None and size < self.size:
            raise Unreachable("The file was cut off.")

    async def _next(self, stream: AsyncIterator[bytes]) -> bytes | None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise Unreachable(f"The file took longer than {self._limits.seconds:g} s.")
        async with asyncio.timeout(min(left, self._limits.idle)):
            return await anext(stream, None)

    async def close(self) -> None:
        """Lets the source go, read to the end or not."""
        await self._response.aclose()


async def open_file(client: DeploymentsClient, path: str, limits: FileLimits) -> RemoteFile:
    """The file at a path below the API's address. Raises TooLarge before a byte is read where its size is told."""
    found = RemoteFile(await client.open(path), limits)
    if found.size is not None and found.size > limits.most_bytes:
        await found.close()
        raise too_large(limits)
    return found


def too_large(limits: FileLimits) -> TooLarge:
    return TooLarge(f"The file is larger than {limits.most_bytes // 1_048_576} MiB.")


def _name(disposition: str) -> str:
    """The file name of a Content-Disposition, "" without one."""
    message = Message()
    message["content-disposition"] = disposition
    return message.get_filename("") or ""
