"""Table of contents: the API, the pages, the admin, `/metrics`. `/healthz` is answered by `config.middleware`."""

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from config import telemetry

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("metrics", telemetry.metrics, name="metrics"),
]
if settings.SERVICE_ENABLED:
    urlpatterns += [path("api/v2/", include("deployments.api.urls"))]
if settings.DASHBOARD_ENABLED:
    urlpatterns += [path("", include("dashboard.urls"))]
    if settings.EMAIL_WEBHOOK_SECRET:
        # What the mail provider tells about mail that did not arrive.
        urlpatterns += [path("bounces/", include("anymail.urls"))]
    handler400 = "dashboard.views.errors.bad_request"
    handler403 = "dashboard.views.errors.forbidden"
    handler404 = "dashboard.views.errors.not_found"
    handler500 = "dashboard.views.errors.server_error"
