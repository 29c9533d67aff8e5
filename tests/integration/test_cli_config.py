"""`tocsin config` as a process of its own: what it prints, what it never prints, and how it ends."""

import json
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from config.environment import WELL_KNOWN
from config.settings import load
from tests.program import run
from tests.unit.config_kit import ENCRYPTION_KEY, KEY, Folder
from workers.cli.output import ExitCode


def tocsin(*words: str, environ: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    ours = ("TOCSIN_", *WELL_KNOWN)
    clean = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return run("config", *words, environment={**clean, **(environ or {})})


def test_show_prints_one_section_as_json_on_stdout(tmp_path: Path) -> None:
    Folder(tmp_path)

    done = tocsin("show", "--section", "services.default", "--json", environ={"TOCSIN_CONFIG_DIR": str(tmp_path)})

    assert done.returncode == ExitCode.OK
    rows = json.loads(done.stdout)
    assert rows["services.default.channels[0].routing_key"]["value"] == "********"
    assert all(key.startswith("services.default.") for key in rows)


def test_show_refuses_a_section_that_does_not_exist() -> None:
    done = tocsin("show", "--section", "nope")

    assert (done.returncode, done.stdout) == (ExitCode.USAGE, "")
    assert "There is no section nope." in done.stderr


def test_check_says_ok_and_what_was_read(tmp_path: Path) -> None:
    Folder(tmp_path).write("pagerduty.yaml", "dedup: {window: 1}")

    done = tocsin("check", "--config-dir", str(tmp_path))

    assert done.returncode == ExitCode.OK
    assert done.stdout == "OK: development, 1 service: default\n"
    assert "pagerduty.yaml" in done.stderr


def test_check_tells_of_holidays_that_are_over(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("holidays/old.yaml", "days: [2020-01-01 Long ago, 12-25 Every year]")
    folder.write("holidays/yearly.yaml", "days: [12-25]")

    done = tocsin("check", "--config-dir", str(tmp_path))

    assert done.returncode == 0
    assert "the last date of holidays/old.yaml is 2020-01-01: add those to come" in done.stderr
    assert "yearly.yaml is" not in done.stderr


def test_check_says_all_problems_and_ends_with_78(tmp_path: Path) -> None:
    Folder(tmp_path).write("pagerduty.yaml", "dedup: {window: soon}\nredis: {url: http://x}\n")

    done = tocsin("check", "--config-dir", str(tmp_path))

    assert (done.returncode, done.stdout) == (ExitCode.BAD_CONFIG, "")
    assert "2 problems in the configuration:" in done.stderr
    assert "pagerduty.yaml:1: dedup.window: is not a length of time, got 'soon'" in done.stderr
    assert "Traceback" not in done.stderr


def test_check_of_another_environment_says_its_problems_as_json() -> None:
    done = tocsin("check", "--environment", "production", "--json")

    assert done.returncode == ExitCode.BAD_CONFIG
    answer = json.loads(done.stdout)
    assert not answer["ok"]
    assert "security.encryption_key" in [problem["key"] for problem in answer["problems"]]


@pytest.mark.parametrize("words", [["show"], ["check"]])
def test_production_never_shows_a_key(words: list[str]) -> None:
    done = tocsin(*words, environ={"ENCRYPTION_KEY": ENCRYPTION_KEY, "CHECKOUT_PAGERDUTY_KEY": KEY})

    assert done.returncode == ExitCode.OK
    assert KEY not in done.stdout + done.stderr
    assert ENCRYPTION_KEY not in done.stdout + done.stderr


def test_keygen_makes_keys_that_are_accepted(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    key, ingest = tocsin("keygen").stdout.strip(), tocsin("keygen", "--ingest").stdout.strip()
    folder.write("services/default.yaml", f"ingest_keys: [{ingest}]\nchannels: [{{name: a, routing_key: {KEY}}}]")

    settings = load(environ={"HOME": "/h", "ENCRYPTION_KEY": key}, config_dir=tmp_path)

    assert settings.require_encryption_key().get_secret_value() == key
    assert re.fullmatch(r"[A-Za-z0-9]{32}", ingest)


def test_docs_prints_the_configuration_page() -> None:
    page = Path(__file__).parents[2] / "docs" / "configuration.md"

    assert tocsin("docs").stdout == page.read_text("utf-8")
