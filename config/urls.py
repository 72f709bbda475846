"""Table of contents: the API, the pages, the admin, `/metrics`. `/healthz` is answered by `config.middleware`."""

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.urls import URLPattern, URLResolver, include, path

from config import telemetry


def staff_log_in(request: HttpRequest, extra_context: object = None) -> HttpResponse:
    """To the one log-in page; whoever is logged in and still sent here lacks the right."""
    if request.user.is_authenticated:
        raise PermissionDenied("The admin pages are for administrators.")
    return redirect_to_login(request.GET.get("next", "/admin/"), "/login/")


if settings.DASHBOARD_ENABLED:
    # The admin's own log-in page knows no second factor and no single sign-on.
    admin.site.login = staff_log_in  # type: ignore[method-assign]

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("metrics", telemetry.metrics, name="metrics"),
    # Browsers ask for it where an answer is no page, such as a file or a piece of JSON.
    path("favicon.ico", lambda request: redirect(static("img/mark-passing.svg"))),
]
if settings.SERVICE_ENABLED:
    urlpatterns += [path("api/v2/", include("deployments.api.urls"))]
if settings.DASHBOARD_ENABLED:
    urlpatterns += [path("", include("dashboard.urls")), path("account/", include("dashboard.sign_on.urls"))]
    if settings.EMAIL_WEBHOOK_SECRET:
        # What the mail provider tells about mail that did not arrive.
        urlpatterns += [path("bounces/", include("anymail.urls"))]
    handler400 = "dashboard.views.errors.bad_request"
    handler403 = "dashboard.views.errors.forbidden"
    handler404 = "dashboard.views.errors.not_found"
    handler500 = "dashboard.views.errors.server_error"
