"""What went wrong at sources in the last day, and which deployments their tokens may not read in full."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max, Q

from monitoring.models import PollRun, Source, Topic, TopicState

RECENT = timedelta(hours=24)
MOST = 4
"""Kinds of errors that are listed; the rest are counted."""
NOT_ALLOWED = "403"
"""A refusal's text begins with its HTTP status."""


@dataclass(frozen=True)
class Error:
    """One kind of error: how often in the last day, and when last."""

    text: str
    times: int
    last: datetime


@dataclass(frozen=True)
class Trouble:
    """Errors of a source, most frequent first; deployments with refused (403), failed and unreadable questions."""

    errors: tuple[Error, ...] = ()
    more: int = 0
    not_allowed: int = 0
    failing: int = 0


def trouble_of(sources: Sequence[int], now: datetime) -> dict[int, Trouble]:
    """Two queries however many sources there are; a source without trouble has none."""
    errors: dict[int, list[Error]] = defaultdict(list)
    runs = PollRun.objects.filter(source__in=sources, started_at__gte=now - RECENT).exclude(problem="")
    counted = runs.values_list("source", "problem").annotate(n=Count("pk"), last=Max("started_at")).order_by("-n")
    for source, text, times, last in counted:
        errors[source].append(Error(text, times, last))
    bad = Topic.objects.filter(watched__source__in=sources, watched__gone_at=None).exclude(
        state__in=[TopicState.OK, TopicState.NEW]
    )
    refused = Q(state=TopicState.REFUSED, problem__startswith=NOT_ALLOWED)
    failed = Q(state__in=[TopicState.FAILED, TopicState.MALFORMED])
    counts = {
        source: (not_allowed, failing)
        for source, not_allowed, failing in bad.values_list("watched__source")
        .annotate(
            a=Count("watched", filter=refused, distinct=True),
            b=Count("watched", filter=failed, distinct=True),
        )
        .order_by()
    }
    return {
        pk: Trouble(tuple(errors[pk][:MOST]), max(0, len(errors[pk]) - MOST), *counts.get(pk, (0, 0)))
        for pk in {*errors, *counts}
    }


def what_goes(source: Source) -> dict[str, int]:
    """What is lost with a source."""
    return {
        "deployments": source.watched.count(),
        "incidents": source.incidents.count(),
        "commands": source.commands.count(),
    }
