"""Training: one scikit-learn model from one recipe, and what is registered with it.

The fit is deterministic. The holdout lies after the training window and is never fitted on; the
service takes its baselines from it.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, root_mean_squared_error
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from demo.data import DESTINATION
from demo.outcomes import labels
from demo.scoring import Estimator, Scorer, levels_of
from demo.story import Kind, Recipe, Story, TargetType, Window

IMPACT_ROWS = 1500
"""Holdout rows on which features are permuted; more make the load slower and the figures no other."""
TREES = {"max_iter": 40, "learning_rate": 0.15, "max_leaf_nodes": 15, "early_stopping": False, "random_state": 0}


ONE_THREAD = 1
"""Small data gains nothing from a second thread, and threads that wait for each other on a busy machine lose a lot."""


@dataclass(frozen=True)
class Fitted:
    """A trained model and the importance of its features (permutation importance, highest = 1)."""

    scorer: Scorer
    impact: dict[str, float]


def fit(recipe: Recipe, flights: pl.DataFrame) -> Fitted:
    """Train on the recipe's training window and measure the features' impact on its holdout."""
    training = labelled(recipe, flights, recipe.training)
    scorer = Scorer(recipe, levels_of(recipe, training, _target(recipe, training)), _estimator(recipe))
    training = scorer.answerable(training)
    inputs = scorer.encode(training.to_dict(as_series=False))
    with threadpool_limits(ONE_THREAD):
        scorer.estimator.fit(inputs, _target(recipe, training).to_numpy())
        return Fitted(scorer, _impact(scorer, labelled(recipe, flights, recipe.holdout)))


def labelled(recipe: Recipe, flights: pl.DataFrame, window: Window) -> pl.DataFrame:
    """The recipe's flights of a window that have an outcome, with the outcome under the target's name."""
    return (
        restricted(recipe, flights)
        .filter(pl.col("scheduled").is_between(window.since, window.until, closed="left"))
        .with_columns(labels(recipe.outcome).alias(recipe.outcome.value))
        .drop_nulls(recipe.outcome.value)
    )


def restricted(recipe: Recipe, flights: pl.DataFrame) -> pl.DataFrame:
    """The flights that the model is about: one carrier's, one airport's, or all."""
    if recipe.carrier is not None:
        flights = flights.filter(pl.col("carrier") == recipe.carrier)
    if recipe.origin is not None:
        flights = flights.filter(pl.col("origin") == recipe.origin)
    return flights


def training_table(story: Story, recipe: Recipe, flights: pl.DataFrame) -> pl.DataFrame:
    """What is uploaded as training data: features, segment attributes and the target."""
    columns = kept_columns(story, recipe)
    return labelled(recipe, flights, recipe.training).select(*columns, recipe.outcome.value)


def holdout_table(story: Story, fitted: Fitted, flights: pl.DataFrame) -> pl.DataFrame:
    """What is uploaded as holdout: target, predictions, features and segment attributes."""
    recipe = fitted.scorer.recipe
    rows = fitted.scorer.answerable(labelled(recipe, flights, recipe.holdout))
    predicted = fitted.scorer.table(fitted.scorer.predict(fitted.scorer.encode(rows.to_dict(as_series=False))))
    return rows.select(*kept_columns(story, recipe), recipe.outcome.value).hstack(predicted)


def inputs(story: Story, recipe: Recipe) -> list[str]:
    """The features that are registered: the model's own, and the destination where it is kept for maps."""
    return [*recipe.features, *((DESTINATION,) if story.locations else ())]


def kept_columns(story: Story, recipe: Recipe) -> list[str]:
    """Columns of a prediction row: features, and the segment attributes that are none."""
    return list(dict.fromkeys((*inputs(story, recipe), *story.segments)))


def _estimator(recipe: Recipe) -> Estimator:
    if recipe.kind is Kind.LINEAR:
        linear: Estimator = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300))
        return linear
    trees: Estimator = (HistGradientBoostingClassifier if recipe.classes else HistGradientBoostingRegressor)(**TREES)
    return trees


def _target(recipe: Recipe, rows: pl.DataFrame) -> pl.Series:
    """Class numbers in the order of the recipe's classes, or the value itself."""
    column = rows[recipe.outcome.value]
    if not recipe.classes:
        return column
    return column.replace_strict({name: i for i, name in enumerate(recipe.classes)}, return_dtype=pl.Int8)


def _impact(scorer: Scorer, holdout: pl.DataFrame) -> dict[str, float]:
    """How much worse the holdout is foretold when one column is shuffled; the worst is 1, no harm is 0."""
    rows = scorer.answerable(holdout)
    rows = rows.gather_every(max(1, rows.height // IMPACT_ROWS))
    target = _target(scorer.recipe, rows).to_numpy()
    order = np.random.default_rng(0).permutation(rows.height)
    intact = _loss(scorer, rows, target)
    harm = {
        name: max(0.0, _loss(scorer, rows.with_columns(rows[name].gather(order)), target) - intact)
        for name in scorer.recipe.features
    }
    worst = max(harm.values())
    return {name: value / worst if worst else 0.0 for name, value in harm.items()}


def _loss(scorer: Scorer, rows: pl.DataFrame, target: npt.NDArray[np.generic]) -> float:
    """LogLoss of a classifier, RMSE of a regression."""
    predicted = scorer.predict(scorer.encode(rows.to_dict(as_series=False)))
    if scorer.recipe.target_type is TargetType.REGRESSION:
        return float(root_mean_squared_error(target, predicted[:, 0]))
    return float(log_loss(target, predicted, labels=range(len(scorer.recipe.classes))))
