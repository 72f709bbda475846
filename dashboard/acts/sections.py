"""What stands at a source and what can be done with it, section by section; any tab may show one.

`section(subject, "batches")` reads what it needs from the shelf; the tab's template includes `_section.html`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from dashboard.acts.buttons import Button
from dashboard.acts.case import Case, entries, name_of
from dashboard.acts.rows import ACTS, Act
from dashboard.charts import words
from dashboard.shelf import number
from dashboard.tabs.subject import Subject
from monitoring import commands
from monitoring import questions as q
from monitoring.clock import parse_time
from monitoring.models import CommandKind as C
from monitoring.models import DeploymentStatus
from monitoring.questions import Question

#: Nobody polls these lists: one that is older is asked for again, sooner while something on it is at work.
OLD, AT_WORK = timedelta(minutes=5), timedelta(seconds=10)


@dataclass(frozen=True)
class Line:
    """One thing of a list."""

    name: str
    facts: tuple[str, ...] = ()
    buttons: tuple[Button, ...] = ()
    tag: str = ""


@dataclass(frozen=True)
class Section:
    """A list of things with what can be done. `known`: whether the source has told the list yet."""

    slug: str
    title: str
    text: str = ""
    lines: tuple[Line, ...] = ()
    buttons: tuple[Button, ...] = ()
    empty: str = ""
    known: bool = True
    refused: str = ""
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Builder:
    """How a section is read and built."""

    asks: tuple[Question, ...]
    build: Callable[[Case], Section]
    by_batch_only: bool = False


def section(subject: Subject, slug: str) -> Section:
    """One section for the reader; without the role for it, everything but the buttons."""
    found = SECTIONS[slug]
    subject.shelf.read([q.capabilities()])
    subject.shelf.read(found.asks, again=OLD)
    case = Case(subject.reader, subject.watched, subject.shelf, subject.now)
    return found.build(case)


def sections(subject: Subject) -> list[Section]:
    """All of them, read at the price of one."""
    chosen = [slug for slug, one in SECTIONS.items() if subject.watched.batch_monitoring or not one.by_batch_only]
    subject.shelf.read([q.capabilities()])
    subject.shelf.read([ask for slug in chosen for ask in SECTIONS[slug].asks], again=OLD)
    return [section(subject, slug) for slug in chosen]


def button(case: Case, kind: C, thing: dict[str, Any] | None = None, word: str = "") -> Button | None:
    """The button of an act; None for who may not change anything, a reason where the source does not support it."""
    act: Act = ACTS[kind.value]
    if case.role is None or not case.role.may_change or case.watched.gone_at is not None:
        return None
    href = reverse("act-on", args=[case.watched.pk, kind.value])
    if thing is not None:
        href += "?" + urlencode({"thing": thing["id"]})
    why = commands.obstacle(case.role, act.command, case.capabilities)
    return Button(word or act.word, href, act.at_once, act.typed, why)


def _buttons(case: Case, *kinds: C, thing: dict[str, Any] | None = None) -> tuple[Button, ...]:
    return tuple(one for kind in kinds if (one := button(case, kind, thing)) is not None)


def _listed(
    case: Case, question: Question, slug: str, title: str, line: Callable[[Case, dict[str, Any]], Line], **more: Any
) -> Section:
    """A section around one list."""
    lines = tuple(line(case, one) for one in entries(case.shelf, question))
    known = bool(case.shelf.payload(question))
    refused = "" if known or question.path not in case.shelf.refused() else "The source does not offer this."
    return Section(slug, title, lines=lines, known=known, refused=refused, **more)


# --- The sections ----------------------------------------------------------------------------------------------


def _deployment(case: Case) -> Section:
    watched = case.watched
    active = watched.deployment_status == DeploymentStatus.ACTIVE
    facts = (
        f"status {watched.get_deployment_status_display().lower()}",
        f"importance {watched.get_importance_display().lower()}" if watched.importance else "no importance told",
    )
    status = C.DEACTIVATE if active else C.ACTIVATE
    line = Line(watched.label, facts, _buttons(case, C.DETAILS, status, C.DEPLOYMENT_DELETE))
    return Section("deployment", "The deployment", lines=(line,))


def _sharing(case: Case) -> Section:
    def line(case: Case, one: dict[str, Any]) -> Line:
        kind = {"user": "person", "group": "group", "organization": "organisation"}.get(
            str(one.get("shareRecipientType")), ""
        )
        facts = (kind, "may share it" if one.get("canShare") else "")
        return Line(name_of(one), facts, _buttons(case, C.SHARE, thing=one), tag=str(one.get("role", "")).lower())

    new = button(case, C.SHARE, word="Share with somebody")
    return _listed(
        *(case, q.shared_roles(), "sharing", "Who may use it at the source", line),
        buttons=(new,) if new else (),
        text="Roles at the source: they are not the roles of this page.",
    )


def _batches(case: Case) -> Section:
    def line(case: Case, one: dict[str, Any]) -> Line:
        locked = one.get("isLocked") is True
        rows = number(one, "predictionsCount")
        facts = (f"{words.number(rows, 0)} predictions" if rows is not None else "", str(one.get("description") or ""))
        kinds = (C.BATCH_UPDATE, C.BATCH_UNLOCK if locked else C.BATCH_LOCK, C.BATCH_DELETE)
        return Line(name_of(one), facts, _buttons(case, *kinds, thing=one), tag="locked" if locked else "")

    return _listed(
        *(case, q.batches(), "batches", "Batches", line),
        buttons=_buttons(case, C.BATCH_CREATE),
        empty="No batch yet: make one, and send predictions with its id.",
        text="A locked batch takes no further predictions.",
    )


def _metrics(case: Case) -> Section:
    def line(case: Case, one: dict[str, Any]) -> Line:
        better = {"higherIsBetter": "higher is better", "lowerIsBetter": "lower is better"}
        facts = (
            str(one.get("type") or ""),
            str(one.get("units") or ""),
            better.get(str(one.get("directionality")), ""),
        )
        kinds = (C.METRIC_UPDATE, C.METRIC_VALUES, C.METRIC_DELETE)
        return Line(name_of(one), facts, _buttons(case, *kinds, thing=one))

    return _listed(
        *(case, q.custom_metrics(), "metrics", "Custom metrics", line),
        buttons=_buttons(case, C.METRIC_CREATE),
        empty="No custom metric yet: a number of your own business, sent beside the predictions.",
    )


def _humility(case: Case) -> Section:
    def line(case: Case, one: dict[str, Any]) -> Line:
        trigger, action = one.get("trigger") or {}, one.get("action") or {}
        facts = (_trigger_words(trigger), _action_words(action))
        return Line(name_of(one), facts, _buttons(case, C.RULE_UPDATE, C.RULE_DELETE, thing=one))

    return _listed(
        *(case, q.humility_rules(), "humility", "Humility rules", line),
        buttons=_buttons(case, C.RULE_CREATE),
        empty="No rule yet: a rule says what is done when a model should not be trusted.",
    )


def _trigger_words(trigger: dict[str, Any]) -> str:
    feature = str(trigger.get("featureName") or "")
    low, high = trigger.get("lower"), trigger.get("upper")
    span = f"{words.number(low)} to {words.number(high)}" if low is not None and high is not None else ""
    match trigger.get("type"):
        case "uncertainPrediction":
            return f"prediction between {span}".strip() if span else "uncertain prediction"
        case "outlyingInput":
            return f"{feature} outside {span}".strip()
        case "lowObservationRegion":
            return f"{feature} with a value that is seldom seen"
    return ""


def _action_words(action: dict[str, Any]) -> str:
    match action.get("type"):
        case "override":
            return f"answers {action.get('value')} instead"
        case "throwError":
            return "answers with an error"
    return "counts it"


def _challengers(case: Case) -> Section:
    def line(case: Case, one: dict[str, Any]) -> Line:
        model = one.get("model") or {}
        facts = (str(model.get("name") or ""), f"trained on {model['datasetName']}" if model.get("datasetName") else "")
        check = button(case, C.MODEL_CHECK, word="Make it the champion")
        package = (one.get("modelPackage") or {}).get("id")
        promote = (
            (Button(check.word, f"{check.href}?{urlencode({'package': package})}", why=check.why),)
            if check and package
            else ()
        )
        kinds = (C.CHALLENGER_RENAME, C.CHALLENGER_DELETE)
        return Line(name_of(one), facts, (*promote, *_buttons(case, *kinds, thing=one)))

    present = case.shelf.payload(q.replay_settings())
    replayed = "replayed by itself" if present.get("enabled") is True else "replayed only when somebody asks"
    return _listed(
        *(case, q.challengers(), "challengers", "Challengers and the champion", line),
        buttons=_buttons(case, C.CHALLENGER_CREATE, C.REPLAY, C.REPLAY_SETTINGS, C.MODEL_CHECK),
        empty="No challenger: a challenger scores the same requests, so that it can be compared with the champion.",
        text=f"The champion is {case.watched.model_name or 'not named'}; challengers are {replayed}.",
    )


def _retraining(case: Case) -> Section:
    def line(case: Case, one: dict[str, Any]) -> Line:
        run = one.get("latestRun") or {}
        becomes = {
            "create_challenger": "makes a challenger",
            "create_model_package": "registers a model",
            "model_replacement": "replaces the champion",
        }
        facts = (becomes.get(str(one.get("action")), ""), _run_words(run), str(run.get("errorMessage") or ""))
        middle = button(case, C.RUN_CANCEL, run) if _runs(one) else button(case, C.RUN_START, one)
        rest = _buttons(case, C.POLICY_UPDATE, C.POLICY_DELETE, thing=one)
        return Line(name_of(one), facts, (*((middle,) if middle else ()), *rest))

    if any(_runs(one) for one in entries(case.shelf, q.retraining_policies())):
        case.shelf.ask_again(q.retraining_policies(), AT_WORK)
    settings = case.shelf.payload(q.retraining_settings())
    dataset, user = settings.get("dataset") or {}, settings.get("retrainingUser") or {}
    told = (
        f"Runs train on {dataset.get('name') or 'no dataset yet'}, in the name of {user.get('username') or 'nobody'}."
    )
    return _listed(
        *(case, q.retraining_policies(), "retraining", "Retraining", line),
        buttons=_buttons(case, C.POLICY_CREATE, C.RETRAINING_SETTINGS),
        empty="No policy yet: a policy says when a model is trained anew and what becomes of it.",
        text=told,
    )


#: A run that is in none of these states still goes on.
ENDED = frozenset({"succeeded", "failed", "cancelled", "finished", "finished_with_warnings", "error"})


def _runs(policy: dict[str, Any]) -> bool:
    """Whether its latest run still goes on."""
    run = policy.get("latestRun") or {}
    return bool(run.get("id")) and str(run.get("status")) not in ENDED


def _run_words(run: dict[str, Any]) -> str:
    if not run:
        return "never ran"
    ended = parse_time(run.get("finishTime")) or parse_time(run.get("startTime"))
    day = f" on {ended:%Y-%m-%d}" if ended is not None else ""
    return f"last run {str(run.get('status') or '').replace('_', ' ')}{day}"


def _exports(case: Case) -> Section:
    lines = [
        _export(case, one, what, cancel, delete)
        for question, what, cancel, delete in (
            (q.prediction_exports(), "Predictions", C.CANCEL_PREDICTIONS, None),
            (q.actuals_exports(), "Actuals", C.CANCEL_ACTUALS, C.EXPORT_DELETE),
            (q.training_exports(), "Training data", None, None),
        )
        for one in entries(case.shelf, question)[:10]
    ]
    known = any(case.shelf.payload(question) for question in SECTIONS["exports"].asks)
    return Section(
        "exports",
        "Exports",
        text="Rows as files at the source. A file is fetched from its address with a token of the source.",
        lines=tuple(lines),
        buttons=_buttons(case, C.EXPORT_PREDICTIONS, C.EXPORT_ACTUALS, C.EXPORT_TRAINING),
        empty="Nothing was exported yet.",
        known=known,
    )


def _export(case: Case, one: dict[str, Any], what: str, cancel: C | None, delete: C | None) -> Line:
    period, status = one.get("period") or {}, str(one.get("status") or "SUCCEEDED")
    begin, end = parse_time(period.get("start")), parse_time(period.get("end"))
    span = f"{begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC" if begin and end else ""
    made = parse_time(one.get("createdAt"))
    data = one.get("data")
    files = data if isinstance(data, list) else [data]
    base = case.watched.source.base_url.rstrip("/")
    links = [f"{base}/datasets/{file['id']}/file/" for file in files if isinstance(file, dict) and file.get("id")]
    error = (one.get("error") or {}).get("message", "")
    kinds = [cancel] if cancel and status in {"CREATED", "SCHEDULED"} else [delete] if delete else []
    facts = (span, f"asked {made:%Y-%m-%d %H:%M} UTC" if made else "", str(error), *links)
    return Line(what, facts, _buttons(case, *kinds, thing=one), tag=status.lower())


def _deletion(case: Case) -> Section:
    role = case.role
    buttons: tuple[Button, ...] = ()
    if role is not None and role.may_change and case.watched.gone_at is None:
        href = reverse("act-data", args=[case.watched.pk])
        buttons = (Button("Delete monitoring data", href, danger=True),)
    return Section(
        "deletion",
        "Deleting data",
        text="Takes out what was kept of a period and a model. How much that is, is said before anything is sent.",
        buttons=buttons,
    )


SECTIONS: dict[str, Builder] = {
    "deployment": Builder((), _deployment),
    "sharing": Builder((q.shared_roles(),), _sharing),
    "batches": Builder((q.batches(),), _batches, by_batch_only=True),
    "metrics": Builder((q.custom_metrics(),), _metrics),
    "humility": Builder((q.humility_rules(),), _humility),
    "challengers": Builder((q.challengers(), q.replay_settings()), _challengers),
    "retraining": Builder((q.retraining_policies(), q.retraining_settings()), _retraining),
    "exports": Builder((q.prediction_exports(), q.actuals_exports(), q.training_exports()), _exports),
    "deletion": Builder((), _deletion),
}
