"""Real servers for benchmarks: an empty database and queue in a folder that vanishes afterwards."""

from __future__ import annotations

import contextlib
import functools
import os
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.dashboard.world import World


@functools.cache
def _stack() -> contextlib.ExitStack:
    return contextlib.ExitStack()


@functools.cache
def ready() -> None:
    """Start the servers and Django, and make the tables; once a run, undone by `close`."""
    from config.commandline import scratch

    _stack().enter_context(scratch())
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    import django
    from django.conf import settings

    from config.embedded import Servers

    _stack().enter_context(Servers(settings.DATA))
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def fresh_world() -> World:
    """The pages' world of real flights in a database that holds nothing else, whatever ran before."""
    from django.core.management import call_command

    from tests.dashboard import world as worlds

    call_command("flush", interactive=False, verbosity=0)
    return worlds.build()


def close() -> None:
    """Stop what `ready` started."""
    if _stack.cache_info().currsize:
        _stack().close()


def best_of(work: Callable[[], object], times: int = 3) -> float:
    """Seconds of the fastest of some runs: the one that was disturbed least."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        found.append(time.perf_counter() - began)
    return min(found)


def best_of_each(works: Sequence[Callable[[], object]], times: int = 7) -> list[float]:
    """Seconds of the fastest run of each, run in turns: what else the machine does then disturbs all of them alike."""
    best = [float("inf")] * len(works)
    for _ in range(times):
        best = [min(known, best_of(work, 1)) for known, work in zip(best, works, strict=True)]
    return best


@contextlib.contextmanager
def timed(into: list[float]) -> Iterator[None]:
    """Append the seconds that a block takes."""
    began = time.perf_counter()
    yield
    into.append(time.perf_counter() - began)
