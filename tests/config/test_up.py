"""`manage.py up`, for real: one tree of processes that starts, repairs itself, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from config import roles

ROOT = Path(__file__).resolve().parents[2]
# Seconds; generous, because a test machine may be busy. What is usual stands in docs/operations.md.
PATIENCE = 180


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.1)


@dataclass
class Up:
    """A running `manage.py up` on a data folder of its own, and what it said so far."""

    data: Path
    port: int
    arguments: tuple[str, ...] = ()
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        argv = [sys.executable, "manage.py", "up", "--port", str(self.port), "--web-workers", "1", "--workers", "1"]
        self.process = subprocess.Popen(
            [*argv, *self.arguments],
            cwd=ROOT,
            env=environment(self.data),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        )
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(line.rstrip() for line in self.process.stdout)

    def said(self, text: str) -> bool:
        return any(text in line for line in self.lines)

    def processes(self) -> dict[int, str]:
        """Everything that runs on this data folder, grandchildren and the servers' account included."""
        mark = f"VITALS_DATA={self.data}".encode()
        found = {}
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                command = entry.joinpath("cmdline").read_bytes()
                ours = mark in entry.joinpath("environ").read_bytes().split(b"\0") or os.fsencode(self.data) in command
            except OSError:
                continue
            if ours and command:
                found[int(entry.name)] = command.replace(b"\0", b" ").decode(errors="replace")
        return found

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for pid in self.processes():  # nothing, unless a test failed
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()


def environment(data: Path, **changes: str) -> dict[str, str]:
    """As a newcomer has it: nothing set but the data folder."""
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "XDG_DATA_HOME"}}
    return {**kept, "VITALS_DATA": str(data), "PYTHONUTF8": "1", **changes}


def manage(data: Path, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment(data, **changes),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


@pytest.fixture
def data() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="vitals-up-", dir="/tmp"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def test_it_starts_repairs_itself_and_stops_without_a_trace(data: Path) -> None:
    up = Up(data, free_port())
    try:
        wait_until(lambda: up.said(f"Vitals answers at http://127.0.0.1:{up.port}"), "the start")
        with urllib.request.urlopen(f"http://127.0.0.1:{up.port}/healthz") as response:
            assert json.load(response)["healthy"] is True
        assert_an_empty_installation_tells_its_code(up)
        add_own_source(up)
        assert_each_role_is_healthy(up)
        assert_others_borrow_or_keep_away(up)
        assert_a_killed_role_comes_back(up, "celery", "poller")
        assert_a_killed_role_comes_back(up, "granian", "web")
        up.process.send_signal(signal.SIGTERM)
        assert up.process.wait(PATIENCE) == 0
        wait_until(lambda: not up.processes(), f"the end of {up.processes()}", 30)
        assert not (data / "up.json").exists()
        assert list((data / "run").iterdir()) == []
    except AssertionError as error:
        error.add_note("\n".join(up.lines[-60:]))
        raise
    finally:
        up.end()
    assert_a_killed_tree_leaves_nothing(data)


def assert_an_empty_installation_tells_its_code(up: Up) -> None:
    """On the console and in a file that only its owner reads."""
    file = up.data / "setup-code"
    wait_until(lambda: up.said("Nobody has an account yet"), "the code")
    assert file.stat().st_mode & 0o777 == 0o600
    assert up.said(f"http://127.0.0.1:{up.port}/setup/ and enter the code {file.read_text().strip()}")


def add_own_source(up: Up) -> None:
    """A person, a team and this installation as its source, at the port of this start."""
    code = f"""
from monitoring import setup
from django.contrib.auth.models import User
user = User.objects.create_superuser("ada")
team = setup.found_team(user, "Own")
print(setup.built_in(team, user, token="t", api_url="http://127.0.0.1:{up.port}/api/v2"))
"""
    made = manage(up.data, "shell", "-v0", "-c", code)
    assert made.stdout == "This installation\n", made.stderr


def assert_each_role_is_healthy(up: Up) -> None:
    for role in ("worker", "poller", "beat"):
        wait_until(lambda: manage(up.data, "healthcheck", "--role", role).returncode == 0, role)  # noqa: B023


def assert_others_borrow_or_keep_away(up: Up) -> None:
    one_off = manage(
        up.data, "shell", "-v0", "-c", "from django.db import connection as c; c.ensure_connection(); print(7)"
    )
    assert one_off.stdout == "7\n", one_off.stderr
    second = manage(up.data, "up", "--port", str(free_port()))
    assert second.returncode == 1
    assert second.stderr.count("\n") == 1
    assert f"Vitals already runs at http://127.0.0.1:{up.port} on the data folder {up.data}" in second.stderr
    rotated = manage(up.data, "rotate_keys")
    assert rotated.returncode == 1
    assert "stop it first" in rotated.stderr


def assert_a_killed_role_comes_back(up: Up, program: str, role: str) -> None:
    found = [pid for pid, command in up.processes().items() if program in command and is_leader(pid)]
    before = [pid for pid in found if role in up.processes()[pid] or role == "web"]
    assert len(before) == 1, up.processes()
    os.kill(before[0], signal.SIGKILL)
    wait_until(lambda: up.said(f"{role} ended (SIGKILL); starting it again in 1 s"), f"word of {role}'s end", 10)
    if role == "web":
        wait_until(lambda: roles.answers(f"http://127.0.0.1:{up.port}/healthz"), "web again")
    else:
        wait_until(lambda: manage(up.data, "healthcheck", "--role", role).returncode == 0, f"{role} again")


def is_leader(pid: int) -> bool:
    """Whether it is a child of ours and not one of its own processes."""
    return os.getpgid(pid) == pid


def assert_a_killed_tree_leaves_nothing(data: Path) -> None:
    """A second start, made quiet and with a command to run; then `kill -9`."""
    up = Up(data, free_port(), ("--quiet", "--run", "check"))
    try:
        wait_until(lambda: up.said("System check identified"), "the command")
        assert not up.said("postgres")
        log = (data / "log" / "up.log").read_text()
        assert "postgres" in log
        assert f"the built-in source is asked at http://127.0.0.1:{up.port} from now on" in log or up.said(
            f"the built-in source is asked at http://127.0.0.1:{up.port} from now on"
        )
        assert not up.said("Nobody has an account yet")
        assert up.process.poll() is None
        up.process.kill()
        up.process.wait()
        wait_until(lambda: not up.processes(), f"the end of {up.processes()}", 20)
    finally:
        up.end()


def test_a_taken_port_is_one_sentence_that_names_another(data: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = int(taken.getsockname()[1])
        refused = manage(data, "up", "--port", str(port))
    assert refused.returncode == 1
    assert f"make demo PORT={port + 1}" in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_a_port_that_no_machine_has_is_one_sentence(data: Path) -> None:
    refused = manage(data, "up", "--port", "99999")
    assert refused.returncode == 1
    assert refused.stderr.startswith(
        "vitals: Port 99999 on 127.0.0.1 cannot be used (ports end at 65535): choose another"
    )
    assert "make demo PORT=8000" in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_every_role_runs_alone_as_in_a_container(data: Path) -> None:
    """The command lines and health checks of docker-compose.yml, against a database and a Redis named by address."""
    port = free_port()
    named = {
        "DATABASE_URL": os.environ["DATABASE_URL"],
        "REDIS_URL": os.environ["REDIS_URL"],
        "VITALS_FERNET_KEYS": "Zm9yIHRlc3RzIG9ubHksIG5ldmVyIHVzZWQgaGVyZSE=",
        "VITALS_LOCAL_URL": roles.local_url("127.0.0.1", port),
    }
    refused = manage(data, "role", "prepare", **named)
    assert "VITALS_SECRET_KEY must be set when DATABASE_URL is set" in refused.stderr
    named["VITALS_SECRET_KEY"] = "for-tests-only"
    # When the image is built there is no database yet; what is collected then is not collected again.
    built = manage(data, "static_files", **named | {"DATABASE_URL": "postgresql://nowhere.invalid/none"})
    assert built.stdout == "collecting static files\n", built.stderr
    prepared = manage(data, "role", "prepare", **named)
    assert prepared.returncode == 0, prepared.stderr
    assert "collecting" not in prepared.stdout
    assert not (data / "database").exists()
    running = [start_role(data, role, port, named) for role in ("web", "worker", "poller", "beat")]
    try:
        for role in ("web", "worker", "poller", "beat"):
            wait_until(lambda: manage(data, "healthcheck", "--role", role, **named).returncode == 0, role)  # noqa: B023
    except AssertionError as error:
        error.add_note("\n".join(log.read_text() for log in data.glob("*.log")))
        raise
    finally:
        for process in running:
            process.terminate()
        statuses = [process.wait(30) for process in running]
    assert statuses == [0, 0, 0, 0]
    down = manage(data, "healthcheck", "--role", "web", **named)
    assert down.returncode == 1
    assert "does not answer 200" in down.stderr


def start_role(data: Path, role: str, port: int, named: dict[str, str]) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "manage.py", "role", role]
    argv += ["--port", str(port)] if role == "web" else []
    env = environment(data, WEB_WORKERS="1", WORKER_CONCURRENCY="1", **named)
    with (data / f"{role}.log").open("wb") as log:
        return subprocess.Popen(argv, cwd=ROOT, env=env, stdout=log, stderr=subprocess.STDOUT)
