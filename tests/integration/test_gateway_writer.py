import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest
from redis import ConnectionError as RedisConnectionError

from tasks.utils.error_handler import TransientError
from tasks.utils.rows import InboxRow
from workers.gateway.writing import Writer


class SlowInbox:
    """Writes when it is let."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.called = asyncio.Event()
        self.let = asyncio.Event()
        self.fault: Exception | None = None

    async def put(self, rows: Sequence[InboxRow]) -> None:
        self.calls.append([row.id for row in rows])
        self.called.set()
        await self.let.wait()
        if self.fault is not None:
            raise self.fault


def row(name: str) -> InboxRow:
    return InboxRow(name, {}, "events")


def test_what_arrives_during_a_write_goes_together_into_the_next_one_in_order() -> None:
    async def story() -> list[list[str]]:
        inbox = SlowInbox()
        writer = Writer(inbox)
        puts = [asyncio.create_task(writer.put([row(name)])) for name in ("a", "b", "c", "d")]
        first = asyncio.create_task(writer.put([row("e"), row("f")]))
        await inbox.called.wait()
        late = asyncio.create_task(writer.put([row("g")]))
        inbox.let.set()
        await asyncio.gather(*puts, first, late)
        return inbox.calls

    assert asyncio.run(story()) == [["a", "b", "c", "d", "e", "f"], ["g"]]


def test_nobody_is_told_of_success_when_the_write_failed() -> None:
    async def story() -> tuple[BaseException | None, ...]:
        inbox = SlowInbox()
        inbox.fault = RedisConnectionError("gone")
        inbox.let.set()
        writer = Writer(inbox)
        return await asyncio.gather(writer.put([row("a")]), writer.put([row("b")]), return_exceptions=True)

    errors = asyncio.run(story())

    assert [type(error) for error in errors] == [TransientError, TransientError]
    assert all(isinstance(error, TransientError) and error.retry_after == 5 for error in errors)


def test_a_fault_of_ours_is_not_taken_for_an_outage() -> None:
    async def story() -> None:
        inbox = SlowInbox()
        inbox.fault = TypeError("a bug")
        inbox.let.set()
        await Writer(inbox).put([row("a")])

    with pytest.raises(TypeError, match="a bug"):
        asyncio.run(story())


def test_rows_of_a_request_that_gave_up_are_not_written_later() -> None:
    async def story() -> list[list[str]]:
        inbox = SlowInbox()
        writer = Writer(inbox, deadline=timedelta(milliseconds=5))
        many = asyncio.create_task(writer.put([row("a")] * 5_000))  # so many rows are given a second more
        await inbox.called.wait()
        with pytest.raises(TransientError):
            await writer.put([row("b")])
        inbox.let.set()
        await many
        await writer.put([row("c")])
        await writer.close()
        return inbox.calls

    assert [call[0] for call in asyncio.run(story())] == ["a", "c"]
