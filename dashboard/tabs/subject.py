"""The deployment that a page is about, seen through its view: limits, models, segments, and what was read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.urls import reverse

from dashboard import story
from dashboard.charts import words
from dashboard.charts.flags import Change
from dashboard.charts.timeline import Limit
from dashboard.filters import View
from dashboard.reader import Reader
from dashboard.shelf import Clock, Shelf
from metrics import ACCURACY_METRICS, DEFAULT_METRICS, TargetType
from monitoring import past
from monitoring import questions as q
from monitoring.client import HealthSettings, Malformed, Settings, parse
from monitoring.models import Area, AreaHealth, ModelSeen, Status, Watched
from monitoring.poll.facts import judged_interval
from monitoring.questions import Bucket, Last, Mature, Question
from monitoring.strips import STRIP_DAYS, Strip, strips

T = TypeVar("T")

SERVICE, DRIFT, ACCURACY = "serviceHealth", "dataDrift", "accuracy"


@dataclass
class Subject:
    """Everything that the tabs share. `anchor` is now, or the moment that the reader goes back to."""

    reader: Reader
    watched: Watched
    view: View
    now: datetime
    areas: dict[str, AreaHealth] = field(default_factory=dict)
    models: tuple[ModelSeen, ...] = ()
    memo: dict[str, Any] = field(default_factory=dict)
    """What a tab worked out once and needs again."""

    def __post_init__(self) -> None:
        self.anchor = self.view.as_of or self.now
        self.shelf = Shelf(self.watched, self.view, self.anchor)
        self.clock = Clock.of(self.view)
        self.query = self.view.query()
        self._paths: dict[str, str] = {}  # a page names the same dozen addresses eighty times

    @classmethod
    def load(cls, reader: Reader, watched: Watched, view: View, now: datetime) -> Subject:
        """Two queries for verdicts and models, one read for what every tab asks.

        Seen as of a moment the row tells what was known then, and must not be saved.
        """
        areas = {row.area: row for row in _areas(watched, view.as_of)}
        models = tuple(ModelSeen.objects.filter(watched=watched).order_by("since"))
        subject = cls(reader, watched, view, now, areas, models)
        subject.shelf.read(subject.shared(), beside=[*story.questions(), q.custom_metrics()])
        return subject

    def shared(self) -> list[Question]:
        """Settings, limits and what can be segmented by."""
        asked = [
            q.health_settings(),
            q.settings(),
            *(q.segment_attributes(kind) for kind in (SERVICE, DRIFT, ACCURACY)),
        ]
        if self.view.segment:
            asked.append(q.segment_values(self.view.segment.attribute))
        return asked

    # --- What is asked -------------------------------------------------------------------------------------

    @property
    def window(self) -> q.Window:
        return self.view.window

    @property
    def bucket(self) -> str:
        return str(self.view.bucket)

    @property
    def model_id(self) -> str | None:
        return self.view.model or None

    def segment(self, kind: str) -> q.Segment | None:
        """The chosen segment, where this kind of monitoring is kept by that attribute."""
        chosen = self.view.segment
        if chosen is None or chosen.attribute not in self.attributes(kind):
            return None
        return chosen.attribute, chosen.value

    @cached_property
    def interval(self) -> str:
        """The window that drift and accuracy are judged over, as in the health settings."""
        return judged_interval(self.health_settings)

    @property
    def interval_words(self) -> str:
        return _interval_words(self.interval)

    @property
    def judged(self) -> Last:
        """The judged window of drift."""
        return Last(self.interval)

    @property
    def mature(self) -> Mature:
        """The judged window of accuracy: it ends where labels are complete."""
        return Mature(self.interval, -(-int(self.lag.total_seconds()) // 3600))

    # --- What is known -------------------------------------------------------------------------------------

    @cached_property
    def health_settings(self) -> HealthSettings:
        return _parsed(HealthSettings, self.shelf.payload(q.health_settings()))

    @cached_property
    def settings(self) -> Settings:
        return _parsed(Settings, self.shelf.payload(q.settings()))

    def attributes(self, kind: str) -> list[str]:
        """Segment attributes of one kind of monitoring."""
        found = self.shelf.payload(q.segment_attributes(kind)).get("data")
        return [name for name in found if isinstance(name, str)] if isinstance(found, list) else []

    @property
    def segment_values(self) -> list[str]:
        """Known values of the chosen attribute."""
        if self.view.segment is None:
            return []
        rows = self.shelf.entries(q.segment_values(self.view.segment.attribute))
        return [row["value"] for row in rows if isinstance(row.get("value"), str)]

    def status(self, area: str) -> Status:
        found = self.areas.get(area)
        return Status(found.status) if found is not None else Status(self.watched.area_health(area)["status"])

    def reason(self, area: str) -> str:
        found = self.areas.get(area)
        return found.reason if found is not None else str(self.watched.area_health(area).get("reason", ""))

    @property
    def lag(self) -> timedelta:
        """After how long labels are complete, as learned; zero while nothing is learned."""
        return timedelta(hours=self.watched.label_lag_hours or 0)

    @cached_property
    def late(self) -> frozenset[int]:
        """Bins whose labels still arrive: they are never judged."""
        clock = self.clock
        first, until = clock.index(self.anchor - self.lag), -((clock.start - self.anchor) // clock.step)
        return frozenset(range(max(0, first), min(clock.n, until)))

    @cached_property
    def running(self) -> frozenset[int]:
        """The bin that is not over yet, where the range reaches it."""
        return self.clock.running(self.anchor)

    @property
    def owner(self) -> str:
        """The first owner by name or address, and how many others there are."""
        people = [one for one in self.watched.owners if one] if isinstance(self.watched.owners, list) else []
        if not people:
            return ""
        first = people[0]
        name = first if isinstance(first, str) else str(first.get("name") or first.get("email") or "")
        return f"{name} and {len(people) - 1} more" if len(people) > 1 else name

    @property
    def positive(self) -> str:
        """The positive class of a binary target as the source names it; "" where it does not."""
        model = self.watched.listing.get("model") if isinstance(self.watched.listing, dict) else None
        value = model.get("positiveClass") if isinstance(model, dict) else None
        return str(value) if value is not None else ""

    # --- Accuracy and its limits ---------------------------------------------------------------------------

    @property
    def metric(self) -> str:
        """The judged accuracy metric; the usual first one where the settings name none."""
        rule = self.health_settings.accuracy
        return (rule.metric if rule else None) or self.default_metrics[0]

    @property
    def default_metrics(self) -> tuple[str, ...]:
        try:
            return DEFAULT_METRICS[TargetType(self.watched.target_type)] or ("LogLoss",)
        except ValueError:
            return ("LogLoss",)

    def better(self, metric: str) -> int:
        """+1 where more is better, −1 where less is."""
        info = ACCURACY_METRICS.get(metric)
        return info.direction.sign if info else 1

    def accuracy_limits(self, metric: str, baseline: float | None) -> tuple[Limit, ...]:
        """The limits of the judged metric as values of it; none for other metrics."""
        rule = self.health_settings.accuracy
        if rule is None or rule.metric != metric:
            return ()
        pairs = ((Status.WARNING, rule.warning_threshold), (Status.FAILING, rule.failing_threshold))
        sign = self.better(metric)
        limits = []
        for status, threshold in pairs:
            if threshold is None:
                continue
            if rule.measurement == "value":
                limits.append(Limit(status, threshold, above=sign < 0))
            elif baseline is not None:
                limits.append(Limit(status, baseline - sign * abs(baseline) * threshold / 100, above=sign < 0))
        return tuple(limits)

    @property
    def drift_limit(self) -> float:
        rule = self.health_settings.data_drift
        value = rule.drift_threshold if rule else None
        return 0.15 if value is None else value

    @property
    def importance_limit(self) -> float:
        rule = self.health_settings.data_drift
        value = rule.importance_threshold if rule else None
        return 0.5 if value is None else value

    # --- Models and time -----------------------------------------------------------------------------------

    def model_name(self, model_id: str) -> str:
        """The name under which a model was seen; the end of its id for one that was not."""
        for seen in self.models:
            if seen.model_id == model_id:
                return seen.name or f"model {model_id[-6:]}"
        return self.watched.model_name if model_id == self.watched.model_id else f"model {model_id[-6:]}"

    @cached_property
    def marks(self) -> tuple[Change, ...]:
        """What happened inside the range, as charts draw it."""
        return story.changes(self)

    def changes(self) -> tuple[Change, ...]:
        """`marks`, for charts."""
        return self.marks

    def replacements(self) -> tuple[Change, ...]:
        """Replacements of the champion inside the range."""
        return story.replacements(self)

    @property
    def former(self) -> ModelSeen | None:
        """The champion before the present one, if it was replaced inside the range and no model was chosen."""
        if self.view.model:
            return None
        inside = [seen for seen in self.models if seen.until and self.view.start < seen.until <= self.view.end]
        return inside[-1] if inside and inside[-1].model_id != self.watched.model_id else None

    def strip(self, area: str) -> tuple[str, ...]:
        """The verdict of each bin, where bins are days and the page shows the whole deployment."""
        plain = not self.view.model and not self.view.segment
        if not plain or self.bucket != Bucket.DAY:
            return ()
        last = self.clock.at(self.clock.n - 1).date()
        bars = self.strips(last, self.clock.n).get((self.watched.pk, Area(area).value), ())
        return tuple(bar.status.value if bar.status else Status.NOT_STARTED.value for bar in bars)

    def strips(self, until: date, days: int = STRIP_DAYS) -> dict[tuple[int, str], Strip]:
        """Verdicts by day of every area, read once; the head and the charts of the usual range need the same ones."""
        found: dict[tuple[int, str], Strip]
        key = f"strips-{until}-{days}"
        if key not in self.memo:
            self.memo[key] = strips([self.watched.pk], until=until, days=days)
        found = self.memo[key]
        return found

    # --- Addresses -----------------------------------------------------------------------------------------

    def url(self, tab: str, **changes: Any) -> str:
        path = self._paths.get(tab)
        if path is None:
            path = self._paths[tab] = reverse(tab, args=[self.watched.pk])
        return path + (self.view.query(**changes) if changes else self.query)

    def csv_url(self, tab: str, name: str, extra: str = "") -> str:
        query = self.query
        joined = f"{query}&{extra}" if query and extra else f"?{extra}" if extra else query
        return reverse("chart-csv", args=[self.watched.pk, tab, name]) + joined

    def api_url(self, question: Question) -> str:
        """The call to the source that this chart comes from."""
        base = f"{self.watched.source.base_url.rstrip('/')}/deployments/{self.watched.remote_id}/{question.path}"
        query = urlencode(question.query(self.anchor))
        return f"{base}?{query}" if query else base

    @property
    def range_words(self) -> str:
        return words.span_of_days(self.view.start, self.view.end, self.now.year)


def _areas(watched: Watched, as_of: datetime | None) -> Iterable[AreaHealth]:
    """The verdicts now, or as they were known; the row is put back to then with them."""
    if as_of is None:
        return AreaHealth.objects.filter(watched=watched)
    found = past.verdicts([watched.pk], as_of).get(watched.pk, {})
    past.put_back(watched, found, as_of)
    return [
        AreaHealth(
            watched=watched,
            area=area,
            status=one.status,
            reason=one.reason,
            judged_at=as_of,
            evidence=one.evidence,
            since=one.since or as_of,
        )
        for area, one in found.items()
    ]


def _parsed(shape: type[T], payload: dict[str, Any]) -> T:
    """The payload as its shape; an empty shape where it does not fit."""
    try:
        return parse(shape, payload)
    except Malformed:
        return shape()


def _interval_words(interval: str) -> str:
    text = interval.removeprefix("PT").removeprefix("P").removeprefix("T")
    unit = text[-1:].lower()
    return f"{text[:-1]}\u202f{unit}" if text[:-1].isdecimal() else interval
