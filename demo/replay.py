"""Flights of a span, scored request by request, as the tables that the service takes in.

Each request is really answered by the model (`Scorer.answer`): its predictions, its refusals and
the milliseconds it took are what is sent. Times are moved by the span's shift; the ids of two
rounds of the same week differ because they carry the moved time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl
from threadpoolctl import threadpool_limits

from demo.clock import Span, spans
from demo.outcomes import known_at, labels
from demo.scoring import OK, Reply, Scorer
from demo.story import MIDNIGHT, Recipe, Story
from demo.training import ONE_THREAD, kept_columns, restricted

ASKED_AT = "asked_at"
PLANNER = "planning@example.org"
LONGEST_WAIT = timedelta(days=3)
"""No outcome is known later than this after its prediction (a desk waits 35 hours at most, the planners 58)."""


@dataclass(frozen=True)
class Replayed:
    """What one span of one champion gave: prediction rows and one event a request."""

    predictions: pl.DataFrame
    events: pl.DataFrame


@dataclass(frozen=True)
class Reigned:
    """The part of a span in which one champion served."""

    recipe: Recipe
    span: Span


def reigned(story: Story, span: Span) -> Iterator[Reigned]:
    """Split a span by the champions that served in it; nothing before the first one."""
    ends = [reign.since for reign in story.reigns[1:]]
    for reign, end in zip(story.reigns, [*ends, span.until], strict=True):
        since, until = max(span.since, reign.since), min(span.until, end)
        if since < until:
            yield Reigned(reign.recipe, Span(since, until, span.shift))


def asked(story: Story, flights: pl.DataFrame, span: Span) -> pl.DataFrame:
    """The story's flights that were asked about in the span, with `asked_at` and `association_id` moved."""
    moment = _asked_at(story)
    return (
        restricted(story.recipe, flights)
        .filter(moment >= span.since, moment < span.until)
        .with_columns((moment + span.shift).alias(ASKED_AT), _association_id(span.shift))
    )


def score(story: Story, scorer: Scorer, flights: pl.DataFrame) -> Replayed:
    """Answer the requests behind `flights` (of `asked`), in the order of time."""
    requests = flights.sort(ASKED_AT, "origin").partition_by(_request_key(story), maintain_order=True)
    with threadpool_limits(ONE_THREAD):
        replies = [(rows, scorer.answer(*scorer.request(rows))) for rows in requests]
    answered = [_prediction_rows(story, scorer, rows, reply) for rows, reply in replies if reply.status == OK]
    events = [_event(story, rows, reply) for rows, reply in replies]
    return Replayed(
        pl.concat(answered) if answered else pl.DataFrame(),
        pl.DataFrame(events, schema=EVENT_COLUMNS, orient="row"),
    )


def outcomes(story: Story, flights: pl.DataFrame, span: Span, until: datetime) -> pl.DataFrame:
    """The actuals of the flights asked about in the span, as far as they are known before `until`."""
    rows = asked(story, flights, span).with_columns(_known_at(story, span.shift))
    return _actuals(story, rows.filter(pl.col("timestamp") < until))


def arrived(story: Story, flights: pl.DataFrame, since: datetime, until: datetime, shift: timedelta) -> pl.DataFrame:
    """The actuals that became known in `[since, until)` of real time; `shift` is the first round's."""
    parts = []
    for span in spans(since - LONGEST_WAIT, until, shift):
        served = Span(max(span.since, story.since), span.until, span.shift)
        rows = asked(story, flights, served).with_columns(_known_at(story, span.shift))
        parts.append(_actuals(story, rows.filter(pl.col("timestamp") >= since, pl.col("timestamp") < until)))
    return pl.concat(parts)


EVENT_COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    "timestamp": pl.Datetime("us", "UTC"),
    "num_predictions": pl.Int64,
    "response_time": pl.Float64,
    "execution_time": pl.Float64,
    "status_code": pl.Int64,
    "consumer": pl.String,
}


def _asked_at(story: Story) -> pl.Expr:
    """A desk asks once an hour; the planners ask at midnight for the day."""
    if not story.by_batch:
        return pl.col("predicted_at")
    return (pl.col("scheduled") - MIDNIGHT).dt.truncate("1d") + MIDNIGHT


def _request_key(story: Story) -> list[str]:
    return [ASKED_AT] if story.by_batch else [ASKED_AT, "origin"]


def _association_id(shift: timedelta) -> pl.Expr:
    scheduled = (pl.col("scheduled") + shift).dt.strftime("%Y%m%dT%H%M-")
    return (scheduled + pl.col("flight_id")).alias("association_id")


def _known_at(story: Story, shift: timedelta) -> pl.Expr:
    return (known_at(story.recipe.outcome) + shift).alias("timestamp")


def _prediction_rows(story: Story, scorer: Scorer, rows: pl.DataFrame, reply: Reply) -> pl.DataFrame:
    assert reply.predicted is not None
    kept = rows.select(pl.col(ASKED_AT).alias("timestamp"), "association_id", *kept_columns(story, scorer.recipe))
    return kept.hstack(scorer.table(reply.predicted))


def _event(story: Story, rows: pl.DataFrame, reply: Reply) -> tuple[object, ...]:
    consumer = PLANNER if story.by_batch else f"{rows.item(0, 'origin').lower()}-desk@example.org"
    answered = rows.height if reply.status == OK else 0
    return rows.item(0, ASKED_AT), answered, reply.response_ms, reply.execution_ms, reply.status, consumer


def _actuals(story: Story, rows: pl.DataFrame) -> pl.DataFrame:
    """Columns `association_id`, `actual_value`, `timestamp`; flights without an outcome are left out."""
    value = labels(story.recipe.outcome).alias("actual_value")
    return rows.select("association_id", value, "timestamp").drop_nulls("actual_value").sort("timestamp")
