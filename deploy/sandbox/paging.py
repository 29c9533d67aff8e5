from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, TypeVar

from deploy.sandbox.request import RestError, invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from deploy.sandbox.request import Request

Item = TypeVar("Item")

DEFAULT_LIMIT = 25
LARGEST_LIMIT = 100
FURTHEST = 10_000
TOO_FAR = (
    "Offset+limit exceeds maximum allowed value of 10000. Please try to refine your search to reduce the number of "
    "records returned."
)


def classic(
    request: Request,
    name: str,
    found: Sequence[Item],
    show: Callable[[Item], Any],
    *,
    limits: tuple[int, int] = (DEFAULT_LIMIT, LARGEST_LIMIT),
) -> dict[str, Any]:
    """The page that limit and offset ask for; only what is on it is shown. `total` comes only on request."""
    default, largest = limits
    limit = min(request.number("limit", default, least=1), largest)
    offset = request.number("offset", 0)
    if offset + limit > FURTHEST:
        raise RestError(400, 2002, "Arguments Caused Error", TOO_FAR)
    return {
        name: [show(one) for one in found[offset : offset + limit]],
        "limit": limit,
        "offset": offset,
        "more": offset + limit < len(found),
        "total": len(found) if request.first("total") == "true" else None,
    }


def cursor(request: Request, name: str, found: Sequence[Item], show: Callable[[Item], Any]) -> dict[str, Any]:
    """The page a cursor asks for; `next_cursor` is null at the end. Cursors are places, so `found` must only grow."""
    limit = min(request.number("limit", DEFAULT_LIMIT, least=1), LARGEST_LIMIT)
    start = _place(request.first("cursor"))
    end = start + limit
    return {
        name: [show(one) for one in found[start:end]],
        "limit": limit,
        "next_cursor": _cursor(end) if end < len(found) else None,
    }


def _cursor(place: int) -> str:
    return base64.urlsafe_b64encode(f"at:{place}".encode()).decode()


def _place(raw: str) -> int:
    if not raw:
        return 0
    try:
        word, _, place = base64.urlsafe_b64decode(raw).decode().partition(":")
    except ValueError:
        word, place = "", ""
    if word != "at" or not place.isdecimal():
        raise invalid("cursor must be one that an earlier page named")
    return int(place)
