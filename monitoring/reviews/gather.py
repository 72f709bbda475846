"""Rows of monitoring as the facts that an agenda is made of, now or as of a past day, in some dozen statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import Any

from django.db.models import Max, Q, QuerySet

from metrics import ACCURACY_METRICS
from monitoring import conf, packing
from monitoring.clock import DAY, parse_time
from monitoring.evidence import RELATIVE_FAIRNESS
from monitoring.incidents.silences import covers
from monitoring.models import (
    ActionItem,
    ActionState,
    Answer,
    Area,
    HealthDay,
    Incident,
    ModelSeen,
    PageVisit,
    ReviewItem,
    ReviewPlan,
    ReviewVerdict,
    Silence,
    Source,
    Status,
    Topic,
    Watched,
)
from monitoring.reviews.agenda import LOOK_BACK
from monitoring.reviews.facts import AreaNow, DayValue, Facts, IncidentFact, Promise, SilenceFact

#: How many days before the meeting are read: two periods of a quarterly review would be more than trends need.
HISTORY = timedelta(days=62)
#: Older than this, what was known is taken from the days: rows that hold only the present do not tell the past.
PAST = timedelta(hours=1)
_SETTINGS = {"healthSettings/": "Health settings", "settings/": "Settings"}


def in_scope(plan: ReviewPlan) -> QuerySet[Watched]:
    """The deployments that a plan is about: of its team, by importance, and with one of its tags."""
    rows = Watched.objects.filter(source__team=plan.team_id, gone_at__isnull=True).select_related("source")
    if plan.importances:
        rows = rows.filter(importance__in=plan.importances)
    if plan.tags:
        tagged = Watched.objects.none()
        for tag in plan.tags:
            tagged |= Watched.objects.filter(tags__contains=[{"name": tag}])
        rows = rows.filter(pk__in=tagged.values("pk"))
    return rows.order_by("label", "pk")


def gather(plan: ReviewPlan, since: datetime, now: datetime, as_of: datetime) -> list[Facts]:
    """The facts of every deployment in scope, as known at `as_of`; `now` tells whether that is the past."""
    rows = list(in_scope(plan).filter(first_seen_at__lte=max(as_of, now)))
    ids = [row.pk for row in rows]
    past = now - as_of > PAST
    days = _days(ids, as_of, whole=past)
    models = _models(ids, as_of)
    settings = _settings_changes(ids, since, as_of)
    promises = _promises(ids, as_of)
    incidents, snoozes = _incidents(ids, as_of)
    silences = _silences(plan.team_id, rows, as_of)
    visits = dict(PageVisit.objects.filter(watched__in=ids).values_list("watched").annotate(at=Max("at")).order_by())
    accepted = _accepted(plan)
    silent = set(Source.objects.filter(team=plan.team_id, silent_since__isnull=False).values_list("pk", flat=True))
    found = []
    for row in rows:
        areas = areas_of(row, days.get(row.pk, {}), past=past)
        stale = not past and (row.source_id in silent or row.is_stale(now, conf.STALE_AFTER))
        found.append(
            Facts(
                watched_id=row.pk,
                label=row.label,
                worst=_worst(areas) if past else Status(row.worst),
                areas=areas,
                importance=row.importance,
                predictions_per_day=row.predictions_per_day,
                first_seen_at=row.first_seen_at,
                models=models.get(row.pk, ()),
                settings=settings.get(row.pk, ()),
                incidents=incidents.get(row.pk, ()),
                silences=(*snoozes.get(row.pk, ()), *silences.get(row.pk, ())),
                promises=promises.get(row.pk, ()),
                blind_spots=_blind_spots(row, areas),
                silent_since=(row.source.silent_since or row.polled_at or row.first_seen_at) if stale else None,
                visited_at=visits.get(row.pk),
                accepted=accepted.get(row.pk, frozenset()),
            )
        )
    return found


def areas_of(row: Watched, days: Mapping[str, Sequence[DayValue]], *, past: bool) -> dict[Area, AreaNow]:
    """The areas of a deployment: the verdicts of its row, or those of the newest day where the past is meant.

    A past value counts only where past days were judged by whole windows: the number of a single day beside that of a
    week would tell of a change that is none.
    """
    found = {}
    for area in Area:
        listed, health = tuple(days.get(area.value, ())), row.area_health(area.value)
        if area.value not in row.health and not listed:
            continue
        metric = str(health.get("metric") or "")
        known = listed[-1] if listed else None
        if past:
            status = known.status if known else Status.UNKNOWN
            value = known.value if known and row.history_at is not None else None
            ends_at = datetime.combine(known.day, time.min, UTC) + DAY if known else None
            found[area] = AreaNow(status, "", None, metric, value, better(metric), listed, ends_at)
        else:
            shown = health.get("value")
            found[area] = AreaNow(
                Status(health.get("status", Status.UNKNOWN)),
                str(health.get("reason") or ""),
                parse_time(health.get("since")),
                metric,
                float(shown) if isinstance(shown, int | float) else None,
                better(metric),
                listed,
            )
    return found


def better(metric: str) -> int:
    """+1 where more of the metric is better; fairness is better when high, drift
    scores, errors and what is not known when low."""
    if metric == RELATIVE_FAIRNESS:
        return 1
    info = ACCURACY_METRICS.get(metric)
    return info.direction.sign if info is not None else -1


def _worst(areas: Mapping[Area, AreaNow]) -> Status:
    counted = [area.status for area in areas.values() if area.status is not Status.UNAVAILABLE]
    return max(counted, key=lambda status: status.severity, default=Status.UNAVAILABLE)


def _days(ids: Sequence[int], as_of: datetime, *, whole: bool) -> dict[int, dict[str, list[DayValue]]]:
    """The days up to `as_of`, oldest first; only `whole` ones for the past, whose running day is not known."""
    last = as_of.astimezone(UTC).date() - (DAY if whole else timedelta(0))
    rows = HealthDay.objects.filter(watched__in=ids, day__gt=last - HISTORY, day__lte=last).order_by("day")
    found: dict[int, dict[str, list[DayValue]]] = defaultdict(lambda: defaultdict(list))
    for pk, area, day, status, value in rows.values_list("watched_id", "area", "day", "status", "value"):
        found[pk][area].append(DayValue(day, Status(status), value))
    return found


def _models(ids: Sequence[int], as_of: datetime) -> dict[int, tuple[tuple[str, datetime], ...]]:
    """Champions that took over from another one."""
    found: dict[int, list[tuple[str, datetime]]] = defaultdict(list)
    seen: dict[int, str] = {}
    for one in ModelSeen.objects.filter(watched__in=ids, since__lte=as_of).order_by("since"):
        if one.watched_id in seen and seen[one.watched_id] != one.model_id:
            found[one.watched_id].append((one.name or one.model_id, one.since))
        seen[one.watched_id] = one.model_id
    return {pk: tuple(rows) for pk, rows in found.items()}


def _settings_changes(
    ids: Sequence[int], since: datetime, as_of: datetime
) -> dict[int, tuple[tuple[str, datetime], ...]]:
    """What changed in the settings of a deployment in the period, from the stored answers."""
    topics = {row.pk: row for row in Topic.objects.filter(watched__in=ids, key__in=_SETTINGS)}
    changed = Answer.objects.filter(topic__in=topics, known_at__gt=since, known_at__lte=as_of)
    moved = set(changed.values_list("topic_id", flat=True))
    history: dict[int, list[Answer]] = defaultdict(list)
    for answer in Answer.objects.filter(topic__in=moved, known_at__lte=as_of).order_by("known_at", "pk"):
        history[answer.topic_id].append(answer)
    found: dict[int, list[tuple[str, datetime]]] = defaultdict(list)
    for pk, answers in history.items():
        for before, after in pairwise(answers):
            told = differences(packing.unpack(before.payload), packing.unpack(after.payload))
            if after.known_at > since and told:
                words = f"{_SETTINGS[topics[pk].key]} changed: {'; '.join(told)}"
                found[topics[pk].watched_id].append((words, after.known_at))
    return {pk: tuple(rows) for pk, rows in found.items()}


def differences(before: Any, after: Any, most: int = 3) -> list[str]:
    """What differs between two JSON objects, as `drift threshold 0.2 to 0.15`; at most so many, then how many more."""
    old, new = _flat(before), _flat(after)
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    told = [f"{_spoken(name)} {_shown(old.get(name))} to {_shown(new.get(name))}" for name in names[:most]]
    return told + ([f"{len(names) - most} more"] if len(names) > most else [])


def _flat(value: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(value, dict):
        return {prefix: value}
    found: dict[str, Any] = {}
    for name, inner in value.items():
        found |= _flat(inner, f"{prefix}.{name}" if prefix else str(name))
    return found


def _spoken(name: str) -> str:
    """`dataDrift.driftThreshold` as `drift threshold`."""
    last = name.rpartition(".")[2]
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in last).strip()


def _shown(value: Any) -> str:
    if value is None:
        return "not set"
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text[:40] or "empty"


def _promises(ids: Sequence[int], as_of: datetime) -> dict[int, tuple[Promise, ...]]:
    rows = ActionItem.objects.filter(watched__in=ids, state=ActionState.OPEN, created_at__lte=as_of)
    found: dict[int, list[Promise]] = defaultdict(list)
    for row in rows.select_related("owner").order_by("due_on", "pk"):
        assert row.watched_id is not None
        found[row.watched_id].append(Promise(row.pk, row.text, row.due_on, name_of(row.owner)))
    return {pk: tuple(promises) for pk, promises in found.items()}


def _incidents(
    ids: Sequence[int], as_of: datetime
) -> tuple[dict[int, tuple[IncidentFact, ...]], dict[int, tuple[SilenceFact, ...]]]:
    """What was open at `as_of` or had been in the month before, and the snoozes that held then."""
    rows = Incident.objects.filter(watched__in=ids, opened_at__lte=as_of).select_related("assignee", "snoozed_by")
    rows = rows.filter(Q(resolved_at=None) | Q(resolved_at__gt=as_of - LOOK_BACK)).order_by("opened_at", "pk")
    found: dict[int, list[IncidentFact]] = defaultdict(list)
    snoozes: dict[int, list[SilenceFact]] = defaultdict(list)
    for row in rows:
        assert row.watched_id is not None
        closed = row.resolved_at if row.resolved_at is not None and row.resolved_at <= as_of else None
        answered = row.acknowledged_at is not None and row.acknowledged_at <= as_of
        fact = IncidentFact(row.pk, row.area, row.opened_at, closed, name_of(row.assignee), answered)
        found[row.watched_id].append(fact)
        if closed is None and row.snoozed_until is not None and row.snoozed_until > as_of:
            why = row.snoozed_why or f"snooze of incident {row.pk}"
            snoozes[row.watched_id].append(SilenceFact(-row.pk, row.snoozed_until, name_of(row.snoozed_by), why))
    return (
        {pk: tuple(incidents) for pk, incidents in found.items()},
        {pk: tuple(silences) for pk, silences in snoozes.items()},
    )


def _silences(team_id: int, rows: Sequence[Watched], as_of: datetime) -> dict[int, tuple[SilenceFact, ...]]:
    """One-off silences of a deployment or a tag that hold; those of a whole team or source are no matter of one."""
    held = Silence.objects.filter(team=team_id, starts_at__lte=as_of, ends_at__gt=as_of, rule="", cancelled_at=None)
    found: dict[int, list[SilenceFact]] = defaultdict(list)
    for one in held.exclude(watched=None, tag="").select_related("owner").order_by("ends_at"):
        fact = SilenceFact(one.pk, one.ends_at, name_of(one.owner), one.reason)
        for row in rows:
            if covers(one, row, row.source_id, one.area):
                found[row.pk].append(fact)
    return {pk: tuple(silences) for pk, silences in found.items()}


def _accepted(plan: ReviewPlan) -> dict[int, frozenset[str]]:
    """The reasons that the last signed review accepted as they are, by deployment."""
    last = plan.reviews.filter(state="signed").order_by("-number").first()
    if last is None:
        return {}
    kept = {ReviewVerdict.ACCEPT, ReviewVerdict.HEALTHY}
    rows = ReviewItem.objects.filter(review=last, verdict__in=kept, watched__isnull=False)
    return {
        pk: frozenset(reason.get("key", "") for reason in reasons)
        for pk, reasons in rows.values_list("watched_id", "reasons")
    }


def _blind_spots(row: Watched, areas: Mapping[Area, AreaNow]) -> tuple[str, ...]:
    """What is not watched. Limits that nobody has changed are no blind spot: they are limits."""
    spots = [str(spot) for spot in row.blind_spots if "default" not in str(spot).lower()]
    accuracy = areas.get(Area.ACCURACY)
    if accuracy is not None and accuracy.status is Status.NOT_STARTED and row.last_prediction_at is not None:
        spots.append("No actuals arrive")
    if row.last_prediction_at is None and areas:
        spots.append("No prediction received yet")
    return tuple(dict.fromkeys(spots))


def name_of(user: Any) -> str:
    """How a person is called on pages; "" for nobody."""
    return (user.get_full_name() or user.get_username()) if user is not None else ""
