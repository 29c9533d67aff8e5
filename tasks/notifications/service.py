"""Delivers what is due: claims lanes, looks once more, sends, records what came of it."""

from __future__ import annotations

import json
import random
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import structlog

from tasks.notifications.channels.protocol import Address, Channel, Message
from tasks.notifications.models import DrainReport, ReplayReport, SweepReport
from tasks.utils.rows import Attempt, Claim, Done, Outbox, Outcome, Plan, milliseconds
from tasks.utils.scripts import Scripts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

    from tasks.utils.keys import Keys
    from tasks.utils.metrics_collector import Metrics

log = structlog.get_logger("tocsin.delivery")

LANES_A_CLAIM: Final = 4
REPLAY_REFUSALS: Final = {
    "replayed": "",
    "resolved": "was resolved meanwhile, so it is not sent any more (rule resolved_before_send)",
    "": "was replayed by somebody else",
}
DRAIN_SECONDS: Final = 5.0  # then the task ends and the next hint goes on, so that a shutdown never waits long


@dataclass(frozen=True)
class Route:
    """The way out for one service: its channels in order of fall-back, each severity's patience with one channel (ms), and whom to tell."""

    addresses: Sequence[Address]
    deadlines_ms: Mapping[str, int]
    owner: str = ""


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


class DeliveryService:
    """Empties the outbox. Any number of them may run; a lane is in one hand at a time."""

    def __init__(
        self,
        client: Any,
        keys: Keys,
        routes: Mapping[str, Route],
        channels: Mapping[str, Channel],
        rules: DeliveryRules,
        metrics: Metrics,
    ) -> None:
        self._client = client
        self._keys = keys
        self._outbox = Outbox(client, keys)
        self._scripts = Scripts(client, keys)
        self._routes = routes
        self._channels = channels
        self._rules = rules
        self._metrics = metrics
        self._plans = {name: _plan(route, rules) for name, route in routes.items()}
        self._no_plan = Plan(rules.lease, rules.max_deliveries, "{}", ())

    def drain(self) -> DrainReport:
        """Send what is due until nothing is, or this drain's time is up."""
        report = DrainReport()
        token = uuid.uuid4().hex
        end = time.monotonic() + DRAIN_SECONDS
        while time.monotonic() < end:
            claims = self._outbox.claim(LANES_A_CLAIM, self._rules.lease, token)
            if not claims:
                break
            self._work(claims, token, report)
        return report

    def close(self) -> None:
        """Let go of the channels' connections."""
        for channel in self._channels.values():
            channel.close()

    def sweep(self) -> SweepReport:
        """Mend what waits without a due time."""
        return SweepReport(mended=self._outbox.sweep(self._rules.sweep_after))

    def replay(self, event_ids: Sequence[str]) -> ReplayReport:
        """Put dead letters back into the inbox, to be decided on again."""
        report = ReplayReport(replayed=[])
        for event_id in event_ids:
            refusal = self._replay(event_id)
            if refusal:
                report.refused[event_id] = refusal
            else:
                report.replayed.append(event_id)
        return report

    def _work(self, claims: Sequence[Claim], token: str, report: DrainReport) -> None:
        """Make one attempt on each lane. What came of one is recorded in the round trip that begins the next."""
        done: Done | None = None
        for claim in claims:
            begun = time.monotonic()
            attempt = self._outbox.next_attempt(claim, token, self._plan(claim.service), done)
            done = self._attempt(attempt, claim.service, begun, report) if attempt else None
        if done:
            self._outbox.finish(done, token)

    def _plan(self, service: str) -> Plan:
        """How its lanes are worked; one without channels where this process does not know it, which is said once."""
        plan = self._plans.get(service)
        if plan is None:
            mend = "add it to the configuration, or its waiting alerts become dead letters after an hour"
            log.error("service_not_configured", service=service, mend=mend)
            plan = self._plans[service] = self._no_plan
        return plan

    def _attempt(self, attempt: Attempt, service: str, begun: float, report: DrainReport) -> Done:
        """Send, unless this process was frozen for so long that somebody else may hold the lane before the answer is here."""
        route = self._routes[service]
        too_late = time.monotonic() - begun > (self._rules.lease - self._rules.deadline).total_seconds()
        outcome = Outcome("retry", "lease_too_short") if too_late else self._send(attempt, route)
        outcome = self._timed(outcome, attempt)
        self._tell(attempt, service, outcome)
        report.attempts += 1
        report.sent += outcome.verb == "sent"
        return Done(attempt, outcome, _channel_after(route.addresses, attempt.channel), self._rules.max_attempts)

    def _send(self, attempt: Attempt, route: Route) -> Outcome:
        address = next((a for a in route.addresses if a.channel == attempt.channel), route.addresses[0])
        message = Message(json.loads(attempt.body), address.url, address.key(attempt.key_id), attempt.minimal)
        return self._channels[address.kind].send(message)

    def _tell(self, attempt: Attempt, service: str, outcome: Outcome) -> None:
        """Count the attempt; say aloud what a person must mend."""
        self._metrics.attempted(attempt.channel, outcome.verb)
        if outcome.verb == "sent":
            return
        about = {"service": service, "channel": attempt.channel}
        if outcome.reason == "key_rejected":
            owner = self._routes[service].owner
            log.error("key_rejected", **about, key_id=attempt.key_id, owner=owner, event_id=attempt.event_id)
        else:
            more = {"reason": outcome.reason, "next": outcome.verb, "delay_ms": outcome.delay_ms}
            log.warning("not_delivered", **about, **more, event_id=attempt.event_id)

    def _timed(self, outcome: Outcome, attempt: Attempt) -> Outcome:
        """The same outcome with the time of the next try: jittered backoff, but never past the next channel's turn."""
        if outcome.verb != "retry" or outcome.delay_ms:
            return outcome
        doubled = milliseconds(self._rules.backoff_base) * 2 ** min(attempt.attempts - 1, 20)
        delay = random.uniform(0.5, 1.0) * min(doubled, milliseconds(self._rules.backoff_cap))  # noqa: S311 - jitter
        if attempt.patience_ms >= 0:
            delay = min(delay, attempt.patience_ms)
        return Outcome(outcome.verb, outcome.reason, round(delay), outcome.unclear)

    def _replay(self, event_id: str) -> str:
        """Why the event cannot be replayed; '' when it was."""
        state, body, source, received = self._client.hmget(
            self._keys.event(event_id), "state", "body", "source", "received"
        )
        if state != "dead":
            return "is no dead letter"
        if source == "message":
            return "was never readable as an alert; its raw body is kept with the dead letter"
        answer = self._scripts.run("replay", event_id, f"{received}\n{source}\n{body}")
        return REPLAY_REFUSALS[answer]


def _plan(route: Route, rules: DeliveryRules) -> Plan:
    pairs = ((address.channel, address.current_key_id) for address in route.addresses)
    channels = tuple(part for pair in pairs for part in pair)
    return Plan(rules.lease, rules.max_deliveries, json.dumps(dict(route.deadlines_ms)), channels)


def _channel_after(addresses: Sequence[Address], channel: str) -> str:
    names = [address.channel for address in addresses]
    following = names[names.index(channel) + 1 :] if channel in names else []
    return following[0] if following else ""
