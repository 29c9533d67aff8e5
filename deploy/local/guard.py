"""Ends what its parent started once the parent is gone, even by `kill -9`.

The guard reads its standard input, which only the parent can write to: `+PID` says that a process group lives, `-PID`
that it ended. End of file means that the parent is gone. Linux' parent-death signal was not taken for this: it follows
the *thread* that forked, reaches no grandchildren, and other systems do not have it.
"""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import Final

GRACE_SECONDS: Final = 5.0


class Guard:
    """A small process of its own that outlives this one just long enough to end its children."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

    def watch(self, group: int) -> None:
        """Put a process group (its leader's pid) under guard."""
        self._say(f"+{group}\n")

    def forget(self, group: int) -> None:
        """Take a process group that has ended off the list, so that a reused pid is never hit."""
        self._say(f"-{group}\n")

    def close(self) -> None:
        """Dismiss the guard; whatever is still on its list is ended."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()

    def _say(self, line: str) -> None:
        if self._process.stdin is not None:
            # Without its guard a group is as good as any other: somebody who kills the guard loses only that.
            with suppress(BrokenPipeError):
                os.write(self._process.stdin.fileno(), line.encode())


def _lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _end(groups: set[int]) -> None:
    """Ask the leaders, who know how to end their own children, then end whatever is left."""
    deadline = time.monotonic() + GRACE_SECONDS
    left = {group for group in groups if _lives(group)}
    for leader in left:
        with suppress(ProcessLookupError):
            os.kill(leader, signal.SIGTERM)
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = {group for group in left if _lives(group)}
    for group in left:
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)


def main() -> None:
    """Keep the list until the parent is gone, then end what is on it."""
    groups: set[int] = set()
    for line in sys.stdin:
        (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
    _end(groups)


if __name__ == "__main__":
    main()
