"""The sentences that pages open with, computed from the same numbers as the rows below them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dashboard.charts import words
from monitoring.models import Status, Transition

WENT = {
    Status.FAILING: "is failing",
    Status.WARNING: "is at risk",
    Status.UNAVAILABLE: "went silent",
    Status.UNKNOWN: "has too little data",
    Status.NOT_STARTED: "has not started",
    Status.PASSING: "is passing again",
}


def fleet_headline(counts: Mapping[str, int], total: int, *, narrowed: bool = False) -> str:
    """`3 of 16 deployments are failing`; without one the next worst fact; never claims more than is known."""
    failing, risky = counts.get(Status.FAILING, 0), counts.get(Status.WARNING, 0)
    passing = counts.get(Status.PASSING, 0)
    noun = "matching deployment" if narrowed else "deployment"
    if not total:
        return "No deployment matches" if narrowed else "No deployment is watched yet"
    if failing:
        return f"{failing:,} of {words.count(total, noun)} {_are(failing)} failing"
    if risky:
        return f"{risky:,} of {words.count(total, noun)} {_are(risky)} at risk, none is failing"
    if passing == total:
        return f"All {total:,} {noun}s are passing" if total > 1 else f"The {noun} is passing"
    rest = f"{total - passing:,} cannot be judged"
    return f"{passing:,} of {words.count(total, noun)} {_are(passing)} passing, {rest}"


def fleet_note(served: float, news: Iterable[str]) -> str:
    """The line under the headline: what was served while failing, and what is new."""
    parts = []
    if served >= 1:
        parts.append(f"≈ {words.compact(served)} predictions served while failing.")
    fresh = list(news)
    if fresh:
        parts.append(f"New in 24\u202fh: {words.listed(fresh, 3)}.")
    return " ".join(parts)


def news(transitions: Iterable[Transition]) -> list[str]:
    """`Gate turnaround went silent`: one clause a deployment, newest first."""
    seen: dict[int, str] = {}
    for change in transitions:
        if change.watched_id not in seen:
            seen[change.watched_id] = f"{change.watched.label} {WENT[Status(change.new)]} ({_area(change)})"
    return list(seen.values())


def _area(change: Transition) -> str:
    return change.get_area_display().lower()


def _are(n: int) -> str:
    return "is" if n == 1 else "are"
