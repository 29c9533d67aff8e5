"""The HTTP gateway as an application: which path does what, and what an error looks like."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from config.models import Settings
from workers.gateway import refusals
from workers.gateway.ingest import Ingest
from workers.gateway.keyring import Keyring
from workers.gateway.probes import Probes
from workers.gateway.telemetry import Measured, Telemetry
from workers.gateway.writing import Inbox, Writer

if TYPE_CHECKING:
    from redis.asyncio import Redis

Endpoint = Callable[[Request], Awaitable[Response]]
PATHS: Final = frozenset({"/v2/enqueue", "/webhooks/alertmanager", "/livez", "/readyz", "/metrics"})


def create_app(settings: Settings, inbox: Inbox, redis: "Redis") -> FastAPI:
    """The gateway for the services of `settings`; it writes to `inbox`, and closes `redis` when it ends."""
    telemetry = Telemetry()
    writer = Writer(inbox)
    ingest = Ingest(Keyring(settings.services), writer, telemetry, max_body_bytes=settings.ingest.max_body_bytes)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await writer.close()
        await redis.aclose()

    app = FastAPI(
        title="Tocsin",
        openapi_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        routes=_routes(ingest, Probes(redis, telemetry)),
    )
    refusals.install(app)
    app.add_middleware(Measured, telemetry=telemetry, paths=PATHS)
    return app


def _routes(ingest: Ingest, probes: Probes) -> list[BaseRoute]:
    """Plain Starlette routes: FastAPI's own cost is validation that bodies here do not need."""
    posts: dict[str, Endpoint] = {"/v2/enqueue": ingest.event, "/webhooks/alertmanager": ingest.alertmanager}
    gets: dict[str, Endpoint] = {"/livez": probes.livez, "/readyz": probes.readyz, "/metrics": probes.metrics}
    return [
        Route(path + slash, endpoint, methods=[method])
        for method, endpoints in (("POST", posts), ("GET", gets))
        for path, endpoint in endpoints.items()
        for slash in ("", "/")
    ]
