"""Probes of a real worker that is stopped, and of one whose server goes away: in real time, for a heartbeat knows no other."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

from tests.fleet import Fleet
from tests.integration.test_cli_program import tocsin

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HUNG = 100  # seconds; live fails after 90


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with Fleet(tmp_path) as made:
        made.start_workers("alert")
        yield made


def probe(fleet: Fleet, kind: str) -> int:
    return tocsin("health", "--probe", kind, env=fleet.environment).returncode


@pytest.mark.slow
def test_a_stopped_worker_is_soon_not_ready_then_not_live_and_both_again_once_it_goes_on(fleet: Fleet) -> None:
    pid = fleet.processes["alert"].pid
    assert (probe(fleet, "live"), probe(fleet, "ready")) == (0, 0)

    os.kill(pid, signal.SIGSTOP)
    began = time.monotonic()
    fleet.wait(lambda: probe(fleet, "ready"), 45, "it is still ready")
    assert time.monotonic() - began > 20
    assert probe(fleet, "live") == 0
    fleet.wait(lambda: probe(fleet, "live"), HUNG, "it is still live")
    os.kill(pid, signal.SIGCONT)

    fleet.wait(lambda: not probe(fleet, "live") and not probe(fleet, "ready"), 15, "it does not come back")


@pytest.mark.slow
def test_a_worker_whose_server_is_away_for_long_is_never_to_be_started_anew(fleet: Fleet) -> None:
    fleet.server.kill()
    fleet.wait(lambda: probe(fleet, "ready"), 45, "it is still ready")
    end = time.monotonic() + HUNG
    fleet.wait(lambda: probe(fleet, "live") or time.monotonic() > end, HUNG + 5, "it waits")
    assert probe(fleet, "live") == 0

    fleet.server.restart()
    back = time.monotonic()
    fleet.wait(lambda: probe(fleet, "live") or not probe(fleet, "ready"), 30, "it does not come back")

    assert (probe(fleet, "live"), probe(fleet, "ready")) == (0, 0)
    assert time.monotonic() - back < 30
