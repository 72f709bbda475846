"""The transport below the client: aiohttp under httpx's interface, several times faster than httpx's own pool."""

from __future__ import annotations

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from monitoring.client.addresses import AddressPolicy, GuardedResolver

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
