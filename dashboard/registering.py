"""The forms of a registration: files first, then what the columns are; and the lines of code that send predictions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings

from dashboard.examples import TOKEN, Example, curl
from dashboard.reader import Reader
from monitoring.models import Importance, Registration, Role, Source
from monitoring.registering import files as stored

FEATURE_KINDS = ("Numeric", "Categorical", "Text", "Date", "Geospatial")
TARGET_TYPES = (("Binary", "Yes or no"), ("Multiclass", "One of several classes"), ("Regression", "A number"))
IGNORED = "–"
MEGABYTE = 1024 * 1024


def sources_of(reader: Reader) -> list[Source]:
    """Where the person may register: the sources of teams that they manage, the built-in one first."""
    managed = [m.team_id for m in reader.memberships if Role(m.role).may_change]
    return list(Source.objects.filter(team__in=managed, enabled=True).order_by("-built_in", "name"))


class FilesForm(forms.Form):
    """Where to, under which name, and the files."""

    source = forms.ModelChoiceField(Source.objects.none(), empty_label=None)
    name = forms.CharField(max_length=300, widget=forms.TextInput({"placeholder": "Late flights"}))
    training = forms.FileField(label="Training data", widget=forms.FileInput({"accept": ".csv,.ndjson,.parquet"}))
    holdout = forms.FileField(
        required=False, label="Holdout with predictions", widget=forms.FileInput({"accept": ".csv,.ndjson,.parquet"})
    )
    artifact = forms.FileField(required=False, label="ONNX model", widget=forms.FileInput({"accept": ".onnx"}))

    def __init__(self, reader: Reader, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = sources_of(reader)
        field = self.fields["source"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Source.objects.filter(pk__in=[one.pk for one in known]).order_by("-built_in", "name")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for role in stored.ROLES:
            most = settings.MAX_ARTIFACT_BYTES if role == "artifact" else settings.MAX_FILE_BYTES
            upload = cleaned.get(role)
            if upload is not None and upload.size > most:
                self.add_error(role, f"{upload.name} has {upload.size // MEGABYTE} MiB; at most {most // MEGABYTE}.")
        return cleaned


@dataclass(frozen=True)
class Column:
    """A column of the training data as a row of the form."""

    number: int
    name: str
    kind: str
    use: bool
    segment: bool
    impact: str
    examples: str
    note: str
    error: str = ""


def guessed(row: Registration) -> dict[str, Any]:
    """The description to start from: what the columns look like."""
    target, kind = stored.guessed_target(row.columns)
    chosen = next(one for one in row.columns if one["name"] == target)
    features = [
        {"name": one["name"], "type": one["kind"]}
        for one in row.columns
        if one["name"] != target and not one["name"].lower().startswith("prediction") and not one["unique"]
    ]
    found: dict[str, Any] = {"name": target, "type": kind}
    if kind != "Regression":
        found["classNames"] = chosen["values"]
    return {"name": row.name, "target": found, "features": features, "segmentAttributes": [], "predictionColumns": {}}


def columns(row: Registration, spec: Mapping[str, Any]) -> list[Column]:
    """Every column with what was chosen for it and what the source said about it."""
    used = {one["name"]: (place, one) for place, one in enumerate(spec.get("features", []))}
    segments = spec.get("segmentAttributes", [])
    shown = []
    for number, one in enumerate(row.columns):
        place, feature = used.get(one["name"], (-1, {}))
        wrong = [text for where, text in row.errors.items() if where.startswith(f"features[{place}]") and place >= 0]
        if one["name"] in segments:
            mine = f"segmentAttributes[{segments.index(one['name'])}]"
            wrong += [text for where, text in row.errors.items() if where == mine]
        notes = [f"{one['distinct']:,} different"] + ([f"{one['missing']:,} missing"] if one["missing"] else [])
        impact = feature.get("featureImpact")
        shown.append(
            Column(
                number,
                one["name"],
                feature.get("type") or one["kind"],
                one["name"] in used,
                one["name"] in segments,
                "" if impact is None else f"{impact:g}",
                ", ".join(one["examples"]),
                ", ".join(notes),
                " ".join(wrong),
            )
        )
    return shown


def described(row: Registration, data: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """The description as the API takes it, from the form; and what is wrong in it, by place."""
    names = {one["name"]: one for one in row.columns}
    wrong: dict[str, str] = {}
    target = data.get("target", "")
    kind = data.get("target_type", "")
    if target not in names:
        wrong["target.name"] = "Choose a column of the training data."
    if kind not in dict(TARGET_TYPES):
        wrong["target.type"] = "Choose what the model predicts."
    features: list[dict[str, Any]] = []
    for number, one in enumerate(row.columns):
        if data.get(f"use_{number}") and one["name"] != target:
            features.append(_feature(one, number, data, len(features), wrong))
    if not features:
        wrong["features"] = "At least one feature is needed."
    spec: dict[str, Any] = {
        "name": row.name,
        "target": _target(kind, target, data, wrong),
        "features": features,
        "segmentAttributes": [one["name"] for n, one in enumerate(row.columns) if data.get(f"segment_{n}")],
        "predictionColumns": _predictions(data, wrong),
    }
    return spec, wrong


def _feature(
    one: Mapping[str, Any], number: int, data: Mapping[str, str], place: int, wrong: dict[str, str]
) -> dict[str, Any]:
    kind = data.get(f"kind_{number}", "")
    feature: dict[str, Any] = {"name": one["name"], "type": kind if kind in FEATURE_KINDS else one["kind"]}
    if text := data.get(f"impact_{number}", "").strip().replace(",", "."):
        try:
            impact = float(text)
        except ValueError:
            impact = -1.0
        if not 0 <= impact <= 1:
            wrong[f"features[{place}].featureImpact"] = "Importance is a number from 0 to 1."
        else:
            feature["featureImpact"] = impact
    return feature


def _target(kind: str, name: str, data: Mapping[str, str], wrong: dict[str, str]) -> dict[str, Any]:
    target: dict[str, Any] = {"name": name, "type": kind}
    if kind == "Regression":
        return target
    classes = [word.strip() for word in data.get("classes", "").split(",") if word.strip()]
    if classes:
        target["classNames"] = classes
    if kind == "Binary" and (positive := data.get("positive", "").strip()):
        target["positiveClass"] = positive
    if text := data.get("threshold", "").strip():
        try:
            target["predictionThreshold"] = float(text)
        except ValueError:
            wrong["target.predictionThreshold"] = "The threshold is a number from 0 to 1."
    return target


def _predictions(data: Mapping[str, str], wrong: dict[str, str]) -> dict[str, str]:
    """`prediction_yes = p_yes`, one a line: which column of the holdout has which prediction."""
    found: dict[str, str] = {}
    for number, line in enumerate(data.get("predictions", "").splitlines(), start=1):
        if not line.strip():
            continue
        left, sign, right = line.partition("=")
        if not sign or not left.strip() or not right.strip():
            wrong["predictionColumns"] = f"Line {number}: write name = column."
        found[left.strip()] = right.strip()
    return found


def elsewhere(row: Registration) -> list[str]:
    """What the source said that belongs to no column."""
    own = ("features[", "segmentAttributes[")
    found = [f"{where}: {text}" for where, text in row.errors.items() if not where.startswith(own)]
    shown = {one.error for one in columns(row, row.spec)}
    found += [
        f"{where}: {text}"
        for where, text in row.errors.items()
        if where.startswith(own) and not any(text in error for error in shown)
    ]
    return found


def body_of(row: Registration) -> dict[str, Any]:
    """A first request for this model: two rows of its own features."""
    target = row.spec["target"]
    kinds = {one["name"]: one for one in row.columns}
    features = []
    for feature in row.spec["features"][:6]:
        examples = kinds.get(feature["name"], {}).get("examples") or [""]
        values: list[Any] = [examples[0], examples[-1]]
        if feature["type"] == "Numeric":
            values = [float(value) for value in values if value] or [0.0]
            values = [values[0], values[-1]]
        features.append({"name": feature["name"], "values": values})
    classes = max(2, len(row.results.get("package", {}).get("target", {}).get("classNames", [])))
    share = [round(1 / classes, 4)] * classes
    predictions: list[Any] = [0.0, 1.0] if target["type"] == "Regression" else [share, share]
    return {"data": [{"associationIds": ["first", "second"], "predictions": predictions, "features": features}]}


def outcome_of(row: Registration) -> dict[str, Any]:
    """What came of the first of those two rows: its last class, or the number that was foretold for the other."""
    classes = row.results.get("package", {}).get("target", {}).get("classNames", [])
    return {"data": [{"associationId": "first", "actualValue": classes[-1] if classes else 1.0}]}


def lines(row: Registration, token: str = "") -> Sequence[Example]:
    """What sends predictions, with curl and with Python, and actuals; `token` as it is, or the name of a variable."""
    base = f"{row.source.base_url.rstrip('/')}/deployments/{row.results['deploymentId']}/"
    url = f"{base}predictionInputs/fromJSON/"
    body = body_of(row)
    shell = curl("POST", url, body).replace(TOKEN, token or TOKEN)
    named = f"os.environ[{json.dumps(TOKEN[1:])}]"
    python = (
        "import os\n\nimport httpx\n\n"
        f"rows = {json.dumps(body, ensure_ascii=False)}\n"
        f"token = {json.dumps(token) if token else named}\n"
        f'httpx.post({json.dumps(url)}, json=rows, headers={{"Authorization": f"Bearer {{token}}"}}).raise_for_status()'
    )
    truth = curl("POST", f"{base}actuals/fromJSON/", outcome_of(row)).replace(TOKEN, token or TOKEN)
    note = "The token stands in it: keep it secret." if token else f"{TOKEN} is a token that may write."
    later = "Once it is known what came of a row, by its association id: accuracy follows. A later value corrects it."
    return (
        Example("send-curl", "Send predictions with curl", shell, note),
        Example("send-python", "Send predictions with Python", python, note),
        Example("send-actuals", "Then send actuals", truth, f"{later} {note}"),
    )


def importances() -> list[tuple[str, str]]:
    """How much the deployment matters, most first."""
    return list(Importance.choices)
