"""Lists that come in pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tasks.utils.error_handler import PermanentError
from tasks.utils.rest.errors import Said, ServerFaultError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tasks.utils.rest.caller import Caller

Item = dict[str, Any]
PAGE: Final = 100
FURTHEST: Final = 10_000  # offset + limit; PagerDuty refuses more


def by_offset(caller: Caller, path: str, name: str, filters: Mapping[str, Any], *, page: int = PAGE) -> Iterator[Item]:
    """All items, page by page, until PagerDuty says there are no more. PermanentError past the 10,000th."""
    offset = 0
    while True:
        answer = caller.get(path, {**filters, "limit": page, "offset": offset})
        items = items_of(answer, path, name)
        yield from items
        offset += len(items)
        if not has_more(answer, items):
            return
        if offset + page > FURTHEST:
            raise PermanentError(
                f"there are more than {FURTHEST:,} {name}, and PagerDuty lists no more; narrow the filters"
            )


def by_token(
    caller: Caller,
    path: str,
    name: str,
    filters: Mapping[str, Any],
    *,
    send: str = "cursor",
    read: str = "next_cursor",
) -> Iterator[Item]:
    """All items where each page names the next by a token (`cursor`, or `after`)."""
    token: str | None = None
    while True:
        answer = caller.get(path, {"limit": PAGE, **filters, send: token})
        yield from items_of(answer, path, name)
        following = answer.get(read)
        if not following:
            return
        if following == token:
            raise _broken(path, "names the same page as the next one")
        token = str(following)


def items_of(answer: Mapping[str, Any], path: str, name: str) -> list[Item]:
    """The items of a page."""
    items = answer.get(name)
    if not isinstance(items, list):
        raise _broken(path, f"has no list of {name}")
    return items


def has_more(answer: Mapping[str, Any], items: list[Item]) -> bool:
    """What the page says; an empty page is the last whatever it says, lest we ask for ever."""
    return bool(answer.get("more")) and bool(items)


def _broken(path: str, what: str) -> ServerFaultError:
    return ServerFaultError(f"PagerDuty's answer to GET {path} {what}", Said(200))
