"""What the three verdicts share: why there is nothing to judge, and words for windows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from metrics.health import Status, Verdict
from monitoring import client
from monitoring import questions as q
from monitoring.clock import parse_time
from monitoring.models import TopicState
from monitoring.questions import Question
from monitoring.snapshots import Snapshot

#: Marks a verdict that only waits for its question: a new batch, say, is asked about at the next poll.
UNASKED = "unasked"


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict with the one number that lists show for it."""

    verdict: Verdict
    metric: str = ""
    value: float | None = None


def not_answered(known: Snapshot, question: Question, what: str) -> Verdict | None:
    """Why there is nothing to judge; None where an answer is stored, however old: staleness is another mark."""
    if known.answer(question) is not None:
        return None
    topic = known.topics.get(question.key)
    state = TopicState(topic.state) if topic is not None else TopicState.NEW
    problem = f" ({topic.problem})" if topic is not None and topic.problem else ""
    if state is TopicState.REFUSED:
        return Verdict(Status.UNAVAILABLE, f"{what} is not available at the source{problem}.")
    if state is TopicState.NEW:
        return Verdict(Status.UNKNOWN, f"{what}: not asked for yet.", {UNASKED: True})
    return Verdict(Status.UNKNOWN, f"{what} could not be read from the source{problem}.")


def no_batches(known: Snapshot) -> Verdict:
    if known.answer(q.batches()) is None:
        return Verdict(Status.UNKNOWN, "The batches were not read yet.")
    return Verdict(Status.NOT_STARTED, "No batch yet.")


def batches_text(count: int) -> str:
    return "the last batch" if count == 1 else f"the last {count} batches"


def period_of(period: client.Period | None) -> tuple[datetime | None, datetime | None]:
    return (parse_time(period.start), parse_time(period.end)) if period is not None else (None, None)


def whole(number: float | None) -> int | None:
    return round(number) if number is not None else None
