"""Rows that a person has as a file, or that the source has as a dataset: predictions, actuals, values of a metric."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from django import forms
from django.conf import settings

from dashboard.acts.case import Case
from dashboard.acts.forms.base import ActForm, filled
from monitoring import questions as q
from monitoring.commands import id_of
from monitoring.questions import Question
from monitoring.registering.files import Unreadable, head

MEGABYTE = 1024 * 1024
NOWHERE = "There is no column {!r}; there is {}."
MOST_NAMED = 12


class DatasetForm(ActForm):
    """A file, or a dataset of the source. `columns`: the fields that name a column of it."""

    asks: ClassVar[tuple[Question, ...]] = (q.datasets(),)
    columns: ClassVar[tuple[str, ...]] = ()

    file = forms.FileField(
        required=False,
        help_text="CSV, NDJSON or Parquet. It becomes a dataset of the source.",
        widget=forms.FileInput({"accept": ".csv,.ndjson,.parquet"}),
    )
    dataset = forms.ChoiceField(label="Or a dataset that the source has", required=False)

    def prepare(self) -> None:
        known = [("", "none: the file")]
        for one in self.case.shelf.entries(q.datasets()):
            key, rows = id_of(one), one.get("rowCount")
            told = f", {rows:,} rows" if isinstance(rows, int) else ""
            if isinstance(key, str):
                known.append((key, f"{one.get('name') or key}{told}"))
        self.fields["dataset"].choices = known  # type: ignore[attr-defined]

    def clean_file(self) -> Any:
        upload = self.cleaned_data["file"]
        most = settings.MAX_FILE_BYTES
        if upload is not None and upload.size > most:
            raise forms.ValidationError(f"It has {upload.size // MEGABYTE} MiB; at most {most // MEGABYTE} are taken.")
        return upload

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if self.errors:
            return values
        if bool(values.get("file")) == bool(values.get("dataset")):
            self.add_error("file", "Choose a file, or a dataset that the source has: one of them.")
            return values
        try:
            names = self._names(values)
        except Unreadable as problem:
            self.add_error("file", str(problem))
            return values
        for field in self.columns:
            if names and values.get(field) and values[field] not in names:
                named = ", ".join(names[:MOST_NAMED]) + (" …" if len(names) > MOST_NAMED else "")
                self.add_error(field, NOWHERE.format(values[field], named))
        return values

    def _names(self, values: dict[str, Any]) -> list[str]:
        """The columns; [] where a dataset does not tell. Raises Unreadable for no table, or an empty one."""
        upload = values.get("file")
        if upload:
            table = head(upload.name, upload)
            if not table.height:
                raise Unreadable(f"{upload.name} has no rows.")
            return list(table.columns)
        entries = self.case.shelf.entries(q.datasets())
        found = next((one for one in entries if id_of(one) == values["dataset"]), {})
        return list(_column_names(found.get("columns")))

    @property
    def upload(self) -> Any:
        """The file that goes with the command; None for a dataset."""
        return self.cleaned_data["file"]

    def body(self) -> dict[str, Any]:
        return filled({"datasetId": self.cleaned_data["dataset"]})


class PredictionsFileForm(DatasetForm):
    """Predictions, with the columns that the API's files of predictions have."""

    def sentence(self) -> str:
        return (
            "Columns: the features under their own names, timestamp, associationId and prediction, or a column for "
            "each class. All rows are taken in, or none, and what is wrong is told by line."
        )


class ActualsFileForm(DatasetForm):
    """Actuals, whose columns may be called anything."""

    asks = (*DatasetForm.asks, q.settings())
    columns = ("association_column", "value_column", "acted_column", "time_column")

    association_column = forms.CharField(label="Column with the association id", max_length=500)
    value_column = forms.CharField(label="Column with the actual value", max_length=500)
    acted_column = forms.CharField(label="Column with whether it was acted on", max_length=500, required=False)
    time_column = forms.CharField(label="Column with the time of the actual", max_length=500, required=False)
    keep = forms.BooleanField(label="Keep actuals whose prediction has not come yet", required=False, initial=True)

    @classmethod
    def start(cls, case: Case) -> dict[str, Any]:
        told = case.shelf.payload(q.settings()).get("associationId") or {}
        names = told.get("columnNames") if isinstance(told, dict) else None
        first = str(names[0]) if isinstance(names, list) and names else "associationId"
        return {"association_column": first, "value_column": "actualValue", "keep": True}

    def body(self) -> dict[str, Any]:
        values = self.cleaned_data
        wanted = {
            "associationIdColumn": values["association_column"],
            "actualValueColumn": values["value_column"],
            "wasActedOnColumn": values["acted_column"],
            "timestampColumn": values["time_column"],
        }
        return super().body() | filled(wanted) | {"keepActualsWithoutPredictions": values["keep"]}

    def sentence(self) -> str:
        return "An actual that was sent before for the same id is replaced. All rows are taken in, or none."


class MetricFileForm(DatasetForm):
    """Values of a custom metric; columns that are left empty are as the metric says."""

    asks = (*DatasetForm.asks, q.challengers())
    columns = ("value_column", "count_column", "time_column", "batch_column", "association_column")

    model = forms.ChoiceField(label="Of which model")
    value_column = forms.CharField(label="Column with the value", max_length=300, required=False)
    count_column = forms.CharField(label="Column with the number of samples", max_length=300, required=False)
    time_column = forms.CharField(label="Column with the time", max_length=300, required=False)
    time_format = forms.CharField(
        label="Format of the time", max_length=100, required=False, help_text="As strptime reads it; empty: RFC 3339."
    )
    batch_column = forms.CharField(label="Column with the batch", max_length=300, required=False)
    association_column = forms.CharField(label="Column with the association id", max_length=300, required=False)

    @classmethod
    def start(cls, case: Case) -> dict[str, Any]:
        def named(place: str) -> str:
            found = case.thing.get(place)
            return str(found.get("columnName") or "") if isinstance(found, dict) else ""

        time = case.thing.get("timestamp")
        return {
            "value_column": named("value"),
            "count_column": named("sampleCount"),
            "time_column": named("timestamp"),
            "time_format": str(time.get("timeFormat") or "") if isinstance(time, dict) else "",
            "batch_column": named("batch"),
        }

    def prepare(self) -> None:
        super().prepare()
        self.fields["model"].choices = self.case.models()  # type: ignore[attr-defined]
        if self.case.thing.get("isModelSpecific") is False:
            del self.fields["model"]
        if not self.case.watched.batch_monitoring:
            del self.fields["batch_column"]

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        if values.get("time_format") and not values.get("time_column"):
            self.add_error("time_column", "A format needs its column.")
        return values

    def body(self) -> dict[str, Any]:
        values = self.cleaned_data
        places = {
            "value": values["value_column"],
            "sampleCount": values["count_column"],
            "timestamp": values["time_column"],
            "batch": values.get("batch_column"),
            "associationId": values["association_column"],
        }
        wanted: dict[str, Any] = {place: {"columnName": name} for place, name in places.items() if name}
        if "timestamp" in wanted and values["time_format"]:
            wanted["timestamp"]["timeFormat"] = values["time_format"]
        return super().body() | wanted | filled({"modelId": values.get("model")})

    def sentence(self) -> str:
        return "Values are added to those that are there: the same value sent again counts again."


def _column_names(columns: Any) -> Iterator[str]:
    for one in columns if isinstance(columns, list) else ():
        if isinstance(one, dict) and isinstance(one.get("name"), str):
            yield one["name"]
