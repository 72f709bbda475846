"""Jobs of deployments as pages tell them: what is at work, for whom, how far, and what came out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urljoin

from dashboard.charts import words
from dashboard.reader import Reader
from monitoring import questions as q
from monitoring.clock import parse_time
from monitoring.models import Topic, TopicState, Watched
from monitoring.snapshots import read_many

KINDS = {
    "actuals": "Matching of actuals",
    "actuals.fromDataset": "Actuals from a dataset",
    "actualsDataExport": "Export of actuals",
    "challengerCreation": "New challenger",
    "challengerPredictions": "Replay of challengers",
    "challengerRemoval": "Removal of a challenger",
    "customMetricJob": "Custom metric job",
    "customMetricValues": "Values of a custom metric",
    "deployment.create": "New deployment",
    "deployment.erase": "Erasure of deployments",
    "healthReport": "Health report",
    "modelReplacement": "Model replacement",
    "monitoringDataDeletion": "Deletion of monitoring data",
    "predictionDataExport": "Export of predictions",
    "predictionInputs.fromDataset": "Predictions from a dataset",
    "retraining": "Retraining run",
    "scoringCodeBuild": "Build of scoring code",
    "settings": "Settings",
    "status": "Status",
    "trainingDataExport": "Export of training data",
}
"""What our service calls its jobs, in words; another kind is told as it is written."""

OPEN = frozenset({"INITIALIZED", "RUNNING"})
STATES = {
    "INITIALIZED": ("Waiting", ""),
    "RUNNING": ("Running", ""),
    "COMPLETED": ("Done", "passing"),
    "ERROR": ("Failed", "failing"),
    "ABORTED": ("Cancelled", "unavailable"),
    "EXPIRED": ("Expired", "unavailable"),
}
CHOICES = (("", "All"), ("open", "At work"), ("failed", "Failed"), ("others", "Without matching"))
"""Which jobs a list shows; matching of actuals is done hour by hour and would hide the rest."""
MATCHING = KINDS["actuals"]
MOST_DEPLOYMENTS = 300
MOST_JOBS = 200


@dataclass(frozen=True)
class JobLine:
    """One job on a list. `percent`: of one that is at work; `result`: an address at the source."""

    id: str
    kind: str
    state: str
    word: str
    status: str
    percent: int | None
    message: str
    by: str
    created: datetime | None
    finished: datetime | None
    result: str
    watched: Watched

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    def fits(self, choice: str) -> bool:
        """Whether a list of one of CHOICES shows it."""
        if choice == "open":
            return self.is_open
        return self.state == "ERROR" if choice == "failed" else choice != "others" or self.kind != MATCHING

    @property
    def lasted(self) -> timedelta | None:
        return self.finished - self.created if self.finished and self.created else None


def line(row: Mapping[str, Any], watched: Watched) -> JobLine:
    """A job as the source lists it."""
    state = str(row.get("state") or "")
    word, status = STATES.get(state, (state.capitalize() or "Unknown", ""))
    if state in OPEN and row.get("isCancelAsked") is True:
        word = "Being cancelled"
    progress, by = row.get("progress"), row.get("createdBy")
    kind = str(row.get("kind") or "job")
    share = progress if isinstance(progress, int | float) and state in OPEN else None
    return JobLine(
        id=str(row.get("id") or ""),
        kind=KINDS.get(kind, kind),
        state=state,
        word=word,
        status=status,
        percent=None if share is None else round(100 * min(1.0, max(0.0, share))),
        message=words.shortened(str(row.get("error") or row.get("message") or ""), 300),
        by=str(by.get("name") or by.get("id") or "") if isinstance(by, dict) else "",
        created=parse_time(row.get("createdAt")),
        finished=parse_time(row.get("finishedAt")),
        result=result_of(row.get("result"), watched),
        watched=watched,
    )


def result_of(path: Any, watched: Watched) -> str:
    """Where the result is asked for: below the source's own address, never at another host."""
    if not isinstance(path, str) or not path.startswith("/") or path.startswith(("//", "/\\")):
        return ""
    return urljoin(watched.source.base_url, path)


def lines(payload: Mapping[str, Any], watched: Watched) -> list[JobLine]:
    """The jobs of an answer, those at work first, then the newest."""
    listed = payload.get("data")
    rows = [line(row, watched) for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
    return ordered(rows)


def ordered(rows: Iterable[JobLine]) -> list[JobLine]:
    """Those at work first, then by when they were asked for, newest first."""
    return sorted(rows, key=lambda row: (not row.is_open, -(row.created.timestamp() if row.created else 0.0)))


@dataclass(frozen=True)
class Fleet:
    """Jobs of many deployments: of how many the source told them, and of how many it has no such list."""

    jobs: list[JobLine]
    told: int
    refused: int
    total: int


def of_fleet(reader: Reader, state: str, now: datetime) -> Fleet:
    """The jobs of every deployment that the reader may see, from what is stored: five statements.

    `state`: one of CHOICES.
    """
    key = q.jobs().key
    topics = Topic.objects.filter(key=key, watched__source__team__in=reader.team_ids, watched__gone_at__isnull=True)
    refused = topics.filter(state=TopicState.REFUSED).count()
    told = topics.filter(state=TopicState.OK).order_by("-checked_at").values_list("watched_id", flat=True)
    ids = list(told[:MOST_DEPLOYMENTS])
    rows = {row.pk: row for row in Watched.objects.filter(pk__in=ids).select_related("source")}
    known = read_many({pk: [q.jobs()] for pk in ids if pk in rows}, now=now) if ids else {}
    found = [one for pk, snapshot in known.items() for one in lines(snapshot.payload(q.jobs()), rows[pk])]
    shown = [one for one in found if one.fits(state)]
    return Fleet(ordered(shown)[:MOST_JOBS], len(rows), refused, len(found))
