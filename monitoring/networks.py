"""Whether an address lies in the networks that somebody named. No models: also for a service without its pages."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address


def within(address: str, networks: Iterable[IPv4Network | IPv6Network]) -> bool:
    """False for what is no address. ::ffff:10.0.0.7 is 10.0.0.7: a socket of both kinds writes IPv4 that way."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    plain = getattr(found, "ipv4_mapped", None) or found
    return any(plain in network or found in network for network in networks)
