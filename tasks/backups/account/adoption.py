"""What PagerDuty makes by itself along with something new, and which item of the backup each of these becomes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tasks.backups.account.book import Made
    from tasks.backups.account.shelf import Shelf
    from tasks.backups.items import Item

EMAIL: Final = "email_contact_method"


class Children:
    """What belongs to whom in a backup."""

    def __init__(self, items: Shelf) -> None:
        self._items = items
        self._known: dict[str, dict[str, list[Item]]] = {}

    def adopted(self, item: Item, made: Mapping[str, Any]) -> Iterator[Made]:
        """Of something that was made: which parts it came with are which of the backup's."""
        if item.kind == "users":
            yield from self._of_user(item, made)
        if item.kind == "event_orchestrations":
            yield from self._in_turn("orchestration_integrations", "orchestration", item.id, made.get("integrations"))

    def _of_user(self, item: Item, made: Mapping[str, Any]) -> Iterator[Made]:
        """A new user has an e-mail address, and in some accounts rules that use it."""
        address = str(item.document.get("email")).casefold()
        own = (
            one.id
            for one in self._of("contact_methods", "user", item.id)
            if one.document.get("type") == EMAIL and str(one.document.get("address")).casefold() == address
        )
        found = (one["id"] for one in made.get("contact_methods") or () if str(one.get("type")).startswith(EMAIL))
        yield from (("contact_methods", old, new) for old, new in zip(own, found, strict=False))
        yield from self._in_turn("notification_rules", "user", item.id, made.get("notification_rules"))

    def _in_turn(self, kind: str, field: str, owner: str, found: Any) -> Iterator[Made]:
        for one, part in zip(self._of(kind, field, owner), found or (), strict=False):
            yield kind, one.id, str(part["id"])

    def _of(self, kind: str, field: str, owner: str) -> list[Item]:
        if kind not in self._known:
            self._known[kind] = {}
            for one in self._items.of(kind):
                self._known[kind].setdefault(one.document[field]["id"], []).append(one)
        return self._known[kind].get(owner, [])
