"""What the gateway counts, and the one place where it counts it."""

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

if TYPE_CHECKING:
    from tasks.incidents.receipt_models import ReceiptFigures

BUCKETS: Final = (0.001, 0.002, 0.003, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Telemetry:
    """The counters of one gateway, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = Counter(
            "tocsin_gateway_requests", "Requests answered.", ("path", "status"), registry=self.registry
        )
        self.alerts = Counter(
            "tocsin_gateway_alerts", "Alerts by what became of them.", ("source", "result"), registry=self.registry
        )
        self.adaptations = Counter(
            "tocsin_gateway_adaptations", "Alerts mended on the way in.", ("name",), registry=self.registry
        )
        self.accept_seconds = Histogram(
            "tocsin_gateway_accept_seconds",
            "From a request's head to the answer that its rows are written.",
            ("path",),
            registry=self.registry,
            buckets=BUCKETS,
        )
        self.spooled = Counter(
            "tocsin_gateway_spooled", "Alerts kept on disk while Redis was away.", registry=self.registry
        )
        self.spool_drained = Counter(
            "tocsin_gateway_spool_drained", "Alerts handed over from the spool to Redis.", registry=self.registry
        )

        self._open_breakers = Gauge(
            "tocsin_breaker_open", "1 for each endpoint that is left alone.", ("endpoint",), registry=self.registry
        )
        self._receipts = Gauge(
            "tocsin_receipts",
            "Alerts PagerDuty took in this hour and the one before, by whether it shows incidents of them; waiting: now.",
            ("receipt",),
            registry=self.registry,
        )
        self._timers = Gauge(
            "tocsin_escalations_running", "Escalations that go on by themselves.", registry=self.registry
        )
        self._timers_late = Gauge(
            "tocsin_escalations_overdue_seconds", "By how much the next step is overdue.", registry=self.registry
        )
        self._seen_seconds = Gauge(
            "tocsin_receipts_seen_seconds",
            "Within how many seconds PagerDuty had those incidents: p50, p90, p99.",
            ("share",),
            registry=self.registry,
        )

    def show_receipts(self, found: "ReceiptFigures") -> None:
        """Show these as the fleet's."""
        for name in ("seen", "unverified", "missed", "ended", "waiting"):
            self._receipts.labels(name).set(getattr(found, name))
        for share in ("p50", "p90", "p99"):
            bound = getattr(found, f"{share}_seconds")
            self._seen_seconds.labels(share).set(float("nan") if bound is None else bound)

    def show_timers(self, running: int, late_seconds: float) -> None:
        """Show these as the fleet's."""
        self._timers.set(running)
        self._timers_late.set(late_seconds)

    def show_breakers(self, endpoints: Iterable[str]) -> None:
        """Show these as open, and no others."""
        self._open_breakers.clear()
        for endpoint in endpoints:
            self._open_breakers.labels(endpoint).set(1)

    def watch_spool(
        self, *, rows: Callable[[], float], size: Callable[[], float], damaged: Callable[[], float]
    ) -> None:
        """Show these figures of the spool as they are whenever somebody asks."""
        for name, text, value in (
            ("rows", "Alerts that wait in the spool.", rows),
            ("bytes", "Disk that the spool takes.", size),
            ("damaged", "Lines of the spool that could not be read and were set aside.", damaged),
        ):
            Gauge(f"tocsin_gateway_spool_{name}", text, registry=self.registry).set_function(value)


class Measured:
    """Counts and times every request of `app`. Plain ASGI: it adds microseconds, and no task."""

    def __init__(self, app: ASGIApp, telemetry: Telemetry, paths: frozenset[str]) -> None:
        self._app = app
        self._telemetry = telemetry
        self._paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, then count it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note_status)
        finally:
            self._count(scope["path"], status, time.perf_counter() - started)

    def _count(self, path: str, status: int, seconds: float) -> None:
        # A label for every path somebody makes up would grow without bound.
        path = path.rstrip("/") if path.rstrip("/") in self._paths else "other"
        self._telemetry.requests.labels(path, status).inc()
        if status == 202:
            self._telemetry.accept_seconds.labels(path).observe(seconds)
