import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from deploy.local.embedded import Server, start_server
from tests.integration.gateway_kit import TRIGGER, Gateway, rows, running_gateway
from workers.gateway.probes import reasons


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with start_server(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with running_gateway(server, tmp_path_factory.mktemp("gateway")) as running:
        yield running


def assert_told_soon_to_come_again(http: httpx.Client) -> None:
    """Three times 503; the quickest one counts, the others may have waited for a busy machine."""
    times = []
    for _ in range(3):
        started = time.perf_counter()
        answer = http.post("/v2/enqueue", json=TRIGGER)
        times.append(time.perf_counter() - started)
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
        assert answer.json()["status"] == "unavailable"
        assert "send the event again" in answer.json()["errors"][0]
    assert min(times) < 1


def test_without_redis_senders_hear_come_again_and_are_served_once_it_is_back(gateway: Gateway, server: Server) -> None:
    with gateway.client() as http:
        assert http.post("/v2/enqueue", json=TRIGGER).status_code == 202
        server.kill()

        assert_told_soon_to_come_again(http)
        assert http.get("/livez").status_code == 200
        assert "Redis does not answer" in http.get("/readyz").json()["reasons"][0]

        server.restart()
        assert http.post("/v2/enqueue", json=TRIGGER).status_code == 202
        assert http.get("/readyz").status_code == 200
        assert len(rows(server)) == 2


def test_a_redis_that_hangs_holds_no_sender_for_long(gateway: Gateway, server: Server) -> None:
    with gateway.client() as http:
        os.kill(server.pid, signal.SIGSTOP)
        try:
            assert_told_soon_to_come_again(http)
            assert http.get("/readyz").status_code == 503
        finally:
            os.kill(server.pid, signal.SIGCONT)

        assert http.post("/v2/enqueue", json=TRIGGER).status_code == 202


def test_a_ready_gateway_tells_how_much_a_power_cut_may_lose(gateway: Gateway) -> None:
    answer = httpx.get(gateway.url + "/readyz")

    assert answer.status_code == 200
    assert answer.json()["status"] == "ready"
    assert answer.json()["redis"]["appendfsync"] == "always"
    assert "nothing is lost" in answer.json()["redis"]["window"]


def test_a_server_that_may_lose_what_it_has_acknowledged_is_named(gateway: Gateway, server: Server) -> None:
    with server.client() as redis:
        redis.config_set("appendfsync", "everysec")
        window = httpx.get(gateway.url + "/readyz").json()["redis"]["window"]
        redis.config_set("appendfsync", "always")

    assert "last two seconds" in window
    assert "appendfsync always" in window


def test_a_hosted_server_that_forbids_config_is_ready_all_the_same(gateway: Gateway, server: Server) -> None:
    with server.client() as redis:
        redis.execute_command("ACL SETUSER default -config")
        answer = httpx.get(gateway.url + "/readyz")
        redis.execute_command("ACL SETUSER default +config")

    assert answer.status_code == 200
    assert answer.json()["redis"]["appendfsync"] == "unknown"


def test_every_way_to_lose_rows_is_a_reason_of_its_own() -> None:
    sound = {"append_only_file": True, "last_write": "ok", "loading": False, "policy": "noeviction"}
    assert reasons(sound) == []

    for fault in ({"append_only_file": False}, {"last_write": "err"}, {"loading": True}, {"policy": "volatile-lru"}):
        assert len(reasons(sound | fault)) == 1


def test_a_server_that_would_lose_rows_is_not_ready_and_each_reason_is_named(tmp_path: Path) -> None:
    with start_server(tmp_path / "redis", persist=False) as server:
        with server.client() as redis:
            redis.config_set("maxmemory-policy", "allkeys-lru")
        with running_gateway(server, tmp_path) as gateway:
            answer = httpx.get(gateway.url + "/readyz")

    assert answer.status_code == 503
    first, second = answer.json()["reasons"]
    assert "set 'appendonly yes'" in first
    assert "set 'maxmemory-policy noeviction'" in second
