import signal
from typing import Final

# sysexits and the shell's own, as Tocsin's commands use them
MEANINGS: Final = {
    0: "by itself, without an error",
    1: "with an error",
    2: "because it was called wrongly",
    69: "because something it needs is away",
    75: "because it should be tried later",
    78: "because its configuration is wrong",
    126: "because its program may not be executed",
    127: "because its program was not found",
    130: "because it was interrupted",
}
# Starting again cannot help; somebody has to change something first.
HOPELESS: Final = frozenset({2, 78, 126, 127})


def in_words(code: int) -> str:
    """How a process ended, in words, from its return code as Popen gives it."""
    if code < 0:
        return f"was ended by {_signal_name(-code)}"
    meaning = MEANINGS.get(code, "with an error")
    return f"ended {meaning}" if code == 0 else f"ended {meaning} (exit code {code})"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
