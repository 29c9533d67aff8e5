"""What every door for alerts does: check without holding up the others, write, count; a 2xx is said only after the rows are written."""

import asyncio
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from starlette.requests import Request

from config.services import Service
from tasks.utils.rows import InboxRow, new_event_id
from tasks.utils.sealed_fields import SealedFields
from tasks.utils.validators import ADAPTATIONS, CheckedAlert
from workers.gateway.bodies import RefusedError, parse_json, read_body
from workers.gateway.keyring import Keyring, key_in_header
from workers.gateway.telemetry import Telemetry
from workers.gateway.writing import Writer

T = TypeVar("T")
LARGE: Final = 64 * 1024  # above it a body is checked in a thread, so that it does not hold up the small ones
MEND_KEY: Final = "use a key from 'ingest_keys' of a service, or add this one there"


class UnknownKeyError(RefusedError):
    """Somebody tries a key that no service has: on record, unlike a slip."""


class Ingest:
    """Takes alerts in for the services of `keyring` and hands them to `writer`."""

    def __init__(
        self,
        keyring: Keyring,
        writer: Writer,
        telemetry: Telemetry,
        fields: SealedFields,
        *,
        max_body_bytes: int,
        read_seconds: float,
    ) -> None:
        self._fields = fields
        self._keyring = keyring
        self._writer = writer
        self._telemetry = telemetry
        self._max_body_bytes = max_body_bytes
        self._read_seconds = read_seconds
        self._one_large = asyncio.Lock()  # Python checks no two at once, only each of them and all small ones slower

    def turn_to(self, services: Mapping[str, Service]) -> None:
        """Take events under the keys that these services have now."""
        self._keyring = Keyring(services)

    def keys_used(self) -> list[str]:
        """The ids of the ingest keys that were used since this was asked last."""
        return self._keyring.used()

    async def read(self, request: Request, check: Callable[[bytes], T]) -> T:
        """What `check` makes of the request's body; RefusedError if the body does not arrive whole."""
        body = await read_body(request, self._max_body_bytes, self._read_seconds)
        if len(body) <= LARGE:
            return check(body)
        async with self._one_large:
            return await asyncio.to_thread(check, body)

    async def accept(self, checked: Sequence[CheckedAlert], source: str, *, invalid: int = 0) -> list[str]:
        """The event ids of the alerts once they are written, all of them together; the `invalid` ones are counted beside them."""
        rows = [self._row(each, source) for each in checked]
        if rows:
            await self._writer.put(rows)
            self._telemetry.alerts.labels(source, "accepted").inc(len(checked))
        if invalid:
            self._telemetry.alerts.labels(source, "invalid").inc(invalid)
        for name in (name for each in checked for name in each.adaptations):
            self._telemetry.adaptations.labels(name).inc()
        return [row.id for row in rows]

    def _row(self, checked: CheckedAlert, source: str) -> InboxRow:
        # The worker's own check finds nothing left to mend; the list tells it, and the ledger, what was.
        mended = {"adaptations": list(checked.adaptations)} if checked.adaptations else {}
        return InboxRow(new_event_id(), {**self._fields.seal(checked.alert), **mended}, source)

    def service_in_body(self, body: bytes, field: str) -> tuple[dict[str, Any], str]:
        """The event in `body` and the service whose key stands in its `field`."""
        event = parse_json(body)
        if not isinstance(event, dict):
            raise RefusedError(400, ["the body must be a JSON object"])
        key = event.get(field)
        if not isinstance(key, str) or not key:
            raise RefusedError(400, [f"'{field}' is missing or blank; {MEND_KEY}"])
        service = self._keyring.service_of(key)
        if service is None:
            fault = f"Invalid {field.replace('_', ' ')}: no service takes events under it"
            raise UnknownKeyError(400, [f"{fault}; {MEND_KEY}"])
        return event, service

    def service_in_header(self, request: Request) -> str:
        """The service whose key is the request's Bearer token or Basic password."""
        key = key_in_header(request.headers.get("authorization"))
        if key is None:
            how = "send an ingest key of a service as Bearer token, or as password of Basic authentication"
            # Basic, not Bearer: SNS and others send the password of their address only once they are asked for one.
            raise RefusedError(401, [how], WWW_Authenticate='Basic realm="tocsin"')
        service = self._keyring.service_of(key)
        if service is None:
            raise UnknownKeyError(403, [f"Invalid ingest key: no service takes alerts under it; {MEND_KEY}"])
        return service


def named(checked: CheckedAlert) -> CheckedAlert:
    """Give an alert without a key its own: PagerDuty would make one up, and a second try would page twice."""
    if "dedup_key" not in checked.alert:
        checked.alert["dedup_key"] = uuid.uuid4().hex
    return checked


def success(checked: CheckedAlert, said: str = "Event processed", **more: str) -> Mapping[str, str]:
    """What a sender is told of an alert that was taken: PagerDuty's words, then what was mended."""
    message = "; ".join([said, *(ADAPTATIONS[name] for name in checked.adaptations)])
    return {"status": "success", "message": message, **more}
