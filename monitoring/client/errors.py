"""Everything that can go wrong when asking a Deployments API.

DeploymentsError
├── SourceError          the source as a whole: leave it alone for a while
│   ├── Unreachable          no connection, no answer in time, connection lost
│   ├── Overloaded           429 or 503 that told how long to wait (or did not)
│   ├── Broken               another 5xx
│   ├── Unauthorised         401: the token is not taken
│   └── AddressRefused       our own rule about addresses; nothing was sent
└── AnswerError          this question only: the others may be fine
    ├── Refused              403, 404, 405, 409, 422, 501 …: not here, not for us, or not this way
    ├── Malformed            not JSON, cut off, or of another shape than the reference says
    ├── TooLarge             a body beyond the limit; the rest of it was not read
    └── Astray               a redirect, or a Location on another origin: not followed, the token stays here
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta


class DeploymentsError(Exception):
    """Base of all errors of the client; the text is fit for people and holds no secret."""


class SourceError(DeploymentsError):
    """The source as a whole."""


class Unreachable(SourceError):
    """No connection, no answer in time, or the connection was lost."""


class Overloaded(SourceError):
    """The source asks to wait; `wait` is what its Retry-After says, None if it does not say."""

    def __init__(self, message: str, wait: timedelta | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class Broken(SourceError):
    """The source failed by itself (5xx)."""


class Unauthorised(SourceError):
    """The source does not take the token."""


class AddressRefused(SourceError):
    """The address may not be called from here."""


class AnswerError(DeploymentsError):
    """One question; the others may be fine."""


class Refused(AnswerError):
    """The source says no; `status` is its HTTP status, `fields` what is wrong by its place in the body."""

    def __init__(self, message: str, status: int, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.fields = dict(fields or {})


class Malformed(AnswerError):
    """The answer cannot be read."""


class TooLarge(AnswerError):
    """The answer is longer than the limit."""


class Astray(AnswerError):
    """The answer points elsewhere; it was not followed."""
