"""The standing questions: what is asked of every deployment again and again, each with its pace. Declared, not coded.

Facts about the deployment choose among them; `plan` turns them into requests.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from metrics.accuracy import DEFAULT_METRICS, TargetType
from monitoring import questions as q
from monitoring.clock import HOUR
from monitoring.poll.areas import AreaFacts, area_questions
from monitoring.poll.pace import Pace
from monitoring.poll.things import ThingFacts, thing_questions
from monitoring.questions import Bucket, Last, Mature, Question, ServiceMetric

DAYS, HOURS = Last("P30D"), Last("P7D")
DEFAULT_INTERVAL = "P7D"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the plan needs to know of a deployment; None = the source has not said."""

    target_type: str = ""
    batch: bool = False
    judged_metric: str = ""
    interval: str = DEFAULT_INTERVAL
    drift_on: bool | None = None
    target_drift_on: bool | None = None
    has_association: bool | None = None
    features: tuple[str, ...] = ()
    label_lag: timedelta | None = None
    service_batches: tuple[str, ...] = ()
    drift_batches: tuple[str, ...] = ()
    accuracy_batches: tuple[str, ...] = ()
    areas: AreaFacts = field(default_factory=AreaFacts)
    things: ThingFacts = field(default_factory=ThingFacts)


@dataclass(frozen=True, slots=True)
class Standing:
    """A question that is asked again and again. `whole`: series asked over their whole range every time."""

    question: Question
    pace: Pace
    whole: bool = False


def first_questions(facts: Facts) -> list[Standing]:
    """What must be known before the rest can be planned."""
    asked = [Standing(question, Pace.QUIET) for question in (q.health_settings(), q.settings())]
    if facts.batch:
        return [*asked, Standing(q.batches(), Pace.FAST)]
    return [*asked, Standing(q.feature_drift(Last(facts.interval)), Pace.FAST), _labels()]


def standing(facts: Facts) -> list[Standing]:
    """All standing questions of a deployment. Batch monitoring has no time axis: its questions go by batch."""
    if facts.batch:
        return [*_settings(), *_batches(facts), *_areas(facts)]
    labelled = _accuracy(facts) if facts.has_association is not False else []
    return [*_settings(), *_service(), *_drift(facts), *_predictions(), _labels(), *labelled, *_areas(facts)]


def _areas(facts: Facts) -> list[Standing]:
    asked = area_questions(facts.areas, facts.interval, facts.drift_batches, batch=facts.batch)
    return [Standing(question, pace) for question, pace in (*asked, *thing_questions(facts.things))]


def _settings() -> list[Standing]:
    daily = [q.capabilities(), q.features(), q.health_defaults(), q.details()]
    segments = [q.segment_attributes(kind) for kind in ("serviceHealth", "dataDrift", "accuracy")]
    return [
        *(Standing(question, Pace.QUIET) for question in (q.settings(), q.health_settings())),
        *(Standing(question, Pace.DAILY) for question in (*daily, *segments)),
    ]


#: What is asked by batch: enough to judge where a source has no `batchServiceStats`.
BATCH_SERVICE = (
    ServiceMetric.TOTAL_REQUESTS,
    ServiceMetric.TOTAL_PREDICTIONS,
    ServiceMetric.USER_ERROR_RATE,
    ServiceMetric.SERVER_ERROR_RATE,
)
#: Response time is also asked at the 95th percentile: the tail is what people feel.
TAIL = 0.95
_SERVICE_SERIES: tuple[tuple[str, float | None], ...] = (
    *((metric.value, None) for metric in ServiceMetric),
    (ServiceMetric.RESPONSE_TIME.value, TAIL),
    (ServiceMetric.EXECUTION_TIME.value, TAIL),
)


def _service() -> list[Standing]:
    series = [
        q.service_over_time(metric, window, bucket, quantile=quantile)
        for metric, quantile in _SERVICE_SERIES
        for window, bucket in ((DAYS, Bucket.DAY), (HOURS, Bucket.HOUR))
    ]
    return [
        Standing(q.service_stats(Last("P1D")), Pace.FAST),
        Standing(q.service_stats(Last("P7D")), Pace.HOURLY),
        Standing(q.service_stats(Last("P7D"), quantile=TAIL), Pace.HOURLY),
        *(Standing(question, Pace.HOURLY) for question in series),
    ]


def _drift(facts: Facts) -> list[Standing]:
    window = Last(facts.interval)
    found = []
    if facts.drift_on is not False:
        found.append(Standing(q.feature_drift(window), Pace.FAST))
        found += [Standing(q.feature_drift_over_time(name, DAYS), Pace.HOURLY) for name in facts.features]
    if facts.target_drift_on is not False:
        found.append(Standing(q.target_drift(window), Pace.FAST))
    return found


def _predictions() -> list[Standing]:
    return [
        Standing(q.predictions_over_time(DAYS), Pace.FAST, whole=True),
        Standing(q.predictions_over_time(HOURS, Bucket.HOUR), Pace.FAST),
    ]


def _labels() -> Standing:
    """Tells that labels came, whatever the settings say, and which days they restated."""
    return Standing(q.predictions_vs_actuals_over_time(DAYS), Pace.FAST, whole=True)


def _accuracy(facts: Facts) -> list[Standing]:
    lag = facts.label_lag if facts.label_lag is not None else 0 * HOUR
    hours = -(-int(lag.total_seconds()) // 3600)
    series = [
        q.accuracy_over_time(metric, window, bucket)
        for metric in accuracy_metrics(facts)
        for window, bucket in ((DAYS, Bucket.DAY), (HOURS, Bucket.HOUR))
    ]
    judged = [
        Standing(q.accuracy(Mature(facts.interval, hours)), Pace.FAST),
        Standing(q.accuracy(Last(facts.interval)), Pace.QUIET),
    ]
    return [
        *(judged if facts.judged_metric else []),
        Standing(q.predictions_vs_actuals_over_time(HOURS, Bucket.HOUR), Pace.QUIET),
        *(Standing(question, Pace.HOURLY) for question in series),
    ]


def accuracy_metrics(facts: Facts) -> tuple[str, ...]:
    """The judged metric first, then the two leading ones of the target's kind."""
    try:
        usual = DEFAULT_METRICS[TargetType(facts.target_type)][:2]
    except ValueError:
        usual = ()
    return tuple(dict.fromkeys(metric for metric in (facts.judged_metric, *usual) if metric))


def _batches(facts: Facts) -> list[Standing]:
    judged = [q.batches()]
    if facts.service_batches:
        judged.append(q.batch_service_stats(facts.service_batches))
    if facts.drift_batches:
        judged.append(q.batch_feature_drift(facts.drift_batches))
    if facts.accuracy_batches and facts.judged_metric:
        judged.append(q.batch_accuracy(facts.accuracy_batches))
    shown = [
        q.predictions_over_batch(),
        q.predictions_vs_actuals_over_batch(),
        *(q.service_over_batch(metric) for metric in BATCH_SERVICE),
        *(q.accuracy_over_batch(metric) for metric in accuracy_metrics(facts)),
        *(q.feature_drift_over_batch(name) for name in facts.features),
    ]
    return [
        *(Standing(question, Pace.FAST) for question in judged),
        *(Standing(question, Pace.QUIET) for question in shown),
    ]
