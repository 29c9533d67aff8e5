"""A process that cleans up in children, to be killed at any moment: `python -m tests.integration.logs.victim`, wired by its environment.

Each line it reads is the number of the call the child dies at (0: at none); it answers with how many calls were made, or `killed`.
A call is one of a C function (write, fsync, rename, unlink, send, …) by the code under test: the child dies just before it.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from config.settings import load
from tasks.runtime import Runtime

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from config.models import Settings

OURS = tuple(str(Path(__file__).parents[3] / part) for part in ("tasks/logs", "tasks/audit", "tasks/utils"))


class Fate:
    """Counts calls, and ends the process at one of them."""

    def __init__(self, last: int, ours: tuple[str, ...] = OURS) -> None:
        self.calls = 0
        self._last = last
        self._ours = ours

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        if event != "c_call" or not frame.f_code.co_filename.startswith(self._ours):
            return
        self.calls += 1
        if self.calls == self._last:
            os.kill(os.getpid(), signal.SIGKILL)


def serve(work: Callable[[int], int]) -> None:
    """Have a child do `work` for each line on stdin, the number of the call it dies at; the answer is how many it made, or how it ended."""
    for line in sys.stdin:
        mine, childs = os.pipe()
        pid = os.fork()
        if pid == 0:
            _child(work, int(line), childs)
        os.close(childs)
        with os.fdopen(mine) as answer:
            told = answer.read()
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        sys.stdout.write(f"{told if code == 0 else 'killed' if code == -signal.SIGKILL else 'failed'}\n")
        sys.stdout.flush()


def _child(work: Callable[[int], int], last: int, answer: int) -> NoReturn:
    try:
        os.write(answer, str(work(last)).encode())
        os._exit(0)
    except BaseException:  # noqa: BLE001 (a fork must not live on as its parent)
        traceback.print_exc()
        os._exit(1)


def clean_up(settings: Settings, last: int) -> int:
    """Clean up everything; the number of calls that took."""
    fate = Fate(last)
    cleaning = Runtime(settings).logs.clean_up
    sys.setprofile(fate)
    cleaning.run()
    sys.setprofile(None)
    return fate.calls


if __name__ == "__main__":
    serve(partial(clean_up, load()))
