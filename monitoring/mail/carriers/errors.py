"""How a send can end other than well.

DeliveryError
├── Refused     for good: the far side will never take it, or may not be called
├── NotSent     nothing was taken: try again later, not before `wait` if the far side said so
└── InDoubt     handed over, but the answer was never seen: it may have arrived
"""

from __future__ import annotations

from datetime import timedelta


class DeliveryError(Exception):
    """Base; the text is fit for people and holds no secret."""


class Refused(DeliveryError):
    """The far side will never take it."""


class NotSent(DeliveryError):
    """Nothing was taken; not `reached`: there was no connection at all."""

    def __init__(self, message: str, wait: timedelta | None = None, *, reached: bool = True) -> None:
        super().__init__(message)
        self.wait, self.reached = wait, reached


class InDoubt(DeliveryError):
    """It may have arrived."""


#: Answers that mean "later": the far side is busy or in trouble.
LATER = frozenset({408, 425, 429})


def by_status(status: int, what: str, wait: timedelta | None = None) -> DeliveryError | None:
    """What an HTTP answer means; None for a good one. Redirects are never followed, so they refuse."""
    if 200 <= status < 300:
        return None
    if status in LATER or status >= 500:
        return NotSent(f"{what} answered {status}; it is tried again.", wait)
    return Refused(f"{what} refused it with {status}.")
