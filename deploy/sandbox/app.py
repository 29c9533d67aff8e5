from __future__ import annotations

import asyncio
import re
import time
from typing import TYPE_CHECKING

from deploy.sandbox.access import identity
from deploy.sandbox.call import Answer, Call, Cut, Outcome
from deploy.sandbox.control import PREFIX, Control
from deploy.sandbox.endpoint import METHOD_NOT_ALLOWED, Endpoint
from deploy.sandbox.events_v1 import CreateEvent
from deploy.sandbox.events_v2 import Enqueue, EnqueueChange
from deploy.sandbox.hooks import PATH, PostMessage
from deploy.sandbox.page import help_text, page
from deploy.sandbox.rest import RestEndpoint
from deploy.sandbox.wire import ARRIVED_AT, TRANSPORT, reset

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from deploy.sandbox.world import World

LARGEST_BODY = 32 * 1024 * 1024
DESCRIBED_EVENTS = ("/v2/enqueue", "/v2/change/enqueue")
GONE = Answer(0, b"", Outcome.FAILED)
TOO_LARGE = Answer(413, b'{"error":{"message":"Request Entity Too Large","code":2000}}', Outcome.INVALID)


class App:
    """The sandbox as an ASGI application: the imitated APIs, the control API and the page for people."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._control = Control(world)
        self._rest = RestEndpoint(world)
        self._endpoints: dict[str, Endpoint] = {
            "/v2/enqueue": Enqueue(world),
            "/v2/change/enqueue": EnqueueChange(world),
            "/generic/2010-04-15/create_event.json": CreateEvent(world),
            identity.PATH: identity.Token(world),
        }
        self._hook = re.compile(rf"{PATH}[^/]+")
        self._message = PostMessage(world)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        path, arrived_at = scope["path"].rstrip("/") or "/", scope["state"][ARRIVED_AT]
        call = Call(scope["method"], path, scope["query_string"], scope["headers"], arrived_at)
        complete = await _read(call, receive)
        if not complete:
            self._world.log.write(call, GONE, "", keep_body=False)
        elif path in ("/", PREFIX) or path.startswith(f"{PREFIX}/"):
            await _send(self._own(call), send)
        else:
            await self._imitate(call, scope, receive, send)

    async def _imitate(self, call: Call, scope: Scope, receive: Receive, send: Send) -> None:
        answer, fault = self._decide(call)
        keep_body = answer.outcome is not Outcome.SUNK and call.path != identity.PATH  # an app's secret is in there
        entry = self._world.log.write(call, answer, fault, keep_body=keep_body)
        self._keep(call, answer, fault)
        if answer.delay and not await _stays(receive, answer.delay):
            return
        if answer.cut is Cut.NOTHING:
            await _send(answer, send)
        else:
            await _break_off(answer, scope, receive, send)
        entry.ended_at = time.time()

    def _decide(self, call: Call) -> tuple[Answer, str]:
        if len(call.body) > LARGEST_BODY:
            return TOO_LARGE, ""
        endpoint = self._endpoint(call.path)
        if call.method not in endpoint.methods:
            return Answer(405, METHOD_NOT_ALLOWED, Outcome.INVALID), ""
        endpoint.read(call)
        fault = self._world.faults.take(call, self._world.clock.now()) if self._world.faults else None
        if fault is None:
            return endpoint.answer(call), ""
        return fault.spoil(call, endpoint), fault.spec.kind.value

    def _keep(self, call: Call, answer: Answer, fault: str) -> None:
        if call.path in DESCRIBED_EVENTS:
            if answer.outcome is not Outcome.SUNK:
                self._world.events_exchanges.keep(call, answer, fault)
        elif self._endpoint(call.path) is self._rest:
            self._world.exchanges.keep(call, answer, fault)

    def _endpoint(self, path: str) -> Endpoint:
        known = self._endpoints.get(path)
        if known is not None:
            return known
        return self._message if self._hook.fullmatch(path) else self._rest

    def _own(self, call: Call) -> Answer:
        if call.method == "GET" and call.path in ("/", PREFIX):
            kind, body = ("html", page(self._world)) if call.path == "/" else ("plain", help_text(self._world))
            content_type = (b"content-type", f"text/{kind}; charset=utf-8".encode())
            return Answer(200, body.encode(), Outcome.READ, content_type=content_type)
        return self._control.answer(call)


async def _read(call: Call, receive: Receive) -> bool:
    """Read the body into the call, one byte over the limit at most being kept; False if the client left first."""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return False
        chunk = message.get("body", b"")
        if size <= LARGEST_BODY:
            chunks.append(chunk)
            size += len(chunk)
        if not message.get("more_body", False):
            call.body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
            return True


async def _stays(receive: Receive, delay: float) -> bool:
    """Hold on for so long; False as soon as the client leaves."""
    try:
        async with asyncio.timeout(delay):
            await _gone(receive)
    except TimeoutError:
        return True
    return False


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send(answer: Answer, send: Send) -> None:
    await send(_head(answer))
    await send({"type": "http.response.body", "body": answer.body})


async def _break_off(answer: Answer, scope: Scope, receive: Receive, send: Send) -> None:
    """Send what the cut lets through, then end the connection under the client."""
    transport = scope["state"][TRANSPORT]
    if answer.cut is Cut.TRUNCATED:
        await send(_head(answer))
        await send({"type": "http.response.body", "body": answer.body[: len(answer.body) // 2], "more_body": True})
        transport.close()
    else:
        reset(transport)
    await _gone(receive)


def _head(answer: Answer) -> dict[str, object]:
    length = (b"content-length", str(len(answer.body)).encode())
    return {
        "type": "http.response.start",
        "status": answer.status,
        "headers": [answer.content_type, length, *answer.headers],
    }
