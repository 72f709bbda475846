"""The service of this installation behind the pages, with real flights, and a real Celery worker that does the work.

What a person asks for on a page goes its whole way: a command row, the worker, HTTP to the service's own doors, its
jobs, and back onto the page. Only the clock of the schedule is quicker here than in life.
"""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import Any

import numpy as np
import polars as pl
import pytest
from celery import signals
from celery.contrib.testing.worker import start_worker
from django.contrib.auth.models import User
from django.db import connection
from django.urls import reverse
from playwright.sync_api import Browser, Locator, expect
from pytest_django.live_server_helper import LiveServer

from config.celery import QUEUES, app
from deployments import registry
from deployments.api.authentication import issue
from deployments.models import Deployment, Feature, ModelPackage
from deployments.rollups import fill
from metrics import fit_categorical, fit_numeric
from monitoring import sources, tasks
from monitoring.models import Role, Source, Team, Watched
from monitoring.poll import cycle
from tests.browser.test_pages_in_browser import DESK, HURRY, PHONE, Visit
from tests.browser.test_review_in_browser import whole
from tests.dashboard import flights
from tests.dashboard import world as worlds

#: Both ways in which people look at pages.
SEEN = pytest.mark.parametrize(("viewport", "scheme"), [(DESK, "light"), (PHONE, "dark")], ids=["desk", "phone"])
SENT = 120
TICK = 0.5
LATE = "Late flights"
MONTHLY = "Late flights by month"


@dataclass
class House:
    """Somebody logged in who owns what is watched; `tomas` only reads, and `eve` is in another team."""

    visit: Visit
    source: Source
    team: Team
    owner: User
    address: str

    def watched(self, label: str = LATE) -> Watched:
        return worlds.beside(lambda: Watched.objects.get(label=label))

    def remote(self, label: str = LATE) -> Deployment:
        """The deployment as the service has it."""
        return worlds.beside(lambda: Deployment.objects.get(label=label))

    def go(self, name: str, *more: Any, query: str = "", label: str = LATE) -> None:
        """A page of the deployment."""
        self.visit.go(reverse(name, args=[self.watched(label).pk, *more]) + query)
        assert whole(self.visit.page), f"{name} scrolls sideways"

    def section(self, slug: str) -> Locator:
        """A section of the manage tab."""
        return self.visit.page.locator(f"section#{slug}")

    def line(self, slug: str, name: str) -> Locator:
        """One thing of a section."""
        return self.section(slug).locator("li", has=self.visit.page.get_by_text(name, exact=True))

    def done(self, sentence: str) -> None:
        """What was asked for has happened, and the page says so without a reload."""
        self._told("passing", sentence)

    def refused(self, sentence: str) -> None:
        self._told("failing", sentence)

    def conflict(self, sentence: str) -> None:
        self._told("warning", sentence)

    def gone(self, line: Locator) -> None:
        """What was deleted no longer stands on the manage tab."""
        expect(self.visit.page).to_have_url(re.compile("/manage/"))  # no page before it shows the line either
        expect(line).to_have_count(0)

    def _told(self, tone: str, sentence: str) -> None:
        told = self.visit.page.locator(f".command-{tone}").filter(has_text=sentence)
        expect(told.first).to_be_visible()


@contextmanager
def house(
    browser: Browser, live_server: LiveServer, viewport: dict[str, int], scheme: str, *, batch: bool = False
) -> Iterator[House]:
    """One deployment of the service with a few days of flights, watched; the worker runs."""
    found = worlds.beside(lambda: _furnish(live_server.url, batch))
    context = browser.new_context(viewport=viewport, color_scheme=scheme, locale="en-GB")  # type: ignore[arg-type]
    context.add_init_script(HURRY)
    found.visit = Visit(context.new_page(), context, None, live_server.url)  # type: ignore[arg-type]
    found.visit.watch()
    with work():
        log_in(found.visit, "ines")
        yield found
        # a page that is left while a piece of it is on its way says so; that is no trouble
        assert [one for one in found.visit.trouble if not one.startswith("htmx:")] == []
        context.close()


def log_in(visit: Visit, name: str) -> None:
    visit.go(reverse("login"))
    visit.page.get_by_label("User name or e-mail").fill(name)
    visit.page.get_by_label("Password").fill(worlds.PASSWORD)
    visit.page.get_by_role("button", name="Log in").click()
    expect(visit.page.get_by_role("heading", level=1)).to_contain_text("deployment")
    visit.page.wait_for_load_state("load")  # until then buttons are plain forms, which lead to another page


@contextmanager
def work(*but: str) -> Iterator[None]:
    """A Celery worker on every queue `but` some, and the two entries of the schedule that people wait for."""
    over = Event()

    def beat() -> None:
        while not over.wait(TICK):
            for task in (tasks.run_commands, tasks.dispatch_questions):
                task.apply_async(expires=2)

    def close(**_: object) -> None:
        connection.close()

    signals.task_postrun.connect(close)
    ticking = Thread(target=beat, daemon=True)
    try:
        with start_worker(
            app,
            pool="solo",
            perform_ping_check=False,
            queues=[one for one in QUEUES if one not in but],
            loglevel="WARNING",
        ):
            ticking.start()
            yield
            over.set()
            ticking.join()
    finally:
        over.set()
        signals.task_postrun.disconnect(close)


def _furnish(address: str, batch: bool) -> House:
    team, other = Team.objects.create(name="Flight ops"), Team.objects.create(name="Somebody else")
    owner = worlds.person("ines", team, Role.OWNER)
    worlds.person("tomas", team, Role.READONLY)
    worlds.person("eve", other, Role.OWNER)
    token = issue(owner, "watcher")
    rows = flights.Rows(flights.DEPLOYMENTS[0], datetime.now(UTC))
    deployment = registry.create_deployment(
        _package(rows.reference, owner), MONTHLY if batch else LATE, owner, batch_monitoring=batch
    )
    if not batch:
        _send(f"{address}/api/v2/deployments/{deployment.public_id}/predictionInputs/fromJSON/", token, _body(rows))
        fill.run(deployment.pk, datetime.now(UTC))
    source = sources.add(team, name="Our own", base_url=f"{address}/api/v2", token=token, user=owner, built_in=True)
    now = datetime.now(UTC)
    cycle.discover(source, now)
    cycle.poll(source, cycle.claim_due(source, now, 5), now)
    return House(None, source, team, owner, address)  # type: ignore[arg-type]


def _package(reference: pl.DataFrame, owner: User) -> ModelPackage:
    """The model of the flights with the baselines of its two features."""
    package = ModelPackage.objects.create(
        name="Share of late flights",
        owner=owner,
        target_name="late",
        target_type="Binary",
        class_names=["no", "yes"],
        positive_class="yes",
        training_rows=reference.height,
    )
    for place, (name, kind) in enumerate((("distance", "Numeric"), ("carrier", "Categorical"))):
        values: Any = reference[name].to_numpy().astype(float) if kind == "Numeric" else reference[name].to_list()
        bins = fit_numeric(values) if kind == "Numeric" else fit_categorical(values)
        counts = bins.tally(values, np.zeros(len(values), np.int64), 1)[0]
        baseline = {"counts": counts.tolist(), "segments": {}}
        Feature.objects.create(
            package=package, position=place, name=name, kind=kind, tracked=True, bins=bins.to_dict(), baseline=baseline
        )
    return package


def _body(rows: flights.Rows) -> dict[str, Any]:
    """The newest flights, one every half hour up to two hours ago."""
    newest, chances = rows.live.tail(SENT), rows.p[-SENT:]
    last = datetime.now(UTC) - timedelta(hours=2)
    moments = [last - timedelta(minutes=30) * (SENT - 1 - i) for i in range(SENT)]
    item = {
        "predictions": [[1 - float(p), float(p)] for p in chances],
        "timestamps": [moment.isoformat() for moment in moments],
        "associationIds": [f"flight-{i}" for i in range(SENT)],
        "features": [
            {"name": "distance", "values": [float(one) for one in newest["distance"]]},
            {"name": "carrier", "values": newest["carrier"].to_list()},
        ],
    }
    return {"data": [item]}


def _send(url: str, token: str, body: dict[str, Any]) -> None:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    asked = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(asked, timeout=20) as answer:
        assert answer.status == 202
