"""A backup that does not hold all it should says so to whoever made it, and to those who watch."""

from __future__ import annotations

import shutil
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tasks.backups.lines import backup_lines
from tasks.backups.service import PartlyBackedUpError
from tests.acceptance.backup_world import BackupWorld

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deploy.local.embedded import Server
    from tests.conftest import Sandbox

A_DAY = 86_400_000  # milliseconds
DENIED = {"error": {"message": "Access Denied", "code": 2010}}


@pytest.fixture
def world(client: Any, server: Server, sandbox: Sandbox, tmp_path: Path) -> Iterator[BackupWorld]:
    with BackupWorld(tmp_path, server.url, sandbox, TOCSIN_BACKUPS__SHARE="1") as made:
        yield made


def hide(world: BackupWorld, path: str, status: int = 403) -> None:
    world.sandbox.fault(kind="reject", status=status, path=path, method="GET", exact=True, body=DENIED)


def age_line(world: BackupWorld) -> Any:
    """What health says of the newest backup."""
    now, day = world.runtime.clock.now(), timedelta(days=1)
    return backup_lines(world.runtime.backups.standing, day, day, now, now)[0]


def test_a_key_that_may_not_see_the_services_is_a_warning_to_whoever_makes_a_backup_and_in_health(
    world: BackupWorld,
) -> None:
    hide(world, "/services")

    report = world.runtime.backups.service.create()

    told = "services of the account are not in it: PagerDuty refused it (403): Access Denied (2010)"
    assert report.warnings == [told]
    assert "services" in report.left_out
    assert (age_line(world).state, age_line(world).mend) == ("warn", told)


def test_what_the_backup_before_has_and_this_one_could_not_read_fails_the_scheduled_run(world: BackupWorld) -> None:
    world.runtime.backups.service.create()
    hide(world, "/services", status=402)

    with pytest.raises(PartlyBackedUpError, match="services of the account are not in it, though the backup before"):
        world.runtime.backups.service.create_or_fail()

    assert len(world.runtime.backups.service.list()) == 2


def test_what_the_plan_never_had_is_no_warning(world: BackupWorld) -> None:
    hide(world, "/incident_workflows", status=402)

    report = world.runtime.backups.service.create_or_fail()

    assert report.warnings == []
    assert report.left_out["incident_workflows"].startswith("PagerDuty refused it (402)")
    assert age_line(world).state == "ok"


def test_a_folder_that_lost_its_backups_is_told_from_a_new_one(world: BackupWorld) -> None:
    assert world.runtime.backups.service.create().warnings == []
    shutil.rmtree(world.folder / "backups")

    [told] = world.runtime.backups.service.create().warnings

    assert "held no backup, although some were made" in told


def test_a_newest_backup_of_a_time_to_come_is_told(world: BackupWorld) -> None:
    world.client.set(world.keys.clock, A_DAY)
    early = world.runtime.backups.service.create(["config"]).backup
    world.client.set(world.keys.clock, 0)

    [told] = world.runtime.backups.service.create(["config"]).warnings

    assert told.startswith(f"{early.id[:8]} is of a time to come")


def test_a_backup_of_the_configuration_alone_does_not_pass_for_a_new_one_of_all(world: BackupWorld) -> None:
    world.runtime.backups.service.create(["config"])

    assert age_line(world).value == "none was made yet"
