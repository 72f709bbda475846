"""What happened to a flight, as each model's target, and when it was known."""

import polars as pl

from demo.story import CANCELLED, EARLY, LATE, NO, ON_TIME, YES, Outcome

TOLERANCE = 15
"""Minutes: the U.S. Department of Transportation calls a flight late beyond them."""


def labels(outcome: Outcome) -> pl.Expr:
    """The outcome of each flight: a class name or minutes; null where the flight has none.

    A cancelled flight has neither delay nor air time, a diverted one no arrival at its destination.
    """
    return LABELS[outcome]


def known_at(outcome: Outcome) -> pl.Expr:
    """When the outcome was known: at departure, at arrival, or for a cancelled flight when it should have arrived."""
    if outcome in (Outcome.LATE_DEPARTURE, Outcome.CANCELLED):
        return pl.coalesce("departed", "known_at")
    return pl.col("known_at")


def _yes_or_no(condition: pl.Expr) -> pl.Expr:
    return pl.when(condition).then(pl.lit(YES)).when(~condition).then(pl.lit(NO))


def _arrival() -> pl.Expr:
    delay = pl.col("arr_delay")
    return (
        pl.when("cancelled")
        .then(pl.lit(CANCELLED))
        .when(delay > TOLERANCE)
        .then(pl.lit(LATE))
        .when(delay <= -TOLERANCE)
        .then(pl.lit(EARLY))
        .when(delay.is_not_null())
        .then(pl.lit(ON_TIME))
    )


LABELS = {
    Outcome.LATE_ARRIVAL: _yes_or_no(pl.col("arr_delay") > TOLERANCE),
    Outcome.LATE_DEPARTURE: _yes_or_no(pl.col("dep_delay") > TOLERANCE),
    Outcome.CANCELLED: _yes_or_no(pl.col("cancelled")),
    Outcome.ARRIVAL: _arrival(),
    Outcome.ARRIVAL_DELAY: pl.col("arr_delay").cast(pl.Float64),
    Outcome.AIR_TIME: pl.col("air_time").cast(pl.Float64),
}
