"""The app's entry."""

from django.apps import AppConfig


class DashboardConfig(AppConfig):
    """The pages and charts; reads the watcher's snapshots only."""

    name = "dashboard"
