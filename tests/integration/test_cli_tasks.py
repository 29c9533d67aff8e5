"""Tasks and alerts from the shell, on a real server and a real worker."""

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import get_args
from urllib.request import urlopen

import pytest

from deploy.local.embedded import Server, start_server
from tests.integration.test_cli_program import running
from tests.program import tocsin
from workers.cli.output import ExitCode
from workers.cli.processes import Group
from workers.cli.task_catalogue import describe, registered
from workers.cli.task_names import wire_names
from workers.queues import GROUPS

ALERT = {"event_action": "trigger", "payload": {"summary": "disk full", "source": "db1", "severity": "error"}}
NOBODY_TAKES = "notifications.sweep"  # no worker of the group `delivery` runs here
Tocsin = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def state_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def server(state_dir: Path) -> Iterator[Server]:
    with start_server(state_dir / "redis", persist=False) as server:
        yield server


@pytest.fixture(scope="module")
def environment(server: Server, state_dir: Path) -> dict[str, str]:
    return {"REDIS_URL": server.url, "TOCSIN_STATE_DIR": str(state_dir)}


@pytest.fixture(scope="module")
def shell(environment: dict[str, str]) -> Tocsin:
    return lambda *words, **options: tocsin(*words, env=environment, **options)


@pytest.fixture(scope="module")
def _worker(environment: dict[str, str]) -> Iterator[None]:
    with started("worker", "alert", environment=environment, until="worker_ready") as worker:
        yield
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=30) == 0


@contextmanager
def started(*words: str, environment: dict[str, str], until: str) -> Iterator["subprocess.Popen[str]"]:
    """A process of ours that has logged the event `until`."""
    with running(*words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        log = []
        for line in process.stderr:
            log.append(line)
            if until in line:
                break
        else:
            pytest.fail("".join(log))
        yield process


def test_every_task_is_listed_with_queue_and_purpose(shell: Tocsin) -> None:
    tasks = {task["name"]: task for task in json.loads(shell("task", "list", "--json").stdout)}

    assert tasks["alerts.submit"]["queue"] == "alert"
    assert tasks["notifications.deliver"]["queue"] == "delivery"
    assert all(task["summary"] for task in tasks.values())
    assert list(tasks) == wire_names()  # what completion offers


def test_every_task_can_be_described(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    descriptions = [describe(task) for task in registered().values()]

    assert [description["name"] for description in descriptions] == wire_names()
    assert all(description["description"] for description in descriptions)
    assert all(argument["type"] != "any" for description in descriptions for argument in description["arguments"])


def test_a_description_names_arguments_and_types(shell: Tocsin) -> None:
    shown = shell("task", "describe", "notifications.replay").stdout

    assert "event_ids: list[str] | None" in shown
    assert "dry_run: bool" in shown


def test_an_unknown_task_is_a_usage_error_with_the_near_one(shell: Tocsin) -> None:
    refused = shell("task", "run", "alert.submit")

    assert refused.returncode == ExitCode.USAGE
    assert "Did you mean alerts.submit" in refused.stderr


def test_wrong_arguments_are_refused_before_anything_is_sent(shell: Tocsin, server: Server) -> None:
    refused = shell("task", "run", "notifications.replay", "event_id=1", "dry_run=perhaps")

    assert refused.returncode == ExitCode.USAGE
    assert "Did you mean event_ids?" in refused.stderr
    assert "dry_run: Input should be a valid boolean" in refused.stderr
    with server.client() as client:
        assert client.llen("tocsin:delivery") == 0


@pytest.mark.usefixtures("_worker")
def test_a_task_that_is_waited_for_prints_its_answer(shell: Tocsin) -> None:
    shown = shell("task", "run", "alerts.submit", f"alerts={json.dumps([ALERT])}", "--wait")

    [decision] = json.loads(shown.stdout)["alerts"]
    assert shown.returncode == 0
    assert decision["state"] == "queued"


@pytest.mark.usefixtures("_worker")
def test_a_task_that_is_not_waited_for_can_be_asked_after(shell: Tocsin) -> None:
    task_id = shell("task", "run", "alerts.submit", "alerts=-", input=json.dumps([ALERT])).stdout.strip()

    shell("task", "run", "alerts.submit", "alerts=[]", "--wait")  # one after the other: both are done now
    status = json.loads(shell("task", "status", task_id, "--json").stdout)

    assert status["state"] == "SUCCESS"
    assert status["result"]["alerts"][0]["id"] == f"{task_id}:0"


def test_a_task_nobody_takes_in_time_is_try_later_and_can_be_asked_after(shell: Tocsin) -> None:
    late = shell("task", "run", NOBODY_TAKES, "--wait", "--timeout", "0.2")

    assert late.returncode == ExitCode.TRY_LATER
    task_id = late.stderr.split()[-1]
    assert json.loads(shell("task", "status", task_id, "--json").stdout)["state"] == "PENDING"


def test_ctrl_c_while_waiting_is_130_without_a_traceback(environment: dict[str, str], server: Server) -> None:
    words = ("task", "run", NOBODY_TAKES, "--wait")
    with server.client(socket_timeout=60) as client:
        client.delete("tocsin:delivery")
        with running(*words, env=environment, stderr=subprocess.PIPE) as waiting:
            assert client.blmove("tocsin:delivery", "tocsin:delivery", 50)  # it has sent its task
            waiting.send_signal(signal.SIGINT)
            _, told = waiting.communicate(timeout=30)

    assert waiting.returncode == ExitCode.INTERRUPTED
    assert "Traceback" not in told


@pytest.mark.usefixtures("_worker")
def test_an_alert_by_flags_is_accepted(shell: Tocsin) -> None:
    shown = shell(
        *("alerts", "submit", "--service", "default", "--summary", "disk full", "--dedup-key", "disk-1"),
        *("--severity", "error", "--wait", "--json"),
    )

    [decision] = json.loads(shown.stdout)["alerts"]
    assert (decision["state"], decision["dedup_key"]) == ("queued", "disk-1")


@pytest.mark.usefixtures("_worker")
def test_alerts_from_a_file_are_decided_one_by_one(shell: Tocsin, tmp_path: Path) -> None:
    file = tmp_path / "alerts.json"
    file.write_text(json.dumps([ALERT | {"dedup_key": "twice"}, ALERT | {"dedup_key": "twice"}]))

    shown = shell("alert", "submit", str(file), "--wait")

    rows = [line.split() for line in shown.stdout.splitlines()[1:]]
    assert [row[2] for row in rows] == ["queued", "merged"]


def test_without_waiting_the_event_ids_are_the_answer(shell: Tocsin) -> None:
    shown = shell("alerts", "submit", "-", input=f"{json.dumps(ALERT)}\n{json.dumps(ALERT)}\n")

    ids = shown.stdout.split()
    assert [event_id.partition(":")[2] for event_id in ids] == ["0", "1"]


def test_a_bad_alert_is_refused_with_all_its_faults(shell: Tocsin) -> None:
    refused = shell("alerts", "submit", "-", input='{"event_action": "page", "payload": {}}')

    assert refused.returncode == ExitCode.USAGE
    assert "This alert cannot be sent:" in refused.stderr
    assert "event_action" in refused.stderr


def test_what_is_mended_is_said(shell: Tocsin) -> None:
    shown = shell("alerts", "submit", "--summary", "x" * 2000)

    assert shown.returncode == 0
    assert "the summary was cut to 1024 characters" in shown.stderr


def test_a_server_that_up_started_is_found_without_being_told(server: Server, state_dir: Path) -> None:
    assert server.answers()

    shown = tocsin("alerts", "submit", "--summary", "x", env={"TOCSIN_STATE_DIR": str(state_dir)})

    assert shown.returncode == 0


def test_beat_starts_and_stops_cleanly(environment: dict[str, str]) -> None:
    with started("beat", environment=environment, until="beat_ready") as beat:
        beat.send_signal(signal.SIGTERM)

        assert beat.wait(timeout=30) == 0


def test_a_worker_that_is_stopped_by_ctrl_c_succeeds(environment: dict[str, str]) -> None:
    with started("worker", "webhook", environment=environment, until="worker_ready") as worker:
        worker.send_signal(signal.SIGINT)

        assert worker.wait(timeout=30) == 0


def test_the_groups_of_the_shell_are_the_groups_of_the_fleet() -> None:
    assert set(get_args(Group)) == set(GROUPS)


def test_the_gateway_serves_until_it_is_told_to_stop(environment: dict[str, str]) -> None:
    with running("gateway", "--port", "0", env=environment, stdout=subprocess.PIPE) as gateway:
        assert gateway.stdout is not None
        url = json.loads(gateway.stdout.readline())["url"]
        with urlopen(f"{url}/livez", timeout=30) as reply:
            assert reply.status == 200
        gateway.send_signal(signal.SIGTERM)

        assert gateway.wait(timeout=30) == 0


def test_flower_without_a_password_does_not_start(shell: Tocsin) -> None:
    refused = shell("flower", "--port", "0")

    assert refused.returncode == ExitCode.BAD_CONFIG
    assert "TOCSIN_FLOWER__PASSWORD" in refused.stderr
