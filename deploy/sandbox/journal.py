from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from deploy.sandbox.alerts import Alert
    from deploy.sandbox.incidents import Incident

KEPT_ENTRIES = 500_000
NOTHING: Mapping[str, Any] = {}


class Agent(NamedTuple):
    """Who did something, and through what.

    `type` is that of the reference: of a user, a service (what the account does by itself) or an integration of
    `service_id`. `name` is that of a user whom the account does not list.
    """

    type: str
    id: str
    channel: str
    service_id: str = ""
    name: str = ""


@dataclass(slots=True)
class Entry:
    """One step in the life of an incident. `more` has what its kind of log entry shows besides."""

    number: int
    at: float
    kind: str
    incident: Incident
    agent: Agent
    alert: Alert | None
    more: Mapping[str, Any]

    @property
    def id(self) -> str:
        """The log entry's id, in the alphabet and length of PagerDuty's."""
        return f"R{self.number:013d}"


class Journal:
    """Every step of every incident, in the order in which they were made; the latest are kept."""

    def __init__(self, kept: int = KEPT_ENTRIES) -> None:
        self._kept = kept
        self._entries: list[Entry] = []
        self._next = 1
        self._by_time: list[Entry] = self._entries

    def write(
        self,
        at: float,
        kind: str,
        incident: Incident,
        agent: Agent,
        alert: Alert | None = None,
        more: Mapping[str, Any] = NOTHING,
    ) -> Entry:
        """Note a step; it is the incident's latest."""
        entry = Entry(self._next, at, kind, incident, agent, alert, more)
        self._next += 1
        entries = self._entries
        if (entries and at < entries[-1].at) or self._by_time is not entries:
            # Incidents planted in the past: whoever reads next gets the list in order of time.
            self._by_time = []
        entries.append(entry)
        incident.entries.append(entry)
        if len(entries) > self._kept + self._kept // 10:
            del entries[: len(entries) - self._kept]
        return entry

    def get(self, name: str) -> Entry | None:
        """The entry of this id, or None."""
        if not (name.startswith("R") and name[1:].isdecimal()):
            return None
        place = int(name[1:]) - (self._next - len(self._entries))
        found = self._entries[place] if 0 <= place < len(self._entries) else None
        return found if found is not None and found.id == name else None

    def between(self, since: float, until: float) -> Sequence[Entry]:
        """The entries of that time, oldest first, both ends included."""
        if not self._by_time and self._entries:
            self._by_time = sorted(self._entries, key=lambda one: (one.at, one.number))
        ordered = self._by_time
        first = bisect_left(ordered, since, key=lambda one: one.at)
        return ordered[first : bisect_right(ordered, until, lo=first, key=lambda one: one.at)]

    def __len__(self) -> int:
        return len(self._entries)
