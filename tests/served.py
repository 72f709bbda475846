"""Which requests the live server is answering: a test that ends amid one would take the database from under it."""

from __future__ import annotations

import threading
import time
from typing import Any

from django.core.signals import request_finished, request_started

_answering: set[threading.Thread] = set()


def install() -> None:
    """From now on the requests that threads of a server answer are known."""
    request_started.connect(_begin)
    request_finished.connect(_end)


def wait(seconds: float = 60) -> None:
    """Until all of them are answered. Fails if one is not in time."""
    deadline = time.monotonic() + seconds
    while any(thread.is_alive() for thread in tuple(_answering)):
        assert time.monotonic() < deadline, f"still answered after {seconds} s: {_answering}"
        time.sleep(0.02)
    _answering.clear()


def _begin(**_: Any) -> None:
    thread = threading.current_thread()
    if "process_request_thread" in thread.name:
        _answering.add(thread)


def _end(**_: Any) -> None:
    _answering.discard(threading.current_thread())
