"""The only readers of the environment.

Every reader names its variable, its default and what it is for; a value that cannot be read stops the start with
one sentence that names the variable. What was asked for is kept in `VARIABLES`, so that `.env.example` and
`docs/configuration.md` can be compared with what the settings really read. An empty value counts as not set.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off"})


@dataclass(frozen=True)
class Variable:
    """One variable of the environment: what the settings ask for, never what it holds."""

    name: str
    kind: str
    default: str
    help: str


VARIABLES: dict[str, Variable] = {}


def text(name: str, default: str = "", *, help: str) -> str:
    """Free text."""
    _declare(name, "text", default, help)
    return _raw(name) or default


def flag(name: str, default: bool, *, help: str) -> bool:
    """true/false, 1/0, yes/no, on/off in any case."""
    _declare(name, "true or false", str(default).lower(), help)
    value = (_raw(name) or str(default)).lower()
    if value not in TRUE | FALSE:
        raise _wrong(name, "must be true or false (or 1/0, yes/no, on/off)")
    return value in TRUE


def number(name: str, default: int, *, help: str, minimum: int = 0, maximum: int | None = None) -> int:
    """A whole number in `minimum … maximum`; underscores may group digits."""
    _declare(name, "number", str(default), help)
    raw = _raw(name)
    try:
        value = int(raw) if raw else default
    except ValueError:
        raise _wrong(name, "must be a whole number") from None
    if value < minimum or (maximum is not None and value > maximum):
        span = f"at least {minimum}" if maximum is None else f"between {minimum} and {maximum}"
        raise _wrong(name, f"must be {span}")
    return value


def choice(name: str, default: str, options: Sequence[str], *, help: str) -> str:
    """One of a few words."""
    _declare(name, " | ".join(options), default, help)
    value = _raw(name) or default
    if value not in options:
        raise _wrong(name, f"must be one of {', '.join(options)}")
    return value


def words(name: str, default: Sequence[str] = (), *, help: str) -> list[str]:
    """A list, separated by commas."""
    _declare(name, "list, by commas", ",".join(default), help)
    raw = _raw(name)
    return [word.strip() for word in raw.split(",") if word.strip()] if raw else list(default)


def networks(name: str, *, help: str) -> list[IPv4Network | IPv6Network]:
    """Networks or single addresses, separated by commas."""
    _declare(name, "list, by commas", "", help)
    try:
        return [ip_network(word.strip()) for word in _raw(name).split(",") if word.strip()]
    except ValueError as error:
        raise _wrong(name, f"must be addresses or networks such as 10.0.0.0/8: {error}") from None


def path(name: str, default: Path, *, help: str, shown: str) -> Path:
    """A folder or file; `~` is understood. `shown` is how the default reads in the documentation."""
    _declare(name, "path", shown, help)
    raw = _raw(name)
    return Path(raw).expanduser().absolute() if raw else default


def url(name: str, default: str, schemes: Sequence[str], *, help: str, shown: str | None = None) -> str:
    """An address of one of the `schemes`; the error never repeats the value, which may hold a password."""
    _declare(name, "address", default if shown is None else shown, help)
    value = _raw(name) or default
    if value:
        _check_address(name, value, schemes)
    return value


def fernet_keys(name: str, fallback: Callable[[], str] | None, *, help: str) -> list[str]:
    """Keys that encrypt what is stored, newest first; a value that is none stops the start, and is never shown."""
    keys = [key.strip() for key in secret(name, fallback, help=help).split(",") if key.strip()]
    try:
        for key in keys:
            Fernet(key)
    except ValueError:
        raise _wrong(name, "must hold Fernet keys, separated by commas") from None
    return keys


def _check_address(name: str, value: str, schemes: Sequence[str]) -> None:
    try:
        parts = urlsplit(value)
        bare = parts.port is None and not parts.hostname
    except ValueError:  # a port that is no number, a bracket too few
        raise _wrong(name, "must be an address, with a number for a port") from None
    if parts.scheme not in schemes:
        raise _wrong(name, f"must start with {' or '.join(f'{scheme}:' for scheme in schemes)}")
    if bare and parts.scheme in ("http", "https"):
        raise _wrong(name, "must name a host")


def secret(name: str, fallback: Callable[[], str] | None, *, help: str) -> str:
    """A secret, or what `fallback` makes; without both the start stops. The value is never shown."""
    _declare(name, "secret", "", help)
    value = _raw(name)
    if value:
        return value
    if fallback is None:
        raise _wrong(name, "must be set when DATABASE_URL is set")
    return fallback()


def _declare(name: str, kind: str, default: str, help: str) -> None:
    VARIABLES[name] = Variable(name, kind, default, " ".join(help.split()))


def _raw(name: str) -> str:
    return os.environ.get(name, "").strip()


def _wrong(name: str, rule: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"The environment variable {name} {rule}.")
