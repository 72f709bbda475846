"""The operations of the Deployments API reference, version 2.36, with the query parameters of each: what must be there.

The list is in `reference.txt`: method, path and parameters, one operation a line. It is complete and changes only with
the reference; `operations` says how each operation behaves here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def _read() -> dict[str, tuple[str, ...]]:
    lines = Path(__file__).with_suffix(".txt").read_text().splitlines()
    rows = [line.split(" ") for line in lines]
    return {f"{method} {path}": tuple(parameters) for method, path, *parameters in rows}


REFERENCE: Mapping[str, tuple[str, ...]] = _read()
"""Method and path → the names of the query parameters."""
