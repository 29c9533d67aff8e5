"""Processes that all want to call one endpoint at the same moment."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tasks.utils.circuit_breaker import CircuitBreaker, CircuitOpenError
from tasks.utils.connect import connect
from tasks.utils.keys import Keys
from tasks.utils.rows import Outbox, Plan

if TYPE_CHECKING:
    from multiprocessing.queues import Queue
    from multiprocessing.synchronize import Barrier

ENDPOINT = "https://events.example.com:443"
LEASE = timedelta(seconds=30)
PLAN = Plan(LEASE, 5, "{}", ("primary", "kid", f"{ENDPOINT} 0 1"))
SPAN = 0.5  # seconds, and as many rounds at least
ROUNDS = 4


def enter(url: str, together: Barrier, told: Queue[Any]) -> None:
    """Ask for leave again and again; tell how often it was given."""
    breaker = CircuitBreaker(ENDPOINT, connect(url), Keys(), failure_threshold=1, timeout=60)
    with suppress(CircuitOpenError):
        CircuitBreaker("another", connect(url), Keys()).enter()  # the connection and the scripts are there
    given, asked = 0, 0
    together.wait()
    end = time.monotonic() + SPAN
    while asked < ROUNDS or time.monotonic() < end:
        asked += 1
        with suppress(CircuitOpenError):
            given += breaker.enter().is_probe
    told.put((given, asked))


def deliver(url: str, together: Barrier, told: Queue[Any]) -> None:
    """Claim lanes and begin what may be begun; tell how much that was."""
    outbox = Outbox(connect(url), Keys())
    outbox.claim(0, LEASE, "warm")
    token = str(time.monotonic_ns())
    given, asked, rounds = 0, 0, 0
    together.wait()
    end = time.monotonic() + SPAN
    while rounds < ROUNDS or time.monotonic() < end:
        rounds += 1
        claims = outbox.claim(1, LEASE, token)
        asked += len(claims)
        given += len(outbox.begin([(claim, PLAN) for claim in claims], token).attempts)
    told.put((given, asked))
