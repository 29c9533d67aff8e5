"""The gateway as a process."""

import gc
import json
import signal
import socket
import sys
from datetime import timedelta
from typing import Any, Final

import uvicorn
from redis import ConnectionError  # noqa: A004 - the server's, not the system's
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from starlette.applications import Starlette

from config.models import Settings
from tasks.utils.error_handler import PermanentError
from tasks.utils.keys import Keys
from tasks.utils.rows import Inbox
from workers.gateway.app import create_app
from workers.gateway.connection import guarded
from workers.gateway.tls import Certificate
from workers.heart import Heart

GRACE_SECONDS: Final = 5
BACKLOG: Final = 2048
RENEWAL_TICKS: Final = 10  # of a tenth of a second: how often the certificate's files are looked at
MOST_CONNECT_SECONDS: Final = 0.25  # a sender waits for the answer: it must hear "come again" well within a second


def run(settings: Settings, host: str | None = None, port: int | None = None) -> None:
    """Serve until SIGINT or SIGTERM; requests under way are finished first.

    Once it listens, one line on stdout tells where: `{"url": "http://127.0.0.1:8080"}`, https with a certificate.
    Port 0 takes a free one.
    """
    certificate = _certificate(settings)
    host = settings.gateway.host if host is None else host
    port = settings.gateway.port if port is None else port
    _tune_collector()
    with _listen(host, port) as listener:
        redis = connect(settings)
        app = create_app(settings, Inbox(redis, Keys(settings.redis.prefix)), redis)
        config = _config(app, settings.gateway.read_timeout)
        heart = Heart(settings, "gateway", knows=app.state.known_keys)
        server = _Server(config, certificate, heart, url=_url(listener, certificate))
        # uvicorn raises a signal again once it has obeyed it: to stop when asked to is success.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: sys.exit(0))
        with heart:
            server.run(sockets=[listener])


class Client(Redis):
    """A client to which a lost connection is a lost connection, whoever notices it."""

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Send a command and await its answer. RedisError or OSError when there is none."""
        try:
            return await super().execute_command(*args, **options)
        except RuntimeError as error:  # what uvloop says of a connection that was reset just before it is written to
            raise ConnectionError("the connection was reset before it could be written to") from error


def connect(settings: Settings) -> Redis:
    """An asyncio client for short answers: one quick second try on a broken connection, no more."""
    return Client.from_url(
        settings.redis.url.get_secret_value(),
        decode_responses=True,
        socket_timeout=settings.redis.socket_timeout.total_seconds(),
        socket_connect_timeout=min(settings.redis.connect_timeout.total_seconds(), MOST_CONNECT_SECONDS),
        socket_keepalive=True,
        retry=Retry(NoBackoff(), 1),
    )


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, certificate: Certificate | None, heart: Heart, url: str) -> None:
        super().__init__(config)
        self._heart = heart
        self._certificate = certificate
        self._url = url
        config.load()
        config.ssl = certificate.context if certificate else None  # its own options cannot renew it

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            sys.stdout.write(json.dumps({"url": self._url}) + "\n")
            sys.stdout.flush()

    async def on_tick(self, counter: int) -> bool:
        self._heart.tick()
        if self._certificate is not None and counter % RENEWAL_TICKS == 0:
            self._certificate.renew()
        return await super().on_tick(counter)


def _config(app: Starlette, read_timeout: timedelta) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=guarded(read_timeout.total_seconds()),
        ws="none",
        access_log=False,  # request lines of foreign senders may carry anything; counters tell the rest
        log_config=None,
        log_level="warning",
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


def _tune_collector() -> None:
    """Look for garbage rarely: with Python's own thresholds one body of a million small lists stops every request for seconds."""
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def _certificate(settings: Settings) -> Certificate | None:
    gateway = settings.gateway
    if gateway.tls_cert_file is None or gateway.tls_key_file is None:
        return None
    return Certificate(gateway.tls_cert_file, gateway.tls_key_file)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise PermanentError(
            f"the gateway cannot listen on {host} port {port}: {error.strerror}; "
            "choose another with --port or TOCSIN_GATEWAY__PORT (0 takes a free one)"
        ) from None


def _url(listener: socket.socket, certificate: Certificate | None) -> str:
    host, port = listener.getsockname()[:2]
    scheme = "https" if certificate else "http"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
