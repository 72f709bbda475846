"""The Celery app and the whole beat schedule.

Messages carry ids only, every task may run twice, and a task is acknowledged when it is done: a worker that dies
gives it back. Nothing lives only in a queue: beat finds again what a lost message would have done.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta

from celery import Celery
from celery.schedules import crontab
from celery.signals import worker_process_init
from django.conf import settings

from config.processes import die_with_parent, settle_memory

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

QUEUES = ("ingest", "rollup", "poll", "mail", "jobs")


@dataclass(frozen=True)
class Entry:
    """One line of the schedule; `expires` is shorter than the period, so that a slow worker never finds a pile."""

    task: str
    queue: str
    every: timedelta | crontab
    expires: timedelta

    def as_celery(self) -> dict[str, object]:
        options = {"queue": self.queue, "expires": self.expires.total_seconds()}
        return {"task": self.task, "schedule": self.every, "options": options}


def seconds(n: int) -> timedelta:
    return timedelta(seconds=n)


SERVICE_SCHEDULE = [
    # Blocks that wait for their roll-up: normally found at once by the request that wrote them; this repairs.
    Entry("deployments.tasks.dispatch_rollups", "rollup", seconds(5), seconds(4)),
    # Jobs that nobody runs: a lost message or a killed worker.
    Entry("deployments.tasks.dispatch_jobs", "jobs", seconds(5), seconds(4)),
    # Health moves with time even when no data comes.
    Entry("deployments.tasks.refresh_health", "rollup", timedelta(minutes=5), timedelta(minutes=4)),
    # Replays of challengers that are due by their schedule.
    Entry("deployments.tasks.run_replays", "jobs", seconds(30), seconds(25)),
    # Retraining that is due by its schedule, or because drift or accuracy declined.
    Entry("deployments.tasks.run_retraining", "jobs", seconds(60), seconds(55)),
    # Reports and custom jobs that are due by their schedule.
    Entry("deployments.tasks.run_scheduled", "jobs", seconds(30), seconds(25)),
    # Mails of reports.
    Entry("deployments.tasks.send_reports", "mail", seconds(15), seconds(14)),
    # Next months' partitions, long before they are needed.
    Entry("deployments.tasks.ensure_partitions", "jobs", timedelta(hours=6), timedelta(hours=5)),
    # Rows and states past their retention; at night in UTC.
    Entry("deployments.tasks.prune", "jobs", crontab(hour="3", minute="10"), timedelta(hours=12)),
]
WATCHER_SCHEDULE = [
    # The cheap list call of each source: what moved.
    Entry("monitoring.tasks.discover_sources", "poll", seconds(60), seconds(55)),
    # Deployments that are due, in batches.
    Entry("monitoring.tasks.dispatch_due_polls", "poll", seconds(15), seconds(14)),
    # Questions that a page is waiting for.
    Entry("monitoring.tasks.dispatch_questions", "poll", seconds(3), seconds(2)),
    # Changes that people made on pages, to be carried out at their source.
    Entry("monitoring.tasks.run_commands", "poll", seconds(5), seconds(4)),
    Entry("monitoring.tasks.run_registrations", "poll", seconds(3), seconds(2)),
    # Incidents: what falls due with time, silent sources, and what a killed transaction left.
    Entry("monitoring.tasks.run_incidents", "poll", seconds(15), seconds(14)),
    # The outbox.
    Entry("monitoring.tasks.send_mail", "mail", seconds(10), seconds(9)),
    # Reviews that are due within a day, and action items that are late.
    Entry("monitoring.tasks.remind_reviews", "mail", crontab(minute="5"), timedelta(minutes=50)),
    # Digests, silences about to end, changes of shift.
    Entry("monitoring.tasks.run_regular", "mail", timedelta(minutes=5), timedelta(minutes=4)),
    # The ping to the outside, while all works.
    Entry("monitoring.tasks.ping_outside", "mail", timedelta(minutes=3), seconds(170)),
    # Snapshots past their retention; at night in UTC.
    Entry("monitoring.tasks.prune", "jobs", crontab(hour="3", minute="40"), timedelta(hours=12)),
]
DEMO_SCHEDULE = [
    # The demo's flights of this hour; does nothing unless the demo is loaded.
    Entry("demo.tasks.feed_live", "ingest", seconds(60), seconds(55)),
]


def schedule() -> list[Entry]:
    """The entries of the halves that are switched on."""
    entries = list(SERVICE_SCHEDULE) if settings.SERVICE_ENABLED else []
    entries += WATCHER_SCHEDULE if settings.DASHBOARD_ENABLED else []
    entries += DEMO_SCHEDULE if "demo" in settings.INSTALLED_APPS else []
    return entries


app = Celery("vitals")
app.conf.update(
    broker_url=settings.CELERY_BROKER_URL,
    # A lost worker's messages come back after this long; longer than any task may run.
    broker_transport_options={"visibility_timeout": settings.TASK_TIME_LIMIT * 2},
    broker_connection_retry_on_startup=True,
    result_backend=None,
    task_ignore_result=True,
    task_serializer="json",
    accept_content=["json"],
    enable_utc=True,
    timezone="UTC",
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    # On a stop, running tasks get this long; then they go back to the queue and the worker ends.
    worker_soft_shutdown_timeout=4,
    worker_enable_soft_shutdown_on_idle=False,
    worker_max_tasks_per_child=2000,
    worker_concurrency=settings.WORKER_CONCURRENCY,
    worker_hijack_root_logger=False,
    worker_send_task_events=False,
    task_time_limit=settings.TASK_TIME_LIMIT,
    task_soft_time_limit=settings.TASK_TIME_LIMIT - 15,
    task_default_queue="jobs",
    task_create_missing_queues=True,
    task_routes={
        **{
            f"deployments.tasks.{name}": {"queue": "rollup"}
            for name in ("roll_up", "dispatch_rollups", "refresh_health", "judge")
        },
        "deployments.tasks.send_reports": {"queue": "mail"},
        "deployments.tasks.*": {"queue": "jobs"},
        **{
            f"monitoring.tasks.{name}": {"queue": "mail"}
            for name in ("send_mail", "run_regular", "ping_outside", "remind_reviews")
        },
        "monitoring.tasks.*": {"queue": "poll"},
        "demo.tasks.*": {"queue": "ingest"},
    },
    beat_schedule={entry.task: entry.as_celery() for entry in schedule()},
    # In memory only: every entry is safe to run again after a restart of beat.
    beat_scheduler="config.beat:Scheduler",
    beat_max_loop_interval=2,
)
app.autodiscover_tasks(lambda: [name for name in settings.INSTALLED_APPS if "." not in name])


@worker_process_init.connect
def _end_with_the_worker(**_: object) -> None:
    """A worker that is killed outright takes its processes along, so that none works on unseen."""
    settle_memory()
    if os.environ.get("VITALS_CHILD"):
        die_with_parent()
