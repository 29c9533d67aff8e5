"""Writing and spooling without HTTP: an inbox that does as it is told, a real spool on the disk."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from redis import ConnectionError as RedisConnectionError

from tasks.utils.error_handler import TransientError
from tasks.utils.rows import InboxRow
from tasks.utils.spool import Spool
from workers.gateway.spooling import Spooling
from workers.gateway.telemetry import Telemetry
from workers.gateway.writing import Writer


class Inbox:
    """Writes when it is let, or fails by `fault`; `lands` tells whether a call that fails was done all the same."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.rows: dict[str, InboxRow] = {}
        self.called = asyncio.Event()
        self.let = asyncio.Event()
        self.fault: Exception | None = None
        self.lands = False

    async def put(self, rows: Sequence[InboxRow]) -> None:
        self.calls.append([row.id for row in rows])
        self.called.set()
        if self.lands:
            self._write(rows)
        await self.let.wait()
        if self.fault is not None:
            raise self.fault
        self._write(rows)

    def _write(self, rows: Sequence[InboxRow]) -> None:
        for row in rows:
            self.rows.setdefault(row.id, row)

    async def ping(self) -> None:
        await self.let.wait()
        if self.fault is not None:
            raise self.fault

    @property
    def order(self) -> list[str]:
        """What Redis holds, in the order it came there."""
        return list(self.rows)


class Desk:
    """A writer with its spool."""

    def __init__(self, folder: Path, max_bytes: int = 10_000_000, **options: Any) -> None:
        self.inbox = Inbox()
        self.telemetry = Telemetry()
        self.spool = Spool(folder / "spool", max_bytes=max_bytes)
        self.spooling = Spooling(self.spool, self.inbox, self.inbox.ping, self.telemetry)
        self.writer = Writer(self.inbox, self.spooling, **options)

    async def put(self, *names: str) -> None:
        await self.writer.put([row(name) for name in names])

    async def drained(self) -> None:
        async with asyncio.timeout(5):
            while not self.spooling.is_empty:  # noqa: ASYNC110 (nothing tells of it but a look)
                await asyncio.sleep(0.005)
        await self.spooling.state()  # by the thread of the files: what it has done before is counted then

    def count(self, name: str) -> float | None:
        return self.telemetry.registry.get_sample_value(f"tocsin_gateway_{name}")


@asynccontextmanager
async def desk(folder: Path, *, away: bool = False, **options: Any) -> AsyncIterator[Desk]:
    at = Desk(folder, **options)
    if away:
        at.inbox.fault = RedisConnectionError("gone")
        at.inbox.let.set()
    await at.spooling.start()
    try:
        yield at
    finally:
        await at.writer.close()
        await at.spooling.close()


def row(name: str) -> InboxRow:
    return InboxRow(name, {}, "events")


def test_what_arrives_during_a_write_goes_together_into_the_next_one_in_order(tmp_path: Path) -> None:
    async def story() -> list[list[str]]:
        async with desk(tmp_path) as at:
            puts = [asyncio.create_task(at.put(name)) for name in ("a", "b", "c", "d")]
            first = asyncio.create_task(at.put("e", "f"))
            await at.inbox.called.wait()
            late = asyncio.create_task(at.put("g"))
            at.inbox.let.set()
            await asyncio.gather(*puts, first, late)
            return at.inbox.calls

    assert asyncio.run(story()) == [["a", "b", "c", "d", "e", "f"], ["g"]]


def test_a_row_carries_the_time_it_came(tmp_path: Path) -> None:
    async def story() -> list[InboxRow]:
        async with desk(tmp_path) as at:
            at.inbox.let.set()
            await at.put("a")
            at.inbox.fault = RedisConnectionError("gone")
            await at.put("b")
            await asyncio.sleep(0.15)
            at.inbox.fault = None
            await at.drained()
            return list(at.inbox.rows.values())

    direct, spooled = asyncio.run(story())
    assert 0 <= int(spooled.received) - int(direct.received) < 100


def test_with_redis_away_rows_are_on_the_disk_when_put_returns_and_are_handed_over_in_order(tmp_path: Path) -> None:
    async def story() -> list[str]:
        async with desk(tmp_path, away=True) as at:
            await asyncio.gather(*(at.put(f"{n:03d}") for n in range(100)))
            assert at.spool.rows == 100
            assert at.count("spooled_total") == at.count("spool_rows") == 100
            at.inbox.fault = None
            await at.drained()
            await at.put("last")
            assert at.count("spool_drained_total") == 100
            return at.inbox.order

    assert asyncio.run(story()) == [*(f"{n:03d}" for n in range(100)), "last"]


def test_a_write_that_timed_out_but_landed_is_not_written_twice_and_keeps_its_place(tmp_path: Path) -> None:
    async def story() -> tuple[list[str], list[list[str]]]:
        async with desk(tmp_path, deadline=timedelta(milliseconds=30)) as at:
            at.inbox.lands = True
            await asyncio.gather(at.put("a"), at.put("b"))
            await at.put("c")
            at.inbox.let.set()
            await at.drained()
            await at.put("d")
            return at.inbox.order, at.inbox.calls

    order, calls = asyncio.run(story())
    assert order == ["a", "b", "c", "d"]
    assert calls[0] == ["a", "b"]


def test_a_batch_that_waits_behind_one_that_fails_is_spooled_behind_it(tmp_path: Path) -> None:
    async def story() -> list[str]:
        async with desk(tmp_path) as at:
            first = asyncio.create_task(at.put("a"))
            await at.inbox.called.wait()
            second = asyncio.create_task(at.put("b"))
            await asyncio.sleep(0)
            at.inbox.fault = RedisConnectionError("gone")
            at.inbox.let.set()
            await asyncio.gather(first, second)
            assert at.inbox.calls == [["a"]]
            at.inbox.fault = None
            await at.drained()
            return at.inbox.order

    assert asyncio.run(story()) == ["a", "b"]


def test_order_holds_while_redis_comes_and_goes_and_rows_stream_in(tmp_path: Path) -> None:
    async def story() -> tuple[list[str], int]:
        async with desk(tmp_path) as at:
            at.inbox.let.set()
            sent = ["fine weather"]
            await at.put(*sent)

            async def stream() -> None:
                for n in range(3000):
                    sent.append(f"{n:05d}")
                    await at.put(sent[-1])

            async def weather() -> None:
                while True:
                    at.inbox.fault = None if at.inbox.fault else RedisConnectionError("gone")
                    await asyncio.sleep(0.02)

            changing = asyncio.create_task(weather())
            await stream()
            changing.cancel()
            at.inbox.fault = None
            await at.drained()
            assert at.inbox.order == sent
            return sent, int(at.count("spooled_total") or 0)

    sent, spooled = asyncio.run(story())
    assert 0 < spooled < len(sent)


def test_writing_goes_straight_to_redis_again_although_new_rows_never_cease(tmp_path: Path) -> None:
    async def story() -> None:
        async with desk(tmp_path, away=True) as at:
            await at.put("first")
            ended = asyncio.Event()

            async def stream(name: str) -> None:
                n = 0
                while not ended.is_set():
                    await at.put(f"{name}{n:06d}")
                    n += 1

            streams = [asyncio.create_task(stream(name)) for name in "abcd"]
            await asyncio.sleep(0.05)
            at.inbox.fault = None
            await at.drained()
            ended.set()
            await asyncio.gather(*streams)
            for name in "abcd":
                of_one = [found for found in at.inbox.order if found.startswith(name)]
                assert of_one == sorted(of_one)

    asyncio.run(story())


def test_what_an_earlier_process_left_goes_before_anything_new(tmp_path: Path) -> None:
    async def before() -> None:
        async with desk(tmp_path, away=True) as at:
            await at.put("a", "b")

    async def after() -> list[str]:
        async with desk(tmp_path) as at:
            assert not at.spooling.is_empty
            first = asyncio.create_task(at.put("c"))
            await asyncio.sleep(0.02)
            at.inbox.let.set()
            await first
            await at.drained()
            return at.inbox.order

    asyncio.run(before())
    assert asyncio.run(after()) == ["a", "b", "c"]


def test_a_full_spool_is_an_answer_to_come_again_and_what_was_kept_stays(tmp_path: Path) -> None:
    async def story() -> tuple[list[str], list[str]]:
        async with desk(tmp_path, away=True, max_bytes=400) as at:
            answers = await asyncio.gather(*(at.put(name * 8) for name in "abcdefgh"), return_exceptions=True)
            refused = [name for name, answer in zip("abcdefgh", answers, strict=True) if answer is not None]
            assert all(isinstance(answer, TransientError) and answer.retry_after == 5 for answer in answers if answer)
            at.inbox.fault = None
            await at.drained()
            return refused, [found[0] for found in at.inbox.order]

    refused, kept = asyncio.run(story())
    assert kept + refused == list("abcdefgh")
    assert kept
    assert refused


def test_without_a_spool_nobody_is_told_of_success_when_the_write_failed(tmp_path: Path) -> None:
    async def story() -> list[BaseException | None]:
        async with desk(tmp_path, away=True, max_bytes=0) as at:
            return await asyncio.gather(at.put("a"), at.put("b"), return_exceptions=True)

    assert [type(error) for error in asyncio.run(story())] == [TransientError, TransientError]


def test_a_fault_of_ours_is_not_taken_for_an_outage(tmp_path: Path) -> None:
    async def story() -> None:
        async with desk(tmp_path) as at:
            at.inbox.fault = TypeError("a bug")
            at.inbox.let.set()
            await at.put("a")

    with pytest.raises(TypeError, match="a bug"):
        asyncio.run(story())


def test_rows_of_a_request_that_gave_up_are_not_written_later(tmp_path: Path) -> None:
    async def story() -> list[str]:
        async with desk(tmp_path, away=True, deadline=timedelta(milliseconds=5)) as at:
            async with at.spooling.turn:  # as if a disk were slow
                with pytest.raises(TransientError):
                    await at.put("a")
            await at.put("b")
            at.inbox.fault = None
            await at.drained()
            return at.inbox.order

    assert asyncio.run(story()) == ["b"]
