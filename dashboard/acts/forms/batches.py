"""Batches."""

from __future__ import annotations

from typing import Any

from django import forms

from dashboard.acts.case import Case, name_of
from dashboard.acts.forms.base import ActForm


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
