"""The app's entry."""

from django.apps import AppConfig


class DeploymentsConfig(AppConfig):
    """The Deployments API: ingest, roll-ups, reports, answers."""

    name = "deployments"

    def ready(self) -> None:
        from deployments import checks  # noqa: F401  registers the system checks
