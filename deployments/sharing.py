"""Who has which role in a deployment: people, groups (Django's) and organisations, and how roles are given.

A person's role is the strongest of their own and of those of their groups and organisations. The reference knows nine
names of roles; three are kept, the others are taken as the one that allows the same (`ALIASES`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.contrib.auth.models import AnonymousUser, Group, User
from django.db import transaction
from django.db.models import Q, QuerySet

from deployments import audit
from deployments.models import Deployment, DeploymentRole, Organisation, Role

STRENGTH: Mapping[str, int] = {Role.CONSUMER: 1, Role.USER: 2, Role.OWNER: 3}
NO_ROLE = "NO_ROLE"
ALIASES: Mapping[str, Role] = {
    **dict.fromkeys(("OWNER", "ADMIN"), Role.OWNER),
    **dict.fromkeys(("USER", "EDITOR", "READ_WRITE", "DATA_SCIENTIST"), Role.USER),
    **dict.fromkeys(("CONSUMER", "READ_ONLY", "OBSERVER"), Role.CONSUMER),
}
"""The reference's names of roles, and the role that each means here."""


class Recipient(StrEnum):
    """What a role is given to."""

    USER = "user"
    GROUP = "group"
    ORGANISATION = "organization"


Holder = User | Group | Organisation
FIELD: Mapping[Recipient, str] = {
    Recipient.USER: "user",
    Recipient.GROUP: "group",
    Recipient.ORGANISATION: "organisation",
}


class NoOwner(ValueError):
    """The change would leave a deployment without an owner who can log in."""


class MayNotShare(ValueError):
    """The person is an owner without the right to share."""


@dataclass(frozen=True)
class Grant:
    """A role for somebody; None takes the role away."""

    holder: Holder
    role: Role | None
    can_share: bool = True


def held_by(user: User | AnonymousUser) -> QuerySet[DeploymentRole]:
    """Every role that counts for a person."""
    key = user.pk or 0
    mine = Q(user_id=key) | Q(group__in=Group.objects.filter(user=key))
    return DeploymentRole.objects.filter(mine | Q(organisation__in=Organisation.objects.filter(members=key)))


def role_of(user: User | AnonymousUser, deployment: Deployment) -> Role | None:
    """The person's strongest role, an administrator's being OWNER; None without one."""
    if user.is_superuser:
        return Role.OWNER
    return strongest(held_by(user).filter(deployment=deployment).values_list("role", flat=True))


def strongest(roles: Iterable[str]) -> Role | None:
    """The strongest of some roles; None of none."""
    found = max(roles, key=lambda role: STRENGTH[role], default=None)
    return None if found is None else Role(found)


def stronger_than(role: Role) -> list[str]:
    """The roles that allow more."""
    return [name for name, strength in STRENGTH.items() if strength > STRENGTH[role]]


def owners(keys: Sequence[int]) -> Iterator[tuple[int, User]]:
    """Deployment key and owner, perhaps more than once; one query, and one each for groups and organisations."""
    rows = DeploymentRole.objects.filter(deployment__in=keys, role=Role.OWNER).select_related(
        "user", "group", "organisation"
    )
    rows = rows.prefetch_related("group__user_set", "organisation__members")
    for row in rows.order_by("pk"):
        for user in members(row):
            yield row.deployment_id, user


def members(row: DeploymentRole) -> list[User]:
    """The people who have this role."""
    if row.user is not None:
        return [row.user]
    found = row.group.user_set if row.group is not None else None
    if found is not None:
        return list(found.all())
    return [] if row.organisation is None else list(row.organisation.members.all())


def reachable_groups(user: User) -> QuerySet[Group]:
    """The groups that a person can share with: their own; an administrator's are all."""
    return Group.objects.all() if user.is_superuser else Group.objects.filter(user=user)


def reachable_organisations(user: User) -> QuerySet[Organisation]:
    """The organisations that a person can share with: their own; an administrator's are all."""
    return Organisation.objects.all() if user.is_superuser else Organisation.objects.filter(members=user)


@transaction.atomic
def update(deployment: Deployment, grants: Sequence[Grant], user: User) -> None:
    """Give and take roles, all or none. Raises MayNotShare, and NoOwner where nobody would be left to own it."""
    row = Deployment.objects.select_for_update(of=("self",)).get(pk=deployment.pk)
    if not may_share(row, user):
        raise MayNotShare("You are an owner without the right to share.")
    before = _as_words(row)
    for grant in grants:
        where: dict[str, Any] = {"deployment": row, _field(grant.holder): grant.holder}
        if grant.role is None:
            DeploymentRole.objects.filter(**where).delete()
        else:
            DeploymentRole.objects.update_or_create(
                **where, defaults={"role": grant.role, "can_share": grant.can_share}
            )
    if not any(found.is_active for _, found in owners([row.pk])):
        raise NoOwner("The request would leave the deployment without an owner.")
    audit.record(row, user, "sharedRoles.updated", before, _as_words(row))


def may_share(deployment: Deployment, user: User) -> bool:
    """Whether a person is an owner with the right to share."""
    if user.is_superuser:
        return True
    return held_by(user).filter(deployment=deployment, role=Role.OWNER, can_share=True).exists()


def _field(holder: Holder) -> str:
    if isinstance(holder, User):
        return "user"
    return "group" if isinstance(holder, Group) else "organisation"


def _as_words(deployment: Deployment) -> dict[str, str]:
    """All roles by a name that stays readable in the audit."""
    rows = DeploymentRole.objects.filter(deployment=deployment).select_related("user", "group", "organisation")
    return {
        f"{kind}:{holder}": row.role if row.can_share else f"{row.role} (may not share)"
        for row in rows
        for kind, holder in (("user", row.user), ("group", row.group), ("organization", row.organisation))
        if holder is not None
    }
