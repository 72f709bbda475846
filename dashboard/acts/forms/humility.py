"""Humility rules: an extension of our own service."""

from __future__ import annotations

from typing import Any

from django import forms

from dashboard.acts.case import Case, name_of
from dashboard.acts.forms.base import ActForm
from monitoring import questions as q

UNSURE, OUTLYING, RARE = "uncertainPrediction", "outlyingInput", "lowObservationRegion"
TRIGGERS = (
    (UNSURE, "The prediction is uncertain"),
    (OUTLYING, "An input lies outside its usual range"),
    (RARE, "An input has a value that is seldom or never seen"),
)
#: Types of target whose predictions are one number, which can be uncertain; our own service refuses others.
BOUNDED = ("Regression", "Binary")
OVERRIDE = "override"
ACTIONS = (
    ("noOperation", "Only count it"),
    (OVERRIDE, "Put another value in the prediction's place"),
    ("throwError", "Answer with an error"),
)


class RuleForm(ActForm):
    """When a rule applies, and what is done then."""

    asks = (q.features(),)
    only = {
        "feature": (f"trigger={OUTLYING}", f"trigger={RARE}"),
        "lower": (f"trigger={UNSURE}", f"trigger={OUTLYING}"),
        "upper": (f"trigger={UNSURE}", f"trigger={OUTLYING}"),
        "values": (f"trigger={RARE}",),
        "override": (f"action={OVERRIDE}",),
    }

    name = forms.CharField(max_length=200)
    trigger = forms.ChoiceField(label="When", choices=TRIGGERS)
    feature = forms.CharField(max_length=300, required=False, help_text="The name of the input that is looked at.")
    lower = forms.FloatField(label="From", required=False)
    upper = forms.FloatField(
        label="To",
        required=False,
        help_text="An uncertain prediction lies between them, an outlying input does not. Leave both empty to have "
        "them worked out from training or holdout.",
    )
    values = forms.CharField(
        label="Usual values",
        required=False,
        widget=forms.Textarea({"rows": 3}),
        help_text="One a line: any other value counts as seldom.",
    )
    action = forms.ChoiceField(label="What is done", choices=ACTIONS)
    override = forms.CharField(label="Value in its place", max_length=500, required=False)

    @classmethod
    def start(cls, case: Case) -> dict[str, Any]:
        trigger, action = case.thing.get("trigger") or {}, case.thing.get("action") or {}
        calculated = trigger.get("isCalculated") is True
        value = action.get("value")
        return {
            "name": name_of(case.thing),
            "trigger": trigger.get("type") or UNSURE,
            "feature": trigger.get("featureName") or "",
            "lower": None if calculated else trigger.get("lower"),
            "upper": None if calculated else trigger.get("upper"),
            "values": "\n".join(str(one) for one in trigger.get("values") or ()),
            "action": action.get("type") or "noOperation",
            "override": "" if value is None else value,
        }

    def prepare(self) -> None:
        watched, present = self.case.watched, self.initial["trigger"]
        if (
            watched.source.built_in
            and watched.target_type not in ("", *BOUNDED)
            and (not self.case.thing or present != UNSURE)
        ):
            self.fields["trigger"].choices = TRIGGERS[1:]  # type: ignore[attr-defined]
        names = [str(one["name"]) for one in self.case.shelf.entries(q.features()) if one.get("name")]
        if names:
            self.fields["feature"] = forms.ChoiceField(
                required=False, choices=[("", "–"), *((name, name) for name in names)], help_text="The input looked at."
            )

    def clean_values(self) -> list[str]:
        return [line.strip() for line in self.cleaned_data["values"].splitlines() if line.strip()]

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        kind, low, high = values.get("trigger"), values.get("lower"), values.get("upper")
        if kind in {OUTLYING, RARE} and not values.get("feature"):
            self.add_error("feature", "This trigger looks at an input: choose it.")
        if kind == RARE and not values.get("values"):
            self.add_error("values", "Name the usual values.")
        if kind != RARE and (low is None) != (high is None):
            self.add_error("upper", "Give both bounds, or neither.")
        if kind != RARE and low is not None and high is not None and low > high:
            self.add_error("upper", "Must not lie below the lower bound.")
        if values.get("action") == OVERRIDE and not values.get("override"):
            self.add_error("override", "Say which value takes the prediction's place.")
        return values

    def body(self) -> dict[str, Any]:
        values = self.cleaned_data
        trigger: dict[str, Any] = {"type": values["trigger"]}
        if values["trigger"] != UNSURE:
            trigger["featureName"] = values["feature"]
        if values["trigger"] == RARE:
            trigger["values"] = values["values"]
        else:
            trigger |= {"lower": values["lower"], "upper": values["upper"]}
        action: dict[str, Any] = {"type": values["action"]}
        if values["action"] == OVERRIDE:
            action["value"] = self._override(values["override"])
        return {"name": values["name"], "trigger": trigger, "action": action}

    def _override(self, text: str) -> float | str:
        """A number for a regression, a class otherwise."""
        if self.case.watched.target_type != "Regression":
            return text
        try:
            return float(text)
        except ValueError:
            return text  # the source names what is wrong with it
