"""How many predictions were served while something was in trouble. Pure; from the daily rates of the source's list."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

DAY = timedelta(days=1)


def served(daily_rates: Any, since: datetime, until: datetime, *, known_at: datetime) -> float:
    """Predictions between the two times, about.

    `daily_rates` are predictions a day, oldest first, the last of them for the day that ends at `known_at`; days before
    the first count as much as the first that is known.
    """
    rates = (
        [float(rate) for rate in daily_rates if isinstance(rate, int | float)] if isinstance(daily_rates, list) else []
    )
    if not rates or until <= since:
        return 0.0
    total = 0.0
    for back, rate in enumerate(reversed(rates)):
        start, end = known_at - (back + 1) * DAY, known_at - back * DAY
        total += rate * max(timedelta(0), min(end, until) - max(start, since)) / DAY
    before = min(until, known_at - len(rates) * DAY) - since
    return total + rates[0] * max(timedelta(0), before) / DAY
