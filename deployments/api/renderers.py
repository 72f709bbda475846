"""JSON by orjson: several times faster than the standard library on long answers, and NaN becomes null."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import orjson
from django.utils.functional import Promise
from rest_framework.renderers import BaseRenderer

OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS | orjson.OPT_PASSTHROUGH_DATACLASS


class OrjsonRenderer(BaseRenderer):
    """`application/json`, without a charset: some clients compare the header as a whole."""

    media_type = "application/json"
    format = "json"
    charset = None
    render_style = "binary"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        return b"" if data is None else orjson.dumps(data, default=plain, option=OPTIONS)


def plain(value: Any) -> Any:
    """What orjson does not know: dataclasses by their field names, numpy scalars, lazy text."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, Promise | set | frozenset):
        return str(value) if isinstance(value, Promise) else sorted(value)
    raise TypeError(f"{type(value).__name__} is not JSON.")
