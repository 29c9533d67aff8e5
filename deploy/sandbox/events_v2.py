from __future__ import annotations

from typing import TYPE_CHECKING

from deploy.sandbox.account import ROUTING_KEY
from deploy.sandbox.alerts import Trigger
from deploy.sandbox.call import Answer, Call, Outcome, text, to_json
from deploy.sandbox.events import ACTIONS, LONGEST_KEY, LONGEST_SUMMARY, AlertsEndpoint, EventsEndpoint, client_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from deploy.sandbox.account import Integration

SEVERITIES = ("critical", "warning", "error", "info")
CHANGE_ACCEPTED = to_json({"status": "success", "message": "Change event processed"})


class Enqueue(AlertsEndpoint):
    """POST /v2/enqueue: alerts."""

    def read(self, call: Call) -> None:
        """Take the keys, the action and the summary from the body."""
        event = call.parse_event()
        call.routing_key = text(event.get("routing_key"))
        call.event_action = text(event.get("event_action"))
        call.dedup_key = text(event.get("dedup_key"))
        call.summary = _summary(event.get("payload"))

    def answer(self, call: Call) -> Answer:
        """As the API answers; in sink mode any JSON object is taken at once."""
        if self._world.sink and call.event is not None:
            return self.accepted(call.dedup_key, Outcome.SUNK)
        return super().answer(call)

    def problems(self, event: Mapping[str, object]) -> Iterator[str]:
        """What the documentation and users' reports say is refused."""
        action = event.get("event_action")
        yield from _key_problems(event)
        if not action:
            yield "'event_action' is missing or blank"
        elif action not in ACTIONS:
            yield "'event_action' is invalid (must be one of the following: 'trigger', 'acknowledge' or 'resolve')"
        yield from _dedup_key_problems(event.get("dedup_key"), required=action in ("acknowledge", "resolve"))
        if action == "trigger":
            yield from _payload_problems(event.get("payload"))

    def trigger(self, event: Mapping[str, object]) -> Trigger:
        """The payload's summary, severity and details, with links and images as contexts."""
        payload = event["payload"]
        known = payload if isinstance(payload, dict) else {}
        contexts = [*_contexts(event.get("links"), "link"), *_contexts(event.get("images"), "image")]
        details = known.get("custom_details")
        return Trigger(_summary(payload), text(known.get("severity")), details, contexts, known, client_of(event))

    def accepted(self, dedup_key: str, outcome: Outcome) -> Answer:
        """The 202 that names the dedup key."""
        body = b'{"status":"success","message":"Event processed","dedup_key":' + to_json(dedup_key) + b"}"
        return Answer(202, body, outcome)


class EnqueueChange(EventsEndpoint):
    """POST /v2/change/enqueue: change events. They open nothing; an orchestration's key (R…) is refused."""

    def read(self, call: Call) -> None:
        """Take the routing key and the summary from the body."""
        event = call.parse_event()
        call.routing_key = text(event.get("routing_key"))
        call.summary = _summary(event.get("payload"))

    def problems(self, event: Mapping[str, object]) -> Iterator[str]:
        """A change needs a key and a summary."""
        yield from _key_problems(event)
        if text(event.get("routing_key")).startswith("R"):
            yield "Invalid routing key"
        yield from _summary_problems(_summary(event.get("payload")))

    def apply(self, call: Call, event: Mapping[str, object], integration: Integration) -> Answer:  # noqa: ARG002
        """Nothing but the log shows a change."""
        return self.accepted("", Outcome.RECORDED)

    def accepted(self, dedup_key: str, outcome: Outcome) -> Answer:  # noqa: ARG002 - a change has no key
        """The 202 of a change."""
        return Answer(202, CHANGE_ACCEPTED, outcome)


def _summary(payload: object) -> str:
    return text(payload.get("summary")) if isinstance(payload, dict) else ""


def _key_problems(event: Mapping[str, object]) -> Iterator[str]:
    key = text(event.get("routing_key"))
    if not key:
        yield "'routing_key' is missing or blank"
    elif not ROUTING_KEY.fullmatch(key):
        if len(key) != 32:
            yield "Length of 'routing_key' is incorrect (should be 32 characters)"
        if not (key.isascii() and key.isalnum()):
            yield "'routing_key' cannot contain non-alphanumeric characters."


def _dedup_key_problems(dedup_key: object, *, required: bool) -> Iterator[str]:
    if dedup_key is None or dedup_key == "":
        if required:
            yield "'dedup_key' is missing or blank"
    elif not isinstance(dedup_key, str):
        yield "'dedup_key' should be a string"
    elif len(dedup_key) > LONGEST_KEY:
        yield "'dedup_key' is too long (maximum is 255 characters)"


def _payload_problems(payload: object) -> Iterator[str]:
    if not isinstance(payload, dict) or not payload:
        yield "'payload' is missing or blank"
        return
    yield from _summary_problems(_summary(payload))
    if not text(payload.get("source")).strip():
        yield "'payload.source' is missing or blank"
    severity = payload.get("severity")
    if not severity:
        yield "'payload.severity' is missing or blank"
    elif severity not in SEVERITIES:
        yield "'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')"


def _summary_problems(summary: str) -> Iterator[str]:
    if not summary.strip():
        yield "'payload.summary' is missing or blank"
    elif len(summary) > LONGEST_SUMMARY:
        yield "'summary' is too long (maximum is 1024 characters)"


def _contexts(items: object, kind: str) -> Iterator[dict[str, object]]:
    if isinstance(items, list):
        yield from ({"type": kind, **item} for item in items if isinstance(item, dict))
