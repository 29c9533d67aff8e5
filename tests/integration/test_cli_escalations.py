"""Escalations from the shell; this process itself plays the workers."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config.settings import load
from deploy.local.embedded import start_server
from tasks.runtime import Runtime
from tests.program import tocsin

Shell = Callable[..., subprocess.CompletedProcess[str]]
SERVICE = """escalation: nights
channels:
  - {name: primary, routing_key: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}
  - {name: standby, routing_key: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb}
"""
POLICY = "steps:\n  - {name: backup, after: 5m, targets: [{channel: standby}]}\n"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    folder = tmp_path_factory.mktemp("config")
    write(folder / "pagerduty.yaml", "default_service: shop\n")
    write(folder / "services" / "shop.yaml", SERVICE)
    write(folder / "policies" / "nights.yaml", POLICY)
    with start_server(folder / "redis", persist=False) as server:
        yield {
            "REDIS_URL": server.url,
            "TOCSIN_STATE_DIR": str(folder / "state"),
            "TOCSIN_CONFIG_DIR": str(folder),
        }


@pytest.fixture
def shell(environment: dict[str, str]) -> Shell:
    return lambda *words: tocsin(*words, env=environment)


@pytest.fixture
def runtime(environment: dict[str, str]) -> Runtime:
    runtime = Runtime(load(environ=environment))
    runtime.client.flushall()
    payload = {"summary": "full", "source": "web1", "severity": "critical"}
    runtime.alerts.submit("one", [{"event_action": "trigger", "dedup_key": "disk", "payload": payload}])
    return runtime


def write(file: Path, text: str) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)


def test_an_escalation_is_listed_and_shown_with_its_story(shell: Shell, runtime: Runtime) -> None:
    del runtime
    listed = shell("escalations", "list").stdout.splitlines()
    shown = shell("escalation", "show", "disk").stdout
    [told] = json.loads(shell("escalations", "list", "--json").stdout)

    assert listed[0].split()[:2] == ["SERVICE", "DEDUP"]
    assert "nights" in listed[1]
    assert "channel standby" in shown
    assert "escalation started; its first step is due" in shown
    assert (told["state"], told["next_step"], told["taken"]) == ("running", "backup", 0)


def test_one_is_paused_resumed_hurried_and_cancelled(shell: Shell, runtime: Runtime) -> None:
    assert "1 of 1 wait now" in shell("escalations", "pause", "disk", "--for", "2h", "--author", "ann").stdout
    assert json.loads(shell("escalations", "list", "--json").stdout)[0]["by"] == "ann"
    assert "1 of 1 go on" in shell("escalations", "resume", "disk").stdout
    assert "1 of 1 take their next step now" in shell("escalations", "skip", "disk").stdout
    assert runtime.escalations.service.advance().taken == 1

    again = shell("escalations", "cancel", "disk")

    assert again.returncode == 1
    assert "nothing was changed" in again.stderr


def test_what_does_not_escalate_is_told_apart(shell: Shell, runtime: Runtime) -> None:
    del runtime
    answer = shell("escalations", "show", "nothing")

    assert answer.returncode == 1
    assert "nothing escalates as 'nothing'" in answer.stderr


def test_the_trail_of_an_alert_tells_of_its_escalation(shell: Shell, runtime: Runtime) -> None:
    runtime.escalations.desk.skip(["disk"])
    runtime.escalations.service.advance()

    told = shell("alerts", "trail", "disk").stdout

    assert "nobody has answered: step backup, to channel standby" in told
    assert "escalation ended: the policy has no more steps" in told
