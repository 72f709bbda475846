"""A client of the Deployments API. It knows HTTP and the reference's manners, and nothing of Django.

Every request goes to the source's own origin: of `next` only the query is used, a `Location` elsewhere is an error, a
redirect is never followed. So the token cannot leave for another host.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterable, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

import httpx
import orjson

from monitoring.client.addresses import AddressPolicy, check_url
from monitoring.client.errors import (
    AddressRefused,
    Astray,
    Broken,
    DeploymentsError,
    Malformed,
    Overloaded,
    Refused,
    SourceError,
    TooLarge,
    Unreachable,
)
from monitoring.client.reasons import plainly
from monitoring.client.replies import Reply, page_of, query_of, read_reply

Query = Sequence[tuple[str, str]]
_REPEATS = "The pages of {path} repeat themselves: they do not come to an end."
DEPLOYMENTS = "deployments/"
LIST_PAGE = 100


@dataclass(frozen=True, slots=True)
class Limits:
    """How patient the client is. `longest_wait`: a Retry-After beyond it is left to the caller."""

    timeout: float = 20.0
    connect_timeout: float = 5.0
    concurrency: int = 32
    attempts: int = 3
    first_pause: float = 0.25
    longest_wait: float = 5.0
    max_body: int = 16 * 1024 * 1024
    max_pages: int = 1000


class DeploymentsClient:
    """Asks one source. Use as `async with`; `requests` counts what was really sent."""

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        policy: AddressPolicy | None = None,
        limits: Limits | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._policy = policy or AddressPolicy()
        self._limits = limits or Limits()
        check_url(base_url, self._policy)
        self._base = base_url.rstrip("/") + "/"
        parts = urlsplit(self._base)
        self._origin = (parts.scheme, parts.hostname, parts.port)
        self._headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate",
            "User-Agent": "Vitals",
        }
        self._transport = transport or _own_transport(self._policy, self._limits.concurrency)
        self._slots = asyncio.Semaphore(self._limits.concurrency)
        self._turns = asyncio.Semaphore(self._limits.concurrency)
        self._sleep = sleep
        self.requests = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Gives the connections back."""
        await self._transport.aclose()

    def slot(self) -> asyncio.Semaphore:
        """`async with client.slot():` waits for a turn; as many turns at a time as `Limits.concurrency`."""
        return self._turns

    async def version(self) -> str:
        """The version that the source tells, "" if it tells none; raises Refused for a major other than 2."""
        try:
            data = (await self.get("version/")).data
        except Refused:
            return ""  # not part of the reference: a server may lack it
        if not isinstance(data, Mapping):
            raise Malformed("version/ did not answer an object.")
        if data.get("major") not in {2, None}:
            raise Refused(f"The source speaks version {data.get('major')} of the API; this is a client of 2.", 200)
        return str(data.get("versionString") or "")

    async def deployments(self) -> list[dict[str, Any]]:
        """All entries of the deployment list, in a stable order; entries that are no objects are left out."""
        query = [("limit", str(LIST_PAGE)), ("orderBy", "createdAtTimestamp")]
        body = await self.pages(DEPLOYMENTS, query)
        return [entry for entry in body["data"] if isinstance(entry, dict)]

    async def ask(self, deployment_id: str, path: str, query: Query = (), *, paged: bool = False) -> Any:
        """The answer below `deployments/{id}/`, or below the API where the path begins with a slash; with `paged` all
        pages put together under `data`."""
        full = path[1:] if path.startswith("/") else f"{DEPLOYMENTS}{deployment_id}/{path}"
        return await self.pages(full, query) if paged else (await self.get(full, query)).data

    async def pages(self, path: str, query: Query = ()) -> dict[str, Any]:
        """The first page with the `data` of all pages. Where `totalCount` is told, the rest is asked side by side."""
        first = page_of((await self.get(path, query)).data)
        data = list(first["data"])
        total = first.get("totalCount")
        if first.get("next") and isinstance(total, int) and 0 < len(data) < total:
            starts = range(len(data), min(total, len(data) * self._limits.max_pages), len(data))
            rest = await asyncio.gather(
                *(self.get(path, [*_without_offset(query), ("offset", str(start))]) for start in starts)
            )
            for reply in rest:
                page = page_of(reply.data)["data"]
                if page == first["data"]:
                    raise Malformed(_REPEATS.format(path=path))
                data += page
        else:
            data += await self._walk(path, first)
        return {**first, "data": data, "count": len(data), "next": None, "previous": None}

    async def _walk(self, path: str, page: dict[str, Any]) -> list[Any]:
        """The pages after this one, one by one by the query of `next`, always on our own path."""
        data: list[Any] = []
        seen: set[str] = set()
        while page["data"] and (following := page.get("next")):
            if not isinstance(following, str) or following in seen or len(seen) >= self._limits.max_pages:
                raise Malformed(f"The pages of {path} do not come to an end.")
            seen.add(following)
            before, page = page["data"], page_of((await self.get(path, query_of(following))).data)
            if page["data"] and page["data"] == before:
                raise Malformed(_REPEATS.format(path=path))
            data += page["data"]
        return data

    async def get(self, path: str, query: Query = ()) -> Reply:
        """GET, repeated with growing, jittered pauses where that may help."""
        for attempt in range(1, self._limits.attempts + 1):
            try:
                return await self._send("GET", path, query)
            except AddressRefused:
                raise
            except (Unreachable, Broken, Overloaded) as error:
                pause = self._pause(error, attempt)
                if pause is None:
                    raise
                await self._sleep(pause)
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def change(self, method: str, path: str, body: Any = None, *, key: str = "") -> Reply:
        """PATCH, POST, PUT or DELETE, sent once: what may have arrived is not sent again from here.

        `key`: sent as `Idempotency-Key`, for sources that count a request with the same key once.
        """
        return await self._send(method, path, (), body, {"Idempotency-Key": key} if key else {})

    async def upload(self, path: str, query: Query, pieces: AsyncIterable[bytes], size: int, media_type: str) -> Reply:
        """POST of a file of `size` bytes, streamed piece by piece and sent once."""
        headers = {"Content-Type": media_type, "Content-Length": str(size)}
        return await self._send("POST", path, query, pieces, headers)

    async def open(self, path: str) -> httpx.Response:
        """The head of a file, asked for once: who calls reads its body and closes it. Raises as `get` does."""
        headers = {**self._headers, "Accept": "*/*", "Accept-Encoding": "identity"}
        request = httpx.Request("GET", self._base + path, headers=headers, extensions=self._timeouts())
        self.requests += 1
        with told_as_ours(self._limits.timeout):
            async with asyncio.timeout(self._limits.timeout):
                response = await self._transport.handle_async_request(request)
                if response.status_code == 200:
                    return response
                try:
                    read_reply(response, await self._read(response))
                finally:
                    await response.aclose()
        raise Malformed(f"The source answered {response.status_code} instead of a file.")

    def path_of(self, location: str) -> str:
        """A Location as a path below the base address. Raises Astray if it lies elsewhere."""
        try:
            parts = urlsplit(location)
            origin = (parts.scheme, parts.hostname, parts.port)
        except ValueError:
            raise Astray("The source answered with a Location that is no address.") from None
        if (parts.scheme or parts.netloc) and origin != self._origin:
            raise Astray("The source answered with a Location on another host; it was not followed.")
        base = urlsplit(self._base).path
        if not parts.path.startswith(base):
            raise Astray("The source answered with a Location outside of its API; it was not followed.")
        return parts.path.removeprefix(base)

    def _pause(self, error: SourceError, attempt: int) -> float | None:
        """Seconds to wait before the next attempt; None = give up."""
        if attempt >= self._limits.attempts:
            return None
        if isinstance(error, Overloaded) and error.wait is not None:
            wait = error.wait.total_seconds()
            return wait if wait <= self._limits.longest_wait else None
        grown: float = self._limits.first_pause * 2 ** (attempt - 1)
        return grown * (0.5 + random.random())  # noqa: S311  spreads clients, guards nothing

    async def _send(
        self, method: str, path: str, query: Query, body: Any = None, more: Mapping[str, str] | None = None
    ) -> Reply:
        url = f"{self._base}{path}?{_encoded(tuple(query))}" if query else self._base + path
        headers = self._headers if body is None else {**self._headers, "Content-Type": "application/json"}
        headers = {**headers, **more} if more else headers
        content = body if body is None or isinstance(body, AsyncIterable) else orjson.dumps(body)
        request = httpx.Request(method, url, headers=headers, content=content, extensions=self._timeouts())
        async with self._slots:
            self.requests += 1
            with told_as_ours(self._limits.timeout):
                async with asyncio.timeout(self._limits.timeout):
                    response = await self._transport.handle_async_request(request)
                    try:
                        return read_reply(response, await self._read(response))
                    finally:
                        await response.aclose()

    def _timeouts(self) -> dict[str, Any]:
        limits = self._limits
        return {"timeout": {"connect": limits.connect_timeout, "read": limits.timeout, "write": None, "pool": None}}

    async def _read(self, response: httpx.Response) -> bytes:
        chunks, size = [], 0
        async for chunk in response.aiter_bytes():
            size += len(chunk)
            if size > self._limits.max_body:
                raise TooLarge(f"The answer is longer than {self._limits.max_body // 1_048_576} MiB.")
            chunks.append(chunk)
        declared = response.headers.get("content-length", "")
        if declared.isdecimal() and "content-encoding" not in response.headers and size < int(declared):
            raise Unreachable("The answer was cut off.")
        return b"".join(chunks)


@contextmanager
def told_as_ours(seconds: float) -> Iterator[None]:
    """What goes wrong on the way, as errors of this package; `seconds` is how long it was waited for."""
    try:
        yield
    except DeploymentsError:
        raise
    except httpx.DecodingError:
        raise Malformed("The answer's compression is broken.") from None
    except TimeoutError:
        raise Unreachable(f"No answer within {seconds:g} s.") from None
    except _losses() as error:
        raise Unreachable(_lost(error)) from None


@lru_cache(maxsize=1024)  # the same questions are asked about every deployment
def _encoded(query: tuple[tuple[str, str], ...]) -> str:
    return urlencode(query)


def _without_offset(query: Query) -> list[tuple[str, str]]:
    return [(name, value) for name, value in query if name != "offset"]


def _lost(error: BaseException) -> str:
    """What to tell people; never the address with its query, which may be long, and never the token."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, AddressRefused):
            raise cause
        cause = cause.__cause__ or cause.__context__
    text = plainly(error) or str(error).split("\n")[0][:200]
    return f"The source cannot be reached: {text}" if text else "The connection to the source was lost."


def _own_transport(policy: AddressPolicy, connections: int) -> httpx.AsyncBaseTransport:
    from monitoring.client.transport import make_transport  # aiohttp: most processes ask no source

    return make_transport(policy, connections)


def _losses() -> tuple[type[Exception], ...]:
    """What a lost connection raises; asked for when something was raised, and aiohttp is loaded."""
    import aiohttp

    return httpx.HTTPError, httpx.InvalidURL, aiohttp.ClientError, OSError, TimeoutError
