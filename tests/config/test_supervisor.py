"""The supervisor with small children of its own: order, restarts, ends, and what a kill leaves behind."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from config import console, processes, supervisor
from config.console import Console
from config.processes import ProcessSpec
from config.supervisor import Role, Stage, Supervisor, pause_before_restart

ROOT = Path(__file__).resolve().parents[2]


def child(name: str, code: str, **changes: object) -> ProcessSpec:
    """A Python child that runs `code`."""
    return ProcessSpec(name, [sys.executable, "-u", "-c", textwrap.dedent(code)], **changes)  # type: ignore[arg-type]


SLEEPER = "import time; print('up'); time.sleep(60)"


def alive(pid: int) -> bool:
    """Whether that process runs; one that only waits to be collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


def run(*stages: Stage, quiet: bool = False) -> tuple[int, list[str]]:
    """Run stages and return the exit status and the lines said."""
    said = io.StringIO()
    status = Supervisor(Console(said, quiet=quiet)).run(stages)
    return status, said.getvalue().splitlines()


def stop_us() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def test_stages_wait_for_each_other_and_a_signal_ends_them() -> None:
    order: list[str] = []

    def ready_on_second_look() -> bool:
        order.append("asked")
        return len(order) > 1

    first = Role(child("first", SLEEPER, ready=ready_on_second_look))
    second = Role(child("second", SLEEPER))
    status, said = run(
        Stage([first], after=lambda: order.append("first is ready")),
        Stage(
            [second],
            before=lambda: order.append("before second"),
            meanwhile=lambda: order.append("second runs" if second.child else "second does not run"),
            after=stop_us,
        ),
    )
    assert status == 0
    assert order == ["asked", "asked", "first is ready", "before second", "second runs"]
    assert "vitals   | stopping (SIGTERM)" in said
    assert first.child is None
    assert second.child is None


def test_what_a_child_says_is_passed_on_under_its_name() -> None:
    code = "import sys; print('one'); print('two', file=sys.stderr); print(end='no end of line')"
    status, said = run(Stage([Role(child("load", code), once=True)], after=stop_us))
    assert status == 0
    assert said[:3] == ["load     | one", "load     | two", "load     | no end of line"]


def test_a_child_that_dies_is_said_and_started_again(tmp_path: Path) -> None:
    code = f"""
    import os, pathlib, time
    marks = pathlib.Path({str(tmp_path)!r})
    (marks / str(os.getpid())).touch()
    if len(list(marks.iterdir())) < 3:
        raise SystemExit(3)
    time.sleep(60)
    """
    role = Role(child("worker", code, ready=lambda: len(list(tmp_path.iterdir())) == 3))
    status, said = run(Stage([role], after=stop_us))
    assert status == 0
    assert [line for line in said if "ended" in line] == [
        "vitals   | worker ended (status 3); starting it again in 1 s",
        "vitals   | worker ended (status 3); starting it again in 2 s",
    ]


@pytest.mark.parametrize(("failures", "pause"), [(1, 1), (2, 2), (3, 4), (5, 16), (6, 30), (60, 30)])
def test_the_pause_before_a_restart_grows_to_half_a_minute(failures: int, pause: float) -> None:
    assert pause_before_restart(failures) == pause


def test_a_one_off_role_ends_and_the_rest_stays() -> None:
    once = Role(child("load", "print('loaded')"), once=True, bare=True)
    status, said = run(Stage([Role(child("web", SLEEPER))]), Stage([once], after=stop_us), quiet=True)
    assert status == 0
    assert said == ["loaded", "vitals   | stopping (SIGTERM)"]


def test_a_one_off_role_that_fails_stops_everything_with_its_status() -> None:
    web = Role(child("web", SLEEPER))
    status, said = run(Stage([web]), Stage([Role(child("load", "raise SystemExit(7)"), once=True)]))
    assert status == 7
    assert "vitals   | load failed (status 7)" in said
    assert web.child is None


def test_stores_stop_after_those_who_use_them(tmp_path: Path) -> None:
    code = """
    import pathlib, signal, sys, time
    def end(*_):
        time.sleep({pause})
        with open({log!r}, "a") as log:
            log.write({name!r} + " ")
        sys.exit()
    signal.signal(signal.SIGTERM, end)
    pathlib.Path({log!r} + {name!r}).touch()
    time.sleep(60)
    """
    log = str(tmp_path / "log")
    roles = []
    for name, is_store, pause in (("postgres", True, 0), ("redis", True, 0), ("web", False, 0.5)):
        filled = code.format(name=name, log=log, pause=pause)
        ready = Path(log + name).exists
        roles.append(Role(child(name, filled, is_store=is_store, ready=ready)))
    run(Stage(roles, after=stop_us))
    assert Path(log).read_text().split() == ["web", "redis", "postgres"]


def test_a_child_that_will_not_stop_is_killed() -> None:
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf'); time.sleep(60)"
    began = time.monotonic()
    role = Role(child("deaf", code, kill_after=0.5))
    said = io.StringIO()
    role.spec.__dict__["ready"] = lambda: "deaf     | deaf" in said.getvalue()
    status = Supervisor(Console(said)).run([Stage([role], after=stop_us)])
    assert status == 0
    assert time.monotonic() - began < 50  # left alone it would sleep for 60


def test_grandchildren_of_a_dead_child_are_killed(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    code = f"""
    import pathlib, subprocess, sys
    grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    pathlib.Path({str(mark)!r}).write_text(str(grandchild.pid))
    """
    status, _ = run(Stage([Role(child("parent", code), once=True)], after=stop_us))
    assert status == 0
    assert wait_until(lambda: not alive(int(mark.read_text())))


def test_a_role_that_never_becomes_ready_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "READY_WITHIN", 0.3)
    status, said = run(Stage([Role(child("web", SLEEPER, ready=lambda: False))]))
    assert status == 1
    assert "vitals   | web did not become ready" in said


def test_an_error_of_our_own_stops_the_children_and_starts_none_again() -> None:
    def fail() -> None:
        raise RuntimeError("no schema")

    first = Role(child("first", SLEEPER))
    said = io.StringIO()
    with pytest.raises(RuntimeError, match="no schema"):
        Supervisor(Console(said)).run([Stage([first]), Stage([], before=fail)])
    assert first.child is None
    assert "again" not in said.getvalue()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's signal on a parent's death is Linux'")
def test_children_end_when_the_supervisor_is_killed_outright() -> None:
    code = f"""
    import sys
    sys.path.insert(0, {str(ROOT)!r})
    from config.console import Console
    from config.processes import ProcessSpec
    from config.supervisor import Role, Stage, Supervisor
    spec = ProcessSpec("child", [sys.executable, "-u", "-c", "import os, time; print(os.getpid()); time.sleep(60)"])
    Supervisor(Console()).run([Stage([Role(spec)])])
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        line = parent.stdout.readline()
        parent.kill()
    pid = int(line.split()[-1])
    assert wait_until(lambda: not alive(pid))


def test_a_process_that_was_asked_to_stop_twice_is_no_error() -> None:
    spec = child("short", "pass")
    process = processes.spawn(spec)
    process.communicate()
    processes.stop(process, spec)
    processes.stop(process, spec)
    assert process.returncode == 0


def test_quiet_shows_warnings_and_writes_everything_to_the_log(tmp_path: Path) -> None:
    said = io.StringIO()
    log = tmp_path / "up.log"
    shown = Console(said, quiet=True, log=log)
    shown.say("web", "GET / 200")
    shown.say("web", "WARNING django.request: Not Found: /nowhere/")
    shown.say("worker", "WARNING slow")
    shown.say("worker", "WARNING celery.worker: Initiating Soft Shutdown, terminating in 4 seconds")
    shown.say("load", "half\r100 %", bare=True)
    shown.close()
    assert said.getvalue() == "worker   | WARNING slow\n100 %\n"
    assert [line.split(None, 1)[1] for line in log.read_text().splitlines()] == [
        "web       GET / 200",
        "web       WARNING django.request: Not Found: /nowhere/",
        "worker    WARNING slow",
        "load      100 %",
    ]


def test_a_log_that_grew_too_large_is_moved_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "LARGEST_LOG", 10)
    log = tmp_path / "up.log"
    log.write_text("x" * 11)
    Console(io.StringIO(), log=log).close()
    assert log.read_text() == ""
    assert (tmp_path / "up.1.log").read_text() == "x" * 11
