"""Every call that changes something is on record before it is answered, and so is every refusal; looking is not."""

import asyncio
import json
import logging
import re
import time
from collections import OrderedDict
from typing import Any, Final
from uuid import uuid4

from redis import RedisError
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tasks.tokens.models import AccessToken
from tasks.utils.act_context import Underway, enter, within
from tasks.utils.act_fields import detail_of, object_of
from tasks.utils.actor import Actor
from tasks.utils.audit_logger import Act, AuditLogger, NotRecordedError, Outcome
from workers.gateway.denials import Denial, Denials

SCOPE: Final = "tocsin.act"  # where the scope keeps the call
HEADER: Final = "x-request-id"
LARGEST_BODY: Final = 64 * 1024  # larger ones hold alerts, whose story the ledger tells
LOGIN_SECONDS: Final = 3600.0
MOST_LOGINS: Final = 10_000
log = logging.getLogger(__name__)
_FIT: Final = re.compile(r"[A-Za-z0-9_.:/+=@-]{1,100}")

# Operations that change something, by their ids in the document; what is not named here is on record by its id.
ACTIONS: Final = {
    "createSilence": "silences.create",
    "expireSilence": "silences.expire",
    "createMaintenanceWindow": "maintenance.create",
    "expireMaintenanceWindow": "maintenance.expire",
    "replayDeadLetter": "notifications.replay",
    "replayDeadLetters": "notifications.replay",
    "dropDeadLetter": "notifications.drop",
    "purgeDeadLetters": "notifications.purge",
    "revokeTokens": "tokens.revoke",
    "pauseSchedule": "schedules.pause",
    "resumeSchedule": "schedules.resume",
}
# Operations that look although they are no GET, and the alerts' way in: the ledger has every alert, and the log-in who held the token.
UNRECORDED: Final = frozenset({"previewSilence", "previewMaintenanceWindow", "explainAlerts", "submitAlerts"})
# Operations that heed `dry_run`: to any other a body may say so and it is done all the same.
REHEARSED: Final = frozenset({"replayDeadLetters", "purgeDeadLetters"})


class Call:
    """One request, as far as it goes on record."""

    def __init__(self, scope: Scope, door: AuditLogger) -> None:
        headers = Headers(scope=scope)
        given = headers.get(HEADER, "")
        self.correlation = given if _FIT.fullmatch(given) else str(uuid4())
        self.address = (scope.get("client") or ("unknown",))[0]
        self.actor = Actor("stranger", "unknown", self.address)
        self.token = ""
        self.body = b""
        self.operation = ""
        self._door = door
        self._action = ""
        self._begun: Underway | None = None

    def known(self, holder: AccessToken, route: Any) -> None:
        """Say who holds the token, and what is asked for."""
        self.actor = Actor("token", holder.subject, self.address)
        self.token = holder.id
        self.operation = route.operation_id or route.name

    async def allowed(self, scope: Scope) -> None:
        """Put on record that it begins, if it changes something; NotRecordedError, and then it is not done."""
        if scope["method"] in ("GET", "HEAD", "OPTIONS") or self.operation in UNRECORDED:
            enter(Underway("", self.actor, self.correlation))
            return
        given = {**_fields(self.body), **scope.get("path_params", {})}
        if self.operation in REHEARSED and given.get("dry_run") is True:
            return
        self._action = ACTIONS.get(self.operation, f"api.{self.operation}")
        about = object_of(self._action.partition(".")[0], given)
        detail = {**detail_of(given), "token": self.token}
        act = Act(self._action, about, self.actor, "ok", self.correlation, detail)
        self._begun = await asyncio.to_thread(self._door.begin, act)
        enter(self._begun)

    async def answered(self, status: int) -> None:
        """Put on record what came of it."""
        begun, self._begun = self._begun, None
        if begun is not None:
            outcome: Outcome = "ok" if status < 400 else "denied" if status in (401, 403) else "failed"
            begun.detail["status"] = status
            await asyncio.to_thread(self._door.end, self._action, begun, outcome)

    @property
    def was_begun(self) -> bool:
        """Whether it stands on record by itself."""
        return bool(self._action)


class OnRecord:
    """Stands before the guard and sees every answer."""

    def __init__(self, app: ASGIApp, door: AuditLogger, denials: Denials) -> None:
        self._app = app
        self._door = door
        self._denials = denials
        self._logins = Logins(door)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        call = Call(scope, self._door)

        async def answered(message: Message) -> None:
            if message["type"] == "http.response.start":
                await self._told(call, scope, message["status"])
                MutableHeaders(scope=message)[HEADER] = call.correlation
            await send(message)

        with within(None):
            try:
                await self._app({**scope, SCOPE: call}, receive, answered)
            finally:
                await call.answered(500)

    async def _told(self, call: Call, scope: Scope, status: int) -> None:
        await call.answered(status)
        if status in (401, 403) and not call.was_begun:
            why = "no good access token" if status == 401 else "the token's scopes do not allow it"
            path = scope["path"].removeprefix(scope.get("root_path", ""))
            what = call.operation or f"{scope['method']} {path[:100]}"
            self._denials.note(Denial("api.denied", f"operation/{what}", call.actor, why), call.correlation)
        elif call.actor.kind == "token":
            await self._logins.seen(call)


class Logins:
    """Puts on record when a token is used: the first time in an hour by each holder from each address."""

    def __init__(self, door: AuditLogger) -> None:
        self._door = door
        self._seen: OrderedDict[Actor, float] = OrderedDict()

    async def seen(self, call: Call) -> None:
        """Somebody uses a token."""
        now = time.monotonic()
        if self._seen.get(call.actor, -LOGIN_SECONDS) > now - LOGIN_SECONDS:
            return
        self._seen[call.actor] = now
        self._seen.move_to_end(call.actor)
        if len(self._seen) > MOST_LOGINS:
            self._seen.popitem(last=False)
        act = Act("api.log_in", f"subject/{call.actor.name}", call.actor, "ok", call.correlation, {"token": call.token})
        try:
            await asyncio.to_thread(self._door.record, act)
        except (NotRecordedError, RedisError) as error:
            # What was asked for is done by now: an alert that was taken must not look refused, and be sent again.
            log.critical("a log-in is on no record but this: %s; %s", act, error)


def _fields(body: bytes) -> dict[str, Any]:
    """The fields of a body; none where it is no object, or too large to hold anything but alerts."""
    try:
        document = json.loads(body) if 0 < len(body) <= LARGEST_BODY else {}
    except (ValueError, RecursionError):
        return {}
    return {str(name): value for name, value in document.items()} if isinstance(document, dict) else {}
