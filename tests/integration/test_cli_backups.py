"""Backups from the shell."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from config.settings import load
from deploy.local.embedded import start_server
from tests.conftest import ROOT
from tests.integration.backups.repository_kit import KEY, OTHER_KEY, flip
from tests.integration.test_cli_program import NOWHERE
from tests.program import tocsin
from workers.cli.output import ExitCode

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path


class Shell:
    """`tocsin` on one machine, whose configuration is its own."""

    def __init__(self, folder: Path, redis_url: str) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.config = folder / "config"
        shutil.copytree(ROOT / "config", self.config, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        self.environment = {
            "REDIS_URL": redis_url,
            "TOCSIN_STATE_DIR": str(self.state),
            "TOCSIN_CONFIG_DIR": str(self.config),
            "ENCRYPTION_KEY": KEY,
        }

    def __call__(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return tocsin(*words, env={**self.environment, **environment})

    def backups(self) -> list[str]:
        return [one["id"] for one in json.loads(self("backups", "list", "--json").stdout)]


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """One machine with two backups; the second has one file more."""
    folder = tmp_path_factory.mktemp("machine")
    with start_server(folder / "redis", persist=False) as server:
        shell = Shell(folder, server.url)
        made = shell("backup", "--create", "--encrypt")
        assert made.returncode == ExitCode.OK, made.stderr
        assert "encrypted  yes, key " in made.stdout
        assert "checked    read again, and as it was written" in made.stdout
        assert KEY not in made.stdout + made.stderr
        (shell.config / "services" / "search.yaml").write_text(
            "channels:\n  - {name: a, routing_key: " + "r" * 32 + "}\n"
        )
        assert shell("backups", "create", "--note", "with search").returncode == ExitCode.OK
        yield shell


@pytest.fixture
def copied(shell: Shell, tmp_path: Path) -> dict[str, str]:
    """An environment whose repository is a copy, which may be harmed."""
    shutil.copytree(shell.state / "backups", tmp_path / "copy")
    return {"TOCSIN_BACKUPS__FOLDER": str(tmp_path / "copy")}


def test_backups_are_listed_without_a_key_and_without_redis(shell: Shell) -> None:
    shown = shell("backups", "list", ENCRYPTION_KEY="", REDIS_URL=NOWHERE)

    assert shown.returncode == ExitCode.OK
    assert "with search" in shown.stdout


def test_encryption_without_a_key_is_bad_configuration_and_nothing_is_stored(shell: Shell, tmp_path: Path) -> None:
    shown = shell("backup", "--create", "--encrypt", ENCRYPTION_KEY="", TOCSIN_BACKUPS__FOLDER=str(tmp_path / "new"))

    assert shown.returncode == ExitCode.BAD_CONFIG
    assert "ENCRYPTION_KEY" in shown.stderr
    assert not (tmp_path / "new").exists()


def test_what_differs_is_told_by_address(shell: Shell) -> None:
    first, second = shell.backups()[:2]

    shown = shell("backups", "diff", first[:6], second[:6])

    assert "+ config/files/services/search.yaml" in shown.stdout.splitlines()


def test_items_are_listed_and_shown(shell: Shell) -> None:
    listed = shell("backups", "ls", "latest", "config/files/services").stdout.splitlines()
    shown = shell("backups", "show", "latest", "config/files/services/search.yaml")

    assert "config/files/services/search.yaml" in listed
    assert shown.stdout == (shell.config / "services" / "search.yaml").read_text()


def test_verification_names_what_is_damaged_and_the_last_good_backup(
    shell: Shell, copied: dict[str, str], tmp_path: Path
) -> None:
    newest = max((tmp_path / "copy" / "packs").iterdir(), key=lambda path: path.stat().st_size)
    flip(newest, 400 * 8)

    shown = shell("backups", "verify", "--read-data", **copied)

    assert shown.returncode == ExitCode.FAILED
    assert f"is damaged, in packs/{newest.name}" in shown.stdout
    assert "NOT as it was written" in shown.stdout


def test_another_key_is_told_from_damage(shell: Shell) -> None:
    shown = shell("backups", "verify", ENCRYPTION_KEY=OTHER_KEY)

    assert shown.returncode == ExitCode.FAILED
    assert "the backups cannot be decrypted: wrong key" in shown.stderr


def test_a_key_beside_the_backups_is_refused(shell: Shell, copied: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "copy" / "key.txt").write_text(f"ENCRYPTION_KEY={KEY}\n")

    shown = shell("backups", "create", **copied)

    assert shown.returncode == ExitCode.FAILED
    assert "key.txt" in shown.stderr
    assert "Move the key away" in shown.stderr


def test_a_key_within_the_configuration_is_not_backed_up(shell: Shell, copied: dict[str, str]) -> None:
    main = shell.config / "pagerduty.yaml"
    before = main.read_text()
    main.write_text(f"{before}\nsecurity:\n  encryption_key: {KEY}\n")

    shell("backups", "create", "--part", "config", **copied)
    shown = shell("backups", "show", "latest", "config/files/pagerduty.yaml", **copied)
    main.write_text(before)

    assert KEY not in shown.stdout
    assert "encryption_key: ${ENCRYPTION_KEY}" in shown.stdout


def test_a_restore_shows_its_plan_and_changes_nothing_without_a_yes(shell: Shell) -> None:
    service = shell.config / "services" / "search.yaml"
    service.unlink()

    planned = shell("backups", "restore", shell.backups()[1], "--target", "config", "--dry-run")
    refused = shell("backups", "restore", shell.backups()[1], "--target", "config")

    assert planned.returncode == ExitCode.OK
    assert "+ config/files/services/search.yaml" in planned.stdout
    assert "config: 1 to create" in planned.stdout
    assert refused.returncode == ExitCode.NEEDS_CONFIRMATION
    assert not service.exists()


def test_a_restore_brings_files_back_and_keeps_those_it_replaces(shell: Shell) -> None:
    service, main = shell.config / "services" / "search.yaml", shell.config / "services" / "checkout.yaml"
    service.unlink(missing_ok=True)
    main.write_text("# mine\n" + main.read_text())

    done = shell("backups", "restore", shell.backups()[1], "--target", "config", "--yes")

    assert done.returncode == ExitCode.OK, done.stderr
    assert service.exists()
    assert not main.read_text().startswith("# mine")
    [kept] = (shell.state / "restore").glob("replaced-*/services/checkout.yaml")
    assert kept.read_text().startswith("# mine")


def test_files_can_be_had_on_a_machine_that_has_nothing_else(
    shell: Shell, copied: dict[str, str], tmp_path: Path
) -> None:
    bare = {"ENCRYPTION_KEY": KEY, "TOCSIN_STATE_DIR": str(tmp_path / "bare"), "REDIS_URL": NOWHERE, **copied}

    done = tocsin(
        "backups", "restore", "latest", "--target", "config", "--into", str(tmp_path / "here"), "--yes", env=bare
    )

    assert done.returncode == ExitCode.OK, done.stderr
    assert load(environ={}, config_dir=tmp_path / "here" / "config").services.keys() >= {"checkout"}


def test_pruning_asks_first_and_says_why_each_one_stays(shell: Shell, copied: dict[str, str]) -> None:
    asked = shell("backups", "prune", "--keep-last", "1", **copied)
    done = shell("backups", "prune", "--keep-last", "1", "--yes", **copied)

    assert asked.returncode == ExitCode.NEEDS_CONFIRMATION
    assert done.returncode == ExitCode.OK
    assert "last, last good one of config, last good one of state" in done.stdout
    assert len(json.loads(shell("backups", "list", "--json", **copied).stdout)) == 1


def test_an_unknown_backup_is_told_with_what_to_do(shell: Shell) -> None:
    shown = shell("backups", "show", "beef00")

    assert shown.returncode == ExitCode.FAILED
    assert "tocsin backups list" in shown.stderr
