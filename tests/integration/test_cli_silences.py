"""Silences from the shell and as a task; this process itself plays the workers."""

import json
import subprocess
from collections.abc import Callable, Iterator

import pytest

from config.settings import load
from deploy.local.embedded import start_server
from tasks.runtime import Runtime
from tasks.utils.error_handler import InvalidRuleError
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
    return lambda *words: tocsin(*words, env=environment)


@pytest.fixture
def runtime(environment: dict[str, str]) -> Runtime:
    runtime = Runtime(load(environ=environment))
    runtime.client.flushall()
    return runtime


def trigger(key: str, source: str = "web1") -> dict[str, object]:
    payload = {"summary": f"{key} is full", "source": source, "severity": "warning"}
    return {"service": "checkout", "event_action": "trigger", "dedup_key": key, "payload": payload}


def test_a_silence_is_added_listed_and_expired(shell: Shell, runtime: Runtime) -> None:
    runtime.alerts.submit("before", [trigger("disk")])

    added = shell("alerts", "silence", "add", "source=web1", "-s", "checkout", "--for", "2h", "-c", "new disks")
    [decision] = runtime.alerts.submit("during", [trigger("cpu")]).alerts
    listed = shell("alerts", "silence", "list").stdout.splitlines()
    silence_id = added.stdout.strip()
    ended = shell("alerts", "silence", "expire", silence_id)

    assert added.returncode == 0
    assert "1 open alert matches it now" in added.stderr
    assert decision.reason == f"silence:{silence_id}"
    assert listed[1].split()[:3] == [silence_id, "silence", "active"]
    assert "new disks" in listed[1]
    assert ended.stdout.strip() == f"{silence_id} ended; it held back 1 alert"
    assert runtime.alerts.release() == 1


def test_a_preview_changes_nothing(shell: Shell, runtime: Runtime) -> None:
    runtime.alerts.submit("m", [trigger("disk"), trigger("cpu", "web2")])

    shown = json.loads(shell("alerts", "silence", "preview", "source=web1", "--json").stdout)

    assert [alert["dedup_key"] for alert in shown["alerts"]] == ["disk"]
    assert runtime.silences.list() == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["source=~(", "-c", "x"], "no regular expression"),
        (["-c", "x"], "silence everything"),
        (["source=~.*", "a=~.*", "-c", "x"], "silence everything"),
        (["source=a", "-c", "x", "--for", "1h", "--until", "2030-01-01T00:00"], "give one of them"),
        (["source=a", "-s", "chekout", "-c", "x"], "no service 'chekout'"),
        (["source=a", "-c", "x", "--for", "soon"], "is not a length of time"),
        (["source=a", "-c", "x", "--until", "tomorrow"], "is no time"),
        (["source=a"], "--comment"),
    ],
)
def test_bad_silences_are_refused_with_the_mend(shell: Shell, runtime: Runtime, words: list[str], said: str) -> None:
    refused = shell("alerts", "silence", "add", *words)

    assert refused.returncode == ExitCode.USAGE
    assert said in refused.stderr
    assert runtime.silences.list() == []


def test_an_unknown_silence_cannot_be_expired(shell: Shell, runtime: Runtime) -> None:
    refused = shell("alerts", "silence", "expire", "nothing")

    assert refused.returncode == ExitCode.FAILED
    assert "there is no silence 'nothing'" in refused.stderr


def test_of_several_silences_none_is_expired_if_one_is_unknown(shell: Shell, runtime: Runtime) -> None:
    silence_id = shell("alerts", "silence", "add", "source=web1", "-c", "x").stdout.strip()

    assert shell("alerts", "silence", "expire", silence_id, "nothing").returncode == ExitCode.FAILED
    assert [silence.state for silence in runtime.silences.list()] == ["active"]


def test_times_in_json_are_iso_times(shell: Shell, runtime: Runtime) -> None:
    made = json.loads(shell("alerts", "silence", "add", "source=web1", "-c", "x", "--json").stdout)

    assert "T" in made["ends_at"]
    assert json.loads(shell("alerts", "silence", "list", "--json").stdout) == [made]


def test_the_task_takes_the_same_words(runtime: Runtime) -> None:
    ask = runtime.silence_requests.answer
    asked = {
        "services": ["checkout"],
        "duration_seconds": 60,
        "author": "ann",
        "comment": "deploy",
        "kind": "maintenance",
    }

    made = ask("create", asked)
    listed = ask("list", {})
    ended = ask("expire", {"id": made["id"], "author": "bob"})

    assert [silence["id"] for silence in listed["silences"]] == [made["id"]]
    assert (ended["state"], ended["expired_by"], ended["kind"]) == ("ended", "bob", "maintenance")
    assert ask("preview", {"services": ["checkout"]})["total"] == 0


@pytest.mark.parametrize(
    ("action", "asked", "said"),
    [
        ("creat", {}, "use one of create"),
        ("create", {"matchers": "source=a", "duration": 5}, "'duration'"),
        ("expire", {"id": "x", "auhtor": "me"}, "'auhtor' is not known"),
        ("expire", {"author": "me"}, "'id' is missing"),
    ],
)
def test_bad_arguments_of_the_task_are_named(
    runtime: Runtime, action: str, asked: dict[str, object], said: str
) -> None:
    with pytest.raises(InvalidRuleError, match=said):
        runtime.silence_requests.answer(action, asked)


def test_what_a_silence_that_is_over_still_holds_breaks_the_promise(shell: Shell, runtime: Runtime) -> None:
    made = runtime.silence_requests.answer(
        "create", {"matchers": ["source=web1"], "duration_seconds": 60, "author": "ann", "comment": "x"}
    )
    runtime.alerts.submit("m", [trigger("disk")])
    assert runtime.audit.prove().holds

    runtime.client.set(runtime.keys.clock, 60 * 60 * 1000)

    report = runtime.audit.prove()
    assert not report.holds
    assert f"silence:{made['id']}" in str(report.broken)
    runtime.alerts.drain_inbox()
    runtime.delivery.sweep()
    assert f"silence:{made['id']}" not in str(runtime.audit.prove().broken)
