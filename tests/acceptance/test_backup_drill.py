"""A backup that was never restored is a promise: drills restore it where it can do no harm, and say what came of it."""

from __future__ import annotations

import json
from contextlib import nullcontext
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from schedules.beat import ENTRIES
from tasks.backups.drill import DrillFailedError, DrillService
from tasks.backups.repository import Repository
from tasks.utils.clock import MovableClock
from tasks.utils.cron import next_due
from tests.acceptance.backup_world import BackupWorld
from tests.acceptance.sync_world import TOKEN
from tests.fleet import Fleet
from tests.integration.backups.repository_kit import KEY, flip

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deploy.local.embedded import Server
    from tests.conftest import Sandbox


# What the files of the configuration leave to the environment, which a drill reads like every process.
ENVIRONMENT = {"PAGERDUTY_API_KEY": TOKEN, "PAGERDUTY_FROM_EMAIL": "bot@example.com", "TOCSIN_DEFAULT_SERVICE": "shop"}


@pytest.fixture
def world(
    client: Any, server: Server, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[BackupWorld]:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    with BackupWorld(tmp_path, server.url, sandbox, TOCSIN_BACKUPS__SHARE="1") as made:
        yield made


def no_stage() -> Any:
    """Nothing is restored."""
    raise AssertionError


def damage(world: BackupWorld, backup: str) -> None:
    """Turn a bit around in what that backup stored."""
    repository = world.runtime.backups.repository
    objects = repository.objects()
    manifest = repository.manifest(repository.find(backup))
    before = repository.snapshots()[0]
    known = {one.object for one in repository.named(repository.manifest(before), objects)}
    fresh = next(one for one in repository.named(manifest, objects) if one.object not in known)
    place = objects.places[fresh.object]
    flip(world.folder / "backups" / place.pack, (place.offset + 15) * 8)


def test_a_drill_restores_every_part_and_says_how_much_would_be_lost_and_how_long_it_took(world: BackupWorld) -> None:
    world.send("trigger", "a", "b")
    made = world.runtime.backups.service.create().backup

    before, asked = set(world.client.keys()), world.sandbox.count()

    report = world.runtime.backups.drills.drill()

    assert report.faults == []
    assert (report.ok, report.backup, report.last_good) == (True, made.id, made.id)
    assert report.restored["account"] >= 4
    assert report.restored["state"] >= 2
    assert report.restored["config"] == made.parts["config"].items
    assert 0 < report.rto_seconds < 60
    assert 0 <= report.rpo_seconds < 60
    assert json.loads(world.runtime.backups.standing.read("drilled") or "")["ok"]
    assert not any("drill" in key for key in set(world.client.keys()) - before)  # nothing is left behind,
    assert world.sandbox.count() == asked  # and nothing real was touched
    assert list((world.folder / "config" / "state" / "restore").iterdir()) == []


def test_a_damaged_newest_backup_fails_the_drill_loudly_and_the_last_good_one_is_named(world: BackupWorld) -> None:
    good = world.runtime.backups.service.create(["state", "config"]).backup
    world.send("trigger", "a")
    bad = world.runtime.backups.service.create(["state", "config"]).backup
    damage(world, bad.id)

    with pytest.raises(DrillFailedError, match=f"{bad.id[:8]} cannot be restored.*last good backup is {good.id[:8]}"):
        world.runtime.backups.drills.drill_or_fail()
    told = json.loads(world.runtime.backups.standing.read("drilled") or "")
    assert (told["ok"], told["last_good"]) == (False, good.id)


def test_a_newer_backup_of_the_configuration_alone_does_not_keep_the_other_parts_from_being_rehearsed(
    world: BackupWorld,
) -> None:
    world.runtime.backups.service.create(["state", "config"])
    world.advance(3600)
    world.runtime.backups.service.create(["config"])

    report = world.runtime.backups.drills.drill()

    assert (report.faults, report.restored.keys()) == ([], {"state", "config"})
    assert report.rpo_seconds >= 3600


def test_a_drill_without_the_key_has_failed_and_health_says_so(world: BackupWorld) -> None:
    world.runtime.backups.service.create(["config"])
    storage = world.runtime.backups.repository.storage
    drills = DrillService(
        Repository(storage, None), no_stage, world.runtime.backups.standing, nullcontext, world.runtime.clock.now
    )

    with pytest.raises(DrillFailedError, match="no encryption key is set"):
        drills.drill_or_fail()

    assert not json.loads(world.runtime.backups.standing.read("drilled") or "")["ok"]


def test_a_configuration_that_cannot_be_loaded_fails_the_drill(world: BackupWorld) -> None:
    (world.folder / "config" / "services" / "broken.yaml").write_text("channels: 7\n")
    world.runtime.backups.service.create(["config"])

    report = world.runtime.backups.drills.drill()

    assert not report.ok
    assert "broken.yaml" in report.faults[0]


@pytest.mark.slow
def test_a_drill_is_done_when_beat_sends_it(tmp_path: Path) -> None:
    key = {"ENCRYPTION_KEY": KEY, "PAGERDUTY_API_KEY": TOKEN}
    with Fleet(tmp_path, **key, TOCSIN_WORKERS__MAINTENANCE__CONCURRENCY="1") as fleet:
        fleet.start_workers("maintenance")
        fleet.start("beat")
        fleet.producer.send_task("backups.create", queue="maintenance", ignore_result=False).get(timeout=60)

        clock = MovableClock(fleet.client, fleet.keys)
        clock.advance(next_due(ENTRIES["backups-drill"].cron, clock.now()) - clock.now())
        fleet.wait(lambda: fleet.client.hexists(fleet.keys.backups, "drilled"), 60, "beat had no drill done")

        told = json.loads(fleet.client.hget(fleet.keys.backups, "drilled"))
        assert told["ok"], told["faults"]
        assert set(told["restored"]) == {"account", "state", "config"}
        assert datetime.fromisoformat(told["at"]).strftime("%a %H") == "Sun 06"
