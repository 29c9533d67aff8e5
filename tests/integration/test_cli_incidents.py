"""`tocsin incidents …` by its program: what is open in PagerDuty, and what people do about it."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from config.settings import load
from deploy.local.embedded import start_server
from tasks.runtime import Runtime
from tests.program import tocsin
from workers.cli.output import ExitCode

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import Sandbox

    Shell = Callable[..., subprocess.CompletedProcess[str]]

KEY = "sandbox00000000000000000checkout"  # the shipped service's own
AUTHORIZED = {"Authorization": "Token token=tOcSiNtEsT0123456789"}
NOWHERE = "redis://127.0.0.1:1/0"


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with start_server(tmp_path_factory.mktemp("redis"), persist=False) as server:
        yield server.url


@pytest.fixture
def environment(redis_url: str, sandbox: Sandbox, tmp_path: Path) -> dict[str, str]:
    return {
        "REDIS_URL": redis_url,
        "TOCSIN_STATE_DIR": str(tmp_path),
        "PAGERDUTY_API_URL": sandbox.url,
        "PAGERDUTY_EVENTS_URL": sandbox.url,
        "PAGERDUTY_API_KEY": "tOcSiNtEsT0123456789",
        "PAGERDUTY_FROM_EMAIL": "bot@example.com",
        "TOCSIN_PAGERDUTY__RETRY_ATTEMPTS": "1",
    }


@pytest.fixture
def runtime(environment: dict[str, str]) -> Iterator[Runtime]:
    runtime = Runtime(load(environ=environment))
    runtime.client.flushall()
    yield runtime
    runtime.delivery.close()
    runtime.rest.close()
    runtime.errors.flush()
    runtime.client.close()


@pytest.fixture
def shell(environment: dict[str, str], runtime: Runtime) -> Shell:
    del runtime  # empties the server

    def shell(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
        return tocsin("incidents", *words, env={**environment, **more})

    return shell


def trigger(sandbox: Sandbox, *keys: str) -> None:
    """Incidents #1, #2, … of service checkout."""
    sandbox.register(KEY, "checkout")
    for key in keys:
        payload = {"summary": f"{key} is full", "source": "db1", "severity": "critical"}
        event = {"routing_key": KEY, "event_action": "trigger", "dedup_key": key, "payload": payload}
        sandbox.http.post("/v2/enqueue", json=event).raise_for_status()


def statuses(sandbox: Sandbox) -> dict[str, str]:
    """Title -> status."""
    return {one["title"].partition(" ")[0]: one["status"] for one in sandbox.incidents()}


def rows(text: str) -> list[list[str]]:
    """A plain table's cells, headers left out."""
    return [re.split(r"\s{2,}", line.strip()) for line in text.splitlines()[1:]]


def test_open_incidents_are_listed_newest_first(shell: Shell, sandbox: Sandbox) -> None:
    trigger(sandbox, "a", "b")
    assert shell("resolve", "1").returncode == 0

    listed = shell("list")
    resolved = json.loads(shell("list", "--status", "resolved", "--json").stdout)

    [line] = rows(listed.stdout)
    assert (line[0], line[2], line[4], line[-1]) == ("#2", "triggered", "checkout", "b is full")
    assert [one["incident_number"] for one in resolved] == [1]
    assert shell("list", "--service", "PNOTHERE").stdout == "no incident fits\n"
    assert [found[1] for found in rows(shell("list", "--service", "checkout").stdout)] == [line[1]]
    assert (
        "PagerDuty has no service called 'database'; write its pagerduty_service_id"
        in shell("list", "-s", "database").stderr
    )
    assert "use triggered, acknowledged, resolved" in shell("list", "--status", "open").stderr


def test_several_are_acknowledged_by_all_their_names_with_an_answer_for_each(shell: Shell, sandbox: Sandbox) -> None:
    trigger(sandbox, "a", "b", "disk/7")

    done = shell("ack", "1", "Q0000000000002", "disk/7", "NOPE", "--note", "on it", "--author", "ada")

    assert done.returncode == ExitCode.DEGRADED
    assert [line[:4] for line in rows(done.stdout)[:3]] == [
        ["Q0000000000001", "#1", "acknowledged", "done"],
        ["Q0000000000002", "#2", "acknowledged", "done"],
        ["Q0000000000003", "#3", "acknowledged", "done"],
    ]
    assert rows(done.stdout)[3][:2] == ["NOPE", "failed"]
    assert set(statuses(sandbox).values()) == {"acknowledged"}
    [action] = json.loads(shell("actions", "--json").stdout)
    assert (action["verb"], action["author"], action["state"]) == ("acknowledge", "ada", "failed")


def test_a_filter_asks_before_it_acts_on_several(shell: Shell, sandbox: Sandbox) -> None:
    trigger(sandbox, "a", "b")
    service = sandbox.incidents()[0]["service"]["id"]

    asked = shell("resolve", "--service", service)
    looked = shell("resolve", "--service", service, "--dry-run")
    assert (asked.returncode, looked.returncode) == (ExitCode.NEEDS_CONFIRMATION, 0)
    assert "This would resolve 2 incidents. If you mean it, add --yes." in asked.stderr
    assert len(rows(looked.stdout)) == 2
    assert set(statuses(sandbox).values()) == {"triggered"}

    done = shell("resolve", "--service", service, "--yes")
    assert done.returncode == 0
    assert set(statuses(sandbox).values()) == {"resolved"}


@pytest.mark.parametrize("words", [("ack",), ("ack", "1", "--urgency", "high")])
def test_names_or_a_filter_not_both_not_neither(shell: Shell, words: tuple[str, ...]) -> None:
    refused = shell(*words)

    assert refused.returncode == ExitCode.USAGE
    assert "not both, not neither" in refused.stderr


def test_everything_else_that_can_be_done(shell: Shell, sandbox: Sandbox) -> None:
    trigger(sandbox, "a", "b", "c")
    service = sandbox.incidents()[0]["service"]["id"]

    codes = [
        shell(*words).returncode
        for words in (
            ("snooze", "1", "--for", "2h"),
            ("note", "1", "--note", "the cable was loose"),
            ("merge", "2", "--into", "1"),
            ("update", "1", "--title", "everything is full", "--set-urgency", "low", "--status-update", "we are on it"),
            ("create", "Down", "--service", service, "--key", "down", "--body", "all of it"),
            ("acknowledge", "key:c"),
        )
    ]

    assert codes == [0] * 6
    assert statuses(sandbox) == {
        "everything": "acknowledged",
        "b": "resolved",
        "c": "acknowledged",
        "Down": "triggered",
    }
    assert shell("open", "key:c").stdout.strip() == sandbox.incidents()[2]["html_url"]


def test_incidents_are_given_to_people_by_their_addresses(shell: Shell, sandbox: Sandbox, runtime: Runtime) -> None:
    trigger(sandbox, "a")
    for name in ("bot", "ada"):
        runtime.rest.users.create({"type": "user", "name": name.title(), "email": f"{name}@example.com"})

    done = shell("reassign", "1", "--to", "ada@example.com", "--from", "ada@example.com")

    assert done.returncode == 0
    assert rows(shell("list", "--user", "ada@example.com").stdout)[0][6] == "Ada"
    assert "PagerDuty knows no user eve@example.com" in shell("reassign", "1", "--to", "eve@example.com").stderr


def test_the_story_of_an_incident_tells_pagerdutys_side_and_ours(
    shell: Shell, sandbox: Sandbox, runtime: Runtime, tmp_path: Path
) -> None:
    sandbox.register(KEY, "checkout")
    payload = {"summary": "disk | full <b>", "source": "db1", "severity": "critical"}
    alert = {"service": "checkout", "event_action": "trigger", "dedup_key": "disk", "payload": payload}
    runtime.alerts.submit("m1", [alert])
    runtime.delivery.drain()
    shell("ack", "1", "--note", "a *cable*\n<script>", "--author", "ada")

    shown = shell("show", "disk").stdout
    markdown = shell("export", "1").stdout
    written = shell("export", "1", str(tmp_path / "story.json"))

    assert "IN TOCSIN" in shown
    assert re.search(r"disk\s+checkout\s+open", shown)
    assert markdown.startswith("# Incident \\#1: disk \\| full \\<b\\>\n")
    assert "| **In Tocsin** | disk of service checkout |" in markdown
    assert "> a \\*cable\\*\n> \\<script\\>" in markdown
    steps = re.findall(r"^\| \d\d:\d\d:\d\d \| [^|]* \| (\w+) \| [^|]* \| (.*?) \|$", markdown, re.MULTILINE)
    assert ("Tocsin", "sent to channel primary at the 1st attempt") in steps
    assert ("PagerDuty", "Acknowledged") in steps
    story = json.loads((tmp_path / "story.json").read_text("utf-8"))
    assert written.returncode == 0
    times = [datetime.fromisoformat(event["at"]) for event in story["timeline"]]
    assert times == sorted(times)
    assert {event["source"] for event in story["timeline"]} == {"log", "note", "alert", "tocsin"}


def test_whoever_is_on_call_can_act_while_redis_is_away(shell: Shell, sandbox: Sandbox) -> None:
    trigger(sandbox, "a")

    done = shell("ack", "1", "--note", "on it", REDIS_URL=NOWHERE)
    shown = shell("show", "1", REDIS_URL=NOWHERE)
    kept = shell("resolve", "1", "--keep-trying", REDIS_URL=NOWHERE)

    assert (done.returncode, shown.returncode) == (0, 0)
    assert "Redis is away" in done.stderr
    assert rows(done.stdout) == [["Q0000000000001", "#1", "acknowledged", "done"]]
    assert kept.returncode == ExitCode.UNAVAILABLE
    assert statuses(sandbox) == {"a": "acknowledged"}


def test_while_pagerduty_is_away_a_person_is_told_at_once_and_may_leave_it_to_workers(
    shell: Shell, sandbox: Sandbox, runtime: Runtime
) -> None:
    trigger(sandbox, "a")
    sandbox.fault(kind="reset")

    at_once = shell("ack", "1")
    later = shell("ack", "1", "--keep-trying", "--json")
    sandbox.heal()

    assert (at_once.returncode, later.returncode) == (ExitCode.TRY_LATER, ExitCode.TRY_LATER)
    assert "let workers carry on: --keep-trying" in at_once.stderr
    request = json.loads(later.stdout)["request_id"]
    runtime.client.incrby(runtime.keys.clock, 120_000)
    runtime.client.delete(runtime.keys.breaker("pagerduty-rest"))
    assert runtime.incidents.service.work().ended == 1
    assert statuses(sandbox) == {"a": "acknowledged"}
    assert json.loads(shell("actions", request, "--json").stdout)["state"] == "done"


def test_a_command_repeated_with_its_request_id_does_nothing_twice(shell: Shell, sandbox: Sandbox) -> None:
    trigger(sandbox, "a")
    words = ("note", "1", "--note", "once", "--request-id", "deploy-7")

    first, second = shell(*words), shell(*words)

    assert first.stdout == second.stdout
    assert len(sandbox.http.get("/incidents/Q0000000000001/notes", headers=AUTHORIZED).json()["notes"]) == 1


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"PAGERDUTY_API_KEY": ""}, "no REST API key is set"),
        ({"PAGERDUTY_FROM_EMAIL": ""}, "say in whose name: set PAGERDUTY_FROM_EMAIL"),
    ],
)
def test_what_is_missing_in_the_settings_is_said(
    shell: Shell, sandbox: Sandbox, more: dict[str, Any], text: str
) -> None:
    trigger(sandbox, "a")

    refused = shell("ack", "1", **more)

    assert refused.returncode == ExitCode.FAILED
    assert text in refused.stdout
