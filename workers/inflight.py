"""Messages in flight: taken from a queue, not yet booked as unacknowledged. They are in Redis all the while."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from redis import Redis

LUA = Path(__file__).parent / "lua"

#: Kombu's default priority steps: the other lists a producer may push to that sets priorities.
PRIORITIES = (3, 6, 9)
#: Prioritised messages one sweep moves at most per list: the server serves nobody else meanwhile.
MOST_PRIORITISED = 1000


class InFlight:
    """The messages of one queue that are in flight, whoever fetched them.

    A message belongs to whom books it: the one step that takes it out of flight. So it does not matter who fetched
    it, nor whether he lives: what stays in flight for too long is offered again, and if its consumer was merely slow,
    his booking fails and he lets go. Time decides when, never whether.
    """

    def __init__(self, client: Redis, queue: str, *, prefix: str = "", separator: str = "\x06\x16") -> None:
        self.queue = f"{prefix}{queue}"
        self.list = f"{prefix}_fetch.inflight.{queue}"
        self.seen = f"{prefix}_fetch.seen.{queue}"
        self._prefix = prefix
        self._prioritised = [f"{self.queue}{separator}{step}" for step in PRIORITIES]
        self._book = client.register_script((LUA / "book.lua").read_text())
        self._give_back = client.register_script((LUA / "give_back.lua").read_text())
        self._sweep = client.register_script((LUA / "sweep.lua").read_text())

    def fetch_command(self, timeout: float) -> tuple[str | float, ...]:
        """The command that takes the next message into flight; its reply is the message, or nil after `timeout` s."""
        return ("BLMOVE", self.queue, self.list, "RIGHT", "LEFT", timeout)

    def book(self, message: bytes, tag: str, *, keys: tuple[str, str], route: str, instead: str = "") -> bool:
        """Take `message` out of flight and book it as unacknowledged; False if it is not in flight any more.

        `keys` are kombu's hash and index of unacknowledged messages, `route` is exchange and routing key as in a JSON
        list, `instead` the JSON to book where that is not `message` itself.
        """
        unacked, index = (self._prefix + key for key in keys)
        return bool(self._book(keys=[self.list, unacked, index], args=[message, tag, instead, route]))

    def give_back(self, message: bytes) -> None:
        """Return `message` to its queue as the next to be consumed, if it is still in flight."""
        self._give_back(keys=[self.list, self.queue], args=[message])

    def sweep(self, too_long: float) -> int:
        """Offer again what earlier sweeps saw in flight `too_long` seconds ago; the number of these messages.

        Prioritised messages join the queue too: there are no priorities here, but a producer cannot know.
        """
        keys = [self.list, self.queue, self.seen, *self._prioritised]
        return int(self._sweep(keys=keys, args=[int(too_long * 1000), MOST_PRIORITISED]))
