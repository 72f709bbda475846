"""Pages of a list: `offset` and `limit`, absolute links that keep every parameter, null at the ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from rest_framework.request import Request

M = TypeVar("M", bound=Model)
T = TypeVar("T")


@dataclass(frozen=True)
class Window:
    """The rows that were asked: `limit` of them from `offset` on; a limit of None means all."""

    offset: int
    limit: int | None

    def of(self, total: int) -> slice:
        return slice(self.offset, total if self.limit is None else self.offset + self.limit)


def page_of_queryset(
    request: Request, rows: QuerySet[M], window: Window, show: Callable[[Sequence[M]], list[Any]]
) -> dict[str, Any]:
    """One page of a queryset in two queries: the count, and the rows that `show` turns into JSON together."""
    total = rows.count()
    return _page(request, window, total, show(list(rows[window.of(total)])))


def page_of_list(request: Request, rows: Sequence[T], window: Window) -> dict[str, Any]:
    """One page of a list that is in memory anyway."""
    return _page(request, window, len(rows), list(rows[window.of(len(rows))]))


def page_of_window(request: Request, window: Window, data: list[Any], *, more: bool) -> dict[str, Any]:
    """One page of rows that nobody counted; `more`: whether others follow."""
    assert window.limit is not None
    after, before = window.offset + window.limit, max(0, window.offset - window.limit)
    return {
        "count": len(data),
        "next": _link(request, after, window) if more else None,
        "previous": _link(request, before, window) if window.offset else None,
        "data": data,
    }


def _page(request: Request, window: Window, total: int, data: list[Any]) -> dict[str, Any]:
    after = None if window.limit is None else window.offset + window.limit
    before = None if not window.offset else max(0, window.offset - (window.limit or window.offset))
    return {
        "count": len(data),
        "next": None if after is None or after >= total else _link(request, after, window),
        "previous": None if before is None else _link(request, before, window),
        "data": data,
        "totalCount": total,
    }


def _link(request: Request, offset: int, window: Window) -> str:
    """The request's own address with another offset."""
    params = request.query_params.copy()
    params["offset"] = str(offset)
    if window.limit is not None:
        params["limit"] = str(window.limit)
    return request.build_absolute_uri(f"{request.path}?{params.urlencode()}")
