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
    from collections.abc import Callable, Iterable, Iterator

    from tasks.backups.items import Item

    Named = Callable[[str, str], Item | None]
    """Gives an item by its kind and id."""

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
        for name in dict.fromkeys((*first.ids(kind), *second.ids(kind))):
            found = difference(first.get(kind, name), second.get(kind, name), first.get, second.get)
            if found:
                yield found


def difference(old: Item | None, new: Item | None, were: Named, are: Named) -> Difference | None:
    """What became of one item; None is nothing. `were` and `are` know the items that it names, before and after."""
    if new is None:
        return Difference("removed", old.kind, old.id, title_in(old, were)) if old else None
    if old is None:
        return Difference("added", new.kind, new.id, title_in(new, are))
    fields = differing(new.kind, old.document, new.document)
    told = tuple(_field(name, old, new, were, are) for name in fields)
    return Difference("changed", new.kind, new.id, title_in(new, are), told) if told else None


def _field(name: str, old: Item, new: Item, first: Named, second: Named) -> FieldChange:
    one, other = old.document.get(name), new.document.get(name)
    if isinstance(one, list) and isinstance(other, list):
        return FieldChange(name, *_lists(name, one, other, first, second))
    return FieldChange(name, _said(name, one, first), _said(name, other, second))


def _lists(name: str, one: list[Any], other: list[Any], first: Named, second: Named) -> tuple[str, str]:
    """What only one of two lists has."""
    were, are = [_said(name, value, first) for value in one], [_said(name, value, second) for value in other]
    gone, new = [word for word in were if word not in are], [word for word in are if word not in were]
    if not gone and not new:
        gone, new = were, are  # the order is another
    return _short(", ".join(gone) or "nothing"), _short(", ".join(new) or "nothing")


def _said(name: str, value: Any, named: Named) -> str:
    """A value for people: what is named is told by its name."""
    if value in EMPTY:
        return "nothing"
    if is_reference(value):
        return _called(NOUNS.get(value["type"].removesuffix(SUFFIX), ()), value["id"], named)
    if isinstance(value, str):
        return _called((NAMING[name],), value, named) if name in NAMING else f'"{_short(value)}"'
    if isinstance(value, dict):
        inner = {key: _said(key, one, named) for key, one in value.items() if key != "id" and one not in EMPTY}
        return _short(", ".join(f"{key.replace('_', ' ')} {one}" for key, one in inner.items()))
    if isinstance(value, list):
        return _short(", ".join(_said(name, one, named) for one in value))
    return json.dumps(value)


def _called(kinds: Iterable[str], item_id: str, named: Named) -> str:
    found = (item for kind in kinds if (item := named(kind, item_id)))
    item = next(found, None)
    return f'"{title_of(item)}"' if item else item_id


def title_in(item: Item, named: Named) -> str:
    """What people call it; what belongs to another also by that."""
    own = item.document.get(BY_NAME[item.kind].title)
    title = _said("", own, named).strip('"') if is_reference(own) else title_of(item)
    owner = item.document.get(BY_NAME[item.kind].owner or "team" * (item.kind == "team_memberships"))
    above = _said("", owner, named).strip('"') if is_reference(owner) else title
    return title if above == title else f"{title} of {above}"


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
