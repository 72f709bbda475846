"""What `up` says: one line at a time, the role's name in a column of fixed width and its own colour.

`quiet` shows only our own words, warnings, and roles that speak bare; all lines go to a log file then.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import time
from pathlib import Path
from typing import TextIO

WIDTH = 9
RESET, DIM, RED = "\x1b[0m", "\x1b[2m", "\x1b[31m"
COLOURS = {
    "vitals": "\x1b[1m",
    "postgres": "\x1b[34m",
    "redis": "\x1b[31m",
    "web": "\x1b[36m",
    "worker": "\x1b[32m",
    "poller": "\x1b[35m",
    "beat": "\x1b[33m",
}
# What Django warns of are the 4xx that it answered: they are in the log, and no trouble of ours.
WARNING = re.compile(r"\b(WARNING(?! django\.request:)|ERROR|CRITICAL|FATAL|PANIC|Traceback|Error:)")
# What Celery says on every planned stop: the first two for a person at its own keyboard, the others as warnings,
# though a task that is cut off goes back to the queue and is done at the next start.
NOISE = re.compile(
    r"Hitting Ctrl\+C again|^\w+: (Cold|Warm) shutdown|Initiating Soft Shutdown|Requeuing undeliverable message"
)
LARGEST_LOG = 10_000_000


class Console:
    """Writes lines to a stream and, if a file is given, to a log that is kept below a size."""

    def __init__(self, stream: TextIO | None = None, *, quiet: bool = False, log: Path | None = None) -> None:
        self._stream = stream or sys.stdout
        self._quiet = quiet
        self._colour = self._stream.isatty() and "NO_COLOR" not in os.environ
        self._bar = "│" if "utf" in (self._stream.encoding or "").lower() else "|"
        self._log = _open_log(log) if log else None

    def say(self, role: str, text: str, *, bare: bool = False, important: bool = False, warning: bool = False) -> None:
        """One line of a role; carriage returns and colours of its own are taken out."""
        clean = text.rstrip().rsplit("\r", 1)[-1]
        if not bare and (not clean or NOISE.search(clean)):
            return
        if self._log:
            print(f"{time.strftime('%H:%M:%S')} {role:<{WIDTH}} {clean}", file=self._log, flush=True)
        warning = warning or bool(WARNING.search(clean))
        if self._quiet and not (bare or important or warning):
            return
        # A terminal that went away must not take the servers with it.
        with contextlib.suppress(OSError, ValueError):
            print(clean if bare else self._prefixed(role, clean, warning), file=self._stream, flush=True)

    def close(self) -> None:
        if self._log:
            self._log.close()

    def _prefixed(self, role: str, text: str, warning: bool) -> str:
        name = f"{role:<{WIDTH}}"
        if not self._colour:
            return f"{name}{self._bar} {text}"
        body = f"{RED}{text}{RESET}" if warning else text
        return f"{COLOURS.get(role, DIM)}{name}{RESET}{DIM}{self._bar}{RESET} {body}"


def _open_log(file: Path) -> TextIO:
    """Append to the log; one that grew too large is moved aside first."""
    if file.exists() and file.stat().st_size > LARGEST_LOG:
        file.replace(file.with_suffix(".1.log"))
    return file.open("a", encoding="utf-8")
