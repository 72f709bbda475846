"""Health reports: what is told of which deployments to whom and when, each run of them, and their mails."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

from deployments.ids import new_id


class ScheduledReport(models.Model):
    """A report on some deployments, made on a schedule or on demand."""

    public_id = models.CharField(max_length=24, unique=True, default=new_id, editable=False)
    name = models.CharField(max_length=200)
    deployments = models.ManyToManyField("deployments.Deployment", related_name="scheduled_reports")
    # in the reference's shape; {}: on demand only
    schedule = models.JSONField(default=dict, blank=True)
    recipients = models.JSONField(default=list)
    days = models.PositiveIntegerField(default=7)
    enabled = models.BooleanField(default=True)
    next_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        # what is due
        indexes = [models.Index(fields=["next_at"], name="reports_due")]

    def __str__(self) -> str:
        return self.name


class ReportRun(models.Model):
    """One making of a report; its page is a dataset."""

    public_id = models.CharField(max_length=24, unique=True, default=new_id, editable=False)
    report = models.ForeignKey(ScheduledReport, on_delete=models.CASCADE, related_name="runs")
    due_at = models.DateTimeField(default=timezone.now)
    job = models.ForeignKey("deployments.Job", null=True, on_delete=models.SET_NULL, related_name="+")
    dataset = models.ForeignKey(
        "deployments.Dataset", null=True, blank=True, on_delete=models.SET_NULL, related_name="report_runs"
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["report", "due_at"], name="one_run_a_due_time")]

    def __str__(self) -> str:
        return f"{self.report_id} at {self.due_at}"


class ReportMailState(models.TextChoices):
    """How far a mail is."""

    PENDING = "pending", "Waiting"
    SENDING = "sending", "Being sent"
    IN_DOUBT = "in_doubt", "In doubt"
    SENT = "sent", "Sent"
    FAILED = "failed", "Given up"


class ReportMail(models.Model):
    """One report to one person; claimed, sent, and repeated once under the same id if a send was cut off."""

    run = models.ForeignKey(ReportRun, on_delete=models.CASCADE, related_name="mails")
    recipient = models.EmailField()
    message_id = models.UUIDField(default=uuid.uuid4, unique=True)
    state = models.CharField(max_length=10, choices=ReportMailState, default=ReportMailState.PENDING)
    attempts = models.IntegerField(default=0)
    doubted = models.BooleanField(default=False)
    not_before = models.DateTimeField(default=timezone.now)
    claimed_until = models.DateTimeField(null=True, blank=True)
    problem = models.CharField(max_length=500, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "recipient"], name="one_mail_a_recipient")]
        # what is to be sent
        indexes = [models.Index(fields=["state", "not_before"], name="report_mails_due")]

    def __str__(self) -> str:
        return f"{self.recipient} {self.state}"
