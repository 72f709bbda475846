"""What somebody saw when a form was shown, signed into the form.

A change is only carried out while that still stands at the source. Read when the form comes back instead, it would be
whatever others have written meanwhile, and two people who have the form open would overwrite each other silently.
"""

from __future__ import annotations

from typing import Any

from django.core import signing

#: The hidden field.
NAME = "seen"
NOT_TOLD = (
    "The form came back without what it had shown you, so nothing was sent. Look at what stands here now and decide "
    "again."
)
_SALT = "vitals.act"


class NotSeen(ValueError):
    """The field is missing, forged, or that of a form about something else."""


def sealed(values: Any, *about: str | int) -> str:
    """The content of the field. `about`: what kind of form it is, and of which thing."""
    return signing.dumps([list(about), values], salt=_SALT, compress=True)


def opened(text: str, *about: str | int) -> Any:
    """The values that a form about this showed. Raises NotSeen."""
    try:
        found = signing.loads(text, salt=_SALT)
    except (signing.BadSignature, ValueError):
        raise NotSeen(NOT_TOLD) from None
    if not isinstance(found, list) or len(found) != 2 or found[0] != list(about):
        raise NotSeen(NOT_TOLD)
    return found[1]
