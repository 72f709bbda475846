"""`model/secondaryDatasetConfiguration/`: which secondary datasets a deployment uses, now and before; and, as an
extension, the sets to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
from django.db import transaction
from django.http import Http404
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from deployments import datasets
from deployments.api import params
from deployments.api.deployments import caller
from deployments.api.errors import ValidationFailed
from deployments.api.examples import page_of
from deployments.api.openapi import describes
from deployments.api.pagination import Window, page_of_queryset
from deployments.api.shown import user_id
from deployments.api.views import DeploymentView
from deployments.audit import record
from deployments.models import Deployment, Role, SecondaryConfiguration, SecondaryUse

ID, TIME = "69235c1e8d2f4a7b9c0d1e2f", "2026-01-02T03:04:05Z"
SET = {
    "secondaryDatasetConfigId": ID,
    "name": "Weather of 2026",
    "created": TIME,
    "creatorFullName": "Ada",
    "creatorUserId": "000000000000000000000001",
    "isDefault": False,
    "isDeleted": False,
    "featurelistId": None,
    "projectId": None,
    "credentialIds": [{"catalogVersionId": ID, "credentialId": ID, "url": None}],
    "secondaryDatasets": [
        {"identifier": "weather", "catalogId": ID, "catalogVersionId": ID, "snapshotPolicy": "specified"}
    ],
}
USE = {"configId": ID, "configName": "Weather of 2026", "updated": TIME, "username": "ada"}
Name = Annotated[str, Meta(min_length=1, max_length=200)]


class SecondaryDataset(Struct, rename="camel"):
    """One secondary dataset under the name by which the model knows it."""

    identifier: Name
    catalog_id: str
    catalog_version_id: str | None = None
    snapshot_policy: Literal["specified", "latest", "dynamic"] = "specified"


class SetBody(Struct, rename="camel"):
    """A set to choose from."""

    name: Name
    secondary_datasets: Annotated[list[SecondaryDataset], Meta(min_length=1, max_length=100)]


class CredentialRef(Struct, rename="camel"):
    """Which stored credential opens a dataset; the name of a secret, never the secret."""

    catalog_version_id: Name | None = None
    credential_id: Name | None = None
    url: Annotated[str, Meta(max_length=2000)] | None = None


class UseBody(Struct, rename="camel"):
    """The set to use from now on."""

    secondary_dataset_config_id: str
    credentials_ids: Annotated[list[CredentialRef], Meta(max_length=100)] = []


@dataclass(frozen=True, kw_only=True)
class PageQuery(params.Query):
    """A part of a list."""

    offset: int = params.whole("offset", default=0, help="Items to skip.")
    limit: int = params.whole("limit", default=100, minimum=1, maximum=1000, help="Items to return.")


class SecondaryConfigurationView(DeploymentView):
    """The set that is used."""

    roles = {"GET": Role.CONSUMER, "PATCH": Role.OWNER}

    @describes("Retrieve the secondary datasets in use.", answer=SET, errors=(401, 404))
    def get(self, request: Request, deployment_id: str) -> Response:
        use = uses_of(self.deployment).first()
        if use is None:
            raise Http404
        return Response(shown(use.configuration, use.credentials))

    @describes("Use another set of secondary datasets.", body=UseBody, status=204)
    def patch(self, request: Request, deployment_id: str) -> Response:
        body = self.body(UseBody)
        rows = SecondaryConfiguration.objects.filter(deployment=self.deployment, is_deleted=False)
        found = rows.filter(public_id=body.secondary_dataset_config_id).first()
        if found is None:
            raise ValidationFailed({"secondaryDatasetConfigId": "There is no such set in this deployment."})
        versions = {one["catalogVersionId"] for one in found.datasets}
        for place, credential in enumerate(body.credentials_ids):
            if credential.catalog_version_id is not None and credential.catalog_version_id not in versions:
                where = f"credentialsIds[{place}].catalogVersionId"
                raise ValidationFailed({where: "Not a dataset of this set."})
        with transaction.atomic():
            former = uses_of(self.deployment).first()
            credentials = msgspec.to_builtins(body.credentials_ids)
            SecondaryUse.objects.create(
                deployment=self.deployment, configuration=found, credentials=credentials, user=caller(request)
            )
            before = {} if former is None else {"id": former.configuration.public_id}
            record(self.deployment, caller(request), "secondaryDatasets.changed", before, {"id": found.public_id})
        return Response(status=204)


class SecondaryHistoryView(DeploymentView):
    """All sets that were used, the newest first."""

    roles = {"GET": Role.CONSUMER}

    @describes("List the secondary datasets that were used.", query=PageQuery, answer=page_of(USE))
    def get(self, request: Request, deployment_id: str) -> Response:
        query = self.read(PageQuery)
        rows = uses_of(self.deployment)
        return Response(page_of_queryset(request, rows, Window(query.offset, query.limit), history))


class SecondarySetsView(DeploymentView):
    """The sets to choose from."""

    roles = {"GET": Role.CONSUMER, "POST": Role.OWNER}

    @describes("List sets of secondary datasets.", query=PageQuery, answer=page_of(SET), extension=True)
    def get(self, request: Request, deployment_id: str) -> Response:
        query = self.read(PageQuery)
        rows = SecondaryConfiguration.objects.filter(deployment=self.deployment).select_related("created_by")
        window = Window(query.offset, query.limit)
        return Response(page_of_queryset(request, rows.order_by("-pk"), window, lambda page: [shown(r) for r in page]))

    @describes("Make a set of secondary datasets.", body=SetBody, answer=SET, status=201, extension=True)
    def post(self, request: Request, deployment_id: str) -> Response:
        body, user = self.body(SetBody), caller(request)
        if SecondaryConfiguration.objects.filter(deployment=self.deployment, name=body.name).exists():
            raise ValidationFailed({"name": "There is a set of this name already."})
        known = set(
            datasets.visible(user)
            .filter(public_id__in=[one.catalog_id for one in body.secondary_datasets])
            .values_list("public_id", flat=True)
        )
        for place, one in enumerate(body.secondary_datasets):
            if one.catalog_id not in known:
                raise ValidationFailed({f"secondaryDatasets[{place}].catalogId": "There is no such dataset."})
        rows = [
            {**msgspec.to_builtins(one), "catalogVersionId": one.catalog_version_id or one.catalog_id}
            for one in body.secondary_datasets
        ]
        with transaction.atomic():
            first = not SecondaryConfiguration.objects.filter(deployment=self.deployment).exists()
            made = SecondaryConfiguration.objects.create(
                deployment=self.deployment, name=body.name, datasets=rows, is_default=first, created_by=user
            )
            record(self.deployment, user, "secondaryDatasets.created", {}, {"id": made.public_id, "name": made.name})
        return Response(shown(made), status=201)


class SecondarySetView(DeploymentView):
    """One set."""

    roles = {"DELETE": Role.OWNER}

    @describes("Delete a set of secondary datasets.", status=204, extension=True, errors=(401, 403, 404))
    def delete(self, request: Request, deployment_id: str, config_id: str) -> Response:
        rows = SecondaryConfiguration.objects.filter(deployment=self.deployment, is_deleted=False)
        if not rows.filter(public_id=config_id).update(is_deleted=True):
            raise Http404
        record(self.deployment, caller(request), "secondaryDatasets.deleted", {"id": config_id}, {})
        return Response(status=204)


def uses_of(deployment: Deployment) -> Any:
    """What was used, the newest first."""
    rows = SecondaryUse.objects.filter(deployment=deployment)
    return rows.select_related("configuration__created_by", "user").order_by("-at", "-pk")


def history(rows: Sequence[SecondaryUse]) -> list[dict[str, Any]]:
    return [
        {
            "configId": row.configuration.public_id,
            "configName": row.configuration.name,
            "updated": row.at,
            "username": None if row.user is None else row.user.get_username(),
        }
        for row in rows
    ]


def shown(row: SecondaryConfiguration, credentials: Sequence[Any] = ()) -> dict[str, Any]:
    """A set in the words of the reference."""
    who = row.created_by
    return {
        "secondaryDatasetConfigId": row.public_id,
        "name": row.name,
        "created": row.created_at,
        "creatorFullName": None if who is None else who.get_full_name() or who.get_username(),
        "creatorUserId": None if who is None else user_id(who),
        "isDefault": row.is_default,
        "isDeleted": row.is_deleted,
        "featurelistId": None,
        "projectId": None,
        "credentialIds": list(credentials),
        "secondaryDatasets": row.datasets,
    }
