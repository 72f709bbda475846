"""Small helpers that all reports share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from deployments.models import MonitoringBatch
from metrics.buckets import Bucket


def finite(value: float) -> float | None:
    """A plain float, or None where it is undefined."""
    number = float(value)
    return number if math.isfinite(number) else None


def period(bucket: Bucket | tuple[datetime | None, datetime | None]) -> dict[str, Any]:
    """A period as JSON."""
    start, end = bucket
    return {"start": start, "end": end}


def batch_period(batches: Sequence[MonitoringBatch]) -> dict[str, Any]:
    """From the first to the last prediction of the batches; null where there are none."""
    starts = [batch.earliest_prediction_at for batch in batches if batch.earliest_prediction_at is not None]
    ends = [batch.latest_prediction_at for batch in batches if batch.latest_prediction_at is not None]
    return {"start": min(starts, default=None), "end": max(ends, default=None)}


def share(part: float, whole: float) -> float | None:
    """A percentage from 0 to 100; None of nothing."""
    return 100 * part / whole if whole else None
