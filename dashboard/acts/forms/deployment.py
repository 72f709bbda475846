"""The deployment itself: its name, its status, who may do what, and its data."""

from __future__ import annotations

from typing import Any

from django import forms

from dashboard.acts.case import Case
from dashboard.acts.forms.base import ActForm
from dashboard.acts.forms.exports import PeriodForm
from dashboard.charts import words
from monitoring import questions as q
from monitoring.models import Importance
from monitoring.questions import Between, Bucket, Question

ROLES = (("OWNER", "Owner"), ("USER", "User"), ("CONSUMER", "Consumer"), ("NO_ROLE", "No role any more"))
RECIPIENTS = (("user", "Person"), ("group", "Group"), ("organization", "Organisation"))


class DetailsForm(ActForm):
    """Label, description, importance."""

    label = forms.CharField(max_length=512)
    description = forms.CharField(max_length=10_000, required=False, widget=forms.Textarea({"rows": 3}))
    importance = forms.ChoiceField(choices=Importance)

    @classmethod
    def start(cls, case: Case) -> dict[str, Any]:
        present = case.settings
        names = ("label", "description", "importance")
        return {name: present.get(name) or "" for name in names}

    def prepare(self) -> None:
        # Not told, or one that only the source knows: it stays until another is chosen.
        present = self.initial["importance"]
        if present not in Importance.values:
            self.fields["importance"] = forms.ChoiceField(
                choices=((present, present or "not told"), *Importance.choices), required=False
            )

    def body(self) -> dict[str, Any]:
        names = ("label", "description", "importance")
        return {name: self.cleaned_data[name] for name in names if self.cleaned_data[name] != self.initial[name]}

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if not self.errors and not self.body():
            raise forms.ValidationError("Nothing was changed.")
        return values


class ShareForm(ActForm):
    """A role for somebody; for one who is on the list only the role is asked."""

    guards = True
    only = {"can_share": ("role=OWNER",)}

    kind = forms.ChoiceField(label="Who", choices=RECIPIENTS)
    name = forms.CharField(max_length=300, help_text="User name or mail address; the name of a group or organisation.")
    role = forms.ChoiceField(choices=ROLES)
    can_share = forms.BooleanField(label="May share it with others", required=False, help_text="Owners only.")

    @classmethod
    def start(cls, case: Case) -> dict[str, Any]:
        thing = case.thing
        if not thing:
            return {"kind": "user", "role": "USER"}
        return {"role": thing.get("role"), "can_share": thing.get("canShare") is True}

    def prepare(self) -> None:
        if self.case.thing:
            del self.fields["kind"]
            del self.fields["name"]

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if values.get("can_share") and values.get("role") != "OWNER":
            self.add_error("can_share", "Only owners can share.")
        return values

    def body(self) -> dict[str, Any]:
        values, thing = self.cleaned_data, self.case.thing
        kind = str(thing.get("shareRecipientType") or values.get("kind"))
        role = {"role": values["role"], "shareRecipientType": kind}
        if thing:
            role["id"] = thing["id"]
        else:
            role["username" if kind == "user" else "name"] = values["name"].strip()
        if values["role"] == "OWNER":
            return {"operation": "updateRoles", "roles": [role | {"canShare": values["can_share"]}]}
        return {"operation": "updateRoles", "roles": [role]}

    def read(self) -> dict[str, Any]:
        """The role that somebody on the list had; of somebody who is not nothing was shown."""
        names = ("id", "shareRecipientType", "role", "canShare")
        shown = {name: self.case.thing[name] for name in names if name in self.case.thing}
        return {"roles": [shown]} if shown else {}


class DataForm(PeriodForm):
    """Which monitoring data are to go; how many predictions that are is asked before anything is sent."""

    def counts(self) -> Question:
        """The question that tells how many predictions there are in the period."""
        values = self.cleaned_data
        span = Between(values["start_at"], values["end_at"])
        days = (values["end_at"] - values["start_at"]).days
        bucket = Bucket.DAY if days else Bucket.HOUR
        return q.predictions_over_time(span, bucket, model_id=values["model"])

    def sentence(self) -> str:
        return (
            "Predictions, actuals and all numbers made of them go, for the hours of the period and for that model. It "
            "cannot be undone. Custom metrics, settings and the history of models stay."
        )

    def told(self, rows: float) -> str:
        """`12 345 predictions of Model between … and … will be deleted.`"""
        values = self.cleaned_data
        model = dict(self.case.models()).get(values["model"], "this model")
        span = f"{values['start_at']:%Y-%m-%d %H:00} and {values['end_at']:%Y-%m-%d %H:00} UTC"
        return f"{words.number(rows, 0)} predictions of {model} between {span} will be deleted, with their actuals."
