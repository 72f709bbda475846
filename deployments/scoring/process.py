"""Our end of the sandbox: start it, hand it a model, ask it, and end it when it takes too long."""

from __future__ import annotations

import io
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from django.conf import settings

from deployments.scoring.errors import ScoringFailed

_PIECE = 1 << 20


class Sandbox:
    """A process that holds one model. Use it in a `with` block; `description` tells inputs and outputs."""

    def __init__(self, content: bytes) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="vitals-scoring-")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "deployments.scoring.sandbox"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=settings.BASE_DIR,
            env={"PYTHONPATH": str(settings.BASE_DIR), "HOME": self._folder.name, "OMP_NUM_THREADS": "1"},
            start_new_session=True,
            bufsize=0,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in, self._out = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._in, False)
        self._buffer = bytearray()
        head = {"bytes": len(content), "threads": settings.SCORING_THREADS, "memory": settings.SCORING_MEMORY_MB}
        try:
            self.description: dict[str, Any] = self._ask(head, content)[0]
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._folder.cleanup()

    def run(
        self, table: pl.DataFrame, inputs: Sequence[Mapping[str, Any]], output: str, keys: Sequence[str], label: str
    ) -> pl.DataFrame:
        """The output's columns `0`, `1` … for the rows, and `label` if one was asked for. Raises ScoringFailed."""
        body = io.BytesIO()
        table.write_ipc_stream(body)
        raw = body.getvalue()
        head = {"bytes": len(raw), "inputs": list(inputs), "output": output, "keys": list(keys), "label": label}
        return pl.read_ipc_stream(io.BytesIO(self._ask(head, raw)[1]))

    def _ask(self, head: Mapping[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        deadline = time.monotonic() + settings.SCORING_SECONDS
        self._write(json.dumps(head).encode() + b"\n" + body, deadline)
        answer = json.loads(self._line(deadline))
        if "error" in answer:
            raise ScoringFailed(f"The model could not be run: {answer['error']}")
        return answer, self._read(int(answer["bytes"]), deadline)

    def _write(self, message: bytes, deadline: float) -> None:
        view = memoryview(message)
        while view:
            self._wait([], [self._in], deadline)
            try:
                view = view[os.write(self._in, view[:_PIECE]) :]
            except BlockingIOError:
                continue
            except OSError:
                raise self._died() from None

    def _line(self, deadline: float) -> bytes:
        while (end := self._buffer.find(b"\n")) < 0:
            self._more(deadline)
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line

    def _read(self, size: int, deadline: float) -> bytes:
        while len(self._buffer) < size:
            self._more(deadline)
        found = bytes(self._buffer[:size])
        del self._buffer[:size]
        return found

    def _more(self, deadline: float) -> None:
        self._wait([self._out], [], deadline)
        piece = os.read(self._out, _PIECE)
        if not piece:
            raise self._died()
        self._buffer += piece

    def _wait(self, sources: list[int], sinks: list[int], deadline: float) -> None:
        ready = select.select(sources, sinks, [], max(0.0, deadline - time.monotonic()))
        if not ready[0] and not ready[1]:
            self._process.kill()
            raise ScoringFailed(f"The model took longer than {settings.SCORING_SECONDS} seconds (SCORING_SECONDS).")

    def _died(self) -> ScoringFailed:
        self._process.kill()
        self._process.wait()
        return ScoringFailed("The model's process ended: it may need more memory than SCORING_MEMORY_MB allows.")
