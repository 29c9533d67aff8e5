"""Weeks in which clocks change, lived through on the movable clock: a service in each zone, with a policy by its wall's clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple
from zoneinfo import ZoneInfo

from tasks.escalations.calendar import Calendar, Span
from tasks.escalations.freezing import Freezer
from tasks.escalations.messages import Ways
from tasks.escalations.policy import Hours, Policy, Step, Target
from tasks.escalations.rows import as_moment
from tasks.escalations.service import EscalationService
from tasks.notifications.service import Route
from tasks.utils.identifiers import alert_uid
from tests.acceptance.escalation_world import Tower
from tests.pipeline import DEADLINES, alert

if TYPE_CHECKING:
    from collections.abc import Sequence

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ZONES: Final = {
    "beirut": "Asia/Beirut",
    "paris": "Europe/Paris",
    "howe": "Australia/Lord_Howe",
    "york": "America/New_York",
}
WEEKDAYS: Final = (0, 1, 2, 3, 4)


class Taken(NamedTuple):
    """One step of an alert as the ledger tells of it."""

    name: str
    at: datetime
    whom: str


class Plan(NamedTuple):
    """A step as people would write it down: so long after the one before, and where hours are given, not outside of them."""

    name: str
    after: timedelta
    hours: tuple[tuple[int, ...], int, int] | None = None  # weekdays (none: all), from, until (minutes of the wall)
    waits: bool = True


DAY_BY_DAY: Final = (
    Plan("desk", 45 * MINUTE, ((), 9 * 60, 17 * 60)),
    Plan("nudge", 8 * HOUR + 30 * MINUTE),
    Plan("night", HOUR, ((), 22 * 60, 6 * 60)),
    Plan("long", 4 * HOUR),
    Plan("crew", HOUR, (WEEKDAYS, 0, 24 * 60), waits=False),
)
"""09:00, 17:30, 22:00, 02:00 and 03:00, where no clock changes; the crew not at weekends."""


def policy(zone: str) -> Policy:
    """That, round and round, by the clocks of a zone."""
    steps = tuple(_step(one, zone) for one in DAY_BY_DAY)
    return Policy(f"by {zone}", steps, repeats=20, repeat_after=HOUR)


def _step(one: Plan, zone: str) -> Step:
    hours = None
    if one.hours:
        calendar = Calendar(f"{one.name}'s", zone, (Span(*one.hours),))
        hours = Hours(calendar, inside=True, waits=one.waits)
    return Step(one.name, one.after, (Target("channel", "chat"),), hours=hours)


def promised(number: int, before: datetime, zone: ZoneInfo) -> tuple[datetime, bool]:
    """When the step of that number comes after `before`, and whether it reaches anybody: by watching the wall's clock, minute by minute."""
    one = DAY_BY_DAY[number % len(DAY_BY_DAY)]
    at = before + (HOUR if number and number % len(DAY_BY_DAY) == 0 else one.after)
    while one.waits and not _shows(one, at.astimezone(zone)):
        at = at.replace(second=0, microsecond=0) + MINUTE
    return at, _shows(one, at.astimezone(zone))


def _shows(one: Plan, wall: datetime) -> bool:
    if one.hours is None:
        return True
    days, start, end = one.hours
    minute = wall.hour * 60 + wall.minute
    is_in = start <= minute < end if start < end else minute >= start or minute < end
    return is_in and (not days or wall.weekday() in days)


@dataclass
class Week(Tower):
    """The pipeline with a service in each zone, that escalates by its wall's clock to a channel `chat`."""

    known_services: ClassVar[Sequence[str]] = tuple(ZONES)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.freezer = Freezer({service: policy(zone) for service, zone in ZONES.items()})
        self.ruled_by(escalates=self.freezer)
        ways = Ways({service: {"chat": f"{service}/chat"} for service in ZONES})
        self.escalations = EscalationService(self.rows, ways, self.pause)

    def routes(self) -> dict[str, Route]:
        found = super().routes()
        for service in ZONES:
            found |= {service: found["shop"], f"{service}/chat": Route(found["shop"].addresses[1:], DEADLINES)}
        return found

    def begin(self, service: str, key: str) -> None:
        """An alert of that service begins."""
        self.submit({**alert(key), "service": service})

    def turn_to(self, moment: datetime) -> None:
        """Set every clock of the fleet to that moment."""
        seconds, micros = self.client.time()
        self.client.set(self.keys.clock, round(moment.timestamp() * 1000) - seconds * 1000 - micros // 1000)

    def next_due(self) -> datetime | None:
        """When the next escalation goes on."""
        first = self.client.zrange(self.keys.escalations_due, 0, 0, withscores=True)
        return as_moment(first[0][1]) if first else None

    def steps_of(self, service: str, key: str) -> tuple[datetime, list[Taken]]:
        """When the alert's escalation began, and the steps that were taken."""
        begins = f"escalation-{alert_uid(service, key)}-"
        entries = [e for _, e in self.client.xrange(self.keys.ledger) if e["e"].startswith(begins)]
        taken = [Taken(e["r"], as_moment(int(e["t"])), e["d"]) for e in entries if e["s"] == "escalated"]
        return as_moment(int(entries[0]["t"])), taken


def at(zone: str, wall: str) -> datetime:
    """The moment at which the wall's clock of a zone shows that, for the first time, in UTC."""
    return datetime.fromisoformat(wall).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
