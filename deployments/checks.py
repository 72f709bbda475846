"""Settings of the service that contradict one another stop the start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register


@register()
def retention_is_in_order(app_configs: Sequence[Any] | None, **_: Any) -> list[CheckMessage]:
    """States are made of rows and days of hours, so each must be kept at least as long as what it is made of."""
    if settings.RETENTION_HOURS_DAYS > settings.RETENTION_DAYS_DAYS:
        return [
            Error(
                "RETENTION_HOURS_DAYS is longer than RETENTION_DAYS_DAYS.",
                hint="Keep daily states at least as long as hourly ones.",
                id="deployments.E001",
            )
        ]
    if settings.RETENTION_ROWS_DAYS > settings.RETENTION_HOURS_DAYS:
        return [
            Warning(
                "RETENTION_ROWS_DAYS is longer than RETENTION_HOURS_DAYS.",
                hint="Rows would outlive the hourly states made of them.",
                id="deployments.W001",
            )
        ]
    return []


@register()
def limits_fit_together(app_configs: Sequence[Any] | None, **_: Any) -> list[CheckMessage]:
    """A file may not be allowed fewer rows than a JSON body."""
    if settings.MAX_FILE_ROWS < settings.MAX_JSON_ROWS:
        return [Error("MAX_FILE_ROWS is less than MAX_JSON_ROWS.", id="deployments.E002")]
    return []
