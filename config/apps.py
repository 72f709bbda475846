"""The wiring as an app, so that its commands (`up`, `healthcheck` …) are found."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """No models."""

    name = "config"
    label = "vitals_config"

    def ready(self) -> None:
        """Whoever enqueues a task, in whatever process or thread, means our Celery app."""
        from config.celery import app

        app.set_default()
