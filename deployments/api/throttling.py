"""Limits: requests a minute and token (RATE_LIMIT_API), actuals an hour and deployment (ACTUALS_PER_HOUR).

A counter in Redis for each minute or hour of the clock: two short commands a request, whatever the limit.
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.cache import cache
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from deployments.models import Deployment

MINUTE = 60
HOUR = 3600
BINARY = 2


def count(who: str, now: float) -> int:
    """How often `who` has come in the present minute, this time included."""
    key = f"rate:{who}:{int(now // MINUTE)}"
    if cache.add(key, 1, timeout=2 * MINUTE):
        return 1
    try:
        return cache.incr(key)
    except ValueError:  # The minute's counter expired between the two commands.
        return 1


def seconds_left(now: float) -> float:
    """Until the next minute begins."""
    return MINUTE - now % MINUTE


class TokenThrottle(BaseThrottle):
    """429 with Retry-After beyond the limit; 0 switches it off."""

    def allow_request(self, request: Request, view: Any) -> bool:
        limit = settings.RATE_LIMIT_API
        return not limit or count(who(request), time.time()) <= limit

    def wait(self) -> float:
        return seconds_left(time.time())


def who(request: Request) -> str:
    token = getattr(request, "auth", None)
    return f"token:{token.pk}" if token is not None else f"address:{request.META.get('REMOTE_ADDR', '')}"


def count_actuals(deployment: Deployment, rows: int, now: datetime) -> None:
    """Count actuals against their hourly limit; 429 for those that would pass it, which are not counted.

    As the reference counts: an actual of a target with several classes is worth one for each of them, one of time
    series one for each forecast distance.
    """
    champion = deployment.champion
    classes = len(champion.package.class_names) if champion is not None else 0
    distances = len(champion.package.time_series.get("forecastDistances", ())) if champion is not None else 0
    worth = rows * (classes if classes > BINARY else 1) * max(1, distances)
    hour, into = divmod(int(now.timestamp()), HOUR)
    key = f"actuals:{deployment.pk}:{hour}"
    cache.add(key, 0, timeout=2 * HOUR)
    if cache.incr(key, worth) > settings.ACTUALS_PER_HOUR:
        cache.decr(key, worth)
        raise Throttled(HOUR - into, f"At most {settings.ACTUALS_PER_HOUR:,} actuals an hour (ACTUALS_PER_HOUR).")
