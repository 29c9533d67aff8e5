"""HTTP in every form there is, over bare sockets: what is right is served, what is not is refused, and nobody else is harmed."""

import json
from collections.abc import Iterator

import pytest

from deploy.local.embedded import Server
from tests.integration.gateway.bare_sockets import event, read_all, read_answers, request, statuses, unharmed
from tests.integration.gateway_kit import TRIGGER, Gateway, rows


@pytest.fixture
def well(gateway: Gateway, server: Server) -> Iterator[Gateway]:
    with unharmed(gateway, server) as running:
        yield running


def test_pipelined_requests_are_answered_in_order(well: Gateway, server: Server) -> None:
    with well.connect() as connection:
        connection.sendall(event("a") + request("/nothing") + event("b") + request(body=b"{") + event("c"))
        received = read_answers(connection, 5)

    assert statuses(received) == [202, 404, 202, 400, 202]
    assert [row["dedup_key"] for row in rows(server)] == ["a", "b", "c"]


def test_a_request_cut_off_after_a_good_one_costs_the_good_one_nothing(well: Gateway, server: Server) -> None:
    with well.connect() as connection:
        connection.sendall(event("a") + event("b")[:-10])
        assert statuses(read_answers(connection)) == [202]

    assert [row["dedup_key"] for row in rows(server)] == ["a"]


@pytest.mark.parametrize(
    "rubbish",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /v2/enqueue HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"POST /v2/enqueue HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{}",
        b"POST /v2/enqueue HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n{}\r\n",
        b"POST /v2/enqueue HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n{}",
        b"POST /v2/enqueue\xff\xfe HTTP/1.1\r\n\r\n",
        b"FROB /v2/enqueue HTTP/1.1\r\n\r\n",
        b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /v2/enqueue HTTP/1.1\r\nBad\x00Name: x\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused_in_pagerdutys_shape(well: Gateway, rubbish: bytes) -> None:
    with well.connect() as connection:
        connection.sendall(rubbish)
        received = read_all(connection)

    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert json.loads(body)["errors"][0].startswith("Invalid HTTP request received")


def test_a_chunked_body_will_do(well: Gateway, server: Server) -> None:
    body = json.dumps(TRIGGER).encode()
    head = b"POST /v2/enqueue HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    with well.connect() as connection:
        connection.sendall(head + b"5\r\n" + body[:5] + b"\r\n" + f"{len(body) - 5:x}".encode() + b"\r\n" + body[5:])
        connection.sendall(b"\r\n0\r\n\r\n")
        assert statuses(read_answers(connection)) == [202]

    assert len(rows(server)) == 1


def test_an_offer_to_speak_http_2_is_declined_without_a_word(well: Gateway, server: Server) -> None:
    # Java's client offers it with every request.
    offer = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAEAAEAAAAIAAAAA"}
    with well.connect() as connection:
        for key in ("a", "b"):
            body = json.dumps({**TRIGGER, "dedup_key": key}).encode()
            connection.sendall(request(body=body, **offer))
            assert statuses(read_answers(connection)) == [202]

    assert [row["dedup_key"] for row in rows(server)] == ["a", "b"]


def test_a_sender_that_asks_before_it_sends_is_told_to_go_on(well: Gateway) -> None:
    head, _, body = request(Expect="100-continue").partition(b"\r\n\r\n")
    with well.connect() as connection:
        connection.sendall(head + b"\r\n\r\n")
        assert statuses(read_answers(connection)) == [100]
        connection.sendall(body)
        assert statuses(read_answers(connection)) == [202]


def test_a_sender_of_http_1_0_is_served(well: Gateway) -> None:
    with well.connect() as connection:
        connection.sendall(request().replace(b"HTTP/1.1", b"HTTP/1.0", 1))
        assert statuses(read_all(connection)) == [202]


@pytest.mark.parametrize("target", [b"http://tocsin.example:8080/v2/enqueue", b"/v2/enqueue?x=%ff#y", b"/v2/%65nqueue"])
def test_other_ways_to_write_the_same_target_will_do(well: Gateway, target: bytes) -> None:
    with well.connect() as connection:
        connection.sendall(request().replace(b"/v2/enqueue", target, 1))
        assert statuses(read_answers(connection)) == [202]


@pytest.mark.parametrize(
    "line", [b"OPTIONS * HTTP/1.1", b"GET /%ff%00/\x01 HTTP/1.1", b"GET " + b"/a" * 9000 + b" HTTP/1.1"]
)
def test_odd_targets_are_refused(well: Gateway, line: bytes) -> None:
    with well.connect() as connection:
        connection.sendall(line + b"\r\nHost: x\r\n\r\n")
        assert statuses(read_answers(connection))[0] in (400, 404, 405)


def test_an_offer_of_a_websocket_is_declined(well: Gateway) -> None:
    with well.connect() as connection:
        connection.sendall(b"GET /v2/enqueue HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        assert statuses(read_answers(connection)) == [405]
