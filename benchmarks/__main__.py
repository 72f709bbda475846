"""`python -m benchmarks [name …]` runs all benchmarks, or those named, and prints one table."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import benchmarks
from benchmarks import environment
from benchmarks.table import Row, render

HELPERS = {"table", "__main__", "environment"}


def names() -> list[str]:
    """Every benchmark module, alphabetically."""
    found = (module.name for module in pkgutil.iter_modules(benchmarks.__path__))
    return sorted(name for name in found if name not in HELPERS)


def main(wanted: list[str]) -> int:
    """Run and print; the exit code is 1 when a goal was missed, 2 for an unknown name."""
    unknown = set(wanted) - set(names())
    if unknown:
        print(f"No such benchmark: {', '.join(sorted(unknown))}. There are: {', '.join(names())}.")
        return 2
    rows: list[Row] = []
    try:
        for name in wanted or names():
            print(f"… {name}", file=sys.stderr, flush=True)
            rows += importlib.import_module(f"benchmarks.{name}").run()
    finally:
        environment.close()
    print(render(rows))
    return 1 if any(row.ok is False for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
