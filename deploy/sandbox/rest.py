from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from deploy.sandbox.access.scopes import scope_of
from deploy.sandbox.call import Answer, Call, Outcome, to_json
from deploy.sandbox.endpoint import METHOD_NOT_ALLOWED, NOT_FOUND, Endpoint
from deploy.sandbox.request import Reply, Request, RestError
from deploy.sandbox.routes import router

if TYPE_CHECKING:
    from deploy.sandbox.access.credentials import Caller
    from deploy.sandbox.limits import Quota
    from deploy.sandbox.request import Handler
    from deploy.sandbox.world import World

UNKNOWN_CALLER = RestError(401, 2006, "Authentication failed", "Send the header Authorization: Token token=<key>")
RATE_LIMITED = to_json({"error": {"message": "Rate Limit Exceeded", "code": 2020}})


class RestEndpoint(Endpoint):
    """The REST API: the path's handler, behind the token, the rate limit and its headers."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._router = router()

    def read(self, call: Call) -> None:
        """Nothing in a REST body concerns the log or the faults."""

    def answer(self, call: Call) -> Answer:
        """Find the handler, check the caller and the limit, then let it answer."""
        answer = self._answer(call)
        answer.headers = (*answer.headers, (b"x-request-id", uuid.uuid4().hex.encode()))
        return answer

    def _answer(self, call: Call) -> Answer:
        handlers, path = self._router.find(call.path)
        handler = handlers.get(call.method)
        if handler is None:
            return _no_such(known=bool(handlers))
        now = self._world.clock.now()
        caller = self._world.account.credentials.caller(call.header(b"authorization"), now)
        if caller is None:
            return _refused(UNKNOWN_CALLER)
        quota = self._world.rest_window.admit(caller.bucket, now)
        if quota is not None and not quota.admitted:
            return Answer(429, RATE_LIMITED, Outcome.THROTTLED, _headers(quota))
        request = Request(self._world, call, path, _token(call), caller, call.parameters())
        answer = _forbidden(call, caller) or _handle(handler, request)
        if quota is not None:
            answer.headers = _headers(quota)
        return answer

    def throttled(self, *, headers: bool | None) -> Answer:
        """The 429 with its headers and body; without both where the fault wants it bare."""
        if headers is False:
            return Answer(429, b"", Outcome.THROTTLED)
        named = ((b"ratelimit-limit", b"960"), (b"ratelimit-remaining", b"0"), (b"ratelimit-reset", b"30"))
        return Answer(429, RATE_LIMITED, Outcome.THROTTLED, named)


def _forbidden(call: Call, caller: Caller) -> Answer | None:
    if caller.is_read_only and call.method != "GET":
        return _refused(RestError(403, 2010, "Access Denied", "This key may only read"))
    needed = scope_of(call.method, call.path)
    if caller.scopes is None or needed in caller.scopes:
        return None
    error = RestError(403, 2010, "Access Denied", "The token lacks a scope")
    error.body["error"] |= {"required_scopes": needed, "token_scopes": " ".join(sorted(caller.scopes))}
    return _refused(error)


def _handle(handler: Handler, request: Request) -> Answer:
    try:
        made = handler(request)
    except RestError as error:
        return _refused(error.in_v3() if _is_v3_write(request) else error)
    reply = made if isinstance(made, Reply) else Reply(200, made)
    outcome = Outcome.READ if request.call.method == "GET" else Outcome.WRITTEN
    return Answer(reply.status, b"" if reply.body is None else to_json(reply.body), outcome)


def _is_v3_write(request: Request) -> bool:
    return request.call.path.startswith("/v3/") and request.call.method != "GET"


def _refused(error: RestError) -> Answer:
    return Answer(error.status, to_json(error.body), Outcome.READ if error.status == 404 else Outcome.INVALID)


def _no_such(*, known: bool) -> Answer:
    return Answer(405, METHOD_NOT_ALLOWED, Outcome.INVALID) if known else Answer(404, NOT_FOUND, Outcome.INVALID)


def _token(call: Call) -> str:
    header = call.header(b"authorization")
    return header if header.startswith("Bearer ") else header.removeprefix("Token token=").strip('"')


def _headers(quota: Quota) -> tuple[tuple[bytes, bytes], ...]:
    return (
        (b"ratelimit-limit", str(quota.limit).encode()),
        (b"ratelimit-remaining", str(quota.remaining).encode()),
        (b"ratelimit-reset", str(quota.reset).encode()),
    )
