"""E-mail, by any SMTP server or by a provider's API through Anymail."""

from __future__ import annotations

import base64
import smtplib
from datetime import datetime
from email.mime.image import MIMEImage

from anymail.exceptions import AnymailError, AnymailRecipientsRefused
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend

from monitoring.client import AddressPolicy
from monitoring.mail.carriers.errors import DeliveryError, InDoubt, NotSent, Refused, by_status
from monitoring.mail.carriers.guard import Guard, guarded
from monitoring.mail.carriers.sealed import opened
from monitoring.models import Message


def carry(message: Message, now: datetime) -> str:
    """Sends it once. Returns the provider's own id of the mail, "" for SMTP; raises a DeliveryError."""
    connection: BaseEmailBackend = get_connection()
    try:
        connection.open()
    except smtplib.SMTPAuthenticationError as error:
        raise NotSent(f"The mail server does not take our log-in: {_words(error)}", reached=False) from None
    except (OSError, smtplib.SMTPException) as error:
        raise NotSent(f"The mail server cannot be reached: {_words(error)}", reached=False) from None
    mail = mime(message, now)
    try:
        # Providers are configured by the administrator: any address is fine, the guard only tells what happened.
        with guarded(AddressPolicy(exempt=True)) as guard:
            _send(connection, mail, guard)
    finally:
        _close(connection)
    status = getattr(mail, "anymail_status", None)
    return str(getattr(status, "message_id", None) or "")


def _send(connection: BaseEmailBackend, mail: EmailMultiAlternatives, guard: Guard) -> None:
    try:
        connection.send_messages([mail])
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        text = "; ".join(f"{code} {_decoded(words)}" for code, words in error.recipients.values())
        raise Refused(text) if all(code >= 500 for code in codes) else NotSent(text) from None
    except smtplib.SMTPResponseException as error:
        raise Refused(_words(error)) if error.smtp_code >= 500 else NotSent(_words(error)) from None
    except AnymailError as error:
        raise _provider(error, guard) from None
    except (OSError, smtplib.SMTPException) as error:
        raise InDoubt(_words(error)) from None


def _provider(error: AnymailError, guard: Guard) -> DeliveryError:
    """What a provider's error means: its answer if there was one, else whether anything was handed over."""
    if isinstance(error, AnymailRecipientsRefused):
        return Refused("The provider refuses the recipient.")
    if error.status_code is not None:
        found = by_status(error.status_code, error.esp_name or "The provider")
        return found or InDoubt("The provider's answer could not be read.")
    if isinstance(error, OSError):
        if guard.connected:
            return InDoubt("The provider did not answer.")
        return NotSent("No connection to the provider.", reached=False)
    return Refused(str(error).splitlines()[0][:300])


class _Related(EmailMultiAlternatives):
    """Pictures belong to the text rather than being attachments beside it."""

    mixed_subtype = "related"


def mime(message: Message, now: datetime) -> EmailMultiAlternatives:
    """The stored message as it goes out: text and HTML, pictures by content id."""
    text, html = opened(message, now)
    mail = _Related(
        subject=message.subject,
        body=text,
        to=[message.recipient],
        headers={**message.headers, "Message-ID": message.message_id},
    )
    if "postmark" in settings.EMAIL_BACKEND:
        mail.extra_headers["X-PM-KeepID"] = "true"  # it would put an id of its own in place of ours
    mail.attach_alternative(html, "text/html")
    for name, encoded in message.pictures.items():
        picture = MIMEImage(base64.b64decode(encoded), "png")
        picture.add_header("Content-ID", f"<{name}>")
        picture.add_header("Content-Disposition", "inline", filename=f"{name}.png")
        mail.attach(picture)
    return mail


def _close(connection: BaseEmailBackend) -> None:
    """Whatever happens while hanging up changes nothing about the message."""
    try:
        connection.close()
    except (OSError, smtplib.SMTPException):
        return


def _words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_decoded(error.smtp_error)}"
    return str(error) or type(error).__name__


def _decoded(text: bytes | str) -> str:
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else text
