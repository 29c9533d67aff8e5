"""What became of an account between two backups of it, in words for people."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from tasks.backups.account.canonical import SUFFIX, is_reference
from tasks.backups.account.comparison import EMPTY, differing, title_of
from tasks.backups.account.kinds import BY_NAME
from tasks.backups.account.shelf import Shelf
from tasks.backups.account.translation import NAMING, NOUNS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tasks.backups.items import Item

LONGEST: Final = 80
MARKS: Final = {"added": "+", "removed": "-", "changed": "~"}


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field, as it was and as it is, for people."""

    name: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.name.replace('_', ' ')} {self.before} -> {self.after}"


@dataclass(frozen=True, slots=True)
class Difference:
    """What became of one item; its `str` is one line."""

    verb: Literal["added", "removed", "changed"]
    kind: str
    id: str
    title: str
    fields: tuple[FieldChange, ...] = ()

    def __str__(self) -> str:
        told = f": {'; '.join(map(str, self.fields))}" if self.fields else ""
        return f'{MARKS[self.verb]} {BY_NAME[self.kind].noun} "{self.title}"{told}'


def differences(before: Iterable[Item], after: Iterable[Item]) -> Iterator[Difference]:
    """What is new, gone and changed, kind by kind; ids of parts, and orders that mean nothing, are no difference."""
    first, second = Shelf(before), Shelf(after)
    for kind in BY_NAME:
        were, are = first.ids(kind), set(second.ids(kind))
        for item in (one for one in first.of(kind) if one.id not in are):
            yield Difference("removed", kind, item.id, _title(item, first))
        known = set(were)
        for item in second.of(kind):
            if item.id not in known:
                yield Difference("added", kind, item.id, _title(item, second))
            elif (old := first.get(kind, item.id)) and (fields := differing(kind, old.document, item.document)):
                told = tuple(_field(name, old, item, first, second) for name in fields)
                yield Difference("changed", kind, item.id, _title(item, second), told)


def _field(name: str, old: Item, new: Item, first: Shelf, second: Shelf) -> FieldChange:
    one, other = old.document.get(name), new.document.get(name)
    if isinstance(one, list) and isinstance(other, list):
        return FieldChange(name, *_lists(name, one, other, first, second))
    return FieldChange(name, _said(name, one, first), _said(name, other, second))


def _lists(name: str, one: list[Any], other: list[Any], first: Shelf, second: Shelf) -> tuple[str, str]:
    """What only one of two lists has."""
    were, are = [_said(name, value, first) for value in one], [_said(name, value, second) for value in other]
    gone, new = [word for word in were if word not in are], [word for word in are if word not in were]
    if not gone and not new:
        gone, new = were, are  # the order is another
    return _short(", ".join(gone) or "nothing"), _short(", ".join(new) or "nothing")


def _said(name: str, value: Any, shelf: Shelf) -> str:
    """A value for people: what is named is told by its name."""
    if value in EMPTY:
        return "nothing"
    if is_reference(value):
        return _called(NOUNS.get(value["type"].removesuffix(SUFFIX), ()), value["id"], shelf)
    if isinstance(value, str):
        return _called((NAMING[name],), value, shelf) if name in NAMING else f'"{_short(value)}"'
    if isinstance(value, dict):
        inner = {key: _said(key, one, shelf) for key, one in value.items() if key != "id" and one not in EMPTY}
        return _short(", ".join(f"{key.replace('_', ' ')} {one}" for key, one in inner.items()))
    if isinstance(value, list):
        return _short(", ".join(_said(name, one, shelf) for one in value))
    return json.dumps(value)


def _called(kinds: Iterable[str], item_id: str, shelf: Shelf) -> str:
    found = (item for kind in kinds if (item := shelf.get(kind, item_id)))
    item = next(found, None)
    return f'"{title_of(item)}"' if item else item_id


def _title(item: Item, shelf: Shelf) -> str:
    """What people call it; what belongs to another also by that."""
    own = item.document.get(BY_NAME[item.kind].title)
    title = _said("", own, shelf).strip('"') if is_reference(own) else title_of(item)
    owner = item.document.get(BY_NAME[item.kind].owner or "team" * (item.kind == "team_memberships"))
    return f"{title} of {_said('', owner, shelf).strip(chr(34))}" if is_reference(owner) and owner != own else title


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
