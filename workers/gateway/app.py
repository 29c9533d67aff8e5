"""The HTTP gateway as an application: which path does what, and what an error looks like."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from config.channels import PagerDutyChannel
from config.models import Settings
from config.settings import load
from tasks.utils.cache_manager import CacheManager
from tasks.utils.connect import connect
from tasks.utils.error_handler import ErrorHandler
from tasks.utils.keys import Keys
from tasks.utils.spool import SPOOL_FOLDER, Spool
from tasks.utils.webhook_processor import WebhookProcessor
from workers.gateway import refusals
from workers.gateway.alertmanager import Alertmanager
from workers.gateway.api.app import create_api, hurried_runtime
from workers.gateway.events import ORCHESTRATION, Events
from workers.gateway.hooks import Hooks
from workers.gateway.ingest import Ingest
from workers.gateway.keyring import Keyring
from workers.gateway.pagerduty import PagerDutyWebhooks, Secrets
from workers.gateway.paths import ALERTMANAGER, API, CHANGES, EVENTS, EVENTS_V1, HOOKS, PAGERDUTY, TidyPath
from workers.gateway.probes import Probes
from workers.gateway.remembered import Remembered
from workers.gateway.rotated import RotatedKeys
from workers.gateway.sns import MOST_AT_ONCE, Fetch, SnsGate, fetch
from workers.gateway.spooling import Inbox, Spooling
from workers.gateway.telemetry import Measured, Telemetry
from workers.gateway.writing import Writer

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from workers.gateway.denials import Denials

Endpoint = Callable[[Request], Awaitable[Response]]
PATHS: Final = frozenset(
    {EVENTS, CHANGES, EVENTS_V1, ALERTMANAGER, PAGERDUTY, f"{API}/alerts", "/livez", "/readyz", "/metrics"}
)


def create_app(settings: Settings, inbox: Inbox, redis: "Redis", fetch: Fetch = fetch) -> Starlette:
    """The gateway for the services of `settings`; it writes to `inbox`, and closes `redis` when it ends.

    `fetch` is how addresses of Amazon SNS are called; all others are never called.
    """
    parts = _Parts(settings, inbox, redis, fetch)
    # FastAPI's own layers cost an event as much as its check does; they serve what needs them, the mounted API.
    app = Starlette(lifespan=parts.lifespan, routes=[*parts.doors(), *parts.probes(), Mount(API, parts.api)])
    app.router.redirect_slashes = False
    app.state.errors, app.state.denials = parts.errors, parts.denials
    app.state.known_keys = parts.api.state.runtime.known_keys
    refusals.install(app)
    paths = PATHS.union(f"{HOOKS}/{name}" for name in settings.mappings)
    app.add_middleware(Measured, telemetry=parts.telemetry, paths=paths)
    app.add_middleware(TidyPath)
    return app


class _Parts:
    """What one gateway is made of."""

    def __init__(self, settings: Settings, inbox: Inbox, redis: "Redis", fetch: Fetch) -> None:
        self._settings = settings
        self._redis = redis
        runtime = hurried_runtime(settings)
        self.telemetry = Telemetry()
        self.errors = _errors(settings)
        spool = Spool(settings.state_dir / SPOOL_FOLDER, max_bytes=settings.spool.max_bytes)
        self._spooling = Spooling(spool, inbox, redis.ping, self.telemetry)
        self._writer = Writer(inbox, self._spooling)
        self._ingest = Ingest(
            Keyring(settings.services),
            self._writer,
            self.telemetry,
            runtime.sealed_fields,
            max_body_bytes=settings.ingest.max_body_bytes,
            read_seconds=settings.gateway.read_timeout.total_seconds(),
        )
        self._certificates = Remembered(_cache(settings), fetch, most_at_once=MOST_AT_ONCE)
        gate = SnsGate(fetch, certificates=self._certificates)
        self._hooks = Hooks(self._ingest, WebhookProcessor(settings.mappings), gate, self.telemetry)
        self._secrets = Secrets(_webhook_secrets(settings))
        self._pagerduty = PagerDutyWebhooks(
            self._secrets,
            self._writer,
            self.telemetry,
            read_seconds=settings.gateway.read_timeout.total_seconds(),
        )
        self.api = create_api(runtime, self._ingest, self._spooling, self.errors, redis)
        self.denials: Denials = self.api.state.denials
        self._rotated = RotatedKeys(runtime, self._turn_to, self._keys_used)

    def _turn_to(self, settings: Settings) -> None:
        """Take the keys that these settings have now."""
        self._ingest.turn_to(settings.services)
        self._secrets.values = tuple(secrets_in(settings))
        self.api.state.tokens.turn_to(settings)

    def _keys_used(self) -> list[str]:
        return [*self._ingest.keys_used(), *self._secrets.used()]

    @asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncIterator[None]:
        """Drain what earlier processes left, serve, then let go of everything."""
        await self._spooling.start()
        await self.api.state.tokens.begin()
        await self._rotated.start()
        yield
        await self._rotated.close()
        await self._hooks.close()
        self._certificates.close()
        await self._writer.close()
        await self._spooling.close()
        await self._redis.aclose()
        await self.denials.close()
        self.api.state.runtime.client.close()

    def doors(self) -> list[BaseRoute]:
        """Where alerts come in."""
        events = Events(self._ingest, _change_services(self._settings))
        doors: dict[str, Endpoint] = {
            EVENTS: events.enqueue,
            CHANGES: events.enqueue_change,
            EVENTS_V1: events.create_event,
            ALERTMANAGER: Alertmanager(self._ingest).webhook,
            f"{HOOKS}/{{mapping}}": self._hooks.webhook,
            PAGERDUTY: self._pagerduty.webhook,
        }
        return [Route(path, endpoint, methods=["POST"]) for path, endpoint in doors.items()]

    def probes(self) -> list[BaseRoute]:
        """Where orchestrators and Prometheus look."""
        probes = Probes(self._redis, self._spooling, self.telemetry, Keys(self._settings.redis.prefix))
        gets: dict[str, Endpoint] = {"/livez": probes.livez, "/readyz": probes.readyz, "/metrics": probes.metrics}
        return [Route(path, endpoint, methods=["GET"]) for path, endpoint in gets.items()]


def _errors(settings: Settings) -> ErrorHandler:
    """Keeps what becomes a 5xx; it writes in a thread of its own and holds up no request."""
    client = connect(settings.redis.url.get_secret_value(), connect_timeout=1.0)
    return ErrorHandler(client, Keys(settings.redis.prefix))


def _cache(settings: Settings) -> CacheManager:
    client = connect(settings.cache.redis_url.get_secret_value(), connect_timeout=1.0)
    return CacheManager(client, Keys(settings.redis.prefix), default_ttl=settings.cache.default_ttl)


def _webhook_secrets(settings: Settings) -> Callable[[], list[str]]:
    """Gives the secrets that sign PagerDuty's webhooks: at first those of `settings`, then as they are set by now."""
    known = [settings]

    def read() -> list[str]:
        return secrets_in(known.pop() if known else load())

    return read


def secrets_in(settings: Settings) -> list[str]:
    """The secrets that sign PagerDuty's webhooks, the newest first."""
    pagerduty = settings.pagerduty
    first = [pagerduty.webhook_secret] if pagerduty.webhook_secret else []
    return [secret.get_secret_value() for secret in (*first, *pagerduty.webhook_previous_secrets)]


def _change_services(settings: Settings) -> frozenset[str]:
    """The services with a channel to PagerDuty that does not lead to an event orchestration."""
    return frozenset(
        service.name
        for service in settings.services.values()
        for channel in service.channels
        if isinstance(channel, PagerDutyChannel)
        and not channel.routing_key.get_secret_value().startswith(ORCHESTRATION)
    )
