"""Other health settings over ninety days of one deployment: judging every stored answer and playing the incidents.

Ninety days with an answer an hour on the last two and one on each other day, for twenty-five features. The reference is
what a form could do without it: judge the ninety days once and nothing more.
"""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks.table import Row

if TYPE_CHECKING:
    from monitoring.backtest import Past

DAYS, FEATURES = 90, 25
NOW = datetime(2026, 5, 1, 0, tzinfo=UTC)


def past() -> Past:
    """Drift that comes and goes, feature by feature, and accuracy that follows it."""
    import msgspec

    from metrics.health import FeatureDrift
    from monitoring.backtest.past import AccuracyPoint, DriftPoint, Past
    from monitoring.client import HealthSettings

    times = [NOW - timedelta(days=back) for back in range(DAYS - 1, 2, -1)]
    times += [NOW - timedelta(hours=back) for back in range(48, -1, -1)]

    def score(number: int, at: datetime) -> float:
        return 0.1 + 0.08 * math.sin((at - NOW) / timedelta(days=1) / 7 + number)

    drift = tuple(
        DriftPoint(
            at,
            tuple(FeatureDrift(f"f{i}", score(i, at), i / FEATURES, 20_000, 90_000, 13) for i in range(FEATURES)),
            "7 d",
        )
        for at in times
    )
    accuracy = tuple(
        AccuracyPoint(at, {"AUC": (0.80 - 0.06 * math.sin((at - NOW).days / 9), 0.80)}, 9_000, True, "7 d")
        for at in times
    )
    first = (NOW - timedelta(days=DAYS - 1)).date()
    days = tuple(date.fromordinal(first.toordinal() + number) for number in range(DAYS))
    settings = msgspec.convert({"accuracy": {"metric": "AUC"}}, HealthSettings)
    return Past(days, NOW, "HIGH", "Binary", settings, drift, accuracy, {})


def run() -> list[Row]:
    """One row a question that a form asks."""
    from benchmarks.environment import ready

    ready()
    from monitoring import backtest
    from monitoring.backtest.run import judged
    from monitoring.models import Area

    found = past()
    judging = best(lambda: judged(found, found.settings))
    running = best(lambda: backtest.run(found))
    comparing = best(lambda: backtest.compare(found, found.settings))
    proposing = best(lambda: backtest.propose(found, Area.DRIFT))
    notices = backtest.run(found).notices
    reference = f"judging alone {judging * 1000:.0f} ms"
    return [
        Row(
            f"backtest of 90 days, {len(found.drift)} × {FEATURES} scores, {notices} notices",
            f"{running * 1000:.0f} ms",
            reference,
            running / judging,
            "≤ 2×, ≤ 250 ms",
            ok=running <= 2 * judging and running <= 0.25,
        ),
        Row(
            "the same beside the present settings",
            f"{comparing * 1000:.0f} ms",
            reference,
            comparing / judging,
            "≤ 500 ms",
            ok=comparing <= 0.5,
        ),
        Row("a quieter limit for a noisy rule", f"{proposing * 1000:.0f} ms", reference, proposing / judging),
    ]


def best(work: object) -> float:
    """The shortest of five runs in seconds."""
    assert callable(work)
    found = []
    for _ in range(5):
        begin = perf_counter()
        work()
        found.append(perf_counter() - begin)
    return min(found)
