"""The sentinel as a process, while what it stands on is killed: real server, workers, sandbox."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.fleet import Fleet
from tests.integration.own_kit import outside
from tests.program import run

if TYPE_CHECKING:
    from pathlib import Path

QUICK = {
    "TOCSIN_OWN_ALERTS__EVERY": "500ms",
    "TOCSIN_OWN_ALERTS__RAISE_AFTER": "1500ms",
    "TOCSIN_OWN_ALERTS__RESOLVE_AFTER": "1500ms",
}


def watch(fleet: Fleet, *names: str) -> None:
    """Start sentinels and wait until each has looked."""
    for name in names:
        fleet.start("sentinel", name=name)
        log = fleet.folder / f"{name}.log"
        fleet.wait(lambda log=log: log.exists() and "sentinel_ready" in log.read_text(), 30, f"{name} is not ready")


def told(fleet: Fleet, name: str) -> list[str]:
    """What arrived of one own alert."""
    return [one["event_action"] for one in fleet.sandbox.log() if one["dedup_key"] == f"tocsin-own:{name}"]


def told_as_time_goes_by(fleet: Fleet, name: str) -> list[str]:
    """The same, half a second later by the fleet's clock."""
    fleet.client.incrby(fleet.keys.clock, 500)
    return told(fleet, name)


def own(fleet: Fleet) -> tuple[int, dict[str, Any]]:
    """What a shell is told: the exit code and the answer."""
    done = run("notifications", "own", "--json", environment=fleet.environment)
    return done.returncode, json.loads(done.stdout)


def test_a_killed_server_is_told_once_by_two_sentinels_one_of_which_is_killed_and_its_return_once(
    tmp_path: Path,
) -> None:
    with Fleet(tmp_path, LOG_LEVEL="INFO", **QUICK) as fleet:
        watch(fleet, "one", "two")

        fleet.server.kill()
        fleet.wait(lambda: told(fleet, "redis_away"), 30, "nobody is told that Redis is away")
        fleet.kill("one")
        fleet.kill("two")
        watch(fleet, "three", "four")
        code, answer = own(fleet)

        assert code == 3
        assert not answer["redis_answers"]
        assert [one["name"] for one in answer["alerts"]] == ["redis_away"]
        fleet.server.restart()
        fleet.wait(lambda: "resolve" in told(fleet, "redis_away"), 30, "nobody is told that Redis is back")
        assert told(fleet, "redis_away") == ["trigger", "resolve"]


def test_workers_that_are_killed_are_told_without_them_and_no_address_outside_is_logged(tmp_path: Path) -> None:
    with (
        outside() as (url, came),
        Fleet(
            tmp_path,
            LOG_LEVEL="INFO",
            **QUICK,
            TOCSIN_OWN_ALERTS__LATE_AFTER="2s",
            TOCSIN_OWN_ALERTS__DEAD_MAN_URL=url,
        ) as fleet,
    ):
        fleet.start_workers("alert", "delivery")
        watch(fleet, "sentinel")
        fleet.wait(lambda: came, 30, "the outside hears nothing although all is well")

        fleet.kill("alert")
        fleet.wait(lambda: told_as_time_goes_by(fleet, "workers_late:alert"), 60, "nobody is told")

        assert own(fleet)[0] == 3
        fleet.start_workers("alert")
        fleet.wait(lambda: "resolve" in told(fleet, "workers_late:alert"), 60, "nobody is told that they work again")
        assert told(fleet, "workers_late:alert") == ["trigger", "resolve"]
        log = (fleet.folder / "sentinel.log").read_text()
        assert "0123-secret" not in log
