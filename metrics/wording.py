"""Numbers in sentences: units behind a narrow no-break space, thousands with commas, a true minus.

Used by every reason that the verdicts give, so that pages, mails and the API say the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta

NARROW = "\u202f"
MINUS = "\u2212"
NOTHING = "\u2013"

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def whole(number: float) -> str:
    """A count: `12,345`."""
    return _signed(f"{round(number):,}")


def percent(number: float, digits: int = 1) -> str:
    """`5.8 %` for 5.8."""
    return f"{_signed(f'{number:,.{digits}f}')}{NARROW}%"


def share(number: float) -> str:
    """A ratio from 0 to 1 in percent; tiny ones as `< 0.1 %`, never as zero."""
    if 0 < number < 0.001:
        return f"<{NARROW}{percent(0.1)}"
    return percent(100 * number)


def score(number: float | None) -> str:
    """A metric: three decimals, fewer from 10 on (`0.754`, `41.20`, `512.3`, `12,345`); a dash when undefined."""
    if number is None or not math.isfinite(number):
        return NOTHING
    size = abs(number)
    digits = 3 if size < 10 else 2 if size < 100 else 1 if size < 10_000 else 0
    return _signed(f"{number:,.{digits}f}")


def drift(number: float) -> str:
    """A drift score: two decimals, and `< 0.01` rather than 0.00 for anything above zero."""
    return f"<{NARROW}0.01" if 0 < number < 0.005 else f"{number:.2f}"


def duration(length: timedelta) -> str:
    """The two largest units that are not zero: `3 d`, `26 h`, `1 h 30 min`; hours up to two days."""
    seconds = max(0, int(length.total_seconds()))
    parts: list[str] = []
    for name, size in _UNITS:
        if name == "d" and seconds < 2 * size and seconds != size:
            continue
        number, seconds = divmod(seconds, size)
        if number:
            parts.append(f"{number:,}{NARROW}{name}")
        elif parts:
            break
    return " ".join(parts[:2]) or f"0{NARROW}s"


def plural(count: int, noun: str, many: str | None = None) -> str:
    """`1 feature`, `2 features`, `3 batches` (with its plural given)."""
    return f"{whole(count)} {noun if count == 1 else many or noun + 's'}"


def some_of(items: Sequence[str], shown: int = 3) -> str:
    """The first few, and how many more: `a, b, c and 4 more`."""
    rest = len(items) - shown
    return ", ".join(items[:shown]) + (f" and {rest} more" if rest > 0 else "")


def _signed(text: str) -> str:
    return text.replace("-", MINUS)
