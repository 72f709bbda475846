"""Batches."""

from __future__ import annotations

from typing import Any

from django import forms

from dashboard.acts.case import Case, name_of
from dashboard.acts.forms.base import ActForm, MomentField, filled, told
from monitoring import questions as q


class BatchForm(ActForm):
    """A new batch, or another name, description and link of one."""

    batch_name = forms.CharField(label="Name", max_length=128)
    description = forms.CharField(max_length=10_000, required=False, widget=forms.Textarea({"rows": 3}))
    context = forms.URLField(
        label="Link to where it comes from",
        max_length=2000,
        required=False,
        assume_scheme="https",
        help_text="The job or dataset that made it; http or https.",
    )

    @classmethod
    def start(cls, case: Case) -> dict[str, Any]:
        thing = case.thing
        return {
            "batch_name": name_of(thing),
            "description": thing.get("description") or "",
            "context": thing.get("externalContextUrl") or "",
        }

    def body(self) -> dict[str, Any]:
        values = self.cleaned_data
        wanted = {
            "batchName": values["batch_name"],
            "description": values["description"],
            "externalContextUrl": values["context"] or None,
        }
        if self.case.thing:
            return wanted
        return {name: value for name, value in wanted.items() if value}


class BatchTimesForm(ActForm):
    """When a model's data in a batch begins and ends, where the rows do not say it."""

    asks = (q.challengers(),)

    model = forms.ChoiceField(label="Of which model")
    start_at = MomentField(label="Begins", required=False)
    end_at = MomentField(label="Ends", required=False)

    def prepare(self) -> None:
        self.fields["model"].choices = self.case.models()  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        begin, end = values.get("start_at"), values.get("end_at")
        if not begin and not end and not self.errors:
            self.add_error("start_at", "Say when it begins, or when it ends.")
        if begin and end and begin > end:
            self.add_error("end_at", "Must not lie before the beginning.")
        return values

    def target(self) -> str:
        return f"{self.case.target}/{self.cleaned_data['model']}"

    def body(self) -> dict[str, Any]:
        values = self.cleaned_data
        return filled({"startTime": told(values["start_at"]), "endTime": told(values["end_at"])})
