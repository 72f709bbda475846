"""Requests to copy: what to send to a source so that an empty page fills. Curl, one screen wide."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import Any

from monitoring.models import Watched

TOKEN = "$VITALS_TOKEN"  # noqa: S105 - the name of a variable
NOTE = f"{TOKEN} stands for an API token of the source that may write."
NOW = "2026-01-31T12:00:00Z"
"""A moment that is plainly an example; it is replaced by whoever sends."""
SCORES: dict[str, list[Any]] = {"Regression": [12.5, 9.0], "TextGeneration": ["An answer.", "Another."]}
"""Two predictions by type of the target; classes have probabilities in the model's order."""


@dataclass(frozen=True, slots=True)
class Example:
    """A request to copy. `key` is unique on the page and a valid id."""

    key: str
    label: str
    text: str
    note: str = NOTE


def curl(method: str, url: str, body: Any = None) -> str:
    """A request as a line of the shell; the token stays a variable."""
    lines = [f"curl -sSf -X {method} {shlex.quote(url)}", f'-H "Authorization: Bearer {TOKEN}"']
    if body is not None:
        lines += ["-H 'Content-Type: application/json'", f"-d {shlex.quote(json.dumps(body, ensure_ascii=False))}"]
    return " \\\n  ".join(lines)


def call(watched: Watched, method: str, path: str, label: str, body: Any = None) -> Example:
    """A request about one deployment. `path` as in the API below the deployment, for instance `actuals/fromJSON/`."""
    base = f"{watched.source.base_url.rstrip('/')}/deployments/{watched.remote_id}/"
    key = "request-" + "".join(letter if letter.isalnum() else "-" for letter in path).strip("-")
    return Example(key, label, curl(method, base + path, body))


def predictions(watched: Watched, *features: str) -> Example:
    """Rows that a model has just scored, with an id for each so that outcomes find them."""
    named = [{"name": name, "values": ["…", "…"]} for name in features or ("feature",)]
    rows: dict[str, Any] = {"timestamp": NOW, "associationIds": ["a", "b"]}
    rows |= {"predictions": SCORES.get(watched.target_type, [[0.9, 0.1], [0.2, 0.8]]), "features": named}
    return call(watched, "POST", "predictionInputs/fromJSON/", "Send predictions", {"data": [rows]})


def service_events(watched: Watched) -> Example:
    """Requests to the prediction server: how long they took and whether they failed."""
    row = {"timestamp": NOW, "numPredictions": 2, "executionTime": 12.5, "userError": False, "systemError": False}
    return call(watched, "POST", "predictionRequests/fromJSON/", "Send service events", {"data": [row]})


def actuals(watched: Watched) -> Example:
    """What became true, by the id of the prediction."""
    value: Any = 11.0 if watched.target_type == "Regression" else "yes"
    rows = [{"associationId": "a", "actualValue": value}]
    return call(watched, "POST", "actuals/fromJSON/", "Send actuals", {"data": rows})


def custom_values(watched: Watched, metric_id: str = "METRIC_ID") -> Example:
    """Values of a custom metric."""
    rows = [{"timestamp": NOW, "value": 50, "sampleSize": 3}]
    return call(watched, "POST", f"customMetrics/{metric_id}/fromJSON/", "Report values", {"buckets": rows})


def settings(watched: Watched, label: str, **changes: Any) -> Example:
    """A change of the settings of a deployment, in the spelling of the API."""
    return call(watched, "PATCH", "settings/", label, changes)
