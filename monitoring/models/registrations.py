"""Models that people register from a page: what they gave, how far it has come, what the source made of it."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from monitoring.models.sources import Source


class RegistrationStep(models.TextChoices):
    """How far a registration is. A worker carries out `preparing` and `deploying`; the others wait for a person."""

    DRAFT = "draft", "Columns"
    PREPARING = "preparing", "Registering"
    READY = "ready", "Baselines"
    DEPLOYING = "deploying", "Deploying"
    DONE = "done", "First row"


class Registration(models.Model):
    """`files`: role (training, holdout, artifact) -> name, path in the storage, bytes. `columns`: of the training file,
    with guessed kinds. `spec`: the description as the API takes it. `results`: ids and answers of the source, written
    after every request, so that a worker that dies goes on where it was. `errors`: place in the description -> what is
    wrong there, as the source said it.
    """

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="registrations")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    asked_at = models.DateTimeField()
    name = models.CharField(max_length=300)
    step = models.CharField(max_length=10, choices=RegistrationStep, default=RegistrationStep.DRAFT)
    files = models.JSONField(default=dict)
    columns = models.JSONField(default=list)
    spec = models.JSONField(default=dict)
    results = models.JSONField(default=dict)
    errors = models.JSONField(default=dict)
    problem = models.CharField(max_length=1000, blank=True)
    claimed_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    watched_until = models.DateTimeField(null=True, help_text="Somebody waits for the first row until then")
    rows = models.JSONField(default=list, help_text="The first rows that arrived")
    first_row_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        # The worker: what waits for it.
        indexes: ClassVar = [models.Index(fields=["step", "claimed_until"], name="monitoring_registration_step")]

    def __str__(self) -> str:
        return f"{self.name}: {self.step}"
