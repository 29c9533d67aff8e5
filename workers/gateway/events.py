"""The doors of PagerDuty's own APIs for events: v2, v2 change events, v1. What stands in them is PagerDuty's, letter by letter."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tasks.alerts.parsing import from_change, from_event, from_v1, in_words_of_v1
from tasks.utils.error_handler import InvalidAlertError
from tasks.utils.validators import CheckedAlert, check_alert
from workers.gateway.bodies import RefusedError, answer
from workers.gateway.ingest import Ingest, named, success

CHANGE_DOOR = "change events go to /v2/change/enqueue"
OWN_AGENT = "tocsin"  # how the workers' deliveries introduce themselves
ORCHESTRATION = "R"  # what the key of an event orchestration begins with: it takes no change events


class Events:
    """Takes one event a request. `change_services` are those that PagerDuty would take a change event of."""

    def __init__(self, ingest: Ingest, change_services: AbstractSet[str]) -> None:
        self._ingest = ingest
        self._change_services = change_services

    async def enqueue(self, request: Request) -> Response:
        """Take one Events v2 event: 202 with its dedup_key, or an error in PagerDuty's shape."""
        _refuse_loop(request)
        checked = await self._ingest.read(request, self._check)
        await self._ingest.accept([checked], "events")
        return answer(202, success(checked, dedup_key=checked.alert["dedup_key"]))

    async def enqueue_change(self, request: Request) -> Response:
        """Take one change event: 202; it has no key, since nothing is ever merged with it or resolves it."""
        _refuse_loop(request)
        checked = await self._ingest.read(request, self._check_change)
        await self._ingest.accept([checked], "changes")
        return answer(202, success(checked, "Change event processed"))

    async def create_event(self, request: Request) -> Response:
        """Take one Events v1 event: 200 with its incident_key, or an error in the words of v1."""
        checked = await self._ingest.read(request, self._check_v1)
        await self._ingest.accept([checked], "events_v1")
        return answer(200, success(checked, incident_key=checked.alert["dedup_key"]))

    def _check(self, body: bytes) -> CheckedAlert:
        event, service = self._ingest.service_in_body(body, "routing_key")
        _refuse_change(event, "event_action")
        return named(check_alert(from_event(event, service)))

    def _check_change(self, body: bytes) -> CheckedAlert:
        event, service = self._ingest.service_in_body(body, "routing_key")
        if event["routing_key"].startswith(ORCHESTRATION):
            why = "the key of an event orchestration (it begins with R) takes no change events; use another ingest key"
            raise RefusedError(400, [f"Invalid routing key: {why}"])
        if service not in self._change_services:
            why = f"every channel of service '{service}' leads to an event orchestration (its key begins with R)"
            mend = "give it a channel with the key of a service's own Events v2 integration"
            raise RefusedError(400, [f"Invalid routing key: {why}, which takes no change events; {mend}"])
        return check_alert(from_change(event, service))

    def _check_v1(self, body: bytes) -> CheckedAlert:
        event, service = self._ingest.service_in_body(body, "service_key")
        _refuse_change(event, "event_type")
        try:
            return named(check_alert(from_v1(event, service)))
        except InvalidAlertError as error:
            raise InvalidAlertError(in_words_of_v1(error.errors)) from None


def _refuse_change(event: Mapping[str, Any], field: str) -> None:
    if event.get(field) == "change":
        raise RefusedError(400, [f"'{field}' is unknown; use trigger, acknowledge or resolve; {CHANGE_DOOR}"])


def _refuse_loop(request: Request) -> None:
    """Where PagerDuty's host name leads here for the workers too, every alert would come back for ever and page nobody."""
    if request.headers.get("user-agent") == OWN_AGENT:
        fault = "this is a delivery to PagerDuty by Tocsin's own workers, not an event for its gateway"
        mend = "let PagerDuty's host name (pagerduty.events_url) lead to PagerDuty where the workers run"
        raise RefusedError(508, [f"{fault}; {mend}"])
