"""Chat and paging services (Slack, Teams, PagerDuty …) through Apprise, held by our own address rules.

Only services that speak HTTP and are named here are let in: others of Apprise's would open mail servers, local
programs or sockets of this machine.
"""

from __future__ import annotations

import logging
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from monitoring.mail.carriers.errors import DeliveryError, InDoubt, NotSent, Refused, by_status
from monitoring.mail.carriers.guard import Guard, guarded
from monitoring.mail.carriers.webhook import identity_of
from monitoring.models import Message, NotifyReason, Status
from monitoring.sources import policy_of

if TYPE_CHECKING:  # a large package, loaded when there is something to send by it
    from apprise import Apprise, NotifyType
    from apprise.plugins.base import NotifyBase

#: What a service is called by people, by the first word of its Apprise URLs.
SERVICES = {
    "slack": "Slack",
    "msteams": "Microsoft Teams (connector)",
    "workflow": "Microsoft Teams (workflow)",
    "workflows": "Microsoft Teams (workflow)",
    "pagerduty": "PagerDuty",
    "opsgenie": "Opsgenie",
    "splunk": "Splunk On-Call",
    "victorops": "Splunk On-Call",
    "signl4": "SIGNL4",
    "discord": "Discord",
    "gchat": "Google Chat",
    "mmost": "Mattermost",
    "mmosts": "Mattermost",
    "rocket": "Rocket.Chat",
    "rockets": "Rocket.Chat",
    "wxteams": "Webex",
    "zulip": "Zulip",
    "tgram": "Telegram",
    "pover": "Pushover",
    "ntfy": "ntfy",
    "ntfys": "ntfy",
    "gotify": "Gotify",
    "gotifys": "Gotify",
    "json": "JSON over the web",
    "jsons": "JSON over the web",
}
_CODE = re.compile(r"error=(\d{3})")


class UnknownService(ValueError):
    """No address of a service that may be used; the text is fit for people."""


def plugin(url: str) -> NotifyBase:
    """The service behind an Apprise URL, or behind a service's own webhook address. Raises UnknownService."""
    services = _services()
    from apprise import AppriseAsset
    from apprise.plugins.base import NotifyBase

    asset = AppriseAsset(
        app_id="Vitals", app_desc="Vitals", app_url="", secure_logging=True, http_redirects=False, storage_mode="memory"
    )
    found = services.instantiate(url.strip(), asset=asset, suppress_exceptions=True)
    if not isinstance(found, NotifyBase):
        raise UnknownService("No service is known for this address.")
    if SERVICES.keys().isdisjoint(_schemas(found)):
        raise UnknownService(f"{found.service_name} is not among the services that may be used.")
    found.redirects = False
    return found


@cache
def _services() -> type[Apprise]:
    """Apprise reads all its services at the first question; one of them looks for a module that Python will drop."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from apprise import Apprise

        Apprise.instantiate("json://localhost")
    return Apprise


def name_of(found: NotifyBase) -> str:
    """What people call it."""
    return next(SERVICES[schema] for schema in _schemas(found) if schema in SERVICES)


def carry(message: Message, now: datetime) -> str:
    """Sends title and text once; raises a DeliveryError."""
    channel = message.channel
    if channel is None:
        raise Refused("Its channel was removed.")
    try:
        found = plugin(channel.target)
    except UnknownService as error:
        raise Refused(str(error)) from None
    _join_incidents(found, message)
    with guarded(policy_of(built_in=False)) as guard, _said() as lines:
        done = found.notify(
            body=str(message.payload.get("brief") or message.text), title=message.subject, notify_type=_type_of(message)
        )
    if not done:
        raise _problem(name_of(found), guard, lines)
    return ""


def _type_of(message: Message) -> NotifyType:
    """The colour of the message where it is shown."""
    from apprise import NotifyType

    if message.why in {NotifyReason.RESOLVED, NotifyReason.TEST}:
        return NotifyType.SUCCESS
    status = message.payload.get("status")
    types = {Status.FAILING: NotifyType.FAILURE, Status.WARNING: NotifyType.WARNING, Status.PASSING: NotifyType.SUCCESS}
    return types.get(Status(status), NotifyType.INFO) if status in Status.values else NotifyType.INFO


def _join_incidents(found: NotifyBase, message: Message) -> None:
    """A paging service that knows keys gets one an incident, so that worse joins it and resolved ends it."""
    if hasattr(found, "dedup") and hasattr(found, "action") and not found.dedup:
        found.dedup = str(message.payload.get("thread") or identity_of(message))
        found.action = "map"


def _problem(name: str, guard: Guard, lines: list[str]) -> DeliveryError:
    if guard.refused:
        return Refused(f"{guard.refused} lies in a network that channels may not lead to.")
    if not guard.connected:
        return NotSent(f"No connection to {name}.", reached=False)
    for line in reversed(lines):
        code = _CODE.search(line)
        problem = by_status(int(code[1]), name) if code else None
        if problem is not None:
            return problem
    return InDoubt(f"{name} did not answer; it may have taken it.")


def calls_a_host_of_its_own(found: NotifyBase) -> bool:
    """True where the address names the host that is called, rather than a service that everybody knows."""
    return bool(getattr(found, "protocol", None) and found.host)


def _schemas(found: NotifyBase) -> list[str]:
    """Every first word that leads to this service."""
    words: list[str] = []
    for name in ("secure_protocol", "protocol"):
        declared: Any = getattr(found, name, None)
        words += [declared] if isinstance(declared, str) else list(declared or ())
    return words


@contextmanager
def _said() -> Iterator[list[str]]:
    """What Apprise logs in this thread: the only place where it tells the far side's answer."""
    lines: list[str] = []
    me = threading.get_ident()

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.thread == me:
                lines.append(record.getMessage())

    log, listener = logging.getLogger("apprise"), Listener(logging.INFO)
    log.addHandler(listener)
    try:
        yield lines
    finally:
        log.removeHandler(listener)
