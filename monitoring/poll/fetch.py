"""Carries out requests side by side and turns every way they can end into a named outcome."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from monitoring import conf
from monitoring.client import (
    AnswerError,
    DeploymentsClient,
    Malformed,
    Overloaded,
    Refused,
    SourceError,
    Unauthorised,
    normalise,
    problem_of,
)
from monitoring.models import TopicState
from monitoring.poll.plan import Ask


@dataclass(frozen=True, slots=True)
class Job:
    """One request about one watched deployment."""

    watched_id: int
    remote_id: str
    ask: Ask


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a request ended; `payload` only where `state` is OK."""

    watched_id: int
    ask: Ask
    state: TopicState
    payload: Any = None
    problem: str = ""


@dataclass(repr=False)  # asyncio shows results of finished tasks: this one is long
class Fetched:
    """All outcomes of a run. `trouble`: the source as a whole failed and the rest (`left_out`) was not sent."""

    outcomes: list[Outcome] = field(default_factory=list)
    trouble: SourceError | None = None
    left_out: int = 0
    failures_in_a_row: int = 0

    def count(self, *states: TopicState) -> int:
        """Outcomes in one of the states."""
        return sum(outcome.state in states for outcome in self.outcomes)

    @property
    def answered(self) -> set[int]:
        """Deployments of which at least one question was answered."""
        return {outcome.watched_id for outcome in self.outcomes if outcome.state is TopicState.OK}

    def extend(self, other: Fetched) -> None:
        """Adds what a second round brought."""
        self.outcomes += other.outcomes
        self.trouble = self.trouble or other.trouble
        self.left_out += other.left_out


async def fetch(client: DeploymentsClient, jobs: Sequence[Job], *, seconds: float) -> Fetched:
    """All jobs, as many at a time as the client allows, for at most `seconds`.

    One failing question does not stop the others; a source that fails several times in a row, refuses the token or
    asks to wait is left alone at once.
    """
    result = Fetched()
    deadline = time.monotonic() + seconds
    await asyncio.gather(*(_one(client, job, result, deadline) for job in jobs))
    return result


async def _one(client: DeploymentsClient, job: Job, result: Fetched, deadline: float) -> None:
    # The client bounds what is under way; looking again just before sending keeps the rest back after trouble.
    async with client.slot():
        if result.trouble is not None or time.monotonic() > deadline:
            result.left_out += 1
            return
        outcome = await _outcome(client, job, result)
    result.outcomes.append(outcome)


async def _outcome(client: DeploymentsClient, job: Job, result: Fetched) -> Outcome:
    ask = job.ask
    try:
        raw = await client.ask(job.remote_id, ask.path, ask.query, paged=ask.paged)
        payload = normalise(ask.path, raw)
        if problem := problem_of(ask.path, payload):
            raise Malformed(problem)
    except Refused as error:
        result.failures_in_a_row = 0
        return Outcome(job.watched_id, ask, TopicState.REFUSED, problem=_short(error))
    except AnswerError as error:
        result.failures_in_a_row = 0
        return Outcome(job.watched_id, ask, TopicState.MALFORMED, problem=_short(error))
    except SourceError as error:
        result.failures_in_a_row += 1
        told_to_wait = isinstance(error, Overloaded) and error.wait is not None
        if told_to_wait or isinstance(error, Unauthorised) or result.failures_in_a_row >= conf.BREAKER_FAILURES:
            result.trouble = result.trouble or error
        return Outcome(job.watched_id, ask, TopicState.FAILED, problem=_short(error))
    result.failures_in_a_row = 0
    return Outcome(job.watched_id, ask, TopicState.OK, payload)


def _short(error: Exception) -> str:
    return str(error)[:500]
