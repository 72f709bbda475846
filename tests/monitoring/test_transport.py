"""The client over a real socket, against servers that break the connection in every way."""

from __future__ import annotations

import asyncio
import gzip
from contextlib import suppress

import pytest

from monitoring.client import (
    AddressPolicy,
    Astray,
    DeploymentsClient,
    DeploymentsError,
    Limits,
    TooLarge,
    Unreachable,
)

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
QUICK = Limits(timeout=0.5, connect_timeout=0.5, attempts=1, max_body=1_000_000)


def ask(*writes: bytes, pause: float = 0.0) -> tuple[object, bytes]:
    """The client's answer to a server that writes these bytes and hangs up; and what the server was sent."""
    seen = bytearray()

    serving: list[asyncio.Task[None] | None] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.append(asyncio.current_task())
        try:
            seen.extend(await reader.readuntil(b"\r\n\r\n"))
            for part in writes:
                writer.write(part)
                await asyncio.sleep(pause)
        finally:
            writer.transport.abort() if pause else writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def main() -> object:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        url = f"http://127.0.0.1:{port}/api/v2"
        async with server:
            try:
                async with DeploymentsClient(url, "secret", policy=AddressPolicy(exempt=True), limits=QUICK) as client:
                    return await client.ask("d1", "settings/", [("x", "a b")])
            finally:
                tasks = [task for task in serving if task is not None]
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    return asyncio.run(main()), bytes(seen)


def test_a_plain_answer_arrives_and_the_token_is_in_the_header_only() -> None:
    body, sent = ask(OK + b"Content-Length: 8\r\n\r\n" + b'{"a": 1}')
    assert body == {"a": 1}
    assert sent.startswith(b"GET /api/v2/deployments/d1/settings/?x=a+b HTTP/1.1\r\n")
    assert b"\r\nauthorization: Bearer secret\r\n" in sent
    assert sent.count(b"secret") == 1


def test_a_compressed_answer_is_read() -> None:
    packed = gzip.compress(b'{"a": 1}')
    head = OK + f"Content-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n".encode()
    assert ask(head + packed)[0] == {"a": 1}


BROKEN = [
    # hangs up before, within and after the head; within a body of told length; within a chunk
    ((b"",), Unreachable),
    ((b"HTTP/1.1 200",), Unreachable),
    ((OK + b"Content-Length: 900\r\n\r\n" + b'{"a": ',), Unreachable),
    ((OK + b"Transfer-Encoding: chunked\r\n\r\n40\r\n" + b'{"a"',), Unreachable),
    # is no HTTP at all
    ((b"SSH-2.0-OpenSSH_9.2\r\n",), Unreachable),
    # a body without end
    ((OK + b"\r\n" + b"[" + b"1," * 600_000,), TooLarge),
    # sends the reader elsewhere
    ((b"HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",), Astray),
]


@pytest.mark.parametrize(("writes", "error"), BROKEN)
def test_every_broken_connection_is_a_named_error(writes: tuple[bytes, ...], error: type[DeploymentsError]) -> None:
    with pytest.raises(error):
        ask(*writes)


def test_a_body_that_drips_is_given_up_in_time() -> None:
    with pytest.raises(Unreachable, match=r"No answer within 0\.5 s"):
        ask(OK + b"\r\n", *[b" "] * 40, pause=0.05)
