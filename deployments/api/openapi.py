"""Describing operations: `describes(...)` over a view method feeds the OpenAPI document.

The parameters come from the query's own declaration and the bodies from msgspec's schemas, so that the document cannot
say anything else than what is read. Answers are described by an example, of which the schema is derived.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from django.db.models import Choices
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from deployments.api import params

F = TypeVar("F", bound=Callable[..., Any])
EXTENSION = {"x-vitals-extension": True}
ERROR = {
    "type": "object",
    "required": ["message", "errors"],
    "properties": {
        "message": {"type": "string"},
        "errors": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}},
    },
}


class Schema(AutoSchema):  # type: ignore[misc,unused-ignore]
    """Names every operation by its method and its path: unique, and easy to find again."""

    def get_operation_id(self) -> str:
        """`get_deployments_deployment_id_accuracy`, for example."""
        words = re.findall(r"[A-Za-z0-9]+", self.path.removeprefix("/api/v2"))
        return "_".join([self.method.lower(), *words])


def describes(
    summary: str,
    *,
    query: type[params.Query] | None = None,
    body: Any = None,
    content: Sequence[str] = ("application/json",),
    answer: Any = None,
    status: int = 200,
    extension: bool = False,
    errors: Sequence[int] = (401, 403, 404, 422),
) -> Callable[[F], F]:
    """Describe one method of a view.

    `body` is a msgspec type (JSON) or None; `content` other media types of a raw body; `answer` an example of the
    answer or None for no content; `extension` marks what is not part of the reference.
    """
    responses: dict[Any, Any] = {status: _answer(answer, status)}
    responses |= {code: OpenApiResponse(ERROR, description=MEANING[code]) for code in errors}
    request: Any = None
    if body is not None:
        request = {media: schema_of(body) for media in content}
    elif tuple(content) != ("application/json",):
        request = {media: {"type": "string", "format": "binary"} for media in content}
    return extend_schema(
        summary=summary,
        description=summary,
        parameters=[_parameter(param) for param in params.describe(query)] if query else [],
        request=request,
        responses=responses,
        extensions=dict(EXTENSION) if extension else None,
    )


MEANING = {
    401: "No valid token.",
    403: "The caller's role does not allow this.",
    404: "There is no such thing, or the caller may not see it.",
    409: "The request clashes with the present state.",
    413: "The body is too large.",
    415: "This type of content is not taken.",
    422: "A value is wrong; `errors` names it.",
    429: "Too many requests; see Retry-After.",
}


def _parameter(param: params.Param) -> OpenApiParameter:
    return OpenApiParameter(
        name=param.name,
        type=dict(param.schema),
        location=OpenApiParameter.QUERY,
        required=param.required,
        description=param.help,
        explode=True if param.schema.get("type") == "array" else None,
        extensions=dict(EXTENSION) if param.extension else None,
    )


def _answer(example: Any, status: int) -> OpenApiResponse:
    text = {202: "Accepted.", 204: "Done.", 201: "Created.", 303: "Finished; see Location."}.get(status, "The answer.")
    if example is None:
        return OpenApiResponse(description=text)
    shown = OpenApiExample("Example", value=example, response_only=True, status_codes=[str(status)])
    return OpenApiResponse(schema_like(example), description=text, examples=[shown])


def schema_like(example: Any) -> dict[str, Any]:
    """The JSON schema of things shaped like the example; any value may be null."""
    if isinstance(example, Mapping):
        return {"type": "object", "properties": {str(key): schema_like(value) for key, value in example.items()}}
    if isinstance(example, list | tuple):
        return {"type": "array", "items": schema_like(example[0]) if example else {}}
    kinds: list[tuple[type, str]] = [(bool, "boolean"), (int, "integer"), (float, "number"), (str, "string")]
    for kind, name in kinds:
        if isinstance(example, kind):
            return {"type": name, "nullable": True}
    return {}


def schema_of(kind: Any) -> dict[str, Any]:
    """The JSON schema of a msgspec type, with its references written out (OpenAPI 3.0 has no `$defs`)."""
    schemas, components = msgspec.json.schema_components([kind], schema_hook=_choices, ref_template="#/{name}")
    described: dict[str, Any] = _three_zero(_inline(schemas[0], components))
    return described


def _choices(kind: type) -> dict[str, Any]:
    """Django's enumerations, which msgspec decodes but does not describe."""
    if not issubclass(kind, Choices):
        raise NotImplementedError(kind)
    return {"enum": list(kind.values)}


def _inline(schema: Any, components: Mapping[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_inline(item, components) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inline(copy.deepcopy(components[schema["$ref"].removeprefix("#/")]), components)
    return {key: _inline(value, components) for key, value in schema.items()}


def _three_zero(schema: Any) -> Any:
    """JSON Schema 2020 to OpenAPI 3.0: `anyOf: [X, {type: null}]` becomes X with `nullable`."""
    if isinstance(schema, list):
        return [_three_zero(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    flat = {key: _three_zero(value) for key, value in schema.items() if key not in ("title", "default")}
    if flat.get("required") == []:
        del flat["required"]
    choices = flat.get("anyOf")
    if isinstance(choices, list) and {"type": "null"} in choices:
        rest = [item for item in choices if item != {"type": "null"}]
        del flat["anyOf"]
        return flat | {"nullable": True} | (rest[0] if len(rest) == 1 else {"anyOf": rest})
    if flat.get("type") == "null":
        return {"nullable": True}
    return flat
