"""Logs of every process: one line an event, readable on a terminal, JSON elsewhere; what looks like a secret is masked."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any, Final

import redis
import structlog

from tasks.utils.formatters import for_terminal
from tasks.utils.redaction import MASK, SECRET_NAMES, redacted

if TYPE_CHECKING:
    from collections.abc import MutableMapping

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
            event[name] = MASK
        elif isinstance(value, str) and name not in IDS:
            event[name] = redacted(value)
    return event


def harmless(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Show what a terminal would obey, and keep one event one line; only tracebacks have more."""
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = for_terminal(value, block=name == "exception")
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
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = logging.StreamHandler(sys.stderr)
    formatting = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_rendering()]
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=formatting, foreign_pre_chain=shared))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)


def _rendering() -> list[Any]:
    """JSON escapes by itself whatever is no plain character; the lines for a terminal must be told to."""
    if sys.stderr.isatty():
        return [harmless, structlog.dev.ConsoleRenderer()]
    return [structlog.processors.JSONRenderer()]
