"""Adding and asking sources, and how a source's failures are remembered."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
from django.conf import settings
from django.db.models import Q

from monitoring import conf
from monitoring.client import AddressPolicy, DeploymentsClient, Limits, Overloaded, SourceError, check_url
from monitoring.models import Source, Team

MakeTransport = Callable[[], httpx.AsyncBaseTransport]


def policy_of(*, built_in: bool) -> AddressPolicy:
    """Which addresses this installation lets sources have."""
    return AddressPolicy(settings.ALLOW_PRIVATE_ADDRESSES, frozenset(settings.TRUSTED_HOSTS), exempt=built_in)


def add(team: Team, *, name: str, base_url: str, token: str, user: Any = None, built_in: bool = False) -> Source:
    """A new source. Raises AddressRefused for an address that may not be called."""
    address = base_url.strip().rstrip("/")
    check_url(address, policy_of(built_in=built_in))
    source = Source(team=team, name=name.strip(), base_url=address, built_in=built_in, created_by=user)
    source.token = token.strip()
    source.save()
    return source


def client_of(
    source: Source, transport: MakeTransport | None = None, *, timeout: float | None = None
) -> DeploymentsClient:
    """A client for one run against the source; `timeout` in seconds, if it is to be more patient than for polls."""
    limits = Limits(
        timeout=timeout or settings.POLL_TIMEOUT,
        concurrency=settings.POLL_CONCURRENCY,
        max_body=conf.MAX_BODY,
        max_pages=conf.MAX_PAGES,
    )
    return DeploymentsClient(
        source.base_url,
        source.token,
        transport=transport() if transport is not None else None,
        policy=policy_of(built_in=source.built_in),
        limits=limits,
    )


def callable_now(now: datetime) -> Any:
    """Sources that are enabled and that the breaker lets through."""
    return Source.objects.filter(Q(open_until__isnull=True) | Q(open_until__lte=now), enabled=True)


def pause_after(failures: int, wait: timedelta | None = None) -> timedelta:
    """How long a source is left alone after that many runs in a row that failed; at least what it asked for."""
    grown: timedelta = conf.BREAKER_FIRST * 2 ** min(max(failures - 1, 0), 10)
    return max(min(grown, conf.BREAKER_LONGEST), wait or timedelta(0))


def note_success(source: Source, now: datetime) -> None:
    """A good answer closes the breaker and ends the silence."""
    Source.objects.filter(pk=source.pk).update(
        last_ok_at=now, silent_since=None, failures=0, open_until=None, last_error="", last_error_kind=""
    )


def note_trouble(source: Source, error: SourceError, now: datetime) -> None:
    """Opens the breaker. Silent since the last good answer, or since now if there was none."""
    row = Source.objects.get(pk=source.pk)
    row.failures += 1
    row.open_until = now + pause_after(row.failures, error.wait if isinstance(error, Overloaded) else None)
    row.silent_since = row.silent_since or row.last_ok_at or now
    row.last_error, row.last_error_kind = str(error)[:500], type(error).__name__
    row.save(update_fields=["failures", "open_until", "silent_since", "last_error", "last_error_kind"])
