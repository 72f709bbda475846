"""Windows follow one another, and nothing is foretold from its own future."""

import polars as pl
import pytest

from demo.outcomes import known_at, labels
from demo.story import CLASSES, STORIES, Kind, Outcome, Recipe, Story, TargetType

RECIPES = [reign.recipe for story in STORIES for reign in story.reigns]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_the_holdout_follows_the_training_and_is_not_part_of_it(recipe: Recipe) -> None:
    assert recipe.training.since < recipe.training.until == recipe.holdout.since < recipe.holdout.until


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.slug)
def test_a_champion_serves_only_after_its_holdout(story: Story) -> None:
    for reign in story.reigns:
        assert reign.since >= reign.recipe.holdout.until


def test_the_fleet_has_every_kind_of_target_a_batch_story_and_a_replaced_champion() -> None:
    assert {story.recipe.target_type for story in STORIES} == set(TargetType)
    assert sum(story.by_batch for story in STORIES) == 1
    assert sum(len(story.reigns) > 1 for story in STORIES) == 1
    assert any(story.locations for story in STORIES)
    assert len({story.slug for story in STORIES}) == len({story.label for story in STORIES}) == len(STORIES)


@pytest.mark.parametrize("outcome", Outcome)
def test_an_outcome_has_the_named_classes_or_minutes(outcome: Outcome, flights: pl.DataFrame) -> None:
    values = flights.select(labels(outcome).alias("value"))["value"].drop_nulls()
    if outcome in CLASSES:
        assert set(values.unique()) == set(CLASSES[outcome])
    else:
        assert values.dtype == pl.Float64


def test_a_cancelled_flight_is_cancelled_has_no_delay_and_counts_as_known_when_it_should_have_arrived(
    flights: pl.DataFrame,
) -> None:
    cancelled = flights.filter("cancelled").select(
        labels(Outcome.ARRIVAL).alias("class"),
        labels(Outcome.ARRIVAL_DELAY).alias("delay"),
        labels(Outcome.LATE_DEPARTURE).alias("late"),
        (known_at(Outcome.CANCELLED) - pl.col("scheduled")).dt.total_minutes().alias("known"),
        "scheduled_minutes",
    )
    assert cancelled["class"].unique().to_list() == ["cancelled"]
    assert cancelled["delay"].null_count() == cancelled["late"].null_count() == cancelled.height == 8_255
    assert (cancelled["known"] == cancelled["scheduled_minutes"]).all()


def test_a_diverted_flight_has_left_but_not_arrived(flights: pl.DataFrame) -> None:
    diverted = flights.filter("diverted").select(
        labels(Outcome.ARRIVAL).alias("class"), labels(Outcome.LATE_DEPARTURE).alias("late")
    )
    assert diverted["class"].null_count() == diverted.height == 1_175
    assert diverted["late"].null_count() == 0


def test_two_models_are_linear_and_so_refuse_what_they_do_not_know() -> None:
    linear = {recipe.name for recipe in RECIPES if recipe.kind is Kind.LINEAR}
    assert linear == {"Cancellations, linear", "Late departures out of LaGuardia, linear"}
