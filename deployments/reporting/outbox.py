"""Mailing reports: each mail is claimed by a conditional update, and ends sent, given up, or tried again later.

A sender that dies, or a server that falls silent, leaves a mail in doubt: it goes out once more under the same
Message-ID, so that the reader's program can drop the copy, and never a third time.
"""

from __future__ import annotations

import logging
import smtplib
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import Q
from django.template.loader import render_to_string

from deployments.models import ReportMail, ReportMailState

CLAIM = timedelta(minutes=3)
FIRST_GAP = timedelta(minutes=1)
ATTEMPTS = 12
GONE = (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPNotSupportedError)
logger = logging.getLogger(__name__)


def send_due(now: datetime, limit: int = 50) -> int:
    """Send what is due; returns how many were sent."""
    lost = ReportMail.objects.filter(state=ReportMailState.SENDING, claimed_until__lte=now)
    lost.filter(doubted=True).update(state=ReportMailState.FAILED, problem="In doubt twice; not sent a third time.")
    lost.filter(doubted=False).update(state=ReportMailState.IN_DOUBT, not_before=now, problem="The sender died.")
    sent = 0
    for _ in range(limit):
        mail = _claim(now)
        if mail is None:
            break
        sent += _send(mail, now)
    return sent


def message_of(mail: ReportMail) -> EmailMultiAlternatives:
    """The mail: a few words, and the page as its attachment."""
    run = mail.run
    context = {"report": run.report, "run": run, "public_url": settings.PUBLIC_URL}
    host = urlsplit(settings.PUBLIC_URL).hostname or "localhost"
    message = EmailMultiAlternatives(
        subject=f"{run.report.name}, {run.due_at:%d %B %Y}",
        body=render_to_string("reports/mail.txt", context),
        to=[mail.recipient],
        headers={"Message-ID": f"<{mail.message_id}@{host}>", "Auto-Submitted": "auto-generated"},
    )
    message.attach_alternative(render_to_string("reports/mail.html", context), "text/html")
    if run.dataset is not None:
        with run.dataset.file.open("rb") as file:
            message.attach(run.dataset.name, file.read(), "text/html")
    return message


def _claim(now: datetime) -> ReportMail | None:
    waiting = Q(state=ReportMailState.PENDING) | Q(state=ReportMailState.IN_DOUBT)
    with transaction.atomic():
        rows = ReportMail.objects.select_for_update(skip_locked=True, of=("self",)).filter(waiting, not_before__lte=now)
        mail = rows.select_related("run__report", "run__dataset").order_by("not_before", "pk").first()
        if mail is not None:
            mail.doubted = mail.doubted or mail.state == ReportMailState.IN_DOUBT
            mail.state, mail.claimed_until = ReportMailState.SENDING, now + CLAIM
            mail.attempts += 1
            mail.save(update_fields=["doubted", "state", "claimed_until", "attempts"])
    return mail


def _send(mail: ReportMail, now: datetime) -> bool:
    try:
        message_of(mail).send()
    except GONE as error:
        _end(mail, ReportMailState.FAILED, str(error), now)
    except (
        smtplib.SMTPConnectError,
        ConnectionRefusedError,
        smtplib.SMTPResponseException,
        FileNotFoundError,
    ) as error:
        _later(mail, ReportMailState.PENDING, str(error), now)
    except Exception as error:
        # whether it left is not known
        logger.exception("Report mail %s could not be sent", mail.pk)
        if mail.doubted:
            _end(mail, ReportMailState.FAILED, f"In doubt twice; not sent a third time. {error}", now)
        else:
            _later(mail, ReportMailState.IN_DOUBT, str(error), now)
    else:
        _end(mail, ReportMailState.SENT, "", now)
        return True
    return False


def _later(mail: ReportMail, state: ReportMailState, problem: str, now: datetime) -> None:
    if mail.attempts >= ATTEMPTS:
        _end(mail, ReportMailState.FAILED, problem, now)
        return
    mail.not_before = now + FIRST_GAP * 2 ** min(mail.attempts - 1, 8)
    _end(mail, state, problem, now)


def _end(mail: ReportMail, state: ReportMailState, problem: str, now: datetime) -> None:
    """Written only while the claim is still ours."""
    ReportMail.objects.filter(pk=mail.pk, state=ReportMailState.SENDING, attempts=mail.attempts).update(
        state=state,
        problem=problem[:500],
        not_before=mail.not_before,
        claimed_until=None,
        sent_at=now if state is ReportMailState.SENT else None,
    )
