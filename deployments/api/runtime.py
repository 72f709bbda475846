"""`runtimeParameters/`: what a deployment passes to its model, within what the model's package defines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import Struct
from rest_framework.request import Request
from rest_framework.response import Response

from deployments import runtime
from deployments.api import params
from deployments.api.deployments import caller
from deployments.api.errors import ValidationFailed
from deployments.api.examples import page_of
from deployments.api.openapi import describes
from deployments.api.pagination import Window, page_of_list
from deployments.api.views import DeploymentView
from deployments.models import Role
from deployments.runtime import Setting

PLACE = "runtimeParameterValues"
ORDERS = ("createdAt", "-createdAt", "name", "-name")
PARAMETER = {
    "fieldName": "retries",
    "type": "numeric",
    "defaultValue": 3,
    "overrideValue": 5,
    "currentValue": 5,
    "minValue": 0,
    "maxValue": 10,
    "allowEmpty": True,
    "credentialType": None,
    "description": "How often to try again.",
    "keyValueId": "69235c1e8d2f4a7b9c0d1e2f",
}
MOST = 1000


class ValuesBody(Struct, rename="camel"):
    """The values to set, all others going back to the package's: a list, or such a list as JSON text."""

    runtime_parameter_values: str | list[Setting]


@dataclass(frozen=True, kw_only=True)
class RuntimeQuery(params.Query):
    """Which parameters, in which order; they are all made with their package, in its order."""

    offset: int = params.whole("offset", default=0, help="Parameters to skip.")
    limit: int = params.whole("limit", default=100, minimum=1, maximum=1000, help="Parameters to return.")
    order_by: str = params.choice("orderBy", ORDERS, default="createdAt")


class RuntimeParametersView(DeploymentView):
    """The parameters of the champion, with what this deployment makes of them."""

    roles = {"GET": Role.CONSUMER, "PUT": Role.OWNER}

    @describes("List runtime parameters.", query=RuntimeQuery, answer=page_of(PARAMETER))
    def get(self, request: Request, deployment_id: str) -> Response:
        query = self.read(RuntimeQuery)
        rows = runtime.shown(self.deployment)
        if query.order_by.endswith("name"):
            rows.sort(key=lambda row: str(row["fieldName"]))
        if query.order_by.startswith("-"):
            rows.reverse()
        return Response(page_of_list(request, rows, Window(query.offset, query.limit)))

    @describes("Replace the runtime parameters that the deployment sets.", body=ValuesBody, answer=page_of(PARAMETER))
    def put(self, request: Request, deployment_id: str) -> Response:
        wanted = settings_of(self.body(ValuesBody).runtime_parameter_values)
        try:
            runtime.replace(self.deployment, wanted, caller(request), PLACE)
        except runtime.BadValues as bad:
            raise ValidationFailed(bad.errors) from None
        rows: list[dict[str, Any]] = runtime.shown(self.deployment)
        return Response(page_of_list(request, rows, Window(0, MOST)))


def settings_of(given: str | list[Setting]) -> list[Setting]:
    """The values of a body; 422 for text that is not a JSON list of them."""
    if isinstance(given, list):
        return given
    try:
        return msgspec.json.decode(given.encode(), type=list[Setting])
    except msgspec.ValidationError as bad:
        text, place = params.split_path(str(bad))
        raise ValidationFailed({f"{PLACE}{place}": text}) from None
    except (msgspec.DecodeError, UnicodeError):
        raise ValidationFailed({PLACE: "Not a list of values as JSON text."}) from None
