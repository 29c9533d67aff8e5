"""Whether PagerDuty takes events by each of our routing keys; calls nobody: there the end of an alert that never was is dropped."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tasks.utils.error_handler import TocsinError
from tasks.utils.health_monitor import Check, Line, run_checks
from tasks.utils.rest.errors import said_by
from tasks.utils.rest.line import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import timedelta

    from tasks.utils.health_monitor import State
    from tasks.utils.rest.line import Line as Connection

NOTHING: Final = "tocsin-health-of-nothing"  # a dedup key no alert ever has
MOST: Final = 50
THROTTLED: Final = 429
PATH: Final = "/v2/enqueue"


@dataclass(frozen=True)
class Door:
    """A routing key and the base address it is used at; `words` is what people call it, `key_id` what logs do."""

    url: str
    key: str
    words: str
    key_id: str


class EventsCheck:
    """One small event by each key. `busy`: whether a key has spent so much of its minute that it must not be asked as well."""

    def __init__(
        self,
        doors: Sequence[Door],
        connect: Callable[[str], Connection],
        busy: Callable[[Door], bool],
        within: float,
    ) -> None:
        self._doors = doors
        self._connect = connect
        self._busy = busy
        self._within = within

    def __call__(self) -> list[Line]:
        """A line for each key."""
        if not self._doors:
            return [Line("events.keys", "skip", "no channel sends events to PagerDuty")]
        checks = [Check(f"events.{door.key_id}", self._probe(door), self._within) for door in self._doors[:MOST]]
        lines = run_checks(checks, within=self._within)
        if len(self._doors) > MOST:
            lines.append(Line("events.more", "skip", f"{len(self._doors) - MOST} more keys were not tried"))
        return lines

    def _probe(self, door: Door) -> Callable[[], list[Line]]:
        return lambda: [self._ask(door)]

    def _ask(self, door: Door) -> Line:
        name = f"events.{door.key_id}"
        if self._busy(door):
            return Line(
                name, "skip", f"{door.words}: has most of its minute's events to send, and is not tried as well"
            )
        began = time.monotonic()
        connection = self._connect(door.url)
        try:
            answer = send(connection, door, "resolve", NOTHING)
        except TocsinError as error:
            mend = "look at the network and the DNS on the way there, and at status.pagerduty.com"
            return Line(name, "fail", f"{door.words}: {error}", "202", mend)
        finally:
            connection.close()
        took = (time.monotonic() - began) * 1000
        if answer.status == 202:
            return Line(name, "ok", f"{door.words}: taken in {took:.0f} ms", "202")
        said = "; ".join(dict.fromkeys((said_by(answer.status, answer.body).reason,)))
        state: State = "warn" if answer.status == THROTTLED else "fail"
        return Line(name, state, f"{door.words}: refused with {answer.status}: {said}", "202", _mend(answer.status))


def send(connection: Connection, door: Door, action: str, dedup_key: str, payload: dict[str, Any] | None = None) -> Any:
    """PagerDuty's answer to one event."""
    body = {"routing_key": door.key, "event_action": action, "dedup_key": dedup_key}
    return connection.exchange(Request("POST", PATH, body={**body, **({"payload": payload} if payload else {})}))


def _mend(status: int) -> str:
    if status == THROTTLED:
        return "nothing: it is spent for this minute"
    if status >= 500:
        return "look at status.pagerduty.com; alerts take their next channel meanwhile"
    return (
        "put a routing key that PagerDuty knows into the channel; a key of the other region is refused too: "
        "see PAGERDUTY_EVENTS_URL"
    )


def send_test(connection: Connection, door: Door, stamp: str, host: str, patience: timedelta) -> list[Line]:
    """Open one marked alert and end it, also where nobody said that it was opened. It calls people as any alert of that service does."""
    key, began = f"tocsin-test-{stamp}", time.monotonic()
    payload = {
        "summary": "Tocsin: a test, to be resolved at once",
        "source": host,
        "severity": "info",
        "component": "tocsin",
    }
    limit = f"{patience.total_seconds():.0f} s"
    wrong, mend = "", ""
    for action, told in (("trigger", payload), ("resolve", None)):
        why, how = _refusal_of(connection, door, action, key, told)
        wrong, mend = (f"{action}: {why}", how) if why else (wrong, mend)
    if wrong:
        look = f"{mend}; look whether an alert {key} is open there, and resolve it"
        return [Line("test.event", "fail", f"{door.words}: {wrong}", limit, look)]
    took = time.monotonic() - began
    return [Line("test.event", "ok", f"{door.words}: {key} triggered and resolved in {took:.1f} s", limit)]


def _refusal_of(
    connection: Connection, door: Door, action: str, key: str, payload: dict[str, Any] | None
) -> tuple[str, str]:
    """Why PagerDuty did not take an event, and what to do; both empty if it did."""
    try:
        answer = send(connection, door, action, key, payload)
    except TocsinError as error:
        return str(error), "look at the network on the way there"
    if answer.status == 202:
        return "", ""
    return f"refused: {said_by(answer.status, answer.body).reason}", _mend(answer.status)
