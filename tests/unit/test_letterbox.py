"""Whatever happens while the main thread waits, it hears of it at once."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

import pytest

from deploy.local.letterbox import Letterbox

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def letters() -> Iterator[Letterbox[str]]:
    with Letterbox[str]() as box:
        before = signal.signal(signal.SIGUSR1, lambda *_: box.put("a signal"))
        yield box
        signal.signal(signal.SIGUSR1, before)


def test_letters_come_in_the_order_they_were_left(letters: Letterbox[str]) -> None:
    for letter in ("first", "second", "third"):
        letters.put(letter)

    assert [letters.get() for _ in range(3)] == ["first", "second", "third"]


def test_a_letter_of_another_thread_ends_the_wait(letters: Letterbox[str]) -> None:
    threading.Timer(0.05, letters.put, ["news"]).start()

    assert letters.get() == "news"


def test_a_signal_that_hits_another_thread_ends_the_wait_too(letters: Letterbox[str]) -> None:
    def strike() -> None:
        signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)

    for _ in range(20):
        threading.Timer(0.01, strike).start()

        assert letters.get() == "a signal"


def test_more_letters_than_its_socket_has_room_for_are_all_kept(letters: Letterbox[str]) -> None:
    for number in range(20_000):
        letters.put(str(number))

    assert [letters.get() for _ in range(20_000)] == [str(number) for number in range(20_000)]


def test_a_letter_that_comes_too_late_disturbs_nobody() -> None:
    with Letterbox[str]() as box:
        pass

    box.put("too late")
