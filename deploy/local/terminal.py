import os
import sys
import threading
import time
from enum import IntEnum
from typing import Final, TextIO

from tasks.utils.formatters import for_terminal

COLOURS: Final = ("36", "35", "34", "32", "96", "95", "94", "92")
WHO_WIDTH: Final = 11
NARROWEST: Final = 60
UNBOUNDED: Final = 400


class Level(IntEnum):
    """How much a line matters."""

    DETAIL = 0
    GOOD = 1
    PLAIN = 2
    WARNING = 3
    ERROR = 4


STYLE: Final = {Level.DETAIL: "2", Level.GOOD: "32", Level.PLAIN: "", Level.WARNING: "33", Level.ERROR: "31"}


class Terminal:
    """One readable line per event: time, who, what. Colours only on a terminal and without NO_COLOR."""

    def __init__(self, stream: TextIO | None = None, *, colour: bool | None = None) -> None:
        self._stream = stream or sys.stderr
        self._lock = threading.Lock()
        self._seen: list[str] = []
        is_terminal = self._stream.isatty()
        self._colour = is_terminal and not os.environ.get("NO_COLOR") if colour is None else colour
        self._cut = is_terminal

    def say(self, who: str, what: str, level: Level = Level.PLAIN) -> None:
        """Print one event; longer than the terminal is wide, it is cut."""
        clock = time.strftime("%H:%M:%S")
        text = _shorten(for_terminal(" ".join(what.split())), self._width() - len(clock) - WHO_WIDTH - 4)
        with self._lock:
            name = self._paint(f"{who:<{WHO_WIDTH}}", self._colour_of(who))
            self._write(f"{self._paint(clock, '2')}  {name}  {self._paint(text, STYLE[level])}")

    def show(self, text: str = "") -> None:
        """Print a block of text as it is."""
        with self._lock:
            self._write(text)

    def bold(self, text: str) -> str:
        """The text, emphasised where that is possible."""
        return self._paint(text, "1")

    def _write(self, text: str) -> None:
        self._stream.write(text + "\n")
        self._stream.flush()

    def _width(self) -> int:
        if not self._cut:
            return UNBOUNDED
        try:
            return max(os.get_terminal_size(self._stream.fileno()).columns, NARROWEST)
        except OSError:
            return UNBOUNDED

    def _colour_of(self, who: str) -> str:
        if who not in self._seen:
            self._seen.append(who)
        return COLOURS[self._seen.index(who) % len(COLOURS)]

    def _paint(self, text: str, code: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self._colour and code else text


def _shorten(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
