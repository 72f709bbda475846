"""One at a time in a team: incidents are changed by verdicts, by timers and by people, and group over deployments."""

from __future__ import annotations

from django.db import connection

#: The first key of our advisory locks: "inci" as bytes.
_SPACE = 0x696E6369


def lock_team(team_id: int) -> None:
    """Waits for the team's lock and holds it until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_SPACE, team_id % 2**31])
