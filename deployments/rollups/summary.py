"""The figures that lists show: predictions a day. Counted from the blocks' headers, so that no row is read."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection

from deployments.models import BlockKind, Deployment

DAYS = 8
RECENT = timedelta(days=7)


def refresh(deployment_id: int, now: datetime) -> None:
    """Predictions of each of the last days, by the rows sent or by what service events report, whichever is more.

    What challengers were replayed with is not counted: no caller asked for it.
    """
    today = now.date()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT day, max(made) FROM (SELECT day, kind, sum(predictions) AS made FROM deployments_block "
            "WHERE deployment_id = %s AND day > %s AND kind = ANY(%s) AND NOT is_replay GROUP BY 1, 2) d "
            "GROUP BY 1 ORDER BY 1",
            [deployment_id, today - timedelta(days=DAYS), [int(BlockKind.PREDICTIONS), int(BlockKind.SERVICE)]],
        )
        made = {day: int(count) for day, count in cursor.fetchall()}
    recent = sum(count for day, count in made.items() if day > today - RECENT)
    Deployment.objects.filter(pk=deployment_id).update(
        daily_predictions={day.isoformat(): count for day, count in made.items()}, recent_predictions=recent
    )
