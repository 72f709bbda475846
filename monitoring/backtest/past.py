"""The past of a deployment, as it was answered: what each verdict was made from, not what it was.

Of data drift, accuracy, fairness and custom metrics (the last two in `areas`) every stored answer is kept: those that
the watcher got live and, of the first two, those about windows that ended on days before it looked. Days that have
neither are made of that day's own bucket. Verdicts that no setting here can change (service health, and areas whose
answers are not stored) are taken as they were recorded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar

from metrics.fairness import FAIRNESS_THRESHOLD
from metrics.health import FeatureDrift
from metrics.wording import duration
from monitoring import client, days, snapshots
from monitoring import questions as q
from monitoring.backtest.areas import (
    AreaPast,
    CustomPoint,
    FairnessPoint,
    custom_days,
    custom_points,
    fairness_days,
    fairness_points,
    live_questions,
    series_questions,
)
from monitoring.clock import DAY, floor_day, parse_duration
from monitoring.health import baseline_of, features_of
from monitoring.health.accuracy import rows_of
from monitoring.incidents.play import Seen
from monitoring.models import Area, Status, Watched
from monitoring.poll import past
from monitoring.poll.facts import fact_questions, facts_of, shaped
from monitoring.poll.standing import Facts, accuracy_metrics
from monitoring.questions import Between, Last, Mature
from monitoring.snapshots import Snapshot

_DAY_ONLY = "that day"
#: Areas whose verdicts follow from stored answers and the health settings.
JUDGED = (Area.DRIFT, Area.ACCURACY)


@dataclass(frozen=True, slots=True)
class DriftPoint:
    """The drift of the features over one window, as known at a time."""

    at: datetime
    features: tuple[FeatureDrift, ...]
    window: str
    exact: bool = True


@dataclass(frozen=True, slots=True)
class AccuracyPoint:
    """Accuracy over one window: metric -> (value, baseline), and the rows that were scored."""

    at: datetime
    metrics: Mapping[str, tuple[float | None, float | None]]
    rows: int
    ever: bool
    window: str
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Past:
    """`days` are whole UTC days, oldest first, the last of them today; `until` is now."""

    days: tuple[date, ...]
    until: datetime
    importance: str
    target_type: str
    settings: client.HealthSettings
    drift: tuple[DriftPoint, ...]
    accuracy: tuple[AccuracyPoint, ...]
    recorded: Mapping[Area, tuple[Seen, ...]]
    areas: AreaPast = field(default_factory=AreaPast)

    def is_exact(self, area: Area) -> bool:
        """False where some days are known by their own bucket only, not by the window that health looks at."""
        points: Mapping[Area, Sequence[DriftPoint | AccuracyPoint | FairnessPoint | CustomPoint]] = {
            Area.DRIFT: self.drift,
            Area.ACCURACY: self.accuracy,
            Area.FAIRNESS: self.areas.fairness,
            Area.CUSTOM_METRICS: self.areas.custom,
        }
        return all(point.exact for point in points.get(area, ()))


def past_of(watched: Watched, now: datetime, *, length: int = 90) -> Past:
    """Reads the past `length` days: a fixed number of statements."""
    today = floor_day(now)
    start = today - (length - 1) * DAY
    facts = facts_of(watched, snapshots.read(watched, fact_questions(watched), now=now), now)
    span = Between(start - parse_duration(facts.interval), today + DAY)
    known = snapshots.read(watched, _series(facts, span), now=now)
    questions = {
        past.DRIFT: q.feature_drift(Last(facts.interval)).key,
        "target": q.target_drift(Last(facts.interval)).key,
        past.ACCURACY: q.accuracy(Mature(facts.interval, 0)).key,
    }
    keys = [*questions.values(), past.key_of(past.DRIFT), past.key_of(past.ACCURACY)]
    keys += [question.key for question in live_questions(facts)]
    stored = past.stored(watched, keys, start)
    window = duration(parse_duration(facts.interval))
    drift = _drift(stored[questions[past.DRIFT]], stored[past.key_of(past.DRIFT)], stored[questions["target"]], window)
    accuracy = _accuracy(
        [*stored[past.key_of(past.ACCURACY)], *stored[questions[past.ACCURACY]]], known, facts, span, window, now
    )
    dates = tuple((start + number * DAY).date() for number in range(length))
    settings = shaped(client.HealthSettings, known.payload(q.health_settings()))
    return Past(
        days=dates,
        until=now,
        importance=watched.importance,
        target_type=watched.target_type,
        settings=settings,
        drift=_filled(drift, _drift_days(known, facts, span), dates),
        accuracy=_filled(accuracy, _accuracy_days(known, facts, span, now), dates),
        recorded=_recorded(watched, dates, now),
        areas=_areas(stored, known, facts, span, window, dates),
    )


def _series(facts: Facts, span: Between) -> list[q.Question]:
    asked = [q.health_settings(), q.settings(), q.custom_metrics(), q.predictions_vs_actuals_over_time(span)]
    asked += series_questions(facts, span)
    asked += [q.feature_drift_over_time(name, span) for name in facts.features]
    return asked + [q.accuracy_over_time(metric, span) for metric in accuracy_metrics(facts)]


def day_of(at: datetime) -> date:
    """The day that a verdict is about: one made at midnight is about the day that ended."""
    return (at - timedelta(microseconds=1)).date()


Stored = Sequence[tuple[datetime, object, bool]]
P = TypeVar("P", DriftPoint, AccuracyPoint, FairnessPoint, CustomPoint)


def _ordered(live: Stored, rebuilt: Stored) -> list[tuple[datetime, object, bool]]:
    """Days that were seen live stay as they were seen."""
    seen = {day_of(at) for at, _, past_ in live if not past_}
    return sorted([*live, *(one for one in rebuilt if day_of(one[0]) not in seen)], key=lambda one: one[0])


def _payload(found: object) -> dict[str, object]:
    return found if isinstance(found, dict) else {}


# --- Data drift ---------------------------------------------------------------------------------------------------


def _drift(live: Stored, rebuilt: Stored, targets: Stored, window: str) -> list[DriftPoint]:
    """One point for each answer, with the target's drift as known then."""
    points = []
    times = [at for at, _, _ in targets]
    for at, payload, is_past in _ordered(live, rebuilt):
        newest = sum(1 for moment in times if moment <= at) - 1
        target = None
        if newest >= 0 and not is_past:
            target = shaped(client.TargetDrift, _payload(targets[newest][1]))
        features = features_of(shaped(client.Drift, _payload(payload)), target)
        points.append(DriftPoint(at, tuple(features), window))
    return points


def _drift_days(known: Snapshot, facts: Facts, span: Between) -> dict[date, DriftPoint]:
    found: dict[date, list[FeatureDrift]] = {}
    for name in facts.features:
        for day, feature in days.features_by_day(known.series(q.feature_drift_over_time(name, span)), name):
            found.setdefault(day, []).append(feature)
    return {day: DriftPoint(_end(day), tuple(features), _DAY_ONLY, exact=False) for day, features in found.items()}


# --- Accuracy -----------------------------------------------------------------------------------------------------


def _accuracy(
    answers: Stored, known: Snapshot, facts: Facts, span: Between, window: str, now: datetime
) -> list[AccuracyPoint]:
    live = [one for one in answers if not one[2]]
    lag = facts.label_lag or timedelta(0)
    rebuilt = [one for one in answers if one[2] and one[0] + lag <= now]
    view = known.series(q.predictions_vs_actuals_over_time(span))
    points = []
    for at, payload, _ in _ordered(live, rebuilt):
        answer = shaped(client.Accuracy, _payload(payload))
        rows, ever, _waiting = rows_of(view, answer)
        metrics = {
            name: (one.value, one.baseline_value) for name, one in (answer.metrics or {}).items() if one is not None
        }
        points.append(AccuracyPoint(at, metrics, rows, ever, window))
    return points


def _accuracy_days(known: Snapshot, facts: Facts, span: Between, now: datetime) -> dict[date, AccuracyPoint]:
    lag = facts.label_lag or timedelta(0)
    metrics: dict[date, dict[str, tuple[float | None, float | None]]] = {}
    rows: dict[date, int] = {}
    for name in accuracy_metrics(facts):
        view = known.series(q.accuracy_over_time(name, span))
        for point in view.points if view is not None else ():
            if point.end + lag <= now and view is not None:
                day = point.start.date()
                metrics.setdefault(day, {})[name] = (point.number(), baseline_of(view.frame))
                rows[day] = max(rows.get(day, 0), round(point.number("sampleSize") or 0))
    return {
        day: AccuracyPoint(_end(day), found, rows[day], rows[day] > 0, _DAY_ONLY, exact=False)
        for day, found in metrics.items()
    }


def _filled(points: Sequence[P], by_day: Mapping[date, P], dates: Iterable[date]) -> tuple[P, ...]:
    """Points of days that have none of their own are made from the day's bucket; today is not over yet."""
    wanted = set(dates)
    seen = {day_of(point.at) for point in points}
    made = [point for day, point in by_day.items() if day in wanted and day not in seen and day != max(wanted)]
    kept = [point for point in points if day_of(point.at) in wanted]
    return tuple(sorted(kept + made, key=lambda one: one.at))


def _end(day: date) -> datetime:
    return datetime.combine(day, time(0), UTC) + DAY


# --- Fairness and custom metrics ----------------------------------------------------------------------------------


def _areas(
    stored: Mapping[str, Stored], known: Snapshot, facts: Facts, span: Between, window: str, dates: Sequence[date]
) -> AreaPast:
    bias = shaped(client.Settings, known.payload(q.settings())).bias_and_fairness
    threshold = bias.fairness_threshold if bias is not None else None
    classes, (values, names) = fairness_days(known, facts, span), custom_days(known, facts, span)
    by_day = {day: FairnessPoint(_end(day), tuple(found), exact=False) for day, found in classes.items()}
    custom = {day: CustomPoint(_end(day), found, names, _DAY_ONLY, exact=False) for day, found in values.items()}
    return AreaPast(
        fairness=_filled(fairness_points(stored, facts), by_day, dates),
        custom=_filled(custom_points(stored, facts, window), custom, dates),
        fairness_threshold=FAIRNESS_THRESHOLD if threshold is None else threshold,
    )


# --- As recorded --------------------------------------------------------------------------------------------------


def _recorded(watched: Watched, dates: Sequence[date], now: datetime) -> dict[Area, tuple[Seen, ...]]:
    """Live transitions at their times; days without one by the verdict of the day."""
    others = [area.value for area in Area if area not in JUDGED]
    found: dict[Area, list[Seen]] = {}
    live: set[tuple[str, date]] = set()
    turns = watched.transitions.filter(area__in=others, reconstructed=False, at__date__gte=dates[0]).order_by("at")
    for area, at, status, reason in turns.values_list("area", "at", "new", "reason"):
        found.setdefault(Area(area), []).append(Seen(at, Status(status), reason))
        live.add((area, at.date()))
    rows = watched.health_days.filter(area__in=others, day__gte=dates[0]).order_by("day")
    for area, day, status, reason in rows.values_list("area", "day", "status", "reason"):
        if (area, day) not in live:
            found.setdefault(Area(area), []).append(Seen(min(_end(day), now), Status(status), reason))
    return {area: tuple(sorted(seen, key=lambda one: one.at)) for area, seen in found.items()}
