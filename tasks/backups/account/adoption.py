"""What PagerDuty makes by itself along with something new, and which item of the backup each of these becomes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tasks.backups.account.book import Made
    from tasks.backups.account.shelf import Name, Shelf
    from tasks.backups.items import Item

AUTOMATIC: Final = (
    ("orchestration_integrations", "event_orchestrations", "orchestration"),
    ("notification_rules", "users", "user"),
)
"""What comes along with something new: its kind, its owner's, and the field that names the owner."""
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

    def adopted_late(self, kind: str, old: str, new: str, target: Shelf, pairs: Mapping[Name, str]) -> Iterator[Made]:
        """The same of something that was found: parts of it that nobody is yet become those that are nowhere yet."""
        for child, owner, field in AUTOMATIC:
            if owner != kind:
                continue
            taken = {there for (name, _), there in pairs.items() if name == child}
            there = (one.id for one in target.of(child) if one.document[field]["id"] == new and one.id not in taken)
            waiting = (one.id for one in self._of(child, field, old) if (child, one.id) not in pairs)
            yield from ((child, one, part) for one, part in zip(waiting, there, strict=False))

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
