import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Self

import httpx
import pytest

from deploy.local.embedded import start_server
from deploy.local.ports import pick_port
from tests.integration.up_kit import children_of, is_alive, processes, wait_for
from tests.program import tocsin

OURS = ("TOCSIN_", "PAGERDUTY_", "REDIS_URL", "ENVIRONMENT", "ENCRYPTION_KEY", "JWT_SECRET", "LOG_LEVEL")
CHILDREN = ("redis", "sandbox", "gateway", "alert", "webhook", "delivery", "maintenance", "beat", "sentinel", "flower")
SECONDS_TO_START = 90  # a machine that does other things besides


class Up:
    """`tocsin up` as a user starts it, and everything it says."""

    def __init__(self, state_dir, *words, **environment) -> None:
        bare = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        # not the usual ones: another test's run may be about to take them
        ports = {f"TOCSIN_{name}__PORT": str(pick_port()) for name in ("GATEWAY", "FLOWER")}
        self.lines = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "deploy.local", "up", "--state-dir", str(state_dir), *words],
            env={**bare, **ports, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with self.process.stdout as stdout:
            for line in stdout:
                self.lines.append(line.rstrip())

    @property
    def said(self):
        return "\n".join(self.lines)

    def said_since(self, mark, pattern):
        return re.search(pattern, "\n".join(self.lines[mark:]), re.MULTILINE)

    def find(self, pattern):
        return wait_for(lambda: re.search(pattern, self.said, re.MULTILINE), SECONDS_TO_START)[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_) -> None:
        if self.process.poll() is None:
            self.process.kill()  # its guard ends the rest
        self.wait()

    def wait(self, seconds=40):
        code = self.process.wait(seconds)
        self._reader.join()
        return code


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory):
    with Up(tmp_path_factory.mktemp("state")) as running:
        running.find("(Ring it)")
        running.find("^ +(curl )")
        yield running


def ring(up: Up, summary: str, client: httpx.Client | None = None):
    """Send an alert by the line that `up` has printed, with another summary."""
    line = up.find(r"^ +(curl .+)$")
    _, _, url, _, body = shlex.split(line)
    alert = json.loads(body)
    alert["dedup_key"] = alert["payload"]["summary"] = summary
    if client is None:
        return httpx.post(url, json=alert, trust_env=False, timeout=10)
    return client.post(url, json=alert)


def incidents(up: Up):
    token = {"Authorization": "Token token=" + "y" * 20}
    url = up.find(r"sandbox, calls nobody: (\S+)") + "incidents?limit=100"
    return [incident["title"] for incident in httpx.get(url, headers=token, trust_env=False).json()["incidents"]]


def pid_of(up: Up, name: str):
    words = {"redis": "(valkey|redis)-server", "gateway": "workers.cli gateway"}.get(name, f"workers.cli worker {name}")
    mine = [pid for pid, parent, line in processes() if parent == up.process.pid and re.search(words, line)]
    return mine[0] if mine else 0


def test_everything_comes_up_and_is_said_one_line_each(up: Up) -> None:
    for name in CHILDREN:
        assert up.said_since(0, rf"^\d\d:\d\d:\d\d  {name} +ready after \d+\.\d s$"), name


def test_the_printed_line_rings_and_the_alert_becomes_an_incident(up: Up) -> None:
    assert ring(up, "It rings").status_code == 202

    wait_for(lambda: "It rings" in incidents(up))
    wait_for(lambda: up.said_since(0, r"ledger +trigger It rings: delivered \(by channel primary\)$"))


def test_a_flood_of_alerts_is_told_in_a_few_lines(up: Up) -> None:
    mark = len(up.lines)

    with httpx.Client(trust_env=False, timeout=10) as client:
        for _ in range(60):
            ring(up, "flood", client)

    def counted():
        told = "\n".join(up.lines[mark:])
        single = len(re.findall(r"ledger +trigger flood: (delivered|merged)", told))
        return single + sum(int(count) for count in re.findall(r"ledger +and (\d+) more: .*merged", told))

    wait_for(lambda: counted() == 60)


def test_flower_opens_with_the_printed_password_only(up: Up) -> None:
    url, user, password = up.find(r"Flower +(\S+) +user \S+"), "tocsin", up.find(r"password (\S+)")

    assert httpx.get(url, trust_env=False).status_code == 401
    assert httpx.get(url, auth=(user, password), trust_env=False, timeout=10).status_code == 200


def test_no_secret_but_flowers_password_is_on_the_screen_or_in_the_process_list(up: Up) -> None:
    state = Path(up.find(r"State +(\S+)"))
    redis_password = (state / "redis" / "url").read_text().split("@")[0].rpartition(":")[2]
    key = (state / "encryption.key").read_text().strip()
    jwt_secret = (state / "jwt.secret").read_text().strip()
    listed = "\n".join(line for _, _, line in processes())

    assert not any(secret in up.said for secret in (redis_password, key, jwt_secret))
    assert not any(secret in listed for secret in (redis_password, key, jwt_secret, up.find(r"password (\S+)")))


def test_the_api_opens_with_a_token_issued_from_another_shell(up: Up) -> None:
    state, url = up.find(r"State +(\S+)"), up.find(r"API +(\S+)")
    issued = tocsin("tokens", "issue", "--role", "viewer", "--subject", "me", env={"TOCSIN_STATE_DIR": state})

    answer = httpx.get(f"{url}/health", headers={"Authorization": f"Bearer {issued.stdout.strip()}"}, trust_env=False)

    assert answer.status_code == 200
    assert {part["name"] for part in answer.json()["components"]} > {"redis", "inbox", "spool"}


def test_a_key_is_rotated_from_another_shell_which_goes_on_afterwards(up: Up) -> None:
    environ = {"TOCSIN_STATE_DIR": up.find(r"State +(\S+)")}

    rotated = tocsin("tokens", "rotate", "jwt", env=environ)
    shown = tocsin("tokens", "list", env=environ)

    assert (rotated.returncode, shown.returncode) == (0, 0), rotated.stderr + shown.stderr
    assert "former" in shown.stdout


def test_a_second_one_on_the_same_folder_is_refused_in_a_sentence(up: Up) -> None:
    with Up(up.find(r"State +(\S+)")) as second:
        assert second.wait() == 75

    assert "Tocsin is already running on" in second.said
    assert str(up.process.pid) in second.said


def test_a_killed_worker_is_said_and_replaced_and_alerts_go_on(up: Up) -> None:
    mark, first = len(up.lines), pid_of(up, "delivery")

    os.kill(first, signal.SIGKILL)
    assert ring(up, "after the worker").status_code == 202

    wait_for(lambda: up.said_since(mark, r"delivery +was ended by SIGKILL; starting it again"))
    wait_for(lambda: "after the worker" in incidents(up), SECONDS_TO_START)
    assert pid_of(up, "delivery") != first


def test_a_killed_server_comes_back_with_its_data_and_alerts_go_on(up: Up) -> None:
    mark = len(up.lines)

    os.kill(pid_of(up, "redis"), signal.SIGKILL)
    wait_for(lambda: up.said_since(mark, r"redis +ready after"))
    wait_for(lambda: ring(up, "after the server").status_code == 202)

    wait_for(lambda: "after the server" in incidents(up), SECONDS_TO_START)
    assert not up.said_since(mark, "DeprecationWarning")


def test_ctrl_c_stops_everything_in_order_and_leaves_nothing(up: Up) -> None:
    pids = children_of(up.process.pid)
    assert len(pids) >= len(CHILDREN)

    up.process.send_signal(signal.SIGINT)

    assert up.wait() == 0
    assert up.lines[-1].endswith("tocsin       stopped")
    assert not any(map(is_alive, pids))
    assert "Traceback" not in up.said


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"REDIS_URL": "http://127.0.0.1"}, "REDIS_URL"),
        ({"ENVIRONMENT": "production"}, "ENCRYPTION_KEY"),
        ({"TOCSIN_GATEWAY__PROT": "1"}, "TOCSIN_GATEWAY__PROT"),
    ],
)
def test_a_wrong_configuration_is_said_without_a_traceback(tmp_path: Path, environment: str, words: str) -> None:
    with Up(tmp_path, **environment) as up:
        assert up.wait() == 78

    assert words in up.said
    assert "Traceback" not in up.said


def test_a_redis_that_is_not_there_is_said_without_a_traceback(tmp_path: Path) -> None:
    with Up(tmp_path, REDIS_URL="redis://:guess@127.0.0.1:1/0") as up:
        assert up.wait() == 69

    assert "No Redis at redis://********@127.0.0.1:1/0" in up.said
    assert "guess" not in up.said
    assert "Traceback" not in up.said


def test_a_redis_that_refuses_the_password_is_said_without_a_traceback(tmp_path: Path) -> None:
    with start_server(tmp_path / "redis") as server:
        wrong = server.url.replace("redis://:", "redis://:guess")
        with Up(tmp_path / "state", REDIS_URL=wrong) as up:
            assert up.wait() == 78

    assert "refuses us" in up.said
    assert "Mend user and password in REDIS_URL." in up.said
    assert "guess" not in up.said


def test_a_state_folder_that_cannot_be_made_is_said_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with Up(tmp_path / "file" / "state") as up:
        assert up.wait() == 1

    assert "--state-dir" in up.said
    assert "Traceback" not in up.said


PRODUCTION = {
    "ENVIRONMENT": "production",
    "ENCRYPTION_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    "JWT_SECRET": "j" * 40,
    "PAGERDUTY_EVENTS_URL": "https://127.0.0.1:1",
    **{f"{name}_INGEST_KEY": name.ljust(32, "7") for name in ("DEFAULT", "CHECKOUT", "DATABASE")},
    **{f"{name}_PAGERDUTY_KEY": name.ljust(32, "8") for name in ("DEFAULT", "CHECKOUT", "DATABASE")},
    "DATABASE_STANDBY_PAGERDUTY_KEY": "STANDBY".ljust(32, "8"),
}


def test_production_refuses_the_embedded_server_and_says_how_to_allow_it(tmp_path: Path) -> None:
    with Up(tmp_path, **PRODUCTION) as up:
        assert up.wait() == 78

    assert "refused in production" in up.said
    assert "TOCSIN_EMBEDDED__ALLOW=true" in up.said


def test_allowed_by_name_it_runs_in_production_and_ctrl_c_ends_a_start_too(tmp_path: Path) -> None:
    with Up(tmp_path, **PRODUCTION, TOCSIN_EMBEDDED__ALLOW="true") as up:
        up.find("(redis +ready after)")
        pids = children_of(up.process.pid)
        up.process.send_signal(signal.SIGINT)
        assert up.wait() == 0

    assert "sandbox" not in up.said
    assert not any(map(is_alive, pids))


def test_a_second_ctrl_c_kills_what_does_not_end(tmp_path: Path) -> None:
    with Up(tmp_path) as up:
        up.find("(redis +ready after)")
        stuck = pid_of(up, "redis")
        os.kill(stuck, signal.SIGSTOP)
        up.process.send_signal(signal.SIGINT)
        up.find("(once more kills)")
        up.process.send_signal(signal.SIGINT)

        assert up.wait(10) == 130

    assert not is_alive(stuck)
