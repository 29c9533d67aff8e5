"""The paths of the doors for alerts, and which door is meant by a path that is nearly one."""

import re
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

EVENTS: Final = "/v2/enqueue"
CHANGES: Final = "/v2/change/enqueue"
EVENTS_V1: Final = "/generic/2010-04-15/create_event.json"
ALERTMANAGER: Final = "/webhooks/alertmanager"
API: Final = "/api/v1"
HOOKS: Final = "/webhooks/in"
PAGERDUTY: Final = "/webhooks/pagerduty"
_PAGERDUTYS: Final = (EVENTS, CHANGES, EVENTS_V1)
_SLASHES: Final = re.compile("//+")


class TidyPath:
    """Serves `//v2/enqueue/` as `/v2/enqueue`: many senders glue their paths together. Plain ASGI, see `tidy`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request under its tidied path."""
        if scope["type"] == "http" and scope["path"] not in _PAGERDUTYS:
            scope["path"] = tidy(scope["path"])
        await self._app(scope, receive, send)


def tidy(path: str) -> str:
    """`path` without doubled slashes and the last one; one of PagerDuty's paths without whatever stands before it.

    A sender that takes only the beginning of an address adds PagerDuty's path to all that it was given.
    """
    path = _SLASHES.sub("/", path).rstrip("/") or "/"
    return next((door for door in _PAGERDUTYS if path.endswith(door)), path)
