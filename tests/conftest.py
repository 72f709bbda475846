"""Every test run has real servers of its own: PostgreSQL and Redis in a temporary folder, gone with the run.

`DATABASE_URL` and `REDIS_URL` are used instead where they are set. Under xdist the controller starts the servers and
its workers share them: each has a database of its own name and a Redis database of its own number.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import django
import hypothesis
import pytest

from config import env
from config.embedded import DataFolder, Servers
from tests import chromium, emptying, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# Nothing is timed in tests: a busy machine is no failure. CI judges the change, not the luck of the draw: it always
# tries the same examples; every run elsewhere looks for new ones (`--hypothesis-profile=thorough` for many of them).
hypothesis.settings.register_profile("patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
patient = hypothesis.settings.get_profile("patient")
hypothesis.settings.register_profile("repeatable", parent=patient, derandomize=True, database=None, print_blob=True)
hypothesis.settings.register_profile("thorough", parent=patient, max_examples=1000)
hypothesis.settings.load_profile("repeatable" if os.environ.get("CI") else "patient")

KEPT = frozenset({"DATABASE_URL", "REDIS_URL", "VITALS_DATA"})


def _start_servers() -> None:
    """Set the environment for the settings; runs before any test module or settings are imported."""
    folder = Path(tempfile.mkdtemp(prefix="vitals-test-", dir="/tmp"))
    folder.chmod(0o711)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    data = DataFolder(folder)
    data.prepare()
    (folder / "static").mkdir()
    os.environ["VITALS_DATA"] = str(folder)
    servers = Servers(
        data, database="DATABASE_URL" not in os.environ, queue="REDIS_URL" not in os.environ, throwaway=True
    )
    assert servers.lock()
    atexit.register(servers.stop)
    servers.start()
    os.environ.setdefault("DATABASE_URL", data.database_url)
    os.environ.setdefault("REDIS_URL", data.redis_url)


def _use_own_redis_database(worker: str) -> None:
    """gw0, gw1 … use the Redis databases 1, 2 …"""
    number = int(worker.removeprefix("gw")) + 1
    parts = urlsplit(os.environ["REDIS_URL"])
    if parts.scheme == "unix":  # `urlunsplit` would drop the slashes of a scheme that it does not know
        os.environ["REDIS_URL"] = f"unix://{parts.path}?db={number}"
    else:
        os.environ["REDIS_URL"] = urlunsplit(parts._replace(path=f"/{number}"))


def _use_own_folder(worker: str) -> None:
    """Files of one worker: a restored backup takes away all that lie in the folder."""
    folder = Path(os.environ["VITALS_DATA"]) / worker
    DataFolder(folder).prepare()
    (folder / "static").mkdir(exist_ok=True)
    os.environ["VITALS_DATA"] = str(folder)


def _forget_a_developers_settings() -> None:
    """What is set for a running installation must not change a test; the first reading says which names there are."""
    example = Path(__file__).parent.parent / ".env.example"
    names = {line.lstrip("# ").split("=")[0] for line in example.read_text().splitlines() if "=" in line}
    for name in names - KEPT:
        os.environ.pop(name, None)


os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
_forget_a_developers_settings()
if worker := os.environ.get("PYTEST_XDIST_WORKER"):
    _use_own_redis_database(worker)
    _use_own_folder(worker)
else:
    _start_servers()
django.setup()
emptying.install()
served.install()
assert env.VARIABLES, "the settings were read"


def pytest_configure(config: pytest.Config) -> None:
    """A worker of xdist must not inherit the settings' name: it would read them before it has a Redis of its own."""
    if getattr(config.option, "dist", "no") != "no" and not hasattr(config, "workerinput"):
        os.environ.pop("DJANGO_SETTINGS_MODULE", None)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests last: Playwright's event loop stays in its thread, and `asyncio.run` refuses to run beside it.

    The long ones of them first, so that no worker is left alone with one when the others have ended.
    """
    items.sort(
        key=lambda item: ("browser" in getattr(item, "fixturenames", ()), item.get_closest_marker("long") is None)
    )


@pytest.fixture(autouse=True)
def _clean_redis() -> None:
    """No test sees another's queue, counters or cache."""
    import redis
    from django.conf import settings

    client = redis.Redis.from_url(settings.REDIS_URL)
    client.flushdb()
    client.close()


@pytest.fixture(autouse=True)
def _no_page_stays_open(request: pytest.FixtureRequest) -> Iterator[None]:
    """No page goes on asking the server during the next test, and no question is left in the middle of its answer."""
    yield
    if "browser" in request.fixturenames:
        found: Browser = request.getfixturevalue("browser")
        for context in found.contexts:
            context.close()
    if "live_server" in request.fixturenames:
        served.wait()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real Chromium for the session; open pages with `browser.new_context(...)`."""
    program = chromium.require()
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=chromium.PATIENCE_MS)

    # Playwright keeps an event loop in this thread; Django would refuse to ask the database beside it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield found
        found.close()
