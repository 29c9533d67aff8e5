"""Alerts from the shell while Redis is away: kept on this machine, handed over later, never twice and never out of order."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from config.settings import load
from deploy.local.embedded import Server, start_server
from tasks.foundation import sealed_fields_of
from tasks.utils.keys import Keys
from tasks.utils.spool import Spool
from tests.integration.gateway_kit import rows, running_gateway
from tests.integration.test_cli_program import NOWHERE
from tests.program import tocsin
from tests.unit.config_kit import ENCRYPTION_KEY, SERVICE, Folder
from workers.cli.output import ExitCode

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

KEY = "0" * 32


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with start_server(tmp_path_factory.mktemp("redis"), persist=False) as running:
        yield running


@pytest.fixture(autouse=True)
def _empty(server: Server) -> None:
    with server.client() as redis:
        redis.flushall()


class Shell:
    """A shell whose Redis is at `url`."""

    def __init__(self, folder: Path, url: str = NOWHERE, **environment: str) -> None:
        self.spool = folder / "spool"
        self._environment = {"TOCSIN_STATE_DIR": str(folder), "REDIS_URL": url, **environment}

    def run(self, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
        return tocsin("alerts", *words, env=self._environment, **options)

    def submit(self, name: str, *words: str) -> subprocess.CompletedProcess[str]:
        return self.run("submit", "--summary", name, "--dedup-key", name, *words)


def names(server: Server) -> list[str]:
    return [alert["dedup_key"] for alert in rows(server)]


def test_with_redis_away_an_alert_is_kept_and_that_is_said_plainly(tmp_path: Path) -> None:
    shell = Shell(tmp_path)

    shown = shell.submit("disk")

    assert shown.returncode == ExitCode.OK
    assert "Redis at redis://:***@127.0.0.1:1/0 does not answer; 1 alert kept in" in shown.stderr
    assert "tocsin alerts drain" in shown.stderr
    [path] = shell.spool.iterdir()
    assert shown.stdout.strip() == json.loads(path.read_text().splitlines()[1])["row"]["id"]
    assert (shell.spool.stat().st_mode & 0o777, path.stat().st_mode & 0o777) == (0o700, 0o600)


def test_no_key_is_ever_on_the_disk(tmp_path: Path) -> None:
    alert = {
        "service": "default",
        "routing_key": KEY,
        "event_action": "trigger",
        "payload": {"summary": "x", "source": "y"},
    }
    shell = Shell(tmp_path)

    shown = shell.run("submit", "-", input=json.dumps(alert))

    assert shown.returncode == ExitCode.OK
    assert KEY not in next(shell.spool.iterdir()).read_text()


def test_what_a_service_wants_encrypted_is_kept_so_and_is_whole_again_when_it_is_taken(
    tmp_path: Path, server: Server
) -> None:
    config = Folder(tmp_path)
    config.write("services/default.yaml", f"{SERVICE}\nencrypt_fields: [links, custom_details]\n")
    environ = {"TOCSIN_CONFIG_DIR": str(config.path), "ENCRYPTION_KEY": ENCRYPTION_KEY}
    links, details = [{"href": "https://x.example/?geheim", "text": "t"}], {"password": "geheim"}
    payload = {"summary": "x", "source": "y", "severity": "error", "custom_details": details}
    alert = {"service": "default", "event_action": "trigger", "payload": payload, "links": links}

    shown = Shell(tmp_path / "state", **environ).run("submit", "-", input=json.dumps(alert))

    assert shown.returncode == ExitCode.OK, shown.stderr
    assert "geheim" not in next((tmp_path / "state" / "spool").iterdir()).read_text()
    assert Shell(tmp_path / "state", server.url, **environ).run("drain").returncode == ExitCode.OK
    [kept] = rows(server)
    whole = sealed_fields_of(load(environ=environ)).open(kept)
    assert (whole["links"], whole["payload"]["custom_details"]) == (links, details)


def test_what_is_waited_for_is_kept_too_and_the_wait_ends_with_75(tmp_path: Path) -> None:
    shown = Shell(tmp_path).submit("disk", "--wait")

    assert shown.returncode == ExitCode.TRY_LATER
    assert "cannot be waited for" in shown.stderr
    assert shown.stdout.strip()


def test_in_json_a_kept_alert_is_told_from_a_sent_one(tmp_path: Path) -> None:
    [entry] = json.loads(Shell(tmp_path).submit("disk", "--json").stdout)["alerts"]

    assert (entry["state"], entry["dedup_key"]) == ("spooled", "disk")
    assert entry["id"] == f"{entry['task_id']}:0"


def test_drain_says_75_while_redis_is_away_and_hands_everything_over_once_it_is_back(
    tmp_path: Path, server: Server
) -> None:
    shell = Shell(tmp_path)
    for name in ("a", "b", "c"):
        shell.submit(name)
    assert len(list(shell.spool.iterdir())) == 1

    refused = shell.run("drain")
    assert refused.returncode == ExitCode.TRY_LATER
    assert "does not answer; 3 alerts kept in" in refused.stderr

    done = Shell(tmp_path, server.url).run("drain", "--json")
    assert json.loads(done.stdout) == {"handed_over": 3, "damaged": 0, "held_by_others": 0}
    assert names(server) == ["a", "b", "c"]
    assert list(shell.spool.iterdir()) == []


def test_the_next_submit_hands_over_first_what_waits(tmp_path: Path, server: Server) -> None:
    Shell(tmp_path).submit("earlier")

    shown = Shell(tmp_path, server.url).submit("later")

    assert "Handed over first from the spool: 1 alert." in shown.stderr
    assert names(server) == ["earlier"]
    with server.client() as redis:
        assert redis.llen(Keys().queue("alert")) == 2  # the hint first, then the message


def test_a_gateway_that_runs_takes_over_what_the_shell_kept(tmp_path: Path, server: Server) -> None:
    Shell(tmp_path).submit("disk")

    with running_gateway(server, tmp_path):
        done = Shell(tmp_path, server.url).run("drain")

    assert done.returncode == ExitCode.OK
    assert names(server) == ["disk"]


def test_a_full_redis_is_away_too(tmp_path: Path, server: Server) -> None:
    with server.client() as redis:
        redis.config_set("maxmemory", 1)
        shown = Shell(tmp_path, server.url).submit("disk")
        redis.config_set("maxmemory", 0)

    assert shown.returncode == ExitCode.OK, shown.stderr
    assert "1 alert kept in" in shown.stderr


def test_a_wrong_password_is_for_a_person_to_mend_and_keeps_nothing(tmp_path: Path, server: Server) -> None:
    shown = Shell(tmp_path, f"redis://:wrong@127.0.0.1:{server.port}/0").submit("disk")

    assert shown.returncode == ExitCode.BAD_CONFIG
    assert not (tmp_path / "spool").exists()


def test_without_room_it_is_an_error_and_nothing_is_claimed(tmp_path: Path) -> None:
    shown = Shell(tmp_path, TOCSIN_SPOOL__MAX_BYTES="100").submit("disk")

    assert shown.returncode == ExitCode.UNAVAILABLE
    assert "Not taken: 1 alert" in shown.stderr
    assert shown.stdout == ""


def test_a_damaged_alert_is_told_when_the_others_are_handed_over(tmp_path: Path, server: Server) -> None:
    shell = Shell(tmp_path)
    shell.submit("a")
    shell.submit("b")
    [path] = shell.spool.iterdir()
    path.write_bytes(path.read_bytes().replace(b'"dedup_key":"a"', b'"dedup_key":"x"'))

    done = Shell(tmp_path, server.url).run("drain")

    assert done.returncode == ExitCode.DEGRADED
    assert "Damaged lines that could not be read: 1" in done.stderr
    assert names(server) == ["b"]


def test_a_file_in_use_is_left_to_its_gateway(tmp_path: Path, server: Server) -> None:
    from tasks.utils.rows import InboxRow

    gateways = Spool(tmp_path / "spool", max_bytes=1_000_000)
    gateways.append([[InboxRow("1", {}, "events")]])

    done = Shell(tmp_path, server.url).run("drain")

    assert done.returncode == ExitCode.OK
    assert "looks after itself: 1" in done.stderr
    gateways.close()
