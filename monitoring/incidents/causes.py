"""Why deployments may be in trouble at once, and which of them are. Pure.

A cause is a key that is equal for equal causes. Incidents of one team that share one, and began at about the same time,
become one fleet incident.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from monitoring.models import Area, Watched

#: A model that was put in place this long before the trouble may be its cause.
RELEASE_WINDOW = timedelta(days=3)
#: What is found in trouble at the first look began at unknown times: it takes more to make one incident of it.
FIRST_LOOK_FACTOR = 10
#: Drifted features that are kept as causes.
FEATURES = 10


class Cause(NamedTuple):
    """`words` complete "… : " in a sentence: `drift of carrier`."""

    key: str
    words: str


def causes_of(
    watched: Watched, area: Area, evidence: Mapping[str, Any], since: datetime, *, first: bool
) -> list[Cause]:
    """What the trouble may come from, most telling first."""
    found = [Cause(f"feature:{name}", f"drift of {name}") for name in _drifted(evidence)] if area is Area.DRIFT else []
    if (release := _release(watched, since)) is not None:
        found.append(release)
    if (server := _server(watched)) is not None:
        key, name = server
        found.append(Cause(f"server:{key}:{area.value}", f"{area.label.lower()} on {name}"))
    if first:
        return [*found, Cause(f"first:{watched.source_id}", f"first look at {watched.source.name}")]
    return [
        *found,
        Cause(f"source:{watched.source_id}:{area.value}", f"{area.label.lower()} at {watched.source.name}"),
    ]


def _drifted(evidence: Mapping[str, Any]) -> list[str]:
    """Names of the drifted features, the furthest first."""
    listed = [one for name in ("highImportance", "lowImportance") for one in evidence.get(name) or []]
    scored = [one for one in listed if isinstance(one, dict) and one.get("name")]
    scored.sort(key=lambda one: -(one.get("score") or 0.0))
    return [str(one["name"]) for one in scored[:FEATURES]]


def _release(watched: Watched, since: datetime) -> Cause | None:
    """A replacement (not the first model) shortly before: those of one day are one release."""
    at, created = watched.model_deployed_at, watched.created_at_source
    if at is None or not at <= since <= at + RELEASE_WINDOW:
        return None
    if created is not None and at - created < timedelta(hours=1):
        return None
    return Cause(f"release:{at:%Y-%m-%d}", f"models replaced on {at.day} {at:%b}")


def _server(watched: Watched) -> tuple[str, str] | None:
    """The prediction environment, else the default prediction server."""
    listing = watched.listing if isinstance(watched.listing, dict) else {}
    for field in ("predictionEnvironment", "defaultPredictionServer"):
        found = listing.get(field)
        if isinstance(found, dict) and found.get("id"):
            return str(found["id"])[:80], str(found.get("name") or found.get("url") or found["id"])[:120]
    return None


@dataclass(frozen=True, slots=True)
class Suspect:
    """One area in trouble that is in no fleet incident: `opens` now, or is open or pending already."""

    id: int
    watched_id: int
    causes: Sequence[Cause]
    since: datetime
    opens: bool


def group(
    suspects: Sequence[Suspect], standing: Mapping[str, datetime], *, size: int, window: timedelta
) -> dict[int, Cause]:
    """Which of the opening ones belong to which fleet incident, by the suspects' ids.

    `standing`: the causes of open fleet incidents, each with the time at which the trouble of its newest member began;
    it takes in whoever shares the cause within `window` of that. Anything else needs `size` different deployments,
    pending ones included, whose trouble began within `window` of each other. The first cause that is strong enough
    wins; of several features the one with most deployments.
    """
    by_cause: dict[str, list[Suspect]] = {}
    for one in suspects:
        for cause in one.causes:
            by_cause.setdefault(cause.key, []).append(one)
    newest = dict(standing)
    found: dict[int, Cause] = {}
    for one in sorted((one for one in suspects if one.opens), key=lambda one: (one.since, one.id)):
        chosen = _chosen(one, by_cause, newest, size, window)
        if chosen is not None:
            found[one.id] = chosen
            newest[chosen.key] = max(one.since, newest.get(chosen.key, one.since))
    return found


def _chosen(
    one: Suspect,
    by_cause: Mapping[str, Sequence[Suspect]],
    newest: Mapping[str, datetime],
    size: int,
    window: timedelta,
) -> Cause | None:
    strong: list[tuple[int, Cause]] = []
    for cause in one.causes:
        if cause.key in newest and one.since - newest[cause.key] <= window:
            return cause
        count = len({other.watched_id for other in by_cause[cause.key] if abs(other.since - one.since) <= window})
        is_feature = cause.key.startswith("feature:")
        if strong and not is_feature:
            break
        if count >= (size * FIRST_LOOK_FACTOR if cause.key.startswith("first:") else size):
            strong.append((count, cause))
            if not is_feature:
                break
    return max(strong, key=lambda pair: pair[0])[1] if strong else None


def alike(suspects: Sequence[Suspect], cause: str, since: datetime, window: timedelta) -> list[Suspect]:
    """Those that share a cause and began near `since`: the members of a fleet incident to be."""
    return [
        one
        for one in suspects
        if abs(one.since - since) <= window and any(candidate.key == cause for candidate in one.causes)
    ]
