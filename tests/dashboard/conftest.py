"""Fixtures of the pages' tests."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.dashboard import lens_source
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


@pytest.fixture
def lenses(db: None, client: Client) -> worlds.World:
    """A polled installation in which fairness, humility and custom metrics are watched; the owner is logged in."""
    world = worlds.build(deployments=lens_source.DEPLOYMENTS)
    client.force_login(world.owner)
    return world
