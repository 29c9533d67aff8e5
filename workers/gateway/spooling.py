"""The spool at work: filled while Redis is away, drained when it is back."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from datetime import timedelta
from typing import Final, Protocol, TypeVar

from redis import RedisError

from tasks.utils.rows import InboxRow
from tasks.utils.spool import PAGE_ROWS, Spool, SpoolError
from workers.gateway.telemetry import Telemetry

T = TypeVar("T")
DEADLINE: Final = timedelta(milliseconds=500)
PER_ROW: Final = timedelta(microseconds=200)  # so that a message of thousands of alerts can be written at all
PATIENT: Final = timedelta(seconds=5)  # nobody waits for it
QUICK: Final = 0.1  # seconds
COMPLAIN: Final = 10.0  # seconds between two complaints about the same outage
LOOK: Final = 5.0  # seconds between two looks for what others left behind
PAUSES: Final = (0.1, 1.0)  # the first and the longest, in seconds, while Redis is away

log = logging.getLogger(__name__)


class Inbox(Protocol):
    """Where rows are written: all of one call, or none; writing a row twice is harmless."""

    def put(self, rows: Sequence[InboxRow]) -> Awaitable[object]:
        """Write; RedisError when Redis is away."""


class Spooling:
    """Keeps rows on disk and hands them over, in order, as soon as Redis answers.

    Who writes rows holds `turn` meanwhile, and appends to the spool as long as it is not empty: so nothing overtakes
    what waits. All work on files is done in one thread.
    """

    def __init__(self, spool: Spool, inbox: Inbox, ping: Callable[[], Awaitable[object]], telemetry: Telemetry) -> None:
        self.turn = asyncio.Lock()
        self._spool = spool
        self._inbox = inbox
        self._ping = ping
        self._telemetry = telemetry
        self._news = asyncio.Event()
        self._is_quick = False
        self._complained = -COMPLAIN
        self._thread = ThreadPoolExecutor(1, "spool")
        self._draining: asyncio.Task[None] | None = None
        telemetry.watch_spool(rows=lambda: spool.rows, size=lambda: spool.size, damaged=lambda: spool.damaged)

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits, so that rows may go straight to Redis."""
        return self._spool.rows == 0

    async def start(self) -> None:
        """Find what earlier processes left behind, and drain from now on."""
        await self._adopt()
        self._draining = asyncio.create_task(self._drain_for_ever())
        self._draining.add_done_callback(_tell_end)

    async def keep(self, parts: Sequence[Sequence[InboxRow]], why: str) -> int:
        """Keep as many of the parts as there is room for, on disk when this returns; how many. SpoolError if none."""
        is_first = self.is_empty
        try:
            accepted = await self._in_thread(self._spool.append, parts)
        except SpoolError as error:
            self._complain(error)
            raise
        if is_first:
            log.warning("Redis does not take alerts (%s): accepted ones are kept in the spool until it does", why)
        self._telemetry.spooled.inc(sum(map(len, parts[:accepted])))
        self._news.set()
        return accepted

    def _complain(self, error: SpoolError) -> None:
        now = time.monotonic()
        if now - self._complained > COMPLAIN:
            self._complained = now
            log.error("alerts are refused, their senders asked to come again: %s", error)

    async def state(self) -> dict[str, object]:
        """What waits, and `fault`: why nothing more would be kept, '' if it would."""
        try:
            async with asyncio.timeout(DEADLINE.total_seconds()):
                fault = await self._in_thread(self._spool.fault)
        except TimeoutError:
            fault = "the disk of the spool does not answer in time"
        return {"rows": self._spool.rows, "bytes": self._spool.size, "fault": fault}

    @property
    def has_ended(self) -> bool:
        """Whether draining has ended by a fault of ours: then nothing would ever leave the spool."""
        return self._draining is not None and self._draining.done()

    async def close(self) -> None:
        """Leave the files to whoever comes next."""
        if self._draining is not None:
            self._draining.cancel()
            with suppress(asyncio.CancelledError):
                await self._draining
        if not self.is_empty:
            log.warning("%d alerts wait in the spool; the next gateway here hands them over", self._spool.rows)
        await self._in_thread(self._spool.close)
        self._thread.shutdown()

    async def _adopt(self) -> None:
        found = await self._in_thread(self._spool.adopt)
        if found:
            log.warning("%d alerts were found in the spool; they are handed over first", found)

    async def _drain_for_ever(self) -> None:
        while True:
            if not self.is_empty:
                await self._drain()
            await self._adopt()
            if self.is_empty:
                self._news.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), LOOK)

    async def _drain(self) -> None:
        pause, handed_over, said = PAUSES[0], 0, ""
        while not self.is_empty:
            try:
                handed_over += await self._hand_over()
                pause = PAUSES[0]
            except (RedisError, OSError, SpoolError) as error:
                if said != (said := f"{type(error).__name__}: {error}".rstrip(": ")):
                    log.warning("%d alerts wait in the spool: %s", self._spool.rows, said)
                await asyncio.sleep(pause)
                pause = min(2 * pause, PAUSES[1])
        log.warning("the spool is empty again: %d alerts were handed over to Redis", handed_over)

    async def _hand_over(self) -> int:
        """Hand one page over; how many rows. RedisError, OSError, SpoolError: it stays where it is."""
        async with asyncio.timeout(
            DEADLINE.total_seconds()
        ):  # a server that hangs is not fed pages it may take up later
            await self._ping()
        # New rows would keep the spool from ever being empty: they wait a moment while the last page goes, if that is quick.
        may_be_last = self._is_quick and self._spool.rows <= PAGE_ROWS
        async with self.turn if may_be_last else nullcontext():
            return await self._put_page(DEADLINE if may_be_last else PATIENT)

    async def _put_page(self, deadline: timedelta) -> int:
        started, self._is_quick = time.monotonic(), False
        rows = await self._in_thread(self._spool.read)
        if rows:
            async with asyncio.timeout(deadline.total_seconds()):
                await self._inbox.put(rows)
        await self._in_thread(self._spool.advance)
        self._telemetry.spool_drained.inc(len(rows))
        self._is_quick = time.monotonic() - started < QUICK
        return len(rows)

    async def _in_thread(self, work: Callable[..., T], *args: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *args)


def _tell_end(draining: "asyncio.Task[None]") -> None:
    if not draining.cancelled() and (error := draining.exception()) is not None:
        log.critical("the spool is not drained any more; start the gateway anew", exc_info=error)
