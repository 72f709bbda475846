"""Registering a model at a source from a page: files in, columns guessed, then a worker speaks to the source."""

from monitoring.registering.carrying import run_due
from monitoring.registering.drawing import baselines
from monitoring.registering.files import ROLES, Unreadable, columns_of, keep, release

__all__ = ["ROLES", "Unreadable", "baselines", "columns_of", "keep", "release", "run_due"]
