"""Every error that can leave an endpoint, as an answer in PagerDuty's shape."""

from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from tasks.utils.error_handler import InvalidAlertError, TransientError
from workers.gateway.bodies import RefusedError, refusal

if TYPE_CHECKING:
    from collections.abc import Callable

WHERE = "alerts go by POST to /v2/enqueue or /webhooks/alertmanager"


def install(app: FastAPI) -> None:
    """Make `app` answer errors alike, whichever endpoint raises them."""
    handlers: dict[type[Exception], Callable[[Request, Any], Response]] = {
        RefusedError: lambda _, error: error.answer(),
        InvalidAlertError: lambda _, error: refusal(400, error.errors),
        TransientError: _away,
        HTTPException: _not_found,
        Exception: _fault,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)


def _away(_: Request, error: TransientError) -> Response:
    seconds = f"{error.retry_after or 5:.0f}"
    return refusal(503, [f"{error}; send the event again after {seconds} s"], {"Retry-After": seconds})


def _not_found(request: Request, error: HTTPException) -> Response:
    fault = f"{request.method} {request.url.path[:100]} is not served here; {WHERE}"
    return refusal(error.status_code, [fault], dict(error.headers or {}))


def _fault(_: Request, __: Exception) -> Response:
    """Tell the sender to come again; the traceback goes to the log, never over the wire."""
    return refusal(500, ["a fault of the gateway, see its log; send the event again"])
