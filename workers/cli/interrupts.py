"""Ctrl-C, from the first line of the program on."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType


class Interrupts:
    """Whether there was one: what it strikes may make an error of its own of it, as pydantic does of one while a model is built."""

    def __init__(self) -> None:
        self.came = False

    def heed(self) -> None:
        """Have Ctrl-C raise KeyboardInterrupt. Whoever started the program without it, as a shell does behind `&`, has it so."""
        if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
            signal.signal(signal.SIGINT, self._note)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.came = True
        raise KeyboardInterrupt


def end_at_once() -> None:
    """Have Ctrl-C end this process silently: for as long as it only imports and reads.

    There an exception is shown in full, wrapped, or lost where it strikes a destructor.
    """
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
