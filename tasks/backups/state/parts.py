"""The parts of Tocsin's state in Redis that nothing else could bring back: how each is read into items, compared, and put back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, Protocol

from tasks.backups.items import Item
from tasks.utils.scripts import Scripts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tasks.utils.keys import Keys

PAGE: Final = 200
OPEN: Final = ("open", "acknowledged")


class Part(Protocol):
    """One kind of item of the state. `kind` is its name in addresses."""

    kind: str

    def read(self) -> Iterator[Item]:
        """Every item there is, each as it is at one moment."""
        ...

    def known(self, ids: Sequence[str]) -> dict[str, Item]:
        """Those of these items that are there."""
        ...

    def why_not(self, item: Item) -> str:
        """Why an item that is not there cannot be put back; empty where it can."""
        ...

    def restore(self, item: Item, origin: str) -> bool:
        """Put an item back; False where something by that name is there already. `origin` names the backup."""
        ...


class Restorable:
    """What can be put back."""

    def why_not(self, item: Item) -> str:  # noqa: ARG002 (nothing stands in the way of any)
        """Nothing does."""
        return ""


class Silences(Restorable):
    """Silences and maintenance windows of Tocsin's own."""

    kind = "silences"

    def __init__(self, client: Any, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self._scripts = Scripts(client, keys)

    def read(self) -> Iterator[Item]:
        """All of them."""
        for name, text in self._client.hgetall(self._keys.rules).items():
            yield Item(self.kind, name, json.loads(text))

    def known(self, ids: Sequence[str]) -> dict[str, Item]:
        """By their ids."""
        texts = self._client.hmget(self._keys.rules, ids) if ids else []
        return {name: Item(self.kind, name, json.loads(text)) for name, text in zip(ids, texts, strict=True) if text}

    def restore(self, item: Item, origin: str) -> bool:  # noqa: ARG002 (a silence has its own author)
        """In force again until it ends."""
        if self._client.hexists(self._keys.rules, item.id):
            return False
        told = item.document
        ends = round(_moment(told["ends_at"]) * 1000)
        self._scripts.run("rule_put", item.id, json.dumps(told), f"{told['kind']}:{item.id}", ends)
        return True


class DeadLetters(Restorable):
    """What could not be delivered, whole."""

    kind = "dead_letters"

    def __init__(self, client: Any, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self._scripts = Scripts(client, keys)

    def read(self) -> Iterator[Item]:
        """The oldest first."""
        start = 0
        while page := self._client.zrange(self._keys.dead, start, start + PAGE - 1):
            yield from self.known(page).values()
            start += len(page)

    def known(self, ids: Sequence[str]) -> dict[str, Item]:
        """By their ids."""
        pipe = self._client.pipeline(transaction=True)
        for name in ids:
            pipe.zscore(self._keys.dead, name)
            pipe.hgetall(self._keys.event(name))
        replies = pipe.execute() if ids else []
        pairs = zip(ids, replies[::2], replies[1::2], strict=True)
        return {
            name: Item(self.kind, name, {"died": died, "event": event})
            for name, died, event in pairs
            if died is not None and event
        }

    def restore(self, item: Item, origin: str) -> bool:  # noqa: ARG002 (it has its own story)
        """A dead letter again, to be replayed or dropped."""
        fields = [part for pair in item.document["event"].items() for part in pair]
        return bool(self._scripts.run("restore_letter", item.id, item.document["died"], *fields) == "created")


def _moment(text: str) -> float:
    from datetime import datetime  # noqa: PLC0415

    return datetime.fromisoformat(text).timestamp()
