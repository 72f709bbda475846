"""Who may do what with a deployment: every view states the role each of its methods needs.

Whoever has no role does not learn that the deployment exists (404); a role that is too weak is told so (403).
"""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import QuerySet
from django.http import Http404
from rest_framework.exceptions import PermissionDenied

from deployments import sharing
from deployments.models import Deployment, Role
from deployments.sharing import STRENGTH

Roles = Mapping[str, Role]


def visible(user: User | AnonymousUser) -> QuerySet[Deployment]:
    """The deployments that a person may see: those with a role for them, all for an administrator, none deleted."""
    alive = Deployment.objects.filter(deleted_at=None)
    if user.is_superuser:
        return alive
    return alive.filter(pk__in=sharing.held_by(user).values("deployment_id"))


def role_of(user: User | AnonymousUser, deployment: Deployment) -> Role | None:
    """The person's strongest role, their own or that of a group or organisation of theirs; None without one."""
    return sharing.role_of(user, deployment)


def allows(role: Role, needed: Role) -> bool:
    """Whether a role is at least as strong as the one that is needed."""
    return STRENGTH[role] >= STRENGTH[needed]


def enter(user: User | AnonymousUser, public_id: str, needed: Role | None) -> tuple[Deployment, Role]:
    """The deployment and the person's role in it; 404 or 403 as the module says."""
    deployment = (
        Deployment.objects.select_related(
            "champion", "champion__package", "champion__package__scoring_code", "default_prediction_server"
        )
        .filter(public_id=public_id, deleted_at=None)
        .first()
    )
    role = None if deployment is None else role_of(user, deployment)
    if deployment is None or role is None:
        raise Http404
    if needed is not None and not allows(role, needed):
        raise PermissionDenied(f"This needs the role {needed}; yours is {role}.")
    return deployment, role
