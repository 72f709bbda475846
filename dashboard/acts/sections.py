"""What stands at a source and what can be done with it, section by section; any tab may show one.

`section(subject, "batches")` reads what it needs from the shelf; the tab's template includes `_section.html`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from dashboard.acts.buttons import Button
from dashboard.acts.case import Case, entries, name_of
from dashboard.acts.section import OLD, Builder, Line, Section, button, buttons, listed
from dashboard.acts.section_files import exported
from dashboard.acts.section_model import runtime, scoring, secondary, servers
from dashboard.acts.section_rows import reported, sending
from dashboard.charts import words
from dashboard.shelf import number
from dashboard.tabs.subject import Subject
from monitoring import questions as q
from monitoring.clock import parse_time
from monitoring.models import CommandKind as C
from monitoring.models import DeploymentStatus

#: Sooner while something on a list is at work.
AT_WORK = timedelta(seconds=10)


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


# --- The sections ----------------------------------------------------------------------------------------------


def _deployment(case: Case) -> Section:
    watched = case.watched
    active = watched.deployment_status == DeploymentStatus.ACTIVE
    facts = (
        f"status {watched.get_deployment_status_display().lower()}",
        f"importance {watched.get_importance_display().lower()}" if watched.importance else "no importance told",
    )
    status = C.DEACTIVATE if active else C.ACTIVATE
    line = Line(watched.label, facts, buttons(case, C.DETAILS, status, C.DEPLOYMENT_DELETE))
    return Section("deployment", "The deployment", lines=(line,))


def _sharing(case: Case) -> Section:
    def line(case: Case, one: dict[str, Any]) -> Line:
        kind = {"user": "person", "group": "group", "organization": "organisation"}.get(
            str(one.get("shareRecipientType")), ""
        )
        facts = (kind, "may share it" if one.get("canShare") else "")
        return Line(name_of(one), facts, buttons(case, C.SHARE, thing=one), tag=str(one.get("role", "")).lower())

    new = button(case, C.SHARE, word="Share with somebody")
    return listed(
        *(case, q.shared_roles(), "sharing", "Who may use it at the source", line),
        buttons=(new,) if new else (),
        text="Roles at the source: they are not the roles of this page.",
    )


def _batches(case: Case) -> Section:
    def line(case: Case, one: dict[str, Any]) -> Line:
        locked = one.get("isLocked") is True
        rows = number(one, "predictionsCount")
        facts = (f"{words.number(rows, 0)} predictions" if rows is not None else "", str(one.get("description") or ""))
        kinds = (C.BATCH_UPDATE, C.BATCH_TIMES, C.BATCH_UNLOCK if locked else C.BATCH_LOCK, C.BATCH_DELETE)
        return Line(name_of(one), facts, buttons(case, *kinds, thing=one), tag="locked" if locked else "")

    return listed(
        *(case, q.batches(), "batches", "Batches", line),
        buttons=buttons(case, C.BATCH_CREATE),
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
        kinds = (C.METRIC_UPDATE, C.METRIC_VALUES, C.METRIC_DATASET, C.METRIC_DELETE)
        return Line(name_of(one), facts, buttons(case, *kinds, thing=one))

    return listed(
        *(case, q.custom_metrics(), "metrics", "Custom metrics", line),
        buttons=buttons(case, C.METRIC_CREATE, C.METRIC_FROM_JOB),
        empty="No custom metric yet: a number of your own business, sent beside the predictions.",
    )


def _humility(case: Case) -> Section:
    def line(case: Case, one: dict[str, Any]) -> Line:
        trigger, action = one.get("trigger") or {}, one.get("action") or {}
        facts = (_trigger_words(trigger), _action_words(action))
        return Line(name_of(one), facts, buttons(case, C.RULE_UPDATE, C.RULE_DELETE, thing=one))

    return listed(
        *(case, q.humility_rules(), "humility", "Humility rules", line),
        buttons=buttons(case, C.RULE_CREATE),
        empty="No rule yet: a rule says what is done when a model should not be trusted.",
    )


def _trigger_words(trigger: dict[str, Any]) -> str:
    feature = str(trigger.get("featureName") or "")
    low, high = trigger.get("lower"), trigger.get("upper")
    low, high = (f"{one:g}" if isinstance(one, int | float) else None for one in (low, high))
    span = f"{low} and {high}" if low is not None and high is not None else ""
    match trigger.get("type"):
        case "uncertainPrediction":
            return f"prediction between {span}".strip() if span else "uncertain prediction"
        case "outlyingInput":
            return f"{feature} not between {span}" if span else f"{feature} outside its usual range"
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
        return Line(name_of(one), facts, (*promote, *buttons(case, *kinds, thing=one)))

    present = case.shelf.payload(q.replay_settings())
    replayed = "replayed by itself" if present.get("enabled") is True else "replayed only when somebody asks"
    return listed(
        *(case, q.challengers(), "challengers", "Challengers and the champion", line),
        buttons=buttons(case, C.CHALLENGER_CREATE, C.REPLAY, C.REPLAY_SETTINGS, C.MODEL_CHECK),
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
        rest = buttons(case, C.POLICY_UPDATE, C.POLICY_DELETE, thing=one)
        return Line(name_of(one), facts, (*((middle,) if middle else ()), *rest))

    if any(_runs(one) for one in entries(case.shelf, q.retraining_policies())):
        case.shelf.ask_again(q.retraining_policies(), AT_WORK)
    settings = case.shelf.payload(q.retraining_settings())
    dataset, user = settings.get("dataset") or {}, settings.get("retrainingUser") or {}
    told = (
        f"Runs train on {dataset.get('name') or 'no dataset yet'}, in the name of {user.get('username') or 'nobody'}."
    )
    return listed(
        *(case, q.retraining_policies(), "retraining", "Retraining", line),
        buttons=buttons(case, C.POLICY_CREATE, C.RETRAINING_SETTINGS),
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


def _deletion(case: Case) -> Section:
    role = case.role
    offered: tuple[Button, ...] = ()
    if role is not None and role.may_change and case.watched.gone_at is None:
        href = reverse("act-data", args=[case.watched.pk])
        offered = (Button("Delete monitoring data", href, danger=True),)
    return Section(
        "deletion",
        "Deleting data",
        text="Takes out what was kept of a period and a model. How much that is, is said before anything is sent.",
        buttons=offered,
    )


SECTIONS: dict[str, Builder] = {
    "deployment": Builder((), _deployment),
    "sharing": Builder((q.shared_roles(),), _sharing),
    "batches": Builder((q.batches(),), _batches, by_batch_only=True),
    "metrics": Builder((q.custom_metrics(),), _metrics),
    "humility": Builder((q.humility_rules(),), _humility),
    "challengers": Builder((q.challengers(), q.replay_settings()), _challengers),
    "retraining": Builder((q.retraining_policies(), q.retraining_settings()), _retraining),
    "exports": Builder((q.prediction_exports(), q.actuals_exports(), q.training_exports()), exported),
    "sending": Builder((), sending),
    "reports": Builder((q.scheduled_reports(),), reported),
    "runtime": Builder((q.runtime_parameters(),), runtime),
    "secondary": Builder((q.secondary_sets(), q.secondary_in_use()), secondary),
    "servers": Builder((q.prediction_servers(), q.details()), servers),
    "scoring": Builder((), scoring),
    "deletion": Builder((), _deletion),
}
