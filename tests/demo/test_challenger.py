"""The demo's challenger: trained from what was replayed, replayed itself, and not made twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from django.db import connection
from django.utils import timezone

from demo import access, load, store, watching
from demo.client import Client
from demo.extras import challenger
from demo.story import STORIES
from deployments import jobs
from deployments.models import Block, Deployment, RetrainingRun
from deployments.rollups import fill

US = next(story for story in STORIES if story.slug == challenger.SLUG)

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def worker() -> Iterator[None]:
    """Somebody who does the service's jobs meanwhile."""
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(0.05):
            for pk in jobs.waiting():
                jobs.run(pk)
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_the_challenger_is_trained_replayed_and_made_once(
    live_server: Any, settings: Any, tmp_path: Path, flights: pl.DataFrame
) -> None:
    settings.DATA_DIR = tmp_path
    flights.write_parquet(store.folder() / "flights.parquet")
    way_in = access.granted(live_server.url)
    watching.watch(way_in.apiUrl, way_in.apiToken)
    with Client(way_in.apiUrl, way_in.apiToken) as client:
        sender = load.prepare(client, timezone.now(), lambda text: None, (US,))
        load.load_weeks(sender, range(1, 3), lambda text: None, "two weeks", (US,))
        deployment = Deployment.objects.get(public_id=sender.deployed[US.slug].deployment_id)
        assert fill.run(deployment.pk, timezone.now())
        with worker():
            challenger.add(sender)
            challenger.add(sender)
        run = RetrainingRun.objects.get()
        assert (run.status, run.error_message) == ("succeeded", "")
        made = deployment.challengers.get()
        requests = Block.objects.filter(deployment_id=deployment.pk, kind=1, is_replay=False)
        replayed = Block.objects.filter(deployment_id=deployment.pk, model_id=made.model_id)
        assert sum(block.rows for block in replayed) == sum(block.rows for block in requests) > 0
        span = {"start": "2013-01-01T00:00:00Z", "end": "2013-01-02T00:00:00Z"}
        path = f"{sender.deployed[US.slug].path}/accuracy/"
        assert client.get(path, modelId=made.model.public_id, **span)["modelId"] == made.model.public_id
