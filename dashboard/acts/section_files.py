"""Exports at a source, and their files: which of them a person may have through a page."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from dashboard.acts.buttons import Button
from dashboard.acts.case import Case, entries
from dashboard.acts.section import Line, Section, buttons
from dashboard.shelf import Shelf
from monitoring import questions as q
from monitoring.clock import parse_time
from monitoring.models import CommandKind as C
from monitoring.questions import Question

#: The lists that tell of files, by the word in the address of a download.
LISTS: dict[str, Question] = {
    "predictions": q.prediction_exports(),
    "actuals": q.actuals_exports(),
    "training": q.training_exports(),
}
WORDS = {"predictions": "Predictions", "actuals": "Actuals", "training": "Training data"}
CANCELS = {"predictions": C.CANCEL_PREDICTIONS, "actuals": C.CANCEL_ACTUALS}
DELETES = {"actuals": C.EXPORT_DELETE}
SHOWN = 10


def files_of(entry: dict[str, Any]) -> dict[str, str]:
    """The files of an export: id -> name, perhaps "". Training data has one file, the others a list."""
    data = entry.get("data")
    rows = data if isinstance(data, list) else [data]
    found = [row for row in rows if isinstance(row, dict) and isinstance(row.get("id"), str) and row["id"]]
    return {row["id"]: row["name"] if isinstance(row.get("name"), str) else "" for row in found}


def file_name(shelf: Shelf, kind: str, file_id: str) -> str | None:
    """What the file of an export of this deployment is called; None for one that its lists do not tell of."""
    for entry in entries(shelf, LISTS[kind]):
        files = files_of(entry)
        if file_id in files:
            return files[file_id]
    return None


def exported(case: Case) -> Section:
    """The exports of the deployment, each with its file."""
    lines = [
        _line(case, kind, one) for kind, question in LISTS.items() for one in entries(case.shelf, question)[:SHOWN]
    ]
    return Section(
        "exports",
        "Exports",
        text="Rows as files, made at the source. A file comes through this page, with the source's token.",
        lines=tuple(lines),
        buttons=buttons(case, C.EXPORT_PREDICTIONS, C.EXPORT_ACTUALS, C.EXPORT_TRAINING),
        empty="Nothing was exported yet.",
        known=any(case.shelf.payload(question) for question in LISTS.values()),
    )


def _line(case: Case, kind: str, one: dict[str, Any]) -> Line:
    period, status = one.get("period") or {}, str(one.get("status") or "SUCCEEDED")
    begin, end = parse_time(period.get("start")), parse_time(period.get("end"))
    span = f"{begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC" if begin and end else ""
    made = parse_time(one.get("createdAt"))
    error = (one.get("error") or {}).get("message", "")
    files = files_of(one)
    waits = status in {"CREATED", "SCHEDULED"}
    last = CANCELS.get(kind) if waits and kind in CANCELS else DELETES.get(kind)
    offered = (*_downloads(case, kind, files), *(buttons(case, last, thing=one) if last else ()))
    asked = f"asked {made:%Y-%m-%d %H:%M} UTC" if made else ""
    return Line(WORDS[kind], (span, asked, str(error), *files.values()), offered, tag=status.lower())


def _downloads(case: Case, kind: str, files: dict[str, str]) -> tuple[Button, ...]:
    """One button a file, for who may ask a source for anything."""
    if case.role is None or not case.role.may_change:
        return ()
    word = "Download" if len(files) < 2 else "Download {}"
    return tuple(
        Button(word.format(name or file_id), reverse("download", args=[case.watched.pk, kind, file_id]))
        for file_id, name in files.items()
    )
