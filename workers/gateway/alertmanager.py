"""The door for Alertmanager's webhook, and Grafana's, which is alike."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tasks.alerts.parsing import alertmanager_entries, from_alertmanager
from tasks.utils.error_handler import InvalidAlertError
from tasks.utils.validators import CheckedAlert, check_alert
from workers.gateway.bodies import RefusedError, answer, parse_json
from workers.gateway.ingest import Ingest, named, success

Outcome = CheckedAlert | InvalidAlertError


class Alertmanager:
    """Takes many alerts in one request; one bad alert does not cost the others."""

    def __init__(self, ingest: Ingest) -> None:
        self._ingest = ingest

    async def webhook(self, request: Request) -> Response:
        """Take the alerts of one webhook: 202 with a result for each, all written together."""
        service = self._ingest.service_in_header(request)
        outcomes = await self._ingest.read(request, lambda body: _check(body, service))
        accepted = [outcome for outcome in outcomes if isinstance(outcome, CheckedAlert)]
        await self._ingest.accept(accepted, "alertmanager", invalid=len(outcomes) - len(accepted))
        if outcomes and not accepted:
            raise RefusedError(400, [f"alert {n}: {outcome}" for n, outcome in enumerate(outcomes, 1)])
        message = f"{len(accepted)} of {len(outcomes)} alerts processed"
        return answer(202, {"status": "success", "message": message, "results": [_result(each) for each in outcomes]})


def _check(body: bytes, service: str) -> list[Outcome]:
    webhook = parse_json(body)
    return [_check_entry(entry, webhook, service) for entry in alertmanager_entries(webhook)]


def _check_entry(entry: object, webhook: dict[str, Any], service: str) -> Outcome:
    try:
        return named(check_alert(from_alertmanager(entry, webhook, service)))
    except InvalidAlertError as error:
        return error


def _result(outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, InvalidAlertError):
        return {"status": "invalid event", "errors": outcome.errors}
    return dict(success(outcome, dedup_key=outcome.alert["dedup_key"]))
