"""Server time of pages by the number of deployments and of chart points, against the goal of 50 ms at the median.

The pages are asked in process, with the database, session and templates that a server uses. The source is made of real
flights; the fleet is filled up with copies of its deployments and their strips.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import perf_counter

from benchmarks.environment import fresh_world, ready
from benchmarks.table import Row

GOAL_MS = 50.0
TIMES = 21
FLEETS = (10, 1_000, 10_000)


def run() -> list[Row]:
    """One row a page and size."""
    ready()
    from config.processes import settle_memory

    settle_memory()  # as the web process does when it starts
    from django.conf import settings
    from django.core.management import call_command
    from django.test import Client
    from django.urls import reverse

    call_command("collectstatic", interactive=False, verbosity=0)
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "testserver"]
    world = fresh_world()
    client = Client()
    client.force_login(world.owner)
    pk = world.watched().pk
    batch = world.watched("Departure delayed by batch").pk
    rows = []
    for tab in ("overview", "service", "drift", "accuracy", "predictions"):
        rows += [
            _row(f"{tab}, {points} points a line", client, world, reverse(tab, args=[pk]) + query)
            for points, query in ((30, ""), (168, "?range=7d&bin=1h"), (720, "?bin=1h"))
        ]
    rows.append(_row("batches, 6 batches", client, world, reverse("batches", args=[batch])))
    for size in FLEETS:
        fill(size)
        rows.append(_row(f"fleet of {size:,}", client, world, "/?view=all"))
        rows.append(_row(f"fleet of {size:,}, searched", client, world, "/?q=newark"))
        rows.append(_row(f"fleet of {size:,}, by owner", client, world, "/?group=owner"))
        rows.append(_row(f"blind spots of {size:,}", client, world, "/blind-spots/"))
        rows.append(_row(f"wall of {size:,}", client, world, "/tv/"))
    return rows


def _row(name: str, client: object, world: object, url: str) -> Row:
    from django.test import Client

    from tests.dashboard import world as worlds

    assert isinstance(client, Client)
    assert isinstance(world, worlds.World)

    def ask() -> None:
        assert client.get(url).status_code == 200, url

    ask()
    worlds.answer_waiting(world)
    ms = typical(ask)
    return Row(f"page: {name}", f"{ms:.0f} ms", f"{GOAL_MS:.0f} ms", ms / GOAL_MS, "≤ 1", ok=ms <= GOAL_MS)


def typical(work: Callable[[], object]) -> float:
    """Milliseconds at the median; the first run warms up and does not count."""
    work()
    found = []
    for _ in range(TIMES):
        began = perf_counter()
        work()
        found.append(1000 * (perf_counter() - began))
    return median(found)


def fill(size: int) -> None:
    """Copies deployments and their strips until there are `size`."""
    from django.db import connection

    from monitoring.models import HealthDay, Watched

    originals = list(Watched.objects.order_by("pk")[:6])
    have = Watched.objects.count()
    copies = []
    for i in range(have, size):
        copy = Watched(
            **{f.attname: getattr(originals[i % 6], f.attname) for f in Watched._meta.fields if f.name != "id"}
        )
        copy.remote_id, copy.label = f"{i:024x}", f"{copy.label} {i}"
        copies.append(copy)
    made = Watched.objects.bulk_create(copies, batch_size=1000)
    days = {one.pk: list(HealthDay.objects.filter(watched=one)) for one in originals}
    HealthDay.objects.bulk_create(
        (
            HealthDay(watched=one, area=day.area, day=day.day, status=day.status, value=day.value)
            for i, one in enumerate(made, have)
            for day in days[originals[i % 6].pk]
        ),
        batch_size=5000,
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
