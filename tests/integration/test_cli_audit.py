"""Fates, stories, dead letters and the proof from the shell; this process itself plays the workers."""

import json
import subprocess
from collections.abc import Callable, Iterator

import pytest

from config.settings import load
from deploy.local.embedded import start_server
from tasks.runtime import Runtime
from tests.program import tocsin
from workers.cli.output import ExitCode

Tocsin = Callable[..., subprocess.CompletedProcess[str]]
GOOD = {"event_action": "trigger", "dedup_key": "disk-1", "payload": {"summary": "disk full", "source": "db1"}}
BAD = {"event_action": "trigger", "payload": {}}


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    state_dir = tmp_path_factory.mktemp("state")
    with start_server(state_dir / "redis", persist=False) as server:
        yield {"REDIS_URL": server.url, "TOCSIN_STATE_DIR": str(state_dir)}


@pytest.fixture
def shell(environment: dict[str, str]) -> Tocsin:
    return lambda *words: tocsin(*words, env=environment)


@pytest.fixture(scope="module")
def _decided(environment: dict[str, str]) -> None:
    """One alert on its way, one dead letter."""
    Runtime(load(environ=environment)).alerts.submit("message", [GOOD, BAD])


@pytest.mark.usefixtures("_decided")
def test_the_proof_counts_what_happened_and_holds(shell: Tocsin) -> None:
    proof = shell("prove", "--json")

    report = json.loads(proof.stdout)
    assert proof.returncode == 0
    assert (report["events"], report["pending"]["count"], report["dead"]) == (2, 1, {"invalid": 1})


@pytest.mark.usefixtures("_decided")
def test_the_proof_reads_well(shell: Tocsin) -> None:
    shown = shell("audit", "prove", "--since", "1h")

    assert "The promise holds: 2 events accepted since" in shown.stdout
    assert "Evidence:" in shown.stderr


@pytest.mark.usefixtures("_decided")
def test_events_are_listed_with_their_verdict(shell: Tocsin) -> None:
    shown = [line.split() for line in shell("alerts", "list").stdout.splitlines()[1:]]

    assert {(row[0], row[1]) for row in shown} == {("message:0", "pending"), ("message:1", "dead")}


@pytest.mark.usefixtures("_decided")
def test_a_story_is_told_by_event_id(shell: Tocsin) -> None:
    shown = shell("alerts", "trail", "message:0")

    assert shown.stdout.startswith("message:0\n")
    assert "accepted: trigger" in shown.stdout


@pytest.mark.usefixtures("_decided")
def test_the_story_of_an_alert_is_told_by_its_dedup_key_on_a_time_line(
    shell: Tocsin, environment: dict[str, str]
) -> None:
    Runtime(load(environ=environment)).alerts.submit("end", [{"event_action": "resolve", "dedup_key": "disk-1"}])

    shown = shell("alerts", "trail", "disk-1").stdout.splitlines()
    [told] = json.loads(shell("alerts", "trail", "disk-1", "--json").stdout)

    assert shown[0].startswith("disk-1 of service default: 2 events, ")
    assert shown[1].split() == ["#1", "trigger", "message:0"]
    assert shown[2].split() == ["#2", "resolve", "end:0"]
    assert shown[3].endswith(" UTC")
    assert shown[4].endswith("#1   accepted: trigger for service default")
    assert [event["action"] for event in told["events"]] == ["trigger", "resolve"]
    assert shell("alerts", "trail", "disk-1", "--service", "checkout").returncode == ExitCode.FAILED


def test_an_event_nobody_knows_is_said_to_be_unknown(shell: Tocsin) -> None:
    refused = shell("alerts", "trail", "no-such-event")

    assert refused.returncode == ExitCode.FAILED
    assert "Nothing is known of no-such-event" in refused.stderr


def test_a_dead_letter_is_shown_whole_and_can_be_given_up(shell: Tocsin, environment: dict[str, str]) -> None:
    alerts = Runtime(load(environ=environment)).alerts
    alerts.submit("given-up", [{"event_action": "shout", "routing_key": "0123456789abcdef0123456789abcdef"}])

    shown = shell("notifications", "show", "given-up:0")
    dropped = shell("notifications", "drop", "given-up:0", "--comment", "no use", "--author", "anna")

    assert shown.returncode == dropped.returncode == ExitCode.OK
    assert "'event_action' is unknown" in shown.stdout
    assert '"event_action": "shout"' in shown.stdout
    assert "0123456789abcdef" not in shown.stdout
    assert "the dead letter was given up by anna: no use" in shell("alerts", "trail", "given-up:0").stdout
    assert "there is no dead letter" in shell("notifications", "show", "given-up:0").stderr


@pytest.mark.usefixtures("_decided")
def test_what_is_sealed_can_be_verified(shell: Tocsin) -> None:
    sealed = json.loads(shell("audit", "seal", "--json").stdout)["total"]
    verified = json.loads(shell("audit", "verify", "--json").stdout)

    assert sealed > 0
    assert (verified["holds"], verified["entries"]) == (True, sealed)
