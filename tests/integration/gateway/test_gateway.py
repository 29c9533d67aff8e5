import json
import socket
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pagerduty import EventsApiV2Client

from deploy.local.embedded import Server
from tasks.utils.breakers import Breakers
from tasks.utils.error_handler import PermanentError
from tasks.utils.validators import check_alert
from tests.integration.gateway_kit import KEY, KEYS, SECOND_KEY, TRIGGER, Gateway, rows, running_gateway, settings
from workers.gateway.server import run


def event(**changes: Any) -> dict[str, Any]:
    return {**TRIGGER, **changes}


def with_payload(**changes: Any) -> dict[str, Any]:
    return event(payload={**TRIGGER["payload"], **changes})


def test_an_accepted_event_is_a_row_under_its_services_name_when_the_202_arrives(
    http: httpx.Client, server: Server
) -> None:
    answer = http.post("/v2/enqueue", json=event(extra="kept"))

    assert answer.status_code == 202
    assert answer.json() == {"status": "success", "message": "Event processed", "dedup_key": "db-1/disk"}
    alert = {name: value for name, value in TRIGGER.items() if name != "routing_key"}
    with server.client(decode_responses=True) as redis:
        [(_, entry)] = redis.xrange(KEYS.ledger)
        assert (entry["s"], entry["r"]) == ("received", "events")
        assert redis.llen(KEYS.queue("alert")) == 1
    assert rows(server) == [{"service": "web", **alert, "extra": "kept"}]


@pytest.mark.parametrize("key", ["db-1/disk", "ключ ☎ 鍵", " \t", 'a"b\\c\r\n', "x" * 300, "\x00\x7f"])
def test_a_dedup_key_is_echoed_as_it_came(http: httpx.Client, server: Server, key: Any) -> None:
    answer = http.post("/v2/enqueue", json=event(dedup_key=key))

    assert answer.json()["dedup_key"] == key
    assert rows(server)[0]["dedup_key"] == key


def test_a_missing_or_empty_dedup_key_is_given_a_unique_one(http: httpx.Client, server: Server) -> None:
    bodies = [event(dedup_key=""), event(dedup_key=None), {k: v for k, v in TRIGGER.items() if k != "dedup_key"}]

    given = [http.post("/v2/enqueue", json=body).json()["dedup_key"] for body in bodies]

    assert len({key for key in given if len(key) == 32}) == 3
    assert [alert["dedup_key"] for alert in rows(server)] == given


def test_events_of_one_key_are_worked_on_in_the_order_of_their_202s(http: httpx.Client, server: Server) -> None:
    sent = []
    for number in range(50):
        sent.append(f"{number}")
        assert http.post("/v2/enqueue", json=event(extra=sent[-1])).status_code == 202

    assert [alert["extra"] for alert in rows(server)] == sent


@pytest.mark.parametrize("key", [None, "", 5, ["x"], "d4" * 16, "ä", "\ud800"])
def test_an_unknown_key_is_refused_with_the_way_to_mend_it_and_never_repeated(
    http: httpx.Client, gateway: Gateway, server: Server, key: Any
) -> None:
    answer = http.post("/v2/enqueue", content=json.dumps(event(routing_key=key)).encode())

    assert answer.status_code == 400
    assert answer.json()["status"] == "invalid event"
    assert "ingest_keys" in answer.json()["errors"][0]
    assert "d4d4" not in answer.text + gateway.log.read_text()
    assert rows(server) == []


def test_errors_are_a_list_of_every_fault_in_pagerdutys_shape(http: httpx.Client) -> None:
    answer = http.post("/v2/enqueue", json={"routing_key": KEY, "dedup_key": 5, "payload": {"summary": ""}})

    assert answer.status_code == 400
    body = answer.json()
    assert (body["status"], body["message"]) == ("invalid event", "Event object is invalid")
    assert len(body["errors"]) == 2
    assert "'event_action' is missing or blank" in body["errors"][0]


def test_what_was_mended_is_said_to_the_sender_and_told_to_the_worker(http: httpx.Client, server: Server) -> None:
    answer = http.post("/v2/enqueue", json=with_payload(summary="x" * 2000, severity="Disaster"))

    assert answer.status_code == 202
    assert "cut to 1024 characters" in answer.json()["message"]
    [alert] = rows(server)
    assert check_alert(alert).adaptations == ("summary_cut", "severity_replaced")


def test_600_kb_of_details_are_shrunk_to_what_pagerduty_takes(http: httpx.Client, server: Server) -> None:
    answer = http.post("/v2/enqueue", json=with_payload(custom_details={"log": "é" * 300_000, "host": "db-1"}))

    assert answer.status_code == 202
    assert "custom_details were shrunk" in answer.json()["message"]
    [alert] = rows(server)
    assert alert["payload"]["custom_details"]["host"] == "db-1"
    assert 500_000 < len(alert["payload"]["custom_details"]["log"].encode()) < 512_000


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit_is_answered_413(http: httpx.Client, *, chunked: bool) -> None:
    body = b" " * (5 * 1024 * 1024 + 1)

    answer = http.post("/v2/enqueue", content=iter([body]) if chunked else body)

    assert answer.status_code == 413
    assert "send less" in answer.json()["errors"][0]


def test_slashes_charsets_missing_agents_and_stray_credentials_do_not_matter(
    http: httpx.Client, gateway: Gateway
) -> None:
    headers = {"content-type": "application/json; charset=utf-8", "authorization": "Token token=sesame"}
    del http.headers["user-agent"]

    answer = http.post("/v2/enqueue/", json=TRIGGER, headers=headers)

    assert answer.status_code == 202
    assert "sesame" not in gateway.log.read_text()


def test_an_unknown_path_or_method_is_answered_in_the_same_shape(http: httpx.Client) -> None:
    assert http.get("/v2/enqueue").status_code == 405
    answer = http.post("/v2/nothing", json=TRIGGER)

    assert answer.status_code == 404
    assert "/v2/enqueue" in answer.json()["errors"][0]


@pytest.mark.usefixtures("http")
def test_the_official_client_triggers_acknowledges_and_resolves(gateway: Gateway, server: Server) -> None:
    with EventsApiV2Client(SECOND_KEY) as client:
        client._url = gateway.url

        key = client.trigger("disk full", "db-1")
        assert client.acknowledge(key) == client.resolve(key) == key

    assert [alert["event_action"] for alert in rows(server)] == ["trigger", "acknowledge", "resolve"]
    assert {alert["dedup_key"] for alert in rows(server)} == {key}


def test_broken_http_harms_nobody_else(http: httpx.Client, gateway: Gateway) -> None:
    host, port = gateway.url.removeprefix("http://").split(":")
    for rubbish in (
        b"\x16\x03\x01\x02\x00",
        b"POST /v2/enqueue HTTP/1.1\r\nContent-Length: 99\r\n\r\n{",
        b"GET / HTTP/9\r\n\r\n",
    ):
        with socket.create_connection((host, int(port)), timeout=5) as raw:
            raw.sendall(rubbish)

    assert http.post("/v2/enqueue", json=TRIGGER).status_code == 202


def test_metrics_show_endpoints_that_are_left_alone(http: httpx.Client, server: Server) -> None:
    assert "tocsin_breaker_open{" not in http.get("/metrics").text
    with server.client(decode_responses=True) as redis:
        Breakers(redis, KEYS).force("https://events.example.com:443", "open", timedelta(minutes=5), "ann", "planned")

    assert 'tocsin_breaker_open{endpoint="https://events.example.com:443"} 1.0' in http.get("/metrics").text


def test_metrics_show_whether_pagerduty_makes_incidents_of_what_it_takes(http: httpx.Client, server: Server) -> None:
    with server.client(decode_responses=True) as redis:
        hour = int(redis.time()[0]) // 3600
        redis.hset(KEYS.receipt_hours(hour), mapping={"seen": 3, "missed": 1, "within:5": 3})

    shown = http.get("/metrics").text

    assert 'tocsin_receipts{receipt="seen"} 3.0' in shown
    assert 'tocsin_receipts{receipt="missed"} 1.0' in shown
    assert 'tocsin_receipts_seen_seconds{share="p99"} 5.0' in shown


def test_metrics_count_answers_and_alerts(http: httpx.Client) -> None:
    http.post("/v2/enqueue", json=TRIGGER)
    http.post("/v2/enqueue", json={})
    http.get("/made/up")

    text = http.get("/metrics").text

    for part in (
        'tocsin_gateway_requests_total{path="/v2/enqueue",status="202"}',
        'tocsin_gateway_requests_total{path="/v2/enqueue",status="400"}',
        'tocsin_gateway_requests_total{path="other",status="404"}',
        'tocsin_gateway_alerts_total{result="accepted",source="events"}',
        'tocsin_gateway_accept_seconds_count{path="/v2/enqueue"}',
    ):
        assert part in text
    assert "/made/up" not in text


def test_a_gateway_that_is_told_to_stop_says_goodbye_with_0(server: Server, tmp_path: Path) -> None:
    with running_gateway(server, tmp_path) as gateway:
        assert httpx.get(gateway.url + "/livez").status_code == 200

        assert gateway.stop() == 0
        assert gateway.log.read_text() == ""


def test_a_port_that_is_taken_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(PermanentError, match=f"port {port}.*choose another"):
            run(settings("redis://127.0.0.1:1/0", tmp_path), "127.0.0.1", port)


@pytest.mark.alone
def test_an_event_is_accepted_within_a_moment(http: httpx.Client) -> None:
    times = []
    for _ in range(100):
        started = time.perf_counter()
        http.post("/v2/enqueue", json=TRIGGER)
        times.append(time.perf_counter() - started)

    assert sorted(times)[50] < 0.05, "the median is 1 to 2 ms on an idle machine"
