"""A deployment of the real service, and the watcher's source that looks at it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User

from deployments.api.authentication import digest
from deployments.models import ApiToken
from monitoring import sources
from monitoring.models import Source, Team
from tests.contract.in_process import InProcess


@pytest.fixture
def user(transactional_db: None) -> User:
    return User.objects.create_user("ines", "ines@example.org", "pw")


@pytest.fixture
def token(user: User) -> str:
    value = secrets.token_urlsafe(32)
    ApiToken.objects.create(user=user, name="watcher", digest=digest(value), prefix=value[:8])
    return value


@pytest.fixture
def api(transactional_db: None) -> Iterator[InProcess]:
    running = InProcess()
    yield running
    running.stop()


@pytest.fixture
def source(user: User, token: str) -> Source:
    team = Team.objects.create(name="Risk")
    return sources.add(team, name="own", base_url="http://127.0.0.1/api/v2", token=token, user=user, built_in=True)
