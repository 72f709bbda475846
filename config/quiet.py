"""Keeps what opens something out of the log: a line about a request names its path without the token in it."""

from __future__ import annotations

import logging
import re

#: Addresses whose next part is the key: buttons of mails, invitations, shared pages, badges, new passwords.
_KEYS = re.compile(r"(/(?:act|join|unsubscribe|s|badge|account/password/reset/key)/)[^/\s\"'<>?]+")


def blanked(text: str) -> str:
    """The text with `…` in place of every such key."""
    return _KEYS.sub(r"\1…", text)


class Quiet(logging.Filter):
    """On the handler, so that it sees the lines of every logger; a traceback is text by then and is blanked, too."""

    def filter(self, record: logging.LogRecord) -> bool:
        said = record.getMessage()
        quiet = blanked(said)
        if quiet != said:
            record.msg, record.args = quiet, ()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = blanked(record.exc_text)
        return True
