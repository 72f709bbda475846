"""Which addresses a typed-in host may lead to, checked where the connection is made, so that no name can turn later.

Link-local, metadata, multicast and unspecified addresses are always refused; private ones unless an administrator
allows them (`ALLOW_PRIVATE_ADDRESSES`) or names the host (`TRUSTED_HOSTS`). Redirects are not followed and no proxy of
the environment is used.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Iterable
from urllib.parse import urlsplit

import httpcore
import httpx
from django.conf import settings

SCHEMES = frozenset({"http", "https"})
_METADATA = frozenset(ipaddress.ip_address(text) for text in ("169.254.169.254", "fd00:ec2::254", "100.100.100.200"))


class AddressRefused(ValueError):
    """The address may not be called; the message is for people."""


def check(url: str) -> None:
    """Raise AddressRefused unless the URL is http(s), names a host, and is no refused literal address."""
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES or not parts.hostname:
        raise AddressRefused("The address must start with http:// or https:// and name a host.")
    if parts.username or parts.password:
        raise AddressRefused("The address must not hold a user name or a password.")
    if parts.query or parts.fragment:
        raise AddressRefused("The address must not hold a query or a fragment.")
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise AddressRefused("The port of the address is not a number.") from None
    try:
        ipaddress.ip_address(parts.hostname.split("%")[0])
    except ValueError:
        return
    if not permitted(parts.hostname, parts.hostname, port):
        raise refused(parts.hostname)


def permitted(address: str, host: str, port: int) -> bool:
    """Whether an IP address may be called, as the address of this host and port."""
    ip = ipaddress.ip_address(address.split("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        ip = ip.ipv4_mapped or ip.sixtofour or ip
    if ip in _METADATA or ip.is_link_local or ip.is_multicast or ip.is_unspecified:
        return False
    trusted = not {host, f"{host}:{port}"}.isdisjoint(settings.TRUSTED_HOSTS)
    return settings.ALLOW_PRIVATE_ADDRESSES or trusted or ip.is_global


def refused(host: str) -> AddressRefused:
    return AddressRefused(
        f"{host} lies in a network that may not be called. An administrator can allow private networks "
        "(ALLOW_PRIVATE_ADDRESSES) or this host (TRUSTED_HOSTS)."
    )


def client(timeout: float) -> httpx.Client:
    """A client that connects to permitted addresses only; raises AddressRefused where it meets another."""
    return httpx.Client(transport=_Guarded(), timeout=timeout, follow_redirects=False, trust_env=False)


class _Backend(httpcore.NetworkBackend):
    """Resolves a name, leaves out what is refused, and connects to what it has looked at."""

    def __init__(self) -> None:
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpcore.ConnectError(f"{host} is not known: {error}") from None
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        kept = [address for address in addresses if permitted(address, host, port)]
        if not kept:
            raise refused(host)
        for address in kept[:-1]:
            try:
                return self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except httpcore.ConnectError:
                continue
        return self._inner.connect_tcp(kept[-1], port, timeout, local_address, socket_options)


class _Guarded(httpx.HTTPTransport):
    """httpx's transport over connections of ours."""

    def __init__(self) -> None:
        super().__init__(trust_env=False)
        self._pool = httpcore.ConnectionPool(ssl_context=ssl.create_default_context(), network_backend=_Backend())
