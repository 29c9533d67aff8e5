"""Fifty processes on a half-open breaker: exactly one gets to ask."""

from __future__ import annotations

import multiprocessing
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tasks.utils.circuit_breaker import CircuitBreaker
from tasks.utils.error_handler import TransientError
from tests.chaos import askers
from tests.pipeline import Pipeline, alert

if TYPE_CHECKING:
    from collections.abc import Callable

    from deploy.local.embedded import Server
    from tasks.utils.clock import MovableClock
    from tasks.utils.keys import Keys

PROCESSES = 50


@pytest.mark.parametrize("ask", [askers.enter, askers.deliver])
@pytest.mark.parametrize("round_", range(2))
def test_of_fifty_processes_exactly_one_probes(
    client: Any, keys: Keys, server: Server, clock: MovableClock, ask: Callable[..., None], round_: int
) -> None:
    breaker = CircuitBreaker(askers.ENDPOINT, client, keys, failure_threshold=1, timeout=60)
    with pytest.raises(TransientError), breaker.guard():
        raise TransientError("no answer")
    Pipeline(client, keys, "http://127.0.0.1:1").submit(*(alert(f"k{n}") for n in range(4 * PROCESSES)))
    clock.advance(timedelta(seconds=60))

    given, asked = zip(*ask_together(server.url, ask), strict=True)

    assert sum(given) == 1
    assert sum(asked) >= 2 * PROCESSES


def ask_together(url: str, ask: Callable[..., None]) -> list[tuple[int, int]]:
    """What each of the processes tells."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.chaos.askers"])
    together, told = context.Barrier(PROCESSES), context.Queue()
    processes = [context.Process(target=ask, args=(url, together, told)) for _ in range(PROCESSES)]
    for process in processes:
        process.start()
    answers = [told.get(timeout=60) for _ in processes]
    for process in processes:
        process.join(timeout=10)
        process.close()
    return answers
