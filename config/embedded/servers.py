"""Run the embedded servers for as long as somebody needs them.

Two locks in the data folder keep order. `servers.lock`: held by whoever runs the servers (exclusive). `users.lock`:
shared by everybody who uses them; the one who runs them for a single command waits for the others before it stops
them. Both vanish with their process, however it ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType

from config.embedded import postgres, redis
from config.embedded.account import Account
from config.embedded.errors import EmbeddedError
from config.embedded.folder import DataFolder
from config.processes import ProcessSpec, spawn, stop

START_WITHIN = 60.0


class FileLock:
    """An advisory lock on a file; never deletes the file, so that nobody locks a ghost."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def acquire(self, *, shared: bool = False, timeout: float = 0) -> bool:
        """Take the lock, trying for `timeout` seconds."""
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + timeout
        while True:
            try:
                fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
            except OSError:
                if time.monotonic() >= deadline:
                    os.close(handle)
                    return False
                time.sleep(0.05)
            else:
                self._file = handle
                return True

    def release(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


class Servers:
    """The embedded servers of one data folder; use as a context, or `lock` and hand `specs` to a supervisor."""

    def __init__(self, data: DataFolder, *, database: bool = True, queue: bool = True, throwaway: bool = False) -> None:
        self.data = data
        self._database, self._queue, self._throwaway = database, queue, throwaway
        self._running: list[tuple[subprocess.Popen[bytes], ProcessSpec]] = []
        data.make_root()
        self._owner = FileLock(data.root / "servers.lock")
        self._user = FileLock(data.root / "users.lock")

    def lock(self, timeout: float = 0) -> bool:
        """Become the one who runs the servers of this folder."""
        return self._owner.acquire(timeout=timeout)

    def release(self) -> None:
        self._owner.release()

    def specs(self) -> list[ProcessSpec]:
        """The processes to run, their folders made. Needs the lock."""
        who = self.data.prepare()
        specs = []
        if self._database:
            specs.append(self._postgres(who))
        if self._queue:
            specs.append(redis.spec(self.data, who, redis.prepare(self.data, who), throwaway=self._throwaway))
        return specs

    def _postgres(self, who: Account) -> ProcessSpec:
        programs = postgres.prepare(self.data, who)
        return postgres.spec(self.data, who, programs, throwaway=self._throwaway)

    def start(self) -> None:
        """Start the servers and wait until they answer. Needs the lock."""
        for spec in self.specs():
            with open(self.data.log / f"{spec.name}.log", "ab") as log:
                self._running.append((spawn(spec, log.fileno()), spec))
        for child, spec in self._running:
            wait_until_ready(spec, lambda child=child: child.poll() is None)  # type: ignore[misc]

    def stop(self) -> None:
        """Stop what `start` started, in reverse order."""
        while self._running:
            stop(*self._running.pop())

    def answering(self) -> bool:
        """Whether somebody runs the servers and both answer."""
        return (not self._database or postgres.is_ready(self.data)) and (not self._queue or redis.is_ready(self.data))

    @contextlib.contextmanager
    def in_use(self) -> Iterator[None]:
        """Use the running servers, or start them until the block ends and nobody else uses them."""
        owner = self._own_or_find()
        self._user.acquire(shared=True, timeout=5)
        try:
            if owner:
                self.start()
            yield
        finally:
            self._user.release()
            if owner:
                self._wait_for_others()
                self.stop()
                self._user.release()
                self.release()

    def _own_or_find(self) -> bool:
        """True if the servers are ours to start, False if somebody runs them already."""
        deadline = time.monotonic() + START_WITHIN
        while not self.lock():
            if self.answering():
                return False
            if time.monotonic() > deadline:
                raise EmbeddedError(f"Somebody else runs the servers in {self.data.root}, but they do not answer.")
            time.sleep(0.1)
        return True

    def _wait_for_others(self) -> None:
        if not self._user.acquire(timeout=0.2):
            print("Waiting for other commands that use the embedded servers.", file=sys.stderr)
            self._user.acquire(timeout=3600)

    def __enter__(self) -> Servers:
        self._context = self.in_use()
        self._context.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._context.__exit__(kind, error, trace)


def wait_until_ready(spec: ProcessSpec, alive: Callable[[], bool], timeout: float = START_WITHIN) -> None:
    """Return when the process answers; an error if it ended or did not answer in time."""
    deadline = time.monotonic() + timeout
    while spec.ready is not None and not spec.ready():
        if not alive():
            raise EmbeddedError(f"{spec.name} ended while it was starting: see its log in the data folder.")
        if time.monotonic() > deadline:
            raise EmbeddedError(f"{spec.name} did not answer within {timeout:.0f} seconds: see its log.")
        time.sleep(0.05)
