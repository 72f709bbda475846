"""The client over a real socket, against servers that break the connection in every way."""

from __future__ import annotations

import asyncio
import gzip
import socket
import socketserver
import ssl
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

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


def certificate(folder: Path, until: timedelta) -> Path:
    """One that nobody signed, for another host."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "elsewhere.example")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    signed = made.not_valid_before(now - timedelta(days=9)).not_valid_after(now + until).sign(key, hashes.SHA256())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = folder / "server.pem"
    path.write_bytes(signed.public_bytes(Encoding.PEM) + pem)
    return path


def ask_at(url: str) -> None:
    async def main() -> None:
        async with DeploymentsClient(url, "secret", policy=AddressPolicy(exempt=True), limits=QUICK) as client:
            await client.ask("d1", "settings/", [])

    asyncio.run(main())


def test_a_certificate_that_is_not_trusted_is_named_as_the_reason(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(tmp_path, timedelta(days=1)))
    with socketserver.TCPServer(("127.0.0.1", 0), _Handshake) as server:
        server.context = context  # type: ignore[attr-defined]
        Thread(target=server.handle_request, daemon=True).start()
        port = server.server_address[1]
        with pytest.raises(Unreachable) as caught:
            ask_at(f"https://127.0.0.1:{port}/api/v2")
    reason = f"its certificate is not trusted: self-signed certificate (127.0.0.1:{port})."
    assert str(caught.value) == f"The source cannot be reached: {reason}"


class _Handshake(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        with suppress(OSError):
            self.server.context.wrap_socket(self.request, server_side=True).close()  # type: ignore[attr-defined]


def test_a_port_at_which_nothing_listens_and_a_name_that_nobody_knows_are_told_apart() -> None:
    with pytest.raises(Unreachable, match="nothing listens at its address, the connection was refused"):
        ask_at(f"http://127.0.0.1:{_closed()}/api/v2")
    with pytest.raises(Unreachable, match=r"its name is not known here \(nowhere.invalid:80\)"):
        ask_at("http://nowhere.invalid/api/v2")


def _closed() -> int:
    """A port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def test_a_body_that_drips_is_given_up_in_time() -> None:
    with pytest.raises(Unreachable, match=r"No answer within 0\.5 s"):
        ask(OK + b"\r\n", *[b" "] * 40, pause=0.05)
