"""Addresses of other systems, as they stand in one variable, taken apart for Django and Celery."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

DATABASE_SCHEMES = ("postgres", "postgresql")
REDIS_SCHEMES = ("redis", "rediss", "unix")
MAIL_SCHEMES = ("smtp", "smtps", "archive", "console")


def database(url: str, *, pool: int, max_age: int) -> dict[str, Any]:
    """Django's DATABASES entry for `postgresql://user:password@host:port/name?option=value`.

    `host` may also be an option (a socket's folder). `pool` is the most connections a process keeps open; 0 turns
    the pool off and keeps each connection for `max_age` seconds.
    """
    parts = urlsplit(url)
    options: dict[str, Any] = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    host = options.pop("host", None) or parts.hostname or ""
    if pool:
        # Connections beyond the first are opened when they are needed and closed when idle.
        options["pool"] = {"min_size": 0, "max_size": pool, "max_idle": 60, "timeout": 20}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "vitals",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(host),
        "PORT": parts.port or "",
        "OPTIONS": options,
        "CONN_MAX_AGE": 0 if pool else max_age,
        "CONN_HEALTH_CHECKS": not pool,
    }


def broker(redis_url: str) -> str:
    """Celery's spelling of a Redis address: a socket is `redis+socket:///path?virtual_host=number`."""
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    number = parse_qs(parts.query).get("db", ["0"])[-1]
    return f"redis+socket://{parts.path}?virtual_host={number}"


@dataclass(frozen=True)
class MailServer:
    """Where mail goes; without a host it stays in the archive (or goes to the console)."""

    backend: str
    host: str = ""
    port: int = 25
    user: str = ""
    password: str = ""
    use_tls: bool = False
    use_ssl: bool = False


def mail(url: str) -> MailServer:
    """`smtp://user:password@host:587` (STARTTLS if the server's port is 587 or `?tls=1`), `smtps://…` (TLS from the
    start), `archive:` (kept in Vitals' own list of mail, sent nowhere) or `console:`."""
    parts = urlsplit(url)
    if parts.scheme == "archive":
        return MailServer("django.core.mail.backends.dummy.EmailBackend")
    if parts.scheme == "console":
        return MailServer("django.core.mail.backends.console.EmailBackend")
    secure = parts.scheme == "smtps"
    port = parts.port or (465 if secure else 25)
    wants_tls = parse_qs(parts.query).get("tls", ["1" if port == 587 else "0"])[-1] == "1"
    return MailServer(
        "django.core.mail.backends.smtp.EmailBackend",
        host=parts.hostname or "localhost",
        port=port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        use_tls=wants_tls and not secure,
        use_ssl=secure,
    )
