"""Who hears what, when, and why: pure; the rule is the table in its test.

In order: 1. a deployment that a person muted is not heard; 2. an unanswered incident is heard by those whom a rule
names for it, else by the team's owners and managers and its channels; 3. a deployment that a person subscribed to is
heard at once; 4. who wants no mail hears nothing; 5. the first rule that matches and names the addressee decides;
6. else what the team's alert policy says of the area, if it says something; whom it does not name has it in the digest;
7. else failing is told at once, and so is at risk, save for deployments of low importance, which wait for the digest.
What is told at once waits for the rule's hours, and for the person's own unless it breaks through.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from monitoring.incidents.policy import AreaPolicy
from monitoring.models import Breaks, Delivery, Importance, Severity, Status, Whom

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Hours:
    """Weekdays (Monday = 0; empty: all) and the time from `start` to `end`, over midnight where `end` is not later."""

    zone: ZoneInfo
    days: frozenset[int] = frozenset()
    start: time = time(0)
    end: time = time(0)

    def hold(self, moment: datetime) -> bool:
        """Whether the moment lies within; a night belongs to the day on which it began."""
        local = moment.astimezone(self.zone)
        clock = local.time()
        if self.start < self.end:
            return self._on(local) and self.start <= clock < self.end
        return (self._on(local) and clock >= self.start) or (self._on(local - DAY) and clock < self.end)

    def next(self, moment: datetime) -> datetime:
        """The first moment not before this one that lies within, in UTC."""
        if self.hold(moment):
            return moment
        local = moment.astimezone(self.zone)
        for ahead in range(9):
            day = (local + ahead * DAY).date()
            at = datetime.combine(day, self.start, self.zone)
            if at >= local and self._on(at):
                return at.astimezone(UTC)
        return moment

    def _on(self, local: datetime) -> bool:
        return not self.days or local.weekday() in self.days


@dataclass(frozen=True, slots=True)
class Happening:
    """What is to be told. `status` is the worst that the message is about: a recovery is routed as its trouble was."""

    status: Status
    severity: Severity
    importance: str = ""
    area: str = ""
    tags: frozenset[str] = frozenset()
    watched: frozenset[int] = frozenset()
    escalation: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of the team; `names` are keys of addressees, None for everybody."""

    name: str
    importances: frozenset[str] = frozenset()
    areas: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    only_failing: bool = False
    escalation: bool = False
    delivery: Delivery = Delivery.NOW
    names: frozenset[str] | None = None
    hours: Hours | None = None


@dataclass(frozen=True, slots=True)
class Hearer:
    """An addressee as the rules see it. A channel has no wishes of its own."""

    key: str
    wants: bool = True
    is_channel: bool = False
    answers: bool = False  # owner, manager or channel: called when nobody answers
    muted: frozenset[int] = frozenset()
    subscribed: frozenset[int] = frozenset()
    hours: Hours | None = None
    breaks_through: Breaks = Breaks.FAILING


@dataclass(frozen=True, slots=True)
class Hearing:
    """The decision for one addressee; `at` is when, where it is told at once."""

    key: str
    delivery: Delivery
    why: str
    at: datetime


def who_hears(
    what: Happening,
    hearers: Sequence[Hearer],
    rules: Sequence[Rule],
    now: datetime,
    areas: Mapping[str, AreaPolicy] | None = None,
) -> list[Hearing]:
    """One decision for each addressee, in their order. `areas`: what the team's policy says of single areas."""
    fitting = [rule for rule in rules if _matches(rule, what)]
    own = (areas or {}).get(what.area) or AreaPolicy()
    return [_decide(what, hearer, fitting, now, own) for hearer in hearers]


def _decide(what: Happening, hearer: Hearer, rules: Sequence[Rule], now: datetime, own: AreaPolicy) -> Hearing:
    def hearing(delivery: Delivery, why: str, at: datetime = now) -> Hearing:
        return Hearing(hearer.key, delivery, why, at)

    if what.watched and what.watched <= hearer.muted:
        return hearing(Delivery.NEVER, "muted by themselves")
    rule = next((rule for rule in rules if rule.names is None or hearer.key in rule.names), None)
    if what.escalation:
        named = rule is not None or (not rules and hearer.answers and own.delivery is not Delivery.NEVER)
        return hearing(*((Delivery.NOW, "nobody answered") if named else (Delivery.NEVER, "not named for escalation")))
    if what.watched & hearer.subscribed:
        return hearing(Delivery.NOW, "subscribed to it")
    if not hearer.wants:
        return hearing(Delivery.NEVER, "wants no mail")
    delivery, why = (rule.delivery, f"rule {rule.name}") if rule is not None else _default(what, hearer, own)
    if delivery is not Delivery.NOW:
        return hearing(delivery, why)
    at = rule.hours.next(now) if rule is not None and rule.hours is not None else now
    if hearer.hours is not None and not _breaks(what, hearer):
        at = hearer.hours.next(at)
    return hearing(delivery, why if at == now else f"{why}, waits for working hours", at)


def _default(what: Happening, hearer: Hearer, own: AreaPolicy) -> tuple[Delivery, str]:
    if own.delivery is Delivery.NEVER:
        return Delivery.NEVER, "by the policy for this area"
    if not _is_meant(hearer, own.whom):
        rest = Delivery.NEVER if hearer.is_channel else Delivery.DIGEST  # a channel has no digest
        return rest, "not named by the policy for this area"
    if own.delivery is not None:
        return own.delivery, "the policy for this area"
    if what.status != Status.FAILING and what.importance == Importance.LOW:
        return Delivery.DIGEST, "at risk and of low importance"
    return Delivery.NOW, "the default"


def _is_meant(hearer: Hearer, whom: Whom) -> bool:
    if whom is Whom.ANSWERING:
        return hearer.answers
    return whom is Whom.EVERYBODY or hearer.is_channel is (whom is Whom.CHANNELS)


def _breaks(what: Happening, hearer: Hearer) -> bool:
    if hearer.breaks_through is Breaks.FAILING:
        return what.status == Status.FAILING
    return hearer.breaks_through is Breaks.CRITICAL and what.severity >= Severity.CRITICAL


def _matches(rule: Rule, what: Happening) -> bool:
    if rule.escalation != what.escalation:
        return False
    if rule.only_failing and what.status != Status.FAILING:
        return False
    # A deployment without a set importance counts as of high importance: nobody said that it may wait.
    importance = what.importance or Importance.HIGH
    return (
        (not rule.importances or importance in rule.importances)
        and (not rule.areas or what.area in rule.areas)
        and (not rule.tags or bool(rule.tags & what.tags))
    )
