"""Batches: two side by side, then one row a batch with small bars on a common scale. No time axis anywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from dashboard.charts import words
from dashboard.charts.batches import BATCHES, BatchBar, BatchPoints
from dashboard.charts.chart import ChartView
from dashboard.charts.timeline import Limit
from dashboard.shelf import number
from dashboard.tabs.events import events
from dashboard.tabs.parts import Tab
from dashboard.tabs.predictions import positive_class, share
from dashboard.tabs.subject import ACCURACY, DRIFT, SERVICE, Subject
from monitoring import conf
from monitoring import questions as q
from monitoring.clock import parse_time
from monitoring.models import Area, Status
from monitoring.questions import Question, ServiceMetric


@dataclass(frozen=True)
class Batch:
    """One batch with its numbers; None where the source gave none."""

    id: str
    name: str
    created: datetime | None
    locked: bool
    rows: float | None
    first: datetime | None
    last: datetime | None
    mean: float | None
    actual: float | None
    accuracy: float | None
    drift: float | None
    drift_feature: str
    errors: float | None
    href: str
    external: str


@dataclass(frozen=True)
class Compared:
    """One line of two batches side by side."""

    name: str
    left: str
    right: str
    change: float | None = None
    tone: str = ""


def asked(subject: Subject) -> list[Question]:
    """One question a fact, whatever the number of batches."""
    service, labelled = subject.segment(SERVICE), subject.segment(ACCURACY)
    return [
        q.batches(),
        q.predictions_over_batch(segment=subject.segment(DRIFT)),
        q.predictions_vs_actuals_over_batch(segment=labelled),
        q.service_over_batch(ServiceMetric.TOTAL_PREDICTIONS.value, segment=service),
        q.service_over_batch(ServiceMetric.SERVER_ERROR_RATE.value, segment=service),
        accuracy_question(subject),
    ]


def accuracy_question(subject: Subject) -> Question:
    return q.accuracy_over_batch(subject.metric, model_id=subject.model_id, segment=subject.segment(ACCURACY))


def drift_question(subject: Subject, feature: str) -> Question:
    return q.feature_drift_over_batch(feature, model_id=subject.model_id, segment=subject.segment(DRIFT))


def build(subject: Subject, left: str = "", right: str = "") -> Tab:
    """Comparison on top, charts, then the table."""
    if not subject.watched.batch_monitoring:
        return Tab("dashboard/tab_batches.html", more={"off": True, "batches": []})
    subject.shelf.read(asked(subject))
    names = feature_names(subject)
    subject.shelf.read([drift_question(subject, name) for name in names])
    rows = batches(subject, names)
    by_id = {row.id: row for row in rows}
    one = by_id.get(left) or (rows[1] if len(rows) > 1 else None)
    two = by_id.get(right) or (rows[0] if rows else None)
    more: dict[str, Any] = {
        "batches": rows,
        "left": one,
        "right": two,
        "compared": compare(subject, one, two) if one and two else [],
    }
    more |= {"metric": subject.metric, "unit": _unit(subject), "scale": _scale(rows), "events": events(subject)}
    return Tab("dashboard/tab_batches.html", _charts(subject, rows) if rows else {}, more=more)


def feature_names(subject: Subject) -> list[str]:
    """The features whose drift is kept by batch: the most important ones."""
    newest = [row["id"] for row in subject.shelf.entries(q.batches()) if isinstance(row.get("id"), str)][:1]
    if not newest:
        return []
    question = q.batch_feature_drift(newest)
    subject.shelf.read([question])
    rows = [row for row in subject.shelf.entries(question) if isinstance(row.get("name"), str)]
    ranked = sorted(rows, key=lambda row: -(number(row, "featureImpact") or 0.0))
    return [row["name"] for row in ranked[: conf.TOP_FEATURES]]


def batches(subject: Subject, features: Sequence[str]) -> list[Batch]:
    """The newest batches first, as many as the view asks for."""
    listed = [row for row in subject.shelf.entries(q.batches()) if isinstance(row.get("id"), str)]
    listed.sort(key=_newest, reverse=True)
    means = _by_batch(subject, q.predictions_over_batch(segment=subject.segment(DRIFT)))
    pairs = _by_batch(subject, q.predictions_vs_actuals_over_batch(segment=subject.segment(ACCURACY)))
    scores = _by_batch(subject, accuracy_question(subject))
    failed = _by_batch(
        subject, q.service_over_batch(ServiceMetric.SERVER_ERROR_RATE.value, segment=subject.segment(SERVICE))
    )
    drifts = {name: _by_batch(subject, drift_question(subject, name)) for name in features}
    return [_batch(subject, row, means, pairs, scores, failed, drifts) for row in listed[: subject.view.batches]]


def _newest(row: dict[str, Any]) -> tuple[bool, datetime]:
    """When a batch's predictions end; batches without predictions come after all others, by their making."""
    latest, made = parse_time(row.get("latestPredictionTimestamp")), parse_time(row.get("createdAt"))
    return latest is not None, latest or made or datetime.min.replace(tzinfo=UTC)


def _batch(
    subject: Subject,
    row: dict[str, Any],
    means: Mapping[str, dict[str, Any]],
    pairs: Mapping[str, dict[str, Any]],
    scores: Mapping[str, dict[str, Any]],
    failed: Mapping[str, dict[str, Any]],
    drifts: Mapping[str, Mapping[str, dict[str, Any]]],
) -> Batch:
    pk = row["id"]
    worst = max(
        ((number(found.get(pk, {}), "driftScore"), name) for name, found in drifts.items()),
        key=_first,
        default=(None, ""),
    )
    rows = number(row, "predictionsCount")
    return Batch(
        id=pk,
        name=str(row.get("name") or pk),
        created=parse_time(row.get("createdAt")),
        locked=row.get("isLocked") is True,
        rows=rows if rows is not None else number(means.get(pk, {}), "rowCount"),
        first=parse_time(row.get("earliestPredictionTimestamp")),
        last=parse_time(row.get("latestPredictionTimestamp")),
        mean=_level(subject, means.get(pk, {}), "classDistribution", "meanPredictedValue"),
        actual=_level(subject, pairs.get(pk, {}), "actualClassDistribution", "meanActualValue"),
        accuracy=number(scores.get(pk, {})),
        drift=worst[0],
        drift_feature=worst[1] if worst[0] is not None else "",
        errors=number(failed.get(pk, {})),
        href=_link(subject, right=pk),
        external=_safe(row.get("externalContextUrl")),
    )


def compare(subject: Subject, left: Batch, right: Batch) -> list[Compared]:
    """Two batches, line by line; a change is told where it has a direction of good."""
    unit = _unit(subject)

    def level(value: float | None) -> str:
        return words.percent(value) if unit else words.number(value)

    change = None
    if left.accuracy and right.accuracy is not None:
        change = subject.better(subject.metric) * (right.accuracy - left.accuracy) / abs(left.accuracy)
    tone = "" if change is None or abs(change) < 0.005 else "passing" if change > 0 else "failing"
    return [
        Compared("Rows", words.number(left.rows, 0), words.number(right.rows, 0)),
        Compared("Mean prediction", level(left.mean), level(right.mean)),
        Compared("Mean actual", level(left.actual), level(right.actual)),
        Compared(
            subject.metric,
            words.metric_value(left.accuracy, subject.metric),
            words.metric_value(right.accuracy, subject.metric),
            change,
            tone,
        ),
        Compared("Highest PSI", _psi(left), _psi(right)),
        Compared("Server errors", words.percent(left.errors), words.percent(right.errors)),
    ]


def _psi(batch: Batch) -> str:
    value = words.metric_value(batch.drift, "PSI")
    return f"{value} {batch.drift_feature}" if batch.drift is not None else value


def _charts(subject: Subject, rows: Sequence[Batch]) -> dict[str, ChartView]:
    """Oldest left, so that a row of batches reads like a row of days."""
    ordered = list(reversed(rows))
    base = _baseline(subject)
    score = BatchPoints(
        tuple(
            BatchBar(
                row.name,
                row.accuracy,
                _beyond(row.accuracy, subject.accuracy_limits(subject.metric, base)),
                href=row.href,
            )
            for row in ordered
        ),
        subject.metric,
        caption=subject.metric,
        zero=False,
        baseline=base,
        limits=subject.accuracy_limits(subject.metric, base),
    )
    limit = (
        Limit(
            Status.FAILING,
            subject.drift_limit,
            above=True,
            words=f"limit {words.metric_value(subject.drift_limit, 'PSI')}",
        ),
    )
    moved = BatchPoints(
        tuple(BatchBar(row.name, row.drift, _beyond(row.drift, limit), href=row.href) for row in ordered),
        "PSI",
        caption="highest PSI of a feature",
        limits=limit,
    )
    return {
        "accuracy": BATCHES.view(
            "batches-accuracy",
            score,
            caption=f"{subject.metric} of each batch against the holdout baseline",
            status=_tone(subject.status(Area.ACCURACY)),
            foot="Oldest batch left. Click one to compare it.",
            term=subject.metric,
            api_url=subject.api_url(accuracy_question(subject)),
            csv_url=subject.csv_url("batches", "accuracy"),
        ),
        "drift": BATCHES.view(
            "batches-drift",
            moved,
            caption="Highest PSI among the most important features of each batch",
            status=_tone(subject.status(Area.DRIFT)),
            foot="Oldest batch left. Click one to compare it.",
            term="PSI",
            csv_url=subject.csv_url("batches", "drift"),
        ),
    }


def _baseline(subject: Subject) -> float | None:
    found = subject.shelf.entries(accuracy_question(subject), "baselines")
    return number(found[0]) if found else None


def _beyond(value: float | None, limits: Sequence[Limit]) -> str:
    if value is None:
        return ""
    hit = [limit.status for limit in limits if (value > limit.value if limit.above else value < limit.value)]
    return Status.FAILING.value if Status.FAILING in hit else Status.WARNING.value if hit else Status.PASSING.value


def _by_batch(subject: Subject, question: Question) -> dict[str, dict[str, Any]]:
    """Buckets by batch id; some answers name the batch inside an object."""
    found = {}
    for row in subject.shelf.entries(question, "buckets"):
        inner = row.get("batch")
        pk = row.get("batchId") or (inner.get("id") if isinstance(inner, dict) else None)
        if isinstance(pk, str):
            found[pk] = row
    return found


def _level(subject: Subject, values: dict[str, Any], classes: str, mean: str) -> float | None:
    rows = values.get(classes)
    names = [str(row.get("className")) for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return share(values, positive_class(subject, names), classes) if len(names) == 2 else number(values, mean)


def _unit(subject: Subject) -> str:
    return "%" if subject.watched.target_type == "Binary" else ""


def _scale(rows: Sequence[Batch]) -> dict[str, float]:
    """The largest value of each column, for the small bars."""
    return {
        "rows": max((row.rows or 0 for row in rows), default=0) or 1,
        "drift": max((row.drift or 0 for row in rows), default=0) or 1,
    }


def _link(subject: Subject, **chosen: str) -> str:
    base = subject.url("batches")
    return base + ("&" if "?" in base else "?") + "&".join(f"{name}={value}" for name, value in chosen.items())


def _safe(url: object) -> str:
    return url if isinstance(url, str) and url.startswith(("https://", "http://")) else ""


def _first(pair: tuple[float | None, str]) -> float:
    return -1.0 if pair[0] is None else pair[0]


def _tone(status: Status) -> str:
    return status.value if status in (Status.FAILING, Status.WARNING) else ""
