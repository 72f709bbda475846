"""Errors of the embedded servers: each message is one sentence for the person at the keyboard."""


class EmbeddedError(Exception):
    """The embedded servers cannot be used; the message says what to do."""
