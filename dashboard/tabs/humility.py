"""Humility: the rules by which a deployment doubts itself, how often each applied, and prediction warnings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from dashboard import examples
from dashboard.charts import words
from dashboard.charts.chart import ChartView
from dashboard.charts.humility import HUMILITY, HumilityPoints
from dashboard.charts.lane import LANE
from dashboard.charts.theme import category
from dashboard.charts.timeline import Series, TimePoints
from dashboard.examples import Example
from dashboard.shelf import Bucket, Values, number, picker, total
from dashboard.tabs import predictions
from dashboard.tabs.parts import Tab, Tile, legend
from dashboard.tabs.subject import SERVICE, Subject
from monitoring import questions as q
from monitoring.questions import Question

MOST_LINES = 4
ACTIONS = {
    "override": "Overrides the prediction",
    "throwError": "Refuses to predict (status 480)",
    "noOperation": "Counts only",
}


@dataclass(frozen=True)
class Rule:
    """One rule with its counts; None where the source tells nothing."""

    id: str
    name: str
    trigger: str
    action: str
    kind: str
    applied: Values
    judged: float | None
    known: bool
    """Whether the source still lists it: a rule that is gone may have counts."""

    @property
    def count(self) -> float | None:
        return total(self.applied)


def series_question(subject: Subject) -> Question:
    """How often each rule applied, by bin."""
    return q.humility_over_time(
        subject.window, subject.bucket, model_id=subject.model_id, segment=subject.segment(SERVICE)
    )


def summary_question(subject: Subject) -> Question:
    """How often each rule applied in the judged window."""
    return q.humility(subject.judged, model_id=subject.model_id, segment=subject.segment(SERVICE))


def is_on(subject: Subject) -> bool:
    return bool(subject.settings.humility and subject.settings.humility.enabled)


def build(subject: Subject) -> Tab:
    """Tiles, the share of predictions by rule over time, the rules themselves, prediction warnings."""
    if subject.watched.batch_monitoring:
        return Tab("dashboard/tab_humility.html", timeless=True, more=_by_batch(subject))
    if not is_on(subject):
        return Tab(
            "dashboard/tab_humility.html",
            more={"off": off(subject), "example": switch_on(subject), "rule": first_rule(subject)},
        )
    rows_question = predictions.over_time_question(subject)
    subject.shelf.read([series_question(subject), summary_question(subject), q.humility_rules(), rows_question])
    found, rows = rules(subject), rows_by_bin(subject)
    charts = {"main": _main(subject, found, rows)} if found else {}
    warned = warnings(subject)
    if warned is not None:
        charts["warnings"] = _warnings(subject, warned)
    more = {
        "rules": [(rule, _share(rule.count, total(rows))) for rule in found],
        "legend": legend([(rule.name, category(i), "#rules") for i, rule in enumerate(lines(found))]),
        "interval": subject.interval_words,
        "rule": None if found else first_rule(subject),
        "told": bool(subject.shelf.entries(q.humility_rules())),
        "segmented": subject.segment(SERVICE) is not None,
    }
    return Tab("dashboard/tab_humility.html", charts, tiles(subject, found, rows, warned), more)


# --- What is known -------------------------------------------------------------------------------------------------


def rules(subject: Subject) -> list[Rule]:
    """The rules in their order, then those that have counts and are listed no more."""
    buckets = subject.shelf.buckets(series_question(subject))
    judged = {str(row.get("ruleId")): row for row in subject.shelf.entries(summary_question(subject))}
    listed = {str(row.get("id")): row for row in subject.shelf.entries(q.humility_rules()) if row.get("id")}
    names = _names(buckets, judged)
    found = [_rule(subject, key, row, buckets, judged, known=True) for key, row in listed.items()]
    told = bool(listed)
    gone = [
        _rule(subject, key, {"name": name}, buckets, judged, known=not told)
        for key, name in names.items()
        if key not in listed
    ]
    return [*found, *gone]


def _names(buckets: Sequence[Bucket], judged: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    found = {key: str(row.get("ruleName") or key) for key, row in judged.items()}
    for bucket in buckets:
        found |= {str(row.get("ruleId")): str(row.get("ruleName") or "") for row in _values(bucket.values)}
    return found


def _rule(
    subject: Subject,
    key: str,
    row: Mapping[str, Any],
    buckets: Sequence[Bucket],
    judged: Mapping[str, dict[str, Any]],
    *,
    known: bool,
) -> Rule:
    action = row.get("action")
    action = action if isinstance(action, dict) else {}
    trigger = row.get("trigger")
    return Rule(
        key,
        str(row.get("name") or key),
        trigger_words(trigger) if isinstance(trigger, dict) else "",
        action_words(action),
        str(action.get("type") or ""),
        subject.clock.place(buckets, lambda values: _applied(values, key)),
        number(judged[key]) if key in judged else None,
        known,
    )


def _values(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = values.get("values")
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def _applied(values: Mapping[str, Any], key: str) -> float | None:
    return next((number(row) for row in _values(values) if str(row.get("ruleId")) == key), None)


def rows_by_bin(subject: Subject) -> Values:
    """Predictions by bin; nothing while a caller is chosen, whose predictions are not told."""
    if subject.segment(SERVICE) is not None:
        return (None,) * subject.clock.n
    found = subject.shelf.buckets(predictions.over_time_question(subject))
    return subject.clock.place(found, picker("rowCount"))


def warnings(subject: Subject) -> Values | None:
    """Prediction warnings by bin; None where none was ever counted."""
    found = subject.shelf.buckets(predictions.over_time_question(subject))
    values = subject.clock.place(found, picker("predictionsWarningCount"))
    return values if any(values) else None


def lines(found: Sequence[Rule]) -> list[Rule]:
    """The rules that are drawn: those that applied most often."""
    return sorted(found, key=lambda rule: -(rule.count or 0.0))[:MOST_LINES]


# --- Charts and tiles ----------------------------------------------------------------------------------------------


def points(subject: Subject, found: Sequence[Rule], rows: Values) -> HumilityPoints:
    """Shares of predictions where these are known, else counts."""
    drawn = lines(found)
    shares = any(value for value in rows)
    series = tuple(
        Series(rule.name, _shares(rule.applied, rows) if shares else rule.applied, token=category(i))
        for i, rule in enumerate(drawn)
    )
    time = TimePoints(
        subject.clock.start,
        subject.clock.step,
        series,
        unit="%" if shares else "",
        caption="share of predictions" if shares else "predictions",
        zero=True,
        changes=subject.changes(),
        unfinished=subject.running,
        height=190,
    )
    return HumilityPoints(time, tuple(rule.applied for rule in drawn), rows)


def _shares(applied: Values, rows: Values) -> Values:
    return tuple(None if k is None or not n else k / n for k, n in zip(applied, rows, strict=True))


def _main(subject: Subject, found: Sequence[Rule], rows: Values) -> ChartView:
    return HUMILITY.view(
        "humility-main",
        points(subject, found, rows),
        caption=f"Share of predictions that each rule applied to, by {subject.view.bucket_noun}",
        foot="Several rules may apply to one prediction. Rows a bin beneath. Bins are UTC.",
        term="Humility rule",
        api_url=subject.api_url(series_question(subject)),
        csv_url=subject.csv_url("humility", "main"),
    )


def _warnings(subject: Subject, warned: Values) -> ChartView:
    count = words.count(round(total(warned) or 0), "prediction")
    time = TimePoints(
        subject.clock.start,
        subject.clock.step,
        (Series("prediction warnings", warned, token="warning"),),  # noqa: S106 - a colour
        caption=f"prediction warnings, per {subject.view.bucket_noun}",
        bars=True,
        changes=subject.changes(),
        unfinished=subject.running,
        height=140,
    )
    return LANE.view(
        "humility-warnings",
        time,
        title=f"{count} outside of the usual",
        caption=f"Predictions beyond the boundaries of prediction warnings, by {subject.view.bucket_noun}",
        foot="A warned prediction is returned as it is. Bins are UTC.",
        term="Prediction warning",
        api_url=subject.api_url(predictions.over_time_question(subject)),
        csv_url=subject.csv_url("humility", "warnings"),
    )


def tiles(subject: Subject, found: Sequence[Rule], rows: Values, warned: Values | None) -> tuple[Tile, ...]:
    """Rules, how often they applied, what was changed or refused by them, warnings."""
    n = total(rows)
    applied = total([rule.count for rule in found])
    listed = sum(1 for rule in found if rule.known)
    return (
        Tile("Rules", words.number(listed, 0), "", "asked as each prediction comes in", term="Humility rule"),
        _applied_tile("Applied", applied, n, subject.range_words),
        _action_tile("Overridden", found, "override", n),
        _action_tile("Refused", found, "throwError", n),
        Tile(
            "Prediction warnings",
            words.number(total(warned), 0) if warned is not None else words.NONE,
            note="outside of the boundaries" if warned is not None else "none in the range, or not tracked",
            term="Prediction warning",
        ),
    )


def _applied_tile(name: str, count: float | None, rows: float | None, otherwise: str) -> Tile:
    share = _share(count, rows)
    note = f"{words.number(100 * share, 1)} for 100 predictions" if share is not None else otherwise
    return Tile(name, words.compact(count), "times" if count is not None else "", note)


def _action_tile(name: str, found: Sequence[Rule], kind: str, rows: float | None) -> Tile:
    own = [rule for rule in found if rule.kind == kind]
    if not own:
        return Tile(name, words.NONE, note="no rule does this" if any(rule.kind for rule in found) else "not told")
    count = total([rule.count for rule in own])
    share = _share(count, rows)
    at_most = "at most " if len(found) > 1 else ""
    note = (
        f"{at_most}{words.percent(share)} of predictions" if share is not None else words.listed([r.name for r in own])
    )
    return Tile(name, words.compact(count), "times" if count is not None else "", note)


def _share(count: float | None, rows: float | None) -> float | None:
    return count / rows if count is not None and rows else None


# --- Words ---------------------------------------------------------------------------------------------------------


def trigger_words(trigger: Mapping[str, Any]) -> str:
    """When the rule applies, in a sentence."""
    kind, feature = trigger.get("type"), str(trigger.get("featureName") or "a feature")
    bounds = _bounds(trigger)
    calculated = " (calculated)" if trigger.get("isCalculated") else ""
    if kind == "uncertainPrediction":
        return f"The prediction is uncertain: bounds {bounds}{calculated}"
    if kind == "outlyingInput":
        return f"{feature} lies outside {bounds}{calculated}"
    if kind == "lowObservationRegion":
        values = trigger.get("values")
        listed = words.listed([str(one) for one in values], 8) if isinstance(values, list) and values else "the list"
        return f"{feature} is none of {listed}"
    return "A series that training did not have" if kind == "newSeries" else str(kind or "")


def _bounds(trigger: Mapping[str, Any]) -> str:
    lower, upper = number(dict(trigger), "lower"), number(dict(trigger), "upper")
    if lower is None and upper is None:
        return "as calculated"
    return f"{_short(lower)} to {_short(upper)}"


def _short(value: float | None) -> str:
    """Three significant digits without trailing zeros."""
    return words.NONE if value is None else f"{words.rounded(value, 3):,.10g}".replace("-", words.MINUS)


def action_words(action: Mapping[str, Any]) -> str:
    """What the rule does; "" where the source does not tell."""
    kind = str(action.get("type") or "")
    told = ACTIONS.get(kind, kind)
    value = action.get("value")
    return f"{told}: says {value}" if kind == "override" and value is not None else told


# --- When it is off ------------------------------------------------------------------------------------------------


BY_BATCH = (
    "This deployment is watched by batch. The API that is asked counts over time only how often humility rules "
    "applied, not for a batch. The rules work on every prediction all the same; they are changed under Manage."
)


def _by_batch(subject: Subject) -> dict[str, Any]:
    """What is said instead, with the page where the rules are."""
    rules_page = reverse("manage", args=[subject.watched.pk]) + "#humility", "Manage the deployment"
    return {"title": "Humility is not told by batch", "off": BY_BATCH, "elsewhere": rules_page}


def off(subject: Subject) -> str:
    """Why there is nothing to show."""
    if not subject.shelf.payload(q.settings()):
        return "The settings of this deployment have not been fetched yet."
    return (
        "Humility rules tell predictions that the model should not be trusted with. They are switched off at the "
        "source: every prediction is returned as the model made it."
    )


def switch_on(subject: Subject) -> Example:
    """How to switch humility on."""
    return examples.settings(subject.watched, "Switch humility on", humility={"enabled": True})


def first_rule(subject: Subject) -> Example:
    """A first rule: it only counts."""
    rule = {
        "name": "Too close to call",
        "trigger": {"type": "uncertainPrediction"},
        "action": {"type": "noOperation"},
    }
    return examples.call(subject.watched, "POST", "humilityRules/", "Define a rule that counts what is uncertain", rule)
