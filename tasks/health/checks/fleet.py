"""Whether the processes live and work: workers of every group, beat, sentinel, gateway."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tasks.utils.health_monitor import Line
from tasks.utils.heartbeat_file import namespace, process_state

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tasks.utils.presence import Seen

SILENT_MS: Final = 30_000  # a process shows itself every five seconds
SLACK_MS: Final = 6_000  # how old what a worker last said of itself may be
GROUPS: Final = ("alert", "webhook", "delivery", "maintenance")
LIVES: Final = f"one at least, heard of within {SILENT_MS // 1000} s"


@dataclass(frozen=True)
class Roll:
    """Who showed itself, and when it is now. `deaf_after` ms a worker may take nothing while messages wait for it."""

    now: int
    seen: Sequence[Seen]
    deaf_after: int

    def of(self, role: str) -> list[Seen]:
        """All processes of a role, without those of this machine that are no more."""
        return [one for one in self.seen if one.sign.role == role and not _is_gone(one)]

    def silent(self, one: Seen) -> bool:
        """Whether nothing was heard of it for too long."""
        return self.now - one.at > SILENT_MS

    def deaf(self, one: Seen) -> bool:
        """Whether it lives, and takes nothing."""
        return not self.silent(one) and one.at - one.well > self.deaf_after + SLACK_MS


def worker_lines(roll: Roll) -> list[Line]:
    """A line for each group."""
    return [_group(roll, group) for group in GROUPS]


def process_lines(roll: Roll, *, watches: bool) -> list[Line]:
    """Beat, the sentinel and the gateway; `watches`: whether there is to be a sentinel."""
    beat = "start `tocsin beat`, or start it anew: nothing scheduled runs without it; any number may run"
    sentinel = "start `tocsin sentinel`: without it nobody is told when Tocsin itself fails"
    return [
        _process(roll, "beat", beat, "fail"),
        *([_process(roll, "sentinel", sentinel, "warn")] if watches else []),
        _gateway(roll),
    ]


def _group(roll: Roll, group: str) -> Line:
    name, all_of_it = f"workers.{group}", roll.of(f"worker-{group}")
    silent = [one for one in all_of_it if roll.silent(one)]
    deaf = [one for one in all_of_it if roll.deaf(one)]
    well = len(all_of_it) - len(silent) - len(deaf)
    if not all_of_it:
        return Line(name, "fail", "none runs", LIVES, f"start `tocsin worker {group}`")
    value = f"{well} well" + "".join(f"; {words}" for words in (*_silent(roll, silent), *_deaf(roll, deaf)))
    mend = "; ".join((*_wake(silent, f"tocsin worker {group}"), *_hear(deaf)))
    return Line(name, "ok" if not mend else "warn" if well else "fail", value, LIVES, mend)


def _process(roll: Roll, role: str, mend: str, worst: str) -> Line:
    found = roll.of(role)
    well = [one for one in found if not roll.silent(one)]
    silent = [one for one in found if roll.silent(one)]
    name = f"processes.{role}"
    if well:
        return Line(name, "ok", f"{len(well)} well", LIVES)
    value = "; ".join(_silent(roll, silent)) or "none runs"
    return Line(name, "fail" if worst == "fail" else "warn", value, LIVES, "; ".join((*_wake(silent, ""), mend)))


def _gateway(roll: Roll) -> Line:
    found = roll.of("gateway")
    if not found:
        return Line("processes.gateway", "skip", "none runs: alerts come as Celery tasks only")
    silent = [one for one in found if roll.silent(one)]
    well = len(found) - len(silent)
    mend = "; ".join(_wake(silent, "tocsin gateway"))
    value = f"{well} well" + "".join(f"; {words}" for words in _silent(roll, silent))
    return Line("processes.gateway", "ok" if not silent else "warn" if well else "fail", value, LIVES, mend)


def _silent(roll: Roll, silent: Iterable[Seen]) -> Iterator[str]:
    for one in silent:
        stopped = ", stopped" if _is_stopped(one) else ""
        yield f"{one.words} silent for {(roll.now - one.at) / 1000:.0f} s{stopped}"


def _deaf(roll: Roll, deaf: Iterable[Seen]) -> Iterator[str]:
    for one in deaf:
        yield f"{one.words} deaf: took nothing for {(roll.now - one.well) / 1000:.0f} s while messages wait"


def _wake(silent: Sequence[Seen], command: str) -> Iterator[str]:
    stopped = [one for one in silent if _is_stopped(one)]
    if stopped:
        pids = " ".join(str(one.sign.pid) for one in stopped)
        yield f"let it go on, or end it so that its supervisor starts it anew: `kill -CONT {pids}`"
    if len(silent) > len(stopped) and command:
        yield f"it hangs, or was killed: end it if it is there, start `{command}`, and look at its log"


def _hear(deaf: Sequence[Seen]) -> Iterator[str]:
    if deaf:
        pids = " ".join(str(one.sign.pid) for one in deaf)
        yield f"end the deaf one so that its supervisor starts it anew: `kill -9 {pids}` there; no message is lost"


def _is_here(one: Seen) -> bool:
    return one.sign.host == socket.gethostname() and one.sign.space == namespace() != 0


def _is_gone(one: Seen) -> bool:
    return _is_here(one) and process_state(one.sign.pid) in ("", "Z", "X")


def _is_stopped(one: Seen) -> bool:
    return _is_here(one) and process_state(one.sign.pid) in ("T", "t")
