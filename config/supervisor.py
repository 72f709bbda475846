"""One tree of processes: started in stages, kept running, stopped together.

    stage 1 ready -> stage 2 ready -> … -> stay until a signal comes or a `once` role fails

Everything happens in one loop in the main thread: the kernel's "parent died" signal belongs to the thread that
started a child, so that thread must live as long as we do.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from config.console import Console
from config.processes import ProcessSpec, ask_to_stop, kill_group, spawn

# A role that lived this long has recovered: its next pause starts small again.
RECOVERED_AFTER = 60.0
LONGEST_PAUSE = 30.0
TURN = 0.1
READY_WITHIN = 120.0
OWN_NAME = "vitals"


@dataclass
class Role:
    """A child as the supervisor sees it. `once`: it has an end of its own, and is not started again."""

    spec: ProcessSpec
    once: bool = False
    bare: bool = False
    child: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    failures: int = 0
    start_at: float | None = None
    is_ready: bool = False
    status: int | None = None
    tail: bytearray = field(default_factory=bytearray)

    @property
    def name(self) -> str:
        return self.spec.name


@dataclass(frozen=True)
class Stage:
    """Roles that start together once the stage before is ready. What else is done is done in our own process: `before`
    they start, `meanwhile` while they load their code, `after` all are ready.
    """

    roles: Sequence[Role]
    before: Callable[[], None] | None = None
    meanwhile: Callable[[], None] | None = None
    after: Callable[[], None] | None = None


def pause_before_restart(failures: int) -> float:
    """Seconds to wait before the n-th start in a row: 1, 2, 4 … 30. `failures` counts from 1."""
    return min(LONGEST_PAUSE, 2.0 ** (failures - 1))


class Supervisor:
    """Runs stages of roles until it is told to stop; `run` returns an exit status."""

    def __init__(self, console: Console, *, now: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._now = now
        self._roles: list[Role] = []
        self._selector = selectors.DefaultSelector()
        self._stopping: str | None = None
        self._status = 0

    def run(self, stages: Sequence[Stage]) -> int:
        """Start the stages in order, watch over them, stop them in reverse. Restores the signal handlers."""
        with self._signals():
            try:
                if all(self._start_stage(stage) for stage in stages):
                    while self._stopping is None:
                        self._turn()
            except BaseException:
                self.request_stop("stopping because of an error", status=1)
                raise
            finally:
                self._stop_all()
        return self._status

    def request_stop(self, why: str, status: int = 0) -> None:
        """End the loop at its next turn; the first reason counts."""
        if self._stopping is None:
            self._stopping, self._status = why, status

    # --- starting -----------------------------------------------------------------------------------------------

    def _start_stage(self, stage: Stage) -> bool:
        if stage.before:
            stage.before()
        for role in stage.roles:
            self._roles.append(role)
            self._start(role)
        if stage.meanwhile:
            stage.meanwhile()
        deadline = self._now() + READY_WITHIN
        while self._stopping is None and not all(self._probe(role) for role in stage.roles):
            waiting = [role.name for role in stage.roles if not role.is_ready and not role.once]
            if waiting and self._now() > deadline:
                self.request_stop(f"{', '.join(waiting)} did not become ready", status=1)
            self._turn()
        if self._stopping is None and stage.after:
            stage.after()
        return self._stopping is None

    def _start(self, role: Role) -> None:
        role.start_at, role.status, role.is_ready = None, None, False
        role.started_at = self._now()
        role.child = spawn(role.spec)
        assert role.child.stdout is not None
        os.set_blocking(role.child.stdout.fileno(), False)
        self._selector.register(role.child.stdout, selectors.EVENT_READ, role)

    def _probe(self, role: Role) -> bool:
        """Whether the role does its work (a `once` role: has ended well)."""
        if role.once:
            return role.status == 0
        if not role.is_ready and role.child is not None:
            role.is_ready = role.spec.ready is None or role.spec.ready()
        return role.is_ready

    # --- watching -----------------------------------------------------------------------------------------------

    def _turn(self) -> None:
        """One turn of the loop: pass on what was said, notice who ended, start who is due."""
        for key, _ in self._selector.select(TURN):
            self._listen(key.data)
        for role in self._roles:
            if role.child is not None and role.child.poll() is not None:
                self._ended(role, role.child)
            elif role.start_at is not None and self._now() >= role.start_at and self._stopping is None:
                self._start(role)

    def _listen(self, role: Role) -> bool:
        """Pass on whole lines; False when there was nothing to read."""
        if role.child is None or role.child.stdout is None or role.child.stdout.closed:
            return False
        try:
            data = os.read(role.child.stdout.fileno(), 65_536)
        except BlockingIOError:
            return False
        if not data:
            self._hang_up(role, role.child)
            return False
        *lines, rest = (role.tail + data).split(b"\n")
        role.tail = bytearray(rest)
        for line in lines:
            self._console.say(role.name, line.decode(errors="replace"), bare=role.bare)
        return True

    def _hang_up(self, role: Role, child: subprocess.Popen[bytes]) -> None:
        """Stop listening; the last words may lack their end of line."""
        assert child.stdout is not None
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(child.stdout)
        child.stdout.close()
        if role.tail:
            self._console.say(role.name, role.tail.decode(errors="replace"), bare=role.bare)
            role.tail.clear()

    def _ended(self, role: Role, child: subprocess.Popen[bytes]) -> None:
        self._drain(role, child)
        kill_group(child)  # grandchildren that outlived a crash would hold its port or its tasks
        role.child, role.status = None, child.returncode
        if role.once:
            if child.returncode != 0:
                self.request_stop(f"{role.name} failed ({_how(child.returncode)})", status=abs(child.returncode) or 1)
            return
        if self._stopping is not None:
            return
        lived = self._now() - role.started_at
        role.failures = 1 if lived > RECOVERED_AFTER else role.failures + 1
        pause = pause_before_restart(role.failures)
        role.start_at = self._now() + pause
        self._say(f"{role.name} ended ({_how(child.returncode)}); starting it again in {pause:.0f} s", warning=True)

    def _drain(self, role: Role, child: subprocess.Popen[bytes]) -> None:
        """Read what is left in the pipe, without waiting for grandchildren that still hold it."""
        while self._listen(role):
            pass
        self._hang_up(role, child)

    # --- stopping -----------------------------------------------------------------------------------------------

    def _stop_all(self) -> None:
        """Stop everything, later stages first: servers outlive those who use them."""
        if self._stopping:
            self._say(self._stopping)
        for group in _in_stop_order(self._roles):
            self._stop_group(group)
        self._selector.close()

    def _stop_group(self, roles: Sequence[Role]) -> None:
        for role in roles:
            role.start_at = None
            if role.child is not None:
                ask_to_stop(role.child, role.spec)
        began = self._now()
        while running := [role for role in roles if role.child is not None]:
            for role in running:
                if role.child is not None and self._now() - began > role.spec.kill_after:
                    kill_group(role.child)
            self._turn()

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """SIGINT, SIGTERM and a closed terminal end the loop."""
        wanted = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        former = {name: signal.signal(name, self._on_signal) for name in wanted}
        try:
            yield
        finally:
            for name, handler in former.items():
                signal.signal(name, handler)

    def _on_signal(self, number: int, _frame: object) -> None:
        self.request_stop("stopping" if number == signal.SIGINT else f"stopping ({signal.Signals(number).name})")

    def _say(self, text: str, *, warning: bool = False) -> None:
        self._console.say(OWN_NAME, text, important=True, warning=warning)


def _in_stop_order(roles: Sequence[Role]) -> list[list[Role]]:
    """Everybody but the stores together, then the stores one by one in reverse."""
    stores = [role for role in roles if role.spec.is_store]
    rest = [role for role in roles if not role.spec.is_store]
    return [rest, *([role] for role in reversed(stores))]


def _how(status: int) -> str:
    return f"status {status}" if status >= 0 else signal.Signals(-status).name
