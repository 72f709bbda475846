"""Roles of people, groups and organisations: who may do what, and that a deployment always has an owner."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from deployments import registry, sharing
from deployments.api.authentication import issue
from deployments.api.permissions import role_of, visible
from deployments.models import AuditEntry, Deployment, DeploymentRole, Organisation, Role
from deployments.sharing import ALIASES, STRENGTH, Grant, NoOwner
from tests.deployments.factories import make_package, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> User:
    return make_user(username="ada")


@pytest.fixture
def deployment(owner: User) -> Deployment:
    return registry.create_deployment(make_package(), "Shared", owner)


def client_of(user: User) -> APIClient:
    return APIClient(headers={"Authorization": f"Bearer {issue(user, 'test')}"})


def path(deployment: Deployment) -> str:
    return f"/api/v2/deployments/{deployment.public_id}/sharedRoles/"


def patch(user: User, deployment: Deployment, *roles: dict[str, Any]) -> Any:
    return client_of(user).patch(path(deployment), {"operation": "updateRoles", "roles": list(roles)})


def group_of(*members: User, name: str = "Analysts") -> Group:
    group = Group.objects.create(name=name)
    group.user_set.add(*members)
    return group


def organisation_of(*members: User, name: str = "Acme") -> Organisation:
    organisation = Organisation.objects.create(name=name)
    organisation.members.add(*members)
    return organisation


@pytest.mark.parametrize(("name", "role"), list(ALIASES.items()))
def test_every_name_of_a_role_is_taken_and_shown_as_one_of_three(
    deployment: Deployment, owner: User, name: str, role: Role
) -> None:
    grace = make_user(username="grace")
    assert patch(owner, deployment, {"role": name, "username": "grace"}).status_code == 204
    assert role_of(grace, deployment) == role
    found = client_of(owner).get(path(deployment), {"name": "grace"}).json()["data"]
    assert found == [
        {
            "id": f"{grace.pk:024x}",
            "name": "grace",
            "role": role.value,
            "shareRecipientType": "user",
            "canShare": role is Role.OWNER,
        }
    ]


def test_a_role_is_taken_away_by_no_role(deployment: Deployment, owner: User) -> None:
    grace = make_user()
    sharing.update(deployment, [Grant(grace, Role.USER)], owner)
    assert patch(owner, deployment, {"role": "NO_ROLE", "id": f"{grace.pk:024x}"}).status_code == 204
    assert client_of(grace).get(f"/api/v2/deployments/{deployment.public_id}/").status_code == 404


def test_members_of_a_group_and_of_an_organisation_have_its_role(deployment: Deployment, owner: User) -> None:
    grace, joan, stranger = make_user(), make_user(), make_user()
    group_of(owner, grace)
    organisation = organisation_of(owner, joan)
    answer = patch(
        *(owner, deployment),
        {"role": "USER", "shareRecipientType": "group", "name": "Analysts"},
        {"role": "CONSUMER", "shareRecipientType": "organization", "id": organisation.public_id},
    )
    assert answer.status_code == 204
    assert [role_of(user, deployment) for user in (grace, joan, stranger)] == [Role.USER, Role.CONSUMER, None]
    assert [visible(user).count() for user in (grace, joan, stranger)] == [1, 1, 0]
    listed = client_of(grace).get("/api/v2/deployments/").json()["data"]
    assert "CAN_MAKE_PREDICTIONS" in listed[0]["permissions"]
    organisation.members.remove(joan)
    assert role_of(joan, deployment) is None


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.tuples(*[st.sampled_from([None, *Role])] * 3))
def test_of_several_roles_the_strongest_counts(deployment: Deployment, held: tuple[Role | None, ...]) -> None:
    with transaction.atomic():
        grace = make_user()
        holders = [grace, group_of(grace), organisation_of(grace)]
        for field, holder, role in zip(("user", "group", "organisation"), holders, held, strict=True):
            if role is not None:
                DeploymentRole.objects.create(deployment=deployment, role=role, **{field: holder})
        expected = max((role for role in held if role is not None), key=lambda role: STRENGTH[role], default=None)
        assert role_of(grace, deployment) == expected
        listed = client_of(grace).get("/api/v2/deployments/", {"role": "OWNER"}).json()["totalCount"]
        assert listed == (expected is Role.OWNER)
        users = client_of(grace).get("/api/v2/deployments/", {"role": "USER"}).json()["totalCount"]
        assert users == (expected is Role.USER)
        transaction.set_rollback(True)


def test_the_last_owner_cannot_be_taken_away(deployment: Deployment, owner: User) -> None:
    for role in ("NO_ROLE", "USER"):
        answer = patch(owner, deployment, {"role": role, "username": "ada"})
        assert (answer.status_code, "without an owner" in answer.json()["message"]) == (409, True)
    assert role_of(owner, deployment) == Role.OWNER
    empty, retired = group_of(), make_user(is_active=False)
    take = Grant(owner, None)
    for useless in (Grant(empty, Role.OWNER), Grant(retired, Role.OWNER)):
        with pytest.raises(NoOwner):
            sharing.update(deployment, [useless, take], owner)
    empty.user_set.add(make_user())
    sharing.update(deployment, [Grant(empty, Role.OWNER), take], owner)
    assert role_of(owner, deployment) is None


def test_nothing_is_changed_when_one_of_several_roles_is_refused(deployment: Deployment, owner: User) -> None:
    make_user(username="grace")
    answer = patch(
        *(owner, deployment), {"role": "OWNER", "username": "grace"}, {"role": "OWNER", "username": "nobody"}
    )
    assert set(answer.json()["errors"]) == {"roles[1].username"}
    assert DeploymentRole.objects.filter(deployment=deployment).count() == 1


def test_the_same_recipient_twice_is_refused(deployment: Deployment, owner: User) -> None:
    grace = make_user(username="grace", email="grace@example.org")
    again = {"role": "USER", "username": "grace@example.org"}
    answer = patch(owner, deployment, {"role": "OWNER", "id": f"{grace.pk:024x}"}, again)
    assert set(answer.json()["errors"]) == {"roles[1]"}


def test_an_owner_without_the_right_to_share_is_told_so(deployment: Deployment, owner: User) -> None:
    grace = make_user(username="grace")
    assert patch(owner, deployment, {"role": "OWNER", "username": "grace", "canShare": False}).status_code == 204
    assert patch(grace, deployment, {"role": "NO_ROLE", "username": "ada"}).status_code == 403
    assert role_of(owner, deployment) == Role.OWNER


def test_groups_that_one_is_not_in_cannot_be_found_out(deployment: Deployment, owner: User) -> None:
    group_of(make_user(), name="Secret")
    body = {"role": "USER", "shareRecipientType": "group", "name": "Secret"}
    assert set(patch(owner, deployment, body).json()["errors"]) == {"roles[0].name"}
    root = User.objects.create_superuser("root")
    assert patch(root, deployment, body).status_code == 204


def test_roles_are_listed_by_id_name_and_kind(deployment: Deployment, owner: User) -> None:
    group = group_of(owner)
    organisation = organisation_of(owner)
    sharing.update(deployment, [Grant(group, Role.USER), Grant(organisation, Role.CONSUMER)], owner)
    client = client_of(owner)

    def names(**query: str) -> list[str]:
        return [one["name"] for one in client.get(path(deployment), query).json()["data"]]

    assert names() == ["ada", "Analysts", "Acme"]
    assert names(shareRecipientType="group") == ["Analysts"]
    assert names(name="Acme") == ["Acme"]
    assert names(id=organisation.public_id) == ["Acme"]
    assert names(id=f"{group.pk:024x}", shareRecipientType="group") == ["Analysts"]
    assert names(id="none") == []
    assert names(offset="1", limit="1") == ["Analysts"]
    both = client.get(path(deployment), {"id": "a", "name": "b"})
    assert (both.status_code, set(both.json()["errors"])) == (422, {"name"})


def test_changes_of_roles_are_audited(deployment: Deployment, owner: User) -> None:
    make_user(username="grace")
    patch(owner, deployment, {"role": "USER", "username": "grace"})
    entry = AuditEntry.objects.get(action="sharedRoles.updated")
    assert (entry.user, entry.before, entry.after) == (owner, {}, {"user:grace": "USER"})


def test_owners_by_group_are_shown_in_a_bounded_number_of_queries(
    deployment: Deployment, owner: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    grace = make_user()
    sharing.update(deployment, [Grant(group_of(owner, grace), Role.OWNER)], owner)
    with django_assert_num_queries(2):
        found = list(sharing.owners([deployment.pk]))
    assert {user for _, user in found} == {owner, grace}
    shown = client_of(owner).get(f"/api/v2/deployments/{deployment.public_id}/").json()["owners"]
    assert shown["count"] == 2


def test_a_role_belongs_to_exactly_one(deployment: Deployment, owner: User) -> None:
    for holders in ({}, {"user": make_user(), "group": group_of()}):
        with pytest.raises(IntegrityError), transaction.atomic():
            DeploymentRole.objects.create(deployment=deployment, role=Role.USER, **holders)
