"""Addresses are asked once for all gateways."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tasks.utils.cache_manager import CacheManager
from tasks.utils.connect import connect
from tasks.utils.error_handler import TransientError
from workers.gateway.remembered import Remembered

if TYPE_CHECKING:
    from tasks.utils.keys import Keys

URL = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem"


class Amazon:
    def __init__(self, answer: bytes = b"a certificate", failures: int = 0) -> None:
        self.asked = 0
        self._answer = answer
        self._failures = failures

    async def fetch(self, url: str) -> bytes:
        self.asked += 1
        if self.asked <= self._failures:
            raise TransientError(f"{url} does not answer")
        return self._answer


def ask(remembered: Remembered, times: int) -> list[Any]:
    async def run() -> list[Any]:
        return await asyncio.gather(*(remembered(URL) for _ in range(times)), return_exceptions=True)

    try:
        return asyncio.run(run())
    finally:
        remembered.close()


def test_many_who_want_it_at_once_ask_once_and_so_does_the_next_gateway(client: Any, keys: Keys) -> None:
    amazon = Amazon()

    first = ask(Remembered(CacheManager(client, keys), amazon.fetch, most_at_once=8), 8)
    second = ask(Remembered(CacheManager(client, keys), amazon.fetch, most_at_once=8), 1)

    assert set(first + second) == {b"a certificate"}
    assert amazon.asked == 1


def test_an_address_that_does_not_answer_is_asked_again_by_the_next(client: Any, keys: Keys) -> None:
    amazon = Amazon(failures=1)
    cache = CacheManager(client, keys)

    [failed] = ask(Remembered(cache, amazon.fetch, most_at_once=1), 1)
    [answered] = ask(Remembered(cache, amazon.fetch, most_at_once=1), 1)

    assert isinstance(failed, TransientError)
    assert answered == b"a certificate"


def test_what_is_not_text_is_refused(client: Any, keys: Keys) -> None:
    [refused] = ask(Remembered(CacheManager(client, keys), Amazon(b"\xff").fetch, most_at_once=1), 1)

    assert isinstance(refused, ValueError)


def test_without_the_server_everybody_asks_for_himself(keys: Keys) -> None:
    amazon = Amazon()
    with connect("redis://127.0.0.1:1/0") as nobody:
        answers = ask(Remembered(CacheManager(nobody, keys), amazon.fetch, most_at_once=2), 2)

    assert answers == [b"a certificate"] * 2
    assert amazon.asked == 2


@pytest.mark.parametrize("at_once", [1, 4])
def test_it_takes_no_more_threads_than_it_may(client: Any, keys: Keys, at_once: int) -> None:
    assert len(ask(Remembered(CacheManager(client, keys), Amazon().fetch, most_at_once=at_once), 20)) == 20
