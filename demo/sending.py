"""Sending to the service: predictions with their events, actuals, batches; and the weeks of the past.

Weeks count back from the last week of the data (0). Every request has an id that follows from what
it is about, so one that was cut off is sent again and counts once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

import polars as pl

from demo.client import Client, Refused
from demo.clock import END, LAST_WEEK, WEEK, Span
from demo.models import Replay
from demo.registration import Deployed, Models
from demo.replay import asked, outcomes, reigned, score
from demo.story import MIDNIGHT, Story

CONFLICT = 409
"""The service has this request already, with other bytes: the latencies of a second scoring."""

MONTH = "%B %Y"
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Sender:
    """One token's way to the service, with the fitted models and the flights at hand."""

    client: Client
    deployed: Mapping[str, Deployed]
    models: Models
    flights: pl.DataFrame
    alone: Lock = field(default_factory=Lock)
    """Held while requests are answered, so that their times are not another thread's; and while batches are made."""

    def week(self, story: Story, week: int, replay: Replay) -> int:
        """Send one week as far as it lies before the horizon; answers its predictions. Safe in several threads."""
        start = LAST_WEEK - week * WEEK
        until = min(start + WEEK, END, replay.horizon - replay.shift)
        sent = self.predictions(story, Span(start, until, replay.shift), f"week-{week}")
        served = Span(max(start, story.since), until, replay.shift)
        self.actuals(story, outcomes(story, self.flights, served, replay.horizon), f"week-{week}")
        return sent

    def predictions(self, story: Story, span: Span, request_id: str) -> int:
        """Score what was asked in the span, champion by champion; answers the prediction rows sent."""
        sent = 0
        for number, part in enumerate(reigned(story, span)):
            rows = asked(story, self.flights, part.span)
            if rows.is_empty():
                continue
            with self.alone:
                replayed = score(story, self.models[part.recipe.name].scorer, rows)
            model_id = self.deployed[story.slug].model_ids[part.recipe.name]
            name = f"{request_id}-{number}"
            if not replayed.predictions.is_empty():
                predictions = self._in_batches(story, replayed.predictions)
                self._once(story, "predictionInputs/fromFile/", predictions, name, modelId=model_id)
            events = self._in_batches(story, replayed.events)
            self._once(story, "predictionRequests/fromFile/", events, f"{name}-events", modelId=model_id)
            sent += replayed.predictions.height
        return sent

    def actuals(self, story: Story, outcomes: pl.DataFrame, request_id: str) -> None:
        """Send outcomes that have become known."""
        if not outcomes.is_empty():
            self._once(story, "actuals/fromFile/", outcomes, f"{request_id}-actuals")

    def batches(self, story: Story, since: datetime, until: datetime) -> dict[str, str]:
        """The ids of the monthly batches of `[since, until)` by name; missing ones are made."""
        with self.alone:
            return self._batches(f"{self.deployed[story.slug].path}/monitoringBatches/", since, until)

    def _batches(self, path: str, since: datetime, until: datetime) -> dict[str, str]:
        known = {row["name"]: str(row["id"]) for row in self.client.all(path)}
        day = since - MIDNIGHT
        while day < until - MIDNIGHT:
            name = day.strftime(MONTH)
            if name not in known:
                known[name] = str(self.client.send("POST", path, {"batchName": name})["id"])
            day += DAY
        return known

    def _in_batches(self, story: Story, rows: pl.DataFrame) -> pl.DataFrame:
        """The rows with the id of their month's batch, where the story is watched by batch."""
        if not story.by_batch:
            return rows
        moments = rows["timestamp"]
        ids = self.batches(story, moments.dt.min(), moments.dt.max() + DAY)  # type: ignore[operator, arg-type]
        names = (moments - MIDNIGHT).dt.strftime(MONTH)
        return rows.with_columns(names.replace_strict(ids, return_dtype=pl.String).alias("batch_id"))

    def _once(self, story: Story, path: str, rows: pl.DataFrame, request_id: str, **params: str) -> None:
        """Send a table under a request id; one that was accepted before is accepted."""
        try:
            address = f"{self.deployed[story.slug].path}/{path}"
            self.client.upload(address, rows, requestId=f"demo-{request_id}", **params)
        except Refused as refusal:
            if refusal.status != CONFLICT:
                raise


def oldest_week(story: Story) -> int:
    """The week in which the story's first champion began to serve."""
    return -((story.since - LAST_WEEK) // WEEK)
