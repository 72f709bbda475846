"""What a model runs with: runtime parameters, and sets of secondary datasets."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from django import forms

from dashboard.acts.forms.base import ActForm
from dashboard.charts import words
from dashboard.shelf import objects
from monitoring import questions as q
from monitoring.commands import id_of, sealed

AS_PACKAGE = "as the model's package says"
KEPT_UNSEEN = "A secret is never shown, so it cannot be kept unseen: type it again, or take it back."
POLICIES = (
    ("specified", "this version"),
    ("latest", "the latest version"),
    ("dynamic", "as it is when it is asked"),
)
MOST_PAIRS = 5


class RuntimeForm(ActForm):
    """One field for each parameter that the champion's package defines; what is left empty is as the package says."""

    asks = (q.runtime_parameters(),)
    shows = q.runtime_parameters()
    guards = True

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The parameters in the order of their package."""
        found = objects(self.case.settings.get("data"))
        return [one for one in found if isinstance(one.get("fieldName"), str)]

    def prepare(self) -> None:
        for row in self.rows:
            name = _name(row)
            self.fields[name] = _field(row)
            if row.get("type") == "credential" and row.get("overrideValue") is not None:
                self.fields[f"back_{name}"] = forms.BooleanField(
                    label=f"Take the secret of {row['fieldName']} back", required=False
                )
            elif row.get("overrideValue") is not None:
                self.initial[name] = _shown(row["overrideValue"])

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if not self.rows:
            raise forms.ValidationError("The model has no runtime parameters, or the source has not told them yet.")
        for row in self.rows:
            name = _name(row)
            if f"back_{name}" in self.fields and not values.get(name) and not values.get(f"back_{name}"):
                self.add_error(name, KEPT_UNSEEN)
            value = values.get(name)
            if isinstance(value, float) and not math.isfinite(value):
                self.add_error(name, "Must be a finite number.")
        return values

    def body(self) -> dict[str, Any]:
        return {"runtimeParameterValues": list(self._values())}

    def _values(self) -> Iterator[dict[str, Any]]:
        for row in self.rows:
            value = self.cleaned_data.get(_name(row))
            if value in (None, "") or self.cleaned_data.get(f"back_{_name(row)}"):
                continue
            kind = row.get("type")
            sent = value == "true" if kind == "boolean" else sealed(value) if kind == "credential" else value
            yield {"fieldName": row["fieldName"], "type": kind, "value": sent}

    def read(self) -> dict[str, Any]:
        """The parameters as the page showed them; all of them are replaced at once."""
        return {"data": objects(self.case.settings.get("data"))}

    def sentence(self) -> str:
        if not self.rows:
            return "The model's package defines no runtime parameters."
        return "All of them are set at once: what is left empty goes back to what the model's package says."


def _name(row: dict[str, Any]) -> str:
    """By the parameter, not by its place: another model may stand there when the form comes back."""
    return f"p_{row['fieldName']}"


def _field(row: dict[str, Any]) -> forms.Field:
    default, kind = row.get("defaultValue"), row.get("type")
    else_ = AS_PACKAGE if default is None else f"{AS_PACKAGE}: {_shown(default)}"
    told = str(row.get("description") or "")
    common: dict[str, Any] = {"label": row["fieldName"], "required": False}
    if kind == "boolean":
        return forms.ChoiceField(choices=(("", else_), ("true", "yes"), ("false", "no")), help_text=told, **common)
    hint = f"{told} Empty: {else_}.".strip()
    if kind == "numeric":
        low, high = row.get("minValue"), row.get("maxValue")
        widget = forms.NumberInput({"step": "any"})
        return forms.FloatField(
            min_value=low, max_value=high, help_text=_limits(low, high) + hint, widget=widget, **common
        )
    if kind == "credential":
        secret = forms.PasswordInput({"autocomplete": "new-password"})
        return forms.CharField(max_length=10_000, strip=False, widget=secret, help_text=hint, **common)
    return forms.CharField(max_length=10_000, strip=False, help_text=hint, **common)


def _limits(low: Any, high: Any) -> str:
    """`From 0 to 10. `"""
    parts = [
        f"from {words.number(low)}" if low is not None else "",
        f"to {words.number(high)}" if high is not None else "",
    ]
    text = " ".join(part for part in parts if part)
    return f"{text[:1].upper()}{text[1:]}. " if text else ""


def _shown(value: Any) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


class SetForm(ActForm):
    """A set of secondary datasets: under which name the model knows each, and which dataset it is."""

    asks = (q.datasets(),)

    name = forms.CharField(max_length=200)

    def prepare(self) -> None:
        known = [("", "none")]
        for one in self.case.shelf.entries(q.datasets()):
            key = id_of(one)
            if isinstance(key, str):
                known.append((key, str(one.get("name") or key)))
        for number in range(1, MOST_PAIRS + 1):
            self.fields[f"identifier{number}"] = forms.CharField(
                label=f"Name {number} in the model", max_length=200, required=number == 1
            )
            self.fields[f"dataset{number}"] = forms.ChoiceField(
                label=f"Dataset {number}", choices=known, required=number == 1
            )
            self.fields[f"policy{number}"] = forms.ChoiceField(
                label=f"Which of its versions, {number}", choices=POLICIES, required=False
            )

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        seen: set[str] = set()
        for number in range(1, MOST_PAIRS + 1):
            name, dataset = values.get(f"identifier{number}"), values.get(f"dataset{number}")
            if bool(name) != bool(dataset) and not self.errors:
                self.add_error(
                    f"dataset{number}" if name else f"identifier{number}", "A name and a dataset go together."
                )
            if name and name in seen:
                self.add_error(f"identifier{number}", "This name is there already.")
            seen.add(name or "")
        return values

    def body(self) -> dict[str, Any]:
        values = self.cleaned_data
        rows = [
            {
                "identifier": values[f"identifier{number}"],
                "catalogId": values[f"dataset{number}"],
                "snapshotPolicy": values[f"policy{number}"] or POLICIES[0][0],
            }
            for number in range(1, MOST_PAIRS + 1)
            if values[f"identifier{number}"]
        ]
        return {"name": values["name"], "secondaryDatasets": rows}


class SetUseForm(ActForm):
    """Takes a set into use."""

    def body(self) -> dict[str, Any]:
        return {"secondaryDatasetConfigId": self.case.thing["id"]}


class ScoringCodeForm(ActForm):
    """What is built into the archive."""

    explanations = forms.BooleanField(label="With prediction explanations", required=False)
    intervals = forms.BooleanField(label="With prediction intervals", required=False)

    def body(self) -> dict[str, Any]:
        values = self.cleaned_data
        return {
            "includeAgent": True,
            "includePredictionExplanations": values["explanations"],
            "includePredictionIntervals": values["intervals"],
        }

    def sentence(self) -> str:
        return "The model's own archive, with a configuration by which it reports what it predicts to this deployment."
