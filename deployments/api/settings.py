"""`settings/`, `healthSettings/` and its defaults, `capabilities/`."""

from __future__ import annotations

import msgspec
from django.db import transaction
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from deployments import capabilities, health, jobs, segments, settings_rules
from deployments.api.deployments import caller
from deployments.api.errors import ValidationFailed
from deployments.api.examples import CAPABILITIES, HEALTH_SETTINGS, SETTINGS
from deployments.api.openapi import describes
from deployments.api.views import DeploymentView
from deployments.audit import record
from deployments.models import Deployment, Role
from deployments.settings_schema import BadSettings, HealthPatch, HealthSettings, Settings, SettingsPatch, merged, parse


class SettingsView(DeploymentView):
    """What is monitored, and how."""

    roles = {"GET": Role.CONSUMER, "PATCH": Role.OWNER}

    @describes("Retrieve deployment settings.", answer=SETTINGS, errors=(401, 404))
    def get(self, request: Request, deployment_id: str) -> Response:
        return Response(msgspec.to_builtins(parse(Settings, self.deployment.settings)))

    @describes("Update deployment settings.", body=SettingsPatch, status=202)
    def patch(self, request: Request, deployment_id: str) -> Response:
        patch = self.body(SettingsPatch)
        with transaction.atomic():
            row = locked(self.deployment)
            try:
                changed, stored = merged(row.settings, patch, Settings)
                settings_rules.check(row, changed)
            except BadSettings as bad:
                raise ValidationFailed(bad.errors) from None
            record(row, caller(request), "settings.updated", row.settings, stored)
            row.settings = stored
            row.save(update_fields=["settings"])
            segments.sync(row, timezone.now())
            job = jobs.done("settings", row, caller(request), f"/api/v2/deployments/{row.public_id}/settings/")
        return self.accepted(job)


class HealthSettingsView(DeploymentView):
    """The rules behind the statuses; a change is judged at once, so that the list shows it."""

    roles = {"GET": Role.CONSUMER, "PATCH": Role.OWNER}

    @describes("Retrieve deployment health settings.", answer=HEALTH_SETTINGS, errors=(401, 404))
    def get(self, request: Request, deployment_id: str) -> Response:
        return Response(shown(settings_rules.health_settings(self.deployment)))

    @describes("Update deployment health settings.", body=HealthPatch, answer={})
    def patch(self, request: Request, deployment_id: str) -> Response:
        patch = self.body(HealthPatch)
        with transaction.atomic():
            row = locked(self.deployment)
            defaults = msgspec.to_builtins(settings_rules.default_health(row))
            try:
                changed, stored = merged(defaults | row.health_settings, patch, HealthSettings)
                settings_rules.check_health(row, changed)
            except BadSettings as bad:
                raise ValidationFailed(bad.errors) from None
            record(row, caller(request), "healthSettings.updated", row.health_settings, stored)
            row.health_settings = stored
            row.save(update_fields=["health_settings"])
        health.refresh(row.pk, timezone.now())
        return Response({})


class HealthDefaultsView(DeploymentView):
    """The rules that hold while nobody set others."""

    roles = {"GET": Role.CONSUMER}

    @describes("Retrieve default deployment health settings.", answer=HEALTH_SETTINGS, errors=(401, 404))
    def get(self, request: Request, deployment_id: str) -> Response:
        return Response(shown(settings_rules.default_health(self.deployment)))


class CapabilitiesView(DeploymentView):
    """What the deployment can and cannot do."""

    roles = {"GET": Role.CONSUMER}

    @describes("Retrieve the capabilities for the deployment.", answer=CAPABILITIES, errors=(401, 404))
    def get(self, request: Request, deployment_id: str) -> Response:
        return Response({"data": capabilities.explained(self.deployment)})


def locked(deployment: Deployment) -> Deployment:
    """The deployment's row, kept from others until the transaction ends."""
    return (
        Deployment.objects.select_for_update(of=("self",))
        .select_related("champion", "champion__package")
        .get(pk=deployment.pk)
    )


def shown(settings: HealthSettings) -> object:
    return msgspec.to_builtins(settings)
