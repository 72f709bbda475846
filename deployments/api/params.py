"""Queries and bodies, read into types.

A query is a frozen dataclass whose fields say name, kind, limits and default of each parameter; the same declaration
reads requests (`read`) and describes them in the OpenAPI document (`describe`). Unknown parameters are ignored, a bad
value is a 422 that names its parameter, and all bad values of a request are reported together.

    @dataclass(frozen=True, kw_only=True)
    class Search(Query):
        search: str | None = text("search")
        limit: int = whole("limit", default=20, minimum=1, maximum=100)

Bodies are msgspec structs, read by `read_body`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
from django.http import QueryDict
from django.utils.dateparse import parse_datetime

from deployments.api.errors import ValidationFailed
from metrics.buckets import DurationError, is_whole_hour, parse_duration

PARAM = "param"
FLAGS = {"true": True, "false": False, "True": True, "False": False}
HEX_ID = re.compile(r"[0-9a-fA-F]{24}")


class BadValue(ValueError):
    """The text of a parameter is not what it must be; the message is for people."""


@dataclass(frozen=True)
class Param:
    """One query parameter: its public name, how its texts become a value, its JSON schema, its help."""

    name: str
    read: Callable[[list[str]], Any]
    schema: Mapping[str, Any]
    help: str = ""
    required: bool = False
    extension: bool = False


@dataclass(frozen=True, kw_only=True)
class Query:
    """Base of all queries. `now` is when the request came, so that defaults can depend on it."""

    now: datetime

    def problems(self) -> dict[str, str]:
        """What is wrong between parameters, by parameter; empty when all is well."""
        return {}


Q = TypeVar("Q", bound=Query)
S = TypeVar("S")


def read(kind: type[Q], params: QueryDict, now: datetime) -> Q:
    """Build a query; raises ValidationFailed with every bad parameter."""
    values: dict[str, Any] = {"now": now}
    errors: dict[str, str] = {}
    for declared, param in _declared(kind):
        texts = params.getlist(param.name)
        if not texts:
            if param.required:
                errors[param.name] = "This parameter is required."
            continue
        try:
            values[declared.name] = param.read(texts)
        except BadValue as bad:
            errors[param.name] = str(bad)
    if not errors:
        query = kind(**values)
        errors = query.problems()
        if not errors:
            return query
    raise ValidationFailed(errors)


def describe(kind: type[Query]) -> list[Param]:
    """The parameters of a query in the order in which they are declared."""
    return [param for _, param in _declared(kind)]


def _declared(kind: type[Query]) -> list[tuple[Field[Any], Param]]:
    return [(declared, declared.metadata[PARAM]) for declared in fields(kind) if PARAM in declared.metadata]


# --- Kinds of parameters ----------------------------------------------------------------------------------------
# Each returns a dataclass field; the return type is Any because `field()` stands for a value of the field's type.


def text(name: str, *, help: str = "", required: bool = False, max_length: int = 512, extension: bool = False) -> Any:
    """Free text; absent is None, empty stays empty."""

    def one(texts: list[str]) -> str:
        value = texts[-1]
        if len(value) > max_length:
            raise BadValue(f"At most {max_length} characters.")
        if "\x00" in value:
            raise BadValue("Must not hold null characters.")
        return value

    return _field(
        Param(name, one, {"type": "string", "maxLength": max_length}, help, required, extension),
        MISSING if required else None,
    )


def flag(name: str, *, default: bool | None = False, help: str = "") -> Any:
    """`true`, `True`, `false` or `False`."""

    def one(texts: list[str]) -> bool:
        if texts[-1] not in FLAGS:
            raise BadValue("Must be one of: true, True, false, False.")
        return FLAGS[texts[-1]]

    return _field(Param(name, one, {"type": "string", "enum": list(FLAGS)}, help), default)


def whole(
    name: str, *, default: int | None = None, minimum: int = 0, maximum: int | None = None, help: str = ""
) -> Any:
    """A whole number within limits."""

    def one(texts: list[str]) -> int:
        if not re.fullmatch(r"[+-]?\d{1,18}", texts[-1].strip()):
            raise BadValue("Must be a whole number.")
        return int(_within(int(texts[-1]), minimum, maximum))

    schema = {"type": "integer", "minimum": minimum} | ({} if maximum is None else {"maximum": maximum})
    return _field(Param(name, one, schema | _default(default), help), default)


def number(name: str, *, default: float | None = None, minimum: float, maximum: float, help: str = "") -> Any:
    """A finite number within limits."""

    def one(texts: list[str]) -> float:
        try:
            value = float(texts[-1])
        except ValueError:
            raise BadValue("Must be a number.") from None
        if not math.isfinite(value):
            raise BadValue("Must be a finite number.")
        return _within(value, minimum, maximum)

    schema = {"type": "number", "minimum": minimum, "maximum": maximum}
    return _field(Param(name, one, schema | _default(default), help), default)


def choice(
    name: str, values: Sequence[str], *, default: str | None = None, required: bool = False, help: str = ""
) -> Any:
    """One of a fixed set of words."""

    def one(texts: list[str]) -> str:
        return _one_of(texts[-1], values)

    schema = {"type": "string", "enum": list(values)} | _default(default)
    return _field(Param(name, one, schema, help, required), MISSING if required else default)


def many(
    name: str,
    values: Sequence[str] | None = None,
    *,
    at_most: int = 1000,
    required: bool = False,
    split: bool = True,
    help: str = "",
    extension: bool = False,
) -> Any:
    """Several words, repeated or in one value by commas; with `values` each must be one of them; absent is ()."""

    def all_of(texts: list[str]) -> tuple[str, ...]:
        words = [part for value in texts for part in (value.split(",") if split else [value])]
        kept = tuple(dict.fromkeys(word.strip() for word in words if word.strip()))
        if len(kept) > at_most:
            raise BadValue(f"At most {at_most} values.")
        if any("\x00" in word for word in kept):
            raise BadValue("Must not hold null characters.")
        if required and not kept:
            raise BadValue("At least one value.")
        return kept if values is None else tuple(_one_of(word, values) for word in kept)

    item: dict[str, Any] = {"type": "string"} if values is None else {"type": "string", "enum": list(values)}
    schema = {"type": "array", "items": item, "maxItems": at_most}
    return _field(Param(name, all_of, schema, help, required, extension), MISSING if required else ())


def moment(name: str, *, whole_hour: bool = False, required: bool = False, help: str = "") -> Any:
    """An RFC 3339 time, naive ones are UTC; with `whole_hour` only the top of an hour."""

    def one(texts: list[str]) -> datetime:
        value = parse_moment(texts[-1])
        if whole_hour and not is_whole_hour(value):
            raise BadValue("Must be the top of an hour, for example 2019-08-01T00:00:00Z.")
        return value

    schema = {"type": "string", "format": "date-time"}
    return _field(Param(name, one, schema, help, required), MISSING if required else None)


def duration(name: str, *, allowed: Sequence[str] | None = None, default: str | None = None, help: str = "") -> Any:
    """An ISO-8601 duration (a `BucketSize`) that is a multiple of one hour, or one of `allowed`."""

    def one(texts: list[str]) -> Any:
        value = texts[-1] if allowed is None else _one_of(texts[-1], allowed)
        try:
            return parse_duration(value)
        except DurationError as bad:
            raise BadValue(str(bad)) from None

    schema: dict[str, Any] = {"type": "string", "format": "duration"}
    if allowed is not None:
        schema["enum"] = list(allowed)
    return _field(
        Param(name, one, schema | _default(default), help), parse_duration(default) if default is not None else None
    )


def ours(declared: Any) -> Any:
    """The same parameter, marked as no part of the reference."""
    return _field(replace(declared.metadata[PARAM], extension=True), declared.default)


def parse_moment(value: str) -> datetime:
    """An aware UTC time from RFC 3339 text; a `+` that a client forgot to escape arrives as a space."""
    repaired = re.sub(r" (\d\d:?\d\d)$", r"+\1", value.strip())
    try:
        found = parse_datetime(repaired)
        if found is None:
            raise BadValue("Must be an RFC 3339 time, for example 2019-08-01T00:00:00Z.")
        aware = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadValue("Must be an RFC 3339 time, for example 2019-08-01T00:00:00Z.") from None
    if not 1970 <= aware.year < 2200:
        raise BadValue("Must lie between the years 1970 and 2200.")
    return aware


def _field(param: Param, default: Any) -> Any:
    if default is MISSING:
        return field(metadata={PARAM: param})
    return field(default=default, metadata={PARAM: param})


def _default(value: Any) -> dict[str, Any]:
    return {} if value is None else {"default": value}


def _one_of(value: str, values: Sequence[str]) -> str:
    if value not in values:
        raise BadValue(f"Must be one of: {', '.join(values)}.")
    return value


def _within(value: float, minimum: float, maximum: float | None) -> float:
    if value < minimum or (maximum is not None and value > maximum):
        raise BadValue(f"Must be at least {minimum}." if maximum is None else f"Must lie within {minimum}–{maximum}.")
    return value


# --- Bodies -----------------------------------------------------------------------------------------------------


def read_body(raw: bytes, kind: type[S]) -> S:
    """Decode a JSON body into a msgspec type; raises ValidationFailed that names the place of the first error."""
    try:
        return msgspec.json.decode(raw or b"{}", type=kind)
    except msgspec.ValidationError as bad:
        message, place = split_path(str(bad))
        raise ValidationFailed({place or "body": message}) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as bad:
        raise ValidationFailed({"body": f"Not valid JSON: {bad}"}) from None


def split_path(message: str) -> tuple[str, str]:
    """``Expected `str`, got `int` - at `$.data[3].name``` becomes the sentence and `data[3].name`."""
    sentence, _, path = message.partition(" - at `$")
    if missing := re.search(r"missing required field `([^`]+)`", sentence):
        name = missing.group(1)
        return "This field is required.", ".".join(part for part in (path.rstrip("`").lstrip("."), name) if part)
    return sentence.replace("`", "'") + ".", path.rstrip("`").lstrip(".")


def is_id(value: str) -> bool:
    """Whether the text has the shape of a public id: 24 hex digits."""
    return HEX_ID.fullmatch(value) is not None
