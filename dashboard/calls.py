"""Requests to a source, written so that a reader can copy and run them: what an empty page asks to be sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dashboard.tabs.subject import Subject

TOKEN = "$API_TOKEN"  # noqa: S105 - the name of a variable that the reader sets


@dataclass(frozen=True)
class Call:
    """One request below the address of a deployment. `says`: what it does, above the request."""

    says: str
    method: str
    url: str
    body: Mapping[str, Any] | None = None

    @property
    def text(self) -> str:
        """The request for a shell; the token comes from the variable `API_TOKEN`."""
        lines = [f"curl -X {self.method} '{_quoted(self.url)}'", f'-H "Authorization: Bearer {TOKEN}"']
        if self.body is not None:
            lines += ["-H 'Content-Type: application/json'", f"-d '{_quoted(json.dumps(self.body, indent=2))}'"]
        return " \\\n  ".join(lines)


def call(subject: Subject, says: str, method: str, path: str, body: Mapping[str, Any] | None = None) -> Call:
    """A request about the deployment of a page; `path` as the reference has it below the deployment."""
    base = f"{subject.watched.source.base_url.rstrip('/')}/deployments/{subject.watched.remote_id}/{path}"
    return Call(says, method, base, body)


def _quoted(text: str) -> str:
    """Fit for single quotes of a shell."""
    return text.replace("'", "'\\''")
