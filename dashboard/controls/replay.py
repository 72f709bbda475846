"""What proposed settings would have made of the past, beside the present ones: plain numbers and words for the page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from dashboard.charts import words
from monitoring.backtest import AreaResult, Comparison, Past
from monitoring.configuration.edits import Edit
from monitoring.configuration.fields import Section
from monitoring.incidents.play import Played
from monitoring.models import Area, Status

DAY = timedelta(days=1)
#: How many days stand before the first tracked one in the strips.
LEAD = 7
#: The most bars of the wide kind.
WIDE = 38
LISTED = 6


@dataclass(frozen=True)
class Row:
    """One line of the table. `tone`: the verdict on the change; "" for neither good nor bad."""

    word: str
    now: str
    proposed: str
    change: float
    unit: str = ""
    tone: str = ""
    status: str = ""


@dataclass(frozen=True)
class Episode:
    """One incident as the proposed settings would have made it."""

    when: str
    lasted: str
    worst: str
    reason: str


@dataclass(frozen=True)
class Replay:
    """Everything beside the form."""

    finding: str
    caption: str
    now: tuple[str, ...]
    proposed: tuple[str, ...]
    size: str
    first: date
    last: date
    rows: tuple[Row, ...]
    episodes: tuple[Episode, ...]
    more: int
    missed: str
    limits: tuple[str, ...]

    @property
    def status(self) -> str:
        """The colour of the tick: what the proposed settings end in."""
        return next((one for one in reversed(self.proposed) if one in (Status.FAILING, Status.WARNING)), "")


def replay(past: Past, found: Comparison, section: Section, changes: Sequence[Edit]) -> Replay | None:
    """The section's area under both settings; None where no day of the past can be judged."""
    area = section.area
    now = found.current.areas.get(area) if area is not None else None
    new = found.proposed.areas.get(area) if area is not None else None
    if area is None or now is None or new is None:
        return None
    days = _shown(past, now, new)
    episodes = _episodes(new, past.until)
    return Replay(
        finding=_finding(now, new, days),
        caption=_caption(days, bool(changes)),
        now=tuple(_bar(now, day) for day in days),
        proposed=tuple(_bar(new, day) for day in days),
        size="backtest" if len(days) <= WIDE else "replay",
        first=days[0],
        last=days[-1],
        rows=tuple(_rows(now, new, found, area)),
        episodes=episodes[:LISTED],
        more=max(0, len(episodes) - LISTED),
        missed=_missed(now, new, found, area),
        limits=_limits(now, changes),
    )


def _shown(past: Past, *results: AreaResult) -> tuple[date, ...]:
    """The days of the past from a week before the first that is tracked."""
    tracked = [day for result in results for day, status in result.days.items() if status.is_verdict]
    first = min(tracked, default=past.days[-1]) - LEAD * DAY
    return tuple(day for day in past.days if day >= first)


def _bar(result: AreaResult, day: date) -> str:
    return str(result.days.get(day, Status.NOT_STARTED).value)


def _tracked(result: AreaResult) -> int:
    return sum(status.is_verdict for status in result.days.values())


def _finding(now: AreaResult, new: AreaResult, days: Sequence[date]) -> str:
    """`Failing on 12 of the last 23 tracked days instead of 23; 7 mails instead of 8`."""
    failing, before = len(new.failing_days), len(now.failing_days)
    mails, then = len(new.told), len(now.told)
    instead = "as now" if failing == before else f"instead of {before}"
    written = "as now" if mails == then else f"instead of {then}"
    tracked = words.count(_tracked(new), "tracked day")
    return f"Failing on {failing} of the last {tracked} {instead}; {words.count(mails, 'mail')} {written}"


def _caption(days: Sequence[date], changed: bool) -> str:
    span = f"{days[0].day}\u202f{days[0]:%b} \u2013 {days[-1].day}\u202f{days[-1]:%b}"
    if changed:
        return f"Both settings replayed over stored results, {span}. Nothing is saved yet."
    return f"The present settings replayed over stored results, {span}. Change a value to compare."


def _rows(now: AreaResult, new: AreaResult, found: Comparison, area: Area) -> Iterable[Row]:
    yield _count("Days failing", len(now.failing_days), len(new.failing_days), "failing", fewer="passing")
    yield _count("Days at risk", len(now.warning_days), len(new.warning_days), "warning")
    yield _count("Incidents", len(now.incidents), len(new.incidents), fewer="passing")
    yield _count("Mails", len(now.told), len(new.told), fewer="passing")
    runs = (_longest(now.failing_days), _longest(new.failing_days))
    yield Row("Longest failing run", _days(runs[0]), _days(runs[1]), runs[1] - runs[0], "d", _tone(runs, "passing"))
    if (both := _beside(found, area)) is not None:
        other, before, after = both
        yield Row(
            f"Days failing while {Area.ACCURACY.label.lower()} was failing",
            f"{before} of {other}",
            f"{after} of {other}",
            after - before,
            tone=_tone((before, after), "failing"),
        )


def _count(word: str, now: int, new: int, status: str = "", *, fewer: str = "") -> Row:
    return Row(word, words.number(now), words.number(new), new - now, tone=_tone((now, new), fewer), status=status)


def _tone(pair: tuple[int, int], fewer: str) -> str:
    return fewer if pair[1] < pair[0] else ""


def _days(count: int) -> str:
    return f"{count}\u202fd"


def _longest(days: Sequence[date]) -> int:
    """The longest run of days that follow each other."""
    best = run = 0
    before: date | None = None
    for day in days:
        run = run + 1 if before is not None and day - before == DAY else 1
        best, before = max(best, run), day
    return best


def _beside(found: Comparison, area: Area) -> tuple[int, int, int] | None:
    """Days on which accuracy failed, and on how many of them this area does, before and after."""
    accuracy = found.current.areas.get(Area.ACCURACY)
    if area is Area.ACCURACY or accuracy is None or not accuracy.failing_days:
        return None
    failing = set(accuracy.failing_days)
    now, new = found.current.areas[area], found.proposed.areas[area]
    return len(failing), len(failing & set(now.failing_days)), len(failing & set(new.failing_days))


def _missed(now: AreaResult, new: AreaResult, found: Comparison, area: Area) -> str:
    """`On 7, 8, 20 and 21 Jul accuracy was failing and drift would not have been.`"""
    accuracy = found.current.areas.get(Area.ACCURACY)
    if area is not Area.ACCURACY and accuracy is not None:
        lost = sorted(set(accuracy.failing_days) & set(now.failing_days) - set(new.failing_days))
        if lost:
            return f"On {_dates(lost)} accuracy was failing and {area.label.lower()} would not have been."
    gone = len(now.incidents) - len(new.incidents)
    return f"{words.count(gone, 'incident')} of this past would not have been opened." if gone > 0 else ""


def _dates(days: Sequence[date]) -> str:
    """`7 Jul, 8 Jul and 3 more`."""
    shown = [f"{day.day}\u202f{day:%b}" for day in days[:4]]
    if len(days) > len(shown):
        return f"{', '.join(shown)} and {len(days) - len(shown)} more days"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def _episodes(result: AreaResult, until: datetime) -> tuple[Episode, ...]:
    """Newest first."""
    return tuple(_episode(one, until) for one in reversed(result.incidents))


def _episode(one: Played, until: datetime) -> Episode:
    began, ended = one.course.began_at, one.course.resolved_at
    start, end = words.day(began), words.day(ended) if ended is not None else "now"
    return Episode(
        when=start if start == end else f"{start} \u2013 {end}",
        lasted=words.duration((ended or until) - began),
        worst=str(one.course.worst.value),
        reason=one.reason,
    )


def _limits(now: AreaResult, changes: Sequence[Edit]) -> tuple[str, ...]:
    """What this replay cannot see, in words."""
    found = []
    paths = {change.field.path[-1] for change in changes}
    if "timeInterval" in paths:
        found.append("The window is replayed as it was: answers over another window were never asked for.")
    if "batchCount" in paths:
        found.append("How many batches are looked at is not replayed.")
    if not now.exact:
        found.append("Some days are known by their own numbers only, not by the window that health looks at.")
    found.append(
        "Other areas stand as recorded. Nobody acts in a replay, and what a fleet incident would have held back is "
        "counted. Mails: those of one reader who hears everything at once."
    )
    return tuple(found)
