"""The Java archive of a package: kept as data, looked through when it comes, handed out, and rebuilt with the address
to which its predictions and service events are to be reported. Vitals never runs it.

A rebuilt archive holds the same entries in the same order, then CONFIGURATION, all with one fixed date: the same
archive and the same configuration give the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import tempfile
import zipfile
from typing import IO, Any

import msgspec
from django.core.files import File
from django.core.files.base import ContentFile
from django.db import transaction

from deployments import jobs
from deployments.ingest.errors import Refused, TooMuch
from deployments.models import DeployedModel, Job, ModelPackage, ScoringCode, ScoringCodeBuild

KIND = "scoringCodeBuild"
CONFIGURATION = "META-INF/vitals/reporting.json"
MANIFEST = "META-INF/MANIFEST.MF"
LARGEST = 512 << 20
MOST_ENTRIES = 50_000
MOST_UNPACKED = 4 << 30
PIECE = 1 << 20
DATE = (1980, 1, 1, 0, 0, 0)


class Taken(ValueError):
    """The package has its archive already: packages never change."""


def check(content: bytes, place: str) -> None:
    """Raise Refused unless the content is a sound Java archive, TooMuch if it is larger than we take."""
    if len(content) > LARGEST:
        raise TooMuch(f"At most {LARGEST >> 20} MiB of scoring code.")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            if len(entries) > MOST_ENTRIES or sum(entry.file_size for entry in entries) > MOST_UNPACKED:
                raise TooMuch("The archive unpacks to more than this server takes.")
            names = {entry.filename for entry in entries}
            if broken := archive.testzip():
                raise Refused({place: f"The archive is damaged at {broken}."})
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise Refused({place: f"Not a Java archive: {str(error)[:200]}"}) from None
    if MANIFEST not in names:
        raise Refused({place: f"Not a Java archive: it has no {MANIFEST}."})
    if any(name.startswith("/") or ".." in name.split("/") for name in names):
        raise Refused({place: "An entry of the archive points outside of it."})


def attach(package: ModelPackage, content: bytes, name: str, *, explanations: bool, intervals: bool) -> ScoringCode:
    """Give a package its archive. Raises Refused or TooMuch for what is none, Taken if it has one."""
    check(content, "file")
    row = ScoringCode(
        package=package,
        name=name[:200] or "model.jar",
        digest=hashlib.sha256(content).hexdigest(),
        size=len(content),
        has_explanations=explanations,
        has_intervals=intervals,
    )
    row.file.save(f"{package.public_id}.jar", ContentFile(content), save=False)
    try:
        with transaction.atomic():
            ModelPackage.objects.select_for_update().get(pk=package.pk)
            if ScoringCode.objects.filter(package=package).exists():
                raise Taken("This model package has its scoring code already.")
            row.save()
    except BaseException:
        row.file.delete(save=False)
        raise
    return row


def attach_source(row: ScoringCode, content: bytes) -> None:
    """Add the archive of the sources. Raises as `attach`."""
    check(content, "file")
    if row.source:
        raise Taken("The sources of this scoring code are there already.")
    row.source.save(f"{row.package.public_id}-sources.jar", ContentFile(content), save=False)
    row.save(update_fields=["source"])


def configuration(model: DeployedModel, api: str) -> dict[str, Any]:
    """Where a program with this archive reports to. No token is in it: the program's own environment holds one."""
    one = f"{api.rstrip('/')}/deployments/{model.deployment.public_id}/"
    return {
        "version": 1,
        "deploymentId": model.deployment.public_id,
        "modelId": model.public_id,
        "predictions": f"{one}predictionInputs/fromJSON/",
        "serviceEvents": f"{one}predictionRequests/fromJSON/",
        "tokenVariable": "VITALS_API_TOKEN",
        "maxRows": 10_000,
    }


@jobs.register(KIND)
def build(job: Job) -> str:
    """Rebuild the archive of a deployed model with its reporting configuration."""
    model = DeployedModel.objects.select_related("deployment", "package").get(pk=job.args["model"])
    code = ScoringCode.objects.filter(package=model.package).first()
    if code is None:
        raise jobs.JobFailed("The model package has no scoring code.")
    added = msgspec.json.format(msgspec.json.encode(configuration(model, job.args["api"])), indent=2)
    with tempfile.TemporaryFile() as made, code.file.open("rb") as file:
        rebuilt(file, {CONFIGURATION: added}, made)
        _keep(model, made)
    return f"/api/v2/deployments/{model.deployment.public_id}/scoringCode/?includeAgent=true"


def rebuilt(source: IO[bytes], added: dict[str, bytes], into: IO[bytes]) -> None:
    """Write the archive with these entries added, or put in the place of those of the same name."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(into, "w") as new:
        for entry in old.infolist():
            if entry.filename not in added:
                kept = zipfile.ZipInfo(entry.filename, DATE)
                kept.compress_type, kept.external_attr = entry.compress_type, entry.external_attr
                kept.file_size = entry.file_size
                with old.open(entry) as before, new.open(kept, "w", force_zip64=False) as after:
                    while part := before.read(PIECE):
                        after.write(part)
        for name, content in sorted(added.items()):
            fresh = zipfile.ZipInfo(name, DATE)
            fresh.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(fresh, content)
    into.seek(0)


def _keep(model: DeployedModel, made: IO[bytes]) -> None:
    hashed = hashlib.sha256()
    while part := made.read(PIECE):
        hashed.update(part)
    made.seek(0)
    row = ScoringCodeBuild.objects.filter(model=model).first() or ScoringCodeBuild(model=model)
    former = str(row.file.name) if row.file else ""
    storage = row.file.storage
    row.digest = hashed.hexdigest()
    row.file.save(f"{model.public_id}-{row.digest[:12]}.jar", File(made), save=False)
    row.save()
    if former:
        transaction.on_commit(lambda: storage.delete(former))
