"""The dead-man's ping: an address outside is called while watching and mail really work, so that silence is noticed.

What it means that they work: an enabled source answered within the last minutes or its silence is an incident that we
told of; nothing has waited in the outbox for long. When that is not so, nothing is called, and the watch page says why.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import urllib3
from django.conf import settings
from django.db.models import Q

from metrics.wording import plural
from monitoring.models import Carrier, MailState, Message, Ping, PollRun, RunKind, Source

#: Runs of the list call are a minute apart; mail is tried every few seconds.
POLL_AGE, MAIL_AGE = timedelta(minutes=10), timedelta(minutes=15)
_WAITING = (MailState.PENDING, MailState.SENDING, MailState.IN_DOUBT)


def problem_now(now: datetime) -> str:
    """Why the outside must not be told that all works; "" when it does."""
    enabled = Source.objects.filter(enabled=True)
    if enabled.exists():
        run = PollRun.objects.filter(kind=RunKind.DISCOVERY, started_at__gte=now - POLL_AGE)
        if not run.exists():
            return "No source has been asked for 10 minutes."
        if not enabled.filter(last_ok_at__gte=now - POLL_AGE).exists():
            return "No source has answered for 10 minutes."
    tried = Q(attempts__gt=0, carrier=Carrier.EMAIL)
    forgotten = Q(attempts=0, not_before__lt=now - MAIL_AGE)
    late = Message.objects.filter(tried | forgotten, state__in=_WAITING, created_at__lt=now - MAIL_AGE)
    count = late.count()
    return f"{plural(count, 'message')} not sent for more than 15 minutes." if count else ""


def ping(now: datetime) -> bool:
    """Calls the address if all works, and keeps how that went; True if it was called and answered."""
    if not settings.DEADMAN_URL:
        return False
    problem = problem_now(now) or _call(settings.DEADMAN_URL)
    Ping.objects.update_or_create(pk=1, defaults={"at": now, "sent": not problem, "problem": problem[:300]})
    return not problem


def _call(url: str) -> str:
    limit = urllib3.Timeout(connect=settings.EMAIL_TIMEOUT, read=settings.EMAIL_TIMEOUT)
    try:
        with urllib3.PoolManager(retries=False, timeout=limit) as pool:
            answer = pool.request("GET", url, redirect=False)
    except urllib3.exceptions.HTTPError as error:
        return f"The outside address could not be called: {type(error).__name__}."
    return "" if answer.status < 400 else f"The outside address answered {answer.status}."
