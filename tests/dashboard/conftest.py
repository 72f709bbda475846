"""Fixtures of the pages' tests."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.dashboard import world as worlds


@pytest.fixture
def world(db: None) -> worlds.World:
    """A polled installation."""
    return worlds.build()


@pytest.fixture
def inside(world: worlds.World, client: Client) -> Client:
    """A browser in which the owner is logged in."""
    client.force_login(world.owner)
    return client
