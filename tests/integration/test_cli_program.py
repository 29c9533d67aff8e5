"""The program as a person meets it: help, completion, errors; every test runs the real thing."""

import os
import re
import resource
import signal
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from workers.cli.main import Tocsin
from workers.cli.output import EXIT_CODES, ExitCode

ROOT = Path(__file__).parents[2]
PROGRAM = [sys.executable, "-P", "-m", "workers.cli"]
HEAVY = {"celery", "kombu", "redis", "httpx", "pydantic", "fastapi", "rich"}
NOWHERE = "redis://:sesame@127.0.0.1:1/0"
HELP_SECONDS = 0.4  # of processor time, which other load hardly touches; the contract is 0.25 on a quiet machine


def tocsin(*words: str, env: Mapping[str, str] | None = None, **options: Any) -> subprocess.CompletedProcess[str]:
    """The program run to its end; `options` are those of `subprocess.run`."""
    environment = {**os.environ, **(env or {})}
    command = [*PROGRAM, *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60, **options)


@contextmanager
def running(*words: str, env: Mapping[str, str] | None = None, **options: Any) -> Iterator["subprocess.Popen[str]"]:
    """The program while it runs; whatever is still alive afterwards is killed."""
    command = [*PROGRAM, *words]
    with subprocess.Popen(command, env={**os.environ, **(env or {})}, text=True, **options) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("REDIS_URL", "ENVIRONMENT", "TOCSIN_CONFIG_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TOCSIN_STATE_DIR", str(tmp_path / "state"))


@pytest.fixture
def compiled(tmp_path: Path) -> dict[str, str]:
    """The environment of an installed program: compiled files are kept, and no coverage is measured."""
    return {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(tmp_path), "COVERAGE_PROCESS_CONFIG": ""}


def test_help_names_every_command_and_every_exit_code() -> None:
    shown = tocsin("--help")

    assert shown.returncode == 0
    assert all(re.search(rf"^  {name} ", shown.stdout, re.MULTILINE) for name in Tocsin.entries)
    assert EXIT_CODES in " ".join(shown.stdout.split())
    assert shown.stderr == ""


@pytest.mark.parametrize("name", Tocsin.entries)
def test_every_command_explains_itself_without_importing_anything_heavy(name: str) -> None:
    command = [sys.executable, "-X", "importtime", *PROGRAM[1:], name, "--help"]

    shown = subprocess.run(command, capture_output=True, text=True, check=True)

    times = (line.rpartition("|")[2].strip() for line in shown.stderr.splitlines() if "import time:" in line)
    assert shown.stdout.startswith(f"Usage: tocsin {name} ")
    assert {module.partition(".")[0] for module in times} & HEAVY == set()


@pytest.mark.parametrize("alias", [alias for entry in Tocsin.entries.values() for alias in entry.aliases])
def test_an_alias_is_the_command_itself(alias: str) -> None:
    assert tocsin(alias, "--help").stdout.startswith(f"Usage: tocsin {alias} ")


@pytest.mark.alone
@pytest.mark.parametrize("words", [["--help"], ["alerts", "submit", "--help"]], ids=" ".join)
def test_help_comes_quickly(words: list[str], compiled: dict[str, str]) -> None:
    def seconds() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        tocsin(*words, env=compiled)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    seconds()  # leaves compiled files behind

    assert statistics.median(seconds() for _ in range(5)) <= HELP_SECONDS


def test_the_version_is_the_installed_one() -> None:
    assert re.fullmatch(r"tocsin \d+\.\d+\.\d+\n", tocsin("--version").stdout)


@pytest.mark.parametrize(("typo", "meant"), [("tsak", "'task'"), ("gatway", "'gateway'")])
def test_a_mistyped_command_is_a_usage_error_with_the_near_one(typo: str, meant: str) -> None:
    refused = tocsin(typo)

    assert refused.returncode == ExitCode.USAGE
    assert f"Did you mean {meant}" in refused.stderr


def test_a_worker_of_an_unknown_group_is_a_usage_error() -> None:
    refused = tocsin("worker", "alerts")

    assert refused.returncode == ExitCode.USAGE
    assert "'alert'" in refused.stderr


def test_a_bad_configuration_is_told_whole_and_without_a_traceback() -> None:
    refused = tocsin("worker", "alert", env={"REDIS_URL": "nonsense", "TOCSIN_GATEWAY__PORT": "many"})

    assert refused.returncode == ExitCode.BAD_CONFIG
    assert "REDIS_URL" in refused.stderr
    assert "TOCSIN_GATEWAY__PORT" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["worker", "alert"],
        ["task", "run", "notifications.sweep"],
        ["alerts", "list"],
    ],
    ids=" ".join,
)
def test_redis_away_is_one_plain_sentence_and_69(words: list[str]) -> None:
    refused = tocsin(*words, env={"REDIS_URL": NOWHERE})

    assert refused.returncode == ExitCode.UNAVAILABLE
    assert "Redis at redis://:***@127.0.0.1:1/0 does not answer" in refused.stderr
    assert "sesame" not in refused.stdout + refused.stderr
    assert "Traceback" not in refused.stderr
    assert refused.stdout == ""


def test_debug_shows_the_traceback() -> None:
    assert "Traceback" in tocsin("--debug", "worker", "alert", env={"REDIS_URL": NOWHERE}).stderr


def test_a_closed_pipe_is_no_error_to_read_about() -> None:
    command = " ".join([*PROGRAM, "configuration", "docs"])

    ended = subprocess.run(f"{command} | head -1", shell=True, capture_output=True, text=True, check=True)

    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("typed", "offered"), [("task run al", {"alerts.pulse", "alerts.silence", "alerts.submit"}), ("tas", {"task"})]
)
def test_the_shell_completes_commands_and_task_names(typed: str, offered: set[str]) -> None:
    words = {"COMP_WORDS": f"tocsin {typed}", "COMP_CWORD": str(len(typed.split()))}

    shown = tocsin(env={"_TOCSIN_COMPLETE": "complete_bash", **words})

    assert set(shown.stdout.split()) == offered


@pytest.mark.parametrize(
    ("verb", "module"),
    [("up", ["deploy.local", "up"]), ("demo", ["deploy.local", "demo"]), ("sandbox", ["deploy.sandbox"])],
)
def test_what_a_process_can_be_told_is_in_the_help(verb: str, module: list[str]) -> None:
    own = subprocess.run(
        [sys.executable, "-P", "-m", *module, "--help"], capture_output=True, text=True, check=True
    ).stdout

    shown = tocsin(verb, "--help").stdout

    assert set(re.findall(r"--[a-z-]+", own)) <= set(re.findall(r"--[a-z-]+", shown))


def test_words_after_the_verb_reach_the_process(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "__init__.py").write_text("raise SystemExit('the wrong config')")

    shown = tocsin("sandbox", "--", "--help", cwd=tmp_path)

    assert "usage: tocsin sandbox" in shown.stdout


def test_the_sandbox_runs_until_it_is_told_to_stop() -> None:
    with running("sandbox", "--port", "0", stdout=subprocess.PIPE) as sandbox:
        assert sandbox.stdout is not None
        assert sandbox.stdout.readline().startswith('{"url": "http://127.0.0.1:')
        sandbox.send_signal(signal.SIGTERM)

        assert sandbox.wait(timeout=15) == 0


def test_schedules_are_listed_with_their_next_run() -> None:
    shown = tocsin("schedules", "list")

    assert shown.stdout.splitlines()[0].split("  ")[0] == "ENTRY"
    line = r"^outbox-sweep +notifications\.sweep +Every minute +\d{4}-\d\d-\d\d \d\d:\d\d$"
    assert re.search(line, shown.stdout, re.MULTILINE)
