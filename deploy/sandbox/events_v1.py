from __future__ import annotations

from typing import TYPE_CHECKING

from deploy.sandbox.account import ROUTING_KEY
from deploy.sandbox.alerts import Trigger
from deploy.sandbox.call import Answer, Call, Outcome, text, to_json
from deploy.sandbox.events import ACTIONS, LONGEST_KEY, LONGEST_SUMMARY, AlertsEndpoint, client_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class CreateEvent(AlertsEndpoint):
    """POST /generic/2010-04-15/create_event.json: the Events API of before, on the same keys and alerts."""

    throttled_status = 403

    def read(self, call: Call) -> None:
        """Take the keys, the type and the description from the body."""
        event = call.parse_event()
        call.routing_key = text(event.get("service_key"))
        call.event_action = text(event.get("event_type"))
        call.dedup_key = text(event.get("incident_key"))
        call.summary = text(event.get("description"))

    def problems(self, event: Mapping[str, object]) -> Iterator[str]:
        """What users of this API have been told."""
        key, kind, incident_key = (text(event.get(name)) for name in ("service_key", "event_type", "incident_key"))
        if not ROUTING_KEY.fullmatch(key):
            yield "Service key is the wrong length (should be 32 characters)"
        if kind not in ACTIONS:
            yield "Event type is missing or invalid"
        elif kind != "trigger" and not incident_key:
            yield "Incident key is missing or blank"
        if len(incident_key) > LONGEST_KEY:
            yield "Incident key is too long (maximum is 255 characters)"
        description = text(event.get("description"))
        if kind == "trigger" and not description.strip():
            yield "Description is missing or blank"
        elif len(description) > LONGEST_SUMMARY:
            yield "Description is too long (maximum is 1024 characters)"

    def trigger(self, event: Mapping[str, object]) -> Trigger:
        """The description and details; v1 knows no severity, so it is critical."""
        contexts = event.get("contexts")
        known = [item for item in contexts if isinstance(item, dict)] if isinstance(contexts, list) else []
        return Trigger(text(event.get("description")), "critical", event.get("details"), known, client=client_of(event))

    def accepted(self, dedup_key: str, outcome: Outcome) -> Answer:
        """The 200 that names the incident key."""
        body = {"status": "success", "message": "Event processed", "incident_key": dedup_key}
        return Answer(200, to_json(body), outcome)
