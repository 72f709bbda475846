"""The scoring side answers requests as a model's server would: all of one, or an error with its blame."""

from datetime import date

import numpy as np
import orjson
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from demo.scoring import FAILED, OK, REFUSED, Scorer, UnknownLevel
from demo.story import Kind, Outcome, Recipe, Window
from demo.training import fit, labelled

WEEK = Window(date(2013, 5, 1), date(2013, 5, 8))
NEXT = Window(date(2013, 5, 8), date(2013, 5, 12))


def recipe(kind: Kind = Kind.TREES, outcome: Outcome = Outcome.LATE_ARRIVAL, *features: str) -> Recipe:
    chosen = features or ("carrier", "departure_hour", "wind_speed")
    return Recipe("of a week", outcome, chosen, WEEK, NEXT, kind)


@pytest.fixture(scope="module")
def trees(flights: pl.DataFrame) -> Scorer:
    return fit(recipe(), flights).scorer


@pytest.fixture(scope="module")
def linear(flights: pl.DataFrame) -> Scorer:
    return fit(recipe(Kind.LINEAR), flights).scorer


@pytest.fixture
def rows(flights: pl.DataFrame) -> pl.DataFrame:
    return labelled(recipe(), flights, NEXT).drop_nulls("wind_speed").head(15)


def test_a_request_gets_one_row_of_probabilities_a_flight(trees: Scorer, rows: pl.DataFrame) -> None:
    reply = trees.answer(*trees.request(rows))
    assert reply.status == OK
    assert reply.predicted is not None
    assert reply.predicted.shape == (15, 2)
    assert reply.predicted.sum(axis=1) == pytest.approx(np.ones(15))
    assert 0 < reply.execution_ms < reply.response_ms


def test_the_caller_sends_the_schedule_and_the_server_looks_up_the_weather(trees: Scorer, rows: pl.DataFrame) -> None:
    body, looked_up = trees.request(rows)
    assert set(orjson.loads(body)) == {"carrier", "departure_hour"}
    assert set(looked_up) == {"wind_speed"}


def test_one_request_or_many_give_the_same_predictions(trees: Scorer, rows: pl.DataFrame) -> None:
    together = trees.answer(*trees.request(rows)).predicted
    apart = [trees.answer(*trees.request(rows[i])).predicted for i in range(rows.height)]
    assert together is not None
    assert together == pytest.approx(np.vstack([part for part in apart if part is not None]))


def test_trees_take_unknown_and_missing_values(trees: Scorer, rows: pl.DataFrame) -> None:
    odd = rows.with_columns(pl.lit("ZZ").alias("carrier"), pl.lit(None, pl.Float64).alias("wind_speed"))
    assert trees.answer(*trees.request(odd)).status == OK


def test_an_unknown_value_is_the_callers_error(linear: Scorer, rows: pl.DataFrame) -> None:
    odd = rows.with_columns(
        pl.when(pl.int_range(pl.len()) == 3).then(pl.lit("ZZ")).otherwise("carrier").alias("carrier")
    )
    reply = linear.answer(*linear.request(odd))
    assert (reply.status, reply.predicted, reply.execution_ms) == (REFUSED, None, 0.0)
    with pytest.raises(UnknownLevel, match="carrier: not seen in training: ZZ"):
        linear.encode(odd.to_dict(as_series=False))


def test_a_missing_weather_report_is_the_servers_error(linear: Scorer, rows: pl.DataFrame) -> None:
    blind = rows.with_columns(pl.lit(None, pl.Float64).alias("wind_speed"))
    reply = linear.answer(*linear.request(blind))
    assert (reply.status, reply.predicted) == (FAILED, None)
    assert reply.execution_ms > 0


def test_a_linear_model_is_logistic_regression_on_scaled_one_hot_columns(linear: Scorer, rows: pl.DataFrame) -> None:
    *_, model = linear.estimator
    assert isinstance(model, LogisticRegression)
    inputs = linear.encode(rows.to_dict(as_series=False))
    assert inputs.shape == (15, len(linear.levels["carrier"]) + 2)
    assert (inputs[:, :-2].sum(axis=1) == 1).all()


def test_levels_are_numbered_by_their_mean_outcome(flights: pl.DataFrame, trees: Scorer) -> None:
    late = labelled(recipe(), flights, WEEK).group_by("carrier").agg((pl.col("late_arrival") == "yes").mean())
    assert list(trees.levels["carrier"]) == late.sort("late_arrival", "carrier")["carrier"].to_list()


def test_a_model_foretells_better_than_chance_on_days_it_has_not_seen(trees: Scorer, flights: pl.DataFrame) -> None:
    days = labelled(recipe(), flights, NEXT)
    predicted = trees.predict(trees.encode(days.to_dict(as_series=False)))[:, 1]
    assert roc_auc_score(days["late_arrival"] == "yes", predicted) > 0.6


def test_training_twice_gives_the_same_model_and_impact(flights: pl.DataFrame, rows: pl.DataFrame) -> None:
    first, second = fit(recipe(), flights), fit(recipe(), flights)
    assert first.impact == second.impact
    assert max(first.impact.values()) == 1
    assert min(first.impact.values()) >= 0
    body = first.scorer.request(rows)
    assert np.array_equal(_predicted(first.scorer, *body), _predicted(second.scorer, *body))


def test_a_regression_has_one_column_and_a_class_model_one_a_class(flights: pl.DataFrame) -> None:
    minutes = fit(recipe(Kind.TREES, Outcome.AIR_TIME, "distance", "dest"), flights).scorer
    classes = fit(recipe(Kind.TREES, Outcome.ARRIVAL), flights).scorer
    assert minutes.prediction_columns == ["prediction"]
    assert classes.prediction_columns == [f"prediction_{name}" for name in ("early", "on time", "late", "cancelled")]
    assert classes.table(np.eye(4)).columns == classes.prediction_columns


def _predicted(scorer: Scorer, body: bytes, looked_up: object) -> np.ndarray:
    predicted = scorer.answer(body, looked_up).predicted  # type: ignore[arg-type]
    assert predicted is not None
    return predicted
