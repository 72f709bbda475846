"""The Django application of the watcher."""

from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    name = "monitoring"
    verbose_name = "Watching"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from monitoring import checks  # noqa: F401  registers the system checks
        from monitoring.mail import bounces

        bounces.listen()
