"""The acts, one row each: what the button says, what is asked, what will happen. The url is the kind's slug."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dashboard.acts import forms as f
from dashboard.acts.case import Case
from dashboard.charts import words
from dashboard.shelf import number
from monitoring import questions as q
from monitoring.commands import KINDS, Kind
from monitoring.models import CommandKind as C
from monitoring.questions import Question

Warns = Callable[[Case], str]


@dataclass(frozen=True)
class Act:
    """One thing that can be done.

    `word`: on the button. `things`: the list of what it is about; None for acts on the deployment. `of`: the list of
    what those belong to, for things below things. `reads`: the fields of the thing, or of the settings that the form
    is about, that must still stand so at the source. `warns`: what will happen; shown on a page of its own before
    anything is sent. `typed`: also asks to type the name. `section`: where it stands on the manage tab. `at_once`: the
    button sends, without a page in between.
    `for_new`: on the button where the thing may be left out and is.
    """

    kind: C
    word: str
    form: type[f.ActForm]
    section: str
    things: Question | None = None
    of: Question | None = None
    reads: tuple[str, ...] = ()
    warns: Warns | None = None
    typed: bool = False
    at_once: bool = False
    for_new: str = ""

    @property
    def guarded(self) -> bool:
        """Whether it depends on what its form showed. A button that sends at once puts nothing in another's place."""
        return (bool(self.reads) or self.form.guards) and not self.at_once

    @property
    def command(self) -> Kind:
        return KINDS[self.kind.value]

    @property
    def title(self) -> str:
        """`Lock batch {name}`, to be filled in."""
        return self.command.does


def _batch_goes(case: Case) -> str:
    rows = number(case.thing, "predictionsCount")
    told = f"{words.number(rows, 0)} predictions" if rows is not None else "All its predictions"
    return f"{told}, their actuals and every number made of them go with it. It cannot be undone."


def _metric_goes(case: Case) -> str:
    return "All values that were ever sent for it go, and health conditions that speak of it. It cannot be undone."


def _rule_goes(case: Case) -> str:
    return "It no longer applies to new predictions. What it counted so far stays."


def _challenger_goes(case: Case) -> str:
    return (
        "What it was replayed with goes, with all numbers made of it. The registered model stays. It cannot be undone."
    )


def _policy_goes(case: Case) -> str:
    return "It no longer runs. Models that it made stay, as challengers or registered models."


def _run_starts(case: Case) -> str:
    if case.thing.get("action") == "model_replacement":
        return "A model is trained now, and if it may, it takes the champion's place without asking anybody."
    return "A model is trained now. The champion stays."


def _deployment_goes(case: Case) -> str:
    day = case.watched.predictions_per_day
    used = f" It answers about {words.number(day, 0)} predictions a day." if day else ""
    return (
        f"The deployment is deleted at {case.watched.source.name}: whoever sends predictions to it will be refused."
        f"{used} What was watched so far stays here as history."
    )


def _stops(case: Case) -> str:
    return "Nothing is predicted by it while it is inactive. Activating it again takes moments."


def _role_changes(case: Case) -> str:
    return "It holds at once, at the source and for everybody who uses it there."


def _actuals_file_goes(case: Case) -> str:
    return "The file goes with it. The actuals themselves stay."


def _set_used(case: Case) -> str:
    return "From now on the model looks things up in these datasets, in every prediction."


def _set_goes(case: Case) -> str:
    return "Nobody can choose it any more. What was predicted with it stays, and so do the datasets."


def _report_goes(case: Case) -> str:
    others = len(case.thing.get("deploymentIds") or ()) - 1
    also = f" It is also about {words.count(others, 'other deployment')}." if others > 0 else ""
    return f"It is no longer made or mailed to anybody. Pages that it made stay.{also}"


def _report_runs(case: Case) -> str:
    people = case.thing.get("recipients") or []
    return (
        f"It is made now and mailed to {words.count(len(people), 'address', 'addresses')}."
        if people
        else "It is made now."
    )


def _parameters_change(case: Case) -> str:
    return "They hold for every prediction from now on: with a wrong value the model may answer nonsense, or nothing."


def _act(
    kind: C, word: str, form: type[f.ActForm], section: str, things: Question | None = None, **more: object
) -> Act:
    return Act(kind, word, form, section, things, **more)  # type: ignore[arg-type]


_ROWS = (
    _act(C.BATCH_CREATE, "New batch", f.BatchForm, "batches"),
    _act(
        C.BATCH_UPDATE,
        "Change",
        f.BatchForm,
        "batches",
        q.batches(),
        reads=("name", "description", "externalContextUrl"),
    ),
    _act(C.BATCH_LOCK, "Lock", f.ActForm, "batches", q.batches(), reads=("name",), at_once=True),
    _act(C.BATCH_UNLOCK, "Unlock", f.ActForm, "batches", q.batches(), reads=("name",), at_once=True),
    _act(
        *(C.BATCH_DELETE, "Delete", f.ActForm, "batches", q.batches()),
        reads=("name", "predictionsCount"),
        warns=_batch_goes,
        typed=True,
    ),
    _act(
        *(C.BATCH_TIMES, "When a model's data begins and ends", f.BatchTimesForm, "batches", q.batches()),
    ),
    _act(C.METRIC_CREATE, "New custom metric", f.MetricCreateForm, "metrics"),
    _act(
        *(C.METRIC_UPDATE, "Change", f.MetricForm, "metrics", q.custom_metrics()),
        reads=("name", "type", "directionality", "units", "description", "baselineValues", "categories"),
    ),
    _act(C.METRIC_VALUES, "Send values", f.ValuesForm, "metrics", q.custom_metrics()),
    _act(C.METRIC_DATASET, "Send a file", f.MetricFileForm, "metrics", q.custom_metrics()),
    _act(C.METRIC_FROM_JOB, "New metric from a job", f.FromJobForm, "metrics"),
    _act(C.METRIC_JOB_RUN, "Work out now", f.ActForm, "metrics", q.custom_metrics(), at_once=True),
    _act(
        *(C.METRIC_DELETE, "Delete", f.ActForm, "metrics", q.custom_metrics()),
        reads=("name",),
        warns=_metric_goes,
        typed=True,
    ),
    _act(C.RULE_CREATE, "New rule", f.RuleForm, "humility"),
    _act(C.RULE_UPDATE, "Change", f.RuleForm, "humility", q.humility_rules(), reads=("name", "trigger", "action")),
    _act(C.RULE_DELETE, "Remove", f.ActForm, "humility", q.humility_rules(), reads=("name",), warns=_rule_goes),
    _act(C.CHALLENGER_CREATE, "New challenger", f.ChallengerForm, "challengers"),
    _act(C.CHALLENGER_RENAME, "Rename", f.NameForm, "challengers", q.challengers(), reads=("name",)),
    _act(
        *(C.CHALLENGER_DELETE, "Delete", f.ActForm, "challengers", q.challengers()),
        reads=("name",),
        warns=_challenger_goes,
        typed=True,
    ),
    _act(C.REPLAY, "Replay now", f.ReplayForm, "challengers"),
    _act(
        *(C.REPLAY_SETTINGS, "When to replay", f.ReplaySettingsForm, "challengers"),
        reads=("enabled", "schedule"),
    ),
    _act(C.MODEL_CHECK, "Replace the champion", f.CheckForm, "challengers"),
    _act(C.POLICY_CREATE, "New policy", f.PolicyForm, "retraining"),
    _act(
        *(C.POLICY_UPDATE, "Change", f.PolicyForm, "retraining", q.retraining_policies()),
        reads=(
            *("name", "description", "action", "trigger", "featureListStrategy", "modelSelectionStrategy"),
            *("autopilotOptions", "projectOptionsStrategy", "projectOptions", "useActuals"),
        ),
    ),
    _act(
        *(C.POLICY_DELETE, "Delete", f.ActForm, "retraining", q.retraining_policies()),
        reads=("name",),
        warns=_policy_goes,
    ),
    _act(C.RUN_START, "Run now", f.ActForm, "retraining", q.retraining_policies(), warns=_run_starts),
    _act(C.RUN_CANCEL, "Cancel the run", f.RunCancelForm, "retraining", of=q.retraining_policies(), at_once=True),
    _act(
        *(C.RETRAINING_SETTINGS, "What to train on", f.RetrainingSettingsForm, "retraining"),
        reads=("dataset", "retrainingUser"),
    ),
    _act(C.EXPORT_PREDICTIONS, "Export predictions", f.PredictionExportForm, "exports"),
    _act(C.EXPORT_ACTUALS, "Export actuals", f.ActualsExportForm, "exports"),
    _act(C.EXPORT_TRAINING, "Export training data", f.TrainingExportForm, "exports"),
    _act(C.CANCEL_PREDICTIONS, "Cancel", f.CancelForm, "exports", q.prediction_exports(), at_once=True),
    _act(C.CANCEL_ACTUALS, "Cancel", f.CancelForm, "exports", q.actuals_exports(), at_once=True),
    _act(C.EXPORT_DELETE, "Delete", f.ActForm, "exports", q.actuals_exports(), warns=_actuals_file_goes),
    _act(C.PREDICTIONS_DATASET, "Send predictions", f.PredictionsFileForm, "sending"),
    _act(C.ACTUALS_DATASET, "Send actuals", f.ActualsFileForm, "sending"),
    _act(C.RUNTIME, "Change the parameters", f.RuntimeForm, "runtime", warns=_parameters_change),
    _act(C.SECONDARY_CREATE, "New set", f.SetForm, "secondary"),
    _act(C.SECONDARY_USE, "Use", f.SetUseForm, "secondary", q.secondary_sets(), warns=_set_used),
    _act(C.SECONDARY_DELETE, "Delete", f.ActForm, "secondary", q.secondary_sets(), warns=_set_goes, typed=True),
    _act(C.SCORING_CODE, "Build one that reports", f.ScoringCodeForm, "scoring"),
    _act(C.REPORT_CREATE, "New report", f.ReportForm, "reports"),
    _act(
        *(C.REPORT_UPDATE, "Change", f.ReportForm, "reports", q.scheduled_reports()),
        reads=("name", "days", "recipients", "schedule", "enabled"),
    ),
    _act(C.REPORT_RUN, "Make it now", f.ReportRunForm, "reports", q.scheduled_reports(), warns=_report_runs),
    _act(
        *(C.REPORT_DELETE, "Delete", f.ActForm, "reports", q.scheduled_reports()),
        reads=("name",),
        warns=_report_goes,
        typed=True,
    ),
    _act(
        *(C.SHARE, "Change the role", f.ShareForm, "sharing"),
        warns=_role_changes,
        for_new="Share with somebody",
    ),
    _act(
        *(C.DETAILS, "Change name, description or importance", f.DetailsForm, "deployment"),
        reads=("label", "importance", "description"),
    ),
    _act(C.ACTIVATE, "Activate", f.ActForm, "deployment", reads=("status",), at_once=True),
    _act(C.DEACTIVATE, "Deactivate", f.ActForm, "deployment", reads=("status",), warns=_stops),
    _act(
        *(C.DEPLOYMENT_DELETE, "Delete the deployment", f.ActForm, "deployment"),
        reads=("label",),
        warns=_deployment_goes,
        typed=True,
    ),
)
ACTS: dict[str, Act] = {row.kind.value: row for row in _ROWS}
#: Acts whose thing may be left out: a role is given to somebody new, or changed of somebody on the list.
OPTIONAL_THING = {C.SHARE.value: q.shared_roles()}
