"""Everything is destroyed in the middle of hundreds of open incidents; `tocsin recover` makes it anew from its backup."""

from __future__ import annotations

import json
import logging
import time
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tasks.utils.clock import MovableClock
from tests.acceptance.recovery_world import (
    PAGE,
    STANDBY,
    Machine,
    addresses,
    burn_down,
    resolve_there,
    step,
    tocsin,
    variables,
    write_config,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Sandbox

log = logging.getLogger(__name__)
SECONDS = 120
MANY = 330
AFTER, ENDED = 5, 3  # alerts opened after the backup; incidents resolved by people while the machine was gone


@pytest.mark.slow
def test_a_destroyed_installation_delivers_within_two_minutes_with_its_incidents_and_timers(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    config, backups = tmp_path / "config", tmp_path / "backups"
    keys, later = [f"k{number}" for number in range(MANY)], [f"later{number}" for number in range(AFTER)]
    write_config(config)
    sandbox.control("POST", "/limits", {"events_per_minute": None, "rest_per_minute": None})
    with Machine(tmp_path / "old", sandbox, backups, config) as old:
        old.start_workers("alert", "delivery")
        old.send("trigger", *keys)
        old.wait(lambda: old.open_there().total() == MANY and old.is_idle(), 90, "not delivered")
        for words in (("audit", "seal"), ("backups", "create", "--part", "state", "--part", "config")):
            assert tocsin(old.environment, *words).returncode == 0
        old.send("trigger", *later)
        old.wait(lambda: old.open_there().total() == MANY + AFTER and old.is_idle(), 60, "not delivered")
        for name in ("alert", "delivery"):
            old.kill(name)
        old.server.kill()
    burn_down(tmp_path / "old", config)
    resolve_there(sandbox, *keys[:ENDED])

    began = time.monotonic()
    here = variables(tmp_path / "new", backups, config) | addresses(sandbox)
    found = tocsin(here, "recover", "--yes", "--json")
    assert found.returncode == 0, found.stdout + found.stderr
    report = json.loads(found.stdout)
    again = tocsin(here, "recover", "--yes")
    with Machine(tmp_path / "new", sandbox, backups, config) as new:
        new.start_workers("alert", "delivery")
        new.send("trigger", "fresh")
        new.wait(lambda: new.open_there()["fresh"], 60, "not delivered")
        took = time.monotonic() - began
        left = {*keys[ENDED:], *later}  # the driver's list

        log.info("recovered %s, delivering after %.1f s", report["took_seconds"], took)
        assert took < SECONDS
        assert f"{MANY:,} put back" in step(report, "state")
        assert f"{AFTER} opened since the backup" in step(report, "sync")
        assert f"{ENDED} resolved there since the backup" in step(report, "sync")
        assert again.returncode == 0, again.stderr
        assert new.open_there() == Counter([*left, "fresh"])
        assert new.timers() == len(left) + 1

        clock, everybody = MovableClock(new.client, new.keys), Counter([*left, "fresh"])
        clock.advance(timedelta(minutes=31))
        new.wait(lambda: new.arrived(STANDBY) == everybody, 90, "the first step is not taken")
        clock.advance(timedelta(minutes=31))
        new.wait(lambda: all(new.arrived(PAGE)[key] == 2 for key in everybody), 90, "the second step is not taken")
        new.send("resolve", *everybody)
        new.wait(lambda: not new.open_there() and new.is_idle(), 90, "a resolve does not find its incident")

        assert new.timers() == 0
        told = {
            "restored": MANY,
            "started": AFTER + 1,
            "escalated": 2 * len(everybody),
            "ended": ENDED + len(everybody),
        }
        assert new.steps() == told  # what the ledger says
        proof = json.loads(tocsin(new.environment, "prove", "--json").stdout)
        assert (proof["broken_count"], proof["lost"], proof["escalations"]["lost"]) == (0, 0, 0)
        assert tocsin(new.environment, "audit", "verify").returncode == 0
