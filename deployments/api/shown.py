"""How a deployment, a batch and a person look from outside, in the words of the reference.

Parts of the reference that this version has no counterpart for are null, false or empty, never left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import User

from deployments import capabilities, listing, settings_schema
from deployments.health import DATES
from deployments.models import Deployment, MonitoringBatch, PredictionServer, Role

OWNERS_SHOWN = 5
AREAS: Mapping[str, str] = {word.value: area for area, word in listing.HEALTH_ORDERS.items()}
PERMISSIONS: Mapping[str, tuple[str, ...]] = {
    Role.CONSUMER: ("CAN_VIEW",),
    Role.USER: ("CAN_VIEW", "CAN_MAKE_PREDICTIONS", "CAN_SUBMIT_ACTUALS", "CAN_GENERATE_REPORTS"),
    Role.OWNER: (
        "CAN_VIEW",
        "CAN_MAKE_PREDICTIONS",
        "CAN_SUBMIT_ACTUALS",
        "CAN_GENERATE_REPORTS",
        "CAN_EDIT",
        "CAN_SHARE",
        "CAN_DELETE_DEPLOYMENT",
        "CAN_EDIT_STATUS",
        "CAN_EDIT_SETTINGS",
        "CAN_EDIT_HEALTH_SETTINGS",
        "CAN_REPLACE_MODEL",
        "CAN_ADD_CHALLENGERS",
    ),
}


def user_id(user: User) -> str:
    """The public id of a person: 24 hex digits."""
    return f"{user.pk:024x}"


def deployments(rows: Sequence[Deployment], viewer: User, now: datetime) -> list[dict[str, Any]]:
    """Rows as JSON; two queries for all of them together."""
    owners, roles = listing.owners_of(rows), listing.roles_of(rows, viewer)
    return [deployment(row, owners[row.pk], roles.get(row.pk, Role.CONSUMER), now) for row in rows]


def deployment(row: Deployment, owners: Sequence[User], role: Role, now: datetime) -> dict[str, Any]:
    """One deployment as JSON; no query."""
    settings = settings_schema.parse(settings_schema.Settings, row.settings)
    return {
        "id": row.public_id,
        "label": row.label,
        "description": row.description,
        "status": row.status,
        "importance": row.importance,
        "createdAt": row.created_at,
        "approvalStatus": "APPROVED",
        "governance": {"approvalStatus": "APPROVED", "hasOpenedChangeRequests": False},
        "openedChangeRequests": [],
        "hasError": row.status == "errored",
        "model": model(row),
        "modelPackage": package(row),
        "modelPackageInitialDownload": None,
        "scoringCodeInitialDownload": None,
        "owners": {"count": len(owners), "preview": [owner(user) for user in owners[:OWNERS_SHOWN]]},
        "permissions": list(PERMISSIONS[role]),
        "capabilities": capabilities.flags(row),
        "defaultPredictionServer": None
        if row.default_prediction_server is None
        else prediction_server(row.default_prediction_server),
        "predictionEnvironment": None,
        "predictionUsage": {"dailyRates": daily_rates(row, now), "lastTimestamp": row.last_prediction_at},
        "settings": {
            "batchMonitoringEnabled": row.batch_monitoring,
            "humbleAiEnabled": settings.humility.enabled,
            "predictionIntervalsEnabled": settings.prediction_intervals.enabled,
            "predictionWarningEnabled": settings.prediction_warning.enabled,
        },
        "tags": row.tags,
        "userProvidedId": None,
        **{name: health(row, area) for name, area in AREAS.items()},
    }


def model(row: Deployment) -> dict[str, Any] | None:
    """The champion."""
    champion = row.champion
    if champion is None:
        return None
    return {
        "id": champion.public_id,
        "type": champion.package.name,
        "targetName": champion.package.target_name,
        "targetType": champion.package.target_type,
        "deployedAt": champion.started_at,
        "buildEnvironmentType": listing.BUILD_ENVIRONMENT,
        "customModelImage": None,
        "isDeprecated": False,
        "projectId": None,
        "projectName": None,
        "unstructuredModelKind": False,
        "unsupervisedMode": False,
        "unsupervisedType": None,
    }


def package(row: Deployment) -> dict[str, Any] | None:
    """The champion's package."""
    if row.champion is None:
        return None
    found = row.champion.package
    return {"id": found.public_id, "name": found.name, "registeredModelId": found.public_id}


def prediction_server(row: PredictionServer) -> dict[str, Any]:
    """A prediction server inside another answer."""
    return {"id": row.public_id, "url": row.url, "datarobot-key": row.key or None}


def owner(user: User) -> dict[str, Any]:
    return {
        "id": user_id(user),
        "email": user.email or user.get_username(),
        "firstName": user.first_name,
        "lastName": user.last_name,
    }


def health(row: Deployment, area: str) -> dict[str, Any]:
    """The status that was last worked out; the message only where the reference has one.

    Clients parse the dates, in the one form of all times, so a deployment that was never judged shows the moment of its
    making.
    """
    known = row.health.get(area, {})
    found = {
        "status": known.get("status") or getattr(row, f"{area}_status"),
        **{name: datetime.fromisoformat(known[name]) if known.get(name) else row.created_at for name in DATES},
    }
    return found if area == "service" else {**found, "message": known.get("message")}


def daily_rates(row: Deployment, now: datetime) -> list[int]:
    """Predictions on each of the last seven UTC days, today last."""
    today = now.astimezone(UTC).date()
    days = [today - timedelta(days=back) for back in reversed(range(listing.DAYS_OF_USAGE))]
    return [int(row.daily_predictions.get(day.isoformat(), 0)) for day in days]


def batch(row: MonitoringBatch) -> dict[str, Any]:
    """A monitoring batch as JSON, with the verdict on its service that was last worked out."""
    return {
        "id": row.public_id,
        "name": row.name,
        "description": row.description,
        "externalContextUrl": row.external_context_url or None,
        "isLocked": row.is_locked,
        "createdAt": row.created_at,
        "createdBy": None if row.created_by is None else person(row.created_by),
        "batchPredictionJobId": None,
        "batchPredictionJobStatus": None,
        "earliestPredictionTimestamp": row.earliest_prediction_at,
        "latestPredictionTimestamp": row.latest_prediction_at,
        "predictionsCount": row.predictions_count,
        "serviceHealth": {"status": row.service_status, "message": row.service_message},
    }


def batch_brief(row: MonitoringBatch) -> dict[str, Any]:
    """A batch inside another answer."""
    return {
        "id": row.public_id,
        "name": row.name,
        "earliestPredictionTimestamp": row.earliest_prediction_at,
        "latestPredictionTimestamp": row.latest_prediction_at,
    }


def person(user: User) -> dict[str, Any]:
    return {"id": user_id(user), "name": user.get_full_name() or user.get_username()}
