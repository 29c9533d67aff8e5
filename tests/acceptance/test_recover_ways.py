"""What `tocsin recover` does where something stands in its way: it says what, and goes on from there when it is run again."""

from __future__ import annotations

import json
import os
import shutil
import time
from typing import TYPE_CHECKING, Any

import pytest

from config.settings import load
from deploy.local.embedded import start_server
from tasks.alerts.models import SilenceDraft
from tasks.runtime import Runtime
from tasks.utils.connect import connect
from tasks.utils.error_handler import UnknownError
from tests.acceptance.recovery_world import start_tocsin, step, tocsin, variables, write_config
from tests.integration.backups.repository_kit import flip
from tests.integration.factor_kit import enrolled
from tests.integration.terminal import at_terminal
from tests.loss import lose_everything
from workers.cli.authority import _allowed
from workers.cli.output import CliError, ExitCode
from workers.cli.recovery_authority import may_recover_early
from workers.cli.recovery_walk import StoppedError, Walk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deploy.local.embedded import Server
    from tasks.utils.clock import MovableClock
    from tasks.utils.keys import Keys
    from tests.conftest import Sandbox


class Site:
    """An installation with a silence, whose folders and server can be lost; this process is its shell."""

    def __init__(self, folder: Path, environ: dict[str, str], client: Any, keys: Keys) -> None:
        self.folder = folder
        self.config = folder / "config"
        self.backups = folder / "backups"
        self.client, self.keys = client, keys
        write_config(self.config)
        self.environ = environ
        self.runtime = Runtime(load(environ=environ))

    def back_up(self) -> str:
        """The id of a new backup."""
        return str(self.runtime.backups.service.create(["state", "config"]).backup.id)

    def silence(self) -> None:
        """One more silence, which the next backup has."""
        draft = SilenceDraft(matchers=["component=disk"], duration_seconds=3600, author="ada", comment="moving")
        self.runtime.silences.create(draft)

    def lose_everything(self) -> None:
        """Folders and server are empty."""
        self.runtime.client.close()
        lose_everything(self.client, self.keys)
        for folder in (self.config, self.folder / "state"):
            shutil.rmtree(folder, ignore_errors=True)

    def silences(self) -> int:
        """How many Redis knows."""
        return int(self.client.hlen(self.keys.rules))


@pytest.fixture
def site(
    client: Any, keys: Keys, server: Server, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Site]:
    for name in [name for name in os.environ if name.startswith(("TOCSIN_", "PAGERDUTY_"))]:
        monkeypatch.delenv(name)
    folders = variables(tmp_path / "state", tmp_path / "backups", tmp_path / "config")
    environ = {
        **folders,
        "REDIS_URL": server.url,
        "PAGERDUTY_API_URL": sandbox.url,
        "PAGERDUTY_EVENTS_URL": sandbox.url,
    }
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    _allowed.clear()  # each test is a process of its own to it
    site = Site(tmp_path, environ, client, keys)
    yield site
    site.runtime.client.close()


def put_right(site: Site) -> Walk:
    """A recovery from its beginning to its end."""
    walk = Walk("latest", dry_run=False)
    walk.files()
    walk.rest(walk.settings())
    return walk


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


def test_where_acts_are_guarded_a_person_whom_the_backup_knows_is_asked_for_a_code(
    site: Site, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrolled(site.runtime.second_factors, clock)
    site.silence()
    site.back_up()
    site.lose_everything()
    monkeypatch.setenv("TOCSIN_ACCESS__ENFORCE", "true")
    monkeypatch.setenv("TOCSIN_PERSON", "anna")

    walk = Walk("latest", dry_run=False)
    walk.files()
    with pytest.raises(CliError, match="no terminal to ask") as refused:
        walk.rest(walk.settings())

    assert refused.value.code == ExitCode.NEEDS_CONFIRMATION
    assert site.silences() == 0


def test_a_person_at_a_terminal_types_where_they_are_and_a_code_and_no_bar_is_drawn_over_the_question(
    site: Site, clock: MovableClock
) -> None:
    _, codes = enrolled(site.runtime.second_factors, clock)
    site.silence()
    site.back_up()
    site.lose_everything()

    answers = {"type development: ": ["development"], "Code, or recovery code: ": ["000000", codes[0]]}
    told = at_terminal("recover", answers=answers, env={"TOCSIN_ACCESS__ENFORCE": "true", "TOCSIN_PERSON": "anna"})

    plan, _, rest = told.screen.partition("To do this in development")
    asked, _, report = rest.rpartition("Code, or recovery code: ")
    assert (told.code, site.silences()) == (0, 1), told.screen
    assert "from backup" in plan
    assert "not a code of now" in asked
    assert "\u2501" not in asked[asked.index("needs the second factor") :]
    assert "Recovered in" in report


def test_where_nobody_is_enrolled_nobody_is_locked_out_of_an_empty_machine(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.silence()
    site.back_up()
    site.lose_everything()
    monkeypatch.setenv("TOCSIN_ACCESS__ENFORCE", "true")

    report = put_right(site).report

    assert site.silences() == 1
    assert any("second-factor enrol" in one for one in report.todo)


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


def test_a_service_identity_may_recover_and_it_is_on_record_in_its_name(
    site: Site, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    environ = {**site.environ, "JWT_SECRET": "j" * 43}
    words = ("--service", "phoenix", "--scope", "backups:restore", "--lifetime", "1h")
    token = tocsin(environ, "tokens", "issue", *words).stdout.strip()
    enrolled(site.runtime.second_factors, clock)
    site.back_up()
    site.lose_everything()
    for name, value in {"JWT_SECRET": "j" * 43, "TOCSIN_ACCESS__ENFORCE": "true", "TOCSIN_IDENTITY": token}.items():
        monkeypatch.setenv(name, value)

    assert put_right(site).report.is_over
    told = tocsin(environ, "audit", "log").stdout
    assert next(line for line in told.splitlines() if "backups.recover" in line).count("phoenix") == 1


def test_broken_off_at_the_code_it_asks_again_by_the_server_it_starts_itself(
    site: Site, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrolled(site.runtime.second_factors, clock)
    site.back_up()
    site.lose_everything()
    Walk("latest", dry_run=False).files()
    for name, value in {"TOCSIN_ACCESS__ENFORCE": "true", "TOCSIN_PERSON": "anna"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("REDIS_URL")

    with pytest.raises(CliError, match="no terminal to ask"):
        may_recover_early()


def test_a_server_that_is_away_is_no_way_round_the_code(site: Site, clock: MovableClock, monkeypatch: Any) -> None:
    enrolled(site.runtime.second_factors, clock)
    for name, value in {"TOCSIN_ACCESS__ENFORCE": "true", "REDIS_URL": "redis://127.0.0.1:1/0"}.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(CliError, match="nobody can be asked for a code"):
        may_recover_early()
