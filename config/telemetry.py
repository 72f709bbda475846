"""`/metrics` for Prometheus: figures of both halves, read from the database so that every process answers the same.

Off until a token or networks are named. Answers are kept for some seconds: scraping more often costs nothing more.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.module_loading import import_string
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector

from monitoring.networks import within

Labels = tuple[tuple[str, str], ...]
Gauge = tuple[str, str, list[tuple[Labels, float]]]
KEPT_SECONDS = 10
KEY = "telemetry"


class Figures(Collector):
    """What the halves tell, as Prometheus sees it."""

    def __init__(self, gauges: Iterable[Gauge]) -> None:
        self.gauges = list(gauges)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for name, meaning, samples in self.gauges:
            names = [label for label, _ in samples[0][0]] if samples else []
            family = GaugeMetricFamily(name, meaning, labels=names)
            for labels, value in samples:
                family.add_metric([text for _, text in labels], value)
            yield family


def gauges(now: datetime) -> list[Gauge]:
    """The figures of every half that is switched on (`settings.GAUGES`)."""
    readers: list[Callable[[datetime], list[Gauge]]] = [import_string(path) for path in settings.GAUGES]
    return [gauge for read in readers for gauge in read(now)]


def exposition(now: datetime) -> bytes:
    """The text of the answer, at most ten seconds old."""
    found = cache.get(KEY)
    if found is None:
        registry = CollectorRegistry(auto_describe=False)
        registry.register(Figures(gauges(now)))
        found = generate_latest(registry)
        cache.set(KEY, found, KEPT_SECONDS)
    return bytes(found)


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """404 while switched off and for whoever may not know; 401 for a wrong token."""
    if not settings.METRICS_TOKEN and not settings.METRICS_NETWORKS:
        return HttpResponse("Not found.", status=404, content_type="text/plain")
    if not _may_see(request):
        answer = HttpResponse("A token is needed.", status=401, content_type="text/plain")
        answer["WWW-Authenticate"] = "Bearer"
        return answer
    answer = HttpResponse(exposition(timezone.now()), content_type=CONTENT_TYPE_LATEST)
    answer["Cache-Control"] = "no-store"
    return answer


def _may_see(request: HttpRequest) -> bool:
    """The token, or an address within the networks."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if settings.METRICS_TOKEN and scheme.lower() == "bearer":
        return hmac.compare_digest(given.strip().encode(), settings.METRICS_TOKEN.encode())
    return within(_address(request), settings.METRICS_NETWORKS)


def _address(request: HttpRequest) -> str:
    """Who asks. What came through a proxy that nobody told us of is nobody: the proxy's own address opens nothing."""
    forwarded = request.headers.get("X-Forwarded-For", "")
    if not forwarded and "Forwarded" not in request.headers:
        return str(request.META.get("REMOTE_ADDR", ""))
    return forwarded.rsplit(",", 1)[-1].strip() if settings.BEHIND_PROXY else ""
