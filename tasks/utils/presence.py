"""Which processes there are, on all machines: each shows itself every few seconds."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tasks.utils.scripts import Scripts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tasks.utils.keys import Keys


@dataclass(frozen=True)
class Sign:
    """What a process says of itself. `role` such as `worker-alert` or `beat`; `space` tells apart whose process ids are meant."""

    role: str
    host: str
    pid: int
    space: int
    version: str

    @property
    def name(self) -> str:
        """What it is known by."""
        return f"{self.role}@{self.host}-{self.space}-{self.pid}"


@dataclass(frozen=True)
class Seen:
    """A process as it was last seen; `at` then, `well` when it last took messages, or had none to take, both in ms by the fleet's clock.

    `keys` are the ids of the encryption keys it knows, the newest first; None where it does not say.
    """

    sign: Sign
    at: int
    well: int
    keys: tuple[str, ...] | None = None

    @property
    def words(self) -> str:
        """What people call it."""
        return f"{self.sign.host}-{self.sign.pid}"


class Presence:
    """The list of all processes."""

    def __init__(self, client: Any, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self._scripts = Scripts(client, keys)

    def beat(
        self,
        sign: Sign,
        received: int = 0,
        *,
        is_busy: bool = False,
        queues: Sequence[str] = (),
        keys: Sequence[str] = (),
    ) -> None:
        """Show that this process lives; `received` counts its messages, `queues` is where it takes them from.

        `keys` are the ids of the encryption keys it can read with.
        """
        lists = [self._keys.queue(queue) for queue in queues]
        self._scripts.run(
            "presence_beat",
            sign.name,
            json.dumps({**asdict(sign), "keys": " ".join(keys)}),
            received,
            int(is_busy),
            *lists,
        )

    def leave(self, sign: Sign) -> None:
        """It ends of its own will."""
        self._client.hdel(self._keys.presence, sign.name)

    def all(self) -> list[Seen]:
        """Every process that showed itself in the last ten minutes and did not say that it ends."""
        said = sorted(self._client.hgetall(self._keys.presence).items())
        return [seen for _, text in said if (seen := _parsed(text)) is not None]


def _parsed(text: str) -> Seen | None:
    """None for what another version may write there: whoever looks goes on without it."""
    try:
        return _seen(json.loads(text))
    except (ValueError, KeyError, TypeError):
        return None


def _seen(said: dict[str, Any]) -> Seen:
    sign = Sign(said["role"], said["host"], int(said["pid"]), int(said["space"]), said["version"])
    keys = tuple(said["keys"].split()) if "keys" in said else None
    return Seen(sign, int(said["at"]), int(said["well"]), keys)
