"""The schedule: every entry expires before its next turn, its task exists, and somebody works on its queue."""

from __future__ import annotations

from datetime import timedelta

import pytest

from config.celery import QUEUES, Entry, app, schedule
from config.roles import POLLER_QUEUES, WORKER_QUEUES

ENTRIES = schedule()


def ids(entry: Entry) -> str:
    return entry.task


@pytest.mark.parametrize("entry", ENTRIES, ids=ids)
def test_an_entry_expires_before_its_next_turn(entry: Entry) -> None:
    period = entry.every if isinstance(entry.every, timedelta) else timedelta(days=1)
    assert timedelta(0) < entry.expires < period


@pytest.mark.parametrize("entry", ENTRIES, ids=ids)
def test_an_entrys_task_exists_and_goes_to_a_queue_that_is_worked_on(entry: Entry) -> None:
    app.loader.import_default_modules()
    assert entry.task in app.tasks
    assert entry.queue in QUEUES


def test_the_two_workers_share_all_queues() -> None:
    assert sorted(WORKER_QUEUES + POLLER_QUEUES) == sorted(QUEUES)


def test_every_task_of_ours_is_routed_to_a_queue_that_is_worked_on() -> None:
    app.loader.import_default_modules()
    ours = [name for name in app.tasks if name.split(".")[0] in {"deployments", "monitoring", "demo"}]
    assert ours
    for name in ours:
        queue = app.amqp.router.route({}, name)["queue"]
        assert queue.name in QUEUES, name


def test_messages_are_json_and_given_back_by_a_worker_that_dies() -> None:
    assert app.conf.accept_content == ["json"]
    assert app.conf.task_acks_late
    assert app.conf.task_reject_on_worker_lost
    assert app.conf.worker_prefetch_multiplier == 1
    assert app.conf.broker_transport_options["visibility_timeout"] > app.conf.task_time_limit
