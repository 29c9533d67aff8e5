"""Beat has the newest backup rehearsed, and it is damaged: the task fails, the schedule and health say so, and name the last good one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from schedules.beat import ENTRIES
from tasks.utils.clock import MovableClock
from tasks.utils.cron import next_due
from tests.acceptance.recovery_world import tocsin, write_config
from tests.fleet import Fleet
from tests.integration.backups.repository_kit import KEY, flip

if TYPE_CHECKING:
    from pathlib import Path

REST = "schedules:\n  backups-create: {enabled: false}\n  backups-verify: {enabled: false}\n"  # a newer backup would heal it


@pytest.mark.slow
def test_a_damaged_newest_backup_fails_the_drill_of_beat_loudly(tmp_path: Path) -> None:
    write_config(tmp_path / "config")
    with (tmp_path / "config" / "pagerduty.yaml").open("a") as file:
        file.write(REST)
    keys = {"PAGE_KEY": "drillpage".ljust(32, "0"), "STANDBY_KEY": "drillstandby".ljust(32, "0")}
    with Fleet(tmp_path, ENCRYPTION_KEY=KEY, TOCSIN_CONFIG_DIR=str(tmp_path / "config"), **keys) as fleet:
        fleet.start_workers("maintenance")
        fleet.start("beat")
        good, bad = _backup(fleet), _damaged(fleet, _backup)
        fleet.wait(
            lambda: fleet.client.exists(fleet.keys.schedule("backups-drill")), 60, "beat does not know the drill"
        )

        clock = MovableClock(fleet.client, fleet.keys)
        clock.advance(next_due(ENTRIES["backups-drill"].cron, clock.now()) - clock.now())
        fleet.wait(lambda: _standing(fleet).get("result") == "failed", 90, "the drill of beat has not failed")

        told = _standing(fleet)
        assert f"{bad[:8]} cannot be restored" in json.dumps(told)
        assert f"the last good backup is {good[:8]}" in json.dumps(told)
        health = tocsin(fleet.environment, "health", "--json")
        line = next(one for one in json.loads(health.stdout)["checks"] if one["name"].startswith("backups.drill"))
        assert line["state"] == "fail"
        assert good[:8] in json.dumps(line)


def _backup(fleet: Fleet) -> str:
    result = fleet.producer.send_task(
        "backups.create", kwargs={"parts": ["state", "config"]}, queue="maintenance", ignore_result=False
    ).get(timeout=60)
    return str(result["backup"]["id"])


def _damaged(fleet: Fleet, back_up: Any) -> str:
    """One more backup, a bit of what it stored turned around."""
    packs = fleet.folder / "backups" / "packs"
    before = set(packs.iterdir())
    (fleet.folder / "note.json").write_text("x" * 5000)
    made = str(back_up(fleet))
    fresh = next(iter(set(packs.iterdir()) - before))
    flip(fresh, 20 * 8)
    return made


def _standing(fleet: Fleet) -> dict[str, Any]:
    """What `tocsin schedules` says of the drill."""
    found = tocsin(fleet.environment, "schedules", "show", "backups-drill", "--json")
    return dict(json.loads(found.stdout)["last"] or {})
