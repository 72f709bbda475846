"""Registering a story: datasets, models, the deployment with its settings, and its champions.

Safe to run again: models are found by name and deployments by label before anything is made.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

import polars as pl
from django.db import transaction

from demo.client import Client
from demo.data import DESTINATION
from demo.story import CATEGORICAL, NO, STORIES, YES, Recipe, Story, TargetType
from demo.training import Fitted, holdout_table, inputs, training_table
from deployments.models import Deployment, ModelPackage
from deployments.registry import replace_model

KEEP_ROWS_DAYS = 400
"""The replayed year, and the days after it."""

REGISTRARS = 2

Models = Mapping[str, Fitted]
"""Fitted models by the name of their recipe."""


@dataclass(frozen=True)
class Registered:
    """One model in the service."""

    package_id: str
    model_id: str


@dataclass(frozen=True)
class Deployed:
    """A story as the service knows it: the deployment's id and the model id of each recipe by name."""

    deployment_id: str
    model_ids: Mapping[str, str]

    @property
    def path(self) -> str:
        return f"deployments/{self.deployment_id}"


def find_all(client: Client) -> dict[str, Deployed]:
    """The stories that are deployed already, by slug."""
    ids = _deployment_ids(client)
    registered = _registered(client)
    return {story.slug: _deployed(story, ids[story.label], registered) for story in STORIES if story.label in ids}


def ensure_all(
    client: Client, stories: Sequence[Story], models: Models, flights: pl.DataFrame, shift: timedelta
) -> dict[str, Deployed]:
    """Register and deploy what is missing; answers every story by slug."""
    ids = _deployment_ids(client)
    registered = _registered(client)
    missing = [
        (story, reign.recipe) for story in stories for reign in story.reigns if reign.recipe.name not in registered
    ]
    with ThreadPoolExecutor(REGISTRARS) as pool:
        made = pool.map(lambda one: register(client, one[0], models[one[1].name], flights), missing)
        registered |= {recipe.name: found for (_, recipe), found in zip(missing, made, strict=True)}
    for story in stories:
        if story.label not in ids:
            ids[story.label] = create(client, story, registered)
        backdate(ids[story.label], story, registered, shift)
    return {story.slug: _deployed(story, ids[story.label], registered) for story in stories}


def register(client: Client, story: Story, fitted: Fitted, flights: pl.DataFrame) -> Registered:
    """Upload training and holdout and register the model with them."""
    recipe = fitted.scorer.recipe
    tables = {"training": training_table(story, recipe, flights), "holdout": holdout_table(story, fitted, flights)}
    ids = {
        kind: str(client.upload("datasets/fromFile/", rows, name=f"{recipe.name}, {kind}.parquet")["id"])
        for kind, rows in tables.items()
    }
    made = client.send("POST", "modelPackages/", package(story, fitted, ids["training"], ids["holdout"]))
    return Registered(made["id"], made["modelId"])


def package(story: Story, fitted: Fitted, training: str, holdout: str) -> dict[str, object]:
    """The body that registers one model."""
    recipe = fitted.scorer.recipe
    return {
        "name": recipe.name,
        "target": _target(recipe),
        "features": [_feature(name, fitted) for name in inputs(story, recipe)],
        "trainingDatasetId": training,
        "holdoutDatasetId": holdout,
        "segmentAttributes": list(story.segments),
    }


def create(client: Client, story: Story, registered: Mapping[str, Registered]) -> str:
    """Deploy the story's first champion and switch on what the story needs; answers the deployment's id."""
    body = {
        "modelPackageId": registered[story.reigns[0].recipe.name].package_id,
        "label": story.label,
        "description": story.description,
        "importance": story.importance.value,
        "batchMonitoring": story.by_batch,
    }
    made = client.send("POST", "deployments/fromModelPackage/", body)
    client.send("PATCH", f"deployments/{made['id']}/settings/", settings(story))
    for doubt in story.doubts:
        rule = {"name": doubt.name, "trigger": dict(doubt.trigger), "action": dict(doubt.action)}
        client.send("POST", f"deployments/{made['id']}/humilityRules/", rule)
    return str(made["id"])


def settings(story: Story) -> dict[str, object]:
    """What is switched on beside the defaults; all of it counts from now on only, so before the first row is sent."""
    return {
        "associationId": {"columnNames": ["association_id"], "requiredInPredictionRequests": False},
        "segmentAnalysis": {
            "enabled": True,
            "attributes": [*story.segments, *((DESTINATION,) if story.locations else ())],
        },
        "humility": {"enabled": bool(story.doubts)},
        "predictionWarning": {"enabled": story.warned},
        **({"biasAndFairness": fairness(story)} if story.protected else {}),
    }


def fairness(story: Story) -> dict[str, object]:
    """Which classes should be foretold to be on time equally often."""
    return {
        "protectedFeatures": list(story.protected),
        "preferableTargetValue": NO,
        "fairnessMetricsSet": "proportionalParity",
        "fairnessThreshold": 0.8,
    }


@transaction.atomic
def backdate(deployment_id: str, story: Story, registered: Mapping[str, Registered], shift: timedelta) -> None:
    """Give each champion its days in the past, and let rows that old in.

    No route does this: over HTTP a model begins to serve, or replaces another, now.
    """
    deployment = Deployment.objects.select_for_update(of=("self",)).get(public_id=deployment_id)
    deployment.keep_rows_days = KEEP_ROWS_DAYS
    deployment.save(update_fields=["keep_rows_days"])
    first, *later = story.reigns
    began = deployment.models.filter(package__public_id=registered[first.recipe.name].package_id)
    began.update(started_at=first.since + shift)
    deployment.reigns.filter(model__in=began).update(started_at=first.since + shift)
    for reign in later:
        package = ModelPackage.objects.get(public_id=registered[reign.recipe.name].package_id)
        if not deployment.models.filter(package=package).exists():
            replace_model(deployment, package, at=reign.since + shift, reason=story.replaced_because)


def _deployment_ids(client: Client) -> dict[str, str]:
    return {row["label"]: str(row["id"]) for row in client.all("deployments/")}


def _registered(client: Client) -> dict[str, Registered]:
    return {row["name"]: Registered(row["id"], row["modelId"]) for row in client.all("modelPackages/")}


def _deployed(story: Story, deployment_id: str, registered: Mapping[str, Registered]) -> Deployed:
    return Deployed(
        deployment_id, {reign.recipe.name: registered[reign.recipe.name].model_id for reign in story.reigns}
    )


def _target(recipe: Recipe) -> dict[str, object]:
    target: dict[str, object] = {"name": recipe.outcome.value, "type": recipe.target_type.value}
    if recipe.classes:
        target["classNames"] = list(recipe.classes)
    if recipe.target_type is TargetType.BINARY:
        target["positiveClass"] = YES
    return target


def _feature(name: str, fitted: Fitted) -> dict[str, object]:
    kind = "Categorical" if name in CATEGORICAL else "Geospatial" if name == DESTINATION else "Numeric"
    return {"name": name, "type": kind, "featureImpact": fitted.impact.get(name)}
