"""Messages: outbox and archive in one table. What is stored is exactly what goes out, links to an account aside."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from monitoring.models.channels import Channel
from monitoring.models.choices import Carrier, MailState, NotifyReason
from monitoring.models.incidents import Incident, IncidentNotice
from monitoring.models.teams import Team
from monitoring.models.watched import Watched


class Message(models.Model):
    """One message to one person or one channel.

    `message_id` is fixed when the row is made, follows from what is told and to whom, and is the same in every
    attempt: writing the same message again stores nothing, and the far side can drop the second copy of a send that
    was in doubt. `pictures` maps content ids to PNGs, base64, as attached; `payload` is the body of a webhook.
    Without a `team` it is a person's own and no team's business: their account.
    `carrier` stays when the channel goes, so that its messages are never sent another way.
    """

    team = models.ForeignKey(Team, null=True, on_delete=models.CASCADE, related_name="mail")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    watched = models.ForeignKey(Watched, null=True, on_delete=models.SET_NULL, related_name="mail")
    incident = models.ForeignKey(Incident, null=True, on_delete=models.SET_NULL, related_name="messages")
    notice = models.ForeignKey(IncidentNotice, null=True, on_delete=models.SET_NULL, related_name="messages")
    carrier = models.CharField(max_length=10, choices=Carrier, default=Carrier.EMAIL)
    channel = models.ForeignKey(Channel, null=True, on_delete=models.SET_NULL, related_name="messages")
    why = models.CharField(max_length=12, choices=NotifyReason)
    recipient = models.CharField(max_length=300)
    subject = models.CharField(max_length=300)
    text = models.TextField()
    html = models.TextField()
    headers = models.JSONField(default=dict)
    link_encrypted = models.BinaryField(
        null=True, help_text="Encrypted: the link that text and html show without its end"
    )
    pictures = models.JSONField(default=dict)
    payload = models.JSONField(default=dict)
    message_id = models.CharField(max_length=200, unique=True)

    state = models.CharField(max_length=10, choices=MailState, default=MailState.PENDING)
    created_at = models.DateTimeField()
    not_before = models.DateTimeField()
    claimed_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    doubted = models.BooleanField(default=False, help_text="Was in doubt once and has been repeated")
    sent_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=500, blank=True)
    provider_id = models.CharField(max_length=200, blank=True, help_text="The far side's own id, for bounces")

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["team", "-created_at"], name="monitoring_mail_list"),
            models.Index(fields=["state", "not_before"], name="monitoring_mail_due"),
            # A bounce names the provider's id.
            models.Index(fields=["provider_id"], name="monitoring_mail_provider", condition=~models.Q(provider_id="")),
        ]

    def __str__(self) -> str:
        return self.subject
