"""Logs of every process: one line an event, readable on a terminal, JSON elsewhere; what looks like a secret is masked."""

from __future__ import annotations

import logging
import re
import sys
from typing import TYPE_CHECKING, Any, Final

import redis
import structlog

if TYPE_CHECKING:
    from collections.abc import MutableMapping

SECRET_NAMES: Final = re.compile(
    r"(routing_key|ingest_key|api_key|token|secret|password|authorization)$", re.IGNORECASE
)
SECRET_VALUES: Final = re.compile(r"(?<=://)[^/@\s]*:[^/@\s]*(?=@)|(?<![0-9A-Za-z])[0-9A-Za-z]{32}(?![0-9A-Za-z])")
IDS: Final = frozenset({"event", "event_id", "task_id", "uid", "id"})
OUTAGES: Final = (redis.ConnectionError, redis.TimeoutError, ConnectionError, TimeoutError)
NOISY: Final = ("celery", "kombu", "httpx", "httpcore", "amqp", "asyncio")


def without_tracebacks_of_outages(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A server that is away is one line, not a hundred: its tracebacks say nothing that its name does not."""
    info = event.get("exc_info")
    error = info[1] if isinstance(info, tuple) else info
    if not isinstance(error, BaseException):
        return event
    root: BaseException | None = error
    while root is not None and not isinstance(root, OUTAGES):
        root = root.__cause__
    if root is not None:
        del event["exc_info"]
        event["error"] = f"{type(root).__name__}: {root}"
    return event


def redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask values whose name says secret, and in any text passwords of addresses and whatever has the shape of a key."""
    for name, value in event.items():
        if SECRET_NAMES.search(name):
            event[name] = "********"
        elif isinstance(value, str) and name not in IDS:
            event[name] = SECRET_VALUES.sub("********", value)
    return event


def configure_logging(level: str) -> None:
    """Send structlog and the standard library's logging through the same processors to standard error."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        without_tracebacks_of_outages,
        structlog.processors.format_exc_info,
        redact,
    ]
    renderer: Any = structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=shared))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
