"""Thins what was known when: this hour by the newest, older hours one by one, days before yesterday one a day.

So a chart of thirty days reads tens of rows a series however often it was polled. Of a bucket that changed several
times within one thinned stretch the last version stays, with the time at which it was known.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Count
from django.db.models.functions import TruncDay

from monitoring import packing
from monitoring.clock import floor_day
from monitoring.models import SeriesChunk
from monitoring.packing import KnownBucket

#: Hours are kept one by one for this long.
KEEP_HOURS = timedelta(days=1)
_BATCH = 500

_ANSWERS = """
    DELETE FROM monitoring_answer AS answer USING (
        SELECT id, row_number() OVER (
            PARTITION BY topic_id, date_trunc('day', known_at, 'UTC') ORDER BY known_at DESC, id DESC
        ) AS place FROM monitoring_answer WHERE known_at < %s
    ) AS ranked WHERE answer.id = ranked.id AND ranked.place > 1
"""


def compact(now: datetime) -> int:
    """Thins whole days before yesterday and returns the rows that went away."""
    before = floor_day(now - KEEP_HOURS)
    with connection.cursor() as cursor:
        cursor.execute(_ANSWERS, [before])
        gone = int(cursor.rowcount)
    return gone + _compact_chunks(before)


def _compact_chunks(before: datetime) -> int:
    days = SeriesChunk.objects.filter(known_at__lt=before).annotate(day=TruncDay("known_at"))
    crowded = days.values_list("topic_id", "day", "reconstructed").annotate(rows=Count("pk")).filter(rows__gt=1)
    found = list(crowded.order_by("topic_id", "day").values_list("topic_id", "day", "reconstructed"))
    gone = 0
    for first in range(0, len(found), _BATCH):
        with transaction.atomic():
            gone += sum(_merge(topic, day, again) for topic, day, again in found[first : first + _BATCH])
    return gone


def _merge(topic_id: int, day: datetime, reconstructed: bool) -> int:
    """Puts the chunks of one topic and day into one; another worker's merge finds a single row and does nothing."""
    rows = SeriesChunk.objects.select_for_update().filter(topic=topic_id, reconstructed=reconstructed)
    chunks = list(rows.filter(known_at__gte=day, known_at__lt=day + timedelta(days=1)).order_by("known_at", "pk"))
    if len(chunks) < 2:
        return 0
    buckets = merged(chunks)
    SeriesChunk.objects.create(
        topic_id=topic_id,
        known_at=chunks[0].known_at,
        first=buckets[0][0],
        last=buckets[-1][0],
        payload=packing.pack_known_buckets(buckets),
        reconstructed=reconstructed,
    )
    SeriesChunk.objects.filter(pk__in=[chunk.pk for chunk in chunks]).delete()
    return len(chunks) - 1


def merged(chunks: Sequence[SeriesChunk]) -> list[KnownBucket]:
    """The last version of every bucket, in order of time; `chunks` in order of knowledge."""
    found: dict[datetime, KnownBucket] = {}
    for chunk in chunks:
        for bucket in packing.unpack_buckets(chunk.payload):
            found[bucket[0]] = bucket
    return [found[start] for start in sorted(found)]
