"""FLUSHALL in the middle of many open incidents, with the real processes: noticed, rebuilt, and everything still ends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.loss_fleet import KEY, LossFleet

if TYPE_CHECKING:
    from pathlib import Path

SHORT, LONG = 60, 500


@pytest.mark.parametrize("many", [SHORT, pytest.param(LONG, marks=pytest.mark.slow)])
def test_a_flush_in_the_middle_of_open_incidents(tmp_path: Path, many: int) -> None:
    keys = [f"key-{number}" for number in range(many)]
    with LossFleet(tmp_path) as fleet:
        fleet.start_all()
        fleet.post("trigger", keys)
        fleet.wait(lambda: fleet.open_there() == many and fleet.is_idle(), 60, "not everything is open")
        before = [f"before-{number}" for number in range(5)]
        fleet.sandbox.fault(kind="outage")
        fleet.post("trigger", before)
        fleet.wait(lambda: fleet.client.zcard(fleet.keys.queued) == len(before), 30, "they are not accepted")
        fleet.run("audit.seal", "maintenance")
        fleet.sandbox.clear_log()

        noticed = fleet.flush()
        fleet.sandbox.heal()
        report = fleet.last_sync()

        assert noticed <= 10, noticed
        assert (report["rebuilt"], report["incidents"]) == (many, many)
        assert report["calls"] <= many // 100 + 1
        assert fleet.timers() == many
        assert fleet.rest_calls() <= 0.3 * 960

        fleet.post("trigger", keys)
        fleet.wait(fleet.is_idle, 60, "not everything is sent")
        assert fleet.open_there() == many

        fleet.post("resolve", keys)
        fleet.wait(lambda: fleet.open_there() == 0 and fleet.is_idle(), 60, "not everything is resolved")
        assert fleet.timers() == 0

        proof = fleet.run("audit.prove", "maintenance")
        assert (proof["verdict"], proof["broken_count"], proof["lost"]) == ("lost", 0, len(before))
        assert proof["losses"][0]["pending"] == len(before)


def test_the_fleet_goes_on_by_itself_after_a_flush_and_after_a_second_one(tmp_path: Path) -> None:
    with LossFleet(tmp_path) as fleet:
        fleet.start_all()
        fleet.start("sentinel")
        fleet.start("beat")
        fleet.submit({"service": "shop", "event_action": "trigger", "dedup_key": "a", **PAYLOAD})
        fleet.wait(lambda: fleet.arrived("a"), 30, "it is not delivered")

        for number in (1, 2):
            assert fleet.flush() <= 10
            fleet.wait(lambda: fleet.client.exists(f"{fleet.keys.prefix}_kombu.binding.alert"), 10, "nothing is bound")
            key = f"after-{number}"
            fleet.submit({"service": "shop", "event_action": "trigger", "dedup_key": key, **PAYLOAD})
            fleet.wait(lambda key=key: fleet.arrived(key), 30, "it is not delivered")
            assert fleet.last_sync()["rebuilt"] >= number
            fleet.wait(lambda: fleet.arrived("tocsin-own:redis_lost"), 10, "nobody is told")
            fleet.wait(fleet.is_idle, 30, "it is not idle")
            fleet.sandbox.clear_log()


def test_a_person_at_the_shell_sees_both_sides_and_what_is_lost(tmp_path: Path) -> None:
    with LossFleet(tmp_path) as fleet:
        fleet.start("sentinel")
        fleet.wait(lambda: fleet.client.exists(fleet.keys.epoch), 30, "the sentinel does not look")
        assert fleet.tocsin("prove").returncode == 0
        event = {"routing_key": KEY, "event_action": "trigger", "dedup_key": "a", **PAYLOAD}
        fleet.sandbox.http.post("/v2/enqueue", json=event).raise_for_status()

        assert fleet.flush() <= 10  # no worker is up
        dry = fleet.tocsin("incidents", "sync", "--dry-run", "--json")
        done = fleet.tocsin("incidents", "sync")
        proof = fleet.tocsin("prove")

        assert (dry.returncode, json.loads(dry.stdout)["rebuilt"]) == (0, 1)
        assert "open there, made known here again" in done.stdout
        assert proof.returncode == 3, proof.stderr
        assert "is lost with Redis" in proof.stdout
        assert "History is LOST; nothing else is broken" in proof.stdout


PAYLOAD = {"payload": {"summary": "it broke", "source": "web1", "severity": "critical"}}
