"""What most resources share: list, get, create, update, delete."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tasks.utils.rest.errors import NotFoundError, Said, ServerFaultError
from tasks.utils.rest.pages import OffsetReader, by_token, items_of
from tasks.utils.rest.parameters import path_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tasks.utils.rest.caller import Caller
    from tasks.utils.rest.pages import Item, Read

OFFSET: Final = "offset"
CURSOR: Final = "cursor"
AFTER: Final = "after"
WHOLE: Final = "whole"


@dataclass(frozen=True)
class Collection:
    """One kind of resource. Items are PagerDuty's plain dicts, without the object around them.

    `path` is that of the list, `one` and `many` are what items are called in JSON, `paging` is how the list comes. Not every kind
    of resource can do everything: PagerDuty answers 404 or 405 to what it does not know.
    """

    caller: Caller
    path: str
    one: str
    many: str
    paging: str = OFFSET

    def list(self, **filters: Any) -> Iterator[Item]:
        """All that fit, asked for page by page as they are taken. Filters are PagerDuty's; `statuses=[…]` becomes `statuses[]`."""
        read = self.reading(filters)
        if self.paging == WHOLE:
            return iter(items_of(read({}), self.many))
        if self.paging == CURSOR:
            return by_token(read, self.many)
        if self.paging == AFTER:
            return by_token(read, self.many, send="after", found="after")
        return OffsetReader(read, self.many).items()

    def get(self, item_id: str, **filters: Any) -> Item:
        """The one of that id. Raises NotFoundError."""
        return self.unwrapped(self.caller.get(self.path_to(item_id), filters))

    def create(self, item: Mapping[str, Any], *, sender: str | None = None) -> Item:
        """A new one, as PagerDuty made it. An error with `is_unclear` says that it may have been made all the same."""
        return self.unwrapped(self.caller.call("POST", self.path, body={self.one: item}, sender=sender))

    def update(self, item_id: str, changes: Mapping[str, Any], *, sender: str | None = None) -> Item:
        """The one of that id as it is after the changes."""
        body = {self.one: changes}
        return self.unwrapped(self.caller.call("PUT", self.path_to(item_id), body=body, sender=sender))

    def delete(self, item_id: str, *, sender: str | None = None) -> None:
        """Remove it. Raises NotFoundError where it was gone already."""
        try:
            self.caller.call("DELETE", self.path_to(item_id), sender=sender)
        except NotFoundError as error:
            if not error.was_repeated:
                raise

    def below(self, item_id: str, part: str, one: str, many: str, paging: str = WHOLE) -> Collection:
        """The collection at `…/item_id/part`."""
        return Collection(self.caller, self.path_to(item_id, part), one, many, paging)

    def path_to(self, item_id: str, *parts: str) -> str:
        """The path of one, or of something below it."""
        return self.path + path_of(item_id, *parts)

    def reading(self, filters: Mapping[str, Any]) -> Read:
        """Gives pages of the list."""
        return lambda page: self.caller.get(self.path, {**filters, **page})

    def unwrapped(self, answer: Mapping[str, Any], name: str = "") -> Item:
        """What the answer holds under the resource's name, or, since PagerDuty names some differently, the only object in it."""
        found = answer.get(name or self.one)
        objects = (
            [found] if isinstance(found, dict) else [value for value in answer.values() if isinstance(value, dict)]
        )
        if len(objects) != 1:
            raise ServerFaultError(f"PagerDuty's answer has no {name or self.one}", Said(200), is_unclear=True)
        return objects[0]
