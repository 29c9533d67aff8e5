"""Lists that come in pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tasks.utils.error_handler import PermanentError
from tasks.utils.rest.errors import Said, ServerFaultError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Item = dict[str, Any]
    Read = Callable[[Mapping[str, Any]], Mapping[str, Any]]
    """Gives the answer for some filters."""

PAGE: Final = 100
FURTHEST: Final = 10_000  # offset + limit; PagerDuty refuses more
MOST_STEPS_BACK: Final = 50  # in one list; whose order changes all the time must not be read for ever


class TooLongError(PermanentError):
    """PagerDuty has more than 10,000 that fit, and lists no more than that."""


class OffsetReader:
    """Reads a list page by page, everything once, although items come and go while it is read.

    Each page begins with the last item of the page before. Where it does not, something before it has gone, and what followed has
    moved up past us: then we step back.
    """

    def __init__(self, read: Read, name: str) -> None:
        self._read = read
        self._name = name
        self._steps_back = 0
        self.seen: set[str] = set()

    def items(self, first: Mapping[str, Any] | None = None) -> Iterator[Item]:
        """All items in order; `first` is the first page if it is at hand. TooLongError past the 10,000th."""
        offset, overlaps, answer = 0, False, first or self.page(0)
        while True:
            page = items_of(answer, self._name)
            if overlaps and self._has_gap(page):
                offset, overlaps = max(0, offset - PAGE), offset > PAGE
            else:
                yield from self._new(page)
                if not answer.get("more") or not page:  # an empty page is the last, whatever it says
                    return
                overlaps = len(page) > 1 and "id" in page[-1]
                offset += len(page) - overlaps
            if offset + PAGE > FURTHEST:
                raise TooLongError(
                    f"there are more than {FURTHEST:,} {self._name}, and PagerDuty lists no more; narrow the filters"
                )
            answer = self.page(offset)

    def page(self, offset: int, **filters: Any) -> Mapping[str, Any]:
        """One page."""
        return self._read({"limit": PAGE, "offset": offset or None, **filters})

    def _has_gap(self, page: list[Item]) -> bool:
        """Whether the page does not begin with something we know: then what we do not know may stand before it."""
        if page and page[0].get("id") in self.seen:
            return False
        self._steps_back += 1
        return self._steps_back <= MOST_STEPS_BACK

    def _new(self, page: list[Item]) -> Iterator[Item]:
        for item in page:
            name = item.get("id")
            if name is None or name not in self.seen:
                if name is not None:
                    self.seen.add(name)
                yield item


def by_token(read: Read, name: str, *, send: str = "cursor", found: str = "next_cursor") -> Iterator[Item]:
    """All items of a list where each page names the next by a token: sent as `send`, found in the answer as `found`."""
    token: str | None = None
    while True:
        answer = read({"limit": PAGE, send: token})
        yield from items_of(answer, name)
        following = answer.get(found)
        if not following:
            return
        if following == token:
            raise ServerFaultError(f"PagerDuty's pages of {name} have no end: one names itself as the next", Said(200))
        token = str(following)


def items_of(answer: Mapping[str, Any], name: str) -> list[Item]:
    """The items of a page."""
    items = answer.get(name)
    if not isinstance(items, list):
        raise ServerFaultError(f"PagerDuty's answer has no list of {name}", Said(200))
    return items
