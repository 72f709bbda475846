"""Data drift: which features have left their training range, whether that matters, and since when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from urllib.parse import quote

from dashboard import examples
from dashboard.charts import words
from dashboard.charts.chart import ChartView
from dashboard.charts.distribution import DISTRIBUTION, DistributionPoints
from dashboard.charts.drift_over_time import DRIFT_OVER_TIME
from dashboard.charts.heat import HeatFeature, HeatPoints, heat_title
from dashboard.charts.importance import IMPORTANCE, FeatureDot, ImportancePoints
from dashboard.charts.timeline import Limit, Series, TimePoints
from dashboard.shelf import Clock, number
from dashboard.tabs.drift_look import Look, controls
from dashboard.tabs.parts import Tab, Tile
from dashboard.tabs.subject import DRIFT as KIND
from dashboard.tabs.subject import Subject
from metrics import DriftRule, FeatureDrift, FeatureStatus, feature_noise, feature_status
from metrics.binning import BinKind
from metrics.health import USUAL_BINS
from monitoring import conf
from monitoring import questions as q
from monitoring.clock import DAY, floor_day
from monitoring.models import Area, Status
from monitoring.questions import Between, Last, Question

HEAT_ROWS = 25
MOST_COLUMNS = 100
SHOWN_STATUS = {
    FeatureStatus.FAILING: Status.FAILING,
    FeatureStatus.WARNING: Status.WARNING,
    FeatureStatus.UNKNOWN: Status.UNKNOWN,
}
KINDS = {"numeric": BinKind.NUMERIC, "categorical": BinKind.CATEGORICAL, "text": BinKind.TEXT}


@dataclass(frozen=True)
class Feature:
    """One feature as answered, and what the limits say about it."""

    drift: FeatureDrift
    status: FeatureStatus
    kind: str
    starred: bool

    @property
    def name(self) -> str:
        return self.drift.name

    @property
    def shown(self) -> Status:
        return SHOWN_STATUS.get(self.status, Status.PASSING)


def summary_question(subject: Subject, measure: str | None = None) -> Question:
    """Drift of every feature over the judged window; by PSI, which is judged, unless another measure is named."""
    return q.feature_drift(subject.judged, metric=measure, model_id=subject.model_id, segment=subject.segment(KIND))


def target_question(subject: Subject) -> Question:
    return q.target_drift(subject.judged, model_id=subject.model_id, segment=subject.segment(KIND))


def series_question(subject: Subject, feature: str, measure: str | None = None) -> Question:
    return q.feature_drift_over_time(
        feature,
        subject.window,
        subject.bucket,
        metric=measure,
        model_id=subject.model_id,
        segment=subject.segment(KIND),
    )


def heat_clock(subject: Subject) -> Clock:
    """The bins of the heat table: those of the page, or days where those would be too many columns to tell apart."""
    if subject.clock.n <= MOST_COLUMNS or subject.clock.step >= DAY:
        return subject.clock
    start = floor_day(subject.view.start)
    return Clock(start, DAY, -((start - subject.view.end) // DAY))


def heat_question(subject: Subject, feature: str) -> Question:
    """One row of the heat table."""
    if heat_clock(subject).step == subject.clock.step:
        return series_question(subject, feature)
    window = (
        subject.window if isinstance(subject.window, Last) else Between(heat_clock(subject).start, subject.view.end)
    )
    return q.feature_drift_over_time(
        feature, window, q.Bucket.DAY, model_id=subject.model_id, segment=subject.segment(KIND)
    )


def distribution_question(subject: Subject, feature: str) -> Question:
    """Shares by bin, live and in training: not in the reference, asked for when somebody looks at a feature."""
    pairs = [("featureNames", feature)]
    if subject.model_id:
        pairs.append(("modelId", subject.model_id))
    if segment := subject.segment(KIND):
        pairs += [("segmentAttribute", segment[0]), ("segmentValue", segment[1])]
    return Question("featureDistributions/", tuple(sorted(pairs)), subject.judged)


def build(subject: Subject, chosen: str = "", linear: bool = False, measure: str = "") -> Tab:
    """Tiles with the two counts against their limits, the scatter, the chosen feature, the heat table."""
    look = Look.of(chosen, linear, measure)
    subject.shelf.read([summary_question(subject), target_question(subject), summary_question(subject, look.measure)])
    found = features(subject)
    picked = next((one for one in found if one.name == chosen), found[0] if found else None)
    listed = by_importance(found)[:HEAT_ROWS]
    tracked = [one.name for one in listed[: conf.TOP_FEATURES]]
    names = list(dict.fromkeys([*tracked, *([picked.name] if picked else [])]))
    detail = [distribution_question(subject, picked.name)] if picked else []
    look = replace(look, feature=picked.name if picked else "")
    shown = [series_question(subject, picked.name, look.measure)] if picked else []
    subject.shelf.read([*(heat_question(subject, name) for name in names), *shown, *detail])
    charts = {"importance": _scatter(subject, found, picked, look)}
    if picked is not None:
        charts |= _detail(subject, picked, look)
    heat = heat_points(subject, [one for one in listed if one.name in names])
    more = {
        "features": found,
        "chosen": picked,
        "linear": linear,
        "switch": controls(subject, look),
        "heat_points": heat,
        "heat_title": heat_title(heat),
        "heat_noun": subject.view.bucket_noun if heat.step == subject.clock.step else "UTC day",
        "heat_csv": subject.csv_url("drift", "heat"),
        "heat_rest": len(found) - len(heat.features),
        "drift_empty": _empty(subject),
        "drift_example": None if found else examples.predictions(subject.watched),
        "distribution_state": _distribution_state(subject, picked),
        "segments_href": _segments(subject, picked),
    }
    return Tab("dashboard/tab_drift.html", charts, tiles(subject, found), more)


def _by_measure(subject: Subject, look: Look) -> dict[str, float | None]:
    """The scores of the judged window by the chosen measure."""
    rows = subject.shelf.entries(summary_question(subject, look.measure))
    return {str(row.get("name")): number(row, "driftScore") for row in rows}


def rule(subject: Subject) -> DriftRule:
    """The limits as the source has them, defaults where it has none."""
    found = subject.health_settings.data_drift
    if found is None:
        return DriftRule()
    return DriftRule(
        drift_threshold=subject.drift_limit,
        importance_threshold=subject.importance_limit,
        high_importance_failing_count=found.high_importance_failing_count,
        high_importance_warning_count=found.high_importance_warning_count,
        low_importance_failing_count=found.low_importance_failing_count,
        low_importance_warning_count=found.low_importance_warning_count,
        excluded_features=frozenset(found.excluded_features or ()),
        starred_features=frozenset(found.starred_features or ()),
    )


def features(subject: Subject) -> list[Feature]:
    """Every feature of the judged window, worst first."""
    rows = subject.shelf.entries(summary_question(subject))
    if "features" not in subject.memo or subject.memo["features"][0] != len(rows):
        subject.memo["features"] = len(rows), _features(rows, rule(subject))
    found: list[Feature] = subject.memo["features"][1]
    return found


def _features(rows: Sequence[dict[str, Any]], limits: DriftRule) -> list[Feature]:
    found = [_feature(row, limits) for row in rows if isinstance(row.get("name"), str)]
    order = {FeatureStatus.FAILING: 0, FeatureStatus.WARNING: 1}
    return sorted(found, key=lambda one: (order.get(one.status, 2), -(one.drift.score or 0.0), one.name))


def by_importance(found: Sequence[Feature]) -> list[Feature]:
    """Starred first, then the most important."""
    return sorted(found, key=lambda one: (not one.starred, -(one.drift.importance or 0.0), one.name))


def _feature(row: dict[str, Any], limits: DriftRule) -> Feature:
    kind = str(row.get("type", "")).lower()
    bins = USUAL_BINS.get(KINDS.get(kind, BinKind.NUMERIC))
    rows, reference = number(row, "sampleSize"), number(row, "baselineSampleSize")
    drift = FeatureDrift(
        name=row["name"],
        score=number(row, "driftScore"),
        importance=number(row, "featureImpact"),
        rows=int(rows) if rows else None,
        baseline_rows=int(reference) if reference else None,
        bins=None if kind == "text" else bins,
    )
    return Feature(drift, feature_status(drift, limits), kind, drift.name in limits.starred_features)


def _scatter(subject: Subject, found: Sequence[Feature], picked: Feature | None, look: Look) -> ChartView:
    limits, scores = rule(subject), _by_measure(subject, look)
    dots = tuple(
        FeatureDot(
            one.name,
            min(1.0, one.drift.importance or 0.0),
            scores.get(one.name),
            one.shown.value if one.shown in (Status.FAILING, Status.WARNING) else Status.PASSING.value,
            starred=one.starred,
            excluded=one.status is FeatureStatus.EXCLUDED,
            href=href,
        )
        for one, href in zip(found, look.addresses(subject, (one.name for one in found)), strict=True)
    )
    points = ImportancePoints(
        dots,
        None if look.measure else subject.drift_limit,
        subject.importance_limit,
        metric=look.word,
        log=not look.linear,
        selected=picked.name if picked else "",
    )
    judged = " Only PSI is judged: colours are its verdict." if look.measure else ""
    excluded = len(limits.excluded_features)
    return IMPORTANCE.view(
        "drift-importance",
        points,
        caption=f"{look.word} against training, last {subject.interval_words}, by feature importance",
        status=_tone(subject.status(Area.DRIFT)),
        foot=f"Click a feature for its detail. Starred {len(limits.starred_features)}, excluded {excluded}.{judged}",
        term=look.word if look.measure else "Importance",
        api_url=subject.api_url(summary_question(subject, look.measure)),
        csv_url=subject.csv_url("drift", "importance", f"measure={look.measure}" if look.measure else ""),
    )


def _detail(subject: Subject, one: Feature, look: Look) -> dict[str, ChartView]:
    """The chosen feature: shares by bin where the source tells them, and its score over time."""
    charts = {}
    shares = distribution(subject, one)
    if shares is not None:
        charts["distribution"] = DISTRIBUTION.view(
            "drift-distribution",
            shares,
            caption=f"{one.name}: share of rows, last {subject.interval_words} against training",
            status=_tone(one.shown),
            foot="Bars at the right: outside of the training range, or missing.",
            term="Distribution",
            api_url=subject.api_url(distribution_question(subject, one.name)),
            csv_url=subject.csv_url("drift", "distribution", f"feature={quote(one.name)}"),
        )
    chosen = f"feature={quote(one.name)}" + (f"&measure={look.measure}" if look.measure else "")
    charts["series"] = DRIFT_OVER_TIME.view(
        "drift-series",
        series_points(subject, [one.name], look=look),
        caption=f"{look.word} of {one.name} by {subject.view.bucket_noun}, against training",
        status="" if look.measure else _tone(one.shown),
        foot=f"Each bin is compared on its own; the verdict is made over {subject.interval_words}.",
        term=look.word,
        api_url=subject.api_url(series_question(subject, one.name, look.measure)),
        csv_url=subject.csv_url("drift", "series", chosen),
    )
    return charts


def series_points(
    subject: Subject,
    names: Sequence[str],
    *,
    log: bool | None = None,
    height: int = 150,
    look: Look | None = None,
) -> TimePoints:
    """The drift of features over time, by PSI against the limit; logarithmic once it leaves the limit far behind."""
    lines, look = [], look or Look()
    for i, name in enumerate(names):
        values = subject.clock.place(
            subject.shelf.buckets(series_question(subject, name, look.measure)), partial(number, name="driftScore")
        )
        lines.append(Series(name, values, token="champion" if i == 0 else f"challenger-{i}"))
    known = [value for line in lines for value in line.values if value is not None]
    tall = look.measure is None and bool(known) and max(known) > 8 * subject.drift_limit
    logarithmic = tall if log is None else log
    told = f"limit {words.metric_value(subject.drift_limit, 'PSI')}"
    limit = Limit(Status.FAILING, subject.drift_limit, above=True, words=told)
    return TimePoints(
        subject.clock.start,
        subject.clock.step,
        tuple(lines),
        metric=look.word,
        caption=f"{look.word}, log scale" if logarithmic else look.word,
        log=logarithmic,
        zero=True,
        limits=() if look.measure else (limit,),
        changes=subject.changes(),
        unfinished=subject.running,
        height=height,
    )


def distribution(subject: Subject, one: Feature) -> DistributionPoints | None:
    """Bins of the answer as shares; None where the source tells none."""
    rows = [
        row
        for row in subject.shelf.entries(distribution_question(subject, one.name))
        if row.get("featureName") == one.name
    ]
    bins = [b for b in rows[0].get("bins", []) if isinstance(b, dict)] if rows else []
    if not bins:
        return None
    regular = [b for b in bins if b.get("kind") in ("range", "level", "word")]
    apart = [b for b in bins if b not in regular]
    ordered = [*regular, *apart]
    live, reference = _shares(ordered, "count"), _shares(ordered, "baselineCount")
    if not any(reference) and not any(live):
        return None
    numeric = bool(regular) and regular[0].get("kind") == "range"
    return DistributionPoints(
        one.name,
        tuple(_bin_name(b) for b in ordered),
        reference,
        live,
        numeric=numeric,
        edges=_edges(regular) if numeric else (),
        apart=len(apart),
        reference_words=f"training, {words.compact(number(rows[0], 'baselineSampleSize'))} rows",
        live_words=f"last {subject.interval_words}, {words.compact(number(rows[0], 'sampleSize'))} rows",
    )


def _bin_name(one: dict[str, Any]) -> str:
    """The name of a bin; short for those that stand apart."""
    kind = str(one.get("kind", ""))
    return kind if kind in {"below", "above", "missing", "other", "new"} else str(one.get("label", ""))


def _shares(bins: Sequence[dict[str, Any]], name: str) -> tuple[float, ...]:
    counts = [number(b, name) or 0.0 for b in bins]
    whole = sum(counts)
    return tuple(count / whole if whole else 0.0 for count in counts)


def _edges(bins: Sequence[dict[str, Any]]) -> tuple[float, ...]:
    """Edges of numeric bins; empty if one is not known."""
    found = [number(bins[0], "low"), *(number(b, "high") for b in bins)]
    known = [edge for edge in found if edge is not None]
    return tuple(known) if len(known) == len(found) and known == sorted(set(known)) else ()


def heat_points(subject: Subject, listed: Sequence[Feature]) -> HeatPoints:
    """Feature × bin, in order of importance."""
    pick, clock = partial(number, name="driftScore"), heat_clock(subject)
    rows = tuple(
        HeatFeature(
            one.name,
            min(1.0, one.drift.importance or 0.0),
            one.drift.score,
            clock.place(subject.shelf.buckets(heat_question(subject, one.name)), pick),
            one.shown.value if one.status is not FeatureStatus.UNKNOWN else Status.UNKNOWN.value,
            Look(one.name).address(subject),
        )
        for one in listed
    )
    replaced = [clock.index(change.at) for change in subject.replacements()]
    return HeatPoints(
        clock.start,
        clock.step,
        rows,
        subject.drift_limit,
        replaced=replaced[-1] if replaced else None,
        unfinished=clock.running(subject.anchor),
    )


def tiles(subject: Subject, found: Sequence[Feature]) -> tuple[Tile, ...]:
    """The two counts with their limits, the prediction's own drift, sizes, and the smallest score that counts."""
    limits = rule(subject)
    high = [one for one in found if one.status is FeatureStatus.FAILING]
    low = [one for one in found if one.status is FeatureStatus.WARNING]
    important = sum(1 for one in found if (one.drift.importance or 0) >= limits.importance_threshold or one.starred)
    rows = max((one.drift.rows or 0 for one in found), default=0)
    reference = max((one.drift.baseline_rows or 0 for one in found), default=0)
    return (
        _count("High importance, drifted", high, important, limits.high_importance_failing_count, Status.FAILING),
        _count(
            "Low importance, drifted", low, len(found) - important, limits.low_importance_warning_count, Status.WARNING
        ),
        _target(subject),
        Tile(
            "Compared",
            words.compact(rows) if rows else words.NONE,
            f"rows, last {subject.interval_words}",
            f"against {words.compact(reference)} training rows" if reference else "",
        ),
        Tile("Smallest PSI that counts", words.metric_value(limits.drift_threshold, "PSI"), "limit", _noise(found)),
    )


def _count(name: str, drifted: Sequence[Feature], of: int, limit: int | None, status: Status) -> Tile:
    names = words.listed([one.name for one in drifted], 2) if drifted else "none above the limit"
    rule_words = f"limit {limit}: " if limit is not None else "no limit set: "
    return Tile(name, f"{len(drifted)}", f"of {of}", rule_words + names, status=status if drifted else Status.PASSING)


def _target(subject: Subject) -> Tile:
    score = number(subject.shelf.payload(target_question(subject)), "driftScore")
    if score is None:
        return Tile(
            "Predictions against holdout", words.NONE, note="no holdout predictions to compare with, or none live"
        )
    within = score <= subject.drift_limit
    return Tile(
        "Predictions against holdout",
        words.metric_value(score, "PSI"),
        "PSI",
        f"{'within' if within else 'above'} {words.metric_value(subject.drift_limit, 'PSI')}",
        status="" if within else Status.WARNING,
    )


def _noise(found: Sequence[Feature]) -> str:
    floors = [feature_noise(one.drift) for one in found]
    top = max(floors, default=0.0)
    return f"chance alone reaches {words.metric_value(top, 'PSI')} at this size" if top else "sample sizes not reported"


def _distribution_state(subject: Subject, picked: Feature | None) -> str:
    """Why no distribution is shown: on its way, not served by the source, or without rows."""
    if picked is None or distribution(subject, picked) is not None:
        return ""
    path = distribution_question(subject, picked.name).path
    if path in subject.shelf.refused():
        return "This source does not tell distributions; the drift score is computed there."
    if subject.shelf.payload(distribution_question(subject, picked.name)):
        return "No row of this feature in the window."
    return (
        "The distribution is on its way."
        if subject.view.as_of is None
        else "Nobody had looked at this distribution by then."
    )


def _empty(subject: Subject) -> str:
    """Why there is nothing to compare."""
    if subject.settings.feature_drift and subject.settings.feature_drift.enabled is False:
        return "Feature drift tracking is switched off at the source."
    if not subject.shelf.payload(summary_question(subject)):
        return "The drift scores have not been fetched yet."
    return f"No prediction of the last {subject.interval_words} could be compared with training data."


def _segments(subject: Subject, picked: Feature | None) -> str:
    """The segments, ranked by the drift of the chosen feature; "" where none is followed."""
    if picked is None or not subject.attributes(KIND):
        return ""
    return f"{subject.url('segments')}{'&' if subject.query else '?'}by={quote(f'drift:{picked.name}')}"


def _tone(status: Status) -> str:
    return status.value if status in (Status.FAILING, Status.WARNING) else ""
