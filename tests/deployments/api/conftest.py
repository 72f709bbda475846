"""A client that speaks the API with a token, and deployments filled with real rows."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from deployments.api.authentication import issue
from deployments.models import Deployment, DeploymentRole, Role
from tests.deployments.factories import make_user

Call = Callable[[User], APIClient]


def client_of(user: User) -> APIClient:
    """A client with a token of this person."""
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {issue(user, 'test')}")
    return client


def member(deployment: Deployment, role: Role) -> APIClient:
    """A client of a new person with this role in the deployment."""
    user = make_user()
    DeploymentRole.objects.create(deployment=deployment, user=user, role=role)
    return client_of(user)


@pytest.fixture
def user(db: None) -> User:
    return make_user(username="ada", email="ada@example.org")


@pytest.fixture
def client(user: User) -> APIClient:
    return client_of(user)
