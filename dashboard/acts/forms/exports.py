"""Exports of rows as files."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from django import forms

from dashboard.acts.case import Case
from dashboard.acts.forms.base import ActForm, HourField, filled, told
from monitoring import questions as q
from monitoring.clock import floor_hour
from monitoring.questions import Question


class PeriodForm(ActForm):
    """A period and a model."""

    asks: ClassVar[tuple[Question, ...]] = (q.challengers(),)

    start_at = HourField(label="From")
    end_at = HourField(label="To")
    model = forms.ChoiceField(label="Of which model")

    @classmethod
    def start(cls, case: Case) -> dict[str, Any]:
        end = floor_hour(case.now)
        return {"start_at": end - timedelta(days=7), "end_at": end, "model": case.watched.model_id}

    def prepare(self) -> None:
        self.fields["model"].choices = self.case.models()  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        begin, end = values.get("start_at"), values.get("end_at")
        if begin is not None and end is not None and begin >= end:
            self.add_error("end_at", "Must lie after the beginning.")
        return values

    def body(self) -> dict[str, Any]:
        values = self.cleaned_data
        return filled({"start": told(values["start_at"]), "end": told(values["end_at"]), "modelId": values["model"]})


class PredictionExportForm(PeriodForm):
    """Predictions with their features."""

    batches = forms.MultipleChoiceField(
        required=False, widget=forms.CheckboxSelectMultiple, help_text="Without a choice: predictions in no batch."
    )
    asks: ClassVar[tuple[Question, ...]] = (*PeriodForm.asks, q.batches())

    def prepare(self) -> None:
        super().prepare()
        known = [
            (str(one["id"]), str(one.get("name") or one["id"]))
            for one in self.case.shelf.entries(q.batches())
            if one.get("id")
        ]
        if not self.case.watched.batch_monitoring or not known:
            del self.fields["batches"]
            return
        self.fields["batches"].choices = known  # type: ignore[attr-defined]
        for name in ("start_at", "end_at"):
            self.fields[name].required = False
            self.initial.pop(name, None)

    def body(self) -> dict[str, Any]:
        return super().body() | filled({"batchIds": self.cleaned_data.get("batches")})


class ActualsExportForm(PeriodForm):
    """Actuals, with or without those that wait for a prediction."""

    only_matched = forms.BooleanField(label="Only those with a prediction", required=False, initial=True)

    @classmethod
    def start(cls, case: Case) -> dict[str, Any]:
        return super().start(case) | {"only_matched": True}

    def body(self) -> dict[str, Any]:
        return super().body() | {"onlyMatchedPredictions": self.cleaned_data["only_matched"]}


class TrainingExportForm(ActForm):
    """What a model was trained on."""

    asks = (q.challengers(),)

    model = forms.ChoiceField(label="Of which model")

    def prepare(self) -> None:
        self.fields["model"].choices = self.case.models()  # type: ignore[attr-defined]

    def body(self) -> dict[str, Any]:
        return filled({"modelId": self.cleaned_data["model"]})


class CancelForm(ActForm):
    """Stops an export."""

    def body(self) -> dict[str, Any]:
        return {"status": "CANCELLED"}
