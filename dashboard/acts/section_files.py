"""Exports at a source, and their files: which of them a person may have through a page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from dashboard.acts.buttons import Button
from dashboard.acts.case import Case, entries
from dashboard.acts.section import OLD, Line, Section, buttons
from dashboard.shelf import Shelf
from monitoring import questions as q
from monitoring.clock import parse_time
from monitoring.models import CommandKind as C
from monitoring.poll.areas import IDENTIFIER
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
#: What can be had of a model's scoring code: word of the button, query, name ("": as the source calls it).
SCORING = {
    "program": ("Download", "", ""),
    "sources": ("Download the sources", "?sourceCode=true", ""),
    "reporting": ("Download the one that reports", "?includeAgent=true", ""),
}
KINDS = frozenset({*LISTS, "reports", "scoring"})


def is_plain(identifier: object) -> bool:
    """Whether it may stand in an address: a source may call its things anything."""
    return isinstance(identifier, str) and IDENTIFIER.fullmatch(identifier) is not None


def files_of(entry: dict[str, Any]) -> dict[str, str]:
    """The files of an export: id -> name, perhaps "". Training data has one file, the others a list."""
    data = entry.get("data")
    rows = data if isinstance(data, list) else [data]
    found = [row for row in rows if isinstance(row, dict) and is_plain(row.get("id"))]
    return {row["id"]: row["name"] if isinstance(row.get("name"), str) else "" for row in found}


@dataclass(frozen=True)
class Found:
    """A file that may be had: its path below the API's address, and its name, perhaps "" to take the source's word."""

    path: str
    name: str


def find(shelf: Shelf, kind: str, file_id: str) -> Found | None:
    """A file of this deployment; None for one that no list of it tells of, so that nothing else can be had."""
    if kind == "scoring":
        return _archive(shelf, file_id)
    shelf.read([q.scheduled_reports() if kind == "reports" else LISTS[kind]], again=OLD)
    if kind == "reports":
        return _page_of_report(shelf, file_id)
    for entry in entries(shelf, LISTS[kind]):
        files = files_of(entry)
        if file_id in files:
            return Found(f"datasets/{file_id}/file/", files[file_id])
    return None


def _page_of_report(shelf: Shelf, file_id: str) -> Found | None:
    mine = reports_of(shelf)
    shelf.read([q.report_runs(one["id"]) for one in mine], again=OLD)
    for report in mine:
        if any(run.get("datasetId") == file_id for run in shelf.entries(q.report_runs(report["id"]))):
            return Found(f"datasets/{file_id}/file/", "")
    return None


def _archive(shelf: Shelf, key: str) -> Found | None:
    if key not in SCORING:
        return None
    return Found(f"deployments/{shelf.watched.remote_id}/scoringCode/{SCORING[key][1]}", SCORING[key][2])


def reports_of(shelf: Shelf) -> list[dict[str, Any]]:
    """The reports about this deployment, as far as they are shown."""
    remote = shelf.watched.remote_id
    rows = entries(shelf, q.scheduled_reports())
    mine = (one for one in rows if isinstance(one.get("deploymentIds"), list) and remote in one["deploymentIds"])
    return [one for one in mine if is_plain(one["id"])][:SHOWN]


def may_download(case: Case) -> bool:
    """Whether this person may have files of the source."""
    return case.role is not None and case.role.may_change


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
    if not may_download(case):
        return ()
    word = "Download" if len(files) < 2 else "Download {}"
    return tuple(
        Button(word.format(name or file_id), reverse("download", args=[case.watched.pk, kind, file_id]))
        for file_id, name in files.items()
    )
