"""From accepted alerts to rows in Redis: at once for one, together for many."""

import asyncio
import logging
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Protocol

from redis import RedisError

from tasks.utils.error_handler import TransientError
from tasks.utils.rows import InboxRow

RETRY_AFTER: Final = timedelta(seconds=5)
DEADLINE: Final = timedelta(milliseconds=750)
PER_ROW: Final = timedelta(microseconds=200)  # so that a message of thousands of alerts can be written at all
_MOST_ROWS: Final = 200

log = logging.getLogger(__name__)


class Inbox(Protocol):
    """Where rows are written: all of one call, or none; writing a row twice is harmless."""

    def put(self, rows: Sequence[InboxRow]) -> Awaitable[object]:
        """Write; RedisError when Redis is away."""


@dataclass
class _Batch:
    """Rows of several requests that share one write; a request that gives up empties its part."""

    parts: list[list[InboxRow]] = field(default_factory=list)
    size: int = 0


class Writer:
    """Writes rows for many requests at a time: what arrives during a write goes together into the next one.

    Thus a lone request waits for nothing, and a storm costs one Lua call for dozens of requests. Order of arrival
    is order of writing.
    """

    def __init__(self, inbox: Inbox, deadline: timedelta = DEADLINE) -> None:
        self._inbox = inbox
        self._deadline = deadline
        self._open = _Batch()
        self._writing: asyncio.Task[None] | None = None

    async def put(self, rows: Sequence[InboxRow]) -> None:
        """Return once `rows` are written; TransientError, soon, if they are not known to be."""
        part = list(rows)
        written = self._join(part)
        try:
            async with asyncio.timeout(self._seconds(len(rows))):
                await asyncio.shield(written)
        except (RedisError, OSError):  # TimeoutError is an OSError
            part.clear()
            raise TransientError("Redis does not answer", retry_after=RETRY_AFTER.total_seconds()) from None

    def _join(self, part: list[InboxRow]) -> "asyncio.Task[None]":
        if self._writing is None or not self._open.parts or self._open.size + len(part) > _MOST_ROWS:
            self._open = _Batch()
            self._writing = asyncio.create_task(self._write(self._open, after=self._writing))
            self._writing.add_done_callback(_note_failure)
        self._open.parts.append(part)
        self._open.size += len(part)
        return self._writing

    async def _write(self, batch: _Batch, after: "asyncio.Task[None] | None") -> None:
        if after is not None:
            await asyncio.wait([after])
        if self._open is batch:
            self._open = _Batch()
        rows = [row for part in batch.parts for row in part]
        if rows:
            async with asyncio.timeout(self._seconds(len(rows))):
                await self._inbox.put(rows)

    def _seconds(self, rows: int) -> float:
        return (self._deadline + PER_ROW * rows).total_seconds()

    async def close(self) -> None:
        """Wait for the writes under way."""
        if self._writing is not None:
            await asyncio.wait([self._writing])


def _note_failure(writing: "asyncio.Task[None]") -> None:
    error = None if writing.cancelled() else writing.exception()
    if error is not None:
        log.warning("rows not written, their senders are asked to come again: %s", type(error).__name__)
