"""Who may do what with a deployment: every view states the role each of its methods needs.

Whoever has no role does not learn that the deployment exists (404); a role that is too weak is told so (403).
"""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import QuerySet
from django.http import Http404
from rest_framework.exceptions import PermissionDenied

from deployments.models import Deployment, DeploymentRole, Role

STRENGTH: Mapping[str, int] = {Role.CONSUMER: 1, Role.USER: 2, Role.OWNER: 3}

Roles = Mapping[str, Role]


def visible(user: User | AnonymousUser) -> QuerySet[Deployment]:
    """The deployments that a person may see: those with a role for them, all for an administrator, none deleted."""
    alive = Deployment.objects.filter(deleted_at=None)
    if user.is_superuser:
        return alive
    return alive.filter(pk__in=DeploymentRole.objects.filter(user__pk=user.pk or 0).values("deployment_id"))


def role_of(user: User | AnonymousUser, deployment: Deployment) -> Role | None:
    """The person's role; None without one."""
    if user.is_superuser:
        return Role.OWNER
    found = (
        DeploymentRole.objects.filter(deployment=deployment, user__pk=user.pk or 0)
        .values_list("role", flat=True)
        .first()
    )
    return None if found is None else Role(found)


def allows(role: Role, needed: Role) -> bool:
    """Whether a role is at least as strong as the one that is needed."""
    return STRENGTH[role] >= STRENGTH[needed]


def enter(user: User | AnonymousUser, public_id: str, needed: Role | None) -> tuple[Deployment, Role]:
    """The deployment and the person's role in it; 404 or 403 as the module says."""
    deployment = (
        Deployment.objects.select_related("champion", "champion__package")
        .filter(public_id=public_id, deleted_at=None)
        .first()
    )
    role = None if deployment is None else role_of(user, deployment)
    if deployment is None or role is None:
        raise Http404
    if needed is not None and not allows(role, needed):
        raise PermissionDenied(f"This needs the role {needed}; yours is {role}.")
    return deployment, role
