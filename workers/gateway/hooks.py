"""The door for every other sender's webhook: its address names the mapping that makes alerts of it."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from config.mappings import WebhookMapping
from tasks.utils.data_transformer import Ignored
from tasks.utils.error_handler import InvalidAlertError, UnknownError
from tasks.utils.validators import CheckedAlert
from tasks.utils.webhook_processor import Result, WebhookProcessor
from tasks.utils.webhook_signatures import ForgedError, check_signature
from workers.gateway.bodies import RefusedError, answer, parse_json
from workers.gateway.denials import note_denial
from workers.gateway.ingest import Ingest, success
from workers.gateway.sns import SnsGate
from workers.gateway.telemetry import Telemetry


class Hooks:
    """Takes documents in for the mappings of `processor`."""

    def __init__(self, ingest: Ingest, processor: WebhookProcessor, sns: SnsGate, telemetry: Telemetry) -> None:
        self._ingest = ingest
        self._processor = processor
        self._sns = sns
        self._telemetry = telemetry

    async def webhook(self, request: Request) -> Response:
        """Take one document: 202 with a result for each of its alerts, all written together, or what was done instead."""
        service = self._ingest.service_in_header(request)
        mapping = self._mapping(request.path_params["mapping"])
        try:
            document = await self._ingest.read(request, lambda body: _opened(body, request.headers, mapping))
            told = await self._sns.admit(document, mapping.options.sns) if mapping.options.sns else None
        except ForgedError as error:
            note_denial(request, "the document is not signed by its sender")
            return _not_genuine(error)
        if told is not None:
            return answer(202, {"status": "success", "message": told, "results": []})
        # In a thread: a small document can make 500 alerts.
        results = await asyncio.to_thread(self._processor.process, mapping.name, document, request.headers, service)
        return await self._taken(results, f"webhooks/{mapping.name}")

    async def close(self) -> None:
        """End what is under way besides requests."""
        await self._sns.close()

    def _mapping(self, name: str) -> WebhookMapping:
        try:
            return self._processor.mapping(name)
        except UnknownError as error:
            raise RefusedError(404, [str(error)]) from None

    async def _taken(self, results: Sequence[Result], source: str) -> Response:
        accepted = [result for result in results if isinstance(result, CheckedAlert)]
        faults = [result.errors for result in results if isinstance(result, InvalidAlertError)]
        await self._ingest.accept(accepted, source, invalid=len(faults))
        ignored = len(results) - len(accepted) - len(faults)
        if ignored:
            self._telemetry.alerts.labels(source, "ignored").inc(ignored)
        if faults and not accepted:
            raise RefusedError(400, [error for errors in faults for error in errors])
        message = f"{len(accepted)} of {len(results)} alerts processed" + (f", {ignored} ignored" if ignored else "")
        return answer(202, {"status": "success", "message": message, "results": [_told(each) for each in results]})


def _opened(body: bytes, headers: Mapping[str, str], mapping: WebhookMapping) -> Any:
    check_signature(mapping.options.signature, headers, body)
    return parse_json(body)


def _not_genuine(error: ForgedError) -> Response:
    message = "The document does not prove that it comes from its sender"
    return answer(403, {"status": "forbidden", "message": message, "errors": [str(error)]})


def _told(result: Result) -> dict[str, Any]:
    if isinstance(result, Ignored):
        return {"status": "ignored", "message": f"ignored by rule {result.rule!r} of the mapping", "rule": result.rule}
    if isinstance(result, InvalidAlertError):
        return {"status": "invalid event", "errors": result.errors}
    key = result.alert.get("dedup_key")
    return dict(success(result, **({} if key is None else {"dedup_key": key})))
