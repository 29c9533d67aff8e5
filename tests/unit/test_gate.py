"""Who may work beside whom in one process."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tasks.utils.gate import Gate

if TYPE_CHECKING:
    from collections.abc import Iterator

SOON = 10


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def test_many_work_side_by_side(threads: ThreadPoolExecutor) -> None:
    gate, together = Gate(), threading.Barrier(5)

    def work() -> None:
        with gate.beside_others():
            together.wait(SOON)

    for one in [threads.submit(work) for _ in range(5)]:
        one.result(SOON)


def test_one_alone_waits_until_nobody_else_is_at_work_and_then_keeps_others_out(threads: ThreadPoolExecutor) -> None:
    gate, story = Gate(), []
    first_may_go, is_alone, alone_may_go = (threading.Event() for _ in range(3))

    def first() -> None:
        with gate.beside_others():
            first_may_go.wait(SOON)
            story.append("first")

    def alone() -> None:
        with gate.alone():
            story.append("alone")
            is_alone.set()
            alone_may_go.wait(SOON)
            story.append("alone ends")

    def late() -> None:
        with gate.beside_others():
            story.append("late")

    at_work = ExitStack()
    at_work.enter_context(gate.beside_others())
    waiting = [threads.submit(alone), threads.submit(first)]
    assert not is_alone.wait(0.05)
    first_may_go.set()
    at_work.close()
    assert is_alone.wait(SOON)
    waiting.append(threads.submit(late))
    alone_may_go.set()
    wait(waiting, SOON)

    assert story.index("alone ends") == story.index("alone") + 1
    assert sorted(story) == ["alone", "alone ends", "first", "late"]


def test_an_error_lets_the_next_one_in(threads: ThreadPoolExecutor) -> None:
    gate = Gate()
    for passage in (gate.alone, gate.beside_others, gate.alone):
        with pytest.raises(ValueError, match="oops"), passage():
            raise ValueError("oops")

    def alone() -> bool:
        with gate.alone():
            return True

    assert threads.submit(alone).result(SOON)


def test_any_number_that_want_to_be_alone_take_turns(threads: ThreadPoolExecutor) -> None:
    gate = Gate()
    inside: list[int] = []
    most: list[int] = []

    def work(number: int) -> None:
        with gate.alone() if number % 2 else gate.beside_others():
            inside.append(number)
            if number % 2:
                most.append(len(inside))
            inside.remove(number)

    for one in [threads.submit(work, number) for number in range(400)]:
        one.result(SOON)

    assert set(most) == {1}
