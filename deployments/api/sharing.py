"""`sharedRoles/`: who has which role in a deployment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from django.contrib.auth.models import User
from django.db.models import Model, Q, QuerySet
from msgspec import Meta, Struct
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from deployments import sharing
from deployments.api import params
from deployments.api.deployments import caller
from deployments.api.errors import Conflict, ValidationFailed
from deployments.api.examples import page_of
from deployments.api.openapi import describes
from deployments.api.pagination import Window, page_of_queryset
from deployments.api.views import DeploymentView
from deployments.models import DeploymentRole, Organisation, Role
from deployments.sharing import ALIASES, NO_ROLE, Grant, Holder, Recipient

KINDS = tuple(Recipient)
Text = Annotated[str, Meta(min_length=1, max_length=200)]
SHARED = {
    "id": "000000000000000000000001",
    "name": "ada",
    "role": "OWNER",
    "shareRecipientType": "user",
    "canShare": True,
}


class RoleSpec(Struct, rename="camel"):
    """A role for somebody, who is named by `id`, or by `username` (a person) or `name` (a group, an organisation)."""

    role: str
    share_recipient_type: Recipient = Recipient.USER
    id: Text | None = None
    username: Text | None = None
    name: Text | None = None
    can_share: bool | None = None


class RolesUpdate(Struct, rename="camel"):
    """The roles to set; others stay."""

    roles: Annotated[list[RoleSpec], Meta(min_length=1, max_length=100)]
    operation: Literal["updateRoles"] = "updateRoles"


@dataclass(frozen=True, kw_only=True)
class SharedRolesQuery(params.Query):
    """Which roles."""

    offset: int = params.whole("offset", default=0, help="Roles to skip.")
    limit: int = params.whole("limit", default=100, minimum=1, maximum=1000, help="Roles to return.")
    id: str | None = params.text("id", help="Only of the user, group or organisation with this id.")
    name: str | None = params.text("name", help="Only of the user, group or organisation with this name.")
    kind: str | None = params.choice("shareRecipientType", KINDS, help="Only of users, groups or organisations.")

    def problems(self) -> dict[str, str]:
        found = super().problems()
        if self.id is not None and self.name is not None:
            found["name"] = "Name the recipient by id or by name, not by both."
        return found


class SharedRolesView(DeploymentView):
    """The roles in a deployment."""

    roles = {"GET": Role.CONSUMER, "PATCH": Role.OWNER}

    @describes("List who has access to the deployment and their roles.", query=SharedRolesQuery, answer=page_of(SHARED))
    def get(self, request: Request, deployment_id: str) -> Response:
        query = self.read(SharedRolesQuery)
        rows = DeploymentRole.objects.filter(deployment=self.deployment)
        rows = rows.filter(_matching(query)).select_related("user", "group", "organisation").order_by("pk")
        return Response(page_of_queryset(request, rows, Window(query.offset, query.limit), shown))

    @describes(
        "Set roles of users, groups and organisations.",
        body=RolesUpdate,
        status=204,
        errors=(401, 403, 404, 409, 422),
    )
    def patch(self, request: Request, deployment_id: str) -> Response:
        user = caller(request)
        grants = read_grants(self.body(RolesUpdate).roles, user)
        try:
            sharing.update(self.deployment, grants, user)
        except sharing.MayNotShare as problem:
            raise PermissionDenied(str(problem)) from None
        except sharing.NoOwner as problem:
            raise Conflict(str(problem)) from None
        return Response(status=204)


def _matching(query: SharedRolesQuery) -> Q:
    found = Q()
    if query.kind is not None:
        found &= Q(**{f"{sharing.FIELD[Recipient(query.kind)]}__isnull": False})
    if query.name is not None:
        found &= Q(user__username=query.name) | Q(group__name=query.name) | Q(organisation__name=query.name)
    if query.id is not None:
        key = _key(query.id)
        found &= Q(user=key) | Q(group=key) | Q(organisation__public_id=query.id)
    return found


def shown(rows: Sequence[DeploymentRole]) -> list[dict[str, Any]]:
    """Roles as JSON."""
    return [
        {
            "id": _public_id(holder),
            "name": holder.get_username() if isinstance(holder, User) else holder.name,
            "role": row.role,
            "shareRecipientType": kind.value,
            "canShare": row.role == Role.OWNER and row.can_share,
        }
        for row in rows
        for kind, holder in (
            (Recipient.USER, row.user),
            (Recipient.GROUP, row.group),
            (Recipient.ORGANISATION, row.organisation),
        )
        if holder is not None
    ]


def read_grants(specs: Sequence[RoleSpec], user: User) -> list[Grant]:
    """The roles to give; 422 that names every wrong place."""
    errors: dict[str, str] = {}
    grants: list[Grant] = []
    for number, spec in enumerate(specs):
        place = f"roles[{number}]"
        holder = _holder(spec, place, user, errors)
        if spec.role not in ALIASES and spec.role != NO_ROLE:
            errors[f"{place}.role"] = f"Must be one of: {', '.join((*ALIASES, NO_ROLE))}."
        role = ALIASES.get(spec.role)
        if spec.can_share and role is not Role.OWNER:
            errors[f"{place}.canShare"] = "Only owners can share."
        if holder is not None and any(grant.holder == holder for grant in grants):
            errors[place] = "The same recipient is there twice."
        if holder is not None:
            grants.append(Grant(holder, role, spec.can_share is not False))
    if errors:
        raise ValidationFailed(errors)
    return grants


def _holder(spec: RoleSpec, place: str, user: User, errors: dict[str, str]) -> Holder | None:
    field, known = _named(spec.share_recipient_type, user)
    by_name = spec.username if spec.share_recipient_type is Recipient.USER else spec.name
    wrong = "name" if spec.share_recipient_type is Recipient.USER else "username"
    if getattr(spec, wrong) is not None:
        errors[f"{place}.{wrong}"] = f"A {spec.share_recipient_type} is named by {field} or by id."
        return None
    if (spec.id is None) == (by_name is None):
        errors[f"{place}.{field}"] = f"Name the recipient by {field} or by id, one of the two."
        return None
    found = known(spec.id, by_name).first()
    if found is None:
        errors[f"{place}.{field if spec.id is None else 'id'}"] = f"There is no such {spec.share_recipient_type}."
    return found


Lookup = Callable[[str | None, str | None], QuerySet[Any]]


def _named(kind: Recipient, user: User) -> tuple[str, Lookup]:
    """What names recipients of a kind, and how they are looked up by id or name."""
    if kind is Recipient.USER:
        people = User.objects.filter(is_active=True)
        return (
            "username",
            lambda key, name: (
                people.filter(pk=_key(key)) if name is None else people.filter(Q(username=name) | Q(email__iexact=name))
            ),
        )
    if kind is Recipient.GROUP:
        groups = sharing.reachable_groups(user)
        return "name", lambda key, name: groups.filter(pk=_key(key)) if name is None else groups.filter(name=name)
    organisations = sharing.reachable_organisations(user)
    return (
        "name",
        lambda key, name: organisations.filter(public_id=key) if name is None else organisations.filter(name=name),
    )


def _key(public_id: str | None) -> int:
    """The key behind the public id of a person or a group; 0, which nobody has, for anything else."""
    if public_id is None or not params.is_id(public_id):
        return 0
    key = int(public_id, 16)
    return key if key < 2**31 else 0


def _public_id(holder: Model) -> str:
    return holder.public_id if isinstance(holder, Organisation) else f"{holder.pk:024x}"
