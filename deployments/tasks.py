"""Tasks hold no logic: each fetches, calls one function, and may run twice without harm."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module

from celery import shared_task
from django.utils import timezone

from deployments import wake


@shared_task(name="deployments.tasks.roll_up")
def roll_up(deployment_id: int) -> None:
    """Bring the states of one deployment up to date."""
    from deployments.rollups import fill

    wake.began(deployment_id)
    fill.run(deployment_id, timezone.now())


@shared_task(name="deployments.tasks.dispatch_rollups")
def dispatch_rollups() -> None:
    """Fan out to every deployment with work to do; those asked for a moment ago are on their way."""
    from deployments.rollups import fill

    for pk in fill.waiting_deployments():
        wake.roll_up(pk)


@shared_task(name="deployments.tasks.run_job")
def run_job(pk: int) -> None:
    """Carry out one job."""
    from deployments import jobs

    for module in HANDLERS:
        import_module(module)
    jobs.run(pk)


@shared_task(name="deployments.tasks.dispatch_jobs")
def dispatch_jobs() -> None:
    """Wake a worker for every job that nobody works on."""
    from deployments import jobs

    for pk in jobs.waiting():
        wake.run_job(pk)


@shared_task(name="deployments.tasks.ensure_partitions")
def ensure_partitions() -> None:
    """Make the tables of this month and the next."""
    from deployments import partitions

    today = timezone.now().date()
    partitions.ensure([today, today + timedelta(days=31)])


@shared_task(name="deployments.tasks.refresh_health")
def refresh_health() -> None:
    """Time windows move on without data: verdicts that are a few minutes old are looked at again, some a task."""
    from deployments import health

    for pks in health.portions(timezone.now()):
        wake.judge(pks)


@shared_task(name="deployments.tasks.judge")
def judge(pks: list[int]) -> None:
    """Judge some deployments; those that were judged meanwhile are left."""
    from deployments import health

    health.refresh_stale(pks, timezone.now())


@shared_task(name="deployments.tasks.prune")
def prune() -> None:
    """Delete what is past its retention."""
    from deployments import retention

    retention.prune(timezone.now())


@shared_task(name="deployments.tasks.run_replays")
def run_replays() -> None:
    """Start the replays that are due, and removals of challengers that stopped half-way."""
    from deployments import replay_schedule

    replay_schedule.run_due(timezone.now())
    replay_schedule.go_on_removing()


@shared_task(name="deployments.tasks.run_retraining")
def run_retraining() -> None:
    """Start the runs of retraining whose trigger says so."""
    from deployments.retraining import policies

    policies.run_due(timezone.now())


@shared_task(name="deployments.tasks.run_scheduled")
def run_scheduled() -> None:
    """Start the reports and the custom jobs that are due."""
    for module in ("deployments.reporting.work", "deployments.custom_jobs.work"):
        import_module(module).run_due(timezone.now())


@shared_task(name="deployments.tasks.send_reports")
def send_reports() -> None:
    """Mail the reports that wait."""
    from deployments.reporting import outbox

    outbox.send_due(timezone.now())


HANDLERS = (
    "deployments.api.settings",
    "deployments.api.deployments",
    "deployments.deletions.work",
    "deployments.erasure",
    "deployments.exports.work",
    "deployments.ingest.processing",
    "deployments.ingest.datasets",
    "deployments.replacement",
    "deployments.scoring_code",
    "deployments.challengers",
    "deployments.replay",
    "deployments.retraining.run",
    "deployments.custom_metrics.uploads",
    "deployments.custom_jobs.work",
    "deployments.reporting.work",
)
"""Modules that register handlers of jobs."""
