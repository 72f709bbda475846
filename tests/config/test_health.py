"""`/healthz`: what it says when all is well, and which part it names when not."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from config import health

pytestmark = pytest.mark.django_db


def test_it_answers_200_when_every_part_works(client: Client) -> None:
    response = client.get("/healthz")
    assert response.status_code == 200
    assert response.json() == {"healthy": True, "database": "ok", "redis": "ok", "migrations": "ok"}
    assert response["Cache-Control"] == "no-store"


def test_it_is_answered_for_any_host_name(client: Client) -> None:
    assert client.get("/healthz", headers={"host": "10.0.0.7"}).status_code == 200
    assert client.get("/", headers={"host": "10.0.0.7"}).status_code == 400


def test_it_names_redis_when_redis_is_away(client: Client, settings: Settings) -> None:
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    response = client.get("/healthz")
    assert response.status_code == 503
    assert response.json()["redis"] == "does not answer"
    assert response.json()["database"] == "ok"


def test_it_says_how_many_migrations_are_missing(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import connection

    monkeypatch.setattr(health, "_applied", [])
    with connection.cursor() as cursor:
        cursor.execute("delete from django_migrations where app = 'sessions'")
    response = client.get("/healthz")
    assert response.status_code == 503
    assert response.json()["migrations"] == "1 to apply: run manage.py migrate"
