"""What is looked at to say how Tocsin is: lines, and checks that give them, run side by side and each in bounded time.

A capability says how it is by a function that returns lines; it is made known in the table of `tasks/checking.py`.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

import redis

from tasks.utils.error_reports import examine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

State = Literal["ok", "warn", "fail", "skip"]
WORST: Final[tuple[State, ...]] = ("fail", "warn", "ok", "skip")
NO_SERVER: Final = "not known while Redis is away"


@dataclass(frozen=True)
class Line:
    """One thing that was looked at. `name` is `group.what`, for ever; `limit` says what would be well, `mend` what to do now.

    `skip`: there was nothing to look at, or no way to; `value` says why.
    """

    name: str
    state: State
    value: str
    limit: str = ""
    mend: str = ""


@dataclass(frozen=True)
class Check:
    """Gives the lines of one group. `within` seconds it must have answered; `is_quick`: also asked where there is little time.

    `run` may raise: Redis away becomes a line that was skipped, any other error a failed one in its words and with its mend.
    """

    group: str
    run: Callable[[], Sequence[Line]]
    within: float = 5.0
    is_quick: bool = False


@dataclass
class _Running:
    """One check on its way, in a thread that nobody waits for longer than is told."""

    check: Check
    lines: Sequence[Line] | None = None
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._run, name=f"health-{self.check.group}", daemon=True)
        self.thread.start()

    def _run(self) -> None:
        self.lines = _lines_of(self.check)

    def answer(self, until: float) -> Sequence[Line]:
        """Its lines, or one that says that none came in time."""
        end = min(self.began + self.check.within, until)
        self.thread.join(max(0.0, end - time.monotonic()))
        if self.lines is not None:
            return self.lines
        took = time.monotonic() - self.began
        mend = "look at what it looks at: its address, the network and the DNS on the way there"
        return [
            Line(f"{self.check.group}.answer", "fail", f"no answer in {took:.0f} s", f"{end - self.began:.0f} s", mend)
        ]


def run_checks(checks: Iterable[Check], *, within: float) -> list[Line]:
    """The lines of all checks, in their order, after `within` seconds at most; a check that hangs is left behind."""
    until = time.monotonic() + within
    running = [_Running(check) for check in checks]
    return [line for one in running for line in one.answer(until)]


def status_of(lines: Iterable[Line]) -> State:
    """The worst state among the lines."""
    states = {line.state for line in lines}
    return next((state for state in WORST if state in states), "skip")


def _lines_of(check: Check) -> Sequence[Line]:
    try:
        return check.run()
    except (redis.ConnectionError, redis.TimeoutError):
        return [Line(f"{check.group}.answer", "skip", NO_SERVER)]
    except Exception as error:  # noqa: BLE001 - whoever asks how everything is must hear of the rest
        report = examine(error)
        return [Line(f"{check.group}.answer", "fail", f"{report.error}: {report.text}", mend=report.mend)]
