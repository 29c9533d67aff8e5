from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from deploy.sandbox.call import Answer, Call, Outcome, text, to_json
from deploy.sandbox.endpoint import Endpoint
from deploy.sandbox.orchestrating import orchestrate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from deploy.sandbox.account import Integration
    from deploy.sandbox.alerts import Trigger
    from deploy.sandbox.orchestrating import Orchestrated
    from deploy.sandbox.world import World

# PagerDuty says "512 KB" and its own change to Alertmanager reads that as 512,000 bytes; the stricter reading is safe.
LARGEST_EVENT = 512_000
LONGEST_SUMMARY = 1024
LONGEST_KEY = 255
ACTIONS = ("trigger", "acknowledge", "resolve")

UNRECOGNIZED = to_json(
    {
        "status": "Unrecognized object",
        "message": "Event object format is unrecognized",
        "errors": ["JSON parse error"],
    }
)
THROTTLED = to_json(
    {
        "status": "throttle exceeded",
        "message": "Requests for this service are arriving too quickly.  Please retry later.",
        "errors": ["Enhance Your Calm."],
    }
)


def invalid(*errors: str) -> Answer:
    """The 400 that names what is wrong with an event."""
    body = {"status": "invalid event", "message": "Event object is invalid", "errors": errors}
    return Answer(400, to_json(body), Outcome.INVALID)


def client_of(event: Mapping[str, object]) -> Mapping[str, str] | None:
    """The monitoring tool, as it names itself in an event."""
    name, url = text(event.get("client")), text(event.get("client_url"))
    if not name:
        return None
    return {"name": name, "url": url} if url else {"name": name}


class EventsEndpoint(Endpoint, ABC):
    """What all Events APIs share: the order in which they look."""

    methods = ("POST",)
    throttled_status = 429

    def __init__(self, world: World) -> None:
        self._world = world

    def answer(self, call: Call) -> Answer:
        """Check, throttle and apply one event. Every call with a known routing key counts, a bad one too."""
        if len(call.body) > LARGEST_EVENT:
            return invalid("Event is too large (maximum is 512 KB)")
        if call.event is None:
            return Answer(400, UNRECOGNIZED, Outcome.INVALID)
        integration = self._world.account.integration(call.routing_key)
        if integration and not self._world.events_window.admit(call.routing_key, self._world.clock.now()):
            return self.throttled(headers=None)
        problems = tuple(self.problems(call.event))
        if problems:
            return invalid(*problems)
        return self.apply(call, call.event, integration) if integration else invalid("Invalid routing key")

    def throttled(self, *, headers: bool | None) -> Answer:
        """PagerDuty documents no headers on a throttled event; faults may ask for them all the same."""
        named = ((b"retry-after", b"30"), (b"ratelimit-reset", b"30")) if headers else ()
        return Answer(self.throttled_status, THROTTLED, Outcome.THROTTLED, named)

    def rejected(self) -> bytes:
        """An invalid event, for a reason that is nobody's fault but the sandbox's."""
        return invalid("Rejected by a fault of the sandbox").body

    def swallowed(self, call: Call) -> Answer:
        """The success after which no incident appears."""
        call.dedup_key = call.dedup_key or str(uuid.uuid4())
        return self.accepted(call.dedup_key, Outcome.SWALLOWED)

    @abstractmethod
    def apply(self, call: Call, event: Mapping[str, object], integration: Integration) -> Answer:
        """What becomes of a valid event, and the answer to it."""

    @abstractmethod
    def problems(self, event: Mapping[str, object]) -> Iterator[str]:
        """Everything wrong with the event, in the words of the API."""

    @abstractmethod
    def accepted(self, dedup_key: str, outcome: Outcome) -> Answer:
        """The success that names the alert's key."""


class AlertsEndpoint(EventsEndpoint):
    """What the Events APIs for alerts share: the effect of the three actions."""

    def apply(self, call: Call, event: Mapping[str, object], integration: Integration) -> Answer:
        """Open, update, acknowledge or resolve; an orphan is dropped with the same success."""
        if call.event_action == "trigger":
            call.dedup_key = call.dedup_key or str(uuid.uuid4())
        found = orchestrate(self._world.store, integration, event)
        # The answer names the key that was sent, whatever rules have made of it.
        return self.accepted(call.dedup_key, self._effect(call, found))

    def _effect(self, call: Call, found: Orchestrated) -> Outcome:
        intake, now = self._world.intake, self._world.clock.now()
        dedup_key = text(found.event.get("dedup_key")) or call.dedup_key
        action = text(found.event.get("event_action")) or call.event_action
        if found.wishes.get("drop_event"):
            return Outcome.DROPPED
        if action == "acknowledge":
            return intake.acknowledge(call.routing_key, dedup_key, now)
        if action == "resolve":
            return intake.resolve(call.routing_key, dedup_key, now)
        if found.door is None:
            return Outcome.UNROUTED
        return intake.trigger(found.door, dedup_key, self.trigger(found.event), now, found.wishes)

    @abstractmethod
    def trigger(self, event: Mapping[str, object]) -> Trigger:
        """What a valid trigger says."""
