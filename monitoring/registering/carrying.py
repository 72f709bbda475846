"""The worker's side of a registration: uploads, the package, its artifact, the deployment; then the first rows.

What the source answered is written after every request, so that a worker that dies is followed by one that goes on.
The answers of two requests may be lost, so what they make is looked for before they are sent: a package by its training
data, a deployment by its model.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Q

from monitoring import sources
from monitoring.client import DeploymentsError, Refused, SourceError
from monitoring.commands.wire import Wire, pieces
from monitoring.models import Registration
from monitoring.models.registrations import RegistrationStep as Step
from monitoring.registering.drawing import baselines
from monitoring.registering.files import media_type, release
from monitoring.sources import MakeTransport

WORKING = (Step.PREPARING, Step.DEPLOYING)
ATTEMPTS = 5
LOOK_EVERY = timedelta(seconds=3)
FIRST_ROWS = 5
UPLOAD_SECONDS = 600
LEASE = timedelta(minutes=40)
"""Three files at their slowest, and the rest."""
CANNOT = (
    "This source cannot register models: it has no {path} ({status}). That part of the API is an extension of the "
    "service that comes with Vitals; register the model with the source's own tools, and its deployment appears here."
)


UNEXPECTED = "The source answered in a way that is not understood, or a file is gone. The log of the worker says more."
logger = logging.getLogger(__name__)


def run_due(now: datetime, *, limit: int = 5, transport: MakeTransport | None = None) -> int:
    """Carries registrations on, oldest first, and looks for first rows; returns how many were touched."""
    touched = 0
    while touched < limit and (row := _claim(now)) is not None:
        _carry(row, now, transport)
        touched += 1
    for row in _watched(now, limit):
        _look(row, now, transport)
        touched += 1
    return touched


def _claim(now: datetime) -> Registration | None:
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lte=now)
    with transaction.atomic():
        rows = Registration.objects.select_for_update(skip_locked=True, of=("self",))
        row = rows.filter(free, step__in=WORKING).select_related("source", "asked_by").order_by("asked_at").first()
        if row is not None:
            row.claimed_until, row.attempts = now + LEASE, row.attempts + 1
            row.save(update_fields=["claimed_until", "attempts"])
    return row


def _carry(row: Registration, now: datetime, transport: MakeTransport | None) -> None:
    work = _prepare if row.step == Step.PREPARING else _deploy
    try:
        with Wire(row.source, transport, timeout=UPLOAD_SECONDS) as wire:
            work(wire, row)
        _on(row, now)
    except Refused as error:
        _back(row, str(error), error.fields)
    except SourceError as error:
        if row.attempts >= ATTEMPTS:
            _back(row, str(error), {})
        else:
            row.problem, row.claimed_until = str(error)[:1000], now + sources.pause_after(row.attempts)
            row.save(update_fields=["problem", "claimed_until"])
    except DeploymentsError as error:
        _back(row, str(error), {})
    except Exception:  # an answer of another shape, a file that is gone: it would be tried for ever
        logger.exception("Registration %s of %s could not be carried on.", row.pk, row.name)
        _back(row, UNEXPECTED, {})


def _on(row: Registration, now: datetime) -> None:
    """The next step: a person's word is waited for, or all is done."""
    row.problem, row.errors, row.claimed_until, row.attempts = "", {}, None, 0
    if row.step == Step.PREPARING:
        row.results["baselines"] = _drawn(row)
        row.step = Step.READY
        release(row)
    else:
        row.step, row.finished_at = Step.DONE, now
        row.source.discovery_claimed_until = row.source.discovered_at = None
        row.source.save(update_fields=["discovery_claimed_until", "discovered_at"])
    row.save()


def _drawn(row: Registration) -> list[dict[str, Any]]:
    """The drawings; none where the rows cannot be drawn: the source has taken them, so the registration goes on."""
    try:
        return baselines(row)
    except Exception:
        logger.exception("The baselines of registration %s could not be drawn.", row.pk)
        return []


def _back(row: Registration, problem: str, fields: dict[str, str]) -> None:
    """What the source refused is for the person to mend."""
    step = Step.DRAFT if row.step == Step.PREPARING else Step.READY
    found = Registration.objects.filter(pk=row.pk)  # none where somebody has dropped it meanwhile
    found.update(step=step, problem=problem[:1000], errors=fields, claimed_until=None, attempts=0)


def _save(row: Registration, **results: Any) -> None:
    row.results = {**row.results, **results}
    row.save(update_fields=["results"])


def _prepare(wire: Wire, row: Registration) -> None:
    _can_register(wire)
    for role in ("training", "holdout"):
        entry = row.files.get(role)
        if entry and f"{role}DatasetId" not in row.results:
            path = "datasets/fromFile/"
            made = _upload(wire, path, entry, media_type(entry["name"]))
            _save(row, **{f"{role}DatasetId": made["id"]})
    if "packageId" not in row.results:
        package = _package(wire, row)
        _save(row, packageId=package["id"], accuracy=package.get("accuracyBaseline") or {}, package=package)
    entry = row.files.get("artifact")
    if entry and "artifact" not in row.results:
        made = _artifact(wire, row, entry)
        _save(row, artifact=made)


def _can_register(wire: Wire) -> None:
    try:
        wire.get("modelPackages/", [("limit", "1")])
    except Refused as error:
        if error.status in (404, 405, 501):
            raise Refused(CANNOT.format(path="modelPackages/", status=error.status), error.status) from None
        raise


def _upload(wire: Wire, path: str, entry: dict[str, Any], kind: str) -> dict[str, Any]:
    """A stored file streamed on to the source, piece by piece."""
    if not default_storage.exists(entry["path"]):
        raise FileNotFoundError(entry["path"])  # amid the request it would look like a connection that broke
    reply = wire.upload(path, [("name", entry["name"])], pieces(entry["path"]), entry["bytes"], kind)
    found: dict[str, Any] = reply.data if isinstance(reply.data, dict) else {}
    return found


def _package(wire: Wire, row: Registration) -> dict[str, Any]:
    body = {**row.spec, "trainingDatasetId": row.results.get("trainingDatasetId")}
    body["holdoutDatasetId"] = row.results.get("holdoutDatasetId")
    listed = (wire.get("modelPackages/", [("limit", "20")])).data
    for one in listed.get("data", []) if isinstance(listed, dict) else []:
        if body["trainingDatasetId"] and one.get("trainingDatasetId") == body["trainingDatasetId"]:
            return dict(one)
    made: dict[str, Any] = (wire.send("POST", "modelPackages/", body)).data
    return made


def _artifact(wire: Wire, row: Registration, entry: dict[str, Any]) -> Any:
    path = f"modelPackages/{row.results['packageId']}/"
    try:
        return _upload(wire, f"{path}artifact/", entry, "application/octet-stream")
    except Refused as error:
        present = (wire.get(path)).data.get("artifact") if error.status == 409 else None
        if present is None:
            raise
        return present


def _deploy(wire: Wire, row: Registration) -> None:
    if "deploymentId" not in row.results:
        _save(row, deploymentId=_deployment(wire, row))
    if row.source.built_in and row.asked_by is not None and "shared" not in row.results:
        role = {"role": "OWNER", "shareRecipientType": "user", "username": row.asked_by.get_username()}
        body = {"operation": "updateRoles", "roles": [role]}
        try:
            wire.send("PATCH", f"deployments/{row.results['deploymentId']}/sharedRoles/", body)
        except Refused as error:  # the person is no user of the service, or already an owner whose role stays
            _save(row, shared=str(error))
        else:
            _save(row, shared="")
    wanted = row.results.get("associationId")
    if wanted and "settings" not in row.results:
        settings = {"associationId": {"columnNames": [wanted], "requiredInPredictionRequests": False}}
        wire.send("PATCH", f"deployments/{row.results['deploymentId']}/settings/", settings)
        _save(row, settings=True)


def _deployment(wire: Wire, row: Registration) -> str:
    package = row.results["package"]
    for one in wire.deployments():
        model = one.get("model")
        if isinstance(model, dict) and model.get("id") and model.get("id") == package.get("modelId"):
            return str(one["id"])
    body = {"modelPackageId": row.results["packageId"], "label": row.name}
    if row.results.get("importance"):
        body["importance"] = row.results["importance"]
    made = (wire.send("POST", "deployments/fromModelPackage/", body)).data
    return str(made["id"])


def _watched(now: datetime, limit: int) -> list[Registration]:
    """Those whose first row somebody waits for; a few seconds apart."""
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lte=now)
    with transaction.atomic():
        rows = Registration.objects.select_for_update(skip_locked=True, of=("self",)).select_related("source")
        found = list(rows.filter(free, step=Step.DONE, watched_until__gt=now, first_row_at=None)[:limit])
        Registration.objects.filter(pk__in=[row.pk for row in found]).update(claimed_until=now + LOOK_EVERY)
    return found


def _look(row: Registration, now: datetime, transport: MakeTransport | None) -> None:
    path = f"deployments/{row.results['deploymentId']}/predictionResults/"
    try:
        with Wire(row.source, transport) as wire:
            reply = wire.get(path, [("limit", str(FIRST_ROWS))])
    except DeploymentsError as error:
        Registration.objects.filter(pk=row.pk).update(problem=str(error)[:1000])
        return
    found = reply.data.get("data") if isinstance(reply.data, dict) else None
    if found:
        Registration.objects.filter(pk=row.pk).update(rows=found[:FIRST_ROWS], first_row_at=now, problem="")
