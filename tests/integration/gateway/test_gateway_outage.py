import os
import signal
import time
from pathlib import Path

import httpx
import pytest

from deploy.local.embedded import Server, start_server
from tests.integration.gateway_kit import KEY, TRIGGER, Gateway, rows, running_gateway
from workers.gateway.probes import outage, risks


def send(http: httpx.Client, number: int = 0) -> httpx.Response:
    return http.post("/v2/enqueue", json=TRIGGER | {"n": number})


def assert_answered_soon(http: httpx.Client, status: int) -> None:
    """Three times; the quickest one counts, the others may have waited for a busy machine."""
    times = []
    for _ in range(3):
        started = time.perf_counter()
        assert send(http).status_code == status
        times.append(time.perf_counter() - started)
    assert min(times) < 1


def await_drained(http: httpx.Client) -> None:
    end = time.monotonic() + 20
    while http.get("/readyz").json()["status"] != "ready":
        assert time.monotonic() < end
        time.sleep(0.02)


def numbers(server: Server) -> list[int]:
    """The numbers of the events in the inbox, in order; the inbox is empty afterwards."""
    found = [row["n"] for row in rows(server)]
    with server.client() as redis:
        redis.flushall()
    return found


def test_without_redis_alerts_are_accepted_and_handed_over_in_order_once_it_is_back(
    gateway: Gateway, server: Server
) -> None:
    with gateway.client() as http:
        assert send(http, 0).status_code == 202
        server.kill()

        for number in range(1, 60):
            assert send(http, number).status_code == 202
        assert_answered_soon(http, 202)
        ready = http.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
        assert "Redis does not answer" in ready.json()["reasons"][0]
        assert ready.json()["spool"]["rows"] == 62
        assert http.get("/livez").status_code == 200
        assert "tocsin_gateway_spool_rows 62.0" in http.get("/metrics").text

        server.restart()
        assert send(http, 60).status_code == 202
        await_drained(http)
        assert send(http, 61).status_code == 202
        assert [n for n in numbers(server) if n] == list(range(1, 62))


def test_what_waits_outlives_a_killed_gateway(server: Server, tmp_path: Path) -> None:
    with running_gateway(server, tmp_path) as first, first.client() as http:
        server.kill()
        for number in range(20):
            assert send(http, number).status_code == 202
        first.process.kill()
        first.process.wait(timeout=10)
    [kept] = (tmp_path / "spool").iterdir()
    assert "disk full" in kept.read_text()
    assert KEY not in kept.read_text()

    with running_gateway(server, tmp_path) as second, second.client() as http:
        assert http.get("/readyz").json()["spool"]["rows"] == 20
        assert send(http, 20).status_code == 202
        server.restart()
        await_drained(http)
        assert send(http, 21).status_code == 202

    assert numbers(server) == list(range(22))
    assert "20 alerts were found" in second.log.read_text()


def test_a_gateway_takes_over_what_its_dead_neighbour_left(gateway: Gateway, server: Server) -> None:
    with running_gateway(server, gateway.log.parent) as neighbour, neighbour.client() as http:
        server.kill()
        assert send(http, 1).status_code == 202
        neighbour.process.kill()
        neighbour.process.wait(timeout=10)
    server.restart()

    end = time.monotonic() + 20
    while not (found := numbers(server)):
        assert time.monotonic() < end
        time.sleep(0.1)

    assert found == [1]


def test_a_full_spool_is_told_to_senders_and_to_whoever_asks_whether_it_is_ready(
    server: Server, tmp_path: Path
) -> None:
    with running_gateway(server, tmp_path, spool={"max_bytes": 3000}) as gateway, gateway.client() as http:
        server.kill()
        try:
            accepted = 0
            while (answer := send(http, accepted)).status_code == 202:
                accepted += 1

            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) > 0
            assert answer.json()["status"] == "unavailable"
            assert "the spool takes nothing more; send the event again" in answer.json()["errors"][0]
            ready = http.get("/readyz")
            assert (ready.status_code, ready.json()["status"]) == (503, "not ready")
            assert "raise spool.max_bytes" in ready.json()["reasons"][-1]
        finally:
            server.restart()
        await_drained(http)
        assert send(http, accepted).status_code == 202

    assert numbers(server) == list(range(accepted + 1))


def test_a_disk_that_takes_nothing_is_told_and_redis_still_serves(server: Server, tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("a file stands in the way")
    with running_gateway(server, tmp_path) as gateway, gateway.client() as http:
        server.kill()
        try:
            assert_answered_soon(http, 503)
            ready = http.get("/readyz")
            assert ready.status_code == 503
            assert "cannot be written" in ready.json()["reasons"][-1]
        finally:
            server.restart()

        assert send(http, 5).status_code == 202
        assert http.get("/readyz").json()["status"] == "ready"
    assert numbers(server) == [5]
    assert gateway.log.read_text().count("asked to come again") == 1


def test_a_redis_that_hangs_holds_no_sender_for_long(gateway: Gateway, server: Server) -> None:
    with gateway.client() as http:
        os.kill(server.pid, signal.SIGSTOP)
        try:
            assert_answered_soon(http, 202)
            assert http.get("/readyz").json()["status"] == "degraded"
        finally:
            os.kill(server.pid, signal.SIGCONT)
        await_drained(http)

        assert send(http, 7).status_code == 202
    assert numbers(server) == [0, 0, 0, 7]


@pytest.mark.parametrize(
    ("refuse", "heal"),
    [
        ("CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0"),
        ("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE"),
        ("CONFIG SET min-replicas-to-write 1", "CONFIG SET min-replicas-to-write 0"),
    ],
    ids=["full", "read-only", "without replicas"],
)
def test_a_redis_that_refuses_to_write_is_no_reason_to_refuse_alerts(
    gateway: Gateway, server: Server, refuse: str, heal: str
) -> None:
    with gateway.client() as http, server.client() as redis:
        redis.execute_command(*refuse.split())
        try:
            for number in range(3):
                assert send(http, number).status_code == 202
        finally:
            redis.execute_command(*heal.split())
        await_drained(http)
    assert numbers(server) == [0, 1, 2]


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


def test_every_way_to_lose_rows_and_every_reason_to_wait_is_named() -> None:
    sound = {"append_only_file": True, "last_write": "ok", "loading": False, "policy": "noeviction"}
    assert risks(sound) == outage(sound) == []

    for fault in ({"append_only_file": False}, {"policy": "volatile-lru"}):
        assert len(risks(sound | fault)) == 1
    for fault in ({"last_write": "err"}, {"loading": True}):
        assert len(outage(sound | fault)) == 1


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
