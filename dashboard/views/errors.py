"""Own failures, styled and with a request id; JSON for the API."""

from __future__ import annotations

import logging
import secrets

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string

logger = logging.getLogger(__name__)

API = "/api/"


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    text = "The address or the form was not understood."
    if type(exception) is SuspiciousOperation:  # its subclasses are Django's own and speak to who runs the service
        text = _words(exception, text)
    return _answer(request, 400, "This request cannot be read", text)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _answer(
        request, 403, "Your role does not allow this", _words(exception, "Ask an owner or manager of the team.")
    )


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    text = _words(exception, "There is no such page, or it belongs to a team that you are not a member of.")
    return _answer(request, 404, "Nothing here", text)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _answer(
        request, 403, "This form is too old", "Go back, reload the page and send it again; nothing was changed."
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """Nothing may fail here: no database, no session, only the template and an id that the log shows too."""
    number = secrets.token_hex(6)
    logger.error("Request %s failed: %s %s", number, request.method, request.path)
    text = f"Request {number} failed on our side and is in the log under this number. Polling, verdicts and mail go on."
    return _answer(request, 500, "This page could not be made", text)


def _answer(request: HttpRequest, status: int, title: str, text: str) -> HttpResponse:
    if request.path.startswith(API):
        return JsonResponse({"message": f"{title}. {text}"}, status=status)
    reader = getattr(request, "reader", None)
    context = {"title": title, "text": text, "status": status, "theme": reader.theme.value if reader else "system"}
    return HttpResponse(render_to_string("error.html", context), status=status)


def _words(exception: Exception | None, default: str) -> str:
    """What a view said when it raised; Django's own words are about routes and are left out."""
    text = str(exception.args[0]) if exception is not None and exception.args else ""
    return text if text and text[0].isalpha() and len(text) < 200 and "matches the given query" not in text else default
