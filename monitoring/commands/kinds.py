"""What can be asked of a source, one row each. Adding an action is adding a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from monitoring import questions as q
from monitoring.commands import matching as m
from monitoring.models import CommandKind
from monitoring.poll.standing import DAYS, DEFAULT_INTERVAL
from monitoring.questions import Last, Question

Matches = Callable[[Mapping[str, Any], Mapping[str, Any]], bool]
#: A question, or how to ask it given the ids of the thing.
Again = Question | Callable[[Sequence[str]], Question]


class Method(Enum):
    """How a command reaches the source."""

    CHANGE = "PATCH"
    REPLACE = "PUT"
    CREATE = "POST"
    REMOVE = "DELETE"
    CONSULT = "POST, which changes nothing"
    TEST = "GET"


class Repeat(Enum):
    """What is done when the answer got lost and the source does not show the change.

    SAFE: sent again, twice is as once. KEYED: sent again only where the source is known to honour `Idempotency-Key`
    (our own service does). NEVER: left in doubt, and a person decides.
    """

    SAFE = "safe"
    KEYED = "keyed"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of command.

    `does` and `did`: its sentence, with the name of the thing. `path`: below the deployment, `{0}` and `{1}` are the
    ids of the thing. `reads`: the path that shows the present state (a list where something is created; "" is the
    deployment itself); None where nothing shows it. `matches`: for changes, whether (present, body) is as asked
    already; for creations, whether (entry of the list, body) is the thing. `stands`: whether (present, read) is still
    what the person saw. `named`: names are used once, so an entry
    that matches before anything was sent is a conflict. `again`: what pages show of it, asked once it is done.
    `by_time`, `by_batch`: what is asked besides, by how the deployment is watched. `at_work`: whether pages show it
    while it is at work, so that `again` is asked once it has begun, too. `capability`: what the source must say it
    supports. `why`: what an HTTP status of refusal means here. `may_lack`: before the first change nothing stands there
    (404). `uploads`: the body may come with a file, which becomes a dataset of the source first. A path that begins
    with a slash is below the API's address, not below the deployment.
    """

    slug: CommandKind
    does: str
    did: str
    method: Method
    path: str
    reads: str | None = None
    matches: Matches = m.as_asked
    stands: Matches = m.includes
    repeat: Repeat = Repeat.SAFE
    named: bool = False
    paged: bool = False
    again: tuple[Again, ...] = ()
    by_time: tuple[Again, ...] = ()
    by_batch: tuple[Again, ...] = ()
    at_work: bool = False
    capability: str = ""
    why: Mapping[int, str] = field(default_factory=dict)
    may_lack: bool = False
    uploads: bool = False

    def sentence(self, name: str, *, done: bool) -> str:
        """`Lock batch January`, `Locked batch January`."""
        return (self.did if done else self.does).format(name=name or "it").strip()

    def asks_again(self, ids: Sequence[str], *, batch: bool = False) -> list[Question]:
        """What is asked once it is done, so that pages show it. `batch`: of a deployment that is watched by batch."""
        found = (*self.again, *(self.by_batch if batch else self.by_time))
        return [one(ids) if callable(one) else one for one in found]


def _change(slug: CommandKind, does: str, did: str, path: str, *again: Again, **more: Any) -> Kind:
    return Kind(slug, does, did, Method.CHANGE, path, more.pop("reads", path), again=again, **more)


def _create(slug: CommandKind, does: str, did: str, path: str, *again: Again, **more: Any) -> Kind:
    more = {"matches": m.same_name, "paged": True, **more}
    return Kind(slug, does, did, Method.CREATE, path, more.pop("reads", path), again=again, **more)


def _remove(slug: CommandKind, does: str, did: str, path: str, *again: Again, **more: Any) -> Kind:
    return Kind(slug, does, did, Method.REMOVE, path, path, again=again, **more)


def _runs_of(ids: Sequence[str]) -> Question:
    return q.retraining_runs(ids[0])


def _values_by_day(ids: Sequence[str]) -> Question:
    return q.custom_over_time(ids[0], DAYS)


def _values_by_batch(ids: Sequence[str]) -> Question:
    return q.custom_over_batch(ids[0])


C = CommandKind
_BATCH, _METRIC, _RULE = "monitoringBatches/{0}/", "customMetrics/{0}/", "humilityRules/{0}/"
_CHALLENGER, _POLICY = "challengers/{0}/", "retrainingPolicies/{0}/"
_PREDICTIONS, _ACTUALS, _TRAINING = "predictionDataExports/", "actualsDataExports/", "trainingDataExports/"
_CHALLENGED = "supportsChallengerModels"
_REPORTS, _SETS = "/scheduledReports/", "secondaryDatasetConfigurations/"
_ONE_OWNER = "A deployment keeps at least one owner who can log in: make somebody else an owner first."

_ROWS = (
    Kind(C.TEST_SOURCE, "Test the connection", "Tested the connection", Method.TEST, ""),
    _change(
        C.HEALTH_SETTINGS,
        "Change the health settings",
        "Changed the health settings",
        "healthSettings/",
        q.health_settings(),
    ),
    _change(
        *(C.SETTINGS, "Change the monitoring settings", "Changed the monitoring settings", "settings/", q.settings()),
    ),
    _change(C.DETAILS, "Change {name}", "Changed {name}", "", q.details()),
    # Batches.
    _create(
        *(C.BATCH_CREATE, "Create batch {name}", "Created batch {name}", "monitoringBatches/", q.batches()),
        matches=m.same_batch,
        named=True,
    ),
    *(
        _change(slug, f"{does} batch {{name}}", f"{did} batch {{name}}", _BATCH, q.batches(), matches=m.batch_as_asked)
        for slug, does, did in (
            (C.BATCH_UPDATE, "Change", "Changed"),
            (C.BATCH_LOCK, "Lock", "Locked"),
            (C.BATCH_UNLOCK, "Unlock", "Unlocked"),
        )
    ),
    _change(
        C.BATCH_TIMES,
        "Change when the data of {name} begins and ends",
        "Changed when the data of {name} begins and ends",
        "monitoringBatches/{0}/models/{1}/",
        q.batches(),
        why={404: "This model has no data in the batch."},
    ),
    _remove(C.BATCH_DELETE, "Delete batch {name}", "Deleted batch {name}", _BATCH, q.batches()),
    # Custom metrics.
    _create(
        *(C.METRIC_CREATE, "Create custom metric {name}", "Created custom metric {name}", "customMetrics/"),
        q.custom_metrics(),
        named=True,
    ),
    _change(
        *(C.METRIC_UPDATE, "Change custom metric {name}", "Changed custom metric {name}", _METRIC, q.custom_metrics()),
        matches=m.but_for_nulls,
    ),
    _remove(
        C.METRIC_DELETE, "Delete custom metric {name}", "Deleted custom metric {name}", _METRIC, q.custom_metrics()
    ),
    Kind(
        *(C.METRIC_VALUES, "Send values of {name}", "Sent values of {name}", Method.CREATE, _METRIC + "fromJSON/"),
        repeat=Repeat.KEYED,
        again=(q.custom_metrics(),),
        by_time=(_values_by_day, q.custom_summary(Last(DEFAULT_INTERVAL))),
        by_batch=(_values_by_batch,),
    ),
    Kind(
        *(C.METRIC_DATASET, "Send values of {name} from a file", "Sent values of {name} from a file"),
        *(Method.CREATE, _METRIC + "fromDataset/"),
        repeat=Repeat.KEYED,
        again=(q.custom_metrics(), q.datasets()),
        by_time=(_values_by_day, q.custom_summary(Last(DEFAULT_INTERVAL))),
        by_batch=(_values_by_batch,),
        uploads=True,
    ),
    _create(
        *(C.METRIC_FROM_JOB, "Create custom metric {name} from a job", "Created custom metric {name} from a job"),
        *("customMetrics/fromCustomJob/", q.custom_metrics()),
        reads="customMetrics/",
        named=True,
    ),
    Kind(
        *(C.METRIC_JOB_RUN, "Work {name} out for the last hour", "Worked {name} out for the last hour"),
        *(Method.CREATE, _METRIC + "customJobRuns/"),
        again=(q.custom_metrics(),),
        why={404: "This metric has no job: its values are sent."},
    ),
    # Humility rules: an extension of our service; other sources refuse them.
    _create(
        *(C.RULE_CREATE, "Create humility rule {name}", "Created humility rule {name}", "humilityRules/"),
        q.humility_rules(),
        named=True,
        capability="supportsHumilityRules",
    ),
    _change(
        *(C.RULE_UPDATE, "Change humility rule {name}", "Changed humility rule {name}", _RULE, q.humility_rules()),
        matches=m.but_for_nulls,
    ),
    _remove(C.RULE_DELETE, "Remove humility rule {name}", "Removed humility rule {name}", _RULE, q.humility_rules()),
    # Challengers and the champion.
    _create(
        *(C.CHALLENGER_CREATE, "Add challenger {name}", "Added challenger {name}", "challengers/", q.challengers()),
        named=True,
        paged=False,
        capability=_CHALLENGED,
    ),
    _change(C.CHALLENGER_RENAME, "Rename challenger {name}", "Renamed challenger {name}", _CHALLENGER, q.challengers()),
    _remove(C.CHALLENGER_DELETE, "Delete challenger {name}", "Deleted challenger {name}", _CHALLENGER, q.challengers()),
    Kind(
        *(C.REPLAY, "Replay {name}", "Replayed {name}", Method.CREATE, "challengerPredictions/"),
        repeat=Repeat.NEVER,
        again=(q.challengers(),),
        capability=_CHALLENGED,
        why={429: "One replay at a time: another one is still running."},
    ),
    _change(
        *(C.REPLAY_SETTINGS, "Change when challengers are replayed", "Changed when challengers are replayed"),
        *("challengerReplaySettings/", q.replay_settings()),
        matches=m.but_for_nulls,
    ),
    Kind(
        *(C.MODEL_CHECK, "Check whether {name} may take over", "Checked whether {name} may take over"),
        *(Method.CONSULT, "model/validation/"),
        capability="supportsModelReplacement",
    ),
    _change(
        *(C.MODEL_REPLACE, "Make {name} the champion", "Made {name} the champion", "model/"),
        *(q.details(), q.challengers(), q.champion_package(), q.model_history()),
        reads="",
        matches=m.model_took_over,
        capability="supportsModelReplacement",
        why={409: "The model is being replaced already."},
    ),
    # Retraining.
    _create(
        *(C.POLICY_CREATE, "Create retraining policy {name}", "Created retraining policy {name}"),
        *("retrainingPolicies/", q.retraining_policies()),
        named=True,
        capability="supportsRetraining",
    ),
    _change(
        *(C.POLICY_UPDATE, "Change retraining policy {name}", "Changed retraining policy {name}", _POLICY),
        q.retraining_policies(),
        matches=m.but_for_nulls,
    ),
    _remove(
        *(C.POLICY_DELETE, "Delete retraining policy {name}", "Deleted retraining policy {name}", _POLICY),
        q.retraining_policies(),
    ),
    _create(
        *(C.RUN_START, "Run {name} now", "Ran {name}", _POLICY + "runs/"),
        *(q.retraining_policies(), _runs_of, q.challengers()),  # a challenger may come of it
        matches=m.anything,
        repeat=Repeat.NEVER,
        at_work=True,  # a run can be cancelled
        capability="supportsRetraining",
        why={409: "A run of this policy is under way: wait for it, or cancel it."},
    ),
    _change(
        *(C.RUN_CANCEL, "Cancel the run of {name}", "Cancelled the run of {name}", _POLICY + "runs/{1}/"),
        *(q.retraining_policies(), _runs_of),
        why={409: "The run was finished before it could be cancelled."},
    ),
    _change(
        *(C.RETRAINING_SETTINGS, "Change the retraining settings", "Changed the retraining settings"),
        *("retrainingSettings/", q.retraining_settings()),
        matches=m.retraining_as_asked,
    ),
    # Exports.
    *(
        _create(
            *(slug, f"Export {what} of {{name}}", f"Exported {what} of {{name}}", path, again),
            matches=matches,
            repeat=Repeat.NEVER,
        )
        for slug, what, path, again, matches in (
            (C.EXPORT_PREDICTIONS, "predictions", _PREDICTIONS, q.prediction_exports(), m.same_period),
            (C.EXPORT_ACTUALS, "actuals", _ACTUALS, q.actuals_exports(), m.same_period),
            (C.EXPORT_TRAINING, "training data", _TRAINING, q.training_exports(), m.anything),
        )
    ),
    *(
        _change(slug, f"Cancel the export of {what}", f"Cancelled the export of {what}", path + "{0}/", again)
        for slug, what, path, again in (
            (C.CANCEL_PREDICTIONS, "predictions", _PREDICTIONS, q.prediction_exports()),
            (C.CANCEL_ACTUALS, "actuals", _ACTUALS, q.actuals_exports()),
        )
    ),
    _remove(
        *(C.EXPORT_DELETE, "Delete the export of actuals", "Deleted the export of actuals", _ACTUALS + "{0}/"),
        q.actuals_exports(),
    ),
    # Rows from files: a source that honours the key, or matches what it has, takes them once.
    *(
        Kind(
            *(slug, f"Send {what} from a file", f"Sent {what} from a file", Method.CREATE, path),
            repeat=Repeat.KEYED,
            again=(q.datasets(),),
            uploads=True,
        )
        for slug, what, path in (
            (C.PREDICTIONS_DATASET, "predictions", "predictionInputs/fromDataset/"),
            (C.ACTUALS_DATASET, "actuals", "actuals/fromDataset/"),
        )
    ),
    # What the model runs with.
    Kind(
        *(C.RUNTIME, "Change the runtime parameters", "Changed the runtime parameters"),
        *(Method.REPLACE, "runtimeParameters/", "runtimeParameters/"),
        matches=m.parameters_as_asked,
        paged=True,
        again=(q.runtime_parameters(),),
    ),
    _change(
        *(C.SECONDARY_USE, "Use the secondary datasets {name}", "Used the secondary datasets {name}"),
        *("model/secondaryDatasetConfiguration/", q.secondary_in_use(), q.secondary_sets()),
        matches=m.same_set,
        may_lack=True,
    ),
    _create(
        C.SECONDARY_CREATE,
        "Make the set {name} of secondary datasets",
        "Made the set {name} of secondary datasets",
        _SETS,
        q.secondary_sets(),
        named=True,
    ),
    Kind(
        C.SECONDARY_DELETE,
        "Delete the set {name} of secondary datasets",
        "Deleted the set {name} of secondary datasets",
        Method.REMOVE,
        _SETS + "{0}/",
        again=(q.secondary_sets(),),
    ),
    Kind(
        *(C.SCORING_CODE, "Build scoring code that reports", "Built scoring code that reports"),
        *(Method.CREATE, "scoringCodeBuilds/"),
        capability="supportsScoringCodeDownload",
    ),
    # Reports, which may be about several deployments.
    _create(
        *(C.REPORT_CREATE, "Create report {name}", "Created report {name}", _REPORTS, q.scheduled_reports()),
    ),
    _change(
        *(C.REPORT_UPDATE, "Change report {name}", "Changed report {name}", _REPORTS + "{0}/", q.scheduled_reports()),
    ),
    _remove(
        *(C.REPORT_DELETE, "Delete report {name}", "Deleted report {name}", _REPORTS + "{0}/", q.scheduled_reports())
    ),
    Kind(
        *(C.REPORT_RUN, "Make report {name} now", "Made report {name}", Method.CREATE, "onDemandReports/"),
        repeat=Repeat.NEVER,
        again=(lambda ids: q.report_runs(ids[0]),),
    ),
    # The deployment itself.
    Kind(
        *(C.DATA_DELETE, "Delete monitoring data of {name}", "Deleted monitoring data of {name}"),
        *(Method.CREATE, "monitoringDataDeletions/"),
    ),
    *(
        _change(slug, f"{does} {{name}}", f"{did} {{name}}", "status/", q.details(), reads="")
        for slug, does, did in (
            (C.ACTIVATE, "Activate", "Activated"),
            (C.DEACTIVATE, "Deactivate", "Deactivated"),
        )
    ),
    _remove(C.DEPLOYMENT_DELETE, "Delete {name} at the source", "Deleted {name} at the source", ""),
    _change(
        *(C.SHARE, "Change the role of {name}", "Changed the role of {name}", "sharedRoles/", q.shared_roles()),
        matches=m.shared_as_asked,
        stands=m.shared_as_asked,
        paged=True,
        why={409: _ONE_OWNER, 403: "The source's token may not share this deployment: it needs an owner who can."},
    ),
)
KINDS: dict[str, Kind] = {kind.slug.value: kind for kind in _ROWS}


def kind_of(slug: str) -> Kind:
    """The row of a kind. Raises KeyError for one that is not declared."""
    return KINDS[slug]
