"""The demo end to end: real flights through the real door, and the service's figures against scikit-learn's."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from sklearn.metrics import log_loss, roc_auc_score, root_mean_squared_error

from demo import access, feeding, live, load, store, watching
from demo.client import Client
from demo.clock import LAST_WEEK, WEEK, Span
from demo.extras import rows
from demo.models import LoadedWeek, Replay
from demo.removal import remove
from demo.replay import asked, outcomes, score
from demo.sending import Sender
from demo.story import STORIES, Story
from deployments import jobs, wake
from deployments.models import Block, BlockKind, Dataset, Deployment, DirtyBucket, ModelPackage, PredictionKey, State
from deployments.tasks import roll_up
from monitoring.models import Source, Team

BY_SLUG = {story.slug: story for story in STORIES}
US = BY_SLUG["us-airways-late-arrivals"]
LGA = BY_SLUG["laguardia-late-departures"]
AIR_TIME = BY_SLUG["air-time"]
REPLACED = BY_SLUG["late-departures"]
HOUR = timedelta(hours=1)

pytestmark = pytest.mark.django_db(transaction=True)


def silence(text: str) -> None:
    assert text


@pytest.fixture
def client(live_server: Any, settings: Any, tmp_path: Path, flights: pl.DataFrame) -> Iterator[Client]:
    """A way to the running service, with an empty data folder beside it that knows the flights."""
    settings.DATA_DIR = tmp_path
    flights.write_parquet(store.folder() / "flights.parquet")
    way_in = access.granted(live_server.url)
    watching.watch(way_in.apiUrl, way_in.apiToken)
    with Client(way_in.apiUrl, way_in.apiToken) as client:
        yield client


def prepared(client: Client, *stories: Story) -> Sender:
    return load.prepare(client, timezone.now(), silence, stories)


def load_week(sender: Sender, story: Story, week: int) -> int:
    return load.load_weeks(sender, range(week, week + 1), silence, "one week", (story,))


def rolled_up(sender: Sender, story: Story) -> Deployment:
    deployment = Deployment.objects.get(public_id=sender.deployed[story.slug].deployment_id)
    roll_up(deployment.pk)
    return deployment


def last_whole_week() -> Span:
    """The week before the last one: all of it lies in the past whatever day today is."""
    return Span(LAST_WEEK - WEEK, LAST_WEEK, Replay.objects.get().shift)


def period(span: Span) -> dict[str, str]:
    return {"start": (span.since + span.shift).isoformat(), "end": (span.until + span.shift).isoformat()}


def foretold(sender: Sender, story: Story, span: Span) -> pl.DataFrame:
    """Predictions joined with their outcomes, computed here."""
    rows = score(story, sender.models[story.recipe.name].scorer, asked(story, sender.flights, span)).predictions
    return rows.join(outcomes(story, sender.flights, span, Replay.objects.get().horizon), on="association_id")


def test_the_accuracy_of_a_deployment_is_that_of_scikit_learn(client: Client) -> None:
    sender = prepared(client, US)
    load_week(sender, US, 1)
    rolled_up(sender, US)
    answer = client.get(f"{sender.deployed[US.slug].path}/accuracy/", **period(last_whole_week()))["metrics"]
    rows = foretold(sender, US, last_whole_week())
    late = rows["actual_value"] == "yes"
    assert rows.height > 200
    assert answer["LogLoss"]["value"] == pytest.approx(log_loss(late, rows["prediction_yes"]), abs=1e-9)
    assert answer["AUC"]["value"] == pytest.approx(roc_auc_score(late, rows["prediction_yes"]), abs=1e-9)


def test_the_accuracy_of_a_batch_is_that_of_scikit_learn(client: Client) -> None:
    sender = prepared(client, AIR_TIME)
    for week in range(2):
        load_week(sender, AIR_TIME, week)
    rolled_up(sender, AIR_TIME)
    path = f"{sender.deployed[AIR_TIME.slug].path}/accuracyOverBatch/"
    answer = client.get(path, metric="RMSE")["buckets"]
    shift, horizon = Replay.objects.get().shift, Replay.objects.get().horizon
    rows = foretold(sender, AIR_TIME, Span(LAST_WEEK - WEEK, horizon - shift, shift))
    months = rows.with_columns((pl.col("timestamp") - 5 * HOUR).dt.strftime("%B %Y").alias("month"))
    expected = {
        name: root_mean_squared_error(month["actual_value"], month["prediction"])
        for (name,), month in months.partition_by("month", as_dict=True).items()
    }
    found = {bucket["batchName"]: bucket["value"] for bucket in answer if bucket["value"] is not None}
    assert found == pytest.approx(expected, abs=1e-9)


def test_requests_of_a_batch_count_in_the_batch(client: Client) -> None:
    sender = prepared(client, AIR_TIME)
    load_week(sender, AIR_TIME, 1)
    rolled_up(sender, AIR_TIME)
    rows = asked(AIR_TIME, sender.flights, last_whole_week())
    path = f"{sender.deployed[AIR_TIME.slug].path}/serviceStatsOverBatch/"
    for metric, expected in (("totalPredictions", rows.height), ("totalRequests", rows["asked_at"].n_unique())):
        buckets = client.get(path, metric=metric)["buckets"]
        assert sum(bucket["value"] for bucket in buckets) == expected


def test_refused_requests_are_counted_as_the_callers_errors(client: Client) -> None:
    sender = prepared(client, LGA)
    load_week(sender, LGA, 1)
    rolled_up(sender, LGA)
    events = score(LGA, sender.models[LGA.recipe.name].scorer, asked(LGA, sender.flights, last_whole_week())).events
    answer = client.get(f"{sender.deployed[LGA.slug].path}/serviceStats/", **period(last_whole_week()))["metrics"]
    refused = events.filter(pl.col("status_code") == 422).height
    assert refused > 0
    assert answer["totalRequests"] == events.height
    assert answer["totalPredictions"] == events["num_predictions"].sum()
    assert answer["userErrorRate"] == pytest.approx(refused / events.height)
    assert answer["serverErrorRate"] == 0


def test_both_champions_keep_the_days_in_which_they_served(client: Client) -> None:
    sender = prepared(client, REPLACED)
    load_week(sender, REPLACED, 26)
    deployment = rolled_up(sender, REPLACED)
    shift = Replay.objects.get().shift
    first, second = deployment.models.order_by("started_at")
    assert second == deployment.champion
    assert first.started_at == REPLACED.reigns[0].since + shift
    assert first.ended_at == second.started_at == REPLACED.reigns[1].since + shift
    span = Span(LAST_WEEK - 26 * WEEK, LAST_WEEK - 25 * WEEK, shift)
    path = f"{sender.deployed[REPLACED.slug].path}/serviceStats/"
    for reign, champion in zip(REPLACED.reigns, (first, second), strict=True):
        stats = client.get(path, modelId=champion.package.model_id, **period(span))["metrics"]
        until = min(span.until, REPLACED.reigns[1].since) if reign is REPLACED.reigns[0] else span.until
        served = asked(REPLACED, sender.flights, Span(max(span.since, reign.since), until, shift))
        assert stats["totalPredictions"] == served.height > 0


def test_loading_twice_changes_nothing(client: Client) -> None:
    sender = prepared(client, US)
    assert load_week(sender, US, 1) > 0
    deployment = rolled_up(sender, US)
    before = state_of(deployment)
    again = prepared(client, US)
    assert again.deployed == sender.deployed
    assert load_week(again, US, 1) == 0
    LoadedWeek.objects.all().delete()
    assert load_week(again, US, 1) > 0
    rolled_up(sender, US)
    assert state_of(deployment) == before


def test_the_live_feed_goes_on_where_the_load_ended(client: Client) -> None:
    sender = prepared(client, US)
    replay = Replay.objects.get()
    Replay.objects.update(horizon=replay.horizon - 20 * HOUR, fed_until=replay.horizon - 20 * HOUR)
    load.load_recent(sender, silence, (US,))
    fed = sum(feeding.feed_now(timezone.now()) for _ in range(4))
    deployment = rolled_up(sender, US)
    replay.refresh_from_db()
    until = replay.fed_until
    assert timezone.now() - until < timedelta(minutes=2)
    everything = Span(LAST_WEEK - (load.RECENT_WEEKS - 1) * WEEK, until - replay.shift, replay.shift)
    stats = client.get(
        f"{sender.deployed[US.slug].path}/serviceStats/",
        start=hour(everything.since + replay.shift),
        end=hour(until, 1),
    )
    rows = asked(US, sender.flights, everything)
    assert fed > 0
    assert stats["metrics"]["totalPredictions"] == rows.height
    assert Block.objects.filter(deployment_id=deployment.pk).exists()


def test_a_feed_that_is_sent_twice_counts_once(client: Client) -> None:
    sender = prepared(client, US)
    replay = Replay.objects.get()
    feed = live.Feed(replay.horizon - 20 * HOUR, replay.horizon - 14 * HOUR, replay.shift)
    assert live.send(sender, feed) == live.send(sender, feed)
    rolled_up(sender, US)
    stats = client.get(
        f"{sender.deployed[US.slug].path}/serviceStats/", start=hour(feed.since), end=hour(feed.until, 1)
    )
    rows = asked(US, sender.flights, Span(feed.since - replay.shift, feed.until - replay.shift, replay.shift))
    assert stats["metrics"]["totalPredictions"] == rows.height


def test_the_jobs_of_the_extras_are_done_for_real_and_once(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wake, "run_job", jobs.run)
    for name, value in (("EXPORTED", US.slug), ("REPORTED", (US.slug,)), ("MEASURED", US.slug)):
        monkeypatch.setattr(rows, name, value)
    sender = prepared(client, US)
    load_week(sender, US, 1)
    rolled_up(sender, US)
    for _ in range(2):
        rows.add(sender)
    path = sender.deployed[US.slug].path
    (export,) = client.all(f"{path}/predictionDataExports/")
    assert export["status"] == "SUCCEEDED"
    kept = client.get(f"datasets/{export['data'][0]['id']}/")
    own = Deployment.objects.get(public_id=sender.deployed[US.slug].deployment_id).pk
    sent = Block.objects.filter(deployment_id=own, kind=BlockKind.PREDICTIONS).values_list("rows", flat=True)
    assert kept["rowCount"] == sum(sent) > 200
    (report,) = client.all("scheduledReports/")
    (run,) = client.all(f"scheduledReports/{report['id']}/runs/")
    assert (run["status"], run["mails"]) == ("COMPLETED", [])
    assert client.get(f"datasets/{run['datasetId']}/")["mediaType"] == "text/html"
    assert [row["name"] for row in client.all(f"{path}/customMetrics/")] == [rows.METRIC]
    remove()
    assert not Dataset.objects.exists()


def test_removing_takes_everything_away(client: Client) -> None:
    sender = prepared(client, US)
    load_week(sender, US, 1)
    deployment = rolled_up(sender, US)
    assert remove() == 1
    for table in (Block, State, PredictionKey, DirtyBucket):
        assert not table.objects.filter(deployment_id=deployment.pk).exists()
    for left in (Deployment, ModelPackage, Dataset, Team, Source, Replay, LoadedWeek):
        assert not left._default_manager.exists()
    assert not User.objects.filter(username=watching.USERNAME).exists()
    assert remove() == 0


def state_of(deployment: Deployment) -> set[tuple[object, ...]]:
    names = ("area", "grain", "model_id", "attribute_id", "value_id", "bucket", "payload")
    rows = State.objects.filter(deployment_id=deployment.pk).values_list(*names)
    return {(*key, bytes(payload)) for *key, payload in rows}


def hour(moment: datetime, later: int = 0) -> str:
    return (moment.replace(minute=0, second=0, microsecond=0) + later * HOUR).isoformat()
