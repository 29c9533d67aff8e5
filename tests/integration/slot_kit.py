"""One machine that claims scheduled runs: a state folder of its own, on a clock that is moved."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from tasks.audit.epochs import EpochWatch
from tasks.utils.cron import last_due
from tasks.utils.schedule_states import ScheduleStates
from tasks.utils.slot_marks import SlotMarks
from tasks.utils.slots import Call, Slots

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.utils.clock import MovableClock
    from tasks.utils.keys import Keys

HOUR = timedelta(hours=1)


class Machine:
    """What one machine knows: a state folder of its own."""

    def __init__(self, client: Any, keys: Keys, clock: MovableClock, folder: Path) -> None:
        self.clock = clock
        self.client = client
        self.keys = keys
        marks = SlotMarks(client, keys, folder / "schedules.json")
        self.epochs = EpochWatch(client, keys, folder / "ledger", lost=marks.restore)
        self.slots = Slots(client, keys, marks, self.epochs.ask)
        self.states = ScheduleStates(client, keys, marks)

    def run(self, message: str, cron: str = "* * * * *", due: datetime | None = None, window: timedelta = HOUR) -> str:
        """The verdict on a message that calls for the entry `job`."""
        due = due or last_due(cron, self.clock.now())
        with self.slots.run(Call("job", due, cron, window), message) as verdict:
            return verdict

    def watch(self, cron: str = "* * * * *", window: timedelta = HOUR) -> str:
        return self.slots.watch("job", cron, window)

    def state(self) -> Any:
        return self.states.read(["job"], self.clock.now())["job"]

    def lose_everything(self) -> None:
        """Flush the server; the clock goes on."""
        offset = self.client.get(self.keys.clock) or 0
        with self.client.pipeline(transaction=True) as pipe:
            pipe.flushall()
            pipe.set(self.keys.clock, offset)
            pipe.execute()

    def set_clock(self, clock: str) -> None:
        """Move on to that time of the next day."""
        hour, minute, second = map(int, clock.split(":"))
        now = self.clock.now()
        then = (now + timedelta(days=1)).replace(hour=hour, minute=minute, second=second, microsecond=0)
        self.clock.advance(then - now)
