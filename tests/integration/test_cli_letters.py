"""Dead letters at the shell: seen by group and one by one, put back and given up only when that is meant."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from config.settings import load
from deploy.local.embedded import start_server
from tasks.runtime import Runtime
from tasks.utils.clock import MovableClock
from tests.program import tocsin
from workers.cli.output import ExitCode

Shell = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    state_dir = tmp_path_factory.mktemp("state")
    with start_server(state_dir / "redis", persist=False) as server:
        yield {"REDIS_URL": server.url, "TOCSIN_STATE_DIR": str(state_dir)}


@pytest.fixture
def shell(environment: dict[str, str]) -> Shell:
    return lambda *words: tocsin("notifications", *words, env=environment)


@pytest.fixture
def runtime(environment: dict[str, str]) -> Runtime:
    runtime = Runtime(load(environ=environment))
    runtime.client.flushall()
    return runtime


def bury(runtime: Runtime, *keys: str, action: str = "trigger", message: str = "m") -> None:
    alerts = [
        {
            "service": "checkout",
            "event_action": action,
            "dedup_key": key,
            "payload": {"summary": f"{key} is full", "source": "db1", "severity": "error"},
        }
        for key in keys
    ]
    runtime.alerts.bury(message, alerts, "poison", "killed its worker")


def test_groups_are_listed_with_counts_and_what_was_resolved_meanwhile(shell: Shell, runtime: Runtime) -> None:
    bury(runtime, "disk", "cpu")
    runtime.graves.bury("rubbish", "cannot be read", {})
    runtime.alerts.submit("r", [{"service": "checkout", "event_action": "resolve", "dedup_key": "disk"}])

    shown = shell("dead-letters")
    document = json.loads(shell("dead-letters", "--json").stdout)

    assert shown.returncode == ExitCode.OK
    header, first, second = shown.stdout.splitlines()
    assert header.split()[:5] == ["SERVICE", "DESTINATION", "REASON", "LETTERS", "OLDEST"]
    assert first.split()[:3] == ["checkout", "poison", "2"]
    assert second.split()[:3] == ["(none)", "unusable_message", "1"]
    assert "3 in all" in shown.stderr
    assert document["count"] == 3
    assert document["groups"][0]["count"] == 2


def test_letters_are_listed_one_by_one_by_filter(shell: Shell, runtime: Runtime) -> None:
    bury(runtime, "disk", "cpu")

    shown = shell("dead-letters", "--each", "--summary", "DISK")
    listed = json.loads(shell("dead-letters", "--each", "--json", "--service", "checkout", "--since", "1h").stdout)

    assert shown.stdout.splitlines()[1].split()[0] == "m:0"
    assert len(shown.stdout.splitlines()) == 2
    assert [(one["id"], one["summary"], one["severity"]) for one in listed] == [
        ("m:1", "cpu is full", "error"),
        ("m:0", "disk is full", "error"),
    ]
    assert shell("dead-letters", "--reason", "other").stdout == "no dead letter fits\n"
    assert shell("dead-letters", "--until", "1h").stdout == "no dead letter fits\n"


def test_many_are_put_back_only_when_confirmed_and_a_dry_run_changes_nothing(shell: Shell, runtime: Runtime) -> None:
    bury(runtime, "disk", "cpu")
    runtime.graves.bury("rubbish", "cannot be read", {})

    counted = shell("replay", "--all", "--dry-run")
    asked = shell("replay", "--reason", "poison")
    assert runtime.client.zcard(runtime.keys.dead) == 3
    done = shell("replay", "--all", "--yes", "--json")

    assert counted.returncode == ExitCode.OK
    assert [line.split()[:5] for line in counted.stdout.splitlines()[1:]] == [
        ["would", "be", "put", "back", "2"],
        ["not", "put", "back", "1", "never"],
    ]
    assert asked.returncode == ExitCode.NEEDS_CONFIRMATION
    assert "2 dead letters" in asked.stderr
    assert done.returncode == ExitCode.DEGRADED
    told = json.loads(done.stdout)
    assert (told["matched"], told["done"], told["refused"]) == (3, 2, {"unreadable": 1})
    assert runtime.client.hlen(runtime.keys.inbox) == 2


def test_one_alone_needs_no_confirmation_nor_do_those_that_are_named(shell: Shell, runtime: Runtime) -> None:
    bury(runtime, "disk", "cpu", "net")

    one = shell("replay", "--summary", "disk")
    named = shell("replay", "m:1", "m:2", "m:7")

    assert one.returncode == ExitCode.OK
    assert named.returncode == ExitCode.DEGRADED
    assert named.stdout.split() == ["m:1", "m:2"]
    assert "m:7 is no dead letter" in named.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("replay",),
        ("replay", "m:0", "--all"),
        ("replay", "m:0", "--reason", "poison"),
        ("replay", "--all", "--reason", "poison"),
        ("replay", "m:0", "--dry-run"),
        ("purge", "--older-than", "30d"),
        ("purge", "--older-than", "30d", "--comment", " "),
        ("purge", "--comment", "x"),
        ("purge", "--older-than", "old", "--comment", "x"),
    ],
)
def test_what_is_not_clear_is_a_usage_error(shell: Shell, runtime: Runtime, words: tuple[str, ...]) -> None:
    bury(runtime, "disk")

    assert shell(*words).returncode == ExitCode.USAGE
    assert runtime.client.zcard(runtime.keys.dead) == 1


def test_old_ones_are_given_up_with_who_and_why_when_confirmed(shell: Shell, runtime: Runtime) -> None:
    bury(runtime, "old")
    MovableClock(runtime.client, runtime.keys).advance(timedelta(days=31))
    bury(runtime, "new", message="n")
    purge = ("purge", "--older-than", "30d", "--author", "ann", "--comment", "a month old")

    counted = shell(*purge, "--dry-run", "--json")
    asked = shell(*purge)
    other = shell(*purge, "--service", "database", "--yes")
    assert runtime.client.zcard(runtime.keys.dead) == 2
    done = shell(*purge, "--yes")

    assert json.loads(counted.stdout)["done"] == 1
    assert (asked.returncode, other.returncode, done.returncode) == (ExitCode.NEEDS_CONFIRMATION, 0, 0)
    assert other.stdout == "no dead letter fits\n"
    assert runtime.client.zrange(runtime.keys.dead, 0, -1) == ["n:0"]
    assert "by ann: a month old" in runtime.client.xrevrange(runtime.keys.ledger, count=1)[0][1]["d"]


def test_a_bar_is_drawn_at_a_terminal_only(environment: dict[str, str], runtime: Runtime) -> None:
    bury(runtime, *(f"k{number}" for number in range(60)))
    master, terminal = pty.openpty()
    command = [sys.executable, "-P", "-m", "workers.cli", "notifications", "replay", "--all", "--yes"]

    done = subprocess.run(
        command,
        env={**os.environ, "TERM": "xterm", **environment},
        stdout=subprocess.PIPE,
        stderr=terminal,
        timeout=60,
        check=False,
    )

    os.close(terminal)
    drawn = os.read(master, 65536)
    os.close(master)
    assert done.returncode == 0
    assert b"replayed" in drawn
    assert b"put back" in done.stdout
