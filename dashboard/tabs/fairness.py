"""Fairness: how each class of a protected feature fares against the most favoured one, worst first, and since when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode

from dashboard import examples, glossary
from dashboard.charts import words
from dashboard.charts.chart import ChartView
from dashboard.charts.fairness import CLASSES, FAIRNESS_OVER_TIME, METRIC, ClassDot, ClassPoints
from dashboard.charts.theme import category
from dashboard.charts.timeline import Limit, Series, TimePoints
from dashboard.examples import Example
from dashboard.glossary.fairness import NAMES
from dashboard.shelf import number
from dashboard.tabs.parts import Tab, Tile, legend, switch
from dashboard.tabs.subject import DRIFT, Subject
from metrics import ClassFairness, FairnessMetric, FairnessRule, judge_fairness
from metrics import Status as Judged
from metrics.fairness import FAIRNESS_THRESHOLD, NEEDS_ACTUALS
from monitoring import questions as q
from monitoring.client import BiasAndFairness
from monitoring.models import Status
from monitoring.poll.areas import MOST_FEATURES, fairness_metrics
from monitoring.questions import Question

MOST_LINES = 4
FEW = "too few rows"


@dataclass(frozen=True)
class ClassScore:
    """One class as answered, by one metric; None where the source gave no number."""

    feature: str
    metric: str
    name: str
    relative: float | None
    absolute: float | None
    rows: int | None
    significant: bool
    favoured: str
    message: str

    @property
    def judged(self) -> bool:
        return self.significant and self.relative is not None


# --- What is asked -------------------------------------------------------------------------------------------------


def setting(subject: Subject) -> BiasAndFairness:
    """What the source says about fairness; empty where it says nothing."""
    return subject.settings.bias_and_fairness or BiasAndFairness()


def protected(subject: Subject) -> list[str]:
    """The protected features that are polled."""
    return list(dict.fromkeys(setting(subject).protected_features or []))[:MOST_FEATURES]


def is_on(subject: Subject) -> bool:
    return bool(protected(subject))


def watched_metrics(subject: Subject) -> tuple[str, ...]:
    """The metrics of the chosen set; "" leaves the choice to the source."""
    return fairness_metrics(setting(subject).fairness_metrics_set)


def threshold(subject: Subject) -> float:
    """The least relative score to accept."""
    found = setting(subject).fairness_threshold
    return FAIRNESS_THRESHOLD if found is None else found


def summary_question(subject: Subject, feature: str, metric: str) -> Question:
    """The classes over the judged window."""
    return q.fairness(subject.judged, feature, metric or None, model_id=subject.model_id)


def series_question(subject: Subject, feature: str, metric: str) -> Question:
    """The classes by bin over the range of the page."""
    return q.fairness_over_time(
        feature, subject.window, subject.bucket, metric=metric or None, model_id=subject.model_id
    )


def judged_questions(subject: Subject) -> list[Question]:
    """Everything that the verdict rests on."""
    names, metrics = protected(subject), watched_metrics(subject)
    return [summary_question(subject, name, metric) for name in names for metric in metrics]


# --- What is known -------------------------------------------------------------------------------------------------


def scores(subject: Subject, feature: str, metric: str) -> list[ClassScore]:
    """The classes over the judged window, worst first, those with too few rows last."""
    summary = subject.shelf.payload(summary_question(subject, feature, metric)).get("summary")
    rows = summary.get("scores") if isinstance(summary, dict) else None
    found = (
        [_score(feature, metric, row) for row in rows or [] if isinstance(row, dict)] if isinstance(rows, list) else []
    )
    return sorted(found, key=lambda one: (not one.judged, one.relative if one.relative is not None else 9.0, one.name))


def _score(feature: str, metric: str, row: dict[str, Any]) -> ClassScore:
    rows = number(row, "sampleSize")
    return ClassScore(
        feature,
        metric,
        str(row.get("label") or "(missing)"),
        number(row),
        number(row, "absoluteValue"),
        int(rows) if rows is not None else None,
        row.get("isStatisticallySignificant") is not False,
        str(row.get("privilegedClass") or ""),
        str(row.get("message") or ""),
    )


def favoured(found: Sequence[ClassScore]) -> str:
    """The class that the others are held against; "" where no class has enough rows."""
    named = next((one.favoured for one in found if one.favoured), "")
    best = max((one for one in found if one.judged), key=lambda one: one.relative or 0.0, default=None)
    return named or (best.name if best else "")


def rule(subject: Subject) -> FairnessRule:
    """The limits of the verdict; the reference's defaults where the source tells none."""
    counts = subject.health_settings.fairness
    if counts is None:
        return FairnessRule(threshold(subject))
    return FairnessRule(threshold(subject), counts.protected_class_failing_count, counts.protected_class_warning_count)


def worst_by_class(subject: Subject) -> list[ClassScore]:
    """Every class of every protected feature by its worst watched metric."""
    if "fairness" not in subject.memo:
        subject.memo["fairness"] = _worst_by_class(subject)
    known: list[ClassScore] = subject.memo["fairness"]
    return known


def _worst_by_class(subject: Subject) -> list[ClassScore]:
    found: dict[tuple[str, str], ClassScore] = {}
    for feature in protected(subject):
        for metric in watched_metrics(subject):
            for one in scores(subject, feature, metric):
                before = found.get((feature, one.name))
                if before is None or _rank(one) < _rank(before):
                    found[feature, one.name] = one
    return sorted(found.values(), key=_rank)


def _rank(one: ClassScore) -> float:
    return one.relative if one.judged and one.relative is not None else float("inf")


def verdict(subject: Subject) -> Judged:
    """The verdict by the answers that the page shows: as known then, where it goes back in time."""
    if "fairness-verdict" not in subject.memo:
        every = worst_by_class(subject)
        found = [ClassFairness(one.feature, one.name, one.relative, one.significant) for one in every]
        subject.memo["fairness-verdict"] = judge_fairness(found, rule(subject)).status
    known: Judged = subject.memo["fairness-verdict"]
    return known


# --- The tab -------------------------------------------------------------------------------------------------------


def build(subject: Subject, feature: str = "", metric: str = "", name: str = "") -> Tab:
    """Tiles, the classes of the chosen feature, their scores over time, and the same as a table."""
    if subject.watched.batch_monitoring:
        return Tab("dashboard/tab_fairness.html", timeless=True, more=_by_batch(subject))
    features, metrics = protected(subject), watched_metrics(subject)
    if not features:
        return Tab("dashboard/tab_fairness.html", more={"off": off(subject), "example": example(subject)})
    subject.shelf.read(judged_questions(subject))
    shown = metric if metric in set(FairnessMetric) else metrics[0]
    chosen = feature if feature in features else _worst_feature(subject, features)
    subject.shelf.read([summary_question(subject, chosen, shown), series_question(subject, chosen, shown)])
    found = scores(subject, chosen, shown)
    picked = next((one.name for one in found if one.name == name), "")
    charts = {"main": _classes(subject, chosen, shown, found, picked)}
    names = _lines(found, picked)
    charts |= _over_time(subject, chosen, shown, names)
    more = {
        "feature": chosen,
        "metric": shown,
        "classes": [(one, class_status(subject, one), address(subject, chosen, shown, one.name)) for one in found],
        "picked": picked,
        "legend": legend([(one, category(i), address(subject, chosen, shown, one)) for i, one in enumerate(names)]),
        "favoured": favoured(found),
        "threshold": threshold(subject),
        "outcome": outcome(subject, chosen, shown),
        "label": label(shown),
        "meaning": meaning(shown),
        "counts": shown == FairnessMetric.EQUAL_PARITY,
        "message": _message(subject, chosen, shown),
        "switch": switch("Metric", _metric_links(subject, chosen, shown, metrics), _all_links(subject, chosen, shown)),
        "feature_switch": switch("Protected feature", _feature_links(subject, features, chosen, shown))
        if len(features) > 1
        else "",
        "segmented": bool(subject.view.segment),
    }
    return Tab("dashboard/tab_fairness.html", charts, tiles(subject, features), more)


def address(subject: Subject, feature: str, metric: str, name: str = "") -> str:
    """The tab with a feature, a metric and perhaps a class chosen."""
    pairs = [("feature", feature), ("metric", metric), ("class", name)]
    query = urlencode([pair for pair in pairs if pair[1]])
    return f"{subject.url('fairness')}{'&' if subject.query else '?'}{query}"


def tiles(subject: Subject, features: Sequence[str]) -> tuple[Tile, ...]:
    """The count against its limits, then the worst class of each protected feature."""
    every, limits = worst_by_class(subject), rule(subject)
    judged = [one for one in every if one.judged]
    below = [one for one in judged if (one.relative or 0.0) < limits.threshold]
    lead = Tile(
        f"Classes below {limits.threshold:g}",
        words.number(len(below), 0) if judged else words.NONE,
        f"of {len(judged)}" if judged else "",
        _limits_words(limits) if judged else "no class has enough rows yet",
        status=verdict(subject).value,
    )
    few = len(every) - len(judged)
    return (lead, *(_feature_tile(subject, every, name) for name in features[:4]), _few_tile(few, len(every)))


def _limits_words(limits: FairnessRule) -> str:
    told = [
        f"{word} from {count}"
        for word, count in (("at risk", limits.warning_count), ("failing", limits.failing_count))
        if count is not None
    ]
    return ", ".join(told) or "no limit set"


def _feature_tile(subject: Subject, every: Sequence[ClassScore], feature: str) -> Tile:
    own = [one for one in every if one.feature == feature and one.judged]
    if not own:
        href = address(subject, feature, "")
        return Tile(feature, words.NONE, note="no class with enough rows", href=href)
    worst = own[0]
    href = address(subject, feature, worst.metric)
    bad = (worst.relative or 0.0) < threshold(subject)
    note = f"{worst.name}, the least favoured of {words.count(len(own), 'class', 'classes')}"
    return Tile(feature, f"{worst.relative:.3f}", "", note, status=Status.WARNING.value if bad else "", href=href)


def _few_tile(few: int, every: int) -> Tile:
    return Tile("Too few rows", words.number(few, 0), f"of {every}", "classes shown hollow, never judged")


def class_status(subject: Subject, one: ClassScore) -> str:
    """What a class adds to the verdict: below the threshold it is at risk, and failing where there are too many."""
    if not one.judged:
        return Status.UNKNOWN.value
    if (one.relative or 0.0) >= threshold(subject):
        return Status.PASSING.value
    return Status.FAILING.value if verdict(subject) is Judged.FAILING else Status.WARNING.value


def _worst_feature(subject: Subject, features: Sequence[str]) -> str:
    worst = worst_by_class(subject)
    return worst[0].feature if worst else features[0]


def _classes(subject: Subject, feature: str, metric: str, found: Sequence[ClassScore], picked: str) -> ChartView:
    points = ClassPoints(
        feature,
        tuple(
            ClassDot(
                one.name,
                one.relative,
                one.absolute,
                one.rows,
                not one.significant,
                class_status(subject, one),
                address(subject, feature, metric, one.name),
            )
            for one in found
        ),
        threshold(subject),
        favoured(found),
        picked,
    )
    status = verdict(subject).value if points.below else ""
    return CLASSES.view(
        "fairness-main",
        points,
        caption=f"{label(metric)} of each class, relative to the most favoured; last {subject.interval_words}",
        status=status if status in (Status.FAILING, Status.WARNING) else "",
        foot=f"Filled: below {threshold(subject):g}. Hollow: {FEW}. Rows at the right. Click a class for its line.",
        term=label(metric),
        api_url=subject.api_url(summary_question(subject, feature, metric)),
        csv_url=subject.csv_url("fairness", "main", urlencode({"feature": feature, "metric": metric})),
    )


def _lines(found: Sequence[ClassScore], picked: str) -> list[str]:
    """The classes that are drawn over time: the chosen one first, then the worst, the most favoured last."""
    judged, best = [one.name for one in found if one.judged], favoured(found)
    names = list(dict.fromkeys([*([picked] if picked else []), *judged]))[: MOST_LINES - 1]
    return [*names, best] if best and best not in names else names or [one.name for one in found[:MOST_LINES]]


def _over_time(subject: Subject, feature: str, metric: str, names: Sequence[str]) -> dict[str, ChartView]:
    extra = urlencode({"feature": feature, "metric": metric})
    question = series_question(subject, feature, metric)
    relative = FAIRNESS_OVER_TIME.view(
        "fairness-series",
        series_points(subject, feature, metric, names),
        caption=f"{label(metric)} by {subject.view.bucket_noun}, each class against the most favoured of that bin",
        foot=f"Each bin is compared on its own; the verdict is made over {subject.interval_words}. Hollow: {FEW}"
        + (" or labels still arriving." if metric in NEEDS_ACTUALS else "."),
        api_url=subject.api_url(question),
        csv_url=subject.csv_url("fairness", "series", extra),
    )
    own = FAIRNESS_OVER_TIME.view(
        "fairness-own",
        own_points(subject, feature, metric, names),
        title=own_title(metric),
        caption=f"By {subject.view.bucket_noun}. {meaning(metric)}",
        foot=f"The score of each class itself, before it is compared. Hollow: {FEW}.",
        api_url=subject.api_url(question),
        csv_url=subject.csv_url("fairness", "own", extra),
    )
    return {"series": relative, "own": own}


def series_points(subject: Subject, feature: str, metric: str, names: Sequence[str], height: int = 190) -> TimePoints:
    """The relative score of classes by bin, against the threshold."""
    least = threshold(subject)
    return TimePoints(
        subject.clock.start,
        subject.clock.step,
        _series(subject, feature, metric, names, "value"),
        metric=METRIC,
        caption="relative to the most favoured",
        limits=(Limit(Status.FAILING, least, above=False, words=f"least {least:g}"),),
        changes=subject.changes(),
        unfinished=subject.running,
        height=height,
    )


def own_points(subject: Subject, feature: str, metric: str, names: Sequence[str]) -> TimePoints:
    """The score of the classes themselves."""
    counted = metric == FairnessMetric.EQUAL_PARITY
    return TimePoints(
        subject.clock.start,
        subject.clock.step,
        _series(subject, feature, metric, names, "absoluteValue"),
        unit="" if counted else "%",
        caption="rows" if counted else "score of the class",
        changes=subject.changes(),
        unfinished=subject.running,
        zero=counted,
        height=190,
    )


class Labelled(NamedTuple):
    """A bin with its classes by name."""

    start: datetime
    values: dict[str, Any]


def _series(subject: Subject, feature: str, metric: str, names: Sequence[str], field: str) -> tuple[Series, ...]:
    found = _by_label(subject, series_question(subject, feature, metric))
    late = subject.late if metric in NEEDS_ACTUALS else frozenset()
    lines = []
    for i, name in enumerate(names):
        values = subject.clock.place(found, lambda row, name=name: number(row.get(name, {}), field))  # type: ignore[misc]
        few = _few_bins(subject, found, name) | late
        hollow = frozenset(at for at in few if values[at] is not None)
        lines.append(Series(name, values, token=category(i), width=2 if i == 0 else 1.5, immature=hollow, hollow=FEW))
    return tuple(lines)


def _by_label(subject: Subject, question: Question) -> list[Labelled]:
    """The bins of an answer, each read once for all the classes and charts that show it."""
    key = f"labelled-{question.key}"
    if key not in subject.memo:
        subject.memo[key] = [Labelled(one.start, _scores(one.values)) for one in subject.shelf.buckets(question)]
    found: list[Labelled] = subject.memo[key]
    return found


def _scores(values: dict[str, Any]) -> dict[str, Any]:
    rows = values.get("scores")
    known: dict[str, Any] = {}
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict):
            known.setdefault(str(row.get("label") or "(missing)"), row)
    return known


def _few_bins(subject: Subject, found: Sequence[Labelled], name: str) -> frozenset[int]:
    few = [
        subject.clock.index(one.start)
        for one in found
        if name in one.values and one.values[name].get("isStatisticallySignificant") is False
    ]
    return frozenset(at for at in few if 0 <= at < subject.clock.n)


# --- Words ---------------------------------------------------------------------------------------------------------


def label(metric: str) -> str:
    """The metric for people."""
    return NAMES[FairnessMetric(metric)] if metric in set(FairnessMetric) else "The source's own metric"


def meaning(metric: str) -> str:
    """How the score of a class is worked out."""
    entry = glossary.find(label(metric))
    return entry.how if entry is not None else "The score of each class."


def own_title(metric: str) -> str:
    """A title that names what is drawn: the comparison has its own chart."""
    return f"{label(metric)}: the classes before they are compared"


def outcome(subject: Subject, feature: str, metric: str) -> str:
    """The outcome that people want, as the source names it; "" where it does not."""
    told = subject.shelf.frame(series_question(subject, feature, metric)).get("favorableTargetOutcome")
    wanted = setting(subject).preferable_target_value if told is None else told
    return "" if wanted is None or isinstance(wanted, dict | list) else str(wanted)


def _message(subject: Subject, feature: str, metric: str) -> str:
    summary = subject.shelf.payload(summary_question(subject, feature, metric)).get("summary")
    told = summary.get("message") if isinstance(summary, dict) else None
    return told if isinstance(told, str) else ""


def _metric_links(subject: Subject, feature: str, shown: str, metrics: Sequence[str]) -> list[tuple[str, str, bool]]:
    names = metrics if shown in metrics else [*metrics, shown]
    return [(label(name), address(subject, feature, name), name == shown) for name in names]


def _all_links(subject: Subject, feature: str, shown: str) -> list[tuple[str, str, bool]]:
    return [(label(name), address(subject, feature, name), name == shown) for name in FairnessMetric]


def _feature_links(subject: Subject, features: Sequence[str], chosen: str, shown: str) -> list[tuple[str, str, bool]]:
    return [(name, address(subject, name, shown), name == chosen) for name in features]


# --- When it is off ------------------------------------------------------------------------------------------------


BY_BATCH = (
    "This deployment is watched by batch. The API that is asked tells fairness over time only, not of a batch: a "
    "verdict on it rests on the hours in which batches came. How right the model is for each value of a feature, "
    "batch by batch, stands among the segments."
)


def _by_batch(subject: Subject) -> dict[str, Any]:
    """What is said instead, with the page that comes nearest."""
    nearest = subject.url("segments"), "Open the segments"
    return {"title": "Fairness is not told by batch", "off": BY_BATCH, "elsewhere": nearest}


def off(subject: Subject) -> str:
    """Why there is nothing to show."""
    if not subject.shelf.payload(q.settings()):
        return "The settings of this deployment have not been fetched yet."
    if subject.watched.target_type and subject.watched.target_type != "Binary":
        kind = subject.watched.target_type.lower()
        return f"Fairness compares how often classes get the wanted outcome of a yes-or-no model; this one is {kind}."
    return (
        "This page shows how each class of a protected feature fares against the most favoured one. "
        "None is chosen at the source."
    )


def example(subject: Subject) -> Example | None:
    """How to switch it on; nothing for a model that it is not defined for."""
    if subject.watched.target_type not in ("", "Binary") or not subject.shelf.payload(q.settings()):
        return None
    chosen = {
        "protectedFeatures": _candidates(subject),
        "preferableTargetValue": subject.positive or "the outcome that people want",
        "fairnessMetricsSet": "proportionalParity",
        "fairnessThreshold": FAIRNESS_THRESHOLD,
    }
    return examples.settings(subject.watched, "Choose protected features", biasAndFairness=chosen)


def _candidates(subject: Subject) -> list[str]:
    """Columns that the source segments by, which are categorical: protected ones are often among them."""
    kept = [name for name in subject.attributes(DRIFT) if not name.startswith("DataRobot-")]
    return kept[:2] or ["a categorical column"]
