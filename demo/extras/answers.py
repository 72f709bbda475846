"""A deployment that generates text: four weeks of questions about Python, answered by retrieval.

The model was registered with questions about every other topic. Three weeks ask about those topics, each question
twice; in the last week the others are asked about too, so prompts and responses drift for a reason. What stands beside
a row is measured on it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from demo.client import Refused
from demo.models import Replay
from demo.questions import Answerer, Question, overlap, passages, questions, shuffled
from demo.sending import CONFLICT, Sender
from deployments.models import Deployment

LABEL = "Questions about Python"
PACKAGE = "Nearest passage of Python's reference"
TARGET, PROMPT = "answer", "question"
WEEKS = 4
TRAINING, HOLDOUT = 400, 200
LAST_OLD, LAST_NEW = 80, 200
"""Questions of the last week about topics that are known, and about new ones."""
RIGHT, OTHER = "right topic", "another topic"
METRICS: tuple[tuple[str, dict[str, object]], ...] = (
    ("overlap", {"name": "Overlap with the wanted answer", "type": "average", "directionality": "higherIsBetter"}),
    ("similarity", {"name": "Similarity to the question", "type": "average", "directionality": "higherIsBetter"}),
    (
        "milliseconds",
        {"name": "Time to answer", "type": "average", "directionality": "lowerIsBetter", "units": "ms"},
    ),
    ("topic", {"name": "Topic of the answer", "type": "categorical", "categories": [RIGHT, OTHER]}),
)


def add(sender: Sender) -> None:
    """Register, deploy and load what is missing."""
    client = sender.client
    replay = Replay.objects.get()
    found = next((row for row in client.all("deployments/") if row["label"] == LABEL), None)
    if found is not None and found["predictionUsage"]["lastTimestamp"] is not None and _complete(sender, found["id"]):
        return
    answerer = Answerer(passages())
    old, new = _halves(questions(answerer.known))
    deployment_id = _deployed(sender, answerer, old) if found is None else str(found["id"])
    _backdate(deployment_id, replay.horizon - timedelta(weeks=WEEKS))
    rows = _rows(answerer, old, new, replay.horizon)
    _send(sender, f"deployments/{deployment_id}/", rows, replay.horizon)


def _complete(sender: Sender, deployment_id: str) -> bool:
    """Whether the last thing that is sent, the values of the last metric, is there."""
    since = Replay.objects.get().horizon - timedelta(weeks=WEEKS + 1)
    start = since.strftime("%Y-%m-%dT%H:00:00Z")
    known = sender.client.get(f"deployments/{deployment_id}/customMetricsSummary/", start=start)["metrics"]
    return len(known) == len(METRICS) and all(metric["sampleCount"] for metric in known)


def _halves(asked: Sequence[Question]) -> tuple[list[Question], list[Question]]:
    """The questions about every other topic, and the rest; shuffled."""
    first = set(sorted({one.wanted.topic for one in asked})[::2])
    known = [one for one in asked if one.wanted.topic in first]
    return shuffled(known), shuffled([one for one in asked if one.wanted.topic not in first])


def _deployed(sender: Sender, answerer: Answerer, old: Sequence[Question]) -> str:
    """Register with the first questions, and hold out the answers to the next ones."""
    training = pl.DataFrame({PROMPT: [one.text for one in old[:TRAINING]]})
    held = old[TRAINING : TRAINING + HOLDOUT]
    holdout = pl.DataFrame(
        {"prediction": [answerer.answer(one.text).text for one in held], TARGET: [one.wanted.text for one in held]}
    )
    client = sender.client
    ids = {
        kind: client.upload("datasets/fromFile/", table, name=f"{PACKAGE}, {kind}.parquet")["id"]
        for kind, table in (("training", training), ("holdout", holdout))
    }
    package = client.send(
        "POST",
        "modelPackages/",
        {
            "name": PACKAGE,
            "description": "TF-IDF over the paragraphs of pydoc_data.topics; answers with the nearest one.",
            "target": {"name": TARGET, "type": "TextGeneration", "promptColumn": PROMPT},
            "features": [{"name": PROMPT, "type": "Text", "featureImpact": 1.0}],
            "trainingDatasetId": ids["training"],
            "holdoutDatasetId": ids["holdout"],
        },
    )
    made = client.send(
        "POST",
        "deployments/fromModelPackage/",
        {
            "modelPackageId": package["id"],
            "label": LABEL,
            "description": "Answers questions with the nearest paragraph of Python's own reference.",
            "importance": "MODERATE",
        },
    )
    own = {"associationId": {"columnNames": ["association_id"], "requiredInPredictionRequests": False}}
    client.send("PATCH", f"deployments/{made['id']}/settings/", own)
    return str(made["id"])


def _backdate(deployment_id: str, since: datetime) -> None:
    """Let the model have served since the first question. No route does this."""
    deployment = Deployment.objects.get(public_id=deployment_id)
    deployment.models.update(started_at=since)
    deployment.reigns.update(started_at=since)


def _rows(answerer: Answerer, old: Sequence[Question], new: Sequence[Question], horizon: datetime) -> pl.DataFrame:
    """Every question with its answer and what was measured, evenly spread over its weeks up to the horizon."""
    rest = old[TRAINING + HOLDOUT :]
    usual = [*rest[:-LAST_OLD], *rest[:-LAST_OLD]]
    last = shuffled([*rest[-LAST_OLD:], *new[:LAST_NEW]])
    turn = horizon - timedelta(weeks=1)
    times = [*_spread(turn - timedelta(weeks=WEEKS - 1), turn, len(usual)), *_spread(turn, horizon, len(last))]
    rows = [
        _row(answerer, question, at, place)
        for place, (question, at) in enumerate(zip([*usual, *last], times, strict=True))
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def _spread(since: datetime, until: datetime, count: int) -> list[datetime]:
    return [since + place * (until - since) / count for place in range(count)]


def _row(answerer: Answerer, question: Question, at: datetime, place: int) -> dict[str, Any]:
    answer = answerer.answer(question.text)
    return {
        "timestamp": at,
        "association_id": f"question-{place:05}",
        "prompt": question.text,
        "prediction": answer.text,
        "contexts": [{"context": one.text, "link": one.link} for one in answer.passages],
        "actual_value": question.wanted.text,
        "overlap": overlap(answer.text, question.wanted.text),
        "similarity": answer.similarity,
        "milliseconds": answer.milliseconds,
        "topic": RIGHT if answer.passages[0].topic == question.wanted.topic else OTHER,
    }


def _send(sender: Sender, base: str, rows: pl.DataFrame, horizon: datetime) -> None:
    """Predictions with their service events, actuals, and the values of the metrics, each once."""
    client = sender.client
    sent = rows.select("timestamp", "association_id", "prompt", "prediction", "contexts").with_columns(
        response_time=rows["milliseconds"], execution_time=rows["milliseconds"], consumer=pl.lit("help@example.org")
    )
    answered = rows.filter(pl.col("timestamp") < horizon - timedelta(days=1))
    for path, table in (
        ("predictionInputs/fromFile/", sent),
        ("actuals/fromFile/", answered.select("association_id", "actual_value")),
    ):
        once(lambda path=path, table=table: client.upload(base + path, table, requestId=f"demo-{path}"))
    known = {row["name"]: row["id"] for row in client.all(f"{base}customMetrics/")}
    names = ["timestamp", "association_id", *(column for column, _ in METRICS)]
    dataset = client.upload("datasets/fromFile/", rows.select(names), name=f"{LABEL}, measured.parquet")["id"]
    for column, fields in METRICS:
        name = str(fields["name"])
        metric = known.get(name) or client.send("POST", f"{base}customMetrics/", fields)["id"]
        body = {
            "datasetId": dataset,
            "value": {"columnName": column},
            "associationId": {"columnName": "association_id"},
            "requestId": f"demo-{column}",
        }
        once(lambda metric=metric, body=body: client.send("POST", f"{base}customMetrics/{metric}/fromDataset/", body))


def once(send: Any) -> None:
    """Send; what was accepted before, with other bytes, is accepted."""
    try:
        send()
    except Refused as refusal:
        if refusal.status != CONFLICT:
            raise
