"""The loss of everything Redis held, as tests bring it about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tasks.utils.keys import Keys


def lose_everything(client: Any, keys: Keys) -> None:
    """FLUSHALL, once the data set is a millisecond old: it goes by the time it began."""
    epoch = int(client.get(keys.epoch) or 0)
    while True:
        seconds, micros = client.time()
        if seconds * 1000 + micros // 1000 > epoch:
            break
    client.flushall()
