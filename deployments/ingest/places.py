"""Where rows of a deployment may go: its models by their public ids, its batches, and the times it takes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from deployments.ingest.errors import Problems
from deployments.ingest.prepared import Times
from deployments.models import DeployedModel, Deployment, ModelRole, MonitoringBatch
from deployments.settings_schema import Settings, parse

REQUIRED_ID = "The settings require an association id (requiredInPredictionRequests)."


@dataclass
class Places:
    """Looks up models and batches; each problem is noted at the place that named it."""

    deployment: Deployment
    models: dict[str, DeployedModel]
    batches: dict[str, MonitoringBatch]
    times: Times
    problems: Problems

    @classmethod
    def of(cls, deployment: Deployment, batch_ids: Iterable[str | None], now: datetime) -> Places:
        """All models of the deployment, and the batches that are named."""
        models = {
            model.package.model_id: model
            for model in deployment.models.exclude(role=ModelRole.REMOVED).select_related("package")
        }
        named = {name for name in batch_ids if name}
        found = deployment.batches.filter(public_id__in=named) if named else MonitoringBatch.objects.none()
        batches = {batch.public_id: batch for batch in found}
        return cls(deployment, models, batches, Times.kept(now, deployment.rows_days), Problems())

    @cached_property
    def settings(self) -> Settings:
        """The deployment's settings."""
        return parse(Settings, self.deployment.settings)

    @property
    def requires_ids(self) -> bool:
        """Whether the settings ask for an association id with every prediction."""
        return self.settings.association_id.required_in_prediction_requests

    def model(self, model_id: str | None, place: str) -> DeployedModel | None:
        """The named model, by default the champion."""
        if model_id is not None:
            found = self.models.get(model_id)
            if found is None:
                self.problems.add(place, f"{model_id} is not a model of this deployment.")
            return found
        champion = next((m for m in self.models.values() if m.pk == self.deployment.champion_id), None)
        if champion is None:
            self.problems.add(place, "The deployment has no champion; name a model.")
        return champion

    def batch(self, batch_id: str | None, place: str) -> int | None:
        """The key of the named batch; None without one."""
        if batch_id is None:
            return None
        found = self.batches.get(batch_id)
        if not self.deployment.batch_monitoring:
            self.problems.add(place, "Batch monitoring is not switched on for this deployment.")
        elif found is None:
            self.problems.add(place, f"{batch_id} is not a batch of this deployment.")
        elif found.is_locked:
            self.problems.add(place, f"The batch {found.name} is locked.")
        else:
            return found.pk
        return None
