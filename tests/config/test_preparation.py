"""The gate before the web process: shut while the database is being prepared, never shut for good."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

from config.preparation import Gate

HOLD = """
import sys
from pathlib import Path
from config.preparation import Gate

gate = Gate(Path(sys.argv[1]))
gate.close()
print("closed", flush=True)
sys.stdin.read()
"""


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
