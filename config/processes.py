"""Child processes that never outlive us.

Each child leads a process group of its own, so that the terminal's Ctrl-C reaches only the parent and the children
are stopped in order. On Linux a child is signalled by the kernel when its parent dies, even by `kill -9`.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PR_SET_PDEATHSIG = 1
# Looked up before any fork: a child must not import or allocate more than it has to between fork and exec.
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True)
class ProcessSpec:
    """How one child is run.

    `stop_signal` asks it to end, `kill_after` seconds later it is killed. `death_signal` is what the kernel sends it
    when the parent is gone: by default an end at once, for a polite one can hang when the stores are gone too.
    `before` runs ahead of each start; `ready` answers whether it does its work yet. `uid`/`gid` run it as another
    account. A store (`is_store`) is stopped after those who use it.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] | None = None
    cwd: Path | None = None
    uid: int | None = None
    gid: int | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL
    kill_after: float = 10.0
    is_store: bool = False
    before: Callable[[], None] | None = field(default=None, compare=False)
    ready: Callable[[], bool] | None = field(default=None, compare=False)


def spawn(spec: ProcessSpec, output: int | None = None) -> subprocess.Popen[bytes]:
    """Start the child; `output` is a file descriptor for its words, or None for a pipe in `stdout`."""
    if spec.before is not None:
        spec.before()
    extra: dict[str, object] = {}
    if spec.uid is not None and spec.uid != os.geteuid():
        extra = {"user": spec.uid, "group": spec.gid, "extra_groups": []}
    return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
        list(spec.argv),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if output is None else output,
        stderr=subprocess.STDOUT,
        env=None if spec.env is None else dict(spec.env),
        cwd=spec.cwd,
        start_new_session=True,
        preexec_fn=_die_with_parent(spec.death_signal),
        **extra,
    )


def ask_to_stop(child: subprocess.Popen[bytes], spec: ProcessSpec) -> None:
    """Send the stop signal, once; a child that is gone already is fine."""
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child.pid, spec.stop_signal)


def kill_group(child: subprocess.Popen[bytes]) -> None:
    """Kill whatever is left of the child's process group, the child included."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            child.kill()


def stop(child: subprocess.Popen[bytes], spec: ProcessSpec) -> None:
    """Ask, wait, then kill; returns when the child is gone."""
    ask_to_stop(child, spec)
    try:
        child.wait(spec.kill_after)
    except subprocess.TimeoutExpired:
        kill_group(child)
        child.wait()
    kill_group(child)


def is_alive(pid: int) -> bool:
    """Whether a process of that number exists, whoever it belongs to."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def die_with_parent(death_signal: signal.Signals = signal.SIGKILL) -> None:
    """Ask the kernel to end this very process when its parent is gone (Linux; elsewhere nothing happens)."""
    if _LIBC is not None:
        _LIBC.prctl(PR_SET_PDEATHSIG, int(death_signal))


def _die_with_parent(death_signal: signal.Signals) -> Callable[[], None] | None:
    """What the child runs before its program: ask the kernel for a signal on the parent's death.

    Runs after the change of user, which would clear the request. A parent that died before it is noticed by its pid.
    """
    libc = _LIBC
    if libc is None:
        return None
    parent = os.getpid()

    def prepare() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(death_signal))
        if os.getppid() != parent:
            os._exit(1)

    return prepare


def settle_memory() -> None:
    """For a process that has just started: what is loaded stays, so the garbage collector need not look at it again.

    Answers and pages are made of many small objects that die at once; with the usual threshold a fifth of the time of
    a poll goes into walking all modules again and again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
