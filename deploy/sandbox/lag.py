from __future__ import annotations

from typing import TYPE_CHECKING

from deploy.sandbox.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from deploy.sandbox.store import Entity, Found


class Delayed(Store):
    """A store as reads see it, a while behind; what is in it is read only."""

    def __init__(self, store: Store, until: float) -> None:
        super().__init__()
        self._store = store
        self._until = until

    def get(self, kind: str, name: str) -> Entity | None:
        """The object of this id, if it was there then."""
        if self._store.born(kind, name) > self._until:
            return None
        return self._store.get(kind, name) or self._gone(kind).get(name)

    def all(self, kind: str) -> Collection[Entity]:
        """Every object that was there then."""
        known = [one for one in self._store.all(kind) if self._store.born(kind, one["id"]) <= self._until]
        return [*known, *self._gone(kind).values()]

    def kinds(self) -> Iterator[str]:
        """The collections that hold anything."""
        return self._store.kinds()

    def recall(self, what: object, compute: Callable[[], Found]) -> Found:  # noqa: ARG002 - true of now alone
        """What `compute` gives."""
        return compute()

    def _gone(self, kind: str) -> dict[str, Entity]:
        return {
            name: one
            for name, (one, at) in self._store.removed(kind).items()
            if at > self._until and self._store.born(kind, name) <= self._until
        }
