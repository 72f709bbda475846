"""The first run: a code that only who runs the installation can read, and the person that it makes."""

from __future__ import annotations

import secrets
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from monitoring import sources
from monitoring.audit import note
from monitoring.models import AuditAction, Membership, Role, SetupCode, Source, Team

ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
"""Without the letters and digits that are taken for one another. Five groups of four: 98 bits."""
GROUPS, LENGTH = 5, 4
OWN_SOURCE = "This installation"


class SetupRefused(Exception):
    """The installation is not to be claimed, or not with this code; the text is for the person."""


def is_empty() -> bool:
    """Whether nobody has an account here yet."""
    return not get_user_model().objects.exists()


def code() -> str | None:
    """The code of this installation, made on first use; None once somebody has an account."""
    if not is_empty():
        SetupCode.objects.all().delete()
        return None
    made = "-".join("".join(secrets.choice(ALPHABET) for _ in range(LENGTH)) for _ in range(GROUPS))
    row, _ = SetupCode.objects.get_or_create(single=True, defaults={"code": made})
    return row.code


def claim(given: str, *, username: str, email: str, password: str, request: HttpRequest | None = None) -> Any:
    """The first person, an administrator. Raises SetupRefused for a wrong code or where somebody was quicker.

    The row of the code is held until the person is stored, so of two claims at once the second finds it gone.
    """
    with transaction.atomic():
        row = SetupCode.objects.select_for_update().first()
        if row is None or not is_empty():
            raise SetupRefused("Somebody has an account here already: log in, or ask them to invite you.")
        if not constant_time_compare(_plain(given), _plain(row.code)):
            raise SetupRefused("This is not the code. It is printed where Vitals was started.")
        user = get_user_model().objects.create_superuser(username, email, password)
        row.delete()
        note(AuditAction.SETUP, user, request=request)
    return user


def found_team(user: Any, name: str, *, request: HttpRequest | None = None) -> Team:
    """A team with `user` as its owner. The name must be free."""
    with transaction.atomic():
        team = Team.objects.create(name=name.strip())
        Membership.objects.create(team=team, user=user, role=Role.OWNER)
        note(AuditAction.TEAM_CREATED, user, team=team, about=team.name, request=request)
    return team


def follow(api_url: str) -> int:
    """Points the built-in sources at where this installation answers now; returns how many had to move."""
    moved = Source.objects.filter(built_in=True).exclude(base_url=api_url)
    return moved.update(base_url=api_url, failures=0, open_until=None)


def built_in(team: Team, user: Any, *, token: str, api_url: str) -> Source:
    """This installation's own service as a source of the team."""
    return sources.add(team, name=OWN_SOURCE, base_url=api_url, token=token, user=user, built_in=True)


def _plain(text: str) -> str:
    """Capitals without what people put between them."""
    return "".join(letter for letter in text.upper() if letter.isalnum())
