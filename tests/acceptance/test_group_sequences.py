"""Random histories of alerts that are told together keep the promise."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.group_history import FallingBack, History
from tests.acceptance.group_world import at_desk

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.utils.clock import MovableClock
    from tasks.utils.keys import Keys
    from tests.conftest import Sandbox

SEQUENCES = int(os.environ.get("TOCSIN_TEST_SEQUENCES", "8"))
STEPS = 80


@pytest.mark.parametrize("seed", range(1, SEQUENCES + 1))
def test_a_history_of_a_group_keeps_the_promise(
    client: Any, keys: Keys, sandbox: Sandbox, clock: MovableClock, tmp_path: Path, seed: int
) -> None:
    history = at_desk(History, client, keys, sandbox.url, tmp_path)
    assert isinstance(history, History)

    history.play(clock, seed, STEPS)


@pytest.mark.parametrize("seed", range(1, SEQUENCES + 1))
def test_a_history_of_alerts_that_fall_back_on_people_keeps_the_promise(
    client: Any, keys: Keys, sandbox: Sandbox, clock: MovableClock, tmp_path: Path, seed: int
) -> None:
    FallingBack.sandbox = sandbox
    history = at_desk(FallingBack, client, keys, sandbox.url, tmp_path)
    assert isinstance(history, FallingBack)

    try:
        history.play(clock, seed, STEPS)
    finally:
        history.delivery.close()
