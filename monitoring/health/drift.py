"""The verdict on data drift, from the drift of every feature and of the target over the source's own window."""

from __future__ import annotations

from metrics.binning import BinKind
from metrics.health import USUAL_BINS, DriftRule, FeatureDrift, Status, Verdict, judge_drift
from metrics.wording import duration
from monitoring import client
from monitoring import questions as q
from monitoring.clock import parse_duration
from monitoring.health.parts import Judged, batches_text, no_batches, not_answered, whole
from monitoring.models import Watched
from monitoring.poll.facts import shaped
from monitoring.poll.standing import Facts
from monitoring.questions import Last
from monitoring.snapshots import Snapshot

_KINDS = {"numeric": BinKind.NUMERIC, "categorical": BinKind.CATEGORICAL, "text": BinKind.TEXT}


def drift_rule(settings: client.HealthSettings) -> DriftRule:
    """The source's limits; the reference's defaults where it tells none. A null count switches its rule off."""
    rule, usual = settings.data_drift, DriftRule()
    if rule is None:
        return usual
    return DriftRule(
        drift_threshold=usual.drift_threshold if rule.drift_threshold is None else rule.drift_threshold,
        importance_threshold=usual.importance_threshold
        if rule.importance_threshold is None
        else rule.importance_threshold,
        high_importance_failing_count=rule.high_importance_failing_count,
        high_importance_warning_count=rule.high_importance_warning_count,
        low_importance_failing_count=rule.low_importance_failing_count,
        low_importance_warning_count=rule.low_importance_warning_count,
        excluded_features=frozenset(rule.excluded_features or []),
        starred_features=frozenset(rule.starred_features or []),
    )


def drift(watched: Watched, known: Snapshot, facts: Facts) -> Judged:
    if facts.drift_on is False and facts.target_drift_on is False:
        return Judged(Verdict(Status.UNAVAILABLE, "Drift tracking is switched off."))
    if facts.batch:
        if not facts.drift_batches:
            return Judged(no_batches(known))
        question, target = q.batch_feature_drift(facts.drift_batches), None
        window = batches_text(len(facts.drift_batches))
    else:
        question, target = q.feature_drift(Last(facts.interval)), q.target_drift(Last(facts.interval))
        window = duration(parse_duration(facts.interval))
    if facts.drift_on is not False and (missing := not_answered(known, question, "Data drift")) is not None:
        return Judged(missing)
    features = features_of(
        shaped(client.Drift, known.payload(question)),
        shaped(client.TargetDrift, known.payload(target)) if target is not None else None,
    )
    rule = drift_rule(shaped(client.HealthSettings, known.payload(q.health_settings())))
    ever = watched.last_prediction_at is not None
    return judge_drift_features(features, rule, window=window, ever=ever)


def judge_drift_features(features: list[FeatureDrift], rule: DriftRule, *, window: str, ever: bool) -> Judged:
    """From the features of one period; predictions are the rows of the fullest feature."""
    rows = max((feature.rows or 0 for feature in features), default=0)
    verdict = judge_drift(features, rule, predictions=rows, window=window, ever=ever)
    scores = [one.score for one in features if one.score is not None and one.name not in rule.excluded_features]
    return Judged(verdict, "PSI", max(scores, default=None))


def features_of(drift: client.Drift, target: client.TargetDrift | None) -> list[FeatureDrift]:
    """The features of the answers, the target among them."""
    found = [
        FeatureDrift(
            name=one.name or "",
            score=one.drift_score,
            importance=one.feature_impact,
            rows=whole(one.sample_size),
            baseline_rows=whole(one.baseline_sample_size),
            bins=bins_of(one.type),
        )
        for one in drift.data or []
    ]
    if target is not None and (target.drift_score is not None or target.sample_size):
        found = [one for one in found if one.name != target.target_name]
        found.append(
            FeatureDrift(
                name=target.target_name or "target",
                score=target.drift_score,
                rows=whole(target.sample_size),
                baseline_rows=whole(target.baseline_sample_size),
                bins=bins_of(target.type),
                is_target=True,
            )
        )
    return found


def bins_of(kind: str | None) -> int | None:
    """Of text only the rows are told, not the words in them: its noise floor is higher than need be, so a verdict on it
    waits for more rows; few texts never turn a deployment red by chance.
    """
    known = _KINDS.get((kind or "").lower())
    return USUAL_BINS[known] if known is not None else None
