"""Numbers, times and counts in words: one spelling for pages, charts and mail.

Every function takes ``None`` (and NaN) as "not known" and answers an en dash, never a zero.
Units are parted from their number by a narrow no-break space; a minus is a true minus.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo

THIN = "\u202f"
MINUS = "\u2212"
NONE = "–"

THREE_DECIMALS = frozenset(
    {
        "AUC",
        "LogLoss",
        "Accuracy",
        "Balanced Accuracy",
        "F1",
        "MCC",
        "TPR",
        "TNR",
        "FPR",
        "PPV",
        "NPV",
        "Gini",
        "Gini Norm",
        "Kolmogorov-Smirnov",
        "relative fairness",
        "Rate@Top5%",
        "Rate@Top10%",
        "R Squared",
        "RMSLE",
        "FVE Binomial",
        "FVE Gamma",
        "FVE Multinomial",
        "FVE Poisson",
        "FVE Tweedie",
    }
)
DRIFT_SCORES = frozenset({"PSI", "psi", "kl_divergence", "js_divergence", "hellinger", "dissimilarity", "drift"})


def known(value: float | None) -> bool:
    """True unless the value is ``None``, NaN or infinite."""
    return value is not None and math.isfinite(value)


def number(value: float | None, digits: int | None = None, *, sign: bool = False) -> str:
    """``1234.5`` -> ``1,234.5``. ``digits`` decimals, or as many as three significant digits need."""
    if value is None or not math.isfinite(value):
        return NONE
    if digits is None:
        digits = 0 if float(value).is_integer() else significant_decimals(value)
    size = abs(round(value, digits))
    text = f"{size:,.{digits}f}"
    if size == 0:
        return text
    return (MINUS if value < 0 else "+" if sign else "") + text


def significant_decimals(value: float, digits: int = 3) -> int:
    """How many decimals show ``digits`` significant digits of ``value`` (0 to 6)."""
    if value == 0 or not math.isfinite(value):
        return 0
    return max(0, min(6, digits - 1 - math.floor(math.log10(abs(value)))))


def rounded(value: float, digits: int = 4) -> float:
    """``value`` with ``digits`` significant digits, as the shortest number that says it."""
    if value == 0 or not math.isfinite(value):
        return value
    short = float(f"{value:.{digits}g}")
    return int(short) if short.is_integer() and abs(short) < 1e15 else short


def compact(value: float | None) -> str:
    """A count in three significant digits: ``20,900``, ``1.24 M``, ``3.1 G``."""
    if value is None or not math.isfinite(value):
        return NONE
    for bound, unit in ((1e9, "G"), (1e6, "M")):
        if abs(value) >= bound:
            return number(rounded(value / bound, 3)) + THIN + unit
    return number(float(f"{value:.3g}") if abs(value) >= 1000 else value, 0 if abs(value) >= 10 else None)


def percent(share: float | None, digits: int = 1, *, sign: bool = False) -> str:
    """A share (0 to 1) as ``5.8 %``; whole percents for 0 and from 99.95 % on are left alone."""
    if share is None or not math.isfinite(share):
        return NONE
    return number(share * 100, digits, sign=sign) + THIN + "%"


def metric_value(value: float | None, name: str) -> str:
    """The value of a metric as it is written everywhere: AUC 0.754, PSI 3.43 or ``< 0.01``, RMSE 51.1."""
    if value is None or not math.isfinite(value):
        return NONE
    if name in DRIFT_SCORES:
        return f"<{THIN}0.01" if 0 <= value < 0.005 else number(value, 2)
    if name in THREE_DECIMALS:
        return number(value, 3)
    size = abs(value)
    if size >= 1e6:
        return compact(value)
    return number(value, 0 if size >= 1000 else 1 if size >= 1 else 3)


def milliseconds(value: float | None) -> str:
    """``118 ms``, from ten seconds on ``12.3 s``."""
    if value is None or not math.isfinite(value):
        return NONE
    if value >= 10_000:
        return number(value / 1000, 1) + THIN + "s"
    return number(value, 0 if value >= 10 else 1) + THIN + "ms"


def duration(span: timedelta | float | None) -> str:
    """A span (or seconds) in its largest fitting unit, rounded down: ``40 s``, ``12 min``, ``3 h``, ``23 d``."""
    if span is None:
        return NONE
    seconds = span.total_seconds() if isinstance(span, timedelta) else float(span)
    if not math.isfinite(seconds):
        return NONE
    seconds = max(0.0, seconds)
    for size, unit, until in ((1, "s", 90), (60, "min", 90 * 60), (3600, "h", 48 * 3600)):
        if seconds < until:
            return f"{int(seconds // size)}{THIN}{unit}"
    return f"{int(seconds // 86400):,}{THIN}d"


def day(moment: datetime, *, weekday: bool = True, year: int | None = None) -> str:
    """``Tue 2 Jul``; the year is added when it is not ``year``."""
    text = f"{moment.day} {moment:%b}"
    if weekday:
        text = f"{moment:%a} {text}"
    return text if year is None or moment.year == year else f"{text} {moment.year}"


def clock(moment: datetime) -> str:
    """``14:00``."""
    return f"{moment:%H:%M}"


def stamp(moment: datetime | None, zone: tzinfo, now: datetime) -> str:
    """``Tue 2 Jul 10:00`` in ``zone``, with the year only when it is another one."""
    if moment is None:
        return NONE
    local = moment.astimezone(zone)
    return f"{day(local, year=now.astimezone(zone).year)} {clock(local)}"


def since(moment: datetime | None, zone: tzinfo, now: datetime) -> str:
    """``since Tue 14:00 (3 d)``; from a week on with the date."""
    if moment is None:
        return ""
    local = moment.astimezone(zone)
    if now - moment < timedelta(days=6):
        return f"since {local:%a} {clock(local)} ({duration(now - moment)})"
    return f"since {stamp(moment, zone, now)} ({duration(now - moment)})"


def span_of_days(start: datetime, end: datetime, year: int | None = None) -> str:
    """``25 Jun – 24 Jul`` for the half-open span [start, end), ``16 – 22 Jul`` inside one month.

    The year is added where it ends in another one than ``year``.
    """
    last = end - timedelta(microseconds=1)
    until = day(last, weekday=False, year=year)
    if start.date() == last.date():
        return until
    if (start.year, start.month) == (last.year, last.month):
        return f"{start.day} – {until}"
    return f"{day(start, weekday=False)} – {until}"


def count(n: int, singular: str, plural: str = "") -> str:
    """``1 feature``, ``1,204 features``."""
    return f"{n:,} {singular if n == 1 else plural or singular + 's'}"


def bin_noun(step: timedelta) -> str:
    """What a bin of a chart is called in a sentence: ``hour``, ``day``, ``week``, else ``bin``."""
    return {1: "hour", 24: "day", 168: "week"}.get(int(step / timedelta(hours=1)), "bin")


def within(step: timedelta) -> str:
    """The word before a number of bins: ``on`` 3 days, ``in`` 3 hours."""
    return "on" if bin_noun(step) == "day" else "in"


def every(n: int, singular: str) -> str:
    """``all 30 days``, ``the only day``."""
    return f"all {n:,} {singular}s" if n != 1 else f"the only {singular}"


def listed(names: Sequence[str], limit: int = 3) -> str:
    """``a, b and c``; beyond ``limit`` names ``a, b and 4 more``."""
    if len(names) > limit:
        rest = len(names) - (limit - 1)
        return f"{', '.join(names[: limit - 1])} and {rest} more"
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def shortened(text: str, limit: int) -> str:
    """``text`` cut to ``limit`` characters with an ellipsis."""
    return text if len(text) <= limit else text[: max(1, limit - 1)].rstrip() + "…"
