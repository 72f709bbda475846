"""The quality of what comes in, feature by feature: missing, never seen in training, outside of its range.

The counts are those of the bins that drift is computed from, so that they cost no row. The reference has no such read;
a source without our extension is told so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from dashboard.charts import words
from dashboard.charts.chart import ChartView
from dashboard.shelf import number
from dashboard.tabs import measures
from dashboard.tabs.subject import DRIFT, Subject
from metrics import wilson
from monitoring import questions as q
from monitoring.questions import Question

Json = dict[str, Any]
MOST_FEATURES = 40
LEAST_DIFFERENCE = 0.005
"""A share that grew by less is not worth a word, however sure it is."""
PATH = "featureDistributions/"


@dataclass(frozen=True)
class Share:
    """How many live rows are so, and what part of the training rows was."""

    rows: int
    share: float
    before: float
    loud: bool

    @property
    def text(self) -> str:
        return words.percent(self.share, 1 if self.share >= 0.001 or not self.share else 3)


@dataclass(frozen=True)
class Quality:
    """One feature. None: a kind of trouble that it cannot have."""

    name: str
    kind: str
    n: int
    missing: Share | None
    new: Share | None
    outside: Share | None
    href: str

    @property
    def worst(self) -> float:
        """The largest growth of a share, for the order."""
        found = [one.share - one.before for one in (self.missing, self.new, self.outside) if one is not None]
        return max(found, default=0.0)

    @property
    def is_loud(self) -> bool:
        return any(one.loud for one in (self.missing, self.new, self.outside) if one is not None)


def questions(subject: Subject) -> list[Question]:
    """As few as hold all features; none for a batch deployment without a batch."""
    names = measures.features(subject)[:MOST_FEATURES]
    batch = measures.newest_batch(subject) if subject.watched.batch_monitoring else ()
    if subject.watched.batch_monitoring and not batch:
        return []
    groups = [names[i : i + q.MOST_NAMES] for i in range(0, len(names), q.MOST_NAMES)]
    return [_question(subject, group, batch[0] if batch else "") for group in groups]


def _question(subject: Subject, names: Sequence[str], batch: str) -> Question:
    model, segment = subject.model_id, subject.segment(DRIFT)
    if batch:
        return q.distributions(names, None, batch_id=batch, model_id=model, segment=segment)
    bucket = measures.whole_bucket(subject)
    return q.distributions(names, subject.window, bucket, model_id=model, segment=segment)


def features(subject: Subject) -> list[Quality]:
    """What grew most since training first."""
    found = [
        _quality(subject, one)
        for question in questions(subject)
        for one in subject.shelf.entries(question)
        if isinstance(one.get("featureName"), str) and isinstance(one.get("bins"), list)
    ]
    return sorted(found, key=lambda one: (not one.is_loud, -one.worst, one.name))


def _quality(subject: Subject, one: Json) -> Quality:
    bins = [row for row in one["bins"] if isinstance(row, dict)]
    kinds = {str(row.get("kind")) for row in bins}
    live = sum(number(row, "count") or 0.0 for row in bins)
    base = sum(number(row, "baselineCount") or 0.0 for row in bins)

    def share(*wanted: str) -> Share | None:
        chosen = [row for row in bins if row.get("kind") in wanted]
        if not kinds & set(wanted):
            return None
        count = sum(number(row, "count") or 0.0 for row in chosen)
        before = sum(number(row, "baselineCount") or 0.0 for row in chosen)
        return _share(count, live, before / base if base else 0.0)

    text = "word" in kinds
    name = str(one["featureName"])
    base_url = subject.url("batches" if subject.watched.batch_monitoring else "drift")
    href = (
        base_url
        if subject.watched.batch_monitoring
        else f"{base_url}{'&' if '?' in base_url else '?'}feature={quote(name)}"
    )
    return Quality(
        name,
        str(one.get("featureType") or "").lower(),
        round(number(one, "sampleSize") or live),
        None if text else share("missing"),
        share("new"),
        share("below", "above"),
        href,
    )


def _share(count: float, live: float, before: float) -> Share:
    """Loud where more than chance and more than a little above training."""
    if not live:
        return Share(0, 0.0, before, loud=False)
    low, _ = wilson([count], [live])
    grown = count / live - before
    return Share(round(count), count / live, before, loud=grown > LEAST_DIFFERENCE and float(low[0]) > before)


def title(found: Sequence[Quality]) -> str:
    """The feature whose trouble grew most."""
    loud = [one for one in found if one.is_loud]
    if not found:
        return "The quality of the features is not known yet"
    if not any(part for one in found for part in (one.missing, one.new, one.outside)):
        return "Words are not checked: this model has text only"
    if not loud:
        return "The features come as they came in training"
    first, told = loud[0], {"missing": loud[0].missing, "never seen in training": loud[0].new}
    told["outside of the training range"] = loud[0].outside
    known = {word: one for word, one in told.items() if one is not None and one.loud}
    word = max(known, key=lambda name: known[name].share - known[name].before)
    more = f"; {len(loud) - 1} more" if len(loud) > 1 else ""
    return f"{words.shortened(first.name, 28)}: {known[word].text} {word}{more}"


def table(found: Sequence[Quality]) -> ChartView:
    """The numbers as a file; nothing is drawn."""
    heads = (
        "Feature",
        "Type",
        "Rows",
        *(f"{a}, {b}" for a in ("Missing", "New", "Outside") for b in ("live", "training")),
    )
    rows = [
        (
            one.name,
            one.kind,
            str(one.n),
            *(
                "" if part is None else f"{words.rounded(value, 6)}"
                for part in (one.missing, one.new, one.outside)
                for value in ((part.share, part.before) if part is not None else (0.0, 0.0))
            ),
        )
        for one in found
    ]
    return ChartView("data-quality", "", "", "", "", {"data": [], "layout": {}}, heads, rows)
