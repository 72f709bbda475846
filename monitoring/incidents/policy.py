"""How patient incidents are. The defaults are right without any set-up; a team may choose its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from monitoring.models import AlertPolicy, Area, Delivery, Status, Whom

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
#: Gaps between reminders, in units of the team's own: they grow, so that nobody learns to overlook them.
REMINDERS = (1, 2, 4, 7)
#: Trouble that never lasted for the pending period opens an incident after this many times as many turns as flapping.
UNOPENED_TURNS = 2


@dataclass(frozen=True, slots=True)
class AreaPolicy:
    """What one area has of its own; None and 0: as everywhere else.

    `severity`: steps that its incidents weigh more or less. `delivery` and `whom` hold where no rule decides.
    """

    opens_at: Status | None = None
    pending: timedelta | None = None
    severity: int = 0
    delivery: Delivery | None = None
    whom: Whom = Whom.EVERYBODY

    @property
    def is_default(self) -> bool:
        return self == AreaPolicy()

    def to_json(self) -> dict[str, Any]:
        """What differs from the default, as the row keeps it; times in minutes."""
        found: dict[str, Any] = {}
        if self.opens_at is not None:
            found["opens_at"] = self.opens_at.value
        if self.pending is not None:
            found["pending_minutes"] = int(self.pending / MINUTE)
        if self.severity:
            found["severity"] = self.severity
        if self.delivery is not None:
            found["delivery"] = self.delivery.value
        if self.whom is not Whom.EVERYBODY:
            found["whom"] = self.whom.value
        return found

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> AreaPolicy:
        """The inverse of `to_json`."""
        pending = stored.get("pending_minutes")
        return cls(
            opens_at=Status(stored["opens_at"]) if "opens_at" in stored else None,
            pending=pending * MINUTE if pending is not None else None,
            severity=stored.get("severity", 0),
            delivery=Delivery(stored["delivery"]) if "delivery" in stored else None,
            whom=Whom(stored.get("whom", Whom.EVERYBODY)),
        )


@dataclass(frozen=True, slots=True)
class Policy:
    """The times that the state machine and the decisions to tell go by.

    A zero `remind` or `escalate` switches it off.
    """

    opens_at: Status = Status.WARNING  # the least status that is trouble
    pending: timedelta = 10 * MINUTE  # trouble opens an incident once it has lasted this long
    first_pending: timedelta = MINUTE  # the same for trouble that the watcher found at its first look
    recovery: timedelta = 30 * MINUTE  # an incident closes once all has been well for this long
    reopen_within: timedelta = DAY  # trouble that returns within this joins the incident that was closed
    flap_turns: int = 3  # that many turns from well to trouble …
    flap_window: timedelta = DAY  # … within this are flapping
    calm: timedelta = 6 * HOUR  # flapping ends after this long without a turn
    remind: timedelta = DAY
    escalate: timedelta = 4 * HOUR
    fleet_size: int = 3  # deployments with one cause make one fleet incident …
    fleet_window: timedelta = HOUR  # … if their trouble began within this
    source_grace: timedelta = 10 * MINUTE  # a source is missed once it was silent for this long
    severity: int = 0  # steps that an incident weighs more or less
    areas: Mapping[str, AreaPolicy] = field(default_factory=dict, hash=False)  # what areas have of their own

    def for_area(self, area: str) -> Policy:
        """The same with what the area has of its own."""
        own = self.areas.get(area)
        if own is None:
            return self
        pending = self.pending if own.pending is None else own.pending
        return replace(
            self,
            opens_at=self.opens_at if own.opens_at is None else own.opens_at,
            pending=pending,
            first_pending=min(Policy().first_pending, pending),
            severity=own.severity,
        )

    def for_source(self) -> Policy:
        """A source either answers or does not: it is missed after its grace, and back with its first answer."""
        return replace(
            self,
            opens_at=Status.FAILING,
            pending=self.source_grace,
            first_pending=self.source_grace,
            recovery=timedelta(0),
        )


def policy_of(row: AlertPolicy | None) -> Policy:
    """What the team chose; the defaults where it has no row."""
    if row is None:
        return Policy()
    return Policy(
        opens_at=Status(row.opens_at),
        pending=row.pending_minutes * MINUTE,
        first_pending=min(Policy().first_pending, row.pending_minutes * MINUTE),
        recovery=row.recovery_minutes * MINUTE,
        reopen_within=row.reopen_minutes * MINUTE,
        flap_turns=max(2, row.flap_turns),
        flap_window=row.flap_minutes * MINUTE,
        calm=row.calm_minutes * MINUTE,
        remind=row.remind_minutes * MINUTE,
        escalate=row.escalate_minutes * MINUTE,
        fleet_size=max(2, row.fleet_size),
        fleet_window=row.fleet_minutes * MINUTE,
        source_grace=row.source_grace_minutes * MINUTE,
        areas=areas_of(row),
    )


def areas_of(row: AlertPolicy | None) -> dict[str, AreaPolicy]:
    """What areas have of their own, by their names; an area that is not named has nothing."""
    stored = row.areas if row is not None else {}
    return {area.value: AreaPolicy.from_json(stored[area]) for area in Area if area in stored}
