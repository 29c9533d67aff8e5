"""`tocsin health` as people and containers call it."""

from __future__ import annotations

import json
import os
import resource
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from deploy.local.embedded import start_server
from tasks.utils.heartbeat_file import HeartbeatFile, beats
from tasks.utils.keys import Keys
from tests.conftest import ROOT
from tests.integration.test_cli_program import tocsin
from workers.cli.output import ExitCode
from workers.heart import server_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deploy.local.embedded import Server

LONG_AGO = 1000.0


@pytest.fixture
def environment(tmp_path: Path, server: Server) -> dict[str, str]:
    return {"REDIS_URL": server.url, "TOCSIN_STATE_DIR": str(tmp_path), "HOME": str(tmp_path)}


@pytest.fixture
def silent() -> Iterator[str]:
    """An address that takes connections and never says anything."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def test_the_users_own_line_writes_a_page_and_prints_where(environment: dict[str, str], client: Any) -> None:
    done = tocsin("health", "--full-check", "--report", env=environment)

    path = Path(done.stdout.strip())
    assert done.returncode == ExitCode.FAILED  # no worker runs
    assert path.parent == Path(environment["TOCSIN_STATE_DIR"]) / "reports"
    assert path.read_text().startswith("<!doctype html>")
    assert "Tocsin is failing" in done.stderr


@pytest.mark.parametrize(("name", "begins"), [("r.md", "# Tocsin is"), ("r.json", "{"), ("r.html", "<!doctype html>")])
def test_a_report_has_the_form_its_name_asks_for(
    environment: dict[str, str], client: Any, tmp_path: Path, name: str, begins: str
) -> None:
    done = tocsin("health", "--report", str(tmp_path / name), "--json", env=environment)

    assert (tmp_path / name).read_text().startswith(begins)
    assert json.loads(done.stdout)["depth"] == "quick"


def test_a_report_of_an_unknown_form_is_a_wrong_use(environment: dict[str, str], tmp_path: Path) -> None:
    assert tocsin("health", "--report", str(tmp_path / "r.pdf"), env=environment).returncode == ExitCode.USAGE


def test_a_test_event_is_an_act_on_record_and_a_look_is_none(environment: dict[str, str], client: Any) -> None:
    tocsin("health", env=environment)
    before = client.xlen(Keys().acts)
    tocsin("health", "--send-test", env={**environment, "PAGERDUTY_EVENTS_URL": "http://127.0.0.1:1"})

    acts = [entry for _, entry in client.xrange(Keys().acts)]
    assert before == 0
    assert {"health.send_test"} == {value for entry in acts for value in entry.values() if value.startswith("health.")}


def test_a_configuration_at_fault_is_the_one_failed_line_and_a_report_all_the_same(
    environment: dict[str, str], tmp_path: Path
) -> None:
    config = tmp_path / "config"
    config.mkdir()
    (config / "pagerduty.yaml").write_text("redis: {urrl: x}\n")
    done = tocsin("health", "--full-check", "--report", env={**environment, "TOCSIN_CONFIG_DIR": str(config)})

    page = Path(done.stdout.strip()).read_text()
    assert done.returncode == ExitCode.FAILED
    assert "redis.urrl" in page
    assert "tocsin config check" in page


@pytest.mark.parametrize("patience", ["2s", pytest.param("10s", marks=pytest.mark.slow)])  # the latter is the default
def test_with_everything_down_a_full_check_ends_within_half_a_minute_and_names_it_all(
    environment: dict[str, str], silent: str, patience: str
) -> None:
    outside = {"PAGERDUTY_API_URL": f"http://{silent}", "PAGERDUTY_EVENTS_URL": f"http://{silent}"}
    down = {**environment, **outside, "REDIS_URL": f"redis://:sesame@{silent}/0", "PAGERDUTY_API_KEY": "a" * 20}
    down["TOCSIN_PAGERDUTY__API_TIMEOUT"] = patience

    began = time.monotonic()
    done = tocsin("health", "--full-check", "--json", env=down)
    took = time.monotonic() - began

    lines = {line["name"]: line for line in json.loads(done.stdout)["checks"]}
    assert took < 30
    assert done.returncode == ExitCode.FAILED
    assert lines["server.answer"]["state"] == lines["rest.answer"]["state"] == "fail"
    assert {line["state"] for name, line in lines.items() if name.startswith("events.")} == {"fail"}
    assert lines["workers.answer"]["state"] == "skip"
    assert lines["disk.state"]["state"] == "ok"
    assert "sesame" not in done.stdout + done.stderr


def test_the_history_tells_days_and_outages_from_the_ledger(environment: dict[str, str], client: Any) -> None:
    from config.settings import load
    from tasks.runtime import Runtime

    runtime = Runtime(load(environ=environment))
    for event, after in (("a", 0), ("b", 90_000)):
        at = int(client.time()[0]) * 1000 - 200_000
        steps = [(at, "accepted", "trigger", "default 0123 critical"), (at + after, "sent", "primary", "1")]
        for when, step, reason, detail in steps:
            client.xadd(runtime.keys.ledger, {"t": when, "e": event, "s": step, "r": reason, "d": detail})
    runtime.health.watched.note(is_alive=True, together_ms=60_000)
    runtime.client.close()

    people = tocsin("health", "history", "--since", "1d", env=environment)
    programs = json.loads(tocsin("health", "history", "--json", env=environment).stdout)

    assert people.returncode == ExitCode.OK
    assert "50.00%" in people.stdout
    assert "30 s, 1 alerts late" in people.stdout
    assert sum(day["in_time"] for day in programs["days"]) == 1
    assert [outage["seconds"] for outage in programs["outages"]] == [30.0]


def probe(kind: str, folder: Path, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return tocsin("health", "--probe", kind, *words, env={"TOCSIN_STATE_DIR": str(folder)}, **options)


def heart(
    folder: Path, server: str, role: str = "worker-alert", *, alive: float = 0, ready: float = 0
) -> HeartbeatFile:
    """A heartbeat of this very process, so many seconds old."""
    file, now = HeartbeatFile(str(folder), role, server), time.monotonic()
    file.write(now - alive, now - ready)
    return file


def test_a_process_that_beats_is_live_and_ready(tmp_path: Path) -> None:
    heart(tmp_path, "tcp 127.0.0.1 1")

    assert (probe("live", tmp_path).returncode, probe("ready", tmp_path).returncode) == (0, 0)


def test_one_that_hangs_while_its_server_answers_is_to_be_started_anew(tmp_path: Path, server: Server) -> None:
    heart(tmp_path, server_words(server.url), alive=100, ready=100)

    done = probe("live", tmp_path)

    assert done.returncode == 1
    assert "start it anew" in done.stderr
    assert probe("ready", tmp_path).returncode == 1


def test_one_that_waits_for_its_server_is_live_and_not_ready(tmp_path: Path, silent: str) -> None:
    heart(tmp_path, "tcp " + silent.replace(":", " "), alive=100, ready=100)

    assert probe("live", tmp_path).returncode == 0
    assert probe("ready", tmp_path).returncode == 1


def test_a_server_with_a_password_and_one_behind_a_name_nobody_knows_are_told_apart(tmp_path: Path) -> None:
    with start_server(tmp_path / "server", persist=False) as locked:
        heart(tmp_path, server_words(locked.url), alive=100)
        assert probe("live", tmp_path).returncode == 1
    heart(tmp_path, "tcp nobody.invalid 6379", alive=100)

    assert probe("live", tmp_path).returncode == 0


def test_where_nothing_runs_a_probe_fails_and_a_dead_process_is_nothing(tmp_path: Path) -> None:
    program = (
        "import sys, time; from tasks.utils.heartbeat_file import HeartbeatFile\n"
        "HeartbeatFile(sys.argv[1], 'beat', 'tcp h 1').write(time.monotonic(), time.monotonic())"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], cwd=ROOT, check=True)  # it ends without a goodbye

    assert probe("live", tmp_path).returncode == 1
    assert list((tmp_path / "heartbeats").iterdir()) == []


def test_a_role_can_be_asked_for_alone(tmp_path: Path) -> None:
    heart(tmp_path, "tcp 127.0.0.1 1", "beat")
    heart(tmp_path, "tcp 127.0.0.1 1", "worker-alert", ready=100)

    assert probe("ready", tmp_path, "--role", "beat").returncode == 0
    assert probe("ready", tmp_path, "--role", "worker-alert").returncode == 1
    assert [beat.role for beat in beats(str(tmp_path))] == ["beat", "worker-alert"]


def test_a_wrong_probe_is_a_wrong_use(tmp_path: Path) -> None:
    assert probe("alive", tmp_path).returncode == ExitCode.USAGE


def test_a_probe_imports_nothing_of_size(tmp_path: Path) -> None:
    program = (
        "import sys; sys.argv = ['tocsin', 'health', '--probe', 'live']\n"
        "from workers.cli.start import main\n"
        "try: main()\n"
        "except SystemExit: print(sorted({n.partition('.')[0] for n in sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{program}"],
        env={**os.environ, "TOCSIN_STATE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )

    loaded = set(done.stdout.partition("[")[2].replace("'", "").rstrip("]\n").split(", "))
    assert not loaded & {"celery", "kombu", "redis", "typer", "pydantic", "yaml", "json", "asyncio", "ssl", "rich"}


def test_a_probe_takes_no_more_than_a_tenth_of_a_second(tmp_path: Path) -> None:
    heart(tmp_path, "tcp 127.0.0.1 1")
    took = []
    for _ in range(20):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert probe("live", tmp_path).returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        took.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)

    assert statistics.median(took) <= 0.1  # of processor time, which other load hardly touches
