"""Stands before the API: nobody gets in without a good token, and nothing larger or slower than a request may be."""

from collections.abc import Mapping
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tasks.tokens.models import AccessToken
from tasks.tokens.service import NoSecretError, RefusedTokenError
from tasks.utils.error_handler import TransientError
from workers.gateway.api.acts import SCOPE as CALL
from workers.gateway.api.errors import RETRY_AFTER, refuse
from workers.gateway.api.signing import TokenCheck
from workers.gateway.bodies import RefusedError, read_body

DOCUMENT: Final = "/openapi.json"  # open to all: it says nothing of this installation
REALM: Final = 'Bearer realm="tocsin"'
HOLDER: Final = "tocsin.holder"  # where the scope keeps what the token says
HOW: Final = "send an access token as 'Authorization: Bearer TOKEN'; `tocsin tokens issue` makes one"


class Guard:
    """Checks the token, reads the body, then hands on; a body is JSON whatever its content type says.

    `limits` holds the largest body of each path (relative to the mount) that takes more than `limit` bytes.
    """

    def __init__(
        self,
        app: ASGIApp,
        tokens: TokenCheck,
        *,
        limit: int,
        limits: Mapping[str, int],
        seconds: float,
    ) -> None:
        self._app = app
        self._tokens = tokens
        self._limit = limit
        self._limits = limits
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"].rstrip("/")
        scope = {**scope, "path": path}
        request = Request(scope, receive)
        try:
            within = path.removeprefix(scope.get("root_path", ""))
            if within != DOCUMENT:
                scope[HOLDER] = await self._holder(request)
            body = await read_body(request, self._limits.get(within, self._limit), self._seconds)
            scope[CALL].body = body
        except RefusedError as error:
            await refuse(error.status, error.errors, error.headers)(scope, receive, send)
            return
        await self._app(_as_json(scope), _replay(body, receive), send)

    async def _holder(self, request: Request) -> AccessToken:
        sent = request.headers.getlist("authorization")
        scheme, _, token = sent[0].strip().partition(" ") if len(sent) == 1 else ("", "", "")
        if scheme.lower() != "bearer" or not token.strip():
            raise RefusedError(401, [HOW], WWW_Authenticate=REALM)
        try:
            return await self._tokens.check(token.strip())
        except NoSecretError as error:
            raise RefusedError(501, [str(error)]) from None
        except TransientError as error:
            raise RefusedError(503, [str(error)], Retry_After=RETRY_AFTER) from None
        except RefusedTokenError as error:
            header = f'{REALM}, error="invalid_token", error_description="{error}"'.replace("'", "")
            raise RefusedError(401, [str(error)], WWW_Authenticate=header) from None


def _as_json(scope: Scope) -> Scope:
    """The same request, its body declared as the plain JSON it is by now."""
    headers = MutableHeaders(raw=[pair for pair in scope["headers"] if pair[0] != b"content-encoding"])
    headers["content-type"] = "application/json"
    return {**scope, "headers": headers.raw}


def _replay(body: bytes, receive: Receive) -> Receive:
    """Hands out a body that has been read already, then whatever comes behind it."""
    rest: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return rest.pop() if rest else await receive()

    return replay
