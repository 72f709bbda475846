"""What was answered, append-only, with the time it was known. Written and read by `monitoring.snapshots` only."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from monitoring.models.choices import TopicState, WorkState
from monitoring.models.watched import Watched


class Topic(models.Model):
    """One question about one deployment and the newest that is known of its answer.

    `key` is the canonical question (`monitoring.questions`). `digest` is of the newest answer: an equal answer writes
    nothing but `checked_at`. For series, buckets before `closed_until` are final and never asked again, apart from the
    label-lag window.
    """

    watched = models.ForeignKey(Watched, on_delete=models.CASCADE, related_name="topics")
    key = models.CharField(max_length=600)
    path = models.CharField(max_length=80)
    state = models.CharField(max_length=10, choices=TopicState, default=TopicState.NEW)
    digest = models.CharField(max_length=32, blank=True)
    known_at = models.DateTimeField(null=True)
    checked_at = models.DateTimeField(null=True)
    closed_until = models.DateTimeField(null=True)
    covered_until = models.DateTimeField(null=True, help_text="Series: end of the latest period asked")
    open_from = models.DateTimeField(null=True, help_text="Series: start of the first stored bucket")
    problem = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["watched", "key"], name="monitoring_topic_key")]

    def __str__(self) -> str:
        return self.key


class Answer(models.Model):
    """One whole answer (zstd of its JSON), stored when it differed from the one before."""

    topic = models.ForeignKey(Topic, on_delete=models.CASCADE, related_name="answers")
    known_at = models.DateTimeField()
    payload = models.BinaryField()
    reconstructed = models.BooleanField(default=False)

    class Meta:
        # The newest answer of a topic, or the newest as of a moment.
        indexes: ClassVar = [models.Index(fields=["topic", "-known_at"], name="monitoring_answer_latest")]

    def __str__(self) -> str:
        return f"answer of {self.topic_id} known {self.known_at:%Y-%m-%d %H:%M}"


class SeriesChunk(models.Model):
    """The buckets of a series that were new or restated at `known_at` (zstd of JSON), first … last bucket start."""

    topic = models.ForeignKey(Topic, on_delete=models.CASCADE, related_name="chunks")
    known_at = models.DateTimeField()
    first = models.DateTimeField()
    last = models.DateTimeField()
    payload = models.BinaryField()
    reconstructed = models.BooleanField(default=False)

    class Meta:
        # The buckets of a topic in a range, oldest knowledge first.
        indexes: ClassVar = [models.Index(fields=["topic", "last"], name="monitoring_chunk")]

    def __str__(self) -> str:
        return f"buckets of {self.topic_id} known {self.known_at:%Y-%m-%d %H:%M}"


class PendingQuestion(models.Model):
    """A question that a page wants and nobody polled yet. Asked by ten people, it is one row and one request."""

    watched = models.ForeignKey(Watched, on_delete=models.CASCADE, related_name="pending_questions")
    key = models.CharField(max_length=600)
    question = models.JSONField()
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    asked_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=WorkState, default=WorkState.PENDING)
    claimed_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    problem = models.CharField(max_length=500, blank=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["watched", "key"], name="monitoring_pending_question")]
        # Dispatch: oldest waiting question first.
        indexes: ClassVar = [models.Index(fields=["state", "asked_at"], name="monitoring_pending_state")]

    def __str__(self) -> str:
        return self.key
