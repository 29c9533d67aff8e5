"""A sandbox of its own for a rehearsal: an empty PagerDuty account in a process that ends with it."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tasks.utils.error_handler import TransientError

if TYPE_CHECKING:
    from collections.abc import Iterator

MODULE: Final = "deploy.sandbox"
# It ends when this process does, however that ends: then nobody holds the other end of its input.
PROGRAM: Final = f"""
import os, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
from {MODULE}.__main__ import main
sys.exit(main(["--host", "127.0.0.1", "--port", "0", "--no-limits"]))
"""
PATIENCE: Final = 10.0  # seconds
HOME: Final = Path(__file__).parents[2]  # where the sandbox's package lies, too


@contextmanager
def sandbox() -> Iterator[str]:
    """The address of an empty sandbox that throttles nothing. TransientError: it does not start."""
    process = subprocess.Popen(  # noqa: S603 (our own program)
        [sys.executable, "-c", PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=HOME,
    )
    try:
        yield _address(process)
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def _address(process: subprocess.Popen[bytes]) -> str:
    line = process.stdout.readline() if process.stdout is not None else b""
    try:
        return str(json.loads(line)["url"])
    except (ValueError, KeyError):
        raise TransientError(f"the sandbox for the rehearsal does not start: try `python -m {MODULE}`") from None
