"""What most resources share: list, get, create, update, delete."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tasks.utils.rest.errors import Said, ServerFaultError
from tasks.utils.rest.pages import by_offset, by_token
from tasks.utils.rest.parameters import path_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tasks.utils.rest.caller import Caller

Item = dict[str, Any]
OFFSET: Final = "offset"
CURSOR: Final = "cursor"


@dataclass(frozen=True)
class Collection:
    """One kind of resource. Items are PagerDuty's plain dicts, without the object around them.

    `path` is that of the list, `one` and `many` what items are called in JSON, `paging` how the list comes.
    """

    caller: Caller
    path: str
    one: str
    many: str
    paging: str = OFFSET

    def list(self, **filters: Any) -> Iterator[Item]:
        """All that fit, asked for page by page as they are taken. Filters are PagerDuty's; `statuses=[…]` becomes `statuses[]`."""
        if self.paging == CURSOR:
            return by_token(self.caller, self.path, self.many, filters)
        return by_offset(self.caller, self.path, self.many, filters)

    def get(self, item_id: str, **filters: Any) -> Item:
        """The one of that id. Raises NotFoundError."""
        return self.unwrapped(self.caller.get(self.path_to(item_id), filters))

    def create(self, item: Mapping[str, Any], *, sender: str | None = None) -> Item:
        """A new one, as PagerDuty made it. Where the network fails it may have been made all the same: `error.is_unclear`."""
        return self.unwrapped(self.caller.call("POST", self.path, body={self.one: item}, sender=sender))

    def update(self, item_id: str, changes: Mapping[str, Any], *, sender: str | None = None) -> Item:
        """The one of that id as it is after the changes."""
        body = {self.one: changes}
        return self.unwrapped(self.caller.call("PUT", self.path_to(item_id), body=body, sender=sender))

    def delete(self, item_id: str, *, sender: str | None = None) -> None:
        """Remove it. Raises NotFoundError where it is gone already."""
        self.caller.call("DELETE", self.path_to(item_id), sender=sender)

    def path_to(self, item_id: str, *parts: str) -> str:
        """The path of one, or of something below it."""
        return self.path + path_of(item_id, *parts)

    def unwrapped(self, answer: Mapping[str, Any], name: str = "") -> Item:
        """What the answer holds under the resource's name."""
        item = answer.get(name or self.one)
        if not isinstance(item, dict):
            raise ServerFaultError(f"PagerDuty's answer has no {name or self.one}", Said(200), is_unclear=True)
        return item
