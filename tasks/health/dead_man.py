"""The dead-man's signal: whoever gets it outside calls people when it stays away, for nobody in here could any more."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

log = structlog.get_logger("tocsin.sentinel")

EVERY: Final = 60.0  # seconds


class DeadMan:
    """Posts once a minute while nothing speaks against it. `post` says whether the other side took it."""

    def __init__(self, post: Callable[[], bool] | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._post = post
        self._clock = clock
        self._next = 0.0
        self._said: tuple[str, ...] = ()

    def look(self, breaks: Sequence[str]) -> None:
        """Post if it is time, and if no link of the chain is broken."""
        if self._post is None:
            return
        if breaks:
            self._say(tuple(breaks))
        elif self._clock() >= self._next:
            if self._post():
                self._next = self._clock() + EVERY
                self._say(())
            else:
                self._say(("the address outside does not take it",))

    def _say(self, why: tuple[str, ...]) -> None:
        """Log changes only."""
        if why and why != self._said:
            log.warning("dead_man_stays_silent", why="; ".join(why))
        elif self._said and not why:
            log.info("dead_man_signals_again")
        self._said = why
