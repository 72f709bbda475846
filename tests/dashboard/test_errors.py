"""What is said while a store does not answer: that it does not, for how long, and not that a page is broken."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import redis
from django.db import OperationalError, connection
from django.db.backends.postgresql.base import DatabaseWrapper
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils import log

from dashboard.views.errors import server_error
from deployments.api.errors import handle

pytestmark = pytest.mark.django_db


def no_database(folder: Path) -> None:
    """Asks a server that is not there."""
    DatabaseWrapper({**connection.settings_dict, "HOST": str(folder)}, alias="away").ensure_connection()


def no_redis(folder: Path) -> None:
    redis.Redis(unix_socket_path=str(folder / "redis.sock")).ping()


def deadlock(folder: Path) -> None:
    """An error of the same family that is about one statement."""
    raise OperationalError("deadlock detected") from psycopg.errors.DeadlockDetected("deadlock detected")


def answered(failing: Callable[[Path], None], folder: Path) -> HttpResponse:
    """As Django answers: inside the handling of the exception."""
    try:
        failing(folder)
    except Exception:
        return server_error(RequestFactory().get("/incidents/"))
    raise AssertionError("It answered.")


@pytest.mark.parametrize(("failing", "store"), [(no_database, "The database"), (no_redis, "Redis")])
def test_a_page_says_which_store_does_not_answer_and_the_log_in_one_line(
    failing: Callable[[Path], None], store: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    page = answered(failing, tmp_path)
    assert (page.status_code, page["Retry-After"]) == (503, "5")
    assert f"{store} does not answer just now" in page.content.decode()
    log.log_response("Service Unavailable: %s", "/incidents/", response=page)
    lines = [(one.levelno, one.getMessage(), one.exc_info) for one in caplog.records]
    assert lines == [(logging.WARNING, f"{store} does not answer: GET /incidents/ could not be made.", None)]


def test_what_is_wrong_with_one_statement_stays_a_failure_of_ours(tmp_path: Path) -> None:
    page = answered(deadlock, tmp_path)
    assert page.status_code == 500
    assert "is in the log under this number" in page.content.decode()


@pytest.mark.parametrize(("failing", "status"), [(no_database, 503), (deadlock, 500)])
def test_the_api_asks_for_the_same_request_again_while_the_database_is_away(
    failing: Callable[[Path], None], status: int, tmp_path: Path
) -> None:
    with pytest.raises(OperationalError) as caught:
        failing(tmp_path)
    answer = handle(caught.value, {})
    assert (answer.status_code, answer.headers.get("Retry-After")) == (status, "5" if status == 503 else None)
    assert ("send the same request again" in answer.data["message"]) is (status == 503)
