"""Own failures, styled and with a request id; JSON for the API."""

from __future__ import annotations

import logging
import secrets
import sys

import redis
from django.core.exceptions import SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string

logger = logging.getLogger(__name__)

API = "/api/"
#: Classes of PostgreSQL's codes: connection exceptions, no resources left, and shutting down or starting.
AWAY = ("08", "53", "57P")


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
    """Nothing may fail here: no database, no session, only the template and an id that the log shows too.

    Where a store does not answer that is said, once and without a traceback: hundreds of them would hide the cause.
    """
    if (store := _away(sys.exc_info()[1])) is not None:
        logger.warning("%s does not answer: %s %s could not be made.", store, request.method, request.path)
        text = f"{store} does not answer just now. It is started again by itself; reload the page in a moment."
        response = _answer(request, 503, "Vitals cannot be read for a moment", text)
        response["Retry-After"] = "5"
        response._has_been_logged = True  # type: ignore[attr-defined]  # Django would add the traceback
        return response
    number = secrets.token_hex(6)
    logger.error("Request %s failed: %s %s", number, request.method, request.path)
    text = f"Request {number} failed on our side and is in the log under this number. Polling, verdicts and mail go on."
    return _answer(request, 500, "This page could not be made", text)


def _away(error: BaseException | None) -> str | None:
    """The store whose silence the error is; None for every other one."""
    if isinstance(error, redis.ConnectionError | redis.TimeoutError):
        return "Redis"
    if not isinstance(error, OperationalError | InterfaceError):
        return None
    code = getattr(error.__cause__, "sqlstate", None)
    return "The database" if code is None or code.startswith(AWAY) else None


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
