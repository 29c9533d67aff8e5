"""The program as a person at a terminal has it: it asks, they type."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time
from typing import TYPE_CHECKING, NamedTuple

from tests.integration.test_cli_program import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Mapping

PATIENCE = 30.0
Answer = "str | Callable[[str], str]"


class Session(NamedTuple):
    """What stood on the screen, and the exit code."""

    code: int
    screen: str


def at_terminal(
    *words: str, answers: Mapping[str, list[Answer]] | None = None, env: Mapping[str, str] | None = None
) -> Session:
    """Run the program at a terminal of its own; each question (a part of it) is answered by the next of its answers.

    An answer may be made of the screen so far.
    """
    waiting = {question: list(each) for question, each in (answers or {}).items()}
    master, slave = pty.openpty()
    environment = {**os.environ, "COLUMNS": "200", **(env or {})}
    with subprocess.Popen(
        [*PROGRAM, *words], stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
    ) as process:
        os.close(slave)
        try:
            screen = _talk(master, waiting)
        finally:
            os.close(master)
            process.kill() if process.poll() is None and process.wait(5) is None else None
    return Session(process.returncode, screen)


def _talk(master: int, waiting: dict[str, list[Answer]]) -> str:
    screen, answered, until = "", 0, time.monotonic() + PATIENCE
    while True:
        ready, _, _ = select.select([master], [], [], max(0.0, until - time.monotonic()))
        assert ready, f"nothing more within {PATIENCE} s; on the screen: {screen}"
        try:
            seen = os.read(master, 65536)
        except OSError:  # what Linux says at the end
            return screen
        if not seen:
            return screen
        screen += seen.decode("utf-8", "replace").replace("\r\n", "\n")
        question = next((one for one in waiting if screen[answered:].endswith(one) and waiting[one]), None)
        if question is not None:
            answer = waiting[question].pop(0)
            os.write(master, ((answer(screen) if callable(answer) else answer) + "\n").encode())
            answered = len(screen)
