"""Every error that can leave an endpoint, as an answer in PagerDuty's shape."""

from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from tasks.utils.error_handler import InvalidAlertError, TransientError
from workers.gateway.bodies import RefusedError, refusal
from workers.gateway.denials import note_denial
from workers.gateway.ingest import UnknownKeyError
from workers.gateway.paths import ALERTMANAGER, API, CHANGES, EVENTS, EVENTS_V1, HOOKS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

WHERE = (
    f"events go by POST to {EVENTS}, {CHANGES}, {EVENTS_V1}, {ALERTMANAGER} or {HOOKS}/MAPPING, the API is below {API}"
)


def install(app: Starlette) -> None:
    """Make `app` answer errors alike, whichever endpoint raises them."""
    handlers: dict[type[Exception], Callable[[Request, Any], Response | Awaitable[Response]]] = {
        UnknownKeyError: _unknown_key,
        RefusedError: lambda _, error: error.answer(),
        InvalidAlertError: lambda _, error: refusal(400, error.errors),
        TransientError: _away,
        HTTPException: _not_found,
        Exception: _fault,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)


async def _unknown_key(request: Request, error: UnknownKeyError) -> Response:
    note_denial(request, "no service takes alerts under the key")
    return error.answer()


def _away(request: Request, error: TransientError) -> Response:
    _keep(request, error)
    seconds = f"{error.retry_after or 5:.0f}"
    return refusal(503, [f"{error}; send the event again after {seconds} s"], {"Retry-After": seconds})


def _not_found(request: Request, error: HTTPException) -> Response:
    # Not request.url: it is made of the Host header too, which may be rubbish.
    fault = f"{request.method} {request.scope['path'][:100]} is not served here; {WHERE}"
    return refusal(error.status_code, [fault], dict(error.headers or {}))


def _fault(request: Request, error: Exception) -> Response:
    """Tell the sender to come again; the traceback goes to the log, never over the wire."""
    _keep(request, error)
    return refusal(500, ["a fault of the gateway, see its log; send the event again"])


def _keep(request: Request, error: Exception) -> None:
    """Keep what was answered with a 5xx, for `tocsin errors`."""
    endpoint = request.scope.get("endpoint")
    request.app.state.errors.record(error, f"gateway {getattr(endpoint, '__qualname__', 'before any door')}")
