"""What a source tells of models, challengers, retraining and jobs, beside the flights; for tests of those tabs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from monitoring.models import Topic, TopicState
from tests.dashboard import flights

Json = dict[str, Any]
POLICY = "5" * 24


def run(n: int, at: datetime, **fields: Any) -> Json:
    """A run of retraining that took a minute."""
    return {
        "id": f"{n:024d}",
        "status": "succeeded",
        "startTime": stamp(at),
        "finishTime": stamp(at + timedelta(minutes=1)),
        "errorMessage": None,
        "modelPackageId": "7" * 24,
        "registeredModelId": None,
        "challengerId": None,
        "cause": "schedule",
        **fields,
    }


def policy(*runs: Json, **fields: Any) -> Json:
    """A policy that trains every Monday."""
    week = {"minute": [0], "hour": [3], "dayOfMonth": ["*"], "month": ["*"], "dayOfWeek": [1]}
    return {
        "id": POLICY,
        "name": "Every Monday",
        "description": "",
        "action": "create_challenger",
        "trigger": {"type": "schedule", "schedule": week},
        "latestRun": runs[0] if runs else None,
        **fields,
    }


def stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def page(rows: list[Json]) -> Json:
    return {"count": len(rows), "data": rows, "next": None, "previous": None, "totalCount": len(rows)}


@contextmanager
def answering(**answers: Json | Callable[..., Json]) -> Iterator[None]:
    """The source also answers these paths: `modelHistory` stands for `modelHistory/`, `__` for a slash."""
    Topic.objects.filter(state=TopicState.REFUSED).delete()  # what was refused is looked for again a day later
    added = {f"{name.replace('__', '/')}/": answer for name, answer in answers.items()}
    before = {name: flights.HANDLERS.get(name) for name in added}
    try:
        for name, answer in added.items():
            flights.HANDLERS[name] = answer if callable(answer) else _always(answer)
        yield
    finally:
        for name, handler in before.items():
            if handler is None:
                del flights.HANDLERS[name]
            else:
                flights.HANDLERS[name] = handler


def _always(answer: Json) -> Callable[..., Json]:
    return lambda source, one, asked: answer
