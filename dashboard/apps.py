"""The app's entry."""

from django.apps import AppConfig


class DashboardConfig(AppConfig):
    """The pages and charts; reads the watcher's snapshots only."""

    name = "dashboard"

    def ready(self) -> None:
        """Log-ins and changes of passwords and factors are written down."""
        from dashboard.sign_on.signals import connect

        connect()
