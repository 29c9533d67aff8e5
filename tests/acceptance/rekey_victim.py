"""A process that encrypts everything anew in children, to be killed at any moment; see `tests.integration.logs.victim`."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from typing import TYPE_CHECKING

from config.settings import load
from tasks.rotating import RotationWiring
from tasks.runtime import Runtime
from tests.conftest import ROOT
from tests.integration.logs.victim import Fate

if TYPE_CHECKING:
    from config.models import Settings

OURS = tuple(str(ROOT / part) for part in ("tasks", "config"))


def main() -> None:
    """Each line on stdin is the number of the call the child dies at; the answer is how many it made, or `killed`."""
    settings = load()
    for line in sys.stdin:
        mine, childs = os.pipe()
        pid = os.fork()
        if pid == 0:
            _child(settings, int(line), childs)
        os.close(childs)
        with os.fdopen(mine) as answer:
            told = answer.read()
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        sys.stdout.write(f"{told if code == 0 else 'killed' if code == -signal.SIGKILL else 'failed'}\n")
        sys.stdout.flush()


def _child(settings: Settings, last: int, answer: int) -> None:
    fate = Fate(last, OURS)
    try:
        wiring = RotationWiring(Runtime(settings), pause=lambda _: None)
        sys.setprofile(fate)
        wiring.rotate("encryption")
        sys.setprofile(None)
        os.write(answer, str(fate.calls).encode())
        os._exit(0)
    except BaseException:  # noqa: BLE001 (a fork must not live on as its parent)
        traceback.print_exc()
        os._exit(1)


if __name__ == "__main__":
    main()
