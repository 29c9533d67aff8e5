"""From accepted alerts to rows in Redis, or in the spool: at once for one, together for many."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

from redis import RedisError

from tasks.utils.error_handler import TransientError
from tasks.utils.rows import InboxRow
from tasks.utils.spool import SpoolError
from workers.gateway.spooling import DEADLINE, PER_ROW, Inbox, Spooling

RETRY_AFTER: Final = 5.0
FOR_THE_DISK: Final = timedelta(milliseconds=400)
REFUSED: Final = "Redis does not answer, and the spool takes nothing more"
_MOST_ROWS: Final = 200


@dataclass
class _Part:
    """The rows of one request; one that gives up empties it."""

    rows: list[InboxRow]
    is_written: bool = False


@dataclass
class _Batch:
    """Parts that share one write."""

    began: float
    parts: list[_Part] = field(default_factory=list)
    size: int = 0


class Writer:
    """Writes rows for many requests at a time: what arrives during a write goes together into the next one.

    Thus a lone request waits for nothing, and a storm costs one Lua call for dozens of requests. Order of arrival
    is order of writing, and stays so when Redis goes away and rows go to the spool, and when it comes back.
    """

    def __init__(self, inbox: Inbox, spooling: Spooling, deadline: timedelta = DEADLINE) -> None:
        self._inbox = inbox
        self._spooling = spooling
        self._deadline = deadline
        self._open = _Batch(0)
        self._writing: asyncio.Task[None] | None = None

    async def put(self, rows: Sequence[InboxRow]) -> None:
        """Return once `rows` are in Redis or on the disk; TransientError, soon, if they are not known to be."""
        received = str(time.time_ns() // 1_000_000)
        part = _Part([row if row.received else replace(row, received=received) for row in rows])
        written = self._join(part)
        try:
            async with asyncio.timeout(self._seconds(len(rows)) + FOR_THE_DISK.total_seconds()):
                await asyncio.shield(written)
        except (RedisError, OSError, SpoolError):  # TimeoutError is an OSError
            part.rows.clear()
        if not part.is_written:
            raise TransientError(REFUSED, retry_after=RETRY_AFTER)

    def _join(self, part: _Part) -> "asyncio.Task[None]":
        writing = self._writing
        if writing is None or not self._open.parts or self._open.size + len(part.rows) > _MOST_ROWS:
            self._open = _Batch(asyncio.get_running_loop().time())
            self._writing = writing = asyncio.create_task(self._write(self._open, after=writing))
            writing.add_done_callback(_note_failure)
        self._open.parts.append(part)
        self._open.size += len(part.rows)
        return writing

    async def _write(self, batch: _Batch, after: "asyncio.Task[None] | None") -> None:
        if after is not None:
            await asyncio.wait([after])
        async with self._spooling.turn:
            if self._open is batch:
                self._open = _Batch(0)
            parts = [part for part in batch.parts if part.rows]
            if parts:
                await self._write_parts(parts, batch.began)

    async def _write_parts(self, parts: list[_Part], began: float) -> None:
        accepted = len(parts)
        why = await self._try_redis(parts, began) if self._spooling.is_empty else "others wait already"
        if why:
            accepted = await self._spooling.keep([list(part.rows) for part in parts], why)
        for part in parts[:accepted]:
            part.is_written = True

    async def _try_redis(self, parts: list[_Part], began: float) -> str:
        """Why Redis does not have the rows, as far as is known; '' if it has."""
        rows = [row for part in parts for row in part.rows]
        try:
            async with asyncio.timeout_at(began + self._seconds(len(rows))):
                await self._inbox.put(rows)
        except (RedisError, OSError) as error:
            return f"{type(error).__name__}: {error}".rstrip(": ")
        return ""

    def _seconds(self, rows: int) -> float:
        return (self._deadline + PER_ROW * rows).total_seconds()

    async def close(self) -> None:
        """Wait for the writes under way."""
        if self._writing is not None:
            await asyncio.wait([self._writing])


def _note_failure(writing: "asyncio.Task[None]") -> None:
    """Take note of an error that nobody waits for any more; who waited for it has it already."""
    if not writing.cancelled():
        writing.exception()
