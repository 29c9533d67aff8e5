from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from deploy.sandbox.due import Schedule
    from deploy.sandbox.incidents import Incident

ESCALATE = "escalate"
UNACKNOWLEDGE = "unacknowledge"
RESOLVE = "resolve"


def pend(schedule: Schedule, incident: Incident, kind: str, at: float, callback: Callable[[], object]) -> None:
    """The account will do this to the incident by itself; it replaces what of that kind was to come."""
    drop(incident, kind)

    def ring() -> None:
        incident.timers = {name: timer for name, timer in incident.timers.items() if name != kind}
        callback()

    incident.timers = {**incident.timers, kind: schedule.at(at, ring)}


def drop(incident: Incident, *kinds: str) -> None:
    """What of these kinds was to come does not come."""
    if not incident.timers:
        return
    for kind in kinds:
        timer = incident.timers.get(kind)
        if timer is not None:
            timer.cancel()
    incident.timers = {name: timer for name, timer in incident.timers.items() if name not in kinds}
