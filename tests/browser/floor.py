"""A deployment of the real service behind the pages, reached over HTTP, and a real Celery worker between them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from deployments import registry
from deployments.api.authentication import issue
from deployments.models import Deployment
from deployments.rollups import fill
from monitoring import sources
from monitoring.models import Membership, Role, Source, Team, Watched
from monitoring.poll import cycle
from tests.browser.own_service import log_in
from tests.browser.test_pages_in_browser import HURRY, Visit
from tests.browser.test_review_in_browser import whole
from tests.dashboard import world as worlds
from tests.deployments.factories import send_actuals, send_predictions
from tests.deployments.onnx_models import make_scoring_package
from tests.deployments.test_retraining import table

LABEL = "Late buyers"
ROWS, HOURS = 400, 72


@dataclass
class Floor(Visit):
    """Somebody who owns the team of the source and the deployment, at a page."""

    def tab(self, slug: str) -> None:
        """A tab of the deployment."""
        self.go(reverse(slug, args=[worlds.beside(lambda: Watched.objects.get(label=LABEL).pk)]))
        assert whole(self.page), f"{slug} scrolls sideways"

    def done(self, words: str) -> None:
        """What was asked for has happened, and the page says so without a reload."""
        told = self.page.locator(".command-passing", has_text=words).first
        expect(told).to_be_visible()
        assert whole(self.page)


@contextmanager
def floor(
    browser: Browser,
    live_server: LiveServer,
    viewport: dict[str, int],
    scheme: str,
    *,
    further: str = "",
    hurry: bool = True,
) -> Iterator[Floor]:
    """The deployment with its requests and outcomes of three days, and its owner, who has just logged in.

    `further`: the label of a second one without any. `hurry`: pages look again sooner than in life.
    """
    worlds.beside(lambda: build(live_server.url, further))
    context = browser.new_context(viewport=viewport, color_scheme=scheme, locale="en-GB")  # type: ignore[arg-type]
    if hurry:
        context.add_init_script(HURRY)
    found = Floor(context.new_page(), context, None, live_server.url)  # type: ignore[arg-type]
    found.watch()
    log_in(found, "ines")
    yield found
    assert found.trouble == []
    context.close()


def build(address: str, further: str = "") -> None:
    """The service's side, and the source that watches it."""
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    owner = User.objects.create_user("ines", "ines@example.org", worlds.PASSWORD, first_name="Ines")
    team = Team.objects.create(name="Shop")
    Membership.objects.create(team=team, user=owner, role=Role.OWNER)
    token = issue(owner, "watcher")
    for month in ("February", "March"):
        make_scoring_package(name=f"Buyers, {month}", owner=owner)
    deployment = registry.create_deployment(
        make_scoring_package(name="Buyers, January", owner=owner),
        LABEL,
        owner,
        started_at=now - timedelta(days=40),
        settings={"challengerModels": {"enabled": True}},
    )
    send(deployment, now)
    if further:
        registry.create_deployment(make_scoring_package(name=further, owner=owner), further, owner)
    source = sources.add(team, name="Our own", base_url=f"{address}/api/v2", token=token, user=owner, built_in=True)
    poll(source, datetime.now(UTC))


def send(deployment: Deployment, now: datetime) -> None:
    """Requests with both features, and what came of them."""
    rows = table()
    ids = [f"r{number}" for number in range(ROWS)]
    times = [now - timedelta(hours=1 + number % HOURS) for number in range(ROWS)]
    send_predictions(
        *(deployment, [0.5] * ROWS),
        at=times,
        ids=ids,
        ages=rows["age"].to_list(),
        towns=rows["town"].to_list(),
        received=now,
    )
    send_actuals(deployment, dict(zip(ids, rows["target"].to_list(), strict=True)), received=now)
    assert fill.run(deployment.pk, now)


def poll(source: Source, now: datetime) -> None:
    """One cycle of the watcher, over HTTP."""
    cycle.discover(source, now)
    while ids := cycle.claim_due(source, now, 20):
        cycle.poll(source, ids, now)
