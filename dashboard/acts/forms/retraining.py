"""Retraining policies, their runs, and what they train on."""

from __future__ import annotations

from typing import Any

from django import forms

from dashboard.acts.case import Case, name_of
from dashboard.acts.forms.base import DAYS, HOURS, ActForm, filled, hour_and_day, planned
from metrics import ALL_METRICS, TargetType
from monitoring import questions as q

ACTIONS = (
    ("create_challenger", "becomes a challenger"),
    ("create_model_package", "is only registered"),
    ("model_replacement", "takes the champion's place"),
)
CAUSES = (
    ("manual", "only when somebody asks"),
    ("schedule", "on a schedule"),
    ("data_drift_decline", "when data drift declines"),
    ("accuracy_decline", "when accuracy declines"),
)
DECLINES = (
    ("statusDeclinesToWarning", "it becomes at risk"),
    ("statusDeclinesToFailing", "it becomes failing"),
    ("statusStillInDecline", "it is still not well after a run"),
)
INTERVALS = (("", "as often as it declines"), ("P1D", "1 day"), ("P7D", "7 days"), ("P30D", "30 days"))
FEATURES = (("same_as_champion", "the same as the champion"), ("informative_features", "those that tell something"))
SELECTIONS = (
    ("autopilot_recommended", "the best of several kinds"),
    ("same_blueprint", "the champion's kind, tuned anew"),
    ("same_hyperparameters", "the champion's kind and parameters"),
)
MODES = (("auto", "two candidates"), ("quick", "one candidate"), ("comprehensive", "several settings of both"))


OWN = (("same_as_champion", "as they usually are"), ("override_champion", "those below"))
DECLINING = ("cause=data_drift_decline", "cause=accuracy_decline")
OVERRIDDEN = (f"own={OWN[1][0]}",)
PARTITIONS = (("RandomCV", "at random"), ("StratifiedCV", "at random, with as many of each class in every part"))
VALIDATIONS = (("CV", "by folds"), ("TVH", "on one part that is set aside"))
#: Options of the reference that the built-in trainer refuses: field, its name in the body, what it asks, why not.
UNSERVED = (
    ("blend", "blendBestModels", "Blend the best models", "Models are not blended here."),
    ("leakage", "runLeakageRemovedFeatureList", "Leave leaking features out", "Leakage is not looked for here."),
    ("code_only", "scoringCodeOnly", "Only models with scoring code", "The trainer makes ONNX, no scoring code."),
    ("shap_only", "shapOnlyMode", "Only models with SHAP values", "SHAP values are not computed here."),
)


class PolicyForm(ActForm):
    """When a model is trained anew, how, and what becomes of it."""

    only = {
        "day": ("cause=schedule",),
        "hour": ("cause=schedule",),
        "declines": DECLINING,
        "interval": DECLINING,
        **dict.fromkeys(("metric", "partition", "validation", "holdout_pct"), OVERRIDDEN),
        "reps": (*OVERRIDDEN, "validation=CV"),
        "validation_pct": (*OVERRIDDEN, "validation=TVH"),
    }

    name = forms.CharField(max_length=200)
    description = forms.CharField(max_length=10_000, required=False, widget=forms.Textarea({"rows": 2}))
    cause = forms.ChoiceField(label="It runs", choices=CAUSES)
    day = forms.ChoiceField(choices=DAYS)
    hour = forms.ChoiceField(choices=HOURS)
    declines = forms.MultipleChoiceField(
        label="A decline means that", choices=DECLINES, required=False, widget=forms.CheckboxSelectMultiple
    )
    interval = forms.ChoiceField(label="Least time between runs", choices=INTERVALS, required=False)
    action = forms.ChoiceField(label="The new model", choices=ACTIONS)
    features = forms.ChoiceField(label="It uses features", choices=FEATURES)
    selection = forms.ChoiceField(label="It is", choices=SELECTIONS)
    mode = forms.ChoiceField(label="Search", choices=MODES)
    actuals = forms.BooleanField(
        label="Also train on predictions whose actuals are known",
        required=False,
        help_text="Rows that the deployment has kept, beside the dataset of the retraining settings.",
    )
    own = forms.ChoiceField(label="Metric and how rows are parted", choices=OWN, required=False)
    metric = forms.ChoiceField(label="Metric that decides", required=False)
    partition = forms.ChoiceField(label="Rows are parted", choices=PARTITIONS, required=False)
    validation = forms.ChoiceField(label="Candidates are compared", choices=VALIDATIONS, required=False)
    reps = forms.IntegerField(label="Folds", min_value=2, max_value=10, required=False, help_text="2 to 10.")
    validation_pct = forms.FloatField(
        label="Percent set aside to compare",
        min_value=5,
        max_value=50,
        required=False,
        help_text="5 to 50.",
    )
    holdout_pct = forms.FloatField(
        label="Percent of the holdout",
        min_value=5,
        max_value=50,
        required=False,
        help_text="5 to 50: rows that no candidate sees until the end.",
    )

    @classmethod
    def start(cls, case: Case) -> dict[str, Any]:
        thing, trigger = case.thing, case.thing.get("trigger") or {}
        hour, day = hour_and_day(trigger.get("schedule"))
        return {
            "name": name_of(thing),
            "description": thing.get("description") or "",
            "cause": trigger.get("type") or "manual",
            "day": day,
            "hour": hour,
            "declines": [name for name, _ in DECLINES if trigger.get(name) is True],
            "interval": trigger.get("minIntervalBetweenRuns") or "",
            "action": thing.get("action") or "create_challenger",
            "features": thing.get("featureListStrategy") or "same_as_champion",
            "selection": thing.get("modelSelectionStrategy") or "autopilot_recommended",
            "mode": (thing.get("autopilotOptions") or {}).get("mode") or "auto",
            "actuals": thing.get("useActuals") is not False,
            **{field: (thing.get("autopilotOptions") or {}).get(name) is True for field, name, _, _ in UNSERVED},
            **_project(thing),
        }

    def prepare(self) -> None:
        present = str(self.initial["interval"])
        if present not in dict(INTERVALS):
            self.fields["interval"].choices = [*INTERVALS, (present, present)]  # type: ignore[attr-defined]
        self.fields["metric"].choices = [("", "as the target has it"), *self._metrics()]  # type: ignore[attr-defined]
        if self.case.watched.target_type == TargetType.REGRESSION:
            self.fields["partition"].choices = PARTITIONS[:1]  # type: ignore[attr-defined]
        here = self.case.watched.source.built_in
        if not here:
            del self.fields["actuals"]
        for field, _, label, why in UNSERVED:
            told = f"Refused: {why}" if here else ""
            self.fields[field] = forms.BooleanField(label=label, required=False, disabled=here, help_text=told)

    def _metrics(self) -> list[tuple[str, str]]:
        """The metrics of the target, and the one that is set."""
        try:
            known = list(ALL_METRICS[TargetType(self.case.watched.target_type)])
        except (KeyError, ValueError):
            known = []
        present = str(self.initial["metric"])
        return [(one, one) for one in dict.fromkeys([*known, *([present] if present else [])])]

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if values.get("cause") in {"data_drift_decline", "accuracy_decline"} and not values.get("declines"):
            self.add_error("declines", "Say which decline starts a run.")
        if values.get("own") != OWN[1][0]:
            return values
        folds = values.get("validation") == "CV"
        if folds and values.get("validation_pct") is not None:
            self.add_error("validation_pct", "Only with one part that is set aside; folds have their number.")
        if not folds and values.get("reps") is not None:
            self.add_error("reps", "Only by folds; one part that is set aside has its percent.")
        return values

    def body(self) -> dict[str, Any]:
        values = self.cleaned_data
        trigger: dict[str, Any] = {"type": values["cause"]}
        if values["cause"] == "schedule":
            present = self.case.thing.get("trigger") or {}
            trigger["schedule"] = planned(self, present.get("schedule"))
        if values["cause"].endswith("_decline"):
            trigger |= {name: name in values["declines"] for name, _ in DECLINES}
            if values["interval"] or self.case.thing:
                trigger["minIntervalBetweenRuns"] = values["interval"] or None
        wanted = {
            "name": values["name"],
            "description": values["description"],
            "action": values["action"],
            "featureListStrategy": values["features"],
            "modelSelectionStrategy": values["selection"],
            "autopilotOptions": {"mode": values["mode"]} | self._further(),
            "trigger": trigger,
            **self._options(),
        }
        if "actuals" in self.fields:
            wanted["useActuals"] = values["actuals"]
        return wanted if self.case.thing else filled(wanted)

    def _further(self) -> dict[str, Any]:
        """The options that the built-in trainer refuses; other sources get them where one is or was set."""
        if self.case.watched.source.built_in:
            return {}
        present = {name: self.cleaned_data[field] for field, name, _, _ in UNSERVED}
        was = any(self.initial[field] for field, *_ in UNSERVED)
        return present if was or any(present.values()) else {}

    def _options(self) -> dict[str, Any]:
        """The policy's own metric and parts; back to the usual ones where it has none."""
        values = self.cleaned_data
        if not values["own"]:
            return {}
        if values["own"] == OWN[0][0]:
            usual = {"projectOptionsStrategy": OWN[0][0], "projectOptions": None}
            return usual if self.initial["own"] == OWN[1][0] else {}
        found = {
            "cvMethod": values["partition"] or PARTITIONS[0][0],
            "validationType": values["validation"] or VALIDATIONS[0][0],
            "reps": values["reps"],
            "validationPct": values["validation_pct"],
            "holdoutPct": values["holdout_pct"],
            "metric": values["metric"] or None,
        }
        options = found if self.case.thing else filled(found)
        return {"projectOptionsStrategy": values["own"], "projectOptions": options}

    def sentence(self) -> str:
        if self.case.thing.get("action") == "model_replacement":
            return "This policy replaces the champion without asking anybody."
        return ""


def _project(thing: dict[str, Any]) -> dict[str, Any]:
    """The project options of a policy, as the form shows them; `custom` is shown as options of its own."""
    found = thing.get("projectOptions")
    options = found if isinstance(found, dict) else {}
    usual = thing.get("projectOptionsStrategy") in (None, OWN[0][0])
    return {
        "own": OWN[0][0] if usual else OWN[1][0],
        "metric": options.get("metric") or "",
        "partition": options.get("cvMethod") or PARTITIONS[0][0],
        "validation": options.get("validationType") or VALIDATIONS[0][0],
        "reps": options.get("reps"),
        "validation_pct": options.get("validationPct"),
        "holdout_pct": options.get("holdoutPct"),
    }


class RunCancelForm(ActForm):
    """Stops a run."""

    def body(self) -> dict[str, Any]:
        return {"status": "cancelled"}


class RetrainingSettingsForm(ActForm):
    """What runs train on and in whose name."""

    asks = (q.retraining_settings(), q.shared_roles())
    shows = q.retraining_settings()

    dataset = forms.CharField(
        label="Dataset", max_length=128, required=False, help_text="Id of the dataset that runs train on; empty: none."
    )
    user = forms.ChoiceField(
        label="In whose name", required=False, help_text="An owner of the deployment: a run does what only owners may."
    )

    @classmethod
    def start(cls, case: Case) -> dict[str, Any]:
        dataset, user = case.settings.get("dataset") or {}, case.settings.get("retrainingUser") or {}
        return {"dataset": dataset.get("id") or "", "user": user.get("id") or ""}

    def prepare(self) -> None:
        rows = self.case.shelf.entries(q.shared_roles())
        owners = [
            (str(one["id"]), name_of(one) or str(one["id"]))
            for one in rows
            if one.get("role") == "OWNER" and one.get("shareRecipientType") == "user" and one.get("id")
        ]
        present = self.start(self.case)["user"]
        if present and present not in dict(owners):
            owners.append((present, present))
        self.fields["user"].choices = [("", "nobody"), *owners]  # type: ignore[attr-defined]

    def body(self) -> dict[str, Any]:
        values = self.cleaned_data
        return {"datasetId": values["dataset"] or None, "retrainingUserId": values["user"] or None}
