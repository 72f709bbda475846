"""The doors of Celery: they hand out ids, once, and nothing for a source that is left alone."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import pytest
import redis
from django.conf import settings
from django.utils import timezone

from config.celery import app, schedule
from monitoring import tasks
from monitoring.models import Source, Watched
from tests.monitoring.factories import make_source, make_watched

pytestmark = pytest.mark.django_db


def queued(queue: str) -> list[tuple[str, list[object]]]:
    """Name and arguments of the messages that wait in a real queue."""
    client = redis.Redis.from_url(settings.REDIS_URL)
    raw = [json.loads(one) for one in client.lrange(queue, 0, -1)]
    client.close()
    return [(one["headers"]["task"], json.loads(base64.b64decode(one["body"]))[0]) for one in raw]


def test_due_deployments_are_handed_out_in_batches_and_once() -> None:
    source = make_source(discovered_at=timezone.now())
    for number in range(settings.POLL_BATCH + 5):
        make_watched(source, remote_id=f"d{number}")
    tasks.dispatch_due_polls()
    tasks.dispatch_due_polls()
    batches = [arguments for name, arguments in queued("poll") if name == "monitoring.tasks.poll_batch"]
    sizes = sorted(len(ids) for _, ids in batches if isinstance(ids, list))
    assert sizes == [5, settings.POLL_BATCH]


def test_a_source_that_was_just_added_is_read_with_the_next_look_at_what_is_due() -> None:
    source = make_source()
    tasks.dispatch_due_polls()
    assert queued("poll") == [("monitoring.tasks.discover_source", [source.pk])]


@pytest.mark.parametrize("fields", [{"enabled": False}, {"open_until": timezone.now() + timedelta(hours=1)}])
def test_a_source_that_is_left_alone_gets_no_task(fields: dict[str, object]) -> None:
    make_watched(make_source(**fields))
    tasks.discover_sources()
    tasks.dispatch_due_polls()
    assert queued("poll") == []


def test_a_batch_for_a_source_that_was_switched_off_meanwhile_is_given_back() -> None:
    watched = make_watched(make_source(discovered_at=timezone.now()))
    tasks.dispatch_due_polls()
    Source.objects.update(enabled=False)
    tasks.poll_batch(watched.source_id, [watched.pk])
    assert Watched.objects.get().claimed_until is None


def test_a_lost_claim_is_free_again() -> None:
    watched = make_watched(
        make_source(discovered_at=timezone.now()), claimed_until=timezone.now() - timedelta(seconds=1)
    )
    tasks.dispatch_due_polls()
    assert [arguments for _, arguments in queued("poll")] == [[watched.source_id, [watched.pk]]]


def test_every_task_of_the_schedule_exists() -> None:
    names = {entry.task for entry in schedule() if entry.task.startswith("monitoring.")}
    assert names
    assert names <= set(app.tasks)
