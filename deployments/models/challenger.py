"""Who was champion when, who challenges, and when challengers are replayed."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from deployments.ids import new_id


class Reign(models.Model):
    """One time in which a model was the champion; a model can have several."""

    deployment = models.ForeignKey("deployments.Deployment", on_delete=models.CASCADE, related_name="reigns")
    model = models.ForeignKey("deployments.DeployedModel", on_delete=models.CASCADE, related_name="reigns")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=40, blank=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["deployment"], condition=models.Q(ended_at=None), name="one_champion_at_a_time"
            )
        ]
        ordering = ["-started_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.model_id} from {self.started_at}"


class Challenger(models.Model):
    """A model beside the champion: the stored requests are scored with it too."""

    public_id = models.CharField(max_length=24, unique=True, default=new_id, editable=False)
    deployment = models.ForeignKey("deployments.Deployment", on_delete=models.CASCADE, related_name="challengers")
    model = models.OneToOneField("deployments.DeployedModel", on_delete=models.CASCADE, related_name="challenger")
    name = models.CharField(max_length=200)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["deployment", "name"], name="one_challenger_a_name")]
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.name


class ReplaySettings(models.Model):
    """Whether and when a deployment's challengers are replayed; `next_at` is None while they are not."""

    deployment = models.OneToOneField(
        "deployments.Deployment", primary_key=True, on_delete=models.CASCADE, related_name="replay_settings"
    )
    enabled = models.BooleanField(default=False)
    # in the words of the reference, see `deployments.schedules`; null: never set
    schedule = models.JSONField(null=True, blank=True)
    next_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        # what is due
        indexes = [models.Index(fields=["next_at"], name="replays_due")]

    def __str__(self) -> str:
        return f"{self.deployment_id} {'on' if self.enabled else 'off'}"
