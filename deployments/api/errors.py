"""One shape for every error: `{"message": text for people, "errors": {field: [text, …]}}`, as plain JSON.

ApiError
├── ValidationFailed   422  a value in the query or the body is wrong; names the field
├── Conflict           409  the request clashes with the present state
├── Busy               429  work of this kind runs already; `Location` tells where to follow it
├── TooLarge           413  the body is larger than the setting MAX_JSON_MB or MAX_FILE_MB
└── Unavailable        503  the database does not answer just now; the same request may be sent again
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, TooManyFieldsSent
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from rest_framework import status
from rest_framework.exceptions import APIException, NotAuthenticated, NotFound
from rest_framework.exceptions import PermissionDenied as Forbidden
from rest_framework.response import Response
from rest_framework.views import set_rollback

logger = logging.getLogger(__name__)

Errors = Mapping[str, Sequence[str] | str]


class ApiError(APIException):
    """Base of our own errors; `errors` names the fields, where there are any."""

    def __init__(self, message: str = "", errors: Errors | None = None) -> None:
        super().__init__(message or str(self.default_detail))
        self.errors = {name: [text] if isinstance(text, str) else list(text) for name, text in (errors or {}).items()}


class ValidationFailed(ApiError):
    """422. Takes the errors by field, or a message alone."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_detail = "The request could not be processed."

    def __init__(self, errors: Errors | str, message: str = "") -> None:
        if isinstance(errors, str):
            super().__init__(errors)
            return
        super().__init__(message or summary(errors), errors)


class Conflict(ApiError):
    """409."""

    status_code = status.HTTP_409_CONFLICT
    default_detail = "The request clashes with the present state."


class Busy(ApiError):
    """429 with the address of the job that has to end first."""

    status_code = status.HTTP_429_TOO_MANY_REQUESTS
    default_detail = "Work of this kind is running already."
    wait = 10

    def __init__(self, message: str, location: str) -> None:
        super().__init__(message)
        self.location = location


class TooLarge(ApiError):
    """413."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "The body is larger than this server takes."


class Unavailable(ApiError):
    """503: the same request may be sent again; under one request id it counts once."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "The database does not answer just now: send the same request again."
    wait = 5


def summary(errors: Errors) -> str:
    """One sentence for people: the first error with its field, and how many more there are."""
    for name, texts in errors.items():
        first = texts if isinstance(texts, str) else next(iter(texts), "")
        more = len(errors) - 1
        return f"{name}: {first}" + (f" (and {more} more)" if more else "")
    return str(ValidationFailed.default_detail)


def handle(error: Exception, context: Mapping[str, Any]) -> Response:
    """DRF's exception handler: every error becomes the one shape; what nobody foresaw is logged and is a bare 500."""
    set_rollback()
    if isinstance(error, Http404):
        error = NotFound("Not found.")
    elif isinstance(error, PermissionDenied):
        error = Forbidden()
    elif isinstance(error, RequestDataTooBig):
        error = TooLarge()
    elif isinstance(error, TooManyFieldsSent):
        error = ValidationFailed("There are too many parameters.")
    elif isinstance(error, DataError) and "NUL" in str(error):
        error = _null_character(context)
    elif _store_is_away(error):
        logger.warning("The database does not answer: %s was refused.", type(context.get("view")).__name__)
        error = Unavailable()
    if not isinstance(error, APIException):
        logger.error("Unexpected error in %s", type(context.get("view")).__name__, exc_info=error)
        return Response(body("Something went wrong on the server."), status=status.HTTP_500_INTERNAL_SERVER_ERROR)
    return Response(_body_of(error), status=error.status_code, headers=_headers(error))


def _store_is_away(error: Exception) -> bool:
    """Whether the database could not be reached, or is starting, ending, or full; not that it refused a statement."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    code = getattr(error.__cause__, "sqlstate", None)
    return code is None or code.startswith(AWAY)


#: Classes of PostgreSQL's codes: connection exceptions, no resources left, and shutting down or starting.
AWAY = ("08", "53", "57P")


def _null_character(context: Mapping[str, Any]) -> APIException:
    """PostgreSQL keeps no null characters: nothing can have such an id, and no text may hold one."""
    if any("\x00" in str(value) for value in (context.get("kwargs") or {}).values()):
        return NotFound("Not found.")
    return ValidationFailed({"body": "Must not hold null characters."})


def body(message: str, errors: Mapping[str, Sequence[str]] | None = None) -> dict[str, Any]:
    return {"message": message, "errors": dict(errors or {})}


def not_found(request: HttpRequest, *_args: object, **_kwargs: object) -> HttpResponse:
    """The answer to any address below /api/ that no route takes."""
    return JsonResponse(body(f"There is nothing at {request.path}."), status=status.HTTP_404_NOT_FOUND)


def _body_of(error: APIException) -> dict[str, Any]:
    if isinstance(error, ApiError):
        return body(str(error.detail), error.errors)
    detail: Any = error.detail
    if isinstance(detail, dict):
        errors = {str(name): [str(text) for text in _as_list(texts)] for name, texts in detail.items()}
        return body(summary(errors), errors)
    return body(" ".join(str(text) for text in _as_list(detail)))


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _headers(error: APIException) -> dict[str, str]:
    headers: dict[str, str] = {}
    if isinstance(error, NotAuthenticated) or getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = str(getattr(error, "auth_header", None) or "Bearer")
    wait = getattr(error, "wait", None)
    if wait is not None:
        headers["Retry-After"] = str(max(1, round(wait)))
    if isinstance(error, Busy):
        headers["Location"] = error.location
    return headers
