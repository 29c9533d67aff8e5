"""What is known of REST keys that were replaced, until each is deleted: of a key a digest and its last four characters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

import redis
from pydantic import BaseModel, ConfigDict

from config.keystore import value_id
from tasks.utils.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tasks.utils.keys import Keys

TAIL: Final = 4  # characters, by which PagerDuty's audit records name a key


class FormerKey(BaseModel):
    """One key that was replaced; times in ms, 0: never, or not known."""

    model_config = ConfigDict(frozen=True)

    id: str
    tail: str
    replaced: int
    taken: int = 0  # when PagerDuty was last seen to take it
    looked: int = 0  # when PagerDuty's audit records were last asked for
    changed: int = 0  # when something was last changed with it, by PagerDuty's audit records
    change: str = ""  # what
    unknown: str = ""  # why it cannot be known whether anything is changed with it


class KeyBoard(Protocol):
    """Where a process tells what became of keys."""

    def replaced(self, former: str, new: str) -> None:
        """A new key is used in place of the former one."""
        ...

    def forget(self, key: str) -> None:
        """That key is no former one any more: PagerDuty refuses it, or it is in use again."""
        ...


class NoKeyBoard:
    """For who tells nobody."""

    def replaced(self, former: str, new: str) -> None:
        """Tell nobody."""

    def forget(self, key: str) -> None:
        """Tell nobody."""


class FormerKeys:
    """The former keys, in Redis. While that is away nothing is told: calls are not held up."""

    def __init__(self, client: Any, keys: Keys) -> None:
        self._client = client
        self._key = keys.former_keys
        self._clock = Clock(client, keys)

    def replaced(self, former: str, new: str) -> None:
        """A new key is used in place of the former one; nothing is known of the new one as a former one any more."""
        try:
            row = FormerKey(id=value_id(former), tail=former[-TAIL:], replaced=self._clock.now_ms())
            self._client.hsetnx(self._key, row.id, row.model_dump_json())
            self._client.hdel(self._key, value_id(new))
        except redis.RedisError:
            return

    def forget(self, key: str) -> None:
        """That key is no former one any more: PagerDuty refuses it, or it is in use again."""
        try:
            self.gone(value_id(key))
        except redis.RedisError:
            return

    def gone(self, identity: str) -> bool:
        """It is deleted at PagerDuty; whether it was still known."""
        return bool(self._client.hdel(self._key, identity))

    def put(self, row: FormerKey) -> None:
        """What is known of it by now, unless it is gone meanwhile."""
        if self._client.hexists(self._key, row.id):
            self._client.hset(self._key, row.id, row.model_dump_json())

    def all(self) -> Sequence[FormerKey]:
        """All that are not known to be deleted, the first one replaced first."""
        found = map(FormerKey.model_validate_json, self._client.hvals(self._key))
        return sorted(found, key=lambda one: one.replaced)
