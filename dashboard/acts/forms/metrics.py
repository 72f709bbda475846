"""Custom metrics and their values."""

from __future__ import annotations

import csv
import math
from datetime import UTC, datetime
from io import StringIO
from typing import Any

from django import forms

from dashboard.acts.case import Case, name_of
from dashboard.acts.forms.base import ActForm, filled
from monitoring import questions as q
from monitoring.clock import format_time

TYPES = (("average", "Average"), ("sum", "Sum"), ("gauge", "Gauge (the latest value)"), ("categorical", "Categories"))
DIRECTIONS = (("higherIsBetter", "Higher is better"), ("lowerIsBetter", "Lower is better"))
COLUMNS = (
    ("value", "value_column", "Column with the value"),
    ("sampleCount", "count_column", "Column with the number of samples"),
    ("timestamp", "time_column", "Column with the time"),
    ("batch", "batch_column", "Column with the batch"),
)
#: As many values are taken from one form; more come by the API or a dataset.
MOST_VALUES = 10_000


class MetricForm(ActForm):
    """All that can be changed of a custom metric."""

    only = {"categories": ("type=categorical",)}

    name = forms.CharField(max_length=200)
    type = forms.ChoiceField(label="How values are put together", choices=TYPES)
    directionality = forms.ChoiceField(label="Which way is better", choices=DIRECTIONS)
    units = forms.CharField(max_length=100, required=False)
    description = forms.CharField(max_length=10_000, required=False, widget=forms.Textarea({"rows": 2}))
    baseline = forms.FloatField(required=False, help_text="The value to compare with.")
    categories = forms.CharField(
        required=False,
        widget=forms.Textarea({"rows": 3}),
        help_text="One a line, at most 50.",
    )
    display_chart = forms.BooleanField(label="Show its chart", required=False, initial=True)
    value_column = forms.CharField(label=COLUMNS[0][2], max_length=300, required=False)
    count_column = forms.CharField(label=COLUMNS[1][2], max_length=300, required=False)
    time_column = forms.CharField(label=COLUMNS[2][2], max_length=300, required=False)
    time_format = forms.CharField(
        label="Format of the time", max_length=100, required=False, help_text="As strptime reads it; empty: RFC 3339."
    )
    batch_column = forms.CharField(label=COLUMNS[3][2], max_length=300, required=False)

    @classmethod
    def start(cls, case: Case) -> dict[str, Any]:
        thing = case.thing
        if not thing:
            return {}
        baselines = [one for one in thing.get("baselineValues") or () if isinstance(one, dict)]
        columns = {field: (thing.get(name) or {}).get("columnName", "") for name, field, _ in COLUMNS}
        return {
            "name": name_of(thing),
            "type": thing.get("type"),
            "directionality": thing.get("directionality"),
            "units": thing.get("units") or "",
            "description": thing.get("description") or "",
            "baseline": baselines[0].get("value") if baselines else None,
            "categories": "\n".join(str(one) for one in thing.get("categories") or ()),
            "display_chart": thing.get("displayChart") is not False,
            "time_format": (thing.get("timestamp") or {}).get("timeFormat") or "",
            **columns,
        }

    def clean_categories(self) -> list[str]:
        names = [line.strip() for line in self.cleaned_data["categories"].splitlines() if line.strip()]
        if len(names) > 50 or any(len(name) > 200 for name in names):
            raise forms.ValidationError("At most 50 categories of 200 characters.")
        if len(set(names)) != len(names):
            raise forms.ValidationError("A category is there twice.")
        return names

    def clean_baseline(self) -> float | None:
        value: float | None = self.cleaned_data["baseline"]
        if value is not None and not math.isfinite(value):
            raise forms.ValidationError("Must be a finite number.")
        return value

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if values.get("categories") and values.get("type") != "categorical":
            self.add_error("categories", "Only a metric of categories has them.")
        if values.get("time_format") and not values.get("time_column"):
            self.add_error("time_column", "A format needs its column.")
        return values

    def body(self) -> dict[str, Any]:
        """Empty fields clear what was there; a new metric leaves them out."""
        values = self.cleaned_data
        columns: dict[str, Any] = {
            name: ({"columnName": values[field]} if values[field] else None) for name, field, _ in COLUMNS
        }
        if columns["timestamp"] and values["time_format"]:
            columns["timestamp"]["timeFormat"] = values["time_format"]
        wanted = {
            "name": values["name"],
            "type": values["type"],
            "directionality": values["directionality"],
            "units": values["units"],
            "description": values["description"],
            "baselineValues": [] if values["baseline"] is None else [{"value": values["baseline"]}],
            "categories": values["categories"],
            "displayChart": values["display_chart"],
            **columns,
        }
        return wanted if self.case.thing else filled(wanted) | {"displayChart": values["display_chart"]}


class MetricCreateForm(MetricForm):
    """A new metric: also whether each model has values of its own, which cannot be changed later."""

    model_specific = forms.BooleanField(
        label="Each model has values of its own", required=False, help_text="Cannot be changed later."
    )

    def body(self) -> dict[str, Any]:
        return super().body() | {"isModelSpecific": self.cleaned_data["model_specific"]}


class ValuesForm(ActForm):
    """A few values by hand, a line each."""

    asks = (q.challengers(),)

    model = forms.ChoiceField(label="Of which model")
    rows = forms.CharField(
        label="Values",
        max_length=1_000_000,
        widget=forms.Textarea({"rows": 8, "class": "mono"}),
        help_text="One a line: time, value, and if you like the number of samples. Times in UTC: "
        "2026-01-05T09:00:00Z, 12.5, 40",
    )

    def prepare(self) -> None:
        self.fields["model"].choices = self.case.models()  # type: ignore[attr-defined]
        if self.case.thing.get("isModelSpecific") is False:
            del self.fields["model"]

    def clean_rows(self) -> list[dict[str, Any]]:
        lines = [row for row in csv.reader(StringIO(self.cleaned_data["rows"])) if any(cell.strip() for cell in row)]
        if len(lines) > MOST_VALUES:
            raise forms.ValidationError(
                f"At most {MOST_VALUES} values at a time; more come as a dataset or by the API."
            )
        problems, values = [], []
        for number, row in enumerate(lines, 1):
            try:
                values.append(self._value([cell.strip() for cell in row]))
            except ValueError as bad:
                problems.append(f"Line {number}: {bad}")
        if problems:
            raise forms.ValidationError(problems[:5])
        return values

    def _value(self, cells: list[str]) -> dict[str, Any]:
        if not 2 <= len(cells) <= 3:
            raise ValueError("a time, a value, and perhaps a number of samples.")
        found: dict[str, Any] = {"timestamp": format_time(_moment(cells[0])), "value": self._number(cells[1])}
        if len(cells) == 3 and cells[2]:
            if not cells[2].isdecimal() or int(cells[2]) < 1:
                raise ValueError("the number of samples must be a whole number from 1 on.")
            found["sampleSize"] = int(cells[2])
        return found

    def _number(self, text: str) -> float | str:
        if self.case.thing.get("type") == "categorical":
            return text
        try:
            value = float(text)
        except ValueError:
            raise ValueError(f"{text!r} is not a number.") from None
        if not math.isfinite(value):
            raise ValueError("the value must be finite.")
        return value

    def body(self) -> dict[str, Any]:
        return filled({"buckets": self.cleaned_data["rows"], "modelId": self.cleaned_data.get("model")})

    def sentence(self) -> str:
        return "Values are added to those that are there: the same value sent again counts again."


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a time such as 2026-01-05T09:00:00Z.") from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
