"""The doors for alerts: a 202 is said only after the rows are written."""

import asyncio
import uuid
from collections.abc import Callable
from typing import Any, Final, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from tasks.alerts.parsing import alertmanager_entries, from_alertmanager, from_event
from tasks.utils.error_handler import InvalidAlertError
from tasks.utils.rows import InboxRow, new_event_id
from tasks.utils.validators import ADAPTATIONS, CheckedAlert, check_alert
from workers.gateway.bodies import RefusedError, answer, parse_json, read_body
from workers.gateway.keyring import Keyring, key_in_header
from workers.gateway.telemetry import Telemetry
from workers.gateway.writing import Writer

T = TypeVar("T")
LARGE: Final = 64 * 1024  # above it a body is checked in a thread, so that it does not hold up the small ones
MEND_KEY: Final = "use a key from 'ingest_keys' of a service, or add this one there"


class Ingest:
    """Takes alerts in for the services of `keyring` and hands them to `writer`."""

    def __init__(self, keyring: Keyring, writer: Writer, telemetry: Telemetry, *, max_body_bytes: int) -> None:
        self._keyring = keyring
        self._writer = writer
        self._telemetry = telemetry
        self._max_body_bytes = max_body_bytes

    async def event(self, request: Request) -> Response:
        """Take one Events v2 event: 202 with its dedup_key, or an error in PagerDuty's shape."""
        body = await read_body(request, self._max_body_bytes)
        checked = await _check(body, self._check_event)
        await self._writer.put([_row(checked, "events")])
        self._count("events", accepted=[checked])
        message = "; ".join(["Event processed", *_in_words(checked)])
        return answer(202, {"status": "success", "message": message, "dedup_key": checked.alert["dedup_key"]})

    async def alertmanager(self, request: Request) -> Response:
        """Take the alerts of one Alertmanager webhook: 202 with a result for each, all written together."""
        service = self._service_in_header(request)
        body = await read_body(request, self._max_body_bytes)
        outcomes = await _check(body, lambda text: _check_webhook(text, service))
        accepted = [outcome for outcome in outcomes if isinstance(outcome, CheckedAlert)]
        if accepted:
            await self._writer.put([_row(checked, "alertmanager") for checked in accepted])
        self._count("alertmanager", accepted, invalid=len(outcomes) - len(accepted))
        if outcomes and not accepted:
            raise RefusedError(400, [f"alert {n}: {outcome}" for n, outcome in enumerate(outcomes, 1)])
        message = f"{len(accepted)} of {len(outcomes)} alerts processed"
        return answer(202, {"status": "success", "message": message, "results": [_result(each) for each in outcomes]})

    def _check_event(self, body: bytes) -> CheckedAlert:
        event = parse_json(body)
        if not isinstance(event, dict):
            raise RefusedError(400, ["the body must be a JSON object"])
        key = event.get("routing_key")
        if not isinstance(key, str) or not key:
            raise RefusedError(400, [f"'routing_key' is missing or blank; {MEND_KEY}"])
        service = self._keyring.service_of(key)
        if service is None:
            raise RefusedError(400, [f"Invalid routing key: no service takes events under it; {MEND_KEY}"])
        return _named(check_alert(from_event(event, service)))

    def _service_in_header(self, request: Request) -> str:
        key = key_in_header(request.headers.get("authorization"))
        if key is None:
            how = "send an ingest key of a service as Bearer token, or as password of Basic authentication"
            raise RefusedError(401, [how], WWW_Authenticate='Bearer realm="tocsin"')
        service = self._keyring.service_of(key)
        if service is None:
            raise RefusedError(403, [f"Invalid ingest key: no service takes alerts under it; {MEND_KEY}"])
        return service

    def _count(self, source: str, accepted: list[CheckedAlert], invalid: int = 0) -> None:
        self._telemetry.alerts.labels(source, "accepted").inc(len(accepted))
        if invalid:
            self._telemetry.alerts.labels(source, "invalid").inc(invalid)
        for name in (name for checked in accepted for name in checked.adaptations):
            self._telemetry.adaptations.labels(name).inc()


async def _check(body: bytes, check: Callable[[bytes], T]) -> T:
    return await asyncio.to_thread(check, body) if len(body) > LARGE else check(body)


def _check_webhook(body: bytes, service: str) -> list[CheckedAlert | InvalidAlertError]:
    webhook = parse_json(body)
    return [_check_entry(entry, webhook, service) for entry in alertmanager_entries(webhook)]


def _check_entry(entry: object, webhook: dict[str, Any], service: str) -> CheckedAlert | InvalidAlertError:
    try:
        return _named(check_alert(from_alertmanager(entry, webhook, service)))
    except InvalidAlertError as error:
        return error


def _named(checked: CheckedAlert) -> CheckedAlert:
    """Give an alert without a key its own: PagerDuty would make one up, and a second try would page twice."""
    checked.alert.setdefault("dedup_key", uuid.uuid4().hex)
    return checked


def _row(checked: CheckedAlert, source: str) -> InboxRow:
    # The worker's own check finds nothing left to mend; the list tells it, and the ledger, what was.
    mended = {"adaptations": list(checked.adaptations)} if checked.adaptations else {}
    return InboxRow(new_event_id(), {**checked.alert, **mended}, source)


def _in_words(checked: CheckedAlert) -> list[str]:
    return [ADAPTATIONS[name] for name in checked.adaptations]


def _result(outcome: CheckedAlert | InvalidAlertError) -> dict[str, Any]:
    if isinstance(outcome, InvalidAlertError):
        return {"status": "invalid event", "errors": outcome.errors}
    return {
        "status": "success",
        "message": "; ".join(["Event processed", *_in_words(outcome)]),
        "dedup_key": outcome.alert["dedup_key"],
    }
