import logging
from collections import deque
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO, Final

from deploy.local.lines import LogLine, read_line
from deploy.local.terminal import Level, Terminal

LOG_BYTES: Final = 5_000_000
LONGEST_LINE: Final = 65_536
KEPT_LINES: Final = 20
UNTOLD_LINES: Final = 5
TRACEBACK: Final = ("Traceback ", '  File "')
# Ordinary events that are worth a reader's time; warnings and errors are shown whatever they are.
WORTH_TELLING: Final = frozenset({"pump_works_again"})


class Output:
    """What one child says: all of it goes to its log file, what matters to the terminal, the last lines are kept."""

    def __init__(self, name: str, terminal: Terminal, log_dir: Path, *, verbose: bool = False) -> None:
        self._name = name
        self._terminal = terminal
        self._verbose = verbose
        self._last: deque[str] = deque(maxlen=KEPT_LINES)
        self._file = RotatingFileHandler(log_dir / f"{name}.log", maxBytes=LOG_BYTES, backupCount=1, encoding="utf-8")

    def say(self, what: str, level: Level = Level.PLAIN) -> None:
        """Tell something about the child."""
        self._terminal.say(self._name, what, level)

    def follow(self, stream: IO[str], heard: Callable[[str], None]) -> None:
        """Take in everything until the stream ends; `heard` gets each raw line."""
        while line := stream.readline(LONGEST_LINE):
            raw = line.rstrip("\n")
            self._keep(raw)
            heard(raw)
            if (understood := read_line(raw)) and self._is_worth_telling(understood):
                self.say(understood.text, understood.level)
        stream.close()

    def begin(self) -> None:
        """Forget the last words of an earlier life."""
        self._last.clear()

    def last_words(self) -> str:
        """The last lines, as they were."""
        return "\n".join(self._last)

    def untold_words(self) -> list[str]:
        """What it said last in no format of a log: of a traceback the error, of anything else a few lines."""
        plain = [line for line in self._last if read_line(line) is None]
        return plain[-1:] if any(line.startswith(TRACEBACK) for line in plain) else plain[-UNTOLD_LINES:]

    def close(self) -> None:
        """Close the log file."""
        self._file.close()

    def _keep(self, raw: str) -> None:
        if raw.strip():
            self._last.append(raw)
        self._file.emit(logging.LogRecord(self._name, logging.INFO, "", 0, raw, None, None))

    def _is_worth_telling(self, line: LogLine) -> bool:
        return self._verbose or line.level >= Level.WARNING or line.event in WORTH_TELLING
