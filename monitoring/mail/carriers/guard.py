"""The address rules where connections are made: for everything that calls out through urllib3.

A name is resolved here and only a permitted address is connected to, so that no name can turn between check and call
and no library, plugin or redirect gets around the rule. Outside `guarded` nothing changes.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from urllib3.util import connection

from monitoring.client import AddressPolicy


@dataclass(slots=True)
class Guard:
    """What happened to the connections of one send."""

    policy: AddressPolicy
    connected: bool = False
    refused: str = ""


class NotPermitted(OSError):
    """The address lies where channels may not lead."""


_guard: ContextVar[Guard | None] = ContextVar("guard", default=None)
_connect = connection.create_connection


@contextmanager
def guarded(policy: AddressPolicy) -> Iterator[Guard]:
    """Within it, this thread's connections obey `policy`; the guard tells whether one was made or refused."""
    guard = Guard(policy)
    token = _guard.set(guard)
    try:
        yield guard
    finally:
        _guard.reset(token)


def _create_connection(address: tuple[str, int], *args: Any, **kwargs: Any) -> socket.socket:
    guard = _guard.get()
    if guard is None:
        return _connect(address, *args, **kwargs)
    host, port = address[0].strip("[]"), address[1]
    policy = guard.policy.for_host(host, port)
    found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    permitted = [ip for ip in dict.fromkeys(found) if policy.permits(ip)]
    if not permitted:
        guard.refused = host
        raise NotPermitted(f"{host} lies in a network that channels may not lead to.")
    made = _first(permitted, port, args, kwargs)
    guard.connected = True
    return made


def _first(addresses: list[str], port: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> socket.socket:
    problem: OSError | None = None
    for ip in addresses:
        try:
            return _connect((ip, port), *args, **kwargs)
        except OSError as error:
            problem = error
    assert problem is not None
    raise problem


connection.create_connection = _create_connection
