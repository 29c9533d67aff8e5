import os
import threading
import time
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Final, Self

from deploy.local.child import Child
from deploy.local.exits import HOPELESS, in_words
from deploy.local.guard import Guard
from deploy.local.output import Output
from deploy.local.supervisor import Supervisor
from deploy.local.terminal import Terminal

TRIES_TO_COME_UP: Final = 3


class StartError(RuntimeError):
    """A child cannot come up; `code` is its exit code."""

    def __init__(self, message: str, *, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


class ProcessGroup:
    """Children that are started together, kept alive, and stopped in the order of their stages.

    None of them outlives this process: on a clean end they are stopped, on any other a guard process ends them.
    """

    def __init__(self, terminal: Terminal, log_dir: Path, *, verbose: bool = False) -> None:
        self._terminal = terminal
        self._log_dir = log_dir
        self._verbose = verbose
        self._guard = Guard()
        self._changed = threading.Condition()
        self._members: dict[str, Supervisor] = {}
        self._is_stopping = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, children: Iterable[Child]) -> None:
        """Start children side by side and return at once. Raises StartError once the group is being stopped."""
        self._log_dir.mkdir(parents=True, exist_ok=True)
        with self._changed:
            self._raise_if_stopping()
            for child in children:
                output = Output(child.name, self._terminal, self._log_dir, verbose=self._verbose)
                member = Supervisor(child, output, self._guard, self._changed)
                self._members[child.name] = member
                member.start()

    def wait_until_ready(self, timeout: float = 60.0) -> None:
        """Return once every child is ready. Raises StartError when one cannot, or the time (seconds) is up."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while waiting := [name for name, member in self._members.items() if not member.is_ready]:
                self._raise_if_stopping()
                self._raise_if_hopeless()
                if not self._changed.wait(deadline - time.monotonic()) and time.monotonic() >= deadline:
                    raise StartError(
                        f"Not ready after {timeout:.0f} seconds: {', '.join(waiting)}. Their logs: {self._log_dir}"
                    )

    def pid(self, name: str) -> int:
        """The process id of a child; 0 while it is down."""
        return self._members[name].pid

    def send_signal(self, name: str, number: int) -> None:
        """Send a signal to a child that runs."""
        if pid := self.pid(name):
            os.kill(pid, number)

    def stop(self) -> None:
        """Stop everything, stage after stage, each within its children's grace; then dismiss the guard."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify_all()
        by_stage = sorted(self._members.values(), key=lambda member: member.child.stage)
        for _, members in groupby(by_stage, key=lambda member: member.child.stage):
            together = list(members)
            for member in together:
                member.ask_to_end()
            for member in together:
                member.wait_for_end()
        self._guard.close()

    def kill(self) -> None:
        """End everything at once by SIGKILL."""
        for member in list(self._members.values()):
            member.kill()

    def _raise_if_stopping(self) -> None:
        if self._is_stopping:
            raise StartError("Stopped before it was up.")

    def _raise_if_hopeless(self) -> None:
        for member in self._members.values():
            if member.was_ready or not member.deaths:
                continue
            code = member.deaths[-1]
            if code in HOPELESS or len(member.deaths) >= TRIES_TO_COME_UP:
                message = f"{member.child.name} cannot start: it {in_words(code)}.\n{member.output.last_words()}"
                raise StartError(message.rstrip(), code=code if code > 0 else 1)
