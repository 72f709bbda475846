"""What is known about one deployment for a review: plain values, gathered from rows, judged by `agenda`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from monitoring.models import Area, Status


@dataclass(frozen=True, slots=True)
class DayValue:
    """The verdict of one UTC day and its one number."""

    day: date
    status: Status
    value: float | None = None


@dataclass(frozen=True, slots=True)
class AreaNow:
    """One area at the time of the agenda. `better`: +1 where more is better, −1 where less is.

    `ends_at` is the end of the judged window where the value is that of a past day; None for the present one.
    """

    status: Status
    reason: str = ""
    since: datetime | None = None
    metric: str = ""
    value: float | None = None
    better: int = -1
    days: tuple[DayValue, ...] = ()
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class IncidentFact:
    """One incident of the deployment; `answered` when somebody has acknowledged or taken it."""

    number: int
    area: str
    opened_at: datetime
    closed_at: datetime | None = None
    assignee: str = ""
    answered: bool = False


@dataclass(frozen=True, slots=True)
class SilenceFact:
    number: int
    ends_at: datetime
    owner: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Promise:
    """An action item that is still open."""

    number: int
    text: str
    due_on: date
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known about one deployment for a review."""

    watched_id: int
    label: str
    worst: Status
    areas: Mapping[Area, AreaNow] = field(default_factory=dict)
    importance: str = ""
    predictions_per_day: float | None = None
    first_seen_at: datetime | None = None
    models: tuple[tuple[str, datetime], ...] = ()
    settings: tuple[tuple[str, datetime], ...] = ()
    incidents: tuple[IncidentFact, ...] = ()
    silences: tuple[SilenceFact, ...] = ()
    promises: tuple[Promise, ...] = ()
    blind_spots: tuple[str, ...] = ()
    silent_since: datetime | None = None
    visited_at: datetime | None = None
    accepted: frozenset[str] = frozenset()
