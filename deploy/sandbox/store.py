from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

Entity: TypeAlias = dict[str, Any]
Found = TypeVar("Found")

MOST_RECALLED = 10_000

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ID_LENGTH = 6
IDS = len(ALPHABET) ** ID_LENGTH
# Coprime with the number of ids: one step after the other meets every id once, and neighbours look unlike.
STRIDE = 1_234_567_891


class StoreError(ValueError):
    """Two objects of one kind cannot share an id; the message names it."""


class Store:
    """The account's objects, by collection (named as in the URL) and id.

    Objects are plain dicts in the REST API's shape without `self`, `html_url` and `summary`; others are named by
    `{"id": …, "type": "…_reference"}`. What an object leaves out has the API's default.
    """

    def __init__(self) -> None:
        self._collections: dict[str, dict[str, Entity]] = {}
        self._made = 0
        self._reserved: set[str] = set()
        self._recalled: dict[object, Any] = {}
        self._clock: Callable[[], float] | None = None
        self._born: dict[tuple[str, str], float] = {}
        self._removed: dict[str, dict[str, tuple[Entity, float]]] = {}

    def get(self, kind: str, name: str) -> Entity | None:
        """The object of this id, or None."""
        return self._collections.get(kind, {}).get(name)

    def all(self, kind: str) -> Collection[Entity]:
        """Every object of a collection, oldest first."""
        return self._collections.get(kind, {}).values()

    def add(self, kind: str, entity: Entity) -> Entity:
        """Keep an object; it is given an id first if it has none."""
        entity = {"id": self.new_id(), **entity} if not entity.get("id") else entity
        collection = self._collections.setdefault(kind, {})
        if entity["id"] in collection:
            raise StoreError(f"two {kind.replace('_', ' ')} have the id {entity['id']}; give each its own")
        collection[entity["id"]] = entity
        if self._clock is not None:
            self._born[kind, entity["id"]] = self._clock()
        self.touch()
        return entity

    def remove(self, kind: str, name: str) -> Entity | None:
        """Forget an object; the answer is what was forgotten."""
        self.touch()
        found = self._collections.get(kind, {}).pop(name, None)
        if found is not None and self._clock is not None:
            self._removed.setdefault(kind, {})[name] = (found, self._clock())
        return found

    def note_times(self, clock: Callable[[], float] | None) -> None:
        """Note from now on when objects come and go, or, without a clock, stop it and forget."""
        self._clock = clock
        if clock is None:
            self._born.clear()
            self._removed.clear()

    def born(self, kind: str, name: str) -> float:
        """When an object came; 0 where that was not noted."""
        return self._born.get((kind, name), 0.0)

    def removed(self, kind: str) -> Mapping[str, tuple[Entity, float]]:
        """The objects that went, by id, each with the time it did."""
        return self._removed.get(kind, {})

    def touch(self) -> None:
        """Say that something changed: what was computed from the account is computed again."""
        self._recalled.clear()

    def recall(self, what: object, compute: Callable[[], Found]) -> Found:
        """What `compute` gives, computed once until the account changes."""
        if what not in self._recalled:
            if len(self._recalled) > MOST_RECALLED:
                self._recalled.clear()
            self._recalled[what] = compute()
        found: Found = self._recalled[what]
        return found

    def kinds(self) -> Iterator[str]:
        """The collections that hold anything."""
        return (kind for kind, collection in self._collections.items() if collection)

    def reserve(self, value: Any) -> None:
        """Give none of the ids in here to anything new: the parts of objects have ids too."""
        if isinstance(value, dict):
            if isinstance(value.get("id"), str):
                self._reserved.add(value["id"])
            value = list(value.values())
        for one in value if isinstance(value, list) else ():
            self.reserve(one)

    def new_id(self) -> str:
        """An id nobody has, in PagerDuty's form: P and six letters or digits. The same ones in every run."""
        while True:
            self._made += 1
            name = "P" + _digits(self._made * STRIDE % IDS)
            if name not in self._reserved and not any(name in collection for collection in self._collections.values()):
                return name


def _digits(number: int) -> str:
    digits = []
    for _ in range(ID_LENGTH):
        number, digit = divmod(number, len(ALPHABET))
        digits.append(ALPHABET[digit])
    return "".join(digits)
