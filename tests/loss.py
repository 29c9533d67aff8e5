"""The loss of everything Redis held, as tests bring it about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tasks.utils.clock import Clock

if TYPE_CHECKING:
    from tasks.utils.keys import Keys


def lose_everything(client: Any, keys: Keys) -> None:
    """FLUSHALL, once the data set is a millisecond old: it goes by the time it began. The clock's offset goes, too."""
    epoch, clock = int(client.get(keys.epoch) or 0), Clock(client, keys)
    while clock.now_ms() <= epoch:
        pass
    client.flushall()
