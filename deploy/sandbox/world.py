from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from deploy.sandbox.account import Account
from deploy.sandbox.clock import Clock
from deploy.sandbox.deeds import Deeds
from deploy.sandbox.documents import AccountDocument
from deploy.sandbox.due import Schedule
from deploy.sandbox.exchanges import Exchanges
from deploy.sandbox.faults import Faults
from deploy.sandbox.happenings import Happenings
from deploy.sandbox.hooks import Messages
from deploy.sandbox.incidents import Incidents
from deploy.sandbox.intake import Intake
from deploy.sandbox.journal import Journal
from deploy.sandbox.life import Life
from deploy.sandbox.limits import FixedWindow, SlidingWindow
from deploy.sandbox.log import Log
from deploy.sandbox.references import References
from deploy.sandbox.webhooks.post import TIMEOUT_SECONDS, Poster
from deploy.sandbox.webhooks.webhooks import Webhooks

if TYPE_CHECKING:
    from deploy.sandbox.store import Store

KEPT_EVENTS = 2_000


@dataclass(frozen=True, slots=True)
class Options:
    """How the sandbox was started; a reset goes back to this. None lifts a limit."""

    account: AccountDocument = field(default_factory=AccountDocument)
    sink: bool = False
    events_per_minute: int | None = 120
    rest_per_minute: int | None = 960


class World:
    """Everything the sandbox knows and remembers. `url` is its own address, for links in what it sends by itself."""

    def __init__(self, options: Options, url: str = "http://127.0.0.1") -> None:
        self.options = options
        self.url = url
        self.log = Log()
        self.clock = Clock()
        self.schedule = Schedule(self.clock)
        self.poster = Poster()
        self.exchanges = Exchanges()
        self.events_exchanges = Exchanges(kept=KEPT_EVENTS)
        self.happenings = Happenings()
        self.webhooks = Webhooks(self, self.poster)
        self.reset()

    def reset(self, *, keep_account: bool = False) -> None:
        """Back to how the sandbox was started; the numbers of log and exchanges go on, and exchanges stay."""
        if not keep_account:
            self.account = Account(self.options.account)
        self.set_read_delay(0.0)
        self.sink = self.options.sink
        self.clock = Clock()
        self.schedule.clear()
        self.schedule = Schedule(self.clock)
        self.happenings = Happenings()
        self.webhooks.close()
        self.poster.timeout = TIMEOUT_SECONDS
        self.webhooks = Webhooks(self, self.poster)
        self.incidents = Incidents()
        self.journal = Journal()
        self.life = Life(self)
        self.deeds = Deeds(self)
        self.intake = Intake(self)
        self.messages = Messages()
        self.faults = Faults()
        self.events_window = SlidingWindow(self.options.events_per_minute)
        self.rest_window = FixedWindow(self.options.rest_per_minute)
        self.log.clear()

    def set_read_delay(self, seconds: float) -> None:
        """Let REST reads not see what was created or deleted less than so long ago."""
        self.read_delay = seconds
        self.store.note_times(self._now if seconds else None)

    def enter(self, account: Account) -> None:
        """Let another account take the place of this one."""
        self.account = account
        self.set_read_delay(self.read_delay)

    def _now(self) -> float:
        return self.clock.now()

    @property
    def store(self) -> Store:
        """The account's objects."""
        return self.account.store

    @property
    def names(self) -> References:
        """How what is told to listeners names things."""
        return References(self.store, self.url)

    def to_json(self) -> dict[str, object]:
        """What is set and what was counted, for the control API."""
        self.faults.expire(self.clock.now())
        return {
            "clock_offset_seconds": self.clock.offset,
            "sink": self.sink,
            "limits": {
                "events_per_minute": self.events_window.limit,
                "rest_per_minute": self.rest_window.limit,
                "read_delay_seconds": self.read_delay,
            },
            "faults": [fault.to_json() for fault in self.faults],
            "services": len(self.store.all("services")),
            "incidents": {"open": len(self.incidents.open()), "kept": len(self.incidents)},
            "alerts": {
                "open": len(self.incidents.open_alerts()),
                "suppressed": sum(alert.incident is None for alert in self.incidents.open_alerts()),
            },
            "log_entries": len(self.journal),
            "timers": len(self.schedule),
            "webhooks": self.webhooks.witness.page(0, 0)["counts"],
            "log": {"entries": len(self.log), "last": self.log.last, "counts": dict(self.log.counts)},
        }
