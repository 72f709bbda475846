"""The gate before the web process: shut while the database is being prepared, never shut for good."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from pytest_django.fixtures import Settings

from config.preparation import Gate, check_stores

ROOT = Path(__file__).resolve().parents[2]

HOLD = """
import sys
from pathlib import Path
from config.preparation import Gate

gate = Gate(Path(sys.argv[1]))
gate.close()
print("closed", flush=True)
sys.stdin.read()
"""


@pytest.mark.django_db
def test_stores_that_answer_pass() -> None:
    check_stores()


@pytest.mark.django_db
def test_an_old_postgresql_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connections["default"].__dict__, "pg_version", 150_004)
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL names PostgreSQL 15: it must be 16 or newer"):
        check_stores()


@pytest.mark.django_db
def test_a_redis_that_does_not_answer_is_named(settings: Settings, tmp_path: Path) -> None:
    settings.REDIS_URL = f"unix://{tmp_path}/none.sock"
    with pytest.raises(ImproperlyConfigured, match="The Redis of REDIS_URL does not answer: Error 2 connecting"):
        check_stores()


def test_a_database_that_does_not_answer_is_one_sentence(tmp_path: Path) -> None:
    env = {**os.environ, "DATABASE_URL": f"postgresql:///vitals?host={tmp_path}", "VITALS_DATA": str(tmp_path)}
    env |= {"VITALS_SECRET_KEY": "x", "VITALS_FERNET_KEYS": "Zm9yIHRlc3RzIG9ubHksIG5ldmVyIHVzZWQgaGVyZSE="}
    command = [sys.executable, "manage.py", "role", "prepare"]
    refused = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert refused.stderr.startswith("vitals: The database of DATABASE_URL does not answer: connection")
    assert refused.stderr.count("\n") == 1


def test_nobody_passes_before_it_is_opened(tmp_path: Path) -> None:
    passed: list[str] = []
    gate = Gate(tmp_path)
    gate.close()

    def pass_through() -> None:
        Gate(tmp_path).wait()
        passed.append("web")

    waiting = threading.Thread(target=pass_through)
    waiting.start()
    waiting.join(0.2)
    before = list(passed)
    gate.open()
    waiting.join()
    assert (before, passed) == ([], ["web"])


def test_an_open_gate_is_passed_by_many(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    gate.close()
    gate.open()
    for _ in range(3):
        Gate(tmp_path).wait()


def test_it_opens_when_who_closed_it_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "closed\n"
        other.kill()
        Gate(tmp_path).wait()
