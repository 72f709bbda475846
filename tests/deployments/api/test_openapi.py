"""The OpenAPI document: complete, valid, and honest about what is not in the reference."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest
from django.core.management import call_command
from rest_framework.test import APIClient

from deployments.api import urls
from tests.deployments.operations import OPERATIONS, Operation
from tests.deployments.reference import REFERENCE


def address(pattern: object) -> str:
    return f"/api/v2/{pattern}".replace("<str:", "{").replace(">", "}")


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """As the command writes it; it fails on any warning and on a document that is not valid."""
    out = io.StringIO()
    call_command("spectacular", validate=True, fail_on_warn=True, format="openapi-json", stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def test_every_route_is_described(document: dict[str, Any]) -> None:
    routes = {address(route.pattern) for route in [*urls.reference, *urls.extensions]}
    assert routes - {"/api/v2/openapi.json"} == set(document["paths"])


def test_what_is_not_in_the_reference_is_marked_and_nothing_else_is(document: dict[str, Any]) -> None:
    extensions = {address(route.pattern) for route in urls.extensions}
    # The document itself, and a door of the reference that stands beside the others.
    extensions -= {"/api/v2/openapi.json", "/api/v2/deployments/{deployment_id}/actuals/fromJSON/"}
    marked = {
        path
        for path, operations in document["paths"].items()
        if all(operation.get("x-vitals-extension") for operation in operations.values())
    }
    assert marked == extensions


def test_parameters_are_described_as_they_are_read(document: dict[str, Any]) -> None:
    operation = document["paths"]["/api/v2/deployments/{deployment_id}/serviceStatsOverTime/"]["get"]
    found = {row["name"]: row for row in operation["parameters"]}
    assert set(found["metric"]["schema"]["enum"]) >= {"totalPredictions", "peakLoad"}
    assert found["quantile"]["schema"] == {"type": "number", "minimum": 0, "maximum": 1, "default": 0.5}


@pytest.mark.django_db
def test_the_document_is_open_to_all() -> None:
    assert APIClient().get("/api/v2/openapi.json").status_code == 200


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)
def test_no_parameter_of_the_reference_is_left_out(document: dict[str, Any], operation: Operation) -> None:
    nameless = {re.sub("{.*?}", "{}", path): found for path, found in document["paths"].items()}
    described = nameless["/api/v2/" + re.sub("{.*?}", "{}", operation.path)][operation.method.lower()]
    named = {row["name"] for row in described.get("parameters", []) if row["in"] == "query"}
    extensions = {row["name"] for row in described.get("parameters", []) if row.get("x-vitals-extension")}
    assert set(REFERENCE[operation.name]) == named - extensions
