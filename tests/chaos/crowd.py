"""Many processes that do the same at once."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def crowd(module: str, *arguments: str, processes: int) -> Iterator[None]:
    """So many processes of a module, at work: each has said that it is ready, and ends when its standard input does."""
    command = [sys.executable, "-m", module, *arguments]
    with ExitStack() as stack:
        members = []
        for _ in range(processes):
            member = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            stack.callback(member.wait, timeout=30)
            stack.enter_context(member.stdin)  # type: ignore[arg-type]
            stack.enter_context(member.stdout)  # type: ignore[arg-type]
            members.append(member)
        for member in members:
            assert member.stdout is not None
            assert member.stdout.readline() == b"ready\n"
        yield
