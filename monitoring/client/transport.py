"""The transport below the client: aiohttp under httpx's interface, several times faster than httpx's own pool.

Imported where a source is asked: loading aiohttp takes as long as half of Django.
"""

from __future__ import annotations

import socket

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver, ResolveResult
from httpx_aiohttp import AiohttpTransport

from monitoring.client.addresses import AddressPolicy, refused

KEEPALIVE_SECONDS = 30


def make_transport(policy: AddressPolicy, connections: int) -> httpx.AsyncBaseTransport:
    """A transport with a pool of at most `connections`; no cookies, no proxy from the environment."""

    def session() -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=connections, resolver=GuardedResolver(policy), keepalive_timeout=KEEPALIVE_SECONDS, ttl_dns_cache=60
        )
        return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)

    transport: httpx.AsyncBaseTransport = AiohttpTransport(client=session)
    return transport


class GuardedResolver(AbstractResolver):
    """Resolves names and leaves out the addresses that the policy refuses."""

    def __init__(self, policy: AddressPolicy) -> None:
        self._policy = policy
        self._inner = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        policy = self._policy.for_host(host, port)
        kept = [entry for entry in found if policy.permits(entry["host"])]
        if not kept:
            raise refused(host)
        return kept

    async def close(self) -> None:
        await self._inner.close()
