"""Delivers what is due: claims lanes, looks once more, sends, records what came of it."""

from __future__ import annotations

import json
import random
import time
import uuid
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from tasks.notifications.letter_care import LetterCare
from tasks.notifications.models import DigestReport, DrainReport, SweepReport
from tasks.utils.breaker_rules import BreakerRules
from tasks.utils.rows import Attempt, Claim, Done, Outbox, Outcome, Plan, milliseconds, service_of
from tasks.utils.scripts import Scripts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import timedelta

    from tasks.notifications.channels.protocol import Address
    from tasks.notifications.dispatch import Dispatch
    from tasks.notifications.flights import Flight, Flights
    from tasks.notifications.models import ReplayReport
    from tasks.notifications.telling import Teller
    from tasks.utils.keys import Keys

LANES_A_DRAIN: Final = 16  # sends under way at once
GROUPS_A_CALL: Final = 20
SOON_MS: Final = 10_000  # longest wait of what the next channel would take as soon as the breaker opens
DRAIN_SECONDS: Final = 5.0  # then the task ends and the next hint goes on, so that a shutdown never waits long


@dataclass(frozen=True)
class Route:
    """The way out for one destination: channels in order of fall-back, each severity's patience with one channel (ms), and whom to tell.

    `news` is how alerts are grouped that fall back on a channel that people read, see lua/lib/group.lua. `idle` are the service's other
    channels: they end what they once opened, should the routes have changed since.
    """

    addresses: Sequence[Address]
    deadlines_ms: Mapping[str, int]
    owner: str = ""
    news: str = "20000 50 14400000 1"
    idle: Sequence[Address] = ()

    @cached_property
    def deadlines(self) -> str:
        """Each severity's patience as scripts take it."""
        return json.dumps(dict(self.deadlines_ms))

    def open_to(self, action: str) -> Sequence[Address]:
        """Its channels that take events of this action."""
        return [address for address in self.addresses if action != "change" or address.takes_changes]

    def falling_back(self) -> Iterator[tuple[str, Route]]:
        """The ways of what falls back on a channel that people read, by the ending of the destination."""
        for i, address in enumerate(self.addresses):
            if address.takes_words:
                rest = (*self.addresses[:i], *self.idle)
                yield f":{address.channel}", replace(self, addresses=self.addresses[i:], idle=rest)
        yield ":storm", self  # summaries of too many alerts at once, see lua/lib/budget.lua


@dataclass(frozen=True)
class DeliveryRules:
    """Bounds of delivery; see the settings section of the same name."""

    lease: timedelta
    deadline: timedelta
    max_attempts: int
    max_deliveries: int
    backoff_base: timedelta
    backoff_cap: timedelta
    sweep_after: timedelta
    breaker: BreakerRules = field(default_factory=BreakerRules)
    look_after: timedelta | None = None  # until PagerDuty is looked at for what it took; None: it cannot be


class DeliveryService:
    """Empties the outbox. Any number of them may run; a lane is in one hand at a time."""

    def __init__(
        self,
        client: Any,
        keys: Keys,
        routes: Mapping[str, Route],
        dispatch: Dispatch,
        rules: DeliveryRules,
        teller: Teller,
    ) -> None:
        self._client = client
        self._keys = keys
        # Look for rotated keys, and whether there are any, of which `turn_to` was told then; `look` once a second at most.
        self.renew: Callable[[], bool] = lambda: False
        self.look: Callable[[], object] = lambda: None
        self._outbox = Outbox(client, keys, rules.breaker)
        self._scripts = Scripts(client, keys)
        self._dispatch = dispatch
        self._rules = rules
        self._teller = teller
        self._no_plan = Plan(rules.lease, rules.max_deliveries, "{}", ())
        self.turn_to(routes)

    def turn_to(self, routes: Mapping[str, Route]) -> None:
        """Take these ways out from the next attempt on; whatever is in the air ends as it began."""
        more = ((f"{name}{end}", way) for name, route in routes.items() for end, way in route.falling_back())
        ways = {**routes, **dict(more)}
        self._routes = ways  # before the plans: no attempt is planned with a key that no route has
        self._plans = {name: _plan(route, self._rules) for name, route in ways.items()}

    def drain(self) -> DrainReport:
        """Send what is due until nothing is, or this drain's time is up; what is in the air then is waited for."""
        report = DrainReport()
        token = uuid.uuid4().hex
        with self._dispatch.flights(LANES_A_DRAIN) as flights:
            done = self._work(flights, token, report)
            if done is not None:  # time is up, so that a successor is called for what is left
                self._outbox.claim(0, self._rules.lease, token, done)
            while flights:
                self._outbox.record(self._land(flights, (), report), token)
        return report

    def digest(self) -> DigestReport:
        """Seal a bundle for every group that is due; a drain sends it."""
        report = DigestReport()
        more = 1
        end = time.monotonic() + DRAIN_SECONDS
        while more and time.monotonic() < end:
            sealed, more = self._scripts.run("seal", GROUPS_A_CALL)
            report.sealed += int(sealed)
        return report

    def close(self) -> None:
        """Let go of the channels' connections."""
        self._dispatch.close()

    def sweep(self) -> SweepReport:
        """Mend what waits without a due time."""
        return SweepReport(mended=self._outbox.sweep(self._rules.sweep_after))

    def replay(self, event_ids: Sequence[str]) -> ReplayReport:
        """Give dead letters another chance: triggers are decided on again, what followed them goes back on its lane."""
        return LetterCare(self._client, self._keys).replay(event_ids)

    def _work(self, flights: Flights, token: str, report: DrainReport) -> list[Done] | None:
        """Claim, send and record, all in turns; what is still to be recorded when time is up, None when there was time enough."""
        done: list[Done] = []
        end = time.monotonic() + DRAIN_SECONDS
        is_first = True
        while (begun := time.monotonic()) < end:
            self.look()  # after `begun`: a process that was frozen before has looked, one frozen from here on starts no attempt
            room = flights.room()
            claims = self._outbox.claim(room, self._rules.lease, token, done, answers_hint=is_first and room > 0)
            is_first = False
            starting, suspects = self._begin(claims, token, begun)
            if not claims and not flights:
                return None
            done = self._land(flights, starting, report)
            if suspects:
                self._send_alone(suspects, flights, token, report, done)
                done = []
        return done

    def _send_alone(
        self, suspects: Sequence[Claim], flights: Flights, token: str, report: DrainReport, done: list[Done]
    ) -> None:
        """Send one after the other, nothing of this drain beside them, what may have killed a worker."""
        self._outbox.record(done, token)
        while flights:
            self._outbox.record(self._land(flights, (), report), token)
        for suspect in suspects:
            starting, _ = self._begin([suspect], token, time.monotonic(), alone=True)
            while starting or flights:
                self._outbox.record(self._land(flights, starting, report), token)
                starting = []

    def _land(self, flights: Flights, starting: Sequence[Flight], report: DrainReport) -> list[Done]:
        done = [self._done(flight, outcome, report) for flight, outcome in flights.fly(starting)]
        return [replace(one, is_doubtful=True) if flights.is_doubtful(one.attempt) else one for one in done]

    def _begin(
        self, claims: Sequence[Claim], token: str, begun: float, *, alone: bool = False
    ) -> tuple[list[Flight], Sequence[Claim]]:
        """The attempts to make on these lanes, each booked, and the lanes that must be begun alone.

        They start in time or not at all: a process may be frozen for so long that somebody else holds the lane before the answer is here.
        """
        last_start = begun + (self._rules.lease - self._rules.deadline).total_seconds()
        found = self._outbox.begin([(one, self._plan(one.destination)) for one in claims], token, alone=alone)
        return [self._flight(attempt, one.destination, last_start) for one, attempt in found.attempts], found.suspects

    def _flight(self, attempt: Attempt, destination: str, last_start: float) -> Flight:
        address = self._address(destination, attempt.channel)
        if attempt.key_id not in address.keys:  # another process has opened it with a key that is new
            self.renew()  # what it answers says nothing: another thread may have taken the key up just before
            address = self._address(destination, attempt.channel)
        return self._dispatch.flight(attempt, destination, address, last_start)

    def _address(self, destination: str, channel: str) -> Address:
        route = self._route(destination)
        known = (*route.addresses, *route.idle)
        return next((one for one in known if one.channel == channel), known[0])

    def _plan(self, destination: str) -> Plan:
        """How its lanes are worked; one without channels where this process does not know it, which is said once."""
        plan = self._plans.get(_known(destination, self._plans))
        if plan is None:
            self._teller.unknown_destination(destination)
            plan = self._plans[destination] = self._no_plan
        return plan

    def _route(self, destination: str) -> Route:
        return self._routes[_known(destination, self._routes)]

    def _done(self, flight: Flight, outcome: Outcome, report: DrainReport) -> Done:
        """What to record of an attempt that has ended."""
        attempt, route = flight.attempt, self._route(flight.destination)
        outcome = self._timed(outcome, attempt)
        next_channel = _channel_after(route.open_to(attempt.action), attempt.channel)
        done = Done(attempt, outcome, next_channel, self._rules.max_attempts, self._receipts(route, attempt))
        self._teller.attempted(attempt, flight.destination, route.owner, outcome, is_last=done.is_last)
        report.attempts += 1
        report.sent += outcome.verb == "sent"
        return done

    def _receipts(self, route: Route, attempt: Attempt) -> str:
        """How PagerDuty is looked at for this, should it take it."""
        can_be_seen = attempt.channel in (one.channel for one in route.addresses if one.kind == "pagerduty")
        if attempt.action != "trigger" or self._rules.look_after is None or not can_be_seen:
            return ""
        return f"{milliseconds(self._rules.look_after)} {route.deadlines}"

    def _timed(self, outcome: Outcome, attempt: Attempt) -> Outcome:
        """The same outcome with the time of the next try: jittered backoff, but never past the next channel's turn."""
        if outcome.verb != "retry" or outcome.delay_ms:
            return outcome
        doubled = milliseconds(self._rules.backoff_base) * 2 ** min(attempt.attempts - 1, 20)
        delay = random.uniform(0.5, 1.0) * min(doubled, milliseconds(self._rules.backoff_cap))  # noqa: S311 - jitter
        if attempt.patience_ms >= 0:
            delay = min(delay, attempt.patience_ms, SOON_MS)
        return Outcome(outcome.verb, outcome.reason, round(delay), outcome.unclear)


def _known(destination: str, known: Mapping[str, Any]) -> str:
    """The destination, or where no route leads there any more, the service's own."""
    return destination if destination in known else service_of(destination)


def _plan(route: Route, rules: DeliveryRules) -> Plan:
    ways = (_way(address) for address in route.addresses)
    idle = [("", "", ""), *map(_way, route.idle)] if route.idle else []
    channels = tuple(part for way in (*ways, *idle) for part in way)
    changes = json.dumps([address.channel for address in route.open_to("change")])
    words = json.dumps({address.channel: route.news for address in route.addresses if address.takes_words})
    limits = json.dumps({address.channel: address.limit for address in route.addresses if address.limit})
    answering = json.dumps([address.channel for address in route.addresses if address.answers])
    return Plan(
        rules.lease, rules.max_deliveries, route.deadlines, channels, changes, words, limits, route.owner, answering
    )


def _way(address: Address) -> tuple[str, str, str]:
    return address.channel, address.current_key_id, f"{address.endpoint} {address.pace}"


def _channel_after(addresses: Sequence[Address], channel: str) -> str:
    names = [address.channel for address in addresses]
    following = names[names.index(channel) + 1 :] if channel in names else []
    return following[0] if following else ""
