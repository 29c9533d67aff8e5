"""How far a long piece of work has come: said by whoever does it, shown by whoever called it."""

from __future__ import annotations

import time
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SELDOM: Final = 1.0  # seconds between two reports of the same thing


class Progress(NamedTuple):
    """So much of so much is done; `total` is 0 where nobody knows how much there is. `what` is a noun: "objects"."""

    done: int
    total: int
    what: str

    def __str__(self) -> str:
        """In words."""
        return f"{self.done} of {self.total} {self.what}" if self.total else f"{self.done} {self.what}"


def report(done: int, total: int, what: str) -> None:
    """Say how far it is. Call it as often as you like, in the thread that does the work; nothing happens where nobody looks."""
    _show.get()(Progress(done, total, what))


@contextmanager
def shown(show: Callable[[Progress], None]) -> Iterator[None]:
    """What is reported in the block goes to `show`."""
    token = _show.set(show)
    try:
        yield
    finally:
        _show.reset(token)


class Seldom:
    """Passes on what is reported at most once a second, and the first and the last of everything."""

    def __init__(self, show: Callable[[Progress], None], now: Callable[[], float] = time.monotonic) -> None:
        self._show = show
        self._now = now
        self._what = ""
        self._at = 0.0

    def __call__(self, progress: Progress) -> None:
        """Take one report."""
        is_news = progress.what != self._what or progress.done == progress.total
        if is_news or self._now() - self._at >= SELDOM:
            self._what, self._at = progress.what, self._now()
            self._show(progress)


def _nobody(_: Progress) -> None:
    pass


_show: ContextVar[Callable[[Progress], None]] = ContextVar("progress", default=_nobody)
