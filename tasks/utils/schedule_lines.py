"""How scheduled tasks stand, as lines of health; for the table of `tasks/checking.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tasks.utils.health_monitor import Line

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from tasks.utils.schedule_states import ScheduleStates, State


def schedule_lines(states: ScheduleStates, now: datetime) -> list[Line]:
    """A line for what failed last and one for what rests. What does not run at all is told by own alert `schedule_late`."""
    found = states.read(states.known(), now)
    return [_failed(found), _resting(found)]


def _failed(found: Mapping[str, State]) -> Line:
    failed = {name: state.last for name, state in found.items() if state.last and state.last.result == "failed"}
    if not found:
        return Line("schedules.failed", "skip", "nothing scheduled has run yet")
    if not failed:
        return Line("schedules.failed", "ok", f"none of {len(found)}", "none")
    words = "; ".join(f"{name}: {run.detail or 'no reason kept'}" for name, run in list(failed.items())[:3])
    mend = f"`tocsin schedules show {next(iter(failed))}` tells more, `tocsin schedules run {next(iter(failed))} --wait` tries it again"
    return Line("schedules.failed", "warn", f"{len(failed)} failed at their last run ({words})", "none", mend)


def _resting(found: Mapping[str, State]) -> Line:
    resting = {name: state.pause for name, state in found.items() if state.pause}
    if not resting:
        return Line("schedules.resting", "ok", "none", "none")
    words = "; ".join(f"{name}: {pause.why} ({pause.by})" for name, pause in list(resting.items())[:3])
    mend = f"`tocsin schedules resume {next(iter(resting))}` when that is over"
    return Line("schedules.resting", "warn", f"{len(resting)} rest ({words})", "none", mend)
