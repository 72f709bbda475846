"""Retraining as the source tells it: policies with their triggers, and what came out of their runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from dashboard.charts import words
from dashboard.tabs.subject import Subject
from monitoring import questions as q
from monitoring import schedules
from monitoring.clock import parse_duration, parse_time

MOST_POLICIES = 5
MOST_RUNS = 10
ACTIONS = {
    "create_challenger": "makes a challenger",
    "create_model_package": "registers a model package",
    "model_replacement": "replaces the champion",
}
TRIGGERS = {
    "schedule": "On schedule",
    "data_drift_decline": "When data drift declines",
    "accuracy_decline": "When accuracy declines",
    "manual": "By hand",
}
TONES = {"succeeded": "passing", "failed": "failing", "cancelled": "unavailable"}


@dataclass(frozen=True)
class RunLine:
    """One run. `holdout`: the metric that chose the model and its value there, where the source tells them."""

    started: datetime | None
    lasted: timedelta | None
    state: str
    status: str
    cause: str
    error: str
    outcome: str
    trained: str
    holdout: str


@dataclass(frozen=True)
class PolicyLine:
    """A policy with its newest runs."""

    name: str
    description: str
    trigger: str
    action: str
    next_at: datetime | None
    runs: tuple[RunLine, ...] = field(default=())


def policies(subject: Subject) -> list[PolicyLine]:
    """Every policy, in the source's order."""
    return [_policy(subject, one) for one in subject.shelf.entries(q.retraining_policies())]


def _policy(subject: Subject, one: Mapping[str, Any]) -> PolicyLine:
    trigger = one.get("trigger")
    rule: Mapping[str, Any] = trigger if isinstance(trigger, dict) else {}
    newest = one.get("latestRun")
    runs = subject.shelf.entries(q.retraining_runs(str(one.get("id") or "")))
    listed = runs or ([newest] if isinstance(newest, dict) else [])
    scheduled = rule.get("type") == "schedule"
    return PolicyLine(
        str(one.get("name") or one.get("id") or "A policy"),
        str(one.get("description") or ""),
        trigger_words(rule),
        ACTIONS.get(str(one.get("action")), str(one.get("action") or "")),
        schedules.next_due(rule.get("schedule"), subject.now) if scheduled and subject.view.as_of is None else None,
        tuple(run_line(run) for run in listed[:MOST_RUNS]),
    )


def trigger_words(rule: Mapping[str, Any]) -> str:
    """`On schedule: Mondays at 03:00 UTC`, `When accuracy declines to failing, at most every 7 d`."""
    kind = str(rule.get("type") or "")
    told = TRIGGERS.get(kind, kind.replace("_", " ").capitalize())
    if kind == "schedule":
        return f"{told}: {schedules.words(rule.get('schedule'))}"
    steps = [
        word
        for name, word in (("statusDeclinesToWarning", "at risk"), ("statusDeclinesToFailing", "failing"))
        if rule.get(name) is True
    ]
    if kind.endswith("_decline") and steps:
        told += f" to {' or '.join(steps)}"
    try:
        least = parse_duration(str(rule.get("minIntervalBetweenRuns") or ""))
    except ValueError:
        return told
    return f"{told}, at most every {words.duration(least)}"


def run_line(run: Mapping[str, Any]) -> RunLine:
    """A run as the source lists it; what only some sources tell stays empty."""
    started, ended = parse_time(run.get("startTime")), parse_time(run.get("finishTime"))
    state = str(run.get("status") or "unknown")
    report = run.get("report")
    made: Mapping[str, Any] = report if isinstance(report, dict) else {}
    rows = made.get("rows")
    trained = [str(made.get("blueprint") or ""), f"{words.number(rows, 0)} rows" if isinstance(rows, int) else ""]
    return RunLine(
        started,
        ended - started if started and ended else None,
        state,
        TONES.get(state, ""),
        str(run.get("cause") or "").replace("_", " "),
        str(run.get("errorMessage") or ""),
        outcome_words(run),
        ", ".join(part for part in trained if part),
        holdout_words(made),
    )


def outcome_words(run: Mapping[str, Any]) -> str:
    """What came out of a run."""
    if run.get("challengerId"):
        return "a challenger"
    return "a model package" if run.get("modelPackageId") else ""


def holdout_words(report: Mapping[str, Any]) -> str:
    """`LogLoss 0.512 on 4,200 rows`, where the run told of its holdout."""
    found, metric = report.get("holdout"), str(report.get("metric") or "")
    value = found.get(metric) if isinstance(found, dict) else None
    if not isinstance(value, int | float):
        return ""
    rows = report.get("holdoutRows")
    on = f" on {words.number(rows, 0)} rows" if isinstance(rows, int) else ""
    return f"{metric} {words.metric_value(float(value), metric)}{on}"
