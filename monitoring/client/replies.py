"""What an answer says: its JSON, its message, how long to wait, its pages; or which of our errors it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import orjson

from monitoring.client.errors import Astray, Broken, Malformed, Overloaded, Refused, Unauthorised

_WAIT_STATUSES = frozenset({429, 503})


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: a status below 400, the decoded JSON body (None if empty), and the Location if any."""

    status: int
    data: Any
    location: str = ""


def read_reply(response: httpx.Response, body: bytes) -> Reply:
    """The answer, or the error that it is."""
    status = response.status_code
    if status < 300:
        return Reply(status, _decode(body), response.headers.get("location", ""))
    if status == 303 and response.headers.get("location"):
        return Reply(status, None, response.headers["location"])
    message = _message(body) or response.reason_phrase or "no message"
    if status < 400:
        raise Astray(f"The source answered with a redirect ({status}); it was not followed.")
    if status == 401:
        raise Unauthorised(f"The source does not take the token: {message}")
    if status in _WAIT_STATUSES:
        raise Overloaded(f"The source asks to wait ({status}): {message}", _wait(response.headers.get("retry-after")))
    if status >= 500 and status != 501:
        raise Broken(f"The source failed ({status}): {message}")
    raise Refused(f"{status}: {message}", status, _fields(body))


def _decode(body: bytes) -> Any:
    if not body.strip():
        return None
    try:
        return _loads(body)
    except orjson.JSONDecodeError:
        raise Malformed("The answer is not JSON, or was cut off.") from None


def _loads(body: bytes) -> Any:
    """JSON, without the null characters in texts: no database keeps them, and nobody sees them."""
    data = orjson.loads(body)
    return _without_nulls(data) if b"\\u0000" in body else data


def _without_nulls(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, list):
        return [_without_nulls(one) for one in value]
    if isinstance(value, dict):
        return {_without_nulls(name): _without_nulls(one) for name, one in value.items()}
    return value


def _message(body: bytes) -> str:
    """The reference's `message`, at most 300 characters; "" for bodies of another kind."""
    try:
        data = _loads(body)
    except orjson.JSONDecodeError:
        return ""
    message = data.get("message") if isinstance(data, dict) else None
    return message[:300] if isinstance(message, str) else ""


def _fields(body: bytes) -> dict[str, str]:
    """The reference's `errors`: place in the body -> what is wrong there, at most a hundred; {} for other bodies."""
    try:
        data = _loads(body)
    except orjson.JSONDecodeError:
        return {}
    errors = data.get("errors") if isinstance(data, dict) else None
    found = list(errors.items())[:100] if isinstance(errors, dict) else []
    joined = {str(place): " ".join(map(str, text)) if isinstance(text, list) else str(text) for place, text in found}
    return {place: text[:500] for place, text in joined.items()}


def _wait(header: str | None) -> timedelta | None:
    """Retry-After in seconds or as a date; None where it is missing or nonsense."""
    if header is None:
        return None
    seconds = header.strip()
    if seconds.isdecimal():
        return timedelta(seconds=min(int(seconds[:9]), 86_400))
    try:
        moment = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(timedelta(0), min(aware - datetime.now(UTC), timedelta(days=1)))


def page_of(data: Any) -> dict[str, Any]:
    """One page of a list. Raises Malformed for anything else."""
    if not isinstance(data, dict) or not isinstance(data.get("data"), list):
        raise Malformed("A list was expected: an object with `data`.")
    return data


def query_of(address: str) -> list[tuple[str, str]]:
    """The query of a `next`; the rest of it is not ours to follow."""
    try:
        return parse_qsl(urlsplit(address).query, keep_blank_values=True)
    except ValueError:
        raise Malformed("The address of the next page is no address.") from None
