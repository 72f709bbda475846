"""The people and the source of the demo: one user, one team, one token, one address to watch."""

import secrets
from dataclasses import dataclass

from django.contrib.auth.models import User

from deployments.api.authentication import digest
from deployments.models import ApiToken
from monitoring.models import Membership, Role, Source, Team
from monitoring.reviews import records

USERNAME = "demo"
EMAIL = "demo@example.org"
TEAM = "Flights"
SOURCE = "This installation"
LABEL = "demo"
"""Name of the token."""
PREFIX = 8


@dataclass(frozen=True)
class Account:
    """What a person needs to look in; `token` and `password` are readable only when they were just made."""

    username: str
    password: str
    token: str


def make_account() -> Account:
    """The demo's user with a new password and a new token; older ones stop working."""
    password = secrets.token_urlsafe(9)
    user, _ = User.objects.get_or_create(username=USERNAME, defaults={"email": EMAIL, "is_staff": True})
    user.is_superuser = user.is_staff = True
    user.set_password(password)
    user.save()
    token = secrets.token_urlsafe(32)
    ApiToken.objects.filter(user=user, name=LABEL).delete()
    ApiToken.objects.create(user=user, name=LABEL, digest=digest(token), prefix=token[:PREFIX])
    return Account(USERNAME, password, token)


def watch(api_url: str, token: str) -> Source:
    """The team, its member and its source; an existing one gets the address and the token."""
    user = User.objects.get(username=USERNAME)
    team, _ = Team.objects.get_or_create(name=TEAM)
    Membership.objects.get_or_create(team=team, user=user, defaults={"role": Role.OWNER})
    source = Source.objects.filter(team=team, name=SOURCE).first() or Source(team=team, name=SOURCE, built_in=True)
    source.base_url, source.token, source.created_by = api_url, token, user
    source.failures, source.open_until = 0, None
    source.save()
    return source


def source() -> Source:
    """The demo's source: where its service is and with which token."""
    return Source.objects.get(team__name=TEAM, name=SOURCE)


def forget() -> None:
    """Take the user, the team and all that hangs on them away."""
    for team in Team.objects.filter(name=TEAM):
        records.erase(team.pk)
        team.delete()
    User.objects.filter(username=USERNAME).delete()
