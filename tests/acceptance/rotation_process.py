"""Rotates in processes that die: each line on stdin forks one that is killed at a step; its exit status is the answer."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
import traceback
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config.settings import load
from tasks.rotating import RotationWiring
from tasks.runtime import Runtime
from tasks.utils.clock import MovableClock

if TYPE_CHECKING:
    from config.keystore import StoredKey


def rotate(environ: dict[str, str], config_dir: Path, plan: list[str]) -> None:
    """Rotate or go on; `plan` is kind, key, and when to die.

    `before` or `after` the first word that is written down, so many seconds after it began, or never (`none`). A key of `-` is the
    only one of its kind, and waits take their time.
    """
    runtime = Runtime(load(environ=environ, config_dir=config_dir))
    clock = MovableClock(runtime.client, runtime.keys)
    kind, key, when = plan
    if when[0].isdigit():
        threading.Timer(float(when), os.kill, (os.getpid(), signal.SIGKILL)).start()

    def put(stored: StoredKey) -> StoredKey:
        if when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        newer = type(runtime.keystore).put(runtime.keystore, stored)
        if when == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return newer

    keystore: Any = runtime.keystore
    keystore.put = put
    is_alone = key == "-"
    wiring = RotationWiring(
        runtime, time.sleep if is_alone else lambda seconds: clock.advance(timedelta(seconds=seconds))
    )
    if is_alone and not wiring.service.underway():
        wiring.rotate(kind)
    elif not is_alone and key not in [one.rotation["old"] for one in keystore.read()]:
        wiring.rotate(kind, key)
    wiring.service.resume()


def main() -> None:
    """Fork for each line."""
    environ, config_dir = json.loads(sys.argv[1]), Path(sys.argv[2])
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            try:
                rotate(environ, config_dir, line.split())
            except BaseException:  # noqa: BLE001 (a fork must not live on as its parent)
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
