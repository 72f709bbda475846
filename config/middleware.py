"""`/healthz`, answered before anything else: probes ask by address, so the host name is not checked."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse

from config import health


class HealthMiddleware:
    """200 when database, Redis and migrations are fine, else 503; the body says which part."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path not in ("/healthz", "/healthz/"):
            return self.get_response(request)
        parts = health.check()
        response = JsonResponse(
            {"healthy": health.healthy(parts), **parts}, status=200 if health.healthy(parts) else 503
        )
        response["Cache-Control"] = "no-store"
        return response
