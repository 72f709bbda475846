"""Polling: a first poll of a fleet, Celery and snapshots included, and a cycle over an unchanged fleet.

The far side is a server process of its own with 20 ms of latency and bodies of 2.5 KB. The bound by latency is what
`CONCURRENCY` requests at a time could reach if nothing cost any time; bare httpx asks the same URLs with the same
concurrency and stores nothing. `python -m benchmarks.polling PORT` is the far side.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson

from benchmarks.table import Row

#: The whole fleet, and the part of it whose first poll is timed: about 50 questions each, 15,000 requests.
DEPLOYMENTS, FIRST = 1_000, 300
LATENCY, CONCURRENCY, BODY = 0.02, 100, 2_500
WORKERS = 2


def run() -> list[Row]:
    """Rows for goal 5 (first poll, unchanged cycle) and goal 6 (cost of a task)."""
    from benchmarks.environment import ready

    ready()
    import config.celery  # noqa: F401  makes the tasks' app the project's

    port = _free_port()
    with _process([sys.executable, "-m", "benchmarks.polling", str(port)]) as _:
        _wait_for(port)
        bare = asyncio.run(_bare_httpx(port))
        return _measure(port, bare)


def _measure(port: int, bare: float) -> list[Row]:
    from django.utils import timezone

    from monitoring.models import PollRun
    from monitoring.poll import cycle

    source = _source(port)
    began = time.perf_counter()
    cycle.discover(source, timezone.now())
    discovered = time.perf_counter() - began
    env = {**os.environ, "POLL_CONCURRENCY": str(CONCURRENCY // WORKERS), "PYTHONWARNINGS": "ignore"}
    worker = [sys.executable, "-m", "celery", "-A", "config.celery", "worker", "-Q", "poll", "-c", str(WORKERS)]
    with _process([*worker, "--loglevel", "ERROR", "--without-gossip", "--without-mingle"], env):
        _warm_up()
        seconds, batches = _first_poll(source)
    asked = sum(PollRun.objects.filter(kind="poll").values_list("asked", flat=True))
    bound = asked * LATENCY / CONCURRENCY
    cycle_seconds, cycle_requests = _unchanged_cycle(source)
    task = _task_cost()
    per_request = seconds / asked
    return [
        Row(
            f"first poll of {FIRST} deployments, {asked:,} GETs",
            f"{seconds:.1f} s",
            f"latency bound {bound:.1f} s",
            seconds / bound,
            "≤ 3×",
            ok=seconds <= 3 * bound,
        ),
        Row(
            "a GET with its snapshot, against bare httpx (one client)",
            f"{per_request * 1e3:.2f} ms",
            f"{bare * 1e3:.2f} ms",
            per_request / bare,
        ),
        Row(
            f"cycle over {DEPLOYMENTS:,} unchanged deployments",
            f"{cycle_seconds:.2f} s",
            "1 s",
            cycle_seconds,
            "≤ 1 s",
            unit="s",
            ok=cycle_seconds <= 1,
        ),
        Row("its requests", str(cycle_requests), "25", cycle_requests, "≤ 25", unit="", ok=cycle_requests <= 25),
        Row(
            f"cost of the {batches:,} tasks of that first poll",
            f"{task * batches * 1e3:.0f} ms",
            f"{seconds:.1f} s",
            task * batches / seconds * 100,
            "≤ 10 %",
            unit="%",
            ok=task * batches <= 0.1 * seconds,
        ),
        Row(
            "reading the list for the first time",
            f"{discovered:.2f} s",
            f"{DEPLOYMENTS // 100} pages",
            discovered,
            unit="s",
        ),
    ]


def _first_poll(source: Any) -> tuple[float, int]:
    """Seconds from dispatch until every deployment was polled and judged, and the number of batches."""
    from django.utils import timezone

    from monitoring.models import PollRun, Watched
    from monitoring.tasks import dispatch_source_polls

    later = Watched.objects.order_by("pk").values("pk")[FIRST:]
    Watched.objects.filter(pk__in=later).update(due_at=timezone.now() + timedelta(days=1), backfilled_at=timezone.now())
    began = time.perf_counter()
    dispatch_source_polls(source)
    while Watched.objects.filter(backfilled_at__isnull=True).exists():
        if time.perf_counter() - began > 300:
            raise RuntimeError("The first poll did not end within five minutes.")
        time.sleep(0.05)
    return time.perf_counter() - began, PollRun.objects.filter(kind="poll").count()


def _unchanged_cycle(source: Any) -> tuple[float, int]:
    """List, dispatch and everything that follows while nothing has moved."""
    from django.utils import timezone

    from monitoring.poll import cycle

    best, requests = float("inf"), 0
    for _ in range(3):
        source.refresh_from_db()
        began = time.perf_counter()
        run_ = cycle.discover(source, timezone.now())
        due = cycle.claim_due(source, timezone.now(), DEPLOYMENTS)
        best = min(best, time.perf_counter() - began)
        if run_ is None or due:
            raise RuntimeError("The cycle was not over an unchanged fleet.")
        requests = run_.asked
    return best, requests


def _task_cost() -> float:
    """Seconds that enqueueing one message takes."""
    from monitoring.tasks import poll_batch

    began = time.perf_counter()
    for _ in range(100):
        poll_batch.apply_async((0, []), queue="benchmark")
    return (time.perf_counter() - began) / 100


def _warm_up() -> None:
    """Waits until the worker carries out a task, so that its start is not measured."""
    from monitoring.models import PollRun
    from monitoring.tasks import discover_source

    source_id, before = _source_id(), PollRun.objects.count()
    deadline = time.monotonic() + 60
    discover_source.apply_async((source_id,), queue="poll")
    while PollRun.objects.count() == before and time.monotonic() < deadline:
        time.sleep(0.05)


def _source_id() -> int:
    from monitoring.models import Source

    return int(Source.objects.values_list("pk", flat=True)[0])


def _source(port: int) -> Any:
    from monitoring import sources
    from monitoring.models import Source, Team

    Source.objects.all().delete()
    team, _ = Team.objects.get_or_create(name="Benchmark")
    return sources.add(team, name="far", base_url=f"http://127.0.0.1:{port}/api/v2", token="t", built_in=True)


async def _bare_httpx(port: int) -> float:
    """Seconds a GET of one shared httpx client at the same concurrency, nothing stored."""
    slots, number = asyncio.Semaphore(CONCURRENCY), 1_000
    limits = httpx.Limits(max_connections=CONCURRENCY, max_keepalive_connections=CONCURRENCY)
    async with httpx.AsyncClient(limits=limits, timeout=60) as client:

        async def one(index: int) -> None:
            async with slots:
                url = f"http://127.0.0.1:{port}/api/v2/deployments/d{index % DEPLOYMENTS}/settings/"
                (await client.get(url)).json()

        began = time.perf_counter()
        await asyncio.gather(*(one(index) for index in range(number)))
        return (time.perf_counter() - began) / number


class _process:
    """A child process for the length of a block."""

    def __init__(self, argv: list[str], env: dict[str, str] | None = None) -> None:
        self._argv, self._env = argv, env

    def __enter__(self) -> subprocess.Popen[bytes]:
        self._child = subprocess.Popen(self._argv, env=self._env, start_new_session=True)
        return self._child

    def __exit__(self, *_: object) -> None:
        os.killpg(self._child.pid, signal.SIGTERM)
        try:
            self._child.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(self._child.pid, signal.SIGKILL)
            self._child.wait()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_for(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("The far side did not start.")


# --- The far side -------------------------------------------------------------------------------------------------


def _serve(port: int) -> None:
    from aiohttp import web

    entries = [_entry(index) for index in range(DEPLOYMENTS)]

    # Its own processor time would count as the poller's on shared cores: each distinct answer is rendered once.
    rendered: dict[tuple[str, str], bytes] = {}

    async def answer(request: web.Request) -> web.Response:
        await asyncio.sleep(LATENCY)
        tail = request.path.split("/", 5)[-1] if request.path.count("/") > 4 else request.path
        asked = (tail, request.query_string)
        if asked not in rendered:
            rendered[asked] = orjson.dumps(_answer(request.path, request.query, entries))
        return web.Response(body=rendered[asked], content_type="application/json")

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=None)


def _answer(path: str, query: Any, entries: list[dict[str, Any]]) -> dict[str, Any]:
    if path.endswith("/version/"):
        return {"major": 2, "versionString": "2.36.0"}
    if path.endswith("/deployments/"):
        offset, limit = int(query.get("offset", 0)), int(query.get("limit", 20))
        following = f"/api/v2/deployments/?offset={offset + limit}" if offset + limit < len(entries) else None
        return {"totalCount": len(entries), "next": following, "data": entries[offset : offset + limit]}
    if "bucketSize" in query:
        return {"buckets": _buckets(query), "metric": query.get("metric", "")}
    filler = "x" * (BODY - 200)
    return {"data": [], "metrics": {}, "filler": filler, "next": None}


def _buckets(query: Any) -> list[dict[str, Any]]:
    size = timedelta(hours=1) if query["bucketSize"] == "PT1H" else timedelta(days=1)
    start, end = datetime.fromisoformat(query["start"]), datetime.fromisoformat(query["end"])
    names = query.getall("featureNames", [""])
    count = min(max(1, BODY // 90), -(-(end - start) // size))
    return [
        {
            "period": {"start": _iso(start + size * i), "end": _iso(min(start + size * (i + 1), end))},
            "value": 1.0,
            "featureName": name,
        }
        for name in names
        for i in range(count)
    ]


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _entry(index: int) -> dict[str, Any]:
    health = {"status": "passing", "message": ""}
    return {
        "id": f"d{index}",
        "label": f"Deployment {index}",
        "status": "active",
        "importance": "LOW",
        "createdAt": "2026-01-01T00:00:00Z",
        "model": {"id": f"m{index}", "targetType": "Binary", "targetName": "y"},
        "predictionUsage": {"dailyRates": [100.0] * 7, "lastTimestamp": "2026-01-02T00:00:00Z"},
        "serviceHealth": health,
        "modelHealth": health,
        "accuracyHealth": health,
        "settings": {"batchMonitoringEnabled": False},
        "description": "x" * 1_500,
    }


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
