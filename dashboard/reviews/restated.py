"""What later labels made of a number that a review has seen: the same hours, asked again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from dashboard.reader import Reader
from monitoring.clock import parse_time
from monitoring.models import Watched
from monitoring.reviews.figures import restated_question, restated_value
from monitoring.snapshots import read_many, want

#: Labels that come later than this are not waited for.
SETTLED = timedelta(days=60)
#: An answer is asked again once it is older than this.
OLD = timedelta(days=1)
#: Questions that one page puts into the queue at most.
MOST = 10


def restated(reader: Reader, kept: Mapping[Watched, Mapping[str, Any] | None], now: datetime) -> dict[int, float]:
    """The kept accuracies as they are known now, by deployment: three statements; what is missing is asked for."""
    asked = {row: question for row, figures in kept.items() if figures and (question := restated_question(figures))}
    if not asked:
        return {}
    known = read_many({row.pk: [question] for row, question in asked.items()}, now=now)
    found: dict[int, float] = {}
    wanted = 0
    for row, question in asked.items():
        figures = kept[row] or {}
        answer = known[row.pk].answer(question)
        value = restated_value(figures, answer.payload if answer is not None else {})
        if value is not None:
            found[row.pk] = value
        told_at = parse_time(figures.get("known_at")) or now
        fresh = answer is not None and (answer.age(now) < OLD or answer.checked_at - told_at > SETTLED)
        if not fresh and wanted < MOST and _may_ask(reader, row):
            wanted += want(row, question, reader.user, now)
    return found


def _may_ask(reader: Reader, row: Watched) -> bool:
    role = reader.role_in(row.source.team_id)
    return role is not None and role.may_act and row.source.enabled
