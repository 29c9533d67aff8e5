import asyncio
import logging
from typing import Any

import pytest

from config.mappings import Sns
from tasks.utils.error_handler import TransientError
from tests.sns import CERTIFICATE, SUBSCRIPTION, TOPIC, signed
from workers.gateway.sns import MOST_AT_ONCE, SnsGate

OPTIONS = Sns()


class Amazon:
    """Answers what it is asked for, or fails `failures` times; with a gate, only once that is open."""

    def __init__(self, failures: int = 0, gate: asyncio.Event | None = None) -> None:
        self.confirmed: list[str] = []
        self.asked = asyncio.Semaphore(0)
        self._failures = failures
        self._gate = gate

    async def fetch(self, url: str) -> bytes:
        if self._gate is not None:
            await self._gate.wait()
        if url.endswith(".pem"):
            return CERTIFICATE
        self.asked.release()
        if self._failures:
            self._failures -= 1
            raise TransientError("sns.eu-west-1.amazonaws.com answers 503")
        self.confirmed.append(url)
        return b""


def subscription(token: str) -> dict[str, Any]:
    address = SUBSCRIPTION["SubscribeURL"].replace("t0ken", token)
    return signed(SUBSCRIPTION | {"Token": token, "SubscribeURL": address})


def test_a_subscription_that_could_not_be_confirmed_is_tried_again() -> None:
    async def run() -> None:
        amazon = Amazon(failures=2)
        gate = SnsGate(amazon.fetch, pauses=(0, 0, 0))
        assert "is being confirmed" in str(await gate.admit(subscription("a"), OPTIONS))
        for _ in range(3):
            await amazon.asked.acquire()
        assert len(amazon.confirmed) == 1
        await gate.close()

    asyncio.run(run())


def test_giving_up_is_logged_with_what_to_do(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> None:
        amazon = Amazon(failures=9)
        gate = SnsGate(amazon.fetch, pauses=(0,))
        await gate.admit(subscription("a"), OPTIONS)
        await asyncio.wait(asyncio.all_tasks() - {asyncio.current_task()}, timeout=5)
        await gate.close()

    with caplog.at_level(logging.WARNING):
        asyncio.run(run())

    assert f"let this host reach https://sns.*.amazonaws.com, then subscribe {TOPIC} again" in caplog.text
    assert "Token" not in caplog.text


def test_the_same_subscription_asked_for_twice_is_confirmed_once() -> None:
    async def run() -> None:
        opened = asyncio.Event()
        amazon = Amazon(gate=opened)
        gate = SnsGate(amazon.fetch)
        for _ in range(2):
            await gate.admit(subscription("a"), OPTIONS)
        opened.set()
        await amazon.asked.acquire()
        await gate.close()
        assert len(amazon.confirmed) == 1

    asyncio.run(run())


def test_a_flood_of_subscriptions_is_held_off() -> None:
    async def run() -> None:
        gate = SnsGate(Amazon(gate=asyncio.Event()).fetch)
        for number in range(MOST_AT_ONCE):
            await gate.admit(subscription(f"t{number}"), OPTIONS)
        with pytest.raises(TransientError, match="too many subscriptions are being confirmed at once"):
            await gate.admit(subscription("one more"), OPTIONS)
        await gate.close()

    asyncio.run(run())


def test_certificates_are_remembered_within_bounds_and_not_fetched_without_end() -> None:
    async def run() -> None:
        opened = asyncio.Event()
        gate = SnsGate(Amazon(gate=opened).fetch, patience=0.1)
        message = signed({**SUBSCRIPTION, "Type": "Notification"})
        named = [message | {"SigningCertURL": f"https://sns.eu-west-1.amazonaws.com/{n}.pem"} for n in range(40)]
        refused = await asyncio.gather(*(gate.admit(each, OPTIONS) for each in named), return_exceptions=True)
        assert sum("too many certificates" in str(each) for each in refused) == 40 - MOST_AT_ONCE
        opened.set()
        assert [await gate.admit(each, OPTIONS) for each in named] == [None] * 40
        await gate.close()

    asyncio.run(run())
