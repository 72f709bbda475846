"""Addresses of other systems, as they stand in one variable, taken apart for Django and Celery."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

DATABASE_SCHEMES = ("postgres", "postgresql")
REDIS_SCHEMES = ("redis", "rediss", "unix")
#: Providers of mail with an API (through Anymail): scheme -> the settings that user and password of the address fill.
MAIL_PROVIDERS: dict[str, tuple[str, ...]] = {
    "brevo": ("API_KEY",),
    "mailersend": ("API_TOKEN",),
    "mailgun": ("API_KEY",),
    "mailjet": ("API_KEY", "SECRET_KEY"),
    "mailtrap": ("API_TOKEN",),
    "mandrill": ("API_KEY",),
    "postal": ("API_KEY",),
    "postmark": ("SERVER_TOKEN",),
    "resend": ("API_KEY",),
    "scaleway": ("SECRET_KEY", "PROJECT_ID"),
    "sendgrid": ("API_KEY",),
    "sparkpost": ("API_KEY",),
}
MAIL_SCHEMES = ("smtp", "smtps", "archive", "console", *MAIL_PROVIDERS)


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
        # Redis' own client would take database 0 instead, and Celery fail at its first task.
        if not (parts.path.strip("/") or "0").isdigit():
            raise ImproperlyConfigured("The environment variable REDIS_URL must end in a number: /0, /1 …")
        return redis_url
    number = parse_qs(parts.query).get("db", ["0"])[-1]
    return f"redis+socket://{parts.path}?virtual_host={number}"


@dataclass(frozen=True)
class MailServer:
    """Where mail goes; one that does not send keeps it in the archive (or on the console).

    `options`: Anymail's settings of the provider.
    """

    backend: str
    sends: bool = False
    host: str = ""
    port: int = 25
    user: str = ""
    password: str = ""
    use_tls: bool = False
    use_ssl: bool = False
    options: dict[str, Any] = field(default_factory=dict)


def mail(url: str) -> MailServer:
    """`smtp://user:password@host:587` (STARTTLS if the server's port is 587 or `?tls=1`), `smtps://…` (TLS from the
    start), `archive:` (kept in Vitals' own list of mail, sent nowhere), `console:`, or a provider: `postmark://token@`,
    `mailgun://key@sender.domain?api_url=…`; what follows the question mark are further settings of Anymail's."""
    parts = urlsplit(url)
    if parts.scheme == "archive":
        return MailServer("django.core.mail.backends.dummy.EmailBackend")
    if parts.scheme == "console":
        return MailServer("django.core.mail.backends.console.EmailBackend")
    if parts.scheme in MAIL_PROVIDERS:
        return _provider(parts)
    secure = parts.scheme == "smtps"
    port = parts.port or (465 if secure else 25)
    wants_tls = parse_qs(parts.query).get("tls", ["1" if port == 587 else "0"])[-1] == "1"
    return MailServer(
        "django.core.mail.backends.smtp.EmailBackend",
        sends=True,
        host=parts.hostname or "localhost",
        port=port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        use_tls=wants_tls and not secure,
        use_ssl=secure,
    )


def _provider(parts: SplitResult) -> MailServer:
    keys = MAIL_PROVIDERS[parts.scheme]
    if not parts.username:
        raise ImproperlyConfigured(f"The environment variable EMAIL_URL needs a key: {parts.scheme}://key@ ….")
    values = dict(zip(keys, (unquote(parts.username), unquote(parts.password or "")), strict=False))
    if parts.scheme == "mailgun" and parts.hostname:
        values["SENDER_DOMAIN"] = parts.hostname
    values |= {name.upper(): found[-1] for name, found in parse_qs(parts.query).items()}
    options = {f"{parts.scheme.upper()}_{name}": value for name, value in values.items()}
    return MailServer(f"anymail.backends.{parts.scheme}.EmailBackend", sends=True, options=options)
