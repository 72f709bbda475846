"""Which addresses a typed-in host may lead to. Checked where the connection is made, so that no name can turn later."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from monitoring.client.errors import AddressRefused

_IP = ipaddress.IPv4Address | ipaddress.IPv6Address
_METADATA = frozenset(ipaddress.ip_address(text) for text in ("169.254.169.254", "fd00:ec2::254", "100.100.100.200"))
SCHEMES = frozenset({"http", "https"})


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """`exempt`: the built-in source, any address. `trusted`: host or host:port that may be private all the same."""

    allow_private: bool = False
    trusted: frozenset[str] = frozenset()
    exempt: bool = False

    def permits(self, address: str) -> bool:
        """Whether an IP address may be called: never link-local, metadata, multicast or unspecified ones."""
        if self.exempt:
            return True
        ip = _plain(ipaddress.ip_address(address.split("%")[0]))
        if ip in _METADATA or ip.is_link_local or ip.is_multicast or ip.is_unspecified:
            return False
        return self.allow_private or ip.is_global

    def for_host(self, host: str, port: int) -> AddressPolicy:
        """The policy for one host: a trusted one may be private, though never link-local or metadata."""
        if self.exempt or {host, f"{host}:{port}"}.isdisjoint(self.trusted):
            return self
        return AddressPolicy(allow_private=True)


def check_url(url: str, policy: AddressPolicy) -> None:
    """Raises AddressRefused unless the URL is http(s), names a host, and is not a refused literal address."""
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES or not parts.hostname:
        raise AddressRefused("The address must start with http:// or https:// and name a host.")
    if parts.username or parts.password:
        raise AddressRefused("The address must not hold a user name or a password.")
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        ipaddress.ip_address(parts.hostname.split("%")[0])
    except ValueError as error:
        if "port" in str(error).lower():
            raise AddressRefused("The port of the address is not a number.") from None
        return
    if not policy.for_host(parts.hostname, port).permits(parts.hostname):
        raise refused(parts.hostname)


def _plain(ip: _IP) -> _IP:
    """An IPv4 address hidden in IPv6 is judged as IPv4."""
    if isinstance(ip, ipaddress.IPv6Address):
        return ip.ipv4_mapped or ip.sixtofour or ip
    return ip


def refused(host: str) -> AddressRefused:
    return AddressRefused(
        f"{host} lies in a network that sources may not be in. An administrator can allow private networks "
        "(ALLOW_PRIVATE_ADDRESSES) or this host (TRUSTED_HOSTS)."
    )
