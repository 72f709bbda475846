"""Custom metrics that work themselves out: from a job, on a schedule."""

from __future__ import annotations

import math
from typing import Any

from django import forms

from dashboard.acts.forms.base import HOURS, ActForm, filled
from monitoring import questions as q

MINUTES = tuple((str(minute), f"{minute:02d} past") for minute in range(0, 60, 5))


class FromJobForm(ActForm):
    """A metric whose values come from a built-in recipe or from an address of one's own."""

    asks = (q.custom_jobs(),)

    job = forms.ChoiceField(label="What it measures", widget=forms.RadioSelect)
    name = forms.CharField(max_length=200)
    description = forms.CharField(max_length=10_000, required=False, widget=forms.Textarea({"rows": 2}))
    baseline = forms.FloatField(required=False, help_text="The value to compare with.")
    hour = forms.ChoiceField(
        label="Worked out", choices=(("*", "every hour"), *HOURS), help_text="Each time for the last whole hour."
    )
    minute = forms.ChoiceField(label="At the minute", choices=MINUTES, initial="5")

    def prepare(self) -> None:
        known = []
        for one in self.case.shelf.entries(q.custom_jobs()):
            if isinstance(one.get("id"), str):
                text = str(one.get("description") or ("" if one.get("isBuiltIn") else one.get("url") or ""))
                known.append((one["id"], f"{one.get('name') or one['id']}: {text}".rstrip(": ")))
        self.fields["job"].choices = known  # type: ignore[attr-defined]

    def clean_baseline(self) -> float | None:
        value: float | None = self.cleaned_data["baseline"]
        if value is not None and not math.isfinite(value):
            raise forms.ValidationError("Must be a finite number.")
        return value

    def body(self) -> dict[str, Any]:
        values = self.cleaned_data
        hour = values["hour"]
        plan = {
            "minute": [int(values["minute"])],
            "hour": ["*" if hour == "*" else int(hour)],
            **{part: ["*"] for part in ("dayOfMonth", "month", "dayOfWeek")},
        }
        baseline = values["baseline"]
        wanted = {"customJobId": values["job"], "name": values["name"], "description": values["description"]}
        return filled(wanted) | {
            "schedule": plan,
            "baselineValues": [] if baseline is None else [{"value": baseline}],
        }

    def sentence(self) -> str:
        if not self.fields["job"].choices:  # type: ignore[attr-defined]
            return "The source offers no jobs."
        return "Type, units and which way is better come from what it measures."
