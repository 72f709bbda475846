"""Made-up requests of every kind to every operation, over WSGI to the real application and its database: never a 500.

Requests come from the OpenAPI document: good ones, and ones that break its rules. Most have the ids of real things and
some good values in their query, so that they get past the first checks. The seed is fixed: a failure comes again.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from pytest_django import DjangoDbBlocker
from schemathesis import GenerationMode

from deployments.api import urls
from deployments.api.authentication import issue
from deployments.models import DeploymentRole, Role
from tests.deployments.test_operations import World, build, good_values

REQUESTS = 8
"""For each operation."""

METHODS = ("get", "post", "put", "patch", "delete")


def operations() -> Iterator[tuple[str, str]]:
    """Path and method of everything that the API serves."""
    for route in (*urls.reference, *urls.extensions):
        view: Any = getattr(route.callback, "view_class", None)
        path = "/api/v2/" + re.sub("<str:(.*?)>", r"{\1}", str(route.pattern))
        for method in METHODS:
            if view is not None and method in view.http_method_names and hasattr(view, method):
                yield path, method


OPERATIONS = [one for one in operations() if "openapi.json" not in one[0]]


class Fuzzed:
    """The world of these requests: what is in it, who asks, and the document that says what can be asked."""

    def __init__(self, world: World) -> None:
        self.world = world
        owner = DeploymentRole.objects.get(deployment=world.deployment, role=Role.USER).user
        assert owner is not None
        DeploymentRole.objects.filter(user=owner).update(role=Role.OWNER)
        self.headers = {"Authorization": f"Bearer {issue(owner, 'fuzz')}"}
        out = io.StringIO()
        call_command("spectacular", format="openapi-json", stdout=out)
        self.schema = schemathesis.openapi.from_dict(json.loads(out.getvalue()))
        self.application = get_wsgi_application()
        named = {re.sub("([A-Z])", r"_\1", name).lower(): value for name, value in world.known.items()}
        self.ids = named | {"batch_id": named["monitoring_batch_id"]}
        self.values = good_values(world)


@pytest.fixture(scope="module")
def fuzzed(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Fuzzed]:
    # As Django's own test client does: a request must not close the connection that holds this transaction.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    try:
        with django_db_blocker.unblock(), transaction.atomic():
            yield Fuzzed(build())
            transaction.set_rollback(True)
    finally:
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)


@pytest.mark.parametrize(("path", "method"), OPERATIONS, ids=[f"{method} {path}" for path, method in OPERATIONS])
def test_no_request_brings_the_server_down(fuzzed: Fuzzed, db: None, path: str, method: str) -> None:
    operation = fuzzed.schema[path][method]
    cases = st.one_of(
        operation.as_strategy(GenerationMode.POSITIVE),
        operation.as_strategy(GenerationMode.NEGATIVE),
    )

    @seed(20130101)
    @settings(
        max_examples=REQUESTS,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases, real=st.integers(0, 7), chosen=st.sets(st.sampled_from(sorted(fuzzed.values))))
    def ask(case: Any, real: int, chosen: set[str]) -> None:
        if real:
            case.path_parameters = dict(case.path_parameters or {}) | {
                name: value for name, value in fuzzed.ids.items() if f"{{{name}}}" in path
            }
        declared = {one.name for one in operation.query}
        case.query = dict(case.query or {}) | {name: fuzzed.values[name] for name in chosen & declared}
        with transaction.atomic():
            answer = case.call(app=fuzzed.application, headers=fuzzed.headers, buffered=True)
            transaction.set_rollback(True)
        assert answer.status_code < 500, (answer.status_code, case.as_curl_command())
        if answer.status_code >= 400:
            assert set(answer.json()) == {"message", "errors"}
            assert answer.headers["content-type"] == ["application/json"]

    ask()
