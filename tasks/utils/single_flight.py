"""Lets one caller at a time do what must not be done by two: across processes and machines, with a lease that is renewed."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import uuid4

import redis
import structlog

from tasks.utils.clock import Clock
from tasks.utils.error_handler import TransientError
from tasks.utils.rows import milliseconds
from tasks.utils.scripts import Scripts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tasks.utils.keys import Keys

log = structlog.get_logger("tocsin.flights")

LEASE: Final = timedelta(minutes=1)
RENEWALS: Final = 3  # in the course of one lease


class BusyError(TransientError):
    """Somebody else is doing just that."""

    def __init__(self, name: str, holder: Holder) -> None:
        super().__init__(
            f"{name} is being done already, by {holder.who}, since {holder.since:%Y-%m-%d %H:%M:%S} UTC. "
            f"Wait until that is over; should it have died, it may be done again from {holder.until:%H:%M:%S} UTC on.",
        )
        self.name = name
        self.holder = holder


class OvertakenError(TransientError):
    """Somebody else has taken over, because this one was away for longer than its lease."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} was taken over by somebody else after a silence; what was done so far stands")


class Holder(NamedTuple):
    """Who does it, since when, and until when he must have renewed."""

    who: str
    since: datetime
    until: datetime


class Asker(NamedTuple):
    """Who asks, in words, and by which token this once."""

    words: str
    asked: str


class Flight:
    """What `SingleFlight.alone` gives. `token` only grows from one holder to the next, for whoever can compare."""

    def __init__(self, scripts: Scripts, name: str, token: int, since: int, lease: timedelta, who: Asker) -> None:
        self.name = name
        self.token = token
        self._scripts = scripts
        self._since = since
        self._lease = lease
        self._who = who
        self._ended = threading.Event()
        self._overtaken = False

    def check(self) -> None:
        """Ask, before what cannot be taken back, whether it is still ours; OvertakenError if not."""
        if self._overtaken or not self._renew():
            self._overtaken = True
            raise OvertakenError(self.name)

    def keep(self) -> None:
        """Renew until `end`. While the server is away it is tried on: `check` asks when it matters."""
        while not self._ended.wait(self._lease.total_seconds() / RENEWALS):
            try:
                if not self._renew():
                    self._overtaken = True
                    log.error("flight_overtaken", flight=self.name)
                    return
            except redis.RedisError as error:
                log.warning("flight_not_renewed", flight=self.name, error=type(error).__name__)

    def end(self) -> None:
        """Renew no more, and give it back."""
        self._ended.set()
        try:
            self._scripts.run("flight_end", self.name, self.token, self._who.asked)
        except redis.RedisError as error:  # it ends by itself with its lease
            log.warning("flight_not_ended", flight=self.name, error=type(error).__name__)

    def _renew(self) -> bool:
        lease = milliseconds(self._lease)
        return bool(self._scripts.run("flight_renew", self.name, self.token, self._since, lease, *self._who))


class SingleFlight:
    """What one at a time does, by name. Any number of processes may ask."""

    def __init__(self, client: Any, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self._scripts = Scripts(client, keys)

    @contextmanager
    def alone(self, name: str, lease: timedelta = LEASE) -> Iterator[Flight]:
        """Do it alone; BusyError, which names who is at it, where somebody else does.

        It is renewed by a thread of its own while the block runs. A process that dies leaves it to others when the lease ends.
        """
        who = Asker(myself(), uuid4().hex)
        mine, *answer = self._scripts.run("flight_take", name, who.words, milliseconds(lease), who.asked)
        if not mine:
            until, since, other = answer
            raise BusyError(name, Holder(str(other), _moment(since), _moment(until)))
        flight = Flight(self._scripts, name, int(answer[0]), int(answer[1]), lease, who)
        threading.Thread(target=flight.keep, name=f"flight {name}", daemon=True).start()
        try:
            yield flight
        finally:
            flight.end()

    def holders(self) -> dict[str, Holder]:
        """What is being done now, and by whom."""
        now = Clock(self._client, self._keys).now_ms()
        kept = {name: line.split("\n", 5) for name, line in self._client.hgetall(self._keys.flights).items()}
        return {
            name: Holder(who, _moment(since), _moment(until))
            for name, (_, until, since, lease, _, who) in sorted(kept.items())
            if now < int(until) <= now + int(lease)
        }


def myself() -> str:
    """This process in words, with the task it is at."""
    task = structlog.contextvars.get_contextvars().get("task")
    return f"{f'task {task}, ' if task else ''}process {os.getpid()} on {socket.gethostname()}"


def _moment(at: Any) -> datetime:
    return datetime.fromtimestamp(int(at) / 1000, UTC)
