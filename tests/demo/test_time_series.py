"""The forecasts of the demo: real days through the real door, and figures against scikit-learn's."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from django.utils import timezone
from sklearn.metrics import root_mean_squared_error

from demo import access, store
from demo.client import Client
from demo.clock import shift_to
from demo.extras import time_series
from demo.models import Replay
from demo.sending import Sender
from deployments.models import Block, Deployment, IngestRequest
from deployments.tasks import roll_up

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)


@pytest.fixture
def sender(live_server: Any, settings: Any, tmp_path: Path, flights: pl.DataFrame) -> Iterator[Sender]:
    settings.DATA_DIR = tmp_path
    flights.write_parquet(store.folder() / "flights.parquet")
    now = timezone.now()
    Replay.begin(now, shift_to(now))
    way_in = access.granted(live_server.url)
    with Client(way_in.apiUrl, way_in.apiToken) as client:
        yield Sender(client, {}, {}, flights)


def test_the_forecasts_are_scored_by_what_later_requests_tell(sender: Sender) -> None:
    time_series.add(sender)
    deployment = Deployment.objects.get(label=time_series.LABEL)
    roll_up(deployment.pk)
    replay = Replay.objects.get()
    daily = time_series.departures(sender.flights)
    model = time_series.fit(time_series.examples(daily, *time_series.FITTED))
    until = (replay.horizon - replay.shift - timedelta(hours=5)).replace(hour=0, minute=0, second=0, microsecond=0)
    since = until - 7 * time_series.WEEKS * DAY
    foretold = time_series.predicted(model, time_series.examples(daily, since, until)).filter(pl.col("day") < until)

    def asked(**more: str) -> Any:
        moved = {name: f"{day + replay.shift:%Y-%m-%dT%H:00:00Z}" for name, day in (("start", since), ("end", until))}
        path = f"deployments/{deployment.public_id}/accuracyOverTime/"
        return sender.client.get(path, metric="RMSE", **moved, **more)["summary"]

    whole = asked()
    assert whole["sampleSize"] == foretold.height
    wanted = root_mean_squared_error(foretold[time_series.TARGET], foretold["prediction"])
    assert whole["value"] == pytest.approx(wanted, rel=1e-9)
    far = foretold.filter(pl.col("forecast_distance") == 7)
    part = asked(segmentAttribute="Forecast Distance", segmentValue="7")
    assert part["sampleSize"] == far.height
    assert part["value"] == pytest.approx(root_mean_squared_error(far[time_series.TARGET], far["prediction"]), rel=1e-9)


def test_adding_it_again_changes_nothing(sender: Sender) -> None:
    time_series.add(sender)
    before = (Block.objects.count(), IngestRequest.objects.count(), Deployment.objects.count())
    time_series.add(sender)
    assert (Block.objects.count(), IngestRequest.objects.count(), Deployment.objects.count()) == before
