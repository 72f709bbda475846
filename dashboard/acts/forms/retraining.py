"""Retraining policies, their runs, and what they train on."""

from __future__ import annotations

from typing import Any

from django import forms

from dashboard.acts.case import Case, name_of
from dashboard.acts.forms.base import DAYS, HOURS, ActForm, filled, hour_and_day, schedule
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


class PolicyForm(ActForm):
    """When a model is trained anew, how, and what becomes of it."""

    name = forms.CharField(max_length=200)
    description = forms.CharField(max_length=10_000, required=False, widget=forms.Textarea({"rows": 2}))
    cause = forms.ChoiceField(label="It runs", choices=CAUSES)
    day = forms.ChoiceField(choices=DAYS, help_text="For a schedule.")
    hour = forms.ChoiceField(choices=HOURS, help_text="For a schedule.")
    declines = forms.MultipleChoiceField(
        label="A decline means that", choices=DECLINES, required=False, widget=forms.CheckboxSelectMultiple
    )
    interval = forms.ChoiceField(
        label="Least time between runs", choices=INTERVALS, required=False, help_text="For a decline."
    )
    action = forms.ChoiceField(label="The new model", choices=ACTIONS)
    features = forms.ChoiceField(label="It uses features", choices=FEATURES)
    selection = forms.ChoiceField(label="It is", choices=SELECTIONS)
    mode = forms.ChoiceField(label="Search", choices=MODES)

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
        }

    def prepare(self) -> None:
        present = str(self.initial["interval"])
        if present not in dict(INTERVALS):
            self.fields["interval"].choices = [*INTERVALS, (present, present)]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if values.get("cause") in {"data_drift_decline", "accuracy_decline"} and not values.get("declines"):
            self.add_error("declines", "Say which decline starts a run.")
        return values

    def body(self) -> dict[str, Any]:
        values = self.cleaned_data
        trigger: dict[str, Any] = {"type": values["cause"]}
        if values["cause"] == "schedule":
            trigger["schedule"] = schedule(values["hour"], values["day"])
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
            "autopilotOptions": {"mode": values["mode"]},
            "trigger": trigger,
        }
        return wanted if self.case.thing else filled(wanted)

    def sentence(self) -> str:
        if self.case.thing.get("action") == "model_replacement":
            return "This policy replaces the champion without asking anybody."
        return ""


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
        present = case.shelf.payload(q.retraining_settings())
        dataset, user = present.get("dataset") or {}, present.get("retrainingUser") or {}
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
