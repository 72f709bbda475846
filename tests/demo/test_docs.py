"""The baselines that docs/demo.md tells are those of the models."""

import re
from pathlib import Path

import polars as pl
import pytest
from sklearn.metrics import log_loss, root_mean_squared_error

from demo.story import STORIES, Recipe, TargetType
from demo.training import Fitted, fit, holdout_table

RECIPES = [reign.recipe for story in STORIES for reign in story.reigns]
ROW = re.compile(r"^\| [^|]+ \| [^|]+ \| [^|]+ \| to [^|]+ \| (LogLoss|RMSE) ([\d.]+) \|$", re.MULTILINE)
TOLD = ROW.findall((Path(__file__).parents[2] / "docs" / "demo.md").read_text())


def test_every_model_is_told() -> None:
    assert len(TOLD) == len(RECIPES)


@pytest.mark.parametrize(("recipe", "told"), list(zip(RECIPES, TOLD, strict=True)), ids=lambda value: str(value)[:40])
def test_the_baseline_is_that_of_the_holdout(recipe: Recipe, told: tuple[str, str], flights: pl.DataFrame) -> None:
    fitted = fit(recipe, flights)
    metric, value = told
    assert metric == ("RMSE" if recipe.target_type is TargetType.REGRESSION else "LogLoss")
    assert _loss(fitted, flights) == pytest.approx(float(value), rel=0.01)


def _loss(fitted: Fitted, flights: pl.DataFrame) -> float:
    recipe = fitted.scorer.recipe
    story = next(story for story in STORIES if any(reign.recipe is recipe for reign in story.reigns))
    rows = holdout_table(story, fitted, flights)
    if not recipe.classes:
        return float(root_mean_squared_error(rows[recipe.outcome.value], rows["prediction"]))
    numbers = rows[recipe.outcome.value].replace_strict({name: i for i, name in enumerate(recipe.classes)})
    probabilities = rows.select(fitted.scorer.prediction_columns)
    return float(log_loss(numbers, probabilities.to_numpy(), labels=range(len(recipe.classes))))
