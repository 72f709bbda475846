"""Wiring only: settings, addresses, the Celery app and the processes. No models, no rules of the domain."""
