"""What `tocsin recover` does where something stands in its way: it says what, and goes on from there when it is run again."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from deploy.local.embedded import start_server
from tasks.utils.connect import connect
from tasks.utils.error_handler import UnknownError
from tests.acceptance.recover_site import put_right
from tests.acceptance.recovery_world import start_tocsin, step, tocsin
from tests.integration.backups.repository_kit import flip
from workers.cli.output import ExitCode
from workers.cli.recovery_walk import StoppedError, Walk

if TYPE_CHECKING:
    from tests.acceptance.recover_site import Site
    from tests.conftest import Sandbox


def test_a_dry_run_says_what_would_be_done_and_does_nothing(site: Site) -> None:
    site.silence()
    site.back_up()
    site.lose_everything()

    told = tocsin(site.environ, "recover", "--dry-run").stdout

    assert "files: 3 to create" in told
    assert "into Redis, where it does not know them: 1 silences" in told
    assert not site.config.exists()
    assert not (site.folder / "state").exists()
    assert site.client.dbsize() == 0


def test_without_a_word_of_consent_nothing_is_done(site: Site) -> None:
    site.back_up()
    site.lose_everything()

    refused = tocsin(site.environ, "recover")

    assert (refused.returncode, "add --yes" in refused.stderr) == (ExitCode.NEEDS_CONFIRMATION, True)
    assert not site.config.exists()


def test_a_secret_that_no_backup_holds_is_asked_for_by_name_and_the_same_command_goes_on(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.silence()
    site.back_up()
    site.lose_everything()
    monkeypatch.delenv("STANDBY_KEY")
    monkeypatch.delenv("PAGERDUTY_API_KEY")

    walk = Walk("latest", dry_run=False)
    walk.files()
    with pytest.raises(StoppedError) as stopped:
        walk.settings()

    assert stopped.value.code == ExitCode.BAD_CONFIG
    assert any("STANDBY_KEY" in one and "shop.yaml" in one for one in walk.report.todo)
    assert any("environment set" in one and "PAGERDUTY_API_KEY" in one for one in walk.report.todo)
    assert "tOcSiN" not in walk.report.model_dump_json()

    for name in ("STANDBY_KEY", "PAGERDUTY_API_KEY"):
        monkeypatch.setenv(name, site.environ[name])
    assert put_right(site).report.is_whole
    assert site.silences() == 1


def test_a_damaged_newest_backup_is_passed_over_and_named(site: Site) -> None:
    site.silence()
    good = site.back_up()
    packs = set((site.backups / "packs").iterdir())
    site.silence()
    bad = site.back_up()
    fresh = next(iter(set((site.backups / "packs").iterdir()) - packs))
    flip(fresh, fresh.stat().st_size // 2 * 8)
    site.lose_everything()

    report = put_right(site).report

    state = next(part for part in report.parts if part.part == "state")
    assert state.backup.id == good
    assert bad[:8] in state.passed_over[0]
    assert site.silences() == 1


def test_a_backup_of_the_machine_that_is_being_made_is_not_taken_for_that_of_the_one_that_is_lost(site: Site) -> None:
    site.silence()
    first = site.back_up()
    site.lose_everything()
    Walk("latest", dry_run=False).files()  # broken off here

    site.back_up()  # by beat, with nothing in it
    again = put_right(site)

    assert {part.backup.id for part in again.report.parts} == {first}
    assert site.silences() == 1


def test_run_once_more_it_changes_nothing(site: Site) -> None:
    site.silence()
    site.back_up()
    site.lose_everything()
    put_right(site)
    before = site.client.hgetall(site.keys.rules)

    again = put_right(site).report

    assert all("0 put back" in step.words for step in again.steps if step.name in ("config", "files", "state"))
    assert site.client.hgetall(site.keys.rules) == before


def test_while_pagerduty_is_away_everything_else_comes_back_and_it_is_said(site: Site, sandbox: Sandbox) -> None:
    site.silence()
    site.back_up()
    site.lose_everything()
    sandbox.fault(kind="outage")

    found = tocsin(site.environ, "recover", "--yes", "--json")

    assert found.returncode == ExitCode.DEGRADED, found.stderr
    assert "backups.recover" in tocsin(site.environ, "audit", "log").stdout
    assert "PagerDuty could not be asked" in step(json.loads(found.stdout), "sync")
    assert site.silences() == 1


def test_without_a_backup_it_says_so(site: Site) -> None:
    site.lose_everything()

    with pytest.raises(UnknownError, match="no backup in"):
        Walk("latest", dry_run=False)


def test_a_record_that_has_grown_since_the_backup_is_no_difference(site: Site) -> None:
    site.back_up()
    site.lose_everything()
    put_right(site)  # notes the new data set in `epochs.jsonl`

    again = Walk("latest", dry_run=True).report

    assert [change.item for part in again.parts for change in part.changes] == []


@pytest.mark.slow
def test_killed_again_and_again_it_comes_to_its_end(site: Site) -> None:
    for _ in range(20):
        site.silence()
    site.back_up()
    site.lose_everything()
    environ = {
        name: value for name, value in site.environ.items() if name != "REDIS_URL"
    }  # the embedded server dies, too

    for tenths in range(4, 24, 2):
        with start_tocsin(environ, "recover", "--yes") as killed:
            time.sleep(tenths / 10)
            killed.kill()
    found = tocsin(environ, "recover", "--yes")

    assert found.returncode == 0, found.stdout + found.stderr
    with start_server(site.folder / "state" / "redis") as server, connect(server.url) as client:
        assert client.hlen(site.keys.rules) == 20
    assert not (site.folder / "state" / "restore" / "recovery.json").exists()
