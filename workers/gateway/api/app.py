"""The API as an application of its own, mounted at /api/v1."""

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from fastapi import FastAPI

from config.models import Settings
from tasks.runtime import Runtime
from tasks.tokens.revocations import RevocationCopy
from tasks.utils.error_handler import ErrorHandler
from tasks.utils.keys import Keys
from workers.gateway.api import (
    act_views,
    alerts,
    dead_letters,
    errors,
    health,
    revocations,
    schedules,
    silences,
    trails,
)
from workers.gateway.api.acts import OnRecord
from workers.gateway.api.guard import DOCUMENT, Guard
from workers.gateway.api.revoked import RevocationWatch
from workers.gateway.api.signing import TokenCheck
from workers.gateway.bodies import answer
from workers.gateway.denials import Denials
from workers.gateway.ingest import Ingest
from workers.gateway.paths import API
from workers.gateway.spooling import Spooling

if TYPE_CHECKING:
    from redis.asyncio import Redis

MOST_BYTES: Final = 64 * 1024  # of a body that holds no alerts
MOST_EXPLAINED_BYTES: Final = 1024 * 1024  # of one that is read beside everything else, not in a thread
CONNECT: Final = timedelta(milliseconds=250)
ANSWER: Final = timedelta(seconds=2)
DESCRIPTION: Final = """Alerts, silences, trails and dead letters of one Tocsin.

Every request but for this document needs an access token: `tocsin tokens issue --role viewer --subject NAME` prints one.
Bodies are JSON in UTF-8, whatever their content type says. Refusals have PagerDuty's shape: `status`, `message`, `errors`."""


def hurried_runtime(settings: Settings) -> Runtime:
    """The services of a gateway, whose callers wait."""
    return Runtime(_hurried(settings))


def create_api(runtime: Runtime, ingest: Ingest, spooling: Spooling, keeper: ErrorHandler, redis: "Redis") -> FastAPI:
    """The API over these services; close `runtime.client` when it ends."""
    settings = runtime.settings
    api = FastAPI(
        title="Tocsin",
        version="1",
        description=DESCRIPTION,
        servers=[{"url": API}],
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    api.state.runtime = runtime
    api.state.denials = Denials(runtime.acts.record)
    api.state.door = alerts.AlertDoor(ingest, settings.services, settings.default_service)
    api.state.spooling = spooling
    api.state.errors = keeper
    _add_routes(api)
    errors.install(api)
    _guard(api, settings, redis)
    api.add_middleware(OnRecord, door=runtime.acts, denials=api.state.denials)
    return api


def _add_routes(api: FastAPI) -> None:
    # A thread makes the document when it is first asked for: that takes longer than an event may wait.
    api.add_route(DOCUMENT, lambda _: answer(200, api.openapi()))
    rules = (
        silences.router("silence", "/silences", "silences", "silence"),
        silences.router("maintenance", "/maintenance-windows", "maintenance", "maintenance window"),
    )
    others = (trails.router, dead_letters.router, health.router, revocations.router, act_views.router, schedules.router)
    for router in (alerts.router, *rules, *others):
        api.include_router(router)


def _guard(api: FastAPI, settings: Settings, redis: "Redis") -> None:
    largest = settings.ingest.max_body_bytes
    revoked = RevocationWatch(redis, Keys(settings.redis.prefix), RevocationCopy(settings.state_dir))
    api.state.tokens = TokenCheck(settings, revoked)
    api.add_middleware(
        Guard,
        tokens=api.state.tokens,
        limit=min(MOST_BYTES, largest),
        limits={"/alerts": largest, "/alerts/explain": min(MOST_EXPLAINED_BYTES, largest)},
        seconds=settings.gateway.read_timeout.total_seconds(),
    )


def _hurried(settings: Settings) -> Settings:
    """The same settings with less patience for Redis: whoever asks over HTTP waits for the answer."""
    redis = settings.redis
    patience = {
        "connect_timeout": min(redis.connect_timeout, CONNECT),
        "socket_timeout": min(redis.socket_timeout, ANSWER),
    }
    return settings.model_copy(update={"redis": redis.model_copy(update=patience)})
