"""The door for PagerDuty's own webhooks: what it says of our incidents is kept, then answered, then worked off by others."""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from config.errors import ConfigError
from config.keystore import value_id
from tasks.utils.error_handler import TransientError
from tasks.utils.rows import WEBHOOK_SOURCE, InboxRow
from tasks.utils.webhook_ids import webhook_id
from tasks.utils.webhook_signatures import ForgedError, check_pagerduty_signature
from workers.gateway.bodies import RefusedError, answer, parse_json, read_body
from workers.gateway.denials import note_denial
from workers.gateway.telemetry import Telemetry
from workers.gateway.writing import Writer

MOST_BYTES: Final = 256 * 1024  # PagerDuty itself sends no more
REREAD_AFTER: Final = 1.0  # seconds at least between two looks for new secrets
COMPLAIN_AFTER: Final = 60.0
UNSIGNED: Final = (
    "no webhook is taken that nobody signed: set PAGERDUTY_WEBHOOK_SECRET (or …_FILE) to the secret of the webhook "
    "subscription; `tocsin webhooks create` makes one"
)

log = logging.getLogger(__name__)


class Secrets:
    """Those that sign webhooks, the newest first. `read` gives them as they are set now; it may take a while."""

    def __init__(self, read: Callable[[], Sequence[str]]) -> None:
        self._read = read
        self.values = tuple(read())
        self._used: set[str] = set()
        self._looked = -REREAD_AFTER
        self._looking: asyncio.Task[None] | None = None

    def proved(self, found: int) -> None:
        """One of them has proved a webhook."""
        self._used.add(value_id(self.values[found]))

    def used(self) -> list[str]:
        """The ids of those that proved a webhook since this was asked last."""
        used, self._used = self._used, set()
        return list(used)

    async def renew(self) -> bool:
        """Look whether they were changed, all who ask at once together; whether they were."""
        before = self.values
        self.renew_later()
        if self._looking is not None:
            await asyncio.shield(self._looking)
        return self.values != before

    def renew_later(self) -> None:
        """Have a look taken, without waiting for it."""
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())

    async def _look(self) -> None:
        try:
            await asyncio.sleep(max(0.0, self._looked + REREAD_AFTER - time.monotonic()))
            self._looked = time.monotonic()
            self.values = tuple(await asyncio.to_thread(self._read))
        except (ConfigError, OSError) as error:  # what was set before holds until that is mended
            log.warning("the webhook secrets could not be read anew: %s", error)
        finally:
            self._looking = None


class PagerDutyWebhooks:
    """Takes webhooks in: 202 once they are kept; their content is somebody else's business."""

    def __init__(self, secrets: Secrets, writer: Writer, telemetry: Telemetry, *, read_seconds: float) -> None:
        self._secrets = secrets
        self._writer = writer
        self._telemetry = telemetry
        self._read_seconds = read_seconds
        self._complained = -COMPLAIN_AFTER

    async def webhook(self, request: Request) -> Response:
        """Keep one webhook. What is not signed, malformed or too large is refused by 403, 400, 413."""
        if not self._secrets.values:
            await self._expect_secrets()
        body = await read_body(request, MOST_BYTES, self._read_seconds)
        try:
            await self._check(request.headers.get("x-pagerduty-signature"), body)
        except ForgedError as error:
            self._count("forged")
            note_denial(request, "the webhook is not signed by PagerDuty")
            return _not_genuine(error)
        document = parse_json(body)
        kind = _kind(document)
        row = InboxRow(webhook_id(request.headers.get("x-webhook-id", ""), document), document, WEBHOOK_SOURCE)
        await self._writer.put([row])
        self._count("accepted")
        return answer(202, {"status": "success", "message": f"{kind} is kept and will be worked off"})

    async def _check(self, given: str | None, body: bytes) -> None:
        try:
            found = check_pagerduty_signature(self._secrets.values, given, body)
        except ForgedError:
            if not given or not await self._secrets.renew():
                raise
            found = check_pagerduty_signature(self._secrets.values, given, body)
        else:
            if found > 0:  # a former secret: it may have been struck off meanwhile
                self._secrets.renew_later()
        self._secrets.proved(found)

    async def _expect_secrets(self) -> None:
        if await self._secrets.renew() and self._secrets.values:
            return
        self._count("refused")
        now = time.monotonic()
        if now - self._complained >= COMPLAIN_AFTER:
            self._complained = now
            log.error("a webhook of PagerDuty was refused: %s", UNSIGNED)
        raise TransientError(UNSIGNED, retry_after=60)  # PagerDuty tries again for two days; a 4xx would be dropped

    def _count(self, result: str) -> None:
        self._telemetry.alerts.labels(WEBHOOK_SOURCE, result).inc()


def _kind(document: Any) -> str:
    event = document.get("event") if isinstance(document, dict) else None
    if not isinstance(event, dict) or not isinstance(event.get("event_type"), str):
        raise RefusedError(
            400, ["the body has no 'event' with an 'event_type'; this path takes PagerDuty's V3 webhooks"]
        )
    return json.dumps(event["event_type"][:80])


def _not_genuine(error: ForgedError) -> Response:
    message = "The webhook does not prove that it comes from PagerDuty"
    return answer(403, {"status": "forbidden", "message": message, "errors": [str(error)]})
